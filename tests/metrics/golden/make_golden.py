"""Writes metrics.json beside this file: inputs and figures by scikit-learn (made with 1.9.1, NumPy 2.4.6).

python make_golden.py
"""
import json
import pathlib

import numpy as np
from sklearn import calibration, linear_model, metrics

EPSILON = np.finfo(np.float64).eps


def fit(p, y, w):
    """Logistic recalibration by Newton's method in extended precision, compared with scikit-learn."""
    q = np.clip(p, EPSILON, 1 - EPSILON)
    x = (np.log(q) - np.log1p(-q)).astype(np.longdouble)
    design = np.stack([np.ones_like(x), x], 1)

    def loss(theta):
        eta = design @ theta
        return np.sum(w * (np.logaddexp(0, eta) - y * eta))

    theta = np.zeros(2, np.longdouble)
    for _ in range(200):
        mean = 1 / (1 + np.exp(-design @ theta))
        gradient = design.T @ (w * (y - mean))
        (a, b), (_, d) = (design.T * (w * mean * (1 - mean))) @ design
        determinant = a * d - b * b
        step = np.array([d * gradient[0] - b * gradient[1], a * gradient[1] - b * gradient[0]]) / determinant
        while loss(theta + step) > loss(theta) * (1 + 1e-18) and np.abs(step).max() > 1e-15:
            step = step / 2
        theta = theta + step
    assert np.abs(gradient).max() < 1e-14 * w.sum()
    peer = linear_model.LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-12, max_iter=1000)
    peer.fit(x.astype(np.float64)[:, None], y, sample_weight=w)
    assert abs(peer.coef_[0, 0] - theta[1]) < 1e-6 and abs(peer.intercept_[0] - theta[0]) < 1e-6
    return float(theta[1]), float(theta[0])


def calibration_error(p, y, w, edges):
    index = np.searchsorted(edges[1:-1], p)
    total = sum(abs(np.sum((w * (p - y))[index == b])) for b in range(len(edges) - 1))
    return float(total / w.sum())


def binary(name, p, y, w=None, threshold=0.5):
    ones = np.ones(len(p)) if w is None else w
    chosen = p >= threshold
    slope, intercept = fit(p, y, ones)
    false_rate, true_rate, roc_thresholds = metrics.roc_curve(y, p, sample_weight=w, drop_intermediate=False)
    precision, recall, thresholds = metrics.precision_recall_curve(y, p, sample_weight=w)
    quantiles = np.unique(np.percentile(p, np.linspace(0, 100, 6)))
    widths = np.arange(11) / 10
    if w is None:
        rate, mean = calibration.calibration_curve(y, p, n_bins=10, strategy="uniform")
        index = np.searchsorted(widths[1:-1], p)
        assert np.allclose(mean, [p[index == b].mean() for b in np.unique(index)])
        assert np.allclose(rate, [y[index == b].mean() for b in np.unique(index)])
    return {
        "name": name, "p": p.tolist(), "y": y.tolist(), "w": [] if w is None else w.tolist(), "threshold": threshold,
        "accuracy": metrics.accuracy_score(y, chosen, sample_weight=w),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, chosen, sample_weight=w),
        "precision": metrics.precision_score(y, chosen, sample_weight=w),
        "recall": metrics.recall_score(y, chosen, sample_weight=w),
        "f1": metrics.f1_score(y, chosen, sample_weight=w),
        "f2": metrics.fbeta_score(y, chosen, beta=2, sample_weight=w),
        "f_half": metrics.fbeta_score(y, chosen, beta=0.5, sample_weight=w),
        "confusion": metrics.confusion_matrix(y, chosen, sample_weight=w).ravel().tolist(),
        "auroc": metrics.roc_auc_score(y, p, sample_weight=w),
        "average_precision": metrics.average_precision_score(y, p, sample_weight=w),
        "log_loss": metrics.log_loss(y, p, sample_weight=w),
        "brier": metrics.brier_score_loss(y, p, sample_weight=w),
        "slope": slope, "intercept": intercept,
        "ece": calibration_error(p, y, ones, widths),
        "ece_quantile": calibration_error(p, y, ones, quantiles), "quantile_edges": quantiles.tolist(),
        "roc": {"fpr": false_rate.tolist(), "tpr": true_rate.tolist(), "thresholds": roc_thresholds[1:].tolist()},
        "pr": {"precision": precision.tolist(), "recall": recall.tolist(), "thresholds": thresholds.tolist()},
    }


