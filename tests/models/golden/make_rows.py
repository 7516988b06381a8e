#!/usr/bin/env python3
"""Writes rows.json: what scikit-learn 1.9.1 finds in the iris data, with clusters, neighbours and factorisations."""

import json
import warnings
from pathlib import Path

import numpy as np
from sklearn.cluster import DBSCAN, KMeans, MiniBatchKMeans
from sklearn.datasets import load_iris
from sklearn.decomposition import NMF, PCA, IncrementalPCA, TruncatedSVD
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

warnings.simplefilter("ignore")
x, y = load_iris(return_X_y=True)
even, odd = x[::2], x[1::2]
plain = lambda value: np.asarray(value).ravel().tolist()
out = {"x": plain(x), "y": plain(y)}

means = KMeans(3, init=x[[0, 50, 100]], n_init=1).fit(x)
out["k_means"] = {"centers": plain(means.cluster_centers_), "inertia": means.inertia_, "iterations": means.n_iter_,
                  "labels": plain(means.labels_), "distances": plain(means.transform(x[:5]))}  # fmt: skip
weights = 1.0 + np.arange(len(x)) % 3
weighted = KMeans(3, init=x[[0, 50, 100]], n_init=1).fit(x, sample_weight=weights)
out["k_means_weighted"] = {"centers": plain(weighted.cluster_centers_), "inertia": weighted.inertia_}

# Its batches are drawn otherwise, so what it reaches is a bound and no golden.
batches = [MiniBatchKMeans(3, batch_size=30, n_init=3, max_iter=100, random_state=seed).fit(x).inertia_ for seed in range(10)]
out["k_means_batches"] = {"inertia": float(np.median(batches))}

for name, eps, least in (("dbscan", 0.5, 5), ("dbscan_fine", 0.35, 4)):
    out[name] = plain(DBSCAN(eps=eps, min_samples=least).fit(x).labels_)

for kind in ("full", "diag", "spherical"):
    mixture = GaussianMixture(3, covariance_type=kind, tol=1e-9, max_iter=2000, n_init=5, random_state=0).fit(x)
    order = np.argsort(mixture.means_[:, 0])
    out[f"mixture_{kind}"] = {
        "weights": plain(mixture.weights_[order]), "means": plain(mixture.means_[order]),
        "covariances": plain(mixture.covariances_[order]), "likelihood": mixture.lower_bound_,
        "probabilities": plain(mixture.predict_proba(x[:150:10])[:, order]), "scores": plain(mixture.score_samples(x[:150:10])),
    }  # fmt: skip

for votes in ("uniform", "distance"):
    classifier = KNeighborsClassifier(5, weights=votes).fit(even, y[::2])
    regressor = KNeighborsRegressor(5, weights=votes).fit(even[:, :3], even[:, 3])
    out[f"neighbors_{votes}"] = {"classes": plain(classifier.predict(odd)), "probabilities": plain(classifier.predict_proba(odd)),
                                 "values": plain(regressor.predict(odd[:, :3]))}  # fmt: skip

for name, model in {
    "pca": PCA(3), "pca_whiten": PCA(3, whiten=True), "pca_incremental": IncrementalPCA(3, batch_size=40),
}.items():  # fmt: skip
    model.fit(x)
    out[name] = {"components": plain(model.components_), "mean": plain(model.mean_), "variance": plain(model.explained_variance_),
                 "ratio": plain(model.explained_variance_ratio_), "singular": plain(model.singular_values_),
                 "coordinates": plain(model.transform(x[:5]))}  # fmt: skip
svd = TruncatedSVD(3, algorithm="arpack", random_state=0).fit(x)
out["svd"] = {"components": plain(svd.components_), "singular": plain(svd.singular_values_)}
wide = PCA().fit(x[:8].T)
out["pca_wide"] = {"variance": plain(wide.explained_variance_)}

for iterations in (1, 10, 200):
    nmf = NMF(3, init="nndsvda", max_iter=iterations, tol=1e-4, random_state=0)
    nmf.fit(x)
    out[f"nmf_{iterations}"] = {"components": plain(nmf.components_), "error": nmf.reconstruction_err_, "iterations": nmf.n_iter_,
                                "w": plain(nmf.transform(x[:5]))}  # fmt: skip

rounded = lambda value: {k: rounded(v) for k, v in value.items()} if isinstance(value, dict) else (
    [rounded(v) for v in value] if isinstance(value, list) else float(f"{value:.15g}") if isinstance(value, float) else value)
(Path(__file__).parent / "rows.json").write_text(json.dumps(rounded(out), separators=(",", ":")) + "\n")
