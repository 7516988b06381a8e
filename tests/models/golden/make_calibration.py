#!/usr/bin/env python3
"""Writes calibration.json: probabilities that scikit-learn 1.9.1 calibrates, and estimators that it makes of others.

The rows that a model is calibrated on are told, so that both sides see the same; a stack's folds have a row each, which
leaves nothing to chance.
"""

import json
import warnings
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.ensemble import StackingClassifier, StackingRegressor, VotingClassifier, VotingRegressor
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import KFold, LeaveOneOut, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

warnings.simplefilter("ignore")
x, y = load_iris(return_X_y=True)
x = x[:, :2]  # of which two of the classes are hard to tell apart
two, hard = y[50:] - 1, x[50:]
weight = 0.5 + np.arange(len(x)) % 4
plain = lambda value: np.asarray(value, float).ravel().tolist()
fold = np.arange(len(hard)) % 4
train, calibrate, test = hard[fold < 2], hard[fold == 2], hard[fold == 3]
labels, weights = two[fold == 2], weight[50:][fold == 2]
cases = []


def case(method, model, classes, rows, asked, labels, weights, exact=None):
    """What CalibratedClassifierCV makes of a fitted model; of two classes the probability of the second."""
    peer = CalibratedClassifierCV(FrozenEstimator(model), method={"platt": "sigmoid"}.get(method, method))
    peer.fit(rows, labels, sample_weight=weights)
    told = lambda p: plain(p[:, 1] if classes == 2 else p)
    found = peer.predict_proba(asked)
    if exact is not None:  # what it minimises, to the end
        assert np.abs(found[:, 1] - exact).max() < 1e-4, np.abs(found[:, 1] - exact).max()
        found = np.column_stack([1 - exact, exact])
    cases.append({"method": method, "classes": classes, "probabilities": told(model.predict_proba(rows)), "labels": plain(labels),
                  "weights": plain(weights) if weights is not None else [], "asked": told(model.predict_proba(asked)),
                  "calibrated": told(found)})  # fmt: skip


def platt(scores, labels, weights, asked):
    """Platt's sigmoid of scores, to rounding: scikit-learn stops at 1e-5 or so."""
    high, low = (weights @ labels + 1) / (weights @ labels + 2), 1 / (weights @ (1 - labels) + 2)
    targets = np.where(labels == 1, high, low)

    def loss(ab):
        z = ab[0] * scores + ab[1]
        p = 1 / (1 + np.exp(-z))
        return weights @ (np.logaddexp(0, z) - targets * z), np.array([weights @ ((p - targets) * scores), weights @ (p - targets)])

    def curvature(ab):
        p = 1 / (1 + np.exp(-(ab[0] * scores + ab[1])))
        h = weights * p * (1 - p)
        return np.array([[h @ scores**2, h @ scores], [h @ scores, h.sum()]])

    a, b = minimize(loss, [1, 0], jac=True, hess=curvature, method="trust-exact", options={"gtol": 1e-11}).x
    return 1 / (1 + np.exp(-(a * asked + b)))


logistic = LogisticRegression(tol=1e-10, max_iter=10_000).fit(train, two[fold < 2])
bayes = GaussianNB().fit(train, two[fold < 2])
of = logistic.decision_function
for told in (None, weights):
    exact = platt(of(calibrate), labels, np.ones(len(labels)) if told is None else told, of(test))
    case("platt", logistic, 2, calibrate, test, labels, told, exact)
    case("isotonic", bayes, 2, calibrate, test, labels, told)
    case("temperature", logistic, 2, calibrate, test, labels, told)
fold = np.arange(len(x)) % 3
bayes = GaussianNB().fit(x[fold == 0], y[fold == 0])
case("isotonic", bayes, 3, x[fold == 1], x[fold == 2], y[fold == 1], None)
logistic = LogisticRegression(C=100, tol=1e-10, max_iter=10_000).fit(x[fold == 0], y[fold == 0])
case("temperature", logistic, 3, x[fold == 1], x[fold == 2], y[fold == 1], weight[fold == 1])

