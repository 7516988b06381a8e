"""Writes categories.json beside this file: what the peers' models predict where columns are categories (made with LightGBM
4.7.0, XGBoost 3.2.0 and NumPy 2.4.6).

python make_categories.py

Where the rules are one: levels in order of their gradients over hessians, without smoothing and a penalty of their own, or one
level from the others; both peers. LightGBM's leaves beside a split by sets have `cat_l2` in their values, Tern's have it in the
choice alone, so of one tree with it, and of one split with smoothing too (which draws to 0 there, to the node's mean here, the
same at the root), the rows that share a leaf are compared. With it LightGBM's trees are smaller, too: where no split by a
feature gains anything at a node, it does not try the feature below.
"""
import json
import pathlib

import lightgbm
import numpy as np
import xgboost

ROWS, ROUNDS, LEAVES, LEVELS = 300, 12, 6, (12, 6)
random = np.random.default_rng(21)
x = np.column_stack([random.integers(0, n, ROWS) for n in LEVELS] + [random.integers(0, 30, ROWS)]).astype(float)
city, kind = random.normal(size=LEVELS[0]), random.normal(size=LEVELS[1])
score = city[x[:, 0].astype(int)] + kind[x[:, 1].astype(int)] * np.where(x[:, 2] > 15, 1, 0.3) + x[:, 2] / 20
noisy = score + 0.5 * random.normal(size=ROWS)
targets = {"squared": np.round(noisy, 3), "binary": (noisy > np.median(noisy)).astype(float)}
cases = []


def by_lightgbm(objective, rounds=ROUNDS, leaves=LEAVES, rows_of_leaves=False, **settings):
    settings = {
        "objective": {"squared": "regression"}.get(objective, objective), "num_leaves": leaves, "learning_rate": 0.2,
        "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 1e-3, "min_data_in_bin": 1, "min_data_per_group": 1, "verbose": -1,
        "num_threads": 1, "deterministic": True, "feature_pre_filter": False, **settings,
    }  # fmt: skip
    rows = lightgbm.Dataset(x, targets[objective], params=settings, categorical_feature=[0, 1])
    model = lightgbm.train(settings, rows, rounds)
    return model.predict(x, pred_leaf=True)[:, 0].astype(float) if rows_of_leaves else model.predict(x)


def by_xgboost(objective, onehot):
    settings = {
        "objective": {"squared": "reg:squarederror", "binary": "binary:logistic"}[objective], "max_leaves": LEAVES, "max_depth": 0,
        "grow_policy": "lossguide", "eta": 0.2, "min_child_weight": 1e-3, "reg_lambda": 0, "tree_method": "hist", "max_bin": 256,
        "max_cat_to_onehot": onehot, "nthread": 1, "base_score": float(targets[objective].mean()),
    }  # fmt: skip
    told = {"feature_types": ["c", "c", "q"], "enable_categorical": True}
    rows = xgboost.QuantileDMatrix(x, targets[objective], max_bin=256, **told)
    return xgboost.train(settings, rows, ROUNDS).predict(xgboost.DMatrix(x, **told))


def case(peer, objective, found, rounds=ROUNDS, leaves=LEAVES, one=0, smoothing=0, l2=0, of="predictions"):
    cases.append({"peer": peer, "objective": objective, "rounds": rounds, "leaves": leaves, "one_against_rest": one,
                  "smoothing": smoothing, "l2": l2, of: [float(f"{value:.7g}") for value in found]})  # fmt: skip


free = {"cat_smooth": 1e-9, "cat_l2": 0}  # at 0 it divides 0 by 0 for levels that a node has none of
for objective in targets:
    case("lightgbm", objective, by_lightgbm(objective, max_cat_to_onehot=1, **free))
    case("xgboost", objective, by_xgboost(objective, 1))
    # A bin more than levels: LightGBM's for what is missing.
    case("lightgbm", objective, by_lightgbm(objective, max_cat_to_onehot=LEVELS[0] + 1, **free), one=LEVELS[0])
    case("xgboost", objective, by_xgboost(objective, LEVELS[0] + 1), one=LEVELS[0])
    found = by_lightgbm(objective, 1, 4, True, max_cat_to_onehot=1, cat_smooth=1e-9, cat_l2=10)
    case("lightgbm", objective, found, 1, 4, l2=10, of="rows_of_leaves")
    found = by_lightgbm(objective, 1, 2, True, max_cat_to_onehot=1, cat_smooth=10, cat_l2=10)
    case("lightgbm", objective, found, 1, 2, smoothing=10, l2=10, of="rows_of_leaves")

plain = lambda values: [float(value) for value in np.ravel(values)]
golden = {"columns": 3, "categorical": [0, 1], "x": plain(x), "targets": {name: plain(y) for name, y in targets.items()}, "cases": cases}
(pathlib.Path(__file__).parent / "categories.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
