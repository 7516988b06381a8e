"""`trees`: training of boosted trees on synthetic rows beside LightGBM (plain and with quantised gradients) and XGBoost.

1.05 million rows of 28 numbers, 200,000 more to test; 50 trees of 255 leaves over 255 bins, two threads. Every training is a
process of its own and takes turns with the others; ours reads the same floats from a file. Times are those of a median run; the
test AUC is the mean over data made with `SEEDS` seeds, and memory what a process's peak grew by while it trained.

Then the use of trained models, beside the library that trained them: 200,000 rows through 50 trees of 255 leaves, one row at a time
through 500 trees of 31 leaves (LightGBM's fast call for a single row, less what calling C from Python costs), and TreeSHAP values.

Then tables with categories: trees_tables.py.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from core import run
from program import ProgramError, make_environment
from trees_tables import compare_tables
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

PEERS = ["lightgbm", "lightgbm-quantised", "xgboost"]
PACKAGES = ["lightgbm==4.7.0", "xgboost==3.2.0", "scikit-learn==1.9.1", "pandas==3.1.1", "numpy==2.4.6"]
PARTS = ["synthetic", "use", "flights", "tables"]
ROWS, TEST_ROWS, COLUMNS, ROUNDS, LEAVES, THREADS = 1_050_000, 200_000, 28, 50, 255, 2
WITH_THREADS = ["env", f"OMP_NUM_THREADS={THREADS}"]  # a peer has no more than that, whatever it is asked for
SEEDS = 5
TRAINING_LIMIT, BINNING_LIMIT, AUC_MARGIN = 0.50, 0.70, 0.001
USE_ROUNDS, SINGLE_ROWS, SHAP_ROWS = 5, 5000, 1000
USES = [("lightgbm", "prediction vs lightgbm", 1 / 3), ("xgboost", "prediction vs xgboost", 1 / 3), ("single", "one row vs lightgbm", 1 / 5),
        ("shap", "TreeSHAP vs lightgbm", 1 / 1.5)]  # fmt: skip


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


def make_models(folder):
    """The peers' models of the data in the folder, and rows to use them on."""
    import lightgbm
    import numpy as np
    import xgboost

    x = np.fromfile(f"{folder}/x.f32", np.float32).reshape(-1, COLUMNS)
    y = np.fromfile(f"{folder}/y.f32", np.float32)
    x[ROWS:].astype(np.float64).tofile(f"{folder}/rows.f64")
    x, y = x[:200_000], y[:200_000]
    for name, leaves, rounds in (("large", LEAVES, ROUNDS), ("many", 31, 500)):
        settings = {"objective": "binary", "num_leaves": leaves, "num_threads": THREADS, "verbose": -1}
        lightgbm.train(settings, lightgbm.Dataset(x, y), rounds).save_model(f"{folder}/{name}.txt")
    settings = {"objective": "binary:logistic", "max_leaves": LEAVES, "max_depth": 0, "grow_policy": "lossguide", "nthread": THREADS}
    xgboost.train(settings, xgboost.DMatrix(x, y), ROUNDS).save_model(f"{folder}/large.json")


