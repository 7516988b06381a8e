"""Writes modules.safetensors with PyTorch: python3 make_modules.py

For each module in float64: its weights "NAME.weights.…", an input "NAME.x", the output "NAME.y", and the gradients of
(output · "NAME.g").sum(): "NAME.grad.x" (when the input is real) and "NAME.grad.…" of each weight.
"""

import pathlib

import safetensors.torch
import torch
from torch import nn

here = pathlib.Path(__file__).parent
torch.set_default_dtype(torch.float64)
torch.manual_seed(21)


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(6, 6), nn.Linear(6, 6)])
        self.heads = nn.ModuleDict({"left": nn.Linear(6, 2), "right": nn.Linear(6, 2, bias=False)})

    def forward(self, x):
        for layer in self.layers:
            x = x + torch.tanh(layer(x))
        return self.heads["left"](x) * self.heads["right"](x)


class Formula(nn.Module):
    """For modules whose gradients PyTorch computes with constants rounded to float32, in float64 too."""

    def __init__(self, forward):
        super().__init__()
        self.forward = forward


x = torch.randn(5, 6)
ids = torch.tensor([[3, 0, 6], [1, 3, 3]])
cases = {
    "Linear": (nn.Linear(6, 4), x),
    "ReLU": (nn.ReLU(), x),
    "Tanh": (nn.Tanh(), x),
    "Sigmoid": (nn.Sigmoid(), x),
    "GELU": (nn.GELU(), x),
    "GELUTanh": (nn.GELU(approximate="tanh"), x),
    "SiLU": (nn.SiLU(), x),
    "Softplus": (nn.Softplus(), x),
    "LeakyReLU": (nn.LeakyReLU(0.2), x),
    "ReLU6": (nn.ReLU6(), 4 * x),
    "SELU": (nn.SELU(), x),
    "Hardsigmoid": (Formula(lambda x: nn.functional.relu6(x + 3) / 6), 3 * x),
    "Hardswish": (nn.Hardswish(), 3 * x),
    "Mish": (nn.Mish(), x),
    "Softsign": (nn.Softsign(), x),
    "LogSigmoid": (nn.LogSigmoid(), x),
    "ELU": (nn.ELU(0.7), x),
    "CELU": (Formula(lambda x: torch.where(x > 0, x, 1.3 * torch.expm1(x / 1.3))), x),
    "Hardtanh": (nn.Hardtanh(-0.5, 0.8), x),
    "Threshold": (nn.Threshold(0.1, 20.0), x),
    "PReLU": (nn.PReLU(6, init=0.3), x),
    "Softmax": (nn.Softmax(dim=0), x),
    "LogSoftmax": (nn.LogSoftmax(dim=-1), x),
    "GLU": (nn.GLU(), x),
    "Flatten": (nn.Flatten(), torch.randn(2, 3, 4)),
    "Embedding": (nn.Embedding(7, 4), ids),
    "EmbeddingPadding": (nn.Embedding(7, 4, padding_idx=3), ids),
    "LayerNorm": (nn.LayerNorm(6, eps=1e-3), x),
    "LayerNormNoBias": (nn.LayerNorm(6, bias=False), x),
    "LayerNormPlain": (nn.LayerNorm(6, elementwise_affine=False), x),
    "RMSNorm": (nn.RMSNorm(6, eps=1e-6), x),
    "RMSNormPlain": (nn.RMSNorm(6, eps=0.1, elementwise_affine=False), x),
    "Residual": (Residual(), x),
    "LayerNormOfTwo": (nn.LayerNorm((3, 4)), torch.arange(24.0).reshape(2, 3, 4).sin()),
    "RMSNormOfTwo": (nn.RMSNorm((3, 4), eps=1e-6), torch.arange(24.0).reshape(2, 3, 4).cos()),
}

out = {}
for name, (module, at) in cases.items():
    if name.startswith(("LayerNorm", "RMSNorm")):
        for weight in module.parameters():
            torch.nn.init.normal_(weight)
    at = at.clone()
    if at.is_floating_point():
        at.requires_grad_()
    y = module(at)
    g = torch.randn_like(y)
    (y * g).sum().backward()
    out |= {f"{name}.x": at.detach(), f"{name}.y": y.detach(), f"{name}.g": g}
    if at.is_floating_point():
        out[f"{name}.grad.x"] = at.grad
    for key, weight in module.named_parameters():
        out[f"{name}.weights.{key}"] = weight.detach()
        out[f"{name}.grad.{key}"] = weight.grad
safetensors.torch.save_file({k: v.contiguous().clone() for k, v in out.items()}, here / "modules.safetensors")
