"""What every fitted map can do: name the nearest unit, measure distances, judge its own fit."""

import numpy as np
from sklearn.utils.validation import check_is_fitted, validate_data

from topology import metrics, storage
from topology._metric import check_rows
from topology._nearest import find_two, pairwise
from topology._validation import check_integer

COMMON_ARRAYS = {
    "prototypes": ("f", ("units", "features")),
    "edges": ("i", ("edges", 2)),
    "counts": ("f", ("units",)),
    "spreads": ("f", ("units",)),
    "labels": ("i", ("rows",)),
}


def measure_cells(winners, distances, n_units):
    """Samples per cell (n_units,) and their mean squared distance to the unit (n_units,), 0 in an empty cell."""
    counts = np.bincount(winners, minlength=n_units).astype(np.float64)
    squares = np.bincount(winners, distances.astype(np.float64) ** 2, minlength=n_units)
    return counts, squares / np.maximum(counts, 1)


def label_rows(X, prototypes, metric, pairs=None):
    """Nearest unit of every row, rows per unit (n_units,) and their mean squared distance to it (n_units,).

    The two nearest units (i, j) of the rows, i < j, are added to the set `pairs` as i * n_units + j.

    Squared as in `_metric`: for "cosine" it is the squared Euclidean distance on the sphere, 2 (1 - cos).
    """
    check_rows("X", X, prototypes.dtype, metric)
    labels = np.empty(len(X), np.int64)
    counts, sums = np.zeros(len(prototypes)), np.zeros(len(prototypes))
    for rows, winners, squares in find_two(X, prototypes, metric):
        labels[rows] = winners[:, 0]
        counts += np.bincount(winners[:, 0], minlength=len(counts))
        sums += np.bincount(winners[:, 0], squares[:, 0], minlength=len(sums))
        if pairs is not None:
            pairs.update(np.unique(np.sort(winners, axis=1) @ [len(prototypes), 1]).tolist())
    return labels, counts, sums / np.maximum(counts, 1)


class Codebook:
    """Mixin for estimators with a `metric` that learn `prototypes_`, `edges_`, `counts_` and `spreads_`.

    What else a fitted map needs to continue is named by `_arrays` (name -> dtype kinds and shape, see
    `topology.storage.check`; never negative) and `_numbers` (integers, never negative). `_check_parameters` refuses bad
    parameters.
    """

    _arrays: dict = {}
    _numbers: tuple[str, ...] = ()
    _min_units = 2

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
        return metrics.quantization_error(self._validate(X), self.prototypes_, metric=self.metric)

    def topographic_error(self, X):
        """Share of the rows of X whose two nearest units are not linked by an edge. Use held-out rows."""
        return metrics.topographic_error(self._validate(X), self.prototypes_, self.edges_, metric=self.metric)

    def to_networkx(self):
        """The map as `networkx.Graph`; nodes carry `position` (n_features,) and `count`."""
        import networkx as nx

        check_is_fitted(self, "prototypes_")
        graph = nx.Graph()
        for unit in range(len(self.prototypes_)):
            graph.add_node(unit, position=self.prototypes_[unit].copy(), count=float(self.counts_[unit]))
        graph.add_edges_from(self.edges_.tolist())
        return graph

    def save(self, path):
        """Write the map to a file that `load` reads; training continues from it with the same bits.

        A `random_state` that is not an int is not stored.
        """
        check_is_fitted(self, "prototypes_")
        parameters = self.get_params(deep=False)
        if not isinstance(self.random_state, (int, np.integer)):
            parameters["random_state"] = None
        metadata = {
            "parameters": {name: _plain(value) for name, value in parameters.items()},
            "numbers": {name: int(getattr(self, f"{name}_")) for name in ("n_samples_seen", *self._numbers)},
        }
        if hasattr(self, "feature_names_in_"):
            metadata["feature_names"] = self.feature_names_in_.tolist()
        arrays = {name: getattr(self, f"{name}_") for name in COMMON_ARRAYS | self._arrays}
        storage.save(path, arrays, kind=type(self).__name__, metadata=metadata)

    @classmethod
    def load(cls, path):
        """Read a map written by `save`.

        Raises
        ------
        FileNotFoundError
        topology.storage.CorruptFileError
            The file is damaged, of another kind, or its values cannot belong to a map.
        """
        arrays, metadata = storage.load(path, kind=cls.__name__)
        sizes = storage.check(path, arrays, COMMON_ARRAYS | cls._arrays)
        n_units = sizes["units"]
        edges, labels = arrays["edges"], arrays["labels"]
        if n_units < cls._min_units or sizes["features"] < 1:
            raise storage.CorruptFileError(
                f"{path}: a map has at least {cls._min_units} units and 1 feature, got {sizes}"
            )
        if edges.size and (edges.min() < 0 or edges.max() >= n_units or (edges[:, 0] >= edges[:, 1]).any()):
            raise storage.CorruptFileError(f"{path}: edges must join two different units, smaller one first")
        if len(np.unique(edges, axis=0)) != len(edges):
            raise storage.CorruptFileError(f"{path}: edges must be distinct")
        if labels.size and (labels.min() < 0 or labels.max() >= n_units):
            raise storage.CorruptFileError(f"{path}: labels must name units 0 to {n_units - 1}")
        for name in ("counts", "spreads", *cls._arrays):
            if arrays[name].min(initial=0) < 0:
                raise storage.CorruptFileError(f"{path}: {name} must not be negative")
        try:
            estimator = cls(**{name: _unplain(value) for name, value in metadata["parameters"].items()})
            estimator._check_parameters()
            for name in ("n_samples_seen", *cls._numbers):
                setattr(estimator, f"{name}_", check_integer(name, metadata["numbers"][name], 0))
            names = metadata.get("feature_names")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise storage.CorruptFileError(f"{path}: the parameters cannot be those of a map ({error})") from error
        for name, array in arrays.items():
            setattr(estimator, f"{name}_", array[()])  # a number, if that is what it was
        if names is not None:
            if not isinstance(names, list) or len(names) != sizes["features"]:
                raise storage.CorruptFileError(f"{path}: feature names must be {sizes['features']}, got {names!r:.80}")
            estimator.feature_names_in_ = np.asarray(names, dtype=object)
        estimator.n_units_, estimator.n_features_in_ = n_units, sizes["features"]
        return estimator

    def _validate(self, X, *, reset=False, min_samples=1):
        if not reset:
            check_is_fitted(self, "prototypes_")
        return validate_data(
            self, X, reset=reset, dtype=[np.float64, np.float32], order="C", ensure_min_samples=min_samples
        )

    @property
    def _n_features_out(self):
        return len(self.prototypes_)


def _plain(value):
    """As JSON holds it: numpy scalars as numbers, arrays as nested lists; tuples become lists by themselves."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else value


def _unplain(value):
    """Lists come back as tuples, nested ones as arrays."""
    if not isinstance(value, list):
        return value
    return np.asarray(value) if value and isinstance(value[0], list) else tuple(value)
