"""Writes activation.safetensors with PyTorch: python3 make_activation.py"""

import torch
import torch.nn.functional as F
from golden_tools import Golden, grid

activation = Golden(
    "activation",
    x=grid(4, 6, low=-5, high=7),
    edges=torch.tensor([0.0, -0.0, 0.5, 1.0, -1.5, 2.0, -3.0, 3.0, 6.0, 15.0, 50.0, -50.0]).double(),
    nan=torch.tensor([float("nan")]).double(),
    image=grid(2, 3, 2, low=-2, high=2),
    one=torch.tensor([0.25]).double(),
    channels=torch.tensor([0.1, 0.5, -0.3]).double(),
)

# PyTorch computes the gradients of celu and hardsigmoid with constants rounded to float32: an alpha whose reciprocal is
# exact, and the definition, are free of that.
functions = {
    "relu": torch.relu,
    "softplus": lambda x: F.softplus(x, threshold=40),
    "silu": F.silu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2),
    "elu": lambda x: F.elu(x, 0.7),
    "selu": F.selu,
    "celu": lambda x: F.celu(x, 2),
    "relu6": F.relu6,
    "hardtanh": lambda x: F.hardtanh(x, -1.5, 2),
    "hardsigmoid": lambda x: F.relu6(x + 3) / 6,
    "hardswish": F.hardswish,
    "mish": F.mish,
    "softsign": F.softsign,
    "logsigmoid": F.logsigmoid,
    "threshold": lambda x: F.threshold(x, 0.5, -3),
}
for name, function in functions.items():
    activation.case(name, function)
    activation.case(f"{name}_edges", function, "edges")
    activation.case(f"{name}_nan", function, "nan", gradient="")
activation.case("prelu", F.prelu, "image one")
activation.case("prelu_channels", F.prelu, "image channels")
activation.case("prelu_vector", F.prelu, "x one")
activation.case("glu", F.glu)
activation.case("glu_first", lambda x: F.glu(x, 0))
activation.save()
