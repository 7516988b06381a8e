#!/usr/bin/env python3
"""Writes linear.json: what scikit-learn 1.9.1 learns of a few small tables, for tests/models/golden_test.cpp.

    make_golden.py > linear.json

Each case names a model, the options that tests/models/golden_test.cpp gives ours, the data, and what was learned:
coefficients [outputs, d] and intercepts, predictions or probabilities of the first rows, and a relative tolerance that says
how closely both sides come to the same minimum.
"""

import json
import warnings

import numpy as np
import sklearn.base
from sklearn import linear_model, naive_bayes, svm

warnings.simplefilter("ignore")
ROWS, COLUMNS = 60, 4
random = np.random.default_rng(5)
x = np.round(random.normal(size=(ROWS, COLUMNS)) * [1, 2, 0.5, 1] + [0, 1, -1, 3], 3)
value = np.round(x @ [1.0, -0.5, 2.0, 0.0] + 0.3 * random.normal(size=ROWS) + 1, 3)
two = (value > np.median(value)).astype(int)
three = np.digitize(value, np.quantile(value, [1 / 3, 2 / 3]))
count = random.poisson(np.exp(0.3 * x[:, 0] - 0.2 * x[:, 2])).astype(float)
weight = np.round(random.uniform(0.2, 2, size=ROWS), 2)
words = random.poisson(1.5, size=(ROWS, COLUMNS)).astype(float)
words[np.arange(ROWS), three] += 2
twice = np.column_stack([x, x[:, 0] + x[:, 1]])

data = {"x": x, "words": words, "twice": twice}
targets = {"value": value, "two": two, "three": three, "count": count}
tight = {"tol": 1e-12, "max_iter": 100_000}
cases = []


def case(model, peer, target, options=None, rows="x", weighted=False, tolerance=1e-6, partial=None):
    y = targets[target]
    if partial:  # rows in their order, in parts
        for begin in range(0, ROWS, partial):
            part = slice(begin, begin + partial)
            more = {"classes": np.unique(y)} if hasattr(peer, "predict_proba") or hasattr(peer, "decision_function") else {}
            peer.partial_fit(data[rows][part], y[part], **more)
    else:
        peer.fit(data[rows], y, **({"sample_weight": weight} if weighted else {}))
    made = {"model": model, "options": options or {}, "rows": rows, "target": target, "weighted": weighted, "partial": partial or 0,
            "tolerance": tolerance}  # fmt: skip
    if hasattr(peer, "coef_"):
        made["coefficients"] = np.ravel(peer.coef_).tolist()
        intercepts = np.ravel(np.broadcast_to(peer.intercept_, (np.atleast_2d(peer.coef_).shape[0],)))
        if model == "logistic_regression" and len(intercepts) > 1:  # which matter but for their mean
            intercepts = intercepts - intercepts.mean()
        made["intercepts"] = intercepts.tolist()
    try:
        p = peer.predict_proba(data[rows])
        made["probabilities"] = np.ravel(p[:, 1] if p.shape[1] == 2 else p)[:30].tolist()
    except AttributeError:
        made["predictions"] = peer.predict(data[rows])[:30].astype(float).tolist()
    cases.append(made)


case("linear_regression", linear_model.LinearRegression(), "value", tolerance=1e-10)
case("linear_regression", linear_model.LinearRegression(), "value", rows="twice", weighted=True, tolerance=1e-8)
for alpha, fit_intercept in ((0.1, True), (10, True), (3, False)):
    case("ridge", linear_model.Ridge(alpha=alpha, fit_intercept=fit_intercept), "value", {"alpha": alpha, "fit_intercept": fit_intercept}, weighted=True, tolerance=1e-10)
for alpha in (0.01, 0.3):
    case("lasso", linear_model.Lasso(alpha=alpha, **tight), "value", {"alpha": alpha})
for alpha, ratio, fit_intercept in ((0.2, 0.5, True), (0.05, 0.9, False)):
    case("elastic_net", linear_model.ElasticNet(alpha=alpha, l1_ratio=ratio, fit_intercept=fit_intercept, **tight), "value",
         {"alpha": alpha, "l1_ratio": ratio, "fit_intercept": fit_intercept}, weighted=True)  # fmt: skip
for c, target in ((1.0, "two"), (100.0, "two"), (1.0, "three"), (0.05, "three")):
    case("logistic_regression", linear_model.LogisticRegression(C=c, tol=1e-10, max_iter=10_000), target, {"inverse_penalty": c}, weighted=c != 1)
