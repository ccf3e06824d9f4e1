"""Variance of a prediction's error by cell and action, learned from errors on left-out folds."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize

from smc._kernels.ratios import N_BINS, correct_ratios, count_ratios
from smc._ratios import isotonic_log_means

PRIOR_STEPS = 10.0  # weight of the overall variance in a cell's, in steps
SHRINKAGE = 1e-3  # of the log-linear weights, so that they stay finite whatever the errors
SMALLEST = np.finfo(float).tiny


class CellNoise:
    """A variance per cell and output, times a factor that is log-linear in the cell's noise and in the action features.

    Its level, the mean over outputs in units of the overall variances, and how it divides between them are corrected by
    isotonic regression: drawn to the overall variance, cells tell quiet outputs from noisy ones too little.

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

    STATE = ("variance", "_overall", "_weights", "_range", "_log_means")

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
        level, expected = self._relative(variance)
        features = _describe(level, phi)
        found = squared_errors / self._overall
        # Ratios of means over the outputs, not means of ratios: an output without noise has none worth a ratio.
        self._weights = _fit_log_linear(features, found.mean(axis=1) / level)
        log_factor = features @ self._weights
        self._range = np.array([log_factor.min(), log_factor.max()])
        noisy = overall >= self._overall
        level = level * np.exp(log_factor)
        levels = _learn_ratios(level[None], found.mean(axis=1)[None])
        self._log_means = np.stack([levels, _learn_ratios(expected.T[noisy], (found / level[:, None]).T[noisy])])

    def predict(self, shares, phi):
        """Variances (n_samples, n_outputs); beyond the range learned from, the factor stays at its extremes."""
        level, ratios = self._relative(shares @ self.variance)
        log_factor = _describe(level, phi) @ self._weights
        level = level * np.exp(np.clip(log_factor, *self._range))
        for part, log_means in zip((level, ratios.ravel()), self._log_means):
            correct_ratios(part, log_means)
        return level[:, None] * ratios * self._overall

    def _relative(self, variance):
        """Level (n_samples,), the mean of the variances in units of the overall ones, and their ratios to it."""
        relative = variance / self._overall
        level = relative.mean(axis=1)
        return level, relative / level[:, None]

    def _shrunk(self, cells, sums, counts):
        sums, counts = cells.pool(sums), cells.pool(counts)
        return (sums + PRIOR_STEPS * self._overall) / (counts + PRIOR_STEPS)[:, None]


def _describe(level, phi):
    return np.column_stack([np.ones(len(phi)), np.log(level), phi])


def _learn_ratios(expected, found):
    """Logarithms (N_BINS,) of what is found where it is expected, from both (n_outputs, n_samples)."""
    sums = np.zeros((N_BINS, 2))
    # An output counts as much as it can tell: 1 if its errors are Gaussian, almost 0 if all of it lies in a few steps.
    weights = 3.0 * found.mean(axis=1) ** 2 / np.maximum((found**2).mean(axis=1), SMALLEST)
    for of_output in zip(expected, found, weights):
        count_ratios(*of_output, sums)
    return isotonic_log_means(sums)


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
