"""Writes grad.safetensors with PyTorch: python3 make_grad.py

What torch.autograd.grad gives, in float64, of several outputs, of results and of gradients: the inputs "in.NAME", and of
each case "CASE.I" for each gradient I that there is. The metadata has a 1 for each of these and a 0 for one that there is
not ("CASE": "1 0 1").
"""

import pathlib

import safetensors.torch
import torch
from golden_tools import direction
from torch.autograd import grad

torch.manual_seed(5)
INPUTS = {
    "x": torch.randn(4, 3, dtype=torch.float64),
    "w": torch.randn(3, 2, dtype=torch.float64),
    "b": torch.randn(2, dtype=torch.float64),
    "v": torch.randn(4, 3, dtype=torch.float64),
}


def leaves():
    return [INPUTS[name].clone().requires_grad_() for name in "xwbv"]


def several_outputs(x, w, b, v):
    y = torch.tanh(x @ w + b)
    return grad([y, (y * y).sum(), x.exp().mean()], [x, w, b], [direction(y.shape), None, None])


def of_results(x, w, b, v):
    h = torch.sigmoid(x @ w)
    y = (h * b).softmax(-1).log()
    return grad(y, [h, x, b], direction(y.shape))


def one_input_twice(x, w, b, v):
    return grad((x * v).sin().sum(), [x, v, x])


def unused(x, w, b, v):
    return grad((x @ w).square().sum(), [x, v, w, b], allow_unused=True)


def of_gradients(x, w, b, v):
    y = (torch.nn.functional.gelu(x @ w + b) * torch.nn.functional.softplus(x).sum(1, keepdim=True)).sum()
    gx, gb = grad(y, [x, b], create_graph=True)
    return grad([gx, gb], [x, w, b, v], [direction(gx.shape), direction(gb.shape)], allow_unused=True)


def of_gradients_of_gradients(x, w, b, v):
    y = (torch.sin(x) * torch.exp(0.3 * x * v)).sum()
    (first,) = grad(y, [x], create_graph=True)
    (second,) = grad((first * direction(first.shape)).sum(), [x], create_graph=True)
    return grad(second.square().sum(), [x, v])


def hessian_times_vector(x, w, b, v):
    y = torch.logsumexp(x @ w, 1).sum() + torch.nn.functional.layer_norm(x, (3,)).pow(3).sum()
    (g,) = grad(y, [x], create_graph=True)
    return grad((g * v.detach()).sum(), [x, w])


def penalty_of_the_gradient(x, w, b, v):
    y = torch.tanh(x @ w + b).prod(1).sum()
    (g,) = grad(y, [x], create_graph=True)
    return grad((g.norm(dim=1) - 1).square().mean(), [w, b, x])


def of_a_linear_gradient(x, w, b, v):
    (g,) = grad((x * v).sum(), [x], create_graph=True)
    return grad(g.sum(), [x, v], allow_unused=True)


def through_views(x, w, b, v):
    y = torch.cat([x[1:, :2] * b, (x.T @ v)[:, ::2].cumsum(0)], 0)
    (g,) = grad(y.square().sum(), [x], create_graph=True)
    return grad(g, [x, b, v], direction(g.shape))


tensors, metadata = {f"in.{name}": value for name, value in INPUTS.items()}, {}
for case in (several_outputs, of_results, one_input_twice, unused, of_gradients, of_gradients_of_gradients,
             hessian_times_vector, penalty_of_the_gradient, of_a_linear_gradient, through_views):
    name = case.__name__
    found = case(*leaves())
    metadata[name] = " ".join("0" if g is None else "1" for g in found)
    tensors |= {f"{name}.{i}": g.detach().clone().contiguous() for i, g in enumerate(found) if g is not None}
safetensors.torch.save_file(tensors, pathlib.Path(__file__).parent / "grad.safetensors", metadata)
