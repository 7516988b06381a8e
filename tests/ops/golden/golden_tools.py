"""What the makers of the golden files here share: cases by name, each with PyTorch's result and gradients in float64.

A file holds the inputs once ("in.x"), and for each case its result ("case.out") and the gradient of every input that
PyTorch gives one ("case.grad.x"). The metadata names the inputs of each case ("case": "x y"). The gradient is that of
the sum of the result times direction(): exact numbers, so that no reader needs them from the file.
"""

import math
import pathlib

import safetensors.torch
import torch

torch.set_num_threads(1)


def direction(shape):
    """Weights of the elements, in logical order: exact, none of them zero."""
    count = torch.Size(shape).numel()
    return ((torch.arange(count) * 7 % 11 - 5.5) / 4).double().reshape(shape)


class Golden:
    """The cases of one family."""

    def __init__(self, family, **inputs):
        self.path = pathlib.Path(__file__).parent / f"{family}.safetensors"
        self.inputs = inputs
        self.tensors = {f"in.{name}": x.contiguous() for name, x in inputs.items()}
        self.cases = {}

    def case(self, name, function, inputs="x", gradient=None):
        """Records `function` of the named inputs; `gradient` names those to derive by, all floating ones if None."""
        if name in self.cases:
            raise ValueError(f"two cases {name}")
        names = inputs.split()
        if len(set(names)) != len(names):
            raise ValueError(f"{name}: an input twice")
        wanted = names if gradient is None else gradient.split()
        leaves = [
            self.inputs[i].clone().requires_grad_(i in wanted and self.inputs[i].is_floating_point()) for i in names
        ]
        out = function(*leaves)
        self.cases[name] = inputs
        if out.requires_grad:
            (out * direction(out.shape)).sum().backward()
        self.tensors[f"{name}.out"] = out.detach().contiguous().clone()
        for i, leaf in zip(names, leaves):
            if leaf.grad is not None:
                self.tensors[f"{name}.grad.{i}"] = leaf.grad.contiguous()

    def save(self):
        safetensors.torch.save_file(self.tensors, self.path, metadata=self.cases)
        print(f"{self.path.name}: {len(self.cases)} cases, {self.path.stat().st_size} bytes, PyTorch {torch.__version__}")


def grid(*shape, low=-2.0, high=2.0):
    """Values of [low, high] in a scrambled order, apart from each other and, for a symmetric range, from zero."""
    count = torch.Size(shape).numel()
    stride = next(s for s in range(max(1, 5 * count // 8), 2 * count + 2) if math.gcd(s, count) == 1)
    cells = (torch.arange(count) * stride % max(count, 1)).double()
    return (low + (high - low) * (cells + 0.5 + 0.3 * torch.sin(cells)) / max(count, 1)).reshape(shape)
