"""Writes loss.safetensors with PyTorch: python3 make_loss.py"""

import torch
import torch.nn.functional as F
from golden_tools import Golden, grid

inf = float("inf")
loss = Golden(
    "loss",
    x=grid(6, 4, low=-3, high=3),
    labels=torch.tensor([0, 3, 2, 2, 1, 0]),
    weight=torch.tensor([0.5, 1.5, 2.0, 0.25]).double(),
    shares=torch.softmax(grid(6, 4, low=-1, high=1.5), 1),
    image=grid(2, 4, 3, low=-2, high=2),
    places=torch.tensor([[0, 3, 1], [2, 2, 0]]),
    image_shares=torch.softmax(grid(2, 4, 3, low=-1, high=2), 1),
    vector=grid(4),
    label=torch.tensor(2),
    ignored=torch.full((6,), -100),
    none=torch.zeros(0, 4).double(),
    no_labels=torch.zeros(0).long(),
    extreme=torch.tensor([[800.0, -800.0, 0.0], [inf, 0.0, 1.0], [-inf, 0.0, 1.0], [1e300, 1e300, 0.0]]).double(),
    extreme_labels=torch.tensor([1, 0, 1, 2]),
    a=grid(3, 4, low=-1.5, high=1.5),
    b=grid(3, 4, low=-1, high=1.4).flip(0),
    unit=grid(3, 4, low=0.02, high=0.98),
    target=grid(3, 4, low=0.0, high=1.0).flip(1),
    each=grid(4, low=0.2, high=2),
    edge=torch.tensor([0.0, 1.0, 0.0, 1.0, 0.5]).double(),
    edge_target=torch.tensor([0.0, 1.0, 1.0, 0.0, 0.25]).double(),
    ends=torch.tensor([0.0, 1.0, 0.5]).double(),
    end_target=torch.tensor([0.0, 1.0, 0.25]).double(),
    edge_logits=torch.tensor([0.0, 800.0, -800.0, -800.0, 40.0]).double(),
    zero_target=torch.tensor([[0.0, 0.3, 0.7, 0.0], [1.0, 0.0, 0.0, 0.0], [0.25, 0.25, 0.25, 0.25]]).double(),
)


def reductions(name, function, inputs, gradient=None):
    for reduction in ("mean", "sum", "none"):
        loss.case(f"{name}_{reduction}", lambda *x: function(*x, reduction=reduction), inputs, gradient)


cross_entropy = F.cross_entropy
reductions("cross_entropy", cross_entropy, "x labels")
reductions("cross_entropy_weighted", lambda x, t, w, **k: cross_entropy(x, t, w, **k), "x labels weight", "x")
reductions(
    "cross_entropy_smoothed",
    lambda x, t, w, **k: cross_entropy(x, t, w, label_smoothing=0.1, **k),
    "x labels weight",
    "x",
)
reductions(
    "cross_entropy_ignoring",
    lambda x, t, w, **k: cross_entropy(x, t, w, label_smoothing=0.1, ignore_index=2, **k),
    "x labels weight",
    "x",
)
reductions("cross_entropy_image", lambda x, t, w, **k: cross_entropy(x, t, w, **k), "image places weight", "image")
reductions("cross_entropy_probabilities", cross_entropy, "x shares")
reductions(
    "cross_entropy_probabilities_smoothed",
    lambda x, t, w, **k: cross_entropy(x, t, w, label_smoothing=0.3, **k),
    "x shares weight",
    "x shares",
)
reductions("cross_entropy_probabilities_image", cross_entropy, "image image_shares")
loss.case("cross_entropy_one", cross_entropy, "vector label")
loss.case("cross_entropy_all_ignored", cross_entropy, "x ignored", "")
loss.case("cross_entropy_no_rows", cross_entropy, "none no_labels")
loss.case("cross_entropy_edges", lambda x, t: cross_entropy(x, t, reduction="none"), "extreme extreme_labels", "")
reductions("nll", lambda x, t, w, **k: F.nll_loss(x, t, w, **k), "x labels weight", "x")
reductions("nll_ignoring", lambda x, t, w, **k: F.nll_loss(x, t, w, ignore_index=0, **k), "x labels weight", "x")
reductions("nll_image", F.nll_loss, "image places")
reductions(
    "bce_with_logits",
    lambda x, t, w, p, **k: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=p, **k),
    "a target b each",
    "a target",
)
reductions("bce", lambda x, t, w, **k: F.binary_cross_entropy(x, t, w, **k), "unit target each", "unit target")
# PyTorch holds p (1 - p) at 1e-12 rounded to float32, so of a wrong target at the ends only its own gradient is exact.
loss.case("bce_edges", lambda x, t: F.binary_cross_entropy(x, t, reduction="none"), "edge edge_target", "edge_target")
loss.case("bce_ends", lambda x, t: F.binary_cross_entropy(x, t, reduction="none"), "ends end_target")
loss.case(
    "bce_with_logits_edges",
    lambda x, t: F.binary_cross_entropy_with_logits(x, t, reduction="none"),
    "edge_logits edge_target",
)
reductions("kl_div", F.kl_div, "a zero_target", "a")
reductions("kl_div_logs", lambda x, t, **k: F.kl_div(x, t, log_target=True, **k), "a b")
reductions("mse", F.mse_loss, "a b")
reductions("l1", F.l1_loss, "a b")
reductions("huber", lambda x, t, **k: F.huber_loss(x, t, delta=0.6, **k), "a b")
reductions("smooth_l1", lambda x, t, **k: F.smooth_l1_loss(x, t, beta=0.6, **k), "a b")
reductions("smooth_l1_sharp", lambda x, t, **k: F.smooth_l1_loss(x, t, beta=0, **k), "a b")
loss.save()