def multiclass(name, p, y, w=None):
    classes = p.shape[1]
    chosen = p.argmax(1)
    result = {
        "name": name, "classes": classes, "p": p.ravel().tolist(), "y": y.tolist(), "w": [] if w is None else w.tolist(),
        "confusion": metrics.confusion_matrix(y, chosen, labels=range(classes), sample_weight=w).ravel().tolist(),
        "accuracy": metrics.accuracy_score(y, chosen, sample_weight=w),
        "balanced_accuracy": float(np.nanmean(metrics.recall_score(
            y, chosen, labels=range(classes), average=None, sample_weight=w, zero_division=np.nan))),
        "log_loss": metrics.log_loss(y, p, labels=range(classes), sample_weight=w),
    }
    for average in ["macro", "micro", "weighted"]:
        options = dict(labels=range(classes), average=average, sample_weight=w, zero_division=np.nan)
        result[average] = {
            "precision": metrics.precision_score(y, chosen, **options),
            "recall": metrics.recall_score(y, chosen, **options),
            "f1": metrics.f1_score(y, chosen, **options),
            "f2": metrics.fbeta_score(y, chosen, beta=2, **options),
        }
    return result


def regression(name, p, y, w=None):
    return {
        "name": name, "p": p.tolist(), "y": y.tolist(), "w": [] if w is None else w.tolist(),
        "mse": metrics.mean_squared_error(y, p, sample_weight=w),
        "rmse": metrics.root_mean_squared_error(y, p, sample_weight=w),
        "mae": metrics.mean_absolute_error(y, p, sample_weight=w),
        "mape": metrics.mean_absolute_percentage_error(y, p, sample_weight=w),
        "r2": metrics.r2_score(y, p, sample_weight=w),
        "pinball": metrics.mean_pinball_loss(y, p, sample_weight=w, alpha=0.9),
        "poisson": metrics.mean_poisson_deviance(np.abs(y), np.abs(p) + 0.5, sample_weight=w),
    }


def main():
    random = np.random.default_rng(7)

    def labelled(n, decimals=None):
        logit = random.normal(-0.8, 1.3, n)
        y = (random.random(n) < 1 / (1 + np.exp(-(0.2 + 0.7 * logit)))).astype(int)
        p = 1 / (1 + np.exp(-logit))
        return (p if decimals is None else np.round(p, decimals)), y

    p, y = labelled(90, 6)
    cases = [binary("distinct", p, y)]
    p, y = labelled(160, 1)
    p[:4], y[:4] = [0, 0, 1, 1], [0, 1, 1, 0]
    cases.append(binary("ties, certain ones among them", p, y, threshold=0.3))
    p, y = labelled(120, 2)
    w = np.round(random.exponential(1.0, 120), 3)
    w[random.random(120) < 0.1] = 0
    cases.append(binary("weights, zeros among them", p, y, w, threshold=0.4))
    p, y = labelled(60, 2)
    cases.append(binary("weights as counts", p, y, random.integers(0, 5, 60).astype(float)))
    p, y = np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])
    cases.append(binary("four rows", p, y))

    def distribution(n, classes):
        score = random.normal(0, 1, (n, classes))
        p = np.round(np.exp(score) / np.exp(score).sum(1, keepdims=True), 4)
        p[:, -1] = 1 - p[:, :-1].sum(1)
        y = np.array([random.choice(classes, p=row / row.sum()) for row in np.clip(p, 0, 1)])
        return np.clip(p, 0, 1), y

    several = []
    p, y = distribution(60, 3)
    several.append(multiclass("three classes", p, y))
    p, y = distribution(50, 4)
    several.append(multiclass("weights", p, y, np.round(random.exponential(1.0, 50), 3)))
    p, y = distribution(30, 5)
    y[y == 4] = 1
    p[:, 2] = 0
    p /= p.sum(1, keepdims=True)
    several.append(multiclass("a class that does not occur, a class never predicted", p, y))

    real = []
    y = np.round(random.normal(3, 2, 150), 4)
    real.append(regression("plain", np.round(y + random.normal(0, 1, 150), 4), y))
    real.append(regression("weights", np.round(y + random.normal(0, 1, 150), 4), y,
                           np.round(random.exponential(1.0, 150), 3)))

    path = pathlib.Path(__file__).with_name("metrics.json")
    path.write_text(json.dumps({"binary": cases, "multiclass": several, "regression": real},
                               separators=(",", ":")).replace('{"name"', '\n{"name"') + "\n")


main()
