"""`forest`: forests of 100 trees on Fashion-MNIST beside scikit-learn, two threads.

Random forest and extra trees with everyone's defaults on 60,000 images of 784 pixels, judged by the accuracy on 10,000 more; an
isolation forest on the 6,000 shirts of one class with 300 boots among them, trained and asked for all scores, judged by the AUROC
of the boots. Every training is a process of its own and takes turns with the other's, `ROUNDS` times with as many seeds; both read
the same floats.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from core import run
from program import ProgramError, make_environment
from trees import PACKAGES
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

ROWS, TEST_ROWS, COLUMNS, TREES, THREADS, ROUNDS = 60_000, 10_000, 784, 100, 2, 3
SHIRT, BOOT, PLANTED = 0, 9, 300
# Kind, what it is judged by, the most of scikit-learn's time, how much worse it may be.
WORKS = [("random", "accuracy", 0.25, 0.003), ("extra", "accuracy", 0.25, 0.003), ("isolation", "AUROC", 1.0, 0.02)]


def make_rows(images, folder):
    import gzip

    import numpy as np

    def read(name, offset):
        return np.frombuffer(gzip.open(f"{images}/{name}.gz").read(), np.uint8)[offset:].astype(np.float32)

    np.concatenate([read("train-images-idx3-ubyte", 16), read("t10k-images-idx3-ubyte", 16)]).tofile(f"{folder}/x.f32")
    np.concatenate([read("train-labels-idx1-ubyte", 8), read("t10k-labels-idx1-ubyte", 8)]).tofile(f"{folder}/y.f32")


def peer(kind, folder, seed):
    """scikit-learn's process: prints what it took and how well it did."""
    import time

    import numpy as np
    from sklearn.ensemble import ExtraTreesClassifier, IsolationForest, RandomForestClassifier
    from sklearn.metrics import roc_auc_score

    x = np.fromfile(f"{folder}/x.f32", np.float32).reshape(-1, COLUMNS)
    y = np.fromfile(f"{folder}/y.f32", np.float32)
    if kind == "isolation":
        x, y = x[:ROWS], y[:ROWS]
        x = np.concatenate([x[y == SHIRT], x[y == BOOT][:PLANTED]])
        start = time.perf_counter()
        model = IsolationForest(n_estimators=TREES, n_jobs=THREADS, random_state=seed).fit(x)
        scores = -model.score_samples(x)
        seconds = time.perf_counter() - start
        quality = roc_auc_score(np.arange(len(x)) >= len(x) - PLANTED, scores)
    else:
        start = time.perf_counter()
        classifier = RandomForestClassifier if kind == "random" else ExtraTreesClassifier
        model = classifier(n_estimators=TREES, n_jobs=THREADS, random_state=seed).fit(x[:ROWS], y[:ROWS])
        seconds = time.perf_counter() - start
        quality = model.score(x[ROWS:], y[ROWS:])
    print(json.dumps({"seconds": seconds, "quality": quality}))


def compare(options, announce):
    program = options.build_dir / "benchmarks" / "compare_forest"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_forest at {program}, got none; name the build folder with --build-dir")
    python = make_environment(options.trees_python, "compare-trees", PACKAGES, announce)
    with tempfile.TemporaryDirectory(prefix="tern-forest-") as folder:
        run([python, __file__, "rows", options.images, folder])
        for kind, measure, limit, margin in WORKS:
            announce(f"forest: {kind}")
            sides = {"ours": [program], "peer": [python, __file__]}
            found = {side: [] for side in sides}
            for seed in range(ROUNDS):
                for side in sides if seed % 2 == 0 else reversed(sides):
                    more = [ROWS, TEST_ROWS, COLUMNS, TREES, THREADS] if side == "ours" else []
                    found[side].append(json.loads(run([*sides[side], kind, folder, seed, *more])))
            seconds = {side: [one["seconds"] for one in found[side]] for side in found}
            quality = {side: [one["quality"] for one in found[side]] for side in found}
            ratios = [a / b for a, b in zip(seconds["ours"], seconds["peer"])]
            low, middle, high = quartiles(ratios)
            yield Row(
                name=f"forest/{kind} training", unit="s", ours=statistics.median(seconds["ours"]), peer=statistics.median(seconds["peer"]),
                comparison=f"{middle:.3f}x [{low:.3f}, {high:.3f}]", bar=f"median ratio <= {limit}",
                verdict=ratio_verdict(ratios, limit), details=seconds,
            )  # fmt: skip
            means = {side: statistics.fmean(quality[side]) for side in quality}
            yield Row(
                name=f"forest/{kind} {measure}", ours=means["ours"], peer=means["peer"], comparison=f"{means['ours'] - means['peer']:+.4f}",
                bar=f"mean of {ROUNDS} >= -{margin}", verdict=HOLDS if means["ours"] >= means["peer"] - margin else FAILS, details=quality,
            )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "rows":
        make_rows(Path(sys.argv[2]), sys.argv[3])
    else:
        peer(sys.argv[1], sys.argv[2], int(sys.argv[3]))
