"""Do two samples of different senses come from one object? What a learned association says; high = yes."""

import numpy as np

from fusion._hebbian_association import HebbianAssociation
from fusion._typicality import standardisation

LARGEST_CORRELATION = 0.99


class CanonicalScore:
    """log p(a, b) / (p(a) p(b)) of two senses that are jointly Gaussian, along their canonical directions.

    Hotelling (1936), Biometrika 28:321. Each covariance is drawn towards a round one by `shrinkage`, so that there may
    be fewer samples than features.
    """

    def __init__(self, shrinkage):
        self._shrinkage = shrinkage

    def fit(self, A, B, seed):
        self._scalings = [standardisation(X, "feature") for X in (A, B)]
        A, B = _standardise((A, B), self._scalings)
        whiten_a, whiten_b = self._whitener(A), self._whitener(B)
        left, correlation, right = np.linalg.svd(whiten_a @ (A.T @ B / len(A)) @ whiten_b, full_matrices=False)
        self._directions = whiten_a @ left, whiten_b @ right.T
        self._correlation = np.minimum(correlation, LARGEST_CORRELATION)
        return self

    def score(self, A, B):
        a, b = (X @ d for X, d in zip(_standardise((A, B), self._scalings), self._directions))
        r, rest = self._correlation, 1 - self._correlation**2
        return (r * a * b / rest - r**2 * (a**2 + b**2) / (2 * rest) - np.log(rest) / 2).sum(axis=1)

    def _whitener(self, X):
        covariance = X.T @ X / len(X)
        round_part = np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        variance, basis = np.linalg.eigh((1 - self._shrinkage) * covariance + self._shrinkage * round_part)
        return basis / np.sqrt(variance) @ basis.T


class HebbianScore:
    """log of how much more than usual the unit of one map is expected, given the sample of the other sense."""

    def fit(self, A, B, seed):
        self._scalings = [standardisation(X, "feature") for X in (A, B)]
        self._association = HebbianAssociation(random_state=seed).fit(*_standardise((A, B), self._scalings))
        active = self._association.association_.sum(axis=0)
        self._usual = np.maximum(active / active.sum(), np.finfo(float).tiny)
        return self

    def score(self, A, B):
        A, B = _standardise((A, B), self._scalings)
        expected = self._association.expect(A, source="a", kind="units") / self._usual
        lift = (expected * self._association._locate(B, "b")).sum(axis=1)
        return np.log(np.maximum(lift, np.finfo(float).tiny))


def _standardise(samples, scalings):
    return tuple((X - center) / scale for X, (center, scale) in zip(samples, scalings))
