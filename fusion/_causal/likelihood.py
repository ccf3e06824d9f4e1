"""Likelihood of a set of responses and its gradient; equal trials are computed once."""

import numpy as np

from fusion._causal import _kernels as kernels
from fusion._causal.parameters import chain, locals_of, noise_of

FLOOR = 1e-9  # share of any model that answers at random, so that no single response is impossible
LEGENDRE = np.array(np.polynomial.legendre.leggauss(32))
SWAP = np.array([1, 0, 2, 3, 4, 5, 6])


class Likelihood:
    """Log-likelihood of trials under one strategy.

    Parameters
    ----------
    strategy : int, code of the kernels
    response : {"localisation", "discrimination", "unity"}
    stimuli : (n, 2), NaN = absent; condition : (n,) int; precision : (n, 2) or None
    responses : (n, 2), NaN = not asked, or (n,) for unity
    layout : Layout
    levels : sorted possible responses, or None for a continuous scale
    scale : tuple, the range of a continuous scale; lapses are uniform on it
    period : of the eccentricity noise, or None
    """

    def __init__(self, strategy, response, stimuli, responses, condition, precision, layout, levels, scale, period):
        self.strategy, self.response, self.layout = strategy, response, layout
        self.levels, self.scale, self.period, self.n_trials = levels, scale, period, len(stimuli)
        if response == "unity":
            rows, asked, said = np.arange(len(stimuli)), np.zeros(len(stimuli), dtype=int), responses
        else:
            rows, asked = np.nonzero(~np.isnan(responses))
            said = responses[rows, asked]
        columns = [stimuli[rows], condition[rows, None], asked[:, None], said[:, None]]
        if precision is not None:
            columns.append(precision[rows])
        cells, inverse = np.unique(np.hstack(columns), axis=0, return_inverse=True)
        self.counts = np.bincount(inverse.ravel(), minlength=len(cells)).astype(float)
        self.answer_rows, self.answer_cells = rows, inverse.ravel()
        self.stimuli, self.condition = cells[:, :2], cells[:, 2].astype(int)
        self.asked, self.said = cells[:, 3].astype(int), cells[:, 4]
        self.precision = cells[:, 5:] if precision is not None else None

    def cells(self, theta, *, gradient=False):
        """Probability (density) of each cell's response, and its derivatives by the parameters of its trial.

        The derivative by the lapse rate comes last.
        """
        lapse = theta[self.layout.lapse] if self.layout.lapse >= 0 else 0.0
        self._noise = noise_of(theta, self.layout, self.condition, self.stimuli, self.precision, self.period)
        local = locals_of(theta, self.layout, self.condition, self._noise)
        directions = self._directions() if gradient else np.array([-1])
        p, slopes, chance = self._perceived(local, directions)
        mixed = FLOOR * chance + (1 - FLOOR) * (lapse * chance + (1 - lapse) * p)
        if not gradient:
            return mixed, None
        slopes *= (1 - FLOOR) * (1 - lapse)
        return mixed, np.column_stack([slopes, (1 - FLOOR) * (chance - p)])

    def __call__(self, theta, counts=None):
        """Log-likelihood and its gradient by all parameters."""
        counts = self.counts if counts is None else counts
        p, slopes = self.cells(theta, gradient=True)
        weights = counts / np.maximum(p, 1e-300)
        by_local = weights[:, None] * slopes
        total = chain(
            theta, self.layout, self.condition, self.stimuli, self.precision, self.period, self._noise, by_local[:, :-1]
        )
        if self.layout.lapse >= 0:
            total[self.layout.lapse] += by_local[:, -1].sum()
        return float(counts @ np.log(np.maximum(p, 1e-300))), total

    def cell_scores(self, theta):
        """Log-probability of each cell's answer and its gradient, (n_cells,) and (n_cells, n_parameters)."""
        p, slopes = self.cells(theta, gradient=True)
        p = np.maximum(p, 1e-300)
        slopes = slopes / p[:, None]
        total = np.empty((len(p), len(theta)))
        for i in range(len(p)):
            one = slice(i, i + 1)
            precision = None if self.precision is None else self.precision[one]
            trial = (self.condition[one], self.stimuli[one], precision, self.period, self._noise[one])
            total[i] = chain(theta, self.layout, *trial, slopes[one, :-1])
        if self.layout.lapse >= 0:
            total[:, self.layout.lapse] += slopes[:, -1]
        return np.log(p), total

    def per_trial(self, theta, n_trials):
        """Log-likelihood of each trial, summed over the senses that were asked; 0 where none was."""
        log_p = np.log(np.maximum(self.cells(theta)[0], 1e-300))
        return np.bincount(self.answer_rows, log_p[self.answer_cells], minlength=n_trials)

    def _directions(self):
        """Columns of the local parameters that some free parameter changes."""
        layout, free = self.layout, set(self.layout.free)

        def any_free(indices):
            return bool(free & set(np.ravel(indices)))

        if self.precision is None:
            noise = any_free(layout.sigma) or any_free(layout.eccentricity)
        else:
            noise = any_free(layout.precision_scale)
        used = [noise, noise, *map(any_free, (layout.prior_mean, layout.prior_sigma, layout.p_common))]
        used += [any_free(layout.criterion), any_free(layout.motor)]
        return np.flatnonzero(used) if any(used) else np.array([-1])

    def _perceived(self, local, directions):
        """Probability of the response without lapses, its slopes, and that of a random response."""
        n = len(self.said)
        if self.response == "unity":
            same, slopes = np.zeros(n), np.zeros((n, kernels.N_LOCAL))
            first, second = np.ascontiguousarray(self.stimuli.T)
            kernels.judgements(self.strategy, first, second, local, directions, same, slopes)
            return _two_answers(same, slopes, self.said == 1)
        if self.response == "discrimination":
            left, slopes = self._reports(kernels.CUMULATIVE, np.zeros(n), local, directions)
            return _two_answers(left, slopes, self.said < 0)
        if self.levels is None:
            density, slopes = self._reports(kernels.DENSITY, self.said, local, directions)
            inside = (self.said >= self.scale[0]) & (self.said <= self.scale[1])
            return density, slopes, inside / (self.scale[1] - self.scale[0])
        middles = (self.levels[1:] + self.levels[:-1]) / 2
        edges = np.concatenate([[-np.inf], middles, [np.inf]])
        index = np.searchsorted(self.levels, self.said)
        # The upper edge of one response is the lower one of the next: each is computed once.
        queries = np.column_stack([np.tile(np.column_stack([self.stimuli, self.asked, local]), (2, 1)),
                                   np.concatenate([edges[index + 1], edges[index]])])  # fmt: skip
        _, first, inverse = np.unique(queries, axis=0, return_index=True, return_inverse=True)
        value, slopes = self._below(queries[first, -1], first % n, local, directions)
        value, slopes = value[inverse.ravel()], slopes[inverse.ravel()]
        return value[:n] - value[n:], slopes[:n] - slopes[n:], np.full(n, 1 / len(self.levels))

    def _below(self, threshold, rows, local, directions):
        """Distribution function at thresholds of some cells, at infinity too."""
        value = (threshold > 0).astype(float)
        slopes = np.zeros((len(value), kernels.N_LOCAL))
        finite = np.isfinite(threshold)
        rows = rows[finite]
        value[finite], slopes[finite] = self._reports(
            kernels.CUMULATIVE, threshold[finite], local[rows], directions, self.stimuli[rows], self.asked[rows]
        )
        return value, slopes

    def _reports(self, kind, threshold, local, directions, stimuli=None, asked=None):
        """Kernel of the estimates with the asked sense first; slopes come back in the order of the columns."""
        stimuli = self.stimuli if stimuli is None else stimuli
        asked = self.asked if asked is None else asked
        second = asked == 1
        local = np.where(second[:, None], local[:, SWAP], local)
        rows = np.arange(len(asked))
        value, slopes = np.zeros(len(asked)), np.zeros((len(asked), kernels.N_LOCAL))
        kernels.estimates(
            self.strategy, kind, stimuli[rows, asked], stimuli[rows, 1 - asked], np.ascontiguousarray(threshold),
            np.ascontiguousarray(local), directions, LEGENDRE, value, slopes,
        )  # fmt: skip
        return value, np.where(second[:, None], slopes[:, SWAP], slopes)


def _two_answers(p, slopes, yes):
    """Probability of the answer that was given, p being that of `yes`."""
    return np.where(yes, p, 1 - p), np.where(yes[:, None], slopes, -slopes), np.full(len(p), 0.5)
