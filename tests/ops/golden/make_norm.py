"""Golden results of layer_norm and rms_norm: make_norm.py writes norm.safetensors."""

import torch.nn.functional as F
from golden_tools import Golden, grid

golden = Golden(
    "norm",
    x=grid(4, 3, 17, low=-3.0, high=4.0),
    far=grid(3, 40, low=1e4, high=1e4 + 1),
    w=grid(17, low=0.5, high=1.5),
    b=grid(17),
    w2=grid(3, 17, low=0.5, high=1.5),
    b2=grid(3, 17),
)
golden.case("layer", lambda x: F.layer_norm(x, (17,)))
golden.case("layer_weights", lambda x, w, b: F.layer_norm(x, (17,), w, b, 1e-3), "x w b")
golden.case("layer_two", lambda x, w, b: F.layer_norm(x, (3, 17), w, b), "x w2 b2")
golden.case("rms", lambda x: F.rms_norm(x, (17,), eps=1e-6))
golden.case("rms_weight", lambda x, w: F.rms_norm(x, (17,), w, 1e-3), "x w")
golden.case("rms_two", lambda x, w: F.rms_norm(x, (3, 17), w, 1e-5), "x w2")
golden.case("rms_far", lambda x: F.rms_norm(x, (40,), eps=1e-6), "far")
golden.save()
