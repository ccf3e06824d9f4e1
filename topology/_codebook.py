"""What every fitted map can do: name the nearest unit, measure distances, judge its own fit."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from topology import metrics
from topology._kernels.search import pairwise_distances
from topology._nearest import nearest_two
from topology._validation import read_only


def measure_cells(winners, distances, n_units):
    """Samples per cell (n_units,) and their mean squared distance to the unit (n_units,), 0 in an empty cell."""
    counts = np.bincount(winners, minlength=n_units).astype(np.float64)
    squares = np.bincount(winners, distances.astype(np.float64) ** 2, minlength=n_units)
    return counts, squares / np.maximum(counts, 1)


class Codebook:
    """Mixin for estimators that learn `prototypes_`, `edges_`, `counts_` and `spreads_`."""

    def predict(self, X):
        """Nearest unit (best matching unit) of every row.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        labels : ndarray of int (n_samples,)
        """
        return nearest_two(self._validate(X), self.prototypes_)[0][:, 0]

    def transform(self, X):
        """Euclidean distances to all units, in the units of X.

        Returns
        -------
        distances : ndarray (n_samples, n_units)
        """
        X = self._validate(X)
        prototypes = self.prototypes_.astype(X.dtype, copy=False)
        distances = np.empty((len(X), len(prototypes)), X.dtype)
        pairwise_distances(read_only(X), read_only(prototypes), distances)
        return distances

    def score_samples(self, X):
        """Log density of the mixture of Gaussians on the units: see `CodebookDensity(kind="kernel")`.

        Masses and widths are `counts_` and `spreads_`; `CodebookDensity` measures them on other data.

        Returns
        -------
        log_density : ndarray (n_samples,)
        """
        from topology._density import KernelMixture

        X = self._validate(X)
        return KernelMixture(self.prototypes_, self.counts_, self.spreads_).log_density(X)

    def quantization_error(self, X):
        """Mean distance of the rows of X to their nearest unit, in the units of X."""
        return metrics.quantization_error(self._validate(X), self.prototypes_)

    def topographic_error(self, X):
        """Share of the rows of X whose two nearest units are not linked by an edge. Use held-out rows."""
        return metrics.topographic_error(self._validate(X), self.prototypes_, self.edges_)

    def to_networkx(self):
        """The map as `networkx.Graph`; nodes carry `position` (n_features,) and `count`."""
        import networkx as nx

        check_is_fitted(self, "prototypes_")
        graph = nx.Graph()
        for unit in range(len(self.prototypes_)):
            graph.add_node(unit, position=self.prototypes_[unit].copy(), count=float(self.counts_[unit]))
        graph.add_edges_from(self.edges_.tolist())
        return graph

    def _validate(self, X, *, reset=False, min_samples=1):
        if not reset:
            check_is_fitted(self, "prototypes_")
        return validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", ensure_min_samples=min_samples
        )

    @property
    def _n_features_out(self):
        return len(self.prototypes_)
