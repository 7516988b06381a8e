"""`quality`: our mlp, as the churn example builds it, against scikit-learn on repeated stratified cross-validation.

Per outer fold every side gets the outer training rows alone and carves its own validation rows from them. Ours is trained
by the example program and scored on the outer test rows by `predict`, the metric averaged over training seeds; scikit-learn's
MLP likewise over the same number of seeds. Peers stand behind median imputation with missing indicators, standardising and one-hot.
"""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils._testing import ignore_warnings

import tables
from program import Churn, ProgramError
from verdicts import AUROC_MARGIN, LOG_LOSS_MARGIN, SMALL_TABLE_FLOOR, Row, nadeau_bengio

JUDGED = ["wa_churn", "credit_data"]
OTHERS = ["PimaIndiansDiabetes2", "stackoverflow", "Sacramento", "letter_h_5_percent"]
UNSEEN = ["attrition", "lending_club", "HouseVotes84", "Ionosphere", "satellite_damp_5_percent"]
SPLIT_SEED = 2026
METRICS = ["auroc", "log_loss"]


class Encoding:
    """The peers' features: numbers imputed by the median, with indicators, and standardised; texts one-hot."""

    def __init__(self, table):
        columns = list(table.columns())
        rows = len(table.rows)
        numbers = [np.array(values, dtype=np.float64) for _, kind, values in columns if kind == "number"]
        texts = [np.array(values, dtype=object) for _, kind, values in columns if kind == "text"]
        self.numbers = np.column_stack(numbers) if numbers else np.empty((rows, 0))
        self.texts = np.column_stack(texts) if texts else np.empty((rows, 0), dtype=object)

    def split(self, train, test):
        """Both parts as float64 matrices, fitted on the training rows."""
        parts = []
        if self.numbers.shape[1]:
            steps = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
            parts.append((steps.fit_transform(self.numbers[train]), steps.transform(self.numbers[test])))
        if self.texts.shape[1]:
            one_hot = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            parts.append((one_hot.fit_transform(self.texts[train]), one_hot.transform(self.texts[test])))
        return np.hstack([part[0] for part in parts]), np.hstack([part[1] for part in parts])


def scores(labels, probabilities):
    return np.array([roc_auc_score(labels, probabilities), log_loss(labels, probabilities)])


@ignore_warnings(category=ConvergenceWarning)
def peer_scores(train_x, train_y, test_x, test_y, seeds):
    logistic = LogisticRegression(C=1, max_iter=2000).fit(train_x, train_y)
    result = {"LogisticRegression": scores(test_y, logistic.predict_proba(test_x)[:, 1])}
    networks = []
    for seed in seeds:
        network = MLPClassifier((64, 32), early_stopping=True, random_state=seed).fit(train_x, train_y)
        networks.append(scores(test_y, network.predict_proba(test_x)[:, 1]))
    result["MLPClassifier"] = np.mean(networks, axis=0)
    return result


def our_scores(churn, table, train, test, seeds, folder):
    table.write(folder / "train.csv", train)
    table.write(folder / "test.csv", test)
    labels = np.array(table.labels)[test]
    found = []
    for seed in seeds:
        churn.train(folder / "train.csv", table.target, table.positive, seed, folder / "model.tern")
        probabilities = churn.predict(folder / "model.tern", folder / "test.csv", folder / "p.csv")
        if len(probabilities) != len(test):
            raise ProgramError(f"expected {len(test)} predictions, got {len(probabilities)}")
        found.append(scores(labels, probabilities))
    return np.mean(found, axis=0)


def cross_validate(table, churn, options):
    """Scores per fold, [folds, metrics], of ours and of each peer."""
    labels = np.array(table.labels)
    encoding = Encoding(table)
    splitter = RepeatedStratifiedKFold(n_splits=options.folds, n_repeats=options.repeats, random_state=SPLIT_SEED)
    seeds = range(1, options.seeds + 1)

    def fold(indices):
        train, test = indices
        with tempfile.TemporaryDirectory(prefix="tern-quality-") as folder:
            found = {"ours": our_scores(churn, table, train, test, seeds, Path(folder))}
        train_x, test_x = encoding.split(train, test)
        found |= peer_scores(train_x, labels[train], test_x, labels[test], seeds)
        return found

    with ThreadPoolExecutor(options.jobs) as pool:
        folds = list(pool.map(fold, splitter.split(np.zeros(len(labels)), labels)))
    return {name: np.array([f[name] for f in folds]) for name in folds[0]}


def rows_of(name, results, folds):
    judged = name in JUDGED
    rules = {"auroc": AUROC_MARGIN if judged else SMALL_TABLE_FLOOR, "log_loss": LOG_LOSS_MARGIN if judged else None}
    for peer in ("LogisticRegression", "MLPClassifier"):
        for at, metric in enumerate(METRICS):
            rule = rules[metric] if judged or peer == "LogisticRegression" else None
            ours, theirs = results["ours"][:, at], results[peer][:, at]
            interval = nadeau_bengio((ours - theirs).tolist(), 1 / (folds - 1))
            yield Row(
                name=f"quality/{name}/{metric} vs {peer}",
                unit=metric,
                ours=float(ours.mean()),
                peer=float(theirs.mean()),
                comparison=f"{interval.mean:+.4f} [{interval.low:+.4f}, {interval.high:+.4f}]",
                bar=rule.bar() if rule else "reported",
                verdict=rule.verdict(interval) if rule else "-",
                details={
                    "mean": interval.mean, "low": interval.low, "high": interval.high, "half_width": interval.half_width,
                    "interval": "Nadeau-Bengio corrected t, 95 %", "ours": ours.tolist(), "peer": theirs.tolist(),
                },
            )  # fmt: skip


def compare(options, announce):
    """Yields the rows of every table asked for; a table whose file is not there is a row that says so."""
    churn = Churn(options.churn, threads=1)
    for name in [name for name in options.tables or JUDGED + OTHERS + UNSEEN if name in tables.SOURCES]:
        try:
            table = tables.load(name, options.data_dir)
        except tables.TableMissing as missing:
            yield Row(name=f"quality/{name}", comparison=str(missing))
            continue
        announce(f"quality: {name}, {len(table.rows)} rows, {options.repeats}x{options.folds} folds, {options.seeds} seeds")
        yield from rows_of(name, cross_validate(table, churn, options), options.folds)
