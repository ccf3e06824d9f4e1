"""Error variance per cell, corrected for label noise and recalibrated by likelihood."""

import numpy as np
from scipy.optimize import minimize

BIN_WIDTH = 0.1  # of log variance; within a bin the mean stands for all


class CellVariances:
    """Variance of the error in each cell, shrunk to the overall variance, smoothed over the graph.

    Keeps sums per fold and cell: of squared errors less label noise, of label noise, and of samples.
    """

    def __init__(self, cells, n_folds, prior_weight):
        self._cells = cells
        self._prior_weight = prior_weight
        self._sums = np.zeros((n_folds, 3, len(cells)))

    def add(self, squared_errors, noise, cells, shares, folds):
        for fold in range(len(self._sums)):
            rows = folds == fold
            values = (squared_errors[rows] - noise[rows], noise[rows], np.ones(rows.sum()))
            for total, value in zip(self._sums[fold], values):
                total += self._cells.sums(cells[rows], shares[rows], value)

    def fade(self, factor):
        self._sums *= factor

    def overall(self):
        """Variance over all samples; never below what rounding leaves of a target of unit variance."""
        excess, noise, n = self._sums.sum(axis=(0, 2))
        return max(excess / n, _resolution(noise, n), np.finfo(float).eps ** 2)

    def solve(self, without_fold=None):
        """Variance of each cell (n_units,) and the smallest that label noise lets one tell from 0."""
        keep = np.arange(len(self._sums)) != (-1 if without_fold is None else without_fold)
        sums = self._sums[keep].sum(axis=0)
        sums = sums + (self._cells.neighbour_mean @ sums.T).T
        excess, noise, n = sums
        n = n + self._prior_weight
        floor = _resolution(noise, n)
        return np.maximum((excess + self._prior_weight * self.overall()) / n, floor), floor


def _resolution(noise, n):
    """Standard error that label noise alone, of summed variance `noise`, gives a mean over n squared errors."""
    return noise / n * np.sqrt(2 / n)


class Recalibration:
    """v -> v0 e**a (v / v0)**b, with a and b by maximum likelihood of errors that v did not learn from.

    Keeps counts, squared errors and label noise per bin of log v, so that old errors can fade.
    """

    def __init__(self):
        self._bins = {}
        self.a, self.b = 0.0, 1.0

    def add(self, variances, squared_errors, noise):
        logs = np.log(variances)
        bins = np.floor(logs / BIN_WIDTH).astype(int)
        keys, member = np.unique(bins, return_inverse=True)
        sums = [np.bincount(member, values) for values in (np.ones(len(logs)), logs, squared_errors, noise)]
        for key, row in zip(keys.tolist(), np.transpose(sums)):
            self._bins[key] = self._bins.get(key, 0.0) + row

    def fade(self, factor):
        self._bins = {key: factor * row for key, row in self._bins.items()}

    def fit(self, overall):
        """Find a and b, relative to the overall variance."""
        n, logs, squared_errors, noise = np.transpose([self._bins[key] for key in sorted(self._bins)])
        relative, squared_errors, noise = logs / n - np.log(overall), squared_errors / n / overall, noise / n / overall

        def negative_log_likelihood(parameters):
            a, b = parameters
            # The label noise belongs into the likelihood: subtracted from the errors it would let variances collapse.
            total = np.exp(a + b * relative) + noise
            return np.sum(n * (np.log(total) + squared_errors / total)) / n.sum()

        # b >= 0 keeps the order of trust; the bounds are far from any fit seen (b from 1 to 2).
        self.a, self.b = minimize(negative_log_likelihood, (0.0, 1.0), bounds=[(-5, 5), (0, 4)]).x
        return self

    def __call__(self, variances, overall):
        return overall * np.exp(self.a) * (variances / overall) ** self.b
