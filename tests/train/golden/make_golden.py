"""Writes logistic.txt: data and scikit-learn's LogisticRegression solution, for logistic_test.cpp.

Run: python3 make_golden.py (needs numpy and scikit-learn); the file is committed.
"""
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

random = np.random.default_rng(5)
rows, width = 60, 4
x = random.normal(size=(rows, width)).astype(np.float32)
x[:, 3] = x[:, 0] + 0.01 * x[:, 3]  # two columns that say nearly the same
y = (x @ np.array([1.5, -1.0, 0.3, 0.5]) + random.logistic(size=rows) > 0.4).astype(int)
weights = random.integers(1, 4, size=rows).astype(float)
lines = [f"{rows} {width}"]
for i in range(rows):
    lines.append(" ".join(repr(float(v)) for v in x[i]) + f" {y[i]} {weights[i]}")
for c, use_weights in [(1.0, False), (0.1, True), (100.0, False)]:
    model = LogisticRegression(C=c, tol=1e-12, max_iter=100000, solver="newton-cholesky")
    model.fit(x.astype(float), y, sample_weight=weights if use_weights else None)
    lines.append(f"{c} {int(use_weights)} " + " ".join(repr(float(v)) for v in [*model.coef_[0], model.intercept_[0]]))
pathlib.Path(__file__).with_name("logistic.txt").write_text("\n".join(lines) + "\n")
