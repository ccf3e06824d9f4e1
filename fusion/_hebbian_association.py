"""What is felt together is linked: expecting one sense from another through their maps."""

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_consistent_length
from sklearn.utils.validation import check_is_fitted, column_or_1d

from fusion._local_readout import Cells
from fusion._typicality import prototypes_of
from topology import GrowingNeuralGas
from topology._nearest import nearest_two
from topology._validation import check_choice, check_integer, check_matrix, check_real

OTHER = {"a": "b", "b": "a"}


class HebbianAssociation(BaseEstimator):
    """Links between the units of two maps, as strong as the units were active together.

    Each sample is shared among the units near it; the strength of a link is the sum over samples of the product of the
    two shares (Hebb 1949). Normalised, the links are conditional distributions in both directions, by which one sense
    expects the other (as the sideways links of Khacef et al. 2020, Electronics 9:1605).

    Parameters
    ----------
    estimator_a, estimator_b : estimator, default=None
        Maps with ``prototypes_`` (or ``cluster_centers_``); cloned, so wrap a fitted map in ``FrozenEstimator`` to keep
        it. None: `topology.GrowingNeuralGas` of up to 100 units.
    n_near : int, default=3
        Units among which a sample is shared; 1 gives all of it to the nearest.
    smoothing : float >= 0, default=1
        Samples' worth of belief that the other sense is as usual; it decides alone for units that were never active.
    random_state : int, RandomState or None, default=None
        Seeds the default maps.

    Attributes
    ----------
    estimator_a_, estimator_b_ : fitted maps
    association_ : ndarray of shape (n_units_a, n_units_b), summing to the number of samples
    n_features_a_, n_features_b_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from fusion import HebbianAssociation
    >>> angle = np.random.default_rng(0).uniform(0, np.pi, (500, 1))
    >>> seen, felt = np.hstack([np.cos(angle), np.sin(angle)]), angle**2
    >>> association = HebbianAssociation(random_state=0).fit(seen, felt)
    >>> expected = association.expect([[0.0, 1.0]], kind="mean")
    >>> bool(abs(expected[0, 0] - (np.pi / 2) ** 2) < 0.3)
    True
    """

    def __init__(self, estimator_a=None, estimator_b=None, *, n_near=3, smoothing=1.0, random_state=None):
        self.estimator_a = estimator_a
        self.estimator_b = estimator_b
        self.n_near = n_near
        self.smoothing = smoothing
        self.random_state = random_state

    def fit(self, X_a, X_b):
        """Learn both maps and the links from samples sensed at the same time.

        Parameters
        ----------
        X_a : array-like of shape (n_samples, n_features_a)
        X_b : array-like of shape (n_samples, n_features_b)

        Returns
        -------
        self
        """
        check_integer("n_near", self.n_near, 1)
        check_real("smoothing", self.smoothing, 0)
        X_a, X_b = check_matrix("X_a", X_a, min_rows=2), check_matrix("X_b", X_b, min_rows=2)
        check_consistent_length(X_a, X_b)
        self.n_features_a_, self.n_features_b_ = X_a.shape[1], X_b.shape[1]
        self.estimator_a_, self._cells_a = self._fit_map(self.estimator_a, X_a)
        self.estimator_b_, self._cells_b = self._fit_map(self.estimator_b, X_b)
        self.association_ = (_shares(self._cells_a, X_a).T @ _shares(self._cells_b, X_b)).toarray()
        return self

    def expect(self, X, *, source="a", kind="units"):
        """What the other sense should feel, given samples of one.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features_a), or n_features_b with source="b"
        source : {"a", "b"}, default="a"
            Sense that X belongs to.
        kind : {"units", "mean"}, default="units"
            "units": distribution over the units of the other map. "mean": the mean of its prototypes under that
            distribution.

        Returns
        -------
        expected : ndarray of shape (n_samples, n_units) or (n_samples, n_features), of the other sense
        """
        check_choice("kind", kind, ("units", "mean"))
        distribution = self._locate(X, source) @ self._conditional(source)
        return distribution if kind == "units" else distribution @ self._cells(OTHER[source]).prototypes

    def transfer_labels(self, X, y, *, source="a"):
        """Label the units of the other map by labelled samples of one sense.

        Units of the source without labelled samples take the labels of the nearest unit that has some.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), samples of the source
        y : array-like of shape (n_samples,), class labels
        source : {"a", "b"}, default="a"

        Returns
        -------
        labels : ndarray of shape (n_units,)
            For each unit of the other map; index it by that map's ``predict`` to label samples.
        """
        shares = self._locate(X, source)
        y = column_or_1d(y)
        check_consistent_length(shares, y)
        classes, codes = np.unique(y, return_inverse=True)
        votes = shares.T @ np.eye(len(classes))[codes]
        labelled = votes.sum(axis=1) > 0
        prototypes = self._cells(source).prototypes
        nearest = nearest_two(prototypes, prototypes[labelled])[0][:, 0]
        votes = votes[labelled][nearest]
        beliefs = votes / votes.sum(axis=1, keepdims=True)
        return classes[(self._conditional(OTHER[source]) @ beliefs).argmax(axis=1)]

    def _fit_map(self, template, X):
        if template is None:
            template = GrowingNeuralGas(max_units=int(np.clip(len(X) // 10, 2, 100)), random_state=self.random_state)
        fitted = clone(template).fit(X, None)  # FrozenEstimator demands a y
        prototypes = prototypes_of(fitted)
        if prototypes.shape[1] != X.shape[1]:
            raise ValueError(f"X must have {prototypes.shape[1]} features as its fitted map, got {X.shape[1]}")
        return fitted, Cells(prototypes, getattr(fitted, "edges_", None), X, self.n_near)

    def _cells(self, sense):
        check_choice("source", sense, tuple(OTHER))
        return self._cells_a if sense == "a" else self._cells_b

    def _locate(self, X, source):
        check_is_fitted(self, "association_")
        cells = self._cells(source)
        return _shares(cells, check_matrix("X", X, n_columns=cells.prototypes.shape[1])).toarray()

    def _conditional(self, source):
        """Distribution over the units of the other map given each unit of the source, (n_units, n_units_other)."""
        links = self.association_ if source == "a" else self.association_.T
        usual = links.sum(axis=0) / links.sum()
        mass = links.sum(axis=1, keepdims=True) + self.smoothing
        return np.where(mass > 0, (links + self.smoothing * usual) / np.where(mass > 0, mass, 1), usual)


def _shares(cells, X):
    """Sparse shares (n_samples, n_units) of every sample in the units near it."""
    units, shares = cells.locate(X.astype(float))
    starts = np.arange(0, units.size + 1, units.shape[1])
    return sparse.csr_array((shares.ravel(), units.ravel(), starts), shape=(len(X), len(cells)))
