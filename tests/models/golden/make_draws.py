#!/usr/bin/env python3
"""Writes draws.json: what learns by draws of its own, step by step in NumPy, at Tern's draws (Philox4x32-10 by index).

Bayesian personalised ranking as Rendle et al. (2009) state it, in double, and mini-batches of k-means as Sculley (2010) does;
no library draws in this order. For tests/models/recommend_golden_test.cpp and rows_test.cpp.
"""

import json
from pathlib import Path

import numpy as np

MASK = 0xFFFFFFFF


class Philox:
    def __init__(self, seed, stream=0):
        self.seed, self.stream = seed, stream

    def block(self, counter):
        c = [counter & MASK, counter >> 32, self.stream & MASK, self.stream >> 32]
        k = [self.seed & MASK, self.seed >> 32]
        for _ in range(10):
            p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
            c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
            k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
        return c

    def bits64(self, index):
        words, at = self.block(index >> 1), index % 2 * 2
        return words[at] | words[at + 1] << 32

    def below(self, index, bound):
        return self.bits64(index) * bound >> 64

    def uniform(self, index):
        return (self.bits64(index) >> 11) / 2**53

    def uniform_float(self, index):
        return (self.block(index >> 2)[index % 4] >> 8) / 2**24


assert Philox(0).block(0) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]  # the authors' known answer


def bpr(pairs, users, items, factors, rate, penalty, epochs, seed):
    """Scores [users, items]: x·y + bias. Items that the user has are drawn again, 16 times at most; pairs by user."""
    start = lambda n, stream: np.array([0.2 * (Philox(seed, stream).uniform_float(i) - 0.5) for i in range(n)])
    x = start(users * factors, 1).reshape(users, factors)
    y = start(items * (factors + 1), 2).reshape(items, factors + 1)[:, :factors].copy()
    bias, random, draw = np.zeros(items), Philox(seed, 3), 0
    has = {user: {item for u, item in pairs if u == user} for user in range(users)}
    skipped = 0
    for _ in range(epochs * len(pairs)):
        u, i = pairs[random.below(draw, len(pairs))]
        draw += 1
        for _ in range(16):
            j = random.below(draw, items)
            draw += 1
            if j not in has[u]:
                break
        else:
            skipped += 1
            continue
        slope = 1 / (1 + np.exp(bias[i] - bias[j] + x[u] @ y[i] - x[u] @ y[j]))  # of -log sigmoid
        moves = slope * (y[i] - y[j]), slope * x[u], -slope * x[u], slope, -slope
        x[u] += rate * (moves[0] - penalty * x[u])
        y[i] += rate * (moves[1] - penalty * y[i])
        y[j] += rate * (moves[2] - penalty * y[j])
        bias[i] += rate * (moves[3] - penalty * bias[i])
        bias[j] += rate * (moves[4] - penalty * bias[j])
    assert skipped > 0
    return x @ y.T + bias


def mini_batches(x, centers, size, passes, weights=None, seed=0):
    """Each row of a batch moves its center by 1 / (rows that the center has seen); by weight, where there are any."""
    random, draw, n = Philox(seed, 1 << 32), 0, len(x)
    centers, seen = centers.copy(), np.zeros(len(centers))
    total = None if weights is None else np.cumsum(weights)
    smooth, best, waited, share, each = None, np.inf, 0, min(1, 2 * size / (n + 1)), -(-n // size)
    for step in range(passes * each):
        if weights is None:
            batch = [random.below(draw + i, n) for i in range(size)]
        else:
            batch = [min(n - 1, int(np.searchsorted(total, random.uniform(draw + i) * total[-1], side="right"))) for i in range(size)]
        draw += size
        squares = ((x[batch][:, None] - centers) ** 2).sum(2)
        for row, k in zip(batch, squares.argmin(1)):
            seen[k] += 1
            centers[k] += (x[row] - centers[k]) / seen[k]
        mean = squares.min(1).mean()
        smooth = mean if step == 0 else smooth + share * (mean - smooth)
        waited = 0 if smooth < best else waited + 1
        best = min(best, smooth)
        if waited == 10:
            break
    squares = ((x[:, None] - centers) ** 2).sum(2).min(1)
    return {"centers": plain(centers), "iterations": step // each + 1, "inertia": float(squares @ (np.ones(n) if weights is None else weights))}


plain = lambda values: [float(f"{value:.9g}") for value in np.ravel(values)]
here = Path(__file__).parent
USERS, ITEMS = 6, 8
pairs = [(u, i) for u in range(USERS) for i in range(ITEMS) if u == 3 or (u * 5 + i * 3) % 7 < 3]  # one user has every item
ranked = {"factors": 3, "learning_rate": 0.1, "regularization": 0.02, "epochs": 12, "seed": 5}
scores = bpr(pairs, USERS, ITEMS, *ranked.values())
iris = np.array(json.loads((here / "rows.json").read_text())["x"]).reshape(150, 4)
begin, weights = iris[[0, 50, 100]], 1.0 + np.arange(150) % 3
batches = {"batch_rows": 32, "max_iterations": 2, "seed": 7}
out = {"users": USERS, "items": ITEMS, "pairs": [int(p) for pair in pairs for p in pair], "bpr": {**ranked, "scores": plain(scores)},
       "mini_batches": {**batches, "plain": mini_batches(iris, begin, 32, 2, seed=7), "weighted": mini_batches(iris, begin, 32, 2, weights, 7),
                        "ended": mini_batches(iris, begin, 32, 100, seed=7)}}  # fmt: skip
assert out["mini_batches"]["ended"]["iterations"] < 100
(here / "draws.json").write_text(json.dumps(out, separators=(",", ":")) + "\n")
