"""`images`: examples/images on Fashion-MNIST: its test accuracy for three seeds, and an epoch beside PyTorch's.

PyTorch trains the same network with the same optimizer, batch size and dropout on normalised float32 images that lie in memory,
taking its batches by index; every run is a process of its own, ours and the peer's in turn, each on all cores. An epoch's time is
the median of a run's epochs but the first.
"""

import os
import re
import statistics
import sys

from core import find_torch, run
from program import ProgramError
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

ACCURACY = 0.895
LIMIT = 0.6
EPOCHS = 15


def peer_main(folder, epochs):
    """The peer's process: prints the seconds of each epoch."""
    import gzip
    import time

    import numpy as np
    import torch
    from torch import nn

    def idx(name, offset):
        with gzip.open(f"{folder}/{name}") as file:
            return np.frombuffer(file.read(), np.uint8, offset=offset)

    torch.manual_seed(1)
    x = torch.from_numpy(idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 784).astype(np.float32))
    x = (x / 255 - 0.2860) / 0.3530
    y = torch.from_numpy(idx("train-labels-idx1-ubyte.gz", 8).astype(np.int64))
    net = nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.2), nn.Linear(512, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, 10)
    )
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, epochs=epochs, steps_per_epoch=(len(x) + 127) // 128)
    for _ in range(epochs):
        start = time.perf_counter()
        for rows in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
            optimizer.step()
            schedule.step()
        print(time.perf_counter() - start, flush=True)


def epochs_of(printed):
    found = [float(seconds) for seconds in printed]
    if len(found) < 2:
        raise ProgramError(f"expected the seconds of two epochs or more, got {found}")
    return statistics.median(found[1:])


def compare(options, announce):
    program = options.build_dir / "examples" / "images" / "images"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built example at {program}, got none; build it, or name the build folder with --build-dir")
    folder = options.images
    if not (folder / "train-images-idx3-ubyte.gz").exists():
        yield Row(name="images", comparison=f"expected Fashion-MNIST in {folder}; examples/images/setup installs it")
        return
    found = []
    for seed in (1, 2, 3):
        announce(f"images: {EPOCHS} epochs, seed {seed}")
        printed = run([program, "--data", folder, "--epochs", EPOCHS, "--seed", seed])
        found.append(float(re.search(r"test accuracy ([0-9.]+)", printed).group(1)))
        yield Row(
            name=f"images/test accuracy, seed {seed}", ours=found[-1], bar=f">= {ACCURACY} after {EPOCHS} epochs",
            verdict=HOLDS if found[-1] >= ACCURACY else FAILS,
        )  # fmt: skip
    python = options.torch_python or find_torch(options, announce).parents[3] / "bin" / "python"
    find_torch(options, announce)
    ours, peer = [], []
    for turn in range(max(2, options.runs // 3)):
        announce(f"images: three epochs each, turn {turn + 1}")
        sides = [
            lambda: ours.append(epochs_of(re.findall(r"([0-9.]+) s$", run([program, "--data", folder, "--epochs", 3]), re.MULTILINE))),
            lambda: peer.append(epochs_of(run([python, __file__, folder, 3]).split())),
        ]
        for side in sides if turn % 2 == 0 else reversed(sides):
            side()
    ratios = [a / b for a, b in zip(ours, peer)]
    low, middle, high = quartiles(ratios)
    yield Row(
        name="images/epoch vs PyTorch", unit="s/epoch", ours=statistics.median(ours), peer=statistics.median(peer),
        comparison=f"{middle:.2f}x [{low:.2f}, {high:.2f}]", bar=f"median ratio <= {LIMIT}", verdict=ratio_verdict(ratios, LIMIT),
        details={"ours": ours, "peer": peer, "ratios": ratios},
    )  # fmt: skip


if __name__ == "__main__":
    peer_main(sys.argv[1], int(sys.argv[2]))
