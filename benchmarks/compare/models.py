"""`models`: the classic estimators on Fashion-MNIST, 60,000 rows of 784 floats, beside scikit-learn; two threads.

Each run is a process of its own and takes turns with the other side's; both read the same floats from a file and time the work
alone. What a side found it leaves in a file, and its figure, an objective or a score, is computed from that by one function for
both. A work is a function of the peer's, a figure, and a name in `models/ours.cpp`.
"""

import gzip
import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from core import run
from program import ProgramError
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

ROWS, COLUMNS, CLASSES, COMPONENTS, THREADS = 60_000, 784, 10, 50, 2
ROUNDS = 5
LIMIT, MARGIN = 0.6, 0.001  # of the peer's time; of its figure


def ridge(x, y, test):
    from sklearn.linear_model import Ridge

    model = Ridge(alpha=1.0)
    return lambda: model.fit(x, y.astype("float32")), lambda: (model.coef_, model.intercept_)


def ridge_objective(x, y, test, found):
    w, b = found[:COLUMNS], found[COLUMNS]
    return ((y - x @ w - b) ** 2).sum() + (w**2).sum()


def logistic(x, y, test):
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, max_iter=100)
    return lambda: model.fit(x, y), lambda: (model.coef_, model.intercept_)


def logistic_objective(x, y, test, found):
    import numpy as np

    w, b = found[: CLASSES * COLUMNS].reshape(CLASSES, COLUMNS), found[CLASSES * COLUMNS :]
    z = x @ w.T + b
    z -= z.max(1, keepdims=True)
    return (np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), y]).sum() + 0.5 * (w**2).sum()


def kmeans(x, y, test):
    from sklearn.cluster import KMeans

    model = KMeans(CLASSES, init=x[:CLASSES].copy(), n_init=1)  # the same start on both sides, so the same optimum
    return lambda: model.fit(x), lambda: (model.cluster_centers_,)


def kmeans_inertia(x, y, test, found):
    import numpy as np

    centers = found.reshape(CLASSES, COLUMNS)
    squares = (x**2).sum(1)[:, None] - 2 * x @ centers.T + (centers**2).sum(1)
    return np.maximum(squares, 0).min(1).sum()


def pca(x, y, test):
    from sklearn.decomposition import PCA

    model = PCA(COMPONENTS)
    return lambda: model.fit(x), lambda: (model.components_,)


def pca_variance(x, y, test, found):
    import numpy as np

    directions = np.linalg.qr(found.reshape(COMPONENTS, COLUMNS).T)[0]
    return (((x - x.mean(0)) @ directions) ** 2).sum() / (len(x) - 1)


def knn(x, y, test):
    from sklearn.neighbors import KNeighborsClassifier

    model, found = KNeighborsClassifier(5), []
    return lambda: found.append(model.fit(x, y).predict(test[0])), lambda: found


def knn_accuracy(x, y, test, found):
    return (found == test[1]).mean()


# name: the peer's (what is timed, what it leaves), the figure of what a side left, what that is, whether more is better
WORKS = {
    "ridge": (ridge, ridge_objective, "objective", False),
    "logistic": (logistic, logistic_objective, "objective", False),
    "kmeans": (kmeans, kmeans_inertia, "inertia", False),
    "pca": (pca, pca_variance, "variance explained", True),  # ours by its randomised factorisation
    "pca_exact": (pca, pca_variance, "variance explained", True),
    "knn": (knn, knn_accuracy, "accuracy", True),
}
REPORTED = {"pca_exact"}  # timed, not judged


def make_rows(images, folder):
    """Pixels in [0, 1] as floats, and labels as bytes."""
    import numpy as np

    for kind, name in (("train", "train"), ("t10k", "test")):
        with gzip.open(f"{images}/{kind}-images-idx3-ubyte.gz") as file:
            pixels = np.frombuffer(file.read(), np.uint8, offset=16)
        (pixels.astype(np.float32) / 255).tofile(f"{folder}/{name}.f32")
        with gzip.open(f"{images}/{kind}-labels-idx1-ubyte.gz") as file:
            np.frombuffer(file.read(), np.uint8, offset=8).tofile(f"{folder}/{name}.u8")


def read_rows(folder, name):
    import numpy as np

    return np.fromfile(f"{folder}/{name}.f32", np.float32).reshape(-1, COLUMNS), np.fromfile(f"{folder}/{name}.u8", np.uint8)


def peer_main(work, folder):
    """The peer's process: prints the seconds of a work, and leaves what it found as doubles."""
    import time
    import warnings

    import numpy as np

    warnings.simplefilter("ignore")  # a limit of iterations is no fault here
    timed, left = WORKS[work][0](*read_rows(folder, "train"), read_rows(folder, "test"))
    start = time.perf_counter()
    timed()
    seconds = time.perf_counter() - start
    np.concatenate([np.ravel(part).astype(np.float64) for part in left()]).tofile(f"{folder}/peer-{work}.f64")
    print(json.dumps({"seconds": seconds}))


def figures_main(work, folder):
    """Prints the figure of each side."""
    import numpy as np

    (x, y), test = read_rows(folder, "train"), read_rows(folder, "test")
    figure = WORKS[work][1]
    print(json.dumps({side: float(figure(x.astype(np.float64), y, test, np.fromfile(f"{folder}/{side}-{work}.f64"))) for side in ("ours", "peer")}))


def compare(options, announce):
    program = options.build_dir / "benchmarks" / "compare_models"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_models at {program}, got none; name the build folder with --build-dir")
    if not (options.images / "train-images-idx3-ubyte.gz").exists():
        yield Row(name="models", comparison=f"expected Fashion-MNIST in {options.images}; examples/images/setup installs it")
        return
    threads = ["env", *(f"{name}_NUM_THREADS={THREADS}" for name in ("OMP", "OPENBLAS", "MKL"))]
    with tempfile.TemporaryDirectory(prefix="tern-models-") as path:
        folder = Path(path)
        make_rows(options.images, folder)
        for work, (_, _, figure, more) in WORKS.items():
            announce(f"models: {work}")
            sides = {"ours": [program, folder, work, THREADS], "peer": [*threads, sys.executable, __file__, "peer", work, folder]}
            seconds = {side: [] for side in sides}
            for turn in range(ROUNDS):
                for side in sides if turn % 2 == 0 else reversed(sides):
                    seconds[side].append(json.loads(run(sides[side]))["seconds"])
            ratios = [a / b for a, b in zip(seconds["ours"], seconds["peer"])]
            low, middle, high = quartiles(ratios)
            yield Row(
                name=f"models/{work} vs scikit-learn", unit="s", ours=statistics.median(seconds["ours"]),
                peer=statistics.median(seconds["peer"]), comparison=f"{middle:.3f}x [{low:.3f}, {high:.3f}]",
                bar="reported" if work in REPORTED else f"median ratio <= {LIMIT}",
                verdict="-" if work in REPORTED else ratio_verdict(ratios, LIMIT), details=seconds,
            )  # fmt: skip
            found = json.loads(run([*threads, sys.executable, __file__, "figures", work, folder]))
            worse = (found["peer"] - found["ours"] if more else found["ours"] - found["peer"]) / abs(found["peer"])
            yield Row(
                name=f"models/{work} {figure}", ours=found["ours"], peer=found["peer"], comparison=f"{100 * worse:+.4f} % worse",
                bar=f"<= {100 * MARGIN:g} %", verdict=HOLDS if worse <= MARGIN else FAILS,
            )  # fmt: skip


if __name__ == "__main__":
    {"peer": peer_main, "figures": figures_main}[sys.argv[1]](sys.argv[2], sys.argv[3])