def peer_use(folder):
    """The peers' process: prints what using their models took."""
    import ctypes
    import time

    import lightgbm
    import numpy as np
    import xgboost

    rows = np.fromfile(f"{folder}/rows.f64").reshape(-1, COLUMNS)
    floats = rows.astype(np.float32)

    def seconds(work):
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    large, many = lightgbm.Booster(model_file=f"{folder}/large.txt"), lightgbm.Booster(model_file=f"{folder}/many.txt")
    other = xgboost.Booster({"nthread": THREADS}, model_file=f"{folder}/large.json")
    batch = lambda: large.predict(rows, raw_score=True, num_threads=THREADS)
    inplace = lambda: other.inplace_predict(floats, predict_type="margin")
    batch(), inplace()

    library, fast = lightgbm.basic._LIB, ctypes.c_void_p()
    library.LGBM_BoosterPredictForMatSingleRowFastInit(many._handle, 1, 0, -1, 1, COLUMNS, b"num_threads=1", ctypes.byref(fast))
    length, margin, threads = ctypes.c_int64(), ctypes.c_double(), ctypes.c_int()

    def single(call):
        for row in range(SINGLE_ROWS):
            call(ctypes.c_void_p(rows.ctypes.data + row * COLUMNS * 8))

    taken = seconds(lambda: single(lambda row: library.LGBM_BoosterPredictForMatSingleRowFast(fast, row, ctypes.byref(length), ctypes.byref(margin))))
    nothing = seconds(lambda: single(lambda row: library.LGBM_GetMaxThreads(ctypes.byref(threads))))
    explaining = seconds(lambda: large.predict(rows[:SHAP_ROWS], pred_contrib=True, num_threads=THREADS))
    print(json.dumps({"lightgbm": seconds(batch), "xgboost": seconds(inplace), "single": (taken - nothing) / SINGLE_ROWS, "shap": explaining}))


def compare_use(options, python, folder, announce):
    """Yields the rows of using models; the folder has data of the last seed."""
    program = options.build_dir / "benchmarks" / "compare_trees_use"
    announce("trees: models to use")
    run([python, __file__, "make-models", folder])
    sides = {"ours": [program, folder, COLUMNS, SINGLE_ROWS, SHAP_ROWS, THREADS], "peer": [*WITH_THREADS, python, __file__, "use", folder]}
    found = {side: [] for side in sides}
    for turn in range(USE_ROUNDS):
        for side in sides if turn % 2 == 0 else reversed(sides):
            found[side].append(json.loads(run(sides[side])))
    for key, name, limit in USES:
        ours, theirs = [one[key] for one in found["ours"]], [one[key] for one in found["peer"]]
        ratios = [a / b for a, b in zip(ours, theirs)]
        low, middle, high = quartiles(ratios)
        yield Row(
            name=f"trees/{name}", unit="s", ours=statistics.median(ours), peer=statistics.median(theirs),
            comparison=f"{middle:.3f}x [{low:.3f}, {high:.3f}]", bar=f"median ratio <= {limit:.2f}",
            verdict=ratio_verdict(ratios, limit), details={"ours": ours, "peer": theirs},
        )  # fmt: skip


def compare(options, announce):
    parts = [part for part in PARTS if part in (options.works or PARTS)]
    python = make_environment(options.trees_python, "compare-trees", PACKAGES, announce)
    if "synthetic" in parts or "use" in parts:
        yield from compare_synthetic(parts, options, python, announce)
    yield from compare_tables(parts, options, python, announce)


def compare_synthetic(parts, options, python, announce):
    """Yields the rows of `synthetic` and `use`, whichever is among the parts."""
    program = options.build_dir / "benchmarks" / "compare_trees"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_trees at {program}, got none; name the build folder with --build-dir")
    found = {side: [] for side in ["ours", *PEERS]}

    def train(side, folder):
        if side == "ours":
            command = [program, folder, ROWS, TEST_ROWS, COLUMNS, ROUNDS, LEAVES, THREADS]
        else:
            command = [*WITH_THREADS, python, __file__, side, folder]
        found[side].append(json.loads(run(command)))

    with tempfile.TemporaryDirectory(prefix="tern-trees-") as path:
        folder = Path(path)
        for seed in range(SEEDS if "synthetic" in parts else 1):
            announce(f"trees: data of seed {seed}")
            run([python, "-c", f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import trees, pathlib; trees.make_rows(pathlib.Path({path!r}), {seed})"])
            for side in [] if "synthetic" not in parts else list(found) if seed % 2 == 0 else reversed(list(found)):
                train(side, folder)
        if "synthetic" in parts:
            yield from judge(found)
        if "use" in parts:
            yield from compare_use(options, python, folder, announce)


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
    {"make-models": make_models, "use": peer_use}.get(sys.argv[1], lambda folder: peer_main(sys.argv[1], folder))(sys.argv[2])
