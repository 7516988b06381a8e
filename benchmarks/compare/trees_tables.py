"""The rows of `trees` that train on public tables, beside LightGBM, XGBoost and scikit-learn's HistGradientBoosting.

`flights`: whether a flight arrives more than 30 minutes late, from what is known before it departs; the first four fifths of the
year to train on, the rest to test. Judged by the time of a training, the data lying in memory as a table, and by the AUROC.
`tables`: five tables under repeated cross-validation, with the defaults of each library and with the settings of `COMMON` as each
library names them, which were written down before they were run and are the same for all tables.

Every side reads the same file: numbers are numbers, texts are categories. A process trains on all folds of a table and writes what
it predicts; scores are computed here, by the same functions for all.
"""

import csv
import json
import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import tables
from core import run
from program import ProgramError
from verdicts import FAILS, HOLDS, UNDECIDED, Row, nadeau_bengio, quartiles, ratio_verdict

PEERS = ["lightgbm", "xgboost", "scikit-learn"]
FLIGHTS_PEERS = ["lightgbm", "lightgbm-quantised", "xgboost"]
COMMON = {"rounds": 300, "learning_rate": 0.05, "max_leaves": 31, "min_child_rows": 20, "lambda_l2": 1}
THREADS, FLIGHTS_TURNS, SPLIT_SEED = 2, 5, 2026
FLIGHTS_LIMIT, AUC_MARGIN, SHARE = 0.6, 0.002, 0.005
FLIGHTS_LEFT_OUT = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time", "time_hour"]  # the last repeats year … hour


@dataclass(frozen=True)
class Work:
    """A table with its target, what is minimised, and the class that is 1 of two."""

    source: tables.Source
    objective: str


WORKS = {
    "wa_churn": Work(tables.SOURCES["wa_churn"], "binary"),
    "credit_data": Work(tables.SOURCES["credit_data"], "binary"),
    "ames": Work(tables.Source("ames", "Sale_Price", ""), "squared"),
    "LetterRecognition": Work(tables.Source("LetterRecognition", "lettr", ""), "multiclass"),
    "concrete": Work(tables.Source("concrete", "compressive_strength", ""), "squared"),
}


def peer_model(peer, objective, common, threads):
    """A peer's estimator with its defaults, or with common settings under its names for them."""
    classes = objective != "squared"
    if peer == "scikit-learn":
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        mapped = {"max_iter": "rounds", "learning_rate": "learning_rate", "max_leaf_nodes": "max_leaves", "min_samples_leaf": "min_child_rows",
                  "l2_regularization": "lambda_l2"}  # fmt: skip
        fixed = {"early_stopping": False} if common else {}
        kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
        return kind(categorical_features="from_dtype", **fixed, **{name: common[ours] for name, ours in mapped.items() if common})
    if peer == "xgboost":
        from xgboost import XGBClassifier, XGBRegressor

        # Rows of a leaf are bounded by their hessians alone, whose bound stays as it is.
        mapped = {"n_estimators": "rounds", "learning_rate": "learning_rate", "max_leaves": "max_leaves", "reg_lambda": "lambda_l2"}
        fixed = {"grow_policy": "lossguide", "max_depth": 0} if common else {}
        kind = XGBClassifier if classes else XGBRegressor
        return kind(n_jobs=threads, enable_categorical=True, tree_method="hist", **fixed, **{name: common[ours] for name, ours in mapped.items() if common})
    from lightgbm import LGBMClassifier, LGBMRegressor

    mapped = {"n_estimators": "rounds", "learning_rate": "learning_rate", "num_leaves": "max_leaves", "min_child_samples": "min_child_rows",
              "reg_lambda": "lambda_l2"}  # fmt: skip
    fixed = {"use_quantized_grad": True} if peer == "lightgbm-quantised" else {}
    kind = LGBMClassifier if classes else LGBMRegressor
    return kind(n_jobs=threads, verbose=-1, **fixed, **{name: common[ours] for name, ours in mapped.items() if common})