for ratio, target in ((1.0, "two"), (0.5, "two"), (1.0, "three"), (0.3, "three")):
    case("logistic_regression", linear_model.LogisticRegression(C=0.5, l1_ratio=ratio, solver="saga", tol=1e-12, max_iter=200_000), target,
         {"inverse_penalty": 0.5, "l1_ratio": ratio}, tolerance=1e-5)  # fmt: skip
for loss, target, fit_intercept in (("squared_hinge", "two", True), ("hinge", "two", True), ("squared_hinge", "three", False)):
    peer = svm.LinearSVC(C=0.7, loss=loss, fit_intercept=fit_intercept, dual=True, tol=1e-10, max_iter=1_000_000)
    case("linear_svm", peer, target, {"inverse_penalty": 0.7, "loss": loss, "fit_intercept": fit_intercept}, weighted=True, tolerance=1e-5)
for alpha in (0.0, 0.5):
    case("poisson_regression", linear_model.PoissonRegressor(alpha=alpha, tol=1e-10, max_iter=10_000), "count", {"alpha": alpha}, weighted=True)

for loss, ours, ratio in (("log_loss", "log_loss", 0), ("hinge", "hinge", 0.4)):
    for target in ("two", "three"):
        peer = linear_model.SGDClassifier(loss=loss, alpha=0.01, penalty="elasticnet", l1_ratio=ratio, shuffle=False)
        case("sgd_classifier", peer, target, {"loss": ours, "alpha": 0.01, "l1_ratio": ratio}, partial=20, tolerance=1e-9)
peer = linear_model.SGDClassifier(loss="squared_hinge", alpha=0.01, penalty="elasticnet", l1_ratio=0.4, learning_rate="constant", eta0=0.01, shuffle=False)
for target in ("two", "three"):
    case("sgd_classifier", sklearn.base.clone(peer), target, {"loss": "squared_hinge", "alpha": 0.01, "l1_ratio": 0.4, "schedule": "constant", "learning_rate": 0.01}, partial=20, tolerance=1e-9)
for loss, ours in (("squared_error", "squared"), ("huber", "huber")):
    peer = linear_model.SGDRegressor(loss=loss, alpha=0.01, penalty="elasticnet", l1_ratio=0.5, eta0=0.02, shuffle=False)
    case("sgd_regressor", peer, "value", {"loss": ours, "alpha": 0.01, "l1_ratio": 0.5, "learning_rate": 0.02}, partial=30, tolerance=1e-9)
peer = linear_model.SGDRegressor(alpha=0.001, learning_rate="constant", eta0=0.01, shuffle=False, max_iter=30, tol=None)
case("sgd_regressor", peer, "value", {"alpha": 0.001, "schedule": "constant", "learning_rate": 0.01, "max_iterations": 30, "tolerance": -1}, tolerance=1e-9)
for loss, target in (("log_loss", "two"), ("hinge", "three")):
    peer = linear_model.SGDClassifier(loss=loss, alpha=0.01, shuffle=False, max_iter=30, tol=None)
    case("sgd_classifier", peer, target, {"loss": loss, "alpha": 0.01, "max_iterations": 30, "tolerance": -1}, weighted=True, tolerance=1e-9)

# (its smoothing knows no weights)
case("gaussian_naive_bayes", naive_bayes.GaussianNB(), "three", weighted=True, tolerance=1e-7)
case("gaussian_naive_bayes", naive_bayes.GaussianNB(var_smoothing=0.1), "two", {"smoothing": 0.1}, tolerance=1e-9)
case("multinomial_naive_bayes", naive_bayes.MultinomialNB(alpha=0.3), "three", {"alpha": 0.3}, rows="words", weighted=True, tolerance=1e-9)
case("multinomial_naive_bayes", naive_bayes.MultinomialNB(fit_prior=False), "two", {"fit_prior": False}, rows="words", partial=25, tolerance=1e-9)
case("bernoulli_naive_bayes", naive_bayes.BernoulliNB(binarize=1.0), "three", {"threshold": 1.0}, rows="words", weighted=True, tolerance=1e-9)
case("bernoulli_naive_bayes", naive_bayes.BernoulliNB(), "two", rows="x", partial=30, tolerance=1e-9)

alphas, coefficients, _ = linear_model.lasso_path(x - x.mean(0), value - value.mean(), n_alphas=8, **tight)
path = {"alphas": alphas.tolist(), "coefficients": np.ravel(coefficients.T).tolist()}
numbers = {name: np.ravel(rows).tolist() for name, rows in {**data, **targets, "weight": weight}.items()}
print("{")
print(f' "rows": {ROWS},\n "data": {json.dumps(numbers)},\n "path": {json.dumps(path)},\n "cases": [')
print(",\n".join("  " + json.dumps(made) for made in cases))
print(" ]\n}")
