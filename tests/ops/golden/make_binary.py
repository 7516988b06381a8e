"""Writes binary.safetensors with PyTorch: python3 make_binary.py"""

import torch
from golden_tools import Golden, grid

inf, nan = float("inf"), float("nan")
special = torch.tensor([0.0, -0.0, 1.0, -2.5, inf, -inf, nan]).double()
binary = Golden(
    "binary",
    a=grid(2, 1, 4, low=-3, high=3),
    b=grid(3, 1, low=-2.5, high=2.4),
    positive=grid(3, 1, low=0.3, high=2.4),
    same=grid(2, 1, 4, low=0.2, high=2),
    naught=torch.tensor([0.0, -1.5, 0.0, 2.0]).double(),
    other=grid(2, 1, 4, low=-1, high=2.5).flip(-1).abs(),
    one=torch.tensor(1.75).double(),
    none=torch.zeros(0, 1).double(),
    special=special[:6],
    left=special.repeat_interleave(7),
    right=special.repeat(7),
    i=torch.tensor([7, -7, 7, -7, 0, 6, -6, 2**40]),
    j=torch.tensor([3, 3, -3, -3, 5, 2, -1, 7]),
    steps=torch.tensor([0, 1, 2, 3, 63, 64, -1, 4]),
    bytes=torch.tensor([0, 1, 255, 170], dtype=torch.uint8),
    more=torch.tensor([3, 0, 15, 85], dtype=torch.uint8),
    wide=torch.tensor([-1, 300, 0, 7]),
    truths=torch.tensor([[True], [False]]),
    others=torch.tensor([True, False, True]),
    low=grid(4, low=-1, high=0.4),
    high=grid(2, 1, 1, low=0.1, high=1.5),
    weight=torch.tensor([0.0, 0.25, 0.5, 1.0]).double(),
)

for name in "add sub mul div pow maximum minimum atan2 remainder fmod floor_divide hypot logaddexp xlogy copysign".split():
    function = getattr(torch, name)
    first, column = ("same", "positive") if name in ("pow", "xlogy") else ("a", "b")
    gradient = "" if name == "floor_divide" else None
    binary.case(name, function, f"{first} other", gradient)
    binary.case(f"{name}_column", function, f"{first} {column}", gradient)
    binary.case(f"{name}_one", function, f"one {column}", gradient)
    binary.case(f"{name}_none", function, "none a", gradient)
    binary.case(f"{name}_edges", function, "left right", gradient="")
    # PyTorch keeps the power of integers whole, and has no hypot, logaddexp or xlogy of them.
    if name not in ("pow", "hypot", "logaddexp", "xlogy"):
        binary.case(f"{name}_whole", function, "i j")
binary.case("xlogy_zero", torch.xlogy, "naught positive")  # linear in the 0 there
for name in "eq ne lt le gt ge logical_and logical_or logical_xor".split():
    binary.case(name, getattr(torch, name), "left right", gradient="")
for name in "bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift".split():
    binary.case(name, getattr(torch, name), "i steps")
binary.case("logical_and_bytes", torch.logical_and, "bytes more")
binary.case("bitwise_and_bytes", torch.bitwise_and, "bytes more")
binary.case("bitwise_xor_mixed", torch.bitwise_xor, "bytes wide")
binary.case("bitwise_or_truths", torch.bitwise_or, "truths others")
binary.case("bitwise_not", torch.bitwise_not, "i")
binary.case("bitwise_not_bytes", torch.bitwise_not, "bytes")
binary.case("bitwise_not_truths", torch.bitwise_not, "truths")

binary.case("where", torch.where, "truths a one")
binary.case("where_number_right", lambda c, x: torch.where(c, x, 2.5), "truths a")
binary.case("where_number_left", lambda c, x: torch.where(c, 2.5, x), "truths a")
number = torch.tensor(0.25).double()
binary.case("maximum_number", lambda x: torch.maximum(number, x), "a")
binary.case("minimum_number", lambda x: torch.minimum(x, number), "a")
binary.case("remainder_number_left", lambda x: torch.remainder(torch.tensor(7.5).double(), x), "b")
binary.case("remainder_number_right", lambda x: torch.remainder(x, -0.7), "a")
binary.case("pow_number_left", lambda x: torch.pow(2.5, x), "a")
for exponent in (0, 1, 2, 3, -1):
    binary.case(f"pow_{exponent}", lambda x: torch.pow(x, exponent), "a")
binary.case("pow_half", lambda x: torch.pow(x, 0.5), "same")

binary.case("clamp", lambda x: torch.clamp(x, -1, 1), "a")
binary.case("clamp_edges", lambda x: torch.clamp(x, -2.5, 1), "special")
binary.case("clamp_min", lambda x: torch.clamp_min(x, 0.2), "a")
binary.case("clamp_max", lambda x: torch.clamp_max(x, 0.2), "a")
binary.case("clamp_tensors", torch.clamp, "a low high")
binary.case("clamp_tensors_edges", lambda x, y, z: torch.clamp(x, y, z), "left right one", gradient="")
binary.case("clamp_min_tensor", lambda x, y: torch.clamp(x, min=y), "a b")
binary.case("clamp_max_tensor", lambda x, y: torch.clamp(x, max=y), "a b")
binary.case("lerp", torch.lerp, "a low weight")
binary.case("lerp_number", lambda x, y: torch.lerp(x, y, 0.3), "a b")
binary.case("lerp_beyond", lambda x, y: torch.lerp(x, y, 1.5), "a b")
binary.case("addcmul", lambda x, y, z: torch.addcmul(x, y, z, value=0.5), "a b one")
binary.case("addcdiv", lambda x, y, z: torch.addcdiv(x, y, z, value=-2), "a b same")
binary.case("isclose", lambda x, y: torch.isclose(x, y, rtol=0.4, atol=0.1), "a b", gradient="")
binary.case("isclose_edges", torch.isclose, "left right", gradient="")
binary.case("isclose_edges_nan", lambda x, y: torch.isclose(x, y, equal_nan=True), "left right", gradient="")
binary.save()
