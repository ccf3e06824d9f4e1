"""Variance of a prediction's error by cell and action, learned from errors on left-out folds."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

PRIOR_STEPS = 10.0  # weight of the overall variance in a cell's, in steps
SHRINKAGE = 1e-3  # of the log-linear weights, so that they stay finite whatever the errors
SMALLEST = np.finfo(float).tiny


class CellNoise:
    """A variance per cell and output, times a factor that is log-linear in the cell's noise and in the action features.

    Parameters
    ----------
    cells : Cells
    shares : sparse (n_samples, n_units)
    phi : ndarray (n_samples, n_action_features)
        Standardised.
    squared_errors : ndarray (n_samples, n_outputs)
        Of predictions for left-out folds.
    folds : ndarray (n_samples,) of int
    n_folds : int

    Attributes
    ----------
    variance : ndarray (n_units, n_outputs)
        Per cell, before the factor.
    """

    STATE = ("variance", "_overall", "_weights", "_range")

    def __init__(self, cells, shares, phi, squared_errors, folds, n_folds):
        overall = squared_errors.mean(axis=0)
        self._overall = np.maximum(overall, max(np.finfo(float).eps * overall.max(), SMALLEST))
        parts = [shares[folds == fold] for fold in range(n_folds)]
        sums = [part.T @ squared_errors[folds == fold] for fold, part in enumerate(parts)]
        counts = [part.sum(axis=0) for part in parts]
        self.variance = self._shrunk(cells, sum(sums), sum(counts))
        # A step's own error must not speak for the noise of its cell: the factor is fitted on left-out cells too.
        variance = np.empty_like(squared_errors)
        for fold, part in enumerate(parts):
            variance[folds == fold] = part @ self._shrunk(cells, sum(sums) - sums[fold], sum(counts) - counts[fold])
        features = self._features(variance, phi)
        # Ratios of means over the outputs, not means of ratios: an output without noise has none worth a ratio.
        ratios = (squared_errors / self._overall).mean(axis=1) / (variance / self._overall).mean(axis=1)
        self._weights = _fit_log_linear(features, ratios)
        log_factor = features @ self._weights
        self._range = np.array([log_factor.min(), log_factor.max()])

    def predict(self, shares, phi):
        """Variances (n_samples, n_outputs); beyond the range learned from, the factor stays at its extremes."""
        variance = shares @ self.variance
        log_factor = self._features(variance, phi) @ self._weights
        return variance * np.exp(np.clip(log_factor, *self._range))[:, None]

    def _shrunk(self, cells, sums, counts):
        sums, counts = cells.pool(sums), cells.pool(counts)
        return (sums + PRIOR_STEPS * self._overall) / (counts + PRIOR_STEPS)[:, None]

    def _features(self, variance, phi):
        return np.column_stack([np.ones(len(phi)), np.log((variance / self._overall).mean(axis=1)), phi])


def _fit_log_linear(features, ratios):
    """Weights w for which exp(features @ w) is the expected ratio, by the likelihood of a Gamma distribution.

    The loss is convex; its minimum needs only the mean of the ratios to be right, not their distribution.
    """

    def loss(weights):
        log_factor = np.clip(features @ weights, -50.0, 50.0)
        relative = ratios * np.exp(-log_factor)
        penalised = np.r_[0.0, SHRINKAGE * weights[1:]]
        value = (log_factor + relative).mean() + 0.5 * penalised @ weights
        return value, features.T @ (1.0 - relative) / len(ratios) + penalised

    start = np.zeros(features.shape[1])
    start[0] = np.log(np.clip(ratios.mean(), 1e-12, 1e12))
    return minimize(loss, start, jac=True, method="L-BFGS-B").x
