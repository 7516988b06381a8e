"""Writes peers.json beside this file: rows, and what the peers' models predict of them after training on them (made with
LightGBM 4.7.0, XGBoost 3.2.0, scikit-learn 1.9.1 and NumPy 2.4.6).

python make_golden.py

Values lie on a grid, so that each has a bin of its own and every trainer has the same splits to choose from.
"""
import json
import pathlib

import lightgbm
import numpy as np
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

ROWS, COLUMNS, ROUNDS, LEAVES = 300, 4, 15, 6
random = np.random.default_rng(5)
x = random.integers(0, 40, (ROWS, COLUMNS)).astype(float)
x[random.random(x.shape) < 0.08] = np.nan
filled = np.nan_to_num(x, nan=55)
score = filled[:, 0] / 10 + np.where(filled[:, 1] > 20, 2, -1) * filled[:, 2] / 20
noise = random.normal(size=ROWS)
targets = {
    "squared": np.round(score + noise, 3),
    "binary": (score + noise > np.median(score)).astype(float),
    "multiclass": np.digitize(score + noise, np.quantile(score, [0.3, 0.7])).astype(float),
    "poisson": random.poisson(np.exp(score / 4)).astype(float),
    "tweedie": np.round(np.maximum(0, score + noise), 3),
}


def by_lightgbm(objective, y):
    names = {"squared": "regression"}
    settings = {
        "objective": names.get(objective, objective), "num_leaves": LEAVES, "learning_rate": 0.2, "min_data_in_leaf": 1,
        "min_sum_hessian_in_leaf": 2, "lambda_l2": 1, "min_data_in_bin": 1, "verbose": -1, "num_threads": 1,
        "deterministic": True, "feature_pre_filter": False,
    }  # fmt: skip
    if objective == "multiclass":
        settings["num_class"] = 3
    return lightgbm.train(settings, lightgbm.Dataset(x, y, params=settings), ROUNDS).predict(x)


def by_xgboost(objective, y):
    names = {"squared": "reg:squarederror", "binary": "binary:logistic"}
    settings = {
        "objective": names[objective], "max_leaves": LEAVES, "max_depth": 0, "grow_policy": "lossguide", "eta": 0.2,
        "min_child_weight": 2, "reg_lambda": 1, "tree_method": "hist", "max_bin": 256, "nthread": 1, "base_score": float(y.mean()),
    }  # fmt: skip
    return xgboost.train(settings, xgboost.QuantileDMatrix(x, y, max_bin=256), ROUNDS).predict(xgboost.DMatrix(x))


def by_sklearn(objective, y):
    kind = HistGradientBoostingClassifier if objective == "binary" else HistGradientBoostingRegressor
    model = kind(
        max_iter=ROUNDS, max_leaf_nodes=LEAVES, learning_rate=0.2, min_samples_leaf=10, l2_regularization=1, early_stopping=False
    ).fit(x, y)  # fmt: skip
    return model.predict_proba(x)[:, 1] if objective == "binary" else model.predict(x)


rounded = lambda values: [None if np.isnan(v) else round(float(v), 6) for v in np.ravel(values)]
golden = {"rounds": ROUNDS, "leaves": LEAVES, "columns": COLUMNS, "x": rounded(x), "targets": {}, "predictions": {}}
for objective, y in targets.items():
    golden["targets"][objective] = rounded(y)
    found = {"lightgbm": by_lightgbm(objective, y)}
    if objective in ("squared", "binary"):
        found |= {"xgboost": by_xgboost(objective, y), "sklearn": by_sklearn(objective, y)}
    golden["predictions"][objective] = {peer: rounded(values) for peer, values in found.items()}
(pathlib.Path(__file__).parent / "peers.json").write_text(json.dumps(golden) + "\n")