def peer_main(peer, table, folds, objective, out, threads, *settings):
    """A peer's process: trains once for each line of `folds`, predicts the rows that it names, tells the seconds of training."""
    import time

    os.environ["OMP_NUM_THREADS"] = threads  # scikit-learn has no other say
    import numpy as np
    import pandas

    frame = pandas.read_csv(table, keep_default_na=False, na_values=[""])
    target = frame.pop("target").to_numpy()
    for name in frame.columns:
        if not pandas.api.types.is_numeric_dtype(frame[name]):
            frame[name] = frame[name].astype("category")
    common = {name: int(value) if value.isdigit() else float(value) for name, value in (setting.split("=") for setting in settings)}
    predictions, seconds = [], 0
    for line in Path(folds).read_text().splitlines():
        test = np.array(line.split(), dtype=np.int64)
        train = np.ones(len(frame), dtype=bool)
        train[test] = False
        model = peer_model(peer, objective, common, int(threads))
        x, y = frame[train], target[train]
        start = time.perf_counter()
        model.fit(x, y)
        seconds += time.perf_counter() - start
        found = model.predict(frame.iloc[test]) if objective == "squared" else model.predict_proba(frame.iloc[test])
        predictions.append(np.ascontiguousarray(found[:, 1] if objective == "binary" else found, dtype=np.float64).ravel())
    np.concatenate(predictions).tofile(out)
    print(json.dumps({"seconds": seconds}))


def write_table(path, header, rows, target, labels):
    """Features and the target, which is the column "target", as every side reads them: what is missing is blank."""
    kept = [at for at, name in enumerate(header) if name not in target]
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([header[at] for at in kept] + ["target"])
        for row, label in zip(rows, labels):
            writer.writerow(["" if row[at] in tables.MISSING else row[at] for at in kept] + [label])


class Sides:
    """Runs one side after another on a table in a folder."""

    def __init__(self, program, python, folder):
        self.commands = {"ours": [program]}
        self.python, self.folder = python, Path(folder)

    def predict(self, side, objective, common):
        """What a side predicts for the folds, one after another, and the seconds that it trained."""
        import numpy as np

        command = [self.python, __file__, side] if side != "ours" else self.commands["ours"]
        out = self.folder / "out.f64"
        settings = [f"{name}={value}" for name, value in common.items()]
        told = run([*command, self.folder / "table.csv", self.folder / "folds.txt", objective, out, THREADS, *settings])
        return np.fromfile(out), json.loads(told)["seconds"]


def flights(options, sides, announce):
    """Yields the rows of flights."""
    from sklearn.metrics import roc_auc_score

    header, rows = tables.read_csv(tables.find(tables.Source("flights", "arr_delay", ""), options.data_dir))
    at = {name: place for place, name in enumerate(header)}
    rows = [row for row in rows if row[at["arr_delay"]] not in tables.MISSING]
    rows.sort(key=lambda row: tuple(float(row[at[name]]) for name in ("year", "month", "day", "sched_dep_time")))
    labels = [int(float(row[at["arr_delay"]]) > 30) for row in rows]
    write_table(sides.folder / "table.csv", header, rows, FLIGHTS_LEFT_OUT, labels)
    first = len(rows) * 4 // 5
    (sides.folder / "folds.txt").write_text(" ".join(map(str, range(first, len(rows)))) + "\n")
    announce(f"trees: flights, {first} rows to train on, {len(rows) - first} to test")
    seconds, auc = {}, {}
    names = ["ours", *FLIGHTS_PEERS]
    for turn in range(FLIGHTS_TURNS):
        for side in names if turn % 2 == 0 else reversed(names):
            found, taken = sides.predict(side, "binary", COMMON)
            seconds.setdefault(side, []).append(taken)
            auc[side] = float(roc_auc_score(labels[first:], found))
    fastest = min(FLIGHTS_PEERS, key=lambda peer: statistics.median(seconds[peer]))
    ratios = [a / b for a, b in zip(seconds["ours"], seconds[fastest])]
    low, middle, high = quartiles(ratios)
    yield Row(
        name=f"trees/flights training vs {fastest}", unit="s", ours=statistics.median(seconds["ours"]), peer=statistics.median(seconds[fastest]),
        comparison=f"{middle:.2f}x [{low:.2f}, {high:.2f}]", bar=f"median ratio <= {FLIGHTS_LIMIT}", verdict=ratio_verdict(ratios, FLIGHTS_LIMIT),
        details=seconds,
    )  # fmt: skip
    best = max(FLIGHTS_PEERS, key=lambda peer: auc[peer])
    yield Row(
        name=f"trees/flights AUROC vs {best}", ours=auc["ours"], peer=auc[best], comparison=f"{auc['ours'] - auc[best]:+.4f}",
        bar=f">= -{AUC_MARGIN}", verdict=HOLDS if auc["ours"] >= auc[best] - AUC_MARGIN else FAILS, details=auc,
    )  # fmt: skip


