"""Golden results of matrix products: make_matmul.py writes matmul.safetensors."""

import torch
import torch.nn.functional as F
from golden_tools import Golden, grid

golden = Golden(
    "matmul",
    v=grid(5),
    u=grid(5, low=-1.0, high=1.5),
    m=grid(3, 5),
    n=grid(5, 4, low=-1.5, high=1.0),
    wide=grid(17, 70),
    tall=grid(70, 19, low=-1.0, high=1.0),
    x=grid(2, 3, 4, 5),
    y=grid(2, 3, 5, 2, low=-1.0, high=2.0),
    one=grid(1, 4, 5),
    many=grid(3, 5, 2, low=-1.0, high=1.0),
    w=grid(6, 5, low=-1.0, high=1.0),
    b=grid(6, low=-0.5, high=0.7),
)

golden.case("dot", lambda v, u: v @ u, "v u")
golden.case("matrix_vector", lambda m, v: m @ v, "m v")
golden.case("vector_matrix", lambda v, n: v @ n, "v n")
golden.case("matrices", lambda m, n: m @ n, "m n")
golden.case("larger", lambda a, b: a @ b, "wide tall")
golden.case("transposed", lambda m, w: (w @ m.mT).mT, "m w")
golden.case("both_transposed", lambda m, n: n.mT @ m.mT, "m n")
golden.case("batched", lambda x, y: x @ y, "x y")
golden.case("batched_transposed", lambda x, y: y.mT @ x.mT, "x y")
golden.case("batch_by_matrix", lambda x, n: x @ n, "x n")
golden.case("matrix_by_batch", lambda m, y: m @ y, "m y")
golden.case("batch_by_vector", lambda x, v: x @ v, "x v")
golden.case("vector_by_batch", lambda v, y: v @ y, "v y")
golden.case("broadcast", lambda x, y: x @ y, "x many")
golden.case("broadcast_both", lambda x, y: x[:, 1:2] @ y, "x many")
golden.case("broadcast_one", lambda o, y: o @ y, "one many")
golden.case("broadcast_dimensions", lambda x, y: x[:, None, 0] @ y, "x many")
golden.case("expanded", lambda o, y: o.expand(3, 4, 5) @ y, "one many")
golden.case("sliced", lambda x, y: x[:, ::2, 1:] @ y[:, ::2], "x y")

golden.case("linear", lambda m, w: F.linear(m, w), "m w")
golden.case("linear_bias", lambda m, w, b: F.linear(m, w, b), "m w b")
golden.case("linear_vector", lambda v, w, b: F.linear(v, w, b), "v w b")
golden.case("linear_batched", lambda x, w, b: F.linear(x, w, b), "x w b")
golden.case("linear_permuted", lambda x, w, b: F.linear(x.permute(2, 0, 1, 3), w, b), "x w b")
golden.case("linear_relu", lambda m, w, b: F.linear(m, w, b).relu(), "m w b")
golden.case("linear_tanh", lambda x, w, b: F.linear(x, w, b).tanh(), "x w b")
golden.case("linear_sigmoid", lambda m, w, b: F.linear(m, w, b).sigmoid(), "m w b")
golden.save()
