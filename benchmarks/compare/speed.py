"""`speed`: seconds per epoch of training our mlp and scikit-learn's MLPClassifier of the same shape and batch size.

Both get the same matrix (the telco table, encoded once), the same number of training rows and of validation rows, scored after
every epoch, and run the same number of epochs with early stopping out of reach. Every run is a process of its own, ours and the
peer's in turn, with a fixed calibration loop before each pair; scikit-learn gets float32, its faster type. Ours is the time the
example reports for the stage `train`, the peer's that of `fit` alone.
"""

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import tables
from program import Churn, ProgramError, read_report
from verdicts import Row, quartiles, ratio_verdict

HOLD_OUT = 0.15


def calibrate():
    """Seconds of a fixed loop: how steady the machine is."""
    start = time.perf_counter()
    total = 0
    for i in range(2_000_000):
        total += i & 7
    return time.perf_counter() - start


def peer_main(path):
    """The peer's process: reads the matrix and the settings, fits, prints seconds and epochs as JSON."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier
    from sklearn.utils._testing import ignore_warnings

    settings = json.loads((path / "settings.json").read_text())
    x, y = np.load(path / "x.npy"), np.load(path / "y.npy")
    epochs = settings["epochs"]
    network = MLPClassifier(
        tuple(settings["hidden"]), batch_size=settings["batch_size"], max_iter=epochs, early_stopping=True,
        validation_fraction=HOLD_OUT, n_iter_no_change=epochs + 1, random_state=1,
    )  # fmt: skip
    start = time.perf_counter()
    ignore_warnings(category=ConvergenceWarning)(network.fit)(x, y)
    print(json.dumps({"seconds": time.perf_counter() - start, "epochs": network.n_iter_}))


def run_peer(path, threads):
    environment = os.environ | {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
    done = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, env=environment)
    if done.returncode != 0:
        raise ProgramError(f"expected exit status 0 from scikit-learn's process, got {done.returncode}\n{done.stderr}")
    return json.loads(done.stdout)


def run_ours(churn, path, epochs):
    """Trains on the matrix as CSV; the report must carry stages.train.seconds and training.{epochs, batch_size, hidden, features}."""
    report = path / "report.json"
    churn.train(path / "x.csv", "y", "1", 1, path / "m.tern", "--max-epochs", epochs, "--report", report)
    written = read_report(report)
    try:
        training = written["training"]
        found = {"seconds": float(written["stages"]["train"]["seconds"])}
        found |= {key: training[key] for key in ("epochs", "batch_size", "hidden", "features")}
    except (KeyError, TypeError) as missing:
        raise ProgramError(f"expected stages.train.seconds and training.* in the report, got none of {missing}") from missing
    return found


def write_matrix(table, path):
    from quality import Encoding

    every = np.arange(len(table.rows))
    x = Encoding(table).split(every, every)[0]
    labels = np.array(table.labels)
    # Columns that repeat or never change would be seen by one side's cleaning and not by the other's.
    x = np.unique(x[:, x.std(axis=0) > 0], axis=1).astype(np.float32)
    np.save(path / "x.npy", x)
    np.save(path / "y.npy", labels)
    with open(path / "x.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([f"x{i}" for i in range(x.shape[1])] + ["y"])
        for row, label in zip(x, labels):
            writer.writerow([repr(float(value)) for value in row] + [label])
    return x.shape


def compare(options, announce):
    """Yields a row for one thread and, where there are more cores, one for all of them."""
    try:
        table = tables.load("wa_churn", options.data_dir)
    except tables.TableMissing as missing:
        yield Row(name="speed", comparison=str(missing))
        return
    for threads in sorted({1, os.cpu_count() or 1}):
        churn = Churn(options.churn, threads)
        with tempfile.TemporaryDirectory(prefix="tern-speed-") as folder:
            path = Path(folder)
            rows, features = write_matrix(table, path)
            announce(f"speed: {rows}x{features}, {options.epochs} epochs, {options.runs} runs, {threads} threads")
            yield measure(churn, path, rows, features, threads, options)


def measure(churn, path, rows, features, threads, options):
    first = run_ours(churn, path, options.epochs)  # also tells shape and batch size, and warms the file cache
    if first["epochs"] != options.epochs:
        raise ProgramError(f"expected {options.epochs} epochs, got {first['epochs']}; choose fewer with --epochs")
    settings = {"hidden": first["hidden"], "batch_size": first["batch_size"], "epochs": options.epochs}
    (path / "settings.json").write_text(json.dumps(settings))
    ours, peer, loops = [], [], []
    for run in range(options.runs):
        loops.append(calibrate())
        sides = [lambda: ours.append(run_ours(churn, path, options.epochs)), lambda: peer.append(run_peer(path, threads))]
        for side in sides if run % 2 == 0 else reversed(sides):
            side()
    per_epoch = lambda found: [one["seconds"] / one["epochs"] for one in found]
    ratios = [a / b for a, b in zip(per_epoch(ours), per_epoch(peer))]
    low, middle, high = quartiles(ratios)
    return Row(
        name=f"speed/train, {threads} thread{'s' if threads > 1 else ''} vs MLPClassifier",
        unit="s/epoch",
        ours=quartiles(per_epoch(ours))[1],
        peer=quartiles(per_epoch(peer))[1],
        comparison=f"{middle:.2f}x [{low:.2f}, {high:.2f}]",
        bar="median ratio <= 1",
        verdict=ratio_verdict(ratios),
        details={
            "rows": rows, "features": features, "features_ours": first["features"], **settings, "threads": threads,
            "ours": per_epoch(ours), "peer": per_epoch(peer), "ratios": ratios, "interval": "quartiles of paired ratios",
            "calibration_seconds": loops,
        },
    )  # fmt: skip


if __name__ == "__main__":
    peer_main(Path(sys.argv[1]))