def scores_of(objective, labels, found):
    """The score that judges and the loss that is told beside it, by name."""
    import numpy as np
    from sklearn.metrics import log_loss, r2_score, roc_auc_score

    if objective == "binary":
        return {"AUROC": roc_auc_score(labels, found), "log loss": log_loss(labels, found)}
    if objective == "squared":
        return {"R2": r2_score(labels, found), "RMSE": float(np.sqrt(np.mean((labels - found) ** 2)))}
    found = found.reshape(len(labels), -1)
    found = found / found.sum(axis=1, keepdims=True)  # floats add up to nearly 1
    return {"accuracy": float(np.mean(found.argmax(axis=1) == labels)), "log loss": log_loss(labels, found, labels=range(found.shape[1]))}


def share_verdict(interval, margin):
    """Holds if the interval lies above -margin. Else it fails if ours is surely worse, or if the interval is so narrow that it
    could have held."""
    if interval.low > -margin:
        return HOLDS
    return FAILS if interval.high < 0 or interval.half_width <= margin else UNDECIDED


def cross_validated(name, options, sides, announce):
    """Yields the rows of one table."""
    import numpy as np
    from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold

    work = WORKS[name]
    header, rows = tables.read_csv(tables.find(work.source, options.data_dir))
    target = header.index(work.source.target)
    rows = [row for row in rows if row[target] not in tables.MISSING]
    cells = [row[target] for row in rows]
    classes = sorted(set(cells), key=lambda cell: (cell == work.source.positive, cell))
    labels = [float(cell) for cell in cells] if work.objective == "squared" else [classes.index(cell) for cell in cells]
    write_table(sides.folder / "table.csv", header, rows, [work.source.target], labels)
    labels = np.array(labels)
    splitter = RepeatedKFold if work.objective == "squared" else RepeatedStratifiedKFold
    splits = splitter(n_splits=options.folds, n_repeats=options.repeats, random_state=SPLIT_SEED).split(np.zeros(len(labels)), labels)
    folds = [test for _, test in splits]
    (sides.folder / "folds.txt").write_text("".join(" ".join(map(str, fold)) + "\n" for fold in folds))
    width = len(classes) if work.objective == "multiclass" else 1
    ends = np.cumsum([len(fold) * width for fold in folds])
    for which, common in (("defaults", {}), ("common settings", COMMON)):
        announce(f"trees: {name}, {len(rows)} rows, {options.repeats}x{options.folds} folds, {which}")
        found, seconds = {}, {}
        for side in ["ours", *PEERS]:
            predicted, seconds[side] = sides.predict(side, work.objective, common)
            if len(predicted) != ends[-1]:
                raise ProgramError(f"expected {ends[-1]} predictions of {side}, got {len(predicted)}")
            parts = np.split(predicted, ends[:-1])
            each = [scores_of(work.objective, labels[fold], part) for fold, part in zip(folds, parts)]
            found[side] = {measure: [float(one[measure]) for one in each] for measure in each[0]}
        for at, measure in enumerate(found["ours"]):
            sign = 1 if at == 0 else -1
            best = max(PEERS, key=lambda peer: sign * statistics.fmean(found[peer][measure]))
            ours, theirs = found["ours"][measure], found[best][measure]
            mean = statistics.fmean(theirs)
            interval = nadeau_bengio([a - b for a, b in zip(ours, theirs)], 1 / (options.folds - 1))
            yield Row(
                name=f"trees/{name} {measure}, {which} vs {best}", ours=statistics.fmean(ours), peer=mean,
                comparison=f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]",
                bar=f"low > {-SHARE * mean:+.4f}" if at == 0 else "reported",
                verdict=share_verdict(interval, SHARE * mean) if at == 0 else "-",
                details={"scores": {side: found[side][measure] for side in found}, "seconds": seconds},
            )  # fmt: skip


def compare_tables(parts, options, python, announce):
    """Yields the rows of `flights` and `tables`, whichever is among the parts; a table that is not there is a row that says so."""
    program = options.build_dir / "benchmarks" / "compare_trees_tables"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_trees_tables at {program}, got none; name the build folder with --build-dir")
    names = [name for name in WORKS if name in (options.tables or WORKS)] if "tables" in parts else []
    works = {"flights": lambda sides: flights(options, sides, announce)} if "flights" in parts else {}
    works |= {name: lambda sides, name=name: cross_validated(name, options, sides, announce) for name in names}
    for name, work in works.items():
        with tempfile.TemporaryDirectory(prefix="tern-trees-tables-") as folder:
            try:
                yield from work(Sides(program, python, folder))
            except tables.TableMissing as missing:
                yield Row(name=f"trees/{name}", comparison=str(missing))


if __name__ == "__main__":
    peer_main(*sys.argv[1:])
