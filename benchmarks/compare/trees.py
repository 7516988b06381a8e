"""`trees`: training of boosted trees on synthetic rows beside LightGBM (plain and with quantised gradients) and XGBoost.

1.05 million rows of 28 numbers, 200,000 more to test; 50 trees of 255 leaves over 255 bins, two threads. Every training is a
process of its own and takes turns with the others; ours reads the same floats from a file. Times are those of a median run; the
test AUC is the mean over data made with `SEEDS` seeds, and memory what a process's peak grew by while it trained.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

import tables
from core import run
from program import ProgramError
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

PEERS = ["lightgbm", "lightgbm-quantised", "xgboost"]
PACKAGES = ["lightgbm==4.7.0", "xgboost==3.2.0", "scikit-learn==1.9.1", "numpy==2.4.6"]
ROWS, TEST_ROWS, COLUMNS, ROUNDS, LEAVES, THREADS = 1_050_000, 200_000, 28, 50, 255, 2
SEEDS = 5
TRAINING_LIMIT, BINNING_LIMIT, AUC_MARGIN = 0.50, 0.70, 0.001


def make_rows(folder, seed):
    """Rows whose label depends on sums, products and a step."""
    import numpy as np

    random = np.random.default_rng(seed)
    x = random.normal(size=(ROWS + TEST_ROWS, COLUMNS)).astype(np.float32)
    weights = random.normal(size=COLUMNS)
    margin = x @ weights * 0.3 + np.sin(x[:, 0] * 2) * x[:, 1] + x[:, 2] * x[:, 3] + 0.5 * (x[:, 4] > 0) * x[:, 5] ** 2
    y = (random.random(ROWS + TEST_ROWS) < 1 / (1 + np.exp(-margin))).astype(np.float32)
    x.tofile(folder / "x.f32")
    y.tofile(folder / "y.f32")


def peer_main(peer, folder):
    """A peer's process: prints what its training took."""
    import resource
    import time

    import numpy as np
    from sklearn.metrics import roc_auc_score

    x = np.fromfile(f"{folder}/x.f32", np.float32).reshape(-1, COLUMNS)
    y = np.fromfile(f"{folder}/y.f32", np.float32)
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if peer == "xgboost":
        import xgboost

        before, start = peak(), time.perf_counter()
        data = xgboost.QuantileDMatrix(x[:ROWS], y[:ROWS], max_bin=256, nthread=THREADS)
        binned = time.perf_counter()
        settings = {"objective": "binary:logistic", "max_leaves": LEAVES, "max_depth": 0, "grow_policy": "lossguide", "eta": 0.1,
                    "tree_method": "hist", "max_bin": 256, "nthread": THREADS}  # fmt: skip
        model = xgboost.train(settings, data, ROUNDS)
        trained, after = time.perf_counter(), peak()
        p = model.predict(xgboost.DMatrix(x[ROWS:]))
    else:
        import lightgbm

        before, start = peak(), time.perf_counter()
        settings = {"objective": "binary", "num_leaves": LEAVES, "learning_rate": 0.1, "max_bin": 255, "num_threads": THREADS,
                    "verbose": -1, "use_quantized_grad": peer == "lightgbm-quantised"}  # fmt: skip
        data = lightgbm.Dataset(x[:ROWS], y[:ROWS], params=settings).construct()
        binned = time.perf_counter()
        model = lightgbm.train(settings, data, ROUNDS)
        trained, after = time.perf_counter(), peak()
        p = model.predict(x[ROWS:], num_threads=THREADS)
    auc = roc_auc_score(y[ROWS:], p)
    print(json.dumps({"binning": binned - start, "training": trained - binned, "auc": auc, "memory": after - before}))


def find_peers(options, announce):
    """A Python with the pinned peers: the one of --trees-python, else an environment made once under build/ (1 GB)."""
    python = options.trees_python or tables.REPOSITORY / "build" / "compare-trees" / "bin" / "python"
    versions = ", ".join(repr(package) for package in PACKAGES)
    check = f"from importlib.metadata import version as v; assert all(v(p.split('==')[0]) == p.split('==')[1] for p in [{versions}])"
    try:
        run([python, "-c", check])
        return python
    except (ProgramError, FileNotFoundError) as error:
        if options.trees_python:
            raise ProgramError(f"expected {', '.join(PACKAGES)} in {python}, found others") from error
    announce(f"making {python.parents[1]} with {', '.join(PACKAGES)}")
    run([sys.executable, "-m", "venv", "--clear", python.parents[1]])
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES])
    return python


def compare(options, announce):
    program = options.build_dir / "benchmarks" / "compare_trees"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_trees at {program}, got none; name the build folder with --build-dir")
    python = find_peers(options, announce)
    found = {side: [] for side in ["ours", *PEERS]}

    def train(side, folder):
        if side == "ours":
            command = [program, folder, ROWS, TEST_ROWS, COLUMNS, ROUNDS, LEAVES, THREADS]
        else:
            command = [python, __file__, side, folder]
        found[side].append(json.loads(run(command)))

    with tempfile.TemporaryDirectory(prefix="tern-trees-") as path:
        folder = Path(path)
        for seed in range(SEEDS):
            announce(f"trees: data of seed {seed}")
            run([python, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import trees, pathlib; trees.make_rows(pathlib.Path({path!r}), {seed})"])
            for side in list(found) if seed % 2 == 0 else reversed(list(found)):
                train(side, folder)
    yield from judge(found)


def judge(found):
    """The rows that follow from what each side printed, a training a seed."""
    values = lambda side, key: [one[key] / (2**20 if key == "memory" else 1) for one in found[side]]
    fastest = min(PEERS, key=lambda peer: statistics.median(values(peer, "training")))
    for key, peer, limit in (("training", fastest, TRAINING_LIMIT), ("binning", "lightgbm", BINNING_LIMIT), ("memory", "lightgbm", 1.0)):
        ours, theirs = values("ours", key), values(peer, key)
        ratios = [a / b for a, b in zip(ours, theirs)]
        low, middle, high = quartiles(ratios)
        yield Row(
            name=f"trees/{key} vs {peer}", unit="MiB" if key == "memory" else "s", ours=statistics.median(ours),
            peer=statistics.median(theirs), comparison=f"{middle:.2f}x [{low:.2f}, {high:.2f}]", bar=f"median ratio <= {limit}",
            verdict=ratio_verdict(ratios, limit), details={side: values(side, key) for side in found},
        )  # fmt: skip
    means = {side: statistics.fmean(values(side, "auc")) for side in found}
    best = max(PEERS, key=lambda peer: means[peer])
    yield Row(
        name=f"trees/test AUC vs {best}", ours=means["ours"], peer=means[best], comparison=f"{means['ours'] - means[best]:+.4f}",
        bar=f"mean of {SEEDS} >= -{AUC_MARGIN}", verdict=HOLDS if means["ours"] >= means[best] - AUC_MARGIN else FAILS,
        details={side: values(side, "auc") for side in found},
    )  # fmt: skip


if __name__ == "__main__":
    peer_main(sys.argv[1], sys.argv[2])
