"""Writes the golden files of tests/nn with safetensors and PyTorch: python3 make_golden.py"""

import pathlib

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

here = pathlib.Path(__file__).parent

mixed = {
    "z.f64": np.array([[1.5, -2.0, np.inf], [0.1, 1e300, -0.0]]),
    "a.f32": np.array([0.25, -1.0, 3.0], dtype=np.float32),
    "i64": np.array([-(2**62), 7], dtype=np.int64),
    "u8": np.array([[0, 255, 9]], dtype=np.uint8),
    "bool": np.array([True, False, True]),
    "none": np.zeros((0, 4), dtype=np.float32),
    "scalar": np.array(2.5),
    "naïve \"name\"": np.array([1.0], dtype=np.float32),
}
safetensors.numpy.save_file(mixed, here / "mixed.safetensors", metadata={"format": "np", "author": "Zoë"})

torch.manual_seed(3)
net = torch.nn.Sequential(
    torch.nn.Linear(4, 6),
    torch.nn.ReLU(),
    torch.nn.Dropout(0.2),
    torch.nn.Sequential(torch.nn.Linear(6, 5, bias=False), torch.nn.Tanh(), torch.nn.GELU(), torch.nn.SiLU()),
    torch.nn.Softplus(),
    torch.nn.LeakyReLU(0.1),
    torch.nn.Linear(5, 2),
    torch.nn.Sigmoid(),
).eval()
safetensors.torch.save_file(net.state_dict(), here / "mlp.safetensors")
x = torch.linspace(-2, 2, 12, dtype=torch.float64).reshape(3, 4)
y = net.double()(x).detach()
safetensors.torch.save_file({"x": x, "y": y}, here / "mlp_output.safetensors")
