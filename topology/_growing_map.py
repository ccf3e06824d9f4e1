"""What maps that grow have in common: they start with two units and learn from one sample at a time."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin

from topology._codebook import Codebook, label_rows
from topology._kernels.network import COUNT, PRESENTED, REMOVALS, SCALE, SPREAD
from topology._network import MapState, plain_orders, present, restore, shuffled_orders, start
from topology._validation import check_generator


class GrowingMap(ClassNamePrefixFeaturesOutMixin, Codebook, ClusterMixin, TransformerMixin, BaseEstimator):
    """Base of estimators with `max_units`, `shuffle`, `random_state` and `metric`.

    They name their `_kernel`, the `_title` of its progress bar and the `_columns` of its books that are fitted
    attributes (name -> column); `_check_parameters` gives the kernel's rule.
    """

    def fit(self, X, y=None, *, callback=None):
        """Learn a map of X from scratch.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Finite; at least two distinct rows.
        y : ignored
        callback : callable(state, step), optional
            Called with a `MapState` and the number of samples presented so far, every `insertion_interval` samples, or
            every 100 where the map has no such interval. Returning True ends the training there.

        Returns
        -------
        self
        """
        self._check_parameters()
        X = self._validate(X, reset=True, min_samples=2)
        rng = check_generator(self.random_state)
        network = self._start(X, rng)
        rule = self._check_parameters()
        n_epochs = self._count_epochs(len(X), rule)
        orders = shuffled_orders(len(X), n_epochs, rng) if self.shuffle else plain_orders(len(X), n_epochs)
        nobody = np.empty(0, np.int64)
        self._take(self._present(network, rule, X, orders, callback, n_epochs * len(X), nobody))
        self.labels_, self.counts_, self.spreads_ = label_rows(X, self.prototypes_, self.metric)
        return self

    def partial_fit(self, X, y=None, *, callback=None):
        """Present every row of X once, in the order given, and continue where the last call ended.

        The first call needs two distinct rows. Parameters and return value as for `fit`.
        """
        self._check_parameters()
        first = not hasattr(self, "prototypes_")
        X = self._validate(X, reset=first, min_samples=2 if first else 1)
        if first:
            network = self._start(X, check_generator(self.random_state))
        else:
            network = self._give(self.max_units)
        rule = self._check_parameters()
        seen, labels = network.clock[PRESENTED], np.empty(len(X), np.int64)
        network = self._present(network, rule, X, plain_orders(len(X), 1), callback, len(X), labels)
        self._take(network)
        if network.clock[REMOVALS] > 0 or self.n_samples_seen_ < seen + len(X):
            labels = self.predict(X)
        self.labels_ = labels
        return self

    def _start(self, X, rng):
        return start(X, self.max_units, rng, self.metric)

    def _present(self, network, rule, X, orders, callback, total, winners):
        return present(self._kernel, network, rule, X, orders, callback, total, winners, self.metric, self._title)

    def _give(self, max_units):
        """The fitted attributes as arrays that the kernel can grow."""
        network = restore(self.prototypes_, self.edges_, self.edge_ages_, max_units, self.metric)
        n = self.n_units_
        for name, column in self._columns.items():
            network.books[:n, column] = getattr(self, f"{name}_")
        network.books[:n, COUNT] = self.counts_
        network.books[:n, SPREAD] = self.spreads_
        network.clock[PRESENTED] = self.n_samples_seen_
        return network

    def _take(self, network):
        state = MapState(network)
        n = state.n_units
        self.prototypes_ = state.prototypes.copy()
        self.counts_ = state.counts.copy()
        self.spreads_ = network.books[:n, SPREAD].copy()
        self.edges_, self.edge_ages_ = state.edges_and_ages()
        for name, column in self._columns.items():
            setattr(self, f"{name}_", network.books[:n, column] * network.clock[SCALE])
        self.n_units_ = n
        self.n_samples_seen_ = state.n_samples_seen
