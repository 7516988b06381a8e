"""Writes objectives.json beside this file: what the peers' models predict under objectives, weights and constraints that
make_golden.py leaves out (made with LightGBM 4.7.0, scikit-learn 1.9.1 and NumPy 2.4.6).

python make_objectives.py

Each case has Tern's options and the peer's predictions of the rows of training (for a ranking, its scores) where both define
the loss, its derivatives and the leaves' values alike; where they do not, how much it explains. Values of features lie on a
grid, as in make_golden.py; weights are drawn, so that no weighted quantile falls between rows.
"""
import json
import pathlib

import lightgbm
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import d2_tweedie_score

ROWS, COLUMNS, LEAVES, QUERY = 240, 3, 6, 12
random = np.random.default_rng(9)
x = random.integers(0, 30, (ROWS, COLUMNS)).astype(float)
score = x[:, 0] / 10 + np.where(x[:, 1] > 15, 2, -1) * x[:, 2] / 20
noise = random.standard_t(3, size=ROWS)
weight = np.round(random.uniform(0.2, 0.95, ROWS), 4)
targets = {
    "value": np.round(score + noise, 4),
    "binary": (score + noise > np.median(score)).astype(float),
    "amount": np.round(np.exp(score / 3) * random.gamma(10, 0.1, ROWS), 4),
    "grade": np.digitize(score + noise, np.quantile(score, [0.4, 0.7, 0.9])).astype(float),
}
cases = []


def by_lightgbm(y, rounds, start=None, **settings):
    settings = {
        "num_leaves": LEAVES, "learning_rate": 0.2, "min_data_in_leaf": 0, "min_sum_hessian_in_leaf": 1e-3, "min_data_in_bin": 1,
        "verbose": -1, "num_threads": 1, "deterministic": True, "feature_pre_filter": False, **settings,
    }  # fmt: skip
    group = settings.pop("group", None)
    rows = lightgbm.Dataset(x, y, weight=settings.pop("weight", None), group=group, params=settings,
                            init_score=None if start is None else np.full(ROWS, start))  # fmt: skip
    return lightgbm.train(settings, rows, rounds).predict(x) + (start or 0)


def by_sklearn(kind, y, rounds, weight=None, **settings):
    model = kind(max_iter=rounds, max_leaf_nodes=LEAVES, learning_rate=0.2, min_samples_leaf=1, early_stopping=False, **settings)
    model.fit(x, y, sample_weight=weight)
    return model.predict_proba(x)[:, 1] if kind is HistGradientBoostingClassifier else model.predict(x)


def case(name, target, peer, predictions, rounds, weighted=False, explained=None, **options):
    rounded = [float(f"{value:.7g}") for value in predictions]
    cases.append({"name": name, "target": target, "peer": peer, "rounds": rounds, "weighted": weighted,
                  "options": options, "predictions": rounded, "explained": explained})  # fmt: skip


def quantile_of(y, q):
    order = np.argsort(y)
    return y[order][np.searchsorted(np.cumsum(weight[order]), q * weight.sum())]


y = targets["value"]
found = by_sklearn(HistGradientBoostingRegressor, y, 15, weight, loss="absolute_error")
case("absolute", "value", "sklearn", found, 15, True)
# Of a row on the first margin one counts the slope above, the other below, which for other quantiles decides a split.
for q in (0.3, 0.85):
    found = by_sklearn(HistGradientBoostingRegressor, y, 15, weight, loss="quantile", quantile=q)
    case("quantile", "value", "sklearn", found, 15, True, quantile=q)
# Here that row weighs next to nothing, and the quantile is it all the same. (LightGBM's slope is Tern's, but its leaves are
# other quantiles: between rows, or of weights the row below.)
for q in (0.1, 0.25, 0.75, 0.9):
    order = np.argsort(y)
    at, light = round(q * ROWS), weight.copy()
    light[order[at]] = 1e-4
    below, above = order[:at], order[at + 1 :]
    light[below] *= q / (1 - q) * light[above].sum() / light[below].sum()
    light = np.round(light, 7)
    light[order[0]] += q / (1 - q) * light[above].sum() - light[below].sum()
    assert below.size and np.searchsorted(np.cumsum(light[order]), q * light.sum()) == at
    found = by_sklearn(HistGradientBoostingRegressor, y, 15, light, loss="quantile", quantile=q)
    case("quantile", "value", "sklearn", found, 15, True, quantile=q)
    cases[-1]["weight"] = light.tolist()
# LightGBM's begins at the mean, Tern's at the median, which it is told.
found = by_lightgbm(y, 15, quantile_of(y, 0.5), objective="huber", alpha=0.7, weight=weight)
case("huber", "value", "lightgbm", found, 15, True, huber_delta=0.7)
case("squared", "value", "sklearn", by_sklearn(HistGradientBoostingRegressor, y, 15, weight), 15, True)
case("squared", "value", "lightgbm", by_lightgbm(y, 15, objective="regression", weight=weight), 15, True)
found = by_lightgbm(y, 15, objective="regression", monotone_constraints=[1, 0, -1])
case("squared", "value", "lightgbm", found, 15, monotone=[1, 0, -1])
case("binary", "binary", "sklearn", by_sklearn(HistGradientBoostingClassifier, targets["binary"], 15, weight), 15, True)
# Slopes of pairs are rounded, by a table too, and after more rounds a split of the same gain is the other.
found = by_lightgbm(targets["grade"], 6, objective="lambdarank", group=[QUERY] * (ROWS // QUERY))
case("lambdarank", "grade", "lightgbm", found, 6)
# Tern's second derivatives are others: the share of the deviance that is explained.
y = targets["amount"]
for weighted in (False, True):
    found = by_sklearn(HistGradientBoostingRegressor, y, 15, weight if weighted else None, loss="gamma")
    explained = d2_tweedie_score(y, found, sample_weight=weight if weighted else None, power=2)
    case("gamma", "amount", "sklearn", [], 15, weighted, explained)

plain = lambda values: [float(value) for value in np.ravel(values)]
golden = {"columns": COLUMNS, "leaves": LEAVES, "query": QUERY, "x": plain(x), "weight": plain(weight),
          "targets": {name: plain(values) for name, values in targets.items()}, "cases": cases}  # fmt: skip
(pathlib.Path(__file__).parent / "objectives.json").write_text(json.dumps(golden, separators=(",", ":")) + "\n")
