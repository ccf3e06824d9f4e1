"""What actions change, learned from all steps at once by cross-validated ridge regressions."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from smc._cells import apply_linear_maps, fit_linear_maps
from smc._noise import CellNoise
from smc._ridge import CrossValidatedRidge

LOCAL_RIDGES = (1.0, 10.0, 100.0, 1000.0, np.inf)


class BatchRules:
    """A ridge regression of the change that all cells share, and in each cell one, on [1, phi], of what it misses.

    Parameters
    ----------
    cells : Cells
    features : Features
        Of the shared regression.
    X, phi, change : ndarray (n_samples, ...)
    folds : ndarray (n_samples,) of int
    n_folds : int

    Attributes
    ----------
    ridge, local_ridge : float
        Chosen penalties.
    noise_variance : ndarray (n_units, n_outputs)
    """

    def __init__(self, cells, features, X, phi, change, folds, n_folds):
        self.cells, self.features = cells, features
        features, phi = features(X, phi)
        inputs, shares = _with_constant(phi), cells.shares(X)
        self._ridge = CrossValidatedRidge(features, change, folds, n_folds)
        self.ridge = self._ridge.ridge
        errors = self._left_out_errors(features, inputs, shares, change, folds, n_folds)
        best = int(np.argmin([(error**2).sum() for error in errors]))
        self.local_ridge = LOCAL_RIDGES[best]
        residual = change - self._ridge.predict(features)
        (self._maps,) = fit_linear_maps(cells, shares, inputs, residual, [self.local_ridge])
        self._noise = CellNoise(cells, shares, phi, errors[best] ** 2, folds, n_folds)

    @property
    def noise_variance(self):
        return self._noise.variance

    def predict(self, X, phi, action):
        """Change and variance (n, n_outputs); `phi` tells all of the action."""
        features, phi = self.features(X, phi)
        shares = self.cells.shares(X)
        change = self._ridge.predict(features)
        if np.isfinite(self.local_ridge):
            change += apply_linear_maps(self._maps, shares, _with_constant(phi))
        return change, self._noise.predict(shares, phi)

    def _left_out_errors(self, features, inputs, shares, change, folds, n_folds):
        """Errors (n, n_features) on left-out folds, for each local penalty."""
        errors = [np.empty_like(change) for _ in LOCAL_RIDGES]
        folds_left_out = tqdm(range(n_folds), unit=" folds", desc="contingencies", delay=2, disable=None, leave=False)
        for fold in folds_left_out:
            left, kept = np.flatnonzero(folds == fold), np.flatnonzero(folds != fold)
            residual = change - self._ridge.predict(features, without_fold=fold)
            maps = fit_linear_maps(self.cells, shares[kept], inputs[kept], residual[kept], LOCAL_RIDGES)
            for error, cell_maps in zip(errors, maps):
                error[left] = residual[left] - apply_linear_maps(cell_maps, shares[left], inputs[left])
        return errors


def _with_constant(phi):
    return np.hstack([np.ones((len(phi), 1)), phi])
