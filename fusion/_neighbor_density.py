"""Density from the distance to the k-th neighbour; it keeps every sample, which is what maps spare."""

import numpy as np
from scipy.special import gammaln
from sklearn.base import BaseEstimator
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted, validate_data

from topology._validation import check_integer

FLOATS = [np.float64, np.float32]


class NeighborDensity(BaseEstimator):
    """k-nearest-neighbour density, the usual baseline: ``DensityReliability(NeighborDensity(), score="log_density")``.

    p(x) = k / (n V_D r_k(x)**D), with r_k the distance to the k-th of n stored samples and V_D the volume of the unit
    ball. As its integral diverges it ranks samples, but is no proper density.

    Parameters
    ----------
    n_neighbors : int, default=10

    Attributes
    ----------
    neighbors_ : sklearn.neighbors.NearestNeighbors
    n_features_in_ : int

    References
    ----------
    Loftsgaarden & Quesenberry (1965), The Annals of Mathematical Statistics 36:1049.
    """

    def __init__(self, n_neighbors=10):
        self.n_neighbors = n_neighbors

    def fit(self, X, y=None):
        """Store X, array-like of shape (n_samples, n_features) with at least `n_neighbors` samples."""
        n_neighbors = check_integer("n_neighbors", self.n_neighbors, 1)
        X = validate_data(self, X, dtype=FLOATS)
        if len(X) < n_neighbors:
            raise ValueError(f"X must hold at least n_neighbors={n_neighbors} samples; got {len(X)}")
        self.neighbors_ = NearestNeighbors(n_neighbors=n_neighbors).fit(X)
        return self

    def score_samples(self, X):
        """Log density of each sample, shape (n_samples,); bounded where a sample meets k stored ones."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=FLOATS, reset=False)
        distances = np.maximum(self.neighbors_.kneighbors(X)[0][:, -1], np.finfo(X.dtype).tiny)
        d = self.n_features_in_
        log_ball = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
        return np.log(self.n_neighbors / self.neighbors_.n_samples_fit_) - log_ball - d * np.log(distances)
