"""Ridge regression of changes on observations and actions, with the penalty chosen by cross-validation."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

RIDGES = np.logspace(-1, 5, 13)
LIMIT = 10.0  # of an observation, in standard deviations


class Features:
    """Standardised observation z, action features phi, and products of phi with the leading principal components of z.

    Parameters
    ----------
    X : ndarray (n_samples, n_features)
    phi : ndarray (n_samples, n_action_features)
    n_components : int
    """

    STATE = ("_center", "_scale", "_phi_center", "_phi_scale", "_axes")

    def __init__(self, X, phi, n_components):
        self._center, self._scale = X.mean(axis=0), scale_of(X)
        self._phi_center, self._phi_scale = phi.mean(axis=0), scale_of(phi)
        Z = self._standardised(X)
        variances, axes = np.linalg.eigh(Z.T @ Z / len(Z))
        kept = np.flatnonzero(variances > 1e-9 * variances[-1])[-n_components:]
        self._axes = axes[:, kept] / np.sqrt(variances[kept])

    @property
    def n_components(self):
        return self._axes.shape[1]

    @property
    def n_action_features(self):
        return len(self._phi_center)

    @property
    def n_features(self):
        return len(self._center) + self.n_action_features * (1 + self.n_components)

    def components(self, X):
        """Standardised principal components (n_samples, at most n_components), the leading ones first."""
        return self._limited(self._standardised(X) @ self._axes[:, ::-1])

    def __call__(self, X, phi):
        """Features (n_samples, n_features + n_action_features * (1 + n_components)), and phi standardised."""
        Z = self._standardised(X)
        phi = (phi - self._phi_center) / self._phi_scale
        products = self._limited(Z @ self._axes)[:, :, None] * phi[:, None, :]
        return np.hstack([Z, phi, products.reshape(len(X), -1)]), phi

    def _standardised(self, X):
        return self._limited((X - self._center) / self._scale)

    def _limited(self, values):
        return values


class LimitedFeatures(Features):
    """Features with z and its principal components within +-10.

    A sensor that almost never moves would otherwise, when it does, be believed to tell of great changes; that is for
    regressions whose penalty is not chosen.
    """

    def _limited(self, values):
        return np.clip(values, -LIMIT, LIMIT)


class CrossValidatedRidge:
    """Ridge regressions on all samples and on all but each fold, with the penalty of least left-out error.

    Attributes
    ----------
    ridge : float
    """

    STATE = ("_F_mean", "_Y_mean", "_weights")

    def __init__(self, F, Y, folds, n_folds):
        self._F_mean, self._Y_mean = F.mean(axis=0), Y.mean(axis=0)
        F, Y = F - self._F_mean, Y - self._Y_mean
        grams = [F[folds == fold].T @ F[folds == fold] for fold in range(n_folds)]
        crosses = [F[folds == fold].T @ Y[folds == fold] for fold in range(n_folds)]
        gram, cross = sum(grams), sum(crosses)
        error = np.zeros(len(RIDGES))
        decompositions = []
        for left_gram, left_cross in zip(grams, crosses):
            variances, axes = np.linalg.eigh(gram - left_gram)
            decompositions.append((np.maximum(variances, 0.0), axes, axes.T @ (cross - left_cross)))
            # The left-out error needs only the left-out moments, up to the constant sum of squares of Y.
            for i, ridge in enumerate(RIDGES):
                weights = _solve(decompositions[-1], ridge)
                error[i] += ((left_gram @ weights - 2.0 * left_cross) * weights).sum()
        self.ridge = float(RIDGES[error.argmin()])
        self._fold_weights = [_solve(decomposition, self.ridge) for decomposition in decompositions]
        self._weights = cho_solve(cho_factor(gram + self.ridge * np.eye(len(gram))), cross)

    def predict(self, F, without_fold=None):
        weights = self._weights if without_fold is None else self._fold_weights[without_fold]
        return self._Y_mean + (F - self._F_mean) @ weights


def _solve(decomposition, ridge):
    variances, axes, rotated = decomposition
    return axes @ (rotated / (variances + ridge)[:, None])


def scale_of(X):
    scale = X.std(axis=0)
    return np.where(scale > 0.0, scale, 1.0)
