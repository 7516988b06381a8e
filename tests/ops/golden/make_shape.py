"""Golden results of creation, views and what writes in place: make_shape.py writes shape.safetensors."""

import torch
from golden_tools import Golden, grid

golden = Golden(
    "shape",
    x=grid(3, 4, 5),
    m=grid(4, 6, low=-1.0, high=3.0),
    line=grid(1, 4, 1),
    row=grid(5, low=0.5, high=2.0),
    mask=(grid(4, 5) > 0.4),
    ids=torch.tensor([2, 0, 2]),
)
f64 = torch.float64

golden.case("zeros", lambda: torch.zeros(2, 3, dtype=f64), "")
golden.case("ones", lambda: torch.ones(2, 3, dtype=f64), "")
golden.case("full", lambda: torch.full((2, 3), 0.1, dtype=f64), "")
golden.case("zeros_like", lambda x: torch.zeros_like(x))
golden.case("ones_like", lambda x: torch.ones_like(x))
golden.case("full_like", lambda x: torch.full_like(x, -0.3))
golden.case("scalar", lambda: torch.tensor(0.7, dtype=f64), "")
golden.case("tensor", lambda: torch.tensor([[0.1, 2.0], [-3.0, 1e300]], dtype=f64), "")
golden.case("arange", lambda: torch.arange(-1.5, 4.0, 0.7, dtype=f64), "")
golden.case("arange_down", lambda: torch.arange(3.0, -2.0, -0.25, dtype=f64), "")
golden.case("arange_count", lambda: torch.arange(9), "")
golden.case("linspace", lambda: torch.linspace(-1.3, 2.9, 23, dtype=f64), "")
golden.case("linspace_one", lambda: torch.linspace(-1.3, 2.9, 1, dtype=f64), "")
golden.case("logspace", lambda: torch.logspace(-2.0, 1.5, 11, dtype=f64), "")
golden.case("eye", lambda: torch.eye(4, dtype=f64), "")

golden.case("reshape", lambda x: x.reshape(5, -1))
golden.case("reshape_of_permuted", lambda x: x.permute(2, 0, 1).reshape(3, 20))
golden.case("flatten", lambda x: x.flatten(1, 2))
golden.case("flatten_all", lambda x: x.flatten())
golden.case("unflatten", lambda m: m.unflatten(1, (2, 3)), "m")
golden.case("transpose", lambda x: x.transpose(0, -1))
golden.case("t", lambda m: m.t(), "m")
golden.case("permute", lambda x: x.permute(2, 0, 1))
golden.case("expand", lambda v: v.expand(3, -1, 5), "line")
golden.case("expand_as", lambda v, x: v.expand_as(x), "line x", gradient="line")
golden.case("broadcast_to", lambda v: v.broadcast_to(2, 3, 4, 5), "line")
golden.case("squeeze", lambda v: v.squeeze(0), "line")
golden.case("unsqueeze", lambda x: x.unsqueeze(-2))
golden.case("select", lambda x: x.select(1, -2))
golden.case("slice", lambda x: x[:, 1:4:2])
golden.case("narrow", lambda x: x.narrow(2, 1, 3))
golden.case("split_with_sizes", lambda x: torch.cat(x.split_with_sizes([3, 0, 1], 1)[::-1], 1))
golden.case("cat", lambda x, v: torch.cat((x, v.expand(3, 4, 2)), 2), "x line")
golden.case("stack", lambda x, v: torch.stack((x, v.expand(3, 4, 5)), 1), "x line")
golden.case("contiguous", lambda x: x.permute(1, 2, 0).contiguous())
golden.case("clone", lambda x: x.clone())
golden.case("detach", lambda x: x.detach())
golden.case("to", lambda x: x.to(torch.float32), gradient="")
golden.case("to_integers", lambda x: (x * 3).to(torch.int64))
golden.case("sum_to", lambda x: x.sum_to_size(1, 4, 1))

golden.case("add_", lambda x, r: x.add_(r), "x row", gradient="")
golden.case("sub_", lambda x, r: x.sub_(r), "x row", gradient="")
golden.case("mul_", lambda x, r: x.mul_(r), "x row", gradient="")
golden.case("div_", lambda x, r: x.div_(r), "x row", gradient="")
golden.case("add_number", lambda x: x.add_(0.3), gradient="")
golden.case("sub_number", lambda x: x.sub_(0.3), gradient="")
golden.case("mul_number", lambda x: x.mul_(0.3), gradient="")
golden.case("div_number", lambda x: x.div_(0.3), gradient="")
golden.case("fill_", lambda x: x.fill_(0.3), gradient="")
golden.case("zero_", lambda x: x.zero_(), gradient="")
golden.case("copy_", lambda x, r: x.copy_(r), "x row", gradient="")
golden.case("masked_fill_", lambda x, k: x.masked_fill_(k, -7.0), "x mask", gradient="")
golden.case("index_put_", lambda x, i, r: x.index_put_((i[:2], i[1:]), r), "x ids row", gradient="")
golden.case("index_put_add", lambda x, i, r: x.index_put_((i, i), r, accumulate=True), "x ids row", gradient="")
golden.save()
