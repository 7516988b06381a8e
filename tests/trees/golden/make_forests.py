"""Writes forests.json beside this file: rows, targets and how well scikit-learn's forests do on them, a mean over SEEDS seeds
(made with scikit-learn 1.9.1 and NumPy 2.4.6).

python make_forests.py
"""
import json
import pathlib

import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, IsolationForest, RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import roc_auc_score

ROWS, TRAIN, COLUMNS, OUTLIERS, SEEDS = 900, 500, 5, 30, 20
random = np.random.default_rng(3)
x = np.round(random.normal(size=(ROWS, COLUMNS)), 3)
score = x[:, 0] * x[:, 1] + np.sin(2 * x[:, 2]) + 0.3 * x[:, 3]
value = np.round(score + 0.3 * random.normal(size=ROWS), 3)
label = np.digitize(value, np.quantile(value, [0.3, 0.6]))
cloud = np.round(np.concatenate([random.normal(size=(ROWS - OUTLIERS, 3)), random.uniform(-4.5, 4.5, (OUTLIERS, 3))]), 3)


def of(kind, y, **settings):
    """Score on the rows behind the first TRAIN, and out of bag."""
    found = []
    for seed in range(SEEDS):
        model = kind(n_estimators=100, random_state=seed, bootstrap=True, oob_score=True, n_jobs=2, **settings).fit(x[:TRAIN], y[:TRAIN])
        found.append([model.score(x[TRAIN:], y[TRAIN:]), model.oob_score_])
    return np.mean(found, axis=0).round(4).tolist()


def isolation():
    outlier = np.arange(ROWS) >= ROWS - OUTLIERS
    found = [roc_auc_score(outlier, -IsolationForest(random_state=seed).fit(cloud).score_samples(cloud)) for seed in range(SEEDS)]
    return round(float(np.mean(found)), 4)


scores = {
    "gini": of(RandomForestClassifier, label),
    "entropy": of(RandomForestClassifier, label, criterion="entropy"),
    "squared": of(RandomForestRegressor, value),
    "extra gini": of(ExtraTreesClassifier, label),
    "extra squared": of(ExtraTreesRegressor, value),
}
golden = {
    "train": TRAIN, "columns": COLUMNS, "x": x.ravel().tolist(), "value": value.tolist(), "label": label.tolist(), "scores": scores,
    "cloud": cloud.ravel().tolist(), "outliers": OUTLIERS, "isolation": isolation(),
}  # fmt: skip
path = pathlib.Path(__file__).with_name("forests.json")
path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
