"""Writes reduce.safetensors with PyTorch: python3 make_reduce.py"""

import torch
from golden_tools import Golden, grid

inf, nan = float("inf"), float("nan")
reduce = Golden(
    "reduce",
    x=grid(2, 3, 4, low=-2, high=2),
    zeros=torch.tensor([[2.0, 3.0, -1.0], [0.0, 3.0, -2.0], [0.0, 0.0, 4.0], [0.0, 0.0, 0.0], [1.5, 1.5, 1.5]]).double(),
    edges=torch.tensor([[1.0, nan, 3.0], [inf, 1.0, 2.0], [-inf, 0.0, inf], [-inf, -inf, -inf], [nan, nan, nan]]).double(),
    none=torch.zeros(2, 0).double(),
    whole=torch.tensor([[3, -2, 3], [0, 5, 0], [2, 2, 2]]),
    truths=torch.tensor([[True, False, True], [False, False, False], [True, True, True]]),
)


def over(name, function, zeros=None, edges="", none=True, whole=True):
    """function(x, dims, keepdim) over several dimensions, and at the places where gradients or values are delicate."""
    reduce.case(f"{name}_all", lambda x: function(x, (0, 1, 2), False))
    reduce.case(f"{name}_one", lambda x: function(x, (1,), False))
    reduce.case(f"{name}_last_kept", lambda x: function(x, (-1,), True))
    reduce.case(f"{name}_two", lambda x: function(x, (0, -1), False))
    reduce.case(f"{name}_zeros", lambda x: function(x, (1,), False), "zeros", zeros)
    reduce.case(f"{name}_edges", lambda x: function(x, (1,), False), "edges", edges)
    if none:
        reduce.case(f"{name}_none", lambda x: function(x, (1,), False), "none")
    if whole:
        reduce.case(f"{name}_whole", lambda x: function(x, (1,), False), "whole")
        reduce.case(f"{name}_truths", lambda x: function(x, (1,), True), "truths")


def one_by_one(function):
    """Of a function that PyTorch has of one dimension only."""

    def of(x, dims, keepdim):
        for d in sorted((d % x.dim() for d in dims), reverse=True):
            x = function(x, d, keepdim)
        return x

    return of


over("sum", torch.sum)
over("mean", torch.mean, whole=False)
over("prod", one_by_one(torch.prod))
over("max", torch.amax, none=False)
over("min", torch.amin, none=False)
over("any", torch.any)
over("all", torch.all)
over("count_nonzero", lambda x, d, k: torch.count_nonzero(x, d).unsqueeze(-1) if k else torch.count_nonzero(x, d))
over("nansum", torch.nansum)
over("nanmean", torch.nanmean, whole=False)
over("logsumexp", torch.logsumexp, none=False, whole=False)
for name, function in {"var": torch.var, "std": torch.std}.items():
    over(name, lambda x, d, k: function(x, d, keepdim=k), whole=False)
    reduce.case(f"{name}_corrected", lambda x: function(x, 2, correction=0))
    reduce.case(f"{name}_halfway", lambda x: function(x, (0, 1), correction=1.5))
    reduce.case(f"{name}_of_one", lambda x: function(x[:, :1], 1), gradient="")
for name, p in {"2": 2, "1": 1, "3": 3, "half": 0.5, "0": 0, "inf": inf, "neg_inf": -inf}.items():
    norm = torch.linalg.vector_norm
    over(f"norm_{name}", lambda x, d, k: norm(x, p, d, k), none=abs(p) != inf, whole=False)

for at in ("", "_zeros", "_edges", "_whole"):
    inputs = at[1:] or "x"
    reduce.case(f"argmax{at}", lambda x: torch.argmax(x, 1, keepdim=True), inputs)
    reduce.case(f"argmin{at}", lambda x: torch.argmin(x, 1), inputs)
for at in ("", "_zeros", "_edges", "_whole", "_truths"):
    inputs, gradient = at[1:] or "x", "" if at == "_edges" else None
    reduce.case(f"cumsum{at}", lambda x: torch.cumsum(x, 1), inputs, gradient)
    reduce.case(f"cumprod{at}", lambda x: torch.cumprod(x, 1), inputs, gradient)
for dim in (0, 1, -1):
    reduce.case(f"softmax_{dim}", lambda x: torch.softmax(x, dim))
    reduce.case(f"log_softmax_{dim}", lambda x: torch.log_softmax(x, dim))
reduce.case("softmax_edges", lambda x: torch.softmax(x, 1), "edges", "")
reduce.case("log_softmax_edges", lambda x: torch.log_softmax(x, 1), "edges", "")
reduce.save()