# Of probabilities that repeat, asked between them and beyond: lines are drawn between blocks.
share, of_share = np.round(1 / (1 + np.exp(-2 * (x[:, 0] - 6))), 1), (y > 0).astype(int)
beyond = np.linspace(0, 1, 41)
for told in (None, weight):
    line = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(share, of_share, sample_weight=told)
    cases.append({"method": "isotonic", "classes": 2, "probabilities": plain(share), "labels": plain(of_share),
                  "weights": plain(told) if told is not None else [], "asked": plain(beyond),
                  "calibrated": plain(line.predict(beyond))})  # fmt: skip

members = lambda *models: [(str(i), model) for i, model in enumerate(models)]
rows, length = load_iris().data[::4, :3], load_iris().data[::4, 3]
parts = weight[: len(rows)]
votes = VotingClassifier(members(LogisticRegression(tol=1e-10, max_iter=10_000), GaussianNB()), voting="soft", weights=[3, 1])
# Whole votes on the two columns that classes overlap in: of two members that differ the first class is taken.
heads = lambda: members(LogisticRegression(tol=1e-10, max_iter=10_000), GaussianNB(), LinearSVC(tol=1e-8, max_iter=1_000_000))
hard_two = VotingClassifier(heads()[:2]).fit(x, y)
hard_three = VotingClassifier(heads(), weights=[2, 1, 1.5]).fit(x, y)
assert (np.ptp([m.predict(x) for m in hard_three.estimators_], axis=0) > 0).sum() > 10
means = VotingRegressor(members(LinearRegression(), Ridge(10)))
stack = StackingRegressor(members(LinearRegression(), Ridge(10)), Ridge(0.5), cv=KFold(len(rows)))
# Cross-fitted: what leaving each row out predicts calibrates, the model is fitted on all.
few, of_few = hard[::3], two[::3]
svm = LinearSVC(tol=1e-10, max_iter=1_000_000)
crossed = lambda model, method, x, y: CalibratedClassifierCV(model, method=method, cv=list(KFold(len(y)).split(x)), ensemble=False).fit(x, y).predict_proba(x)
margins = cross_val_predict(svm, few, of_few, cv=LeaveOneOut(), method="decision_function")
exact = platt(margins, of_few, np.ones(len(few)), svm.fit(few, of_few).decision_function(few))
assert np.abs(crossed(svm, "sigmoid", few, of_few)[:, 1] - exact).max() < 1e-4
# A stack of two classes is given the probabilities of the second; ours of three are not given those of the first.
pair = lambda: (LogisticRegression(tol=1e-10, max_iter=10_000), GaussianNB())
last = LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000)
stack_two = StackingClassifier(members(*pair()), last, cv=LeaveOneOut()).fit(few, of_few).predict_proba(few)[:, 1]
inputs = [cross_val_predict(model, rows, y[::4], cv=LeaveOneOut(), method="predict_proba")[:, 1:] for model in pair()]
asked = [model.fit(rows, y[::4]).predict_proba(rows)[:, 1:] for model in pair()]
stack_three = last.fit(np.hstack(inputs), y[::4]).predict_proba(np.hstack(asked))
out = {
    "few": plain(few), "few_class": plain(of_few), "crossed_platt": plain(exact), "crossed_isotonic": plain(crossed(GaussianNB(), "isotonic", rows, y[::4])),
    "stack_two": plain(stack_two), "stack_three": plain(stack_three),
    "calibrated": cases, "x": plain(rows), "width": 3, "value": plain(length), "class": plain(y[::4]), "weight": plain(parts),
    "voting_classes": plain(votes.fit(rows, y[::4]).predict_proba(rows)),
    "overlapping": plain(x), "overlapping_class": plain(y), "hard_two": plain(hard_two.predict(x)), "hard_three": plain(hard_three.predict(x)),
    "voting_values": plain(means.fit(rows, length, sample_weight=parts).predict(rows)),
    "stacking": plain(stack.fit(rows, length).predict(rows)),
}  # fmt: skip
rounded = lambda value: {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else (
    [rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.15g}") if isinstance(value, float) else value)
(Path(__file__).parent / "calibration.json").write_text(json.dumps(rounded(out), separators=(",", ":")) + "\n")
