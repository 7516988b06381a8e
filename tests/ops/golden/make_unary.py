"""Writes unary.safetensors with PyTorch: python3 make_unary.py"""

import torch
from golden_tools import Golden, grid

inf, nan = float("inf"), float("nan")
unary = Golden(
    "unary",
    x=grid(3, 4, low=-3, high=3),
    unit=grid(2, 5, low=-0.95, high=0.95),
    positive=grid(11, low=0.1, high=4),
    above=grid(7, low=1.1, high=4),
    halves=torch.arange(-3, 3.5, 0.5).double(),
    edges=torch.tensor([0.0, -0.0, 1.0, -1.0, 30.0, -30.0, 800.0, -800.0, 1e-300, inf, -inf, nan]).double(),
    none=torch.zeros(2, 0).double(),
)

anywhere = "abs exp exp2 expm1 erf erfc sin cos tan atan sinh cosh asinh tanh sigmoid square neg sign"
for name in anywhere.split():
    unary.case(name, getattr(torch, name))
for name in "log log2 log10 log1p sqrt rsqrt reciprocal lgamma".split():
    unary.case(name, getattr(torch, name), "positive")
for name in "asin acos atanh erfinv".split():
    unary.case(name, getattr(torch, name), "unit")
unary.case("acosh", torch.acosh, "above")
unary.case("digamma", torch.digamma, "positive", gradient="")  # PyTorch's polygamma(1, x) is right to nine digits only
for order in (2, 3):
    unary.case(f"polygamma_{order}", lambda x: torch.polygamma(order, x), "positive")
unary.case("polygamma_negative", lambda x: torch.polygamma(2, x), "unit")
for name in "floor ceil round trunc frac".split():
    unary.case(name, getattr(torch, name), "halves")
for name in "isnan isinf isfinite logical_not".split():
    unary.case(name, getattr(torch, name), "edges")
edges = "exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal erf erfc asinh acosh atan sinh cosh tanh sigmoid floor"
for name in edges.split() + ["ceil", "round", "trunc"]:
    unary.case(f"{name}_edges", getattr(torch, name), "edges")
unary.case("exp_none", torch.exp, "none")
unary.save()
