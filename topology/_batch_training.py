"""Batch training of a self-organising map: every unit becomes the weighted mean of all samples."""

import numpy as np
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from topology import _batch_statistics
from topology._metric import to_rows
from topology._nearest import one_blas_thread
from topology._neighborhood import smooth
from topology._som_state import SOMState
from topology._winners import collect

SMALLEST_MASS = 1e-12  # of the largest: below it a unit is pulled by rounding errors only, and stays


def count_epochs(n_epochs):
    return tqdm(range(n_epochs), unit="epoch", desc="self-organising map", delay=2, disable=None, leave=False)


def step(prototypes, statistics, settings, radius):
    """Prototypes (n_units, n_features) after one batch step; a feature of a unit that nothing pulls stays."""
    with one_blas_thread():
        masses = smooth(statistics.masses, settings.lattice, settings.neighborhood, radius)
        pulls = smooth(statistics.sums, settings.lattice, settings.neighborhood, radius)
    pulled = masses > SMALLEST_MASS * masses.max(axis=0)
    means = np.divide(pulls, masses, out=prototypes.astype(np.float64), where=pulled)
    if settings.metric == "cosine":
        means = np.where(means.any(axis=1, keepdims=True), means, prototypes)
    return np.array(to_rows(means, prototypes.dtype, settings.metric))


class BatchSteps:
    """Mixin of `SelfOrganizingMap`: batch steps, also on statistics that were counted elsewhere."""

    merge = staticmethod(_batch_statistics.merge)

    def partial_statistics(self, X):
        """What the rows of X say about the present units; changes nothing.

        Returns
        -------
        statistics : BatchStatistics
            A named tuple of small arrays, to be sent, merged and given to `update`.
        """
        self._check_batch("partial_statistics")
        X, gaps = self._validate_observed(X)
        return collect(X, self.prototypes_, self.metric, gaps=gaps)

    def update(self, statistics):
        """One batch step: the next epoch's, at its radius; after `n_epochs` steps at the final radius.

        `counts_` and `spreads_` become those of the statistics, measured before the step.

        Parameters
        ----------
        statistics : BatchStatistics
            From `partial_statistics` of this map as it is now, or `merge` of several.

        Returns
        -------
        self
        """
        settings = self._check_batch("update")
        _batch_statistics.check_statistics(statistics, self.prototypes_.shape)
        self._step(statistics, settings, self._progress())
        self.counts_ = statistics.counts
        self.spreads_ = statistics.squares / np.maximum(statistics.counts, 1)
        return self

    def _check_batch(self, method):
        check_is_fitted(self, "prototypes_")
        if self.training != "batch":
            raise ValueError(f"{method} needs training='batch', got training={self.training!r}")
        return self._check_fitted()

    def _progress(self):
        return min(self.n_steps_ / (self.n_epochs - 1), 1.0) if self.n_epochs > 1 else 1.0

    def _step(self, statistics, settings, progress, callback=None):
        """One batch step; what the callback returned."""
        radius = settings.radius_at(progress)
        self.prototypes_ = step(self.prototypes_, statistics, settings, radius)
        self.n_steps_ += 1
        self.n_samples_seen_ += statistics.n_samples
        if callback is None:
            return False
        error = statistics.quantization_error
        state = SOMState(self.prototypes_, self.edges_, statistics.counts, self.n_samples_seen_, error, radius)
        return callback(state, self.n_samples_seen_)
