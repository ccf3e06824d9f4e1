"""What every fitted map can do: name the nearest unit, measure distances, judge its own fit."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from topology._metric import check_rows, to_distances
from topology._nearest import find_two, pairwise


def measure_cells(winners, distances, n_units):
    """Samples per cell (n_units,) and their mean squared distance to the unit (n_units,), 0 in an empty cell."""
    counts = np.bincount(winners, minlength=n_units).astype(np.float64)
    squares = np.bincount(winners, distances.astype(np.float64) ** 2, minlength=n_units)
    return counts, squares / np.maximum(counts, 1)


def label_rows(X, prototypes, metric):
    """Nearest unit of every row, rows per unit (n_units,) and their mean squared distance to it (n_units,).

    Squared as in `_metric`: for "cosine" it is the squared Euclidean distance on the sphere, 2 (1 - cos).
    """
    check_rows("X", X, prototypes.dtype, metric)
    labels = np.empty(len(X), np.int64)
    counts, sums = np.zeros(len(prototypes)), np.zeros(len(prototypes))
    for rows, winners, squares in find_two(X, prototypes, metric):
        labels[rows] = winners[:, 0]
        counts += np.bincount(winners[:, 0], minlength=len(counts))
        sums += np.bincount(winners[:, 0], squares[:, 0], minlength=len(sums))
    return labels, counts, sums / np.maximum(counts, 1)


class Codebook:
    """Mixin for estimators with a `metric` that learn `prototypes_`, `edges_`, `counts_` and `spreads_`."""

    def predict(self, X):
        """Nearest unit (best matching unit) of every row.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        labels : ndarray of int (n_samples,)
        """
        X = self._validate(X)
        check_rows("X", X, self.prototypes_.dtype, self.metric)
        labels = np.empty(len(X), np.int64)
        for rows, winners, _ in find_two(X, self.prototypes_, self.metric):
            labels[rows] = winners[:, 0]
        return labels

    def transform(self, X):
        """Distances to all units, in the units of X; for metric="cosine" 1 - cos.

        Returns
        -------
        distances : ndarray (n_samples, n_units)
        """
        X = self._validate(X)
        check_rows("X", X, X.dtype, self.metric)
        return pairwise(X, self.prototypes_, self.metric)

    def score_samples(self, X):
        """Log density of the mixture of Gaussians on the units: see `CodebookDensity(kind="kernel")`.

        Masses and widths are `counts_` and `spreads_`; `CodebookDensity` measures them on other data. Only for
        metric="euclidean": the other distances have no Gaussian.

        Returns
        -------
        log_density : ndarray (n_samples,)
        """
        from topology._density import KernelMixture

        X = self._validate(X)
        if self.metric != "euclidean":
            raise ValueError(f"score_samples is defined for metric='euclidean' only, got metric={self.metric!r}")
        return KernelMixture(self.prototypes_, self.counts_, self.spreads_).log_density(X)

    def quantization_error(self, X):
        """Mean distance of the rows of X to their nearest unit, in the units of X; for metric="cosine" 1 - cos."""
        X = self._validate(X)
        check_rows("X", X, self.prototypes_.dtype, self.metric)
        total = 0.0
        for _, _, squares in find_two(X, self.prototypes_, self.metric):
            total += to_distances(squares[:, 0], self.metric).sum(dtype=np.float64)
        return total / len(X)

    def topographic_error(self, X):
        """Share of the rows of X whose two nearest units are not linked by an edge. Use held-out rows."""
        X = self._validate(X)
        check_rows("X", X, self.prototypes_.dtype, self.metric)
        n_units = len(self.prototypes_)
        if n_units == 1:
            return 0.0
        linked = self.edges_ @ [n_units, 1]
        n_linked = 0
        for _, winners, _ in find_two(X, self.prototypes_, self.metric):
            n_linked += np.isin(np.sort(winners, axis=1) @ [n_units, 1], linked).sum()
        return float(1 - n_linked / len(X))

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
