#!/usr/bin/env python3
"""Writes factors.json: where alternating least squares ends, each half step numpy.linalg.solve of its normal equations.

From several starts, which all end in the same predictions; of implicit values those of implicit 0.7.3 too. For
tests/models/recommend_golden_test.cpp.
"""

import json
from pathlib import Path

import numpy as np
from implicit.als import AlternatingLeastSquares
from scipy.sparse import csr_matrix

USERS, ITEMS, FACTORS = 14, 9, 2
random = np.random.default_rng(4)
tastes = random.normal(size=(USERS, FACTORS)) @ random.normal(size=(FACTORS, ITEMS))
known = random.random((USERS, ITEMS)) < 0.75
ratings = np.where(known, np.clip(np.round(3 + 1.2 * tastes + 0.3 * random.normal(size=known.shape), 1), 0.5, 5), 0)
counts = np.where(random.random(known.shape) < 1 / (1 + np.exp(-2 * tastes)), random.integers(1, 6, known.shape), 0)


def of_ratings(start, penalty, steps=500):
    """mean + biases + p·q; a member's bias and factors have the penalty times its count of ratings, and 1e-9."""
    mean = ratings[known].mean()
    sides = [np.column_stack([start.normal(size=(n, FACTORS)) * 0.1, np.zeros(n)]) for n in (USERS, ITEMS)]
    for step in range(2 * steps):
        mine, others = sides[step % 2], sides[1 - step % 2]
        mask, values = (known, ratings) if step % 2 == 0 else (known.T, ratings.T)
        for m, which in enumerate(mask):
            rows = np.column_stack([others[which, :FACTORS], np.ones(which.sum())])
            gram = rows.T @ rows + (penalty * which.sum() + 1e-9) * np.eye(FACTORS + 1)
            mine[m] = np.linalg.solve(gram, rows.T @ (values[m, which] - mean - others[which, FACTORS]))
    users, items = sides
    return mean + users[:, FACTORS, None] + items[:, FACTORS] + users[:, :FACTORS] @ items[:, :FACTORS].T


def of_counts(start, penalty, alpha, steps=500):
    """Hu, Koren and Volinsky: all pairs, those with a value v weighing 1 + alpha v."""
    sides = [start.normal(size=(n, FACTORS)) * 0.1 for n in (USERS, ITEMS)]
    for step in range(2 * steps):
        mine, others = sides[step % 2], sides[1 - step % 2]
        for m, values in enumerate(counts if step % 2 == 0 else counts.T):
            gram = others.T @ ((1 + alpha * values)[:, None] * others) + penalty * np.eye(FACTORS)
            mine[m] = np.linalg.solve(gram, others.T @ ((1 + alpha * values) * (values > 0)))
    return sides[0] @ sides[1].T


def same_from_all_starts(solve, *options):
    found = [solve(np.random.default_rng(seed), *options) for seed in range(4)]
    assert all(np.abs(each - found[0]).max() < 1e-8 for each in found), [np.abs(each - found[0]).max() for each in found]
    return found[0]


RATED, COUNTED = {"regularization": 0.1}, {"regularization": 0.8, "alpha": 1.5}
explicit = same_from_all_starts(of_ratings, RATED["regularization"])
implicit = same_from_all_starts(of_counts, COUNTED["regularization"], COUNTED["alpha"])
peer = AlternatingLeastSquares(FACTORS, COUNTED["regularization"], alpha=1, dtype=np.float64, use_cg=False, iterations=500, random_state=1)
peer.fit(csr_matrix(np.where(counts > 0, 1 + COUNTED["alpha"] * counts, 0)), show_progress=False)
assert np.abs(peer.user_factors @ peer.item_factors.T - implicit).max() < 1e-8
plain = lambda values: [float(f"{value:.9g}") for value in np.ravel(values)]
out = {"users": USERS, "items": ITEMS, "factors": FACTORS, "ratings": plain(ratings), "counts": plain(counts), "rated": RATED,
       "counted": COUNTED, "explicit": plain(explicit), "implicit": plain(implicit)}  # fmt: skip
(Path(__file__).parent / "factors.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
