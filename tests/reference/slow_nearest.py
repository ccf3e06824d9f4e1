"""All distances, one by one, then a sort."""

import numpy as np


def distance(x, w, metric):
    x, w = np.asarray(x, np.float64), np.asarray(w, np.float64)
    if metric == "euclidean":
        return np.sqrt(((x - w) ** 2).sum())
    if metric == "manhattan":
        return np.abs(x - w).sum()
    return 1 - x @ w / np.sqrt((x @ x) * (w @ w))


def all_distances(X, prototypes, metric):
    return np.array([[distance(x, w, metric) for w in prototypes] for x in X])


def unit_length(x):
    return x / np.sqrt(x @ x)
