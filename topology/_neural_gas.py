"""Neural gas: prototypes that learn by the rank of their distance, and the graph of those that are nearest together."""

import math
from collections import Counter

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted
from tqdm import tqdm

from topology import _batch_statistics
from topology._codebook import Codebook, label_rows
from topology._kernels import neural_gas
from topology._kernels.network import COUNT, PRESENTED, SPREAD
from topology._metric import check_metric, check_rows, to_rows
from topology._network import MapState, plain_orders, present, restore, shuffled_orders
from topology._placement import on_samples
from topology._rank_statistics import collect_ranks
from topology._validation import check_choice, check_flag, check_generator, check_integer, check_pair, check_real

BATCH_EPOCHS = 100
PRESENTATIONS = 800  # per unit, in online training
CALLBACK_INTERVAL = 1000  # presentations between two callbacks of online training
SMALLEST_MASS = 1e-7  # of the largest: a unit that is pulled less stays where it is


class NeuralGas(ClassNamePrefixFeaturesOutMixin, Codebook, ClusterMixin, TransformerMixin, BaseEstimator):
    """Neural gas (Martinetz, Berkovich and Schulten 1993, IEEE Trans. Neural Networks 4:558).

    A unit of rank k (0 for the nearest) learns with the share h = exp(-k / range) of a sample. Batch (Cottrell, Hammer,
    Hasenfuss and Villmann 2006, Neural Networks 19:762): in every epoch each unit becomes the mean of all samples
    weighted by h. Online: each sample moves every unit by learning_rate * h * (x - w) before the next one is looked at.
    Ranks are exact; shares below the resolution of the floating-point numbers (1e-16; online float32: 1e-7) are left
    out, and in a batch a unit that no sample pulls with more than 1e-7 of the usual mass stays.

    The two units nearest to a sample are joined by an edge (Martinetz and Schulten 1994, Neural Networks 7:507).

    Parameters
    ----------
    n_units : int, default=100
        At least 2.
    training : {"batch", "online"}, default="batch"
    n_epochs : int or "auto", default="auto"
        Passes over X in `fit`. "auto": 100 in batch training, 800 presentations per unit in online training.
        Long waves of density settle slowly in a batch: units follow the data density with a power that is 1/3 on a line
        and 1/2 in the plane once settled, but 0.57 and 0.65 after 30 passes, 0.44 and 0.55 after 100. Online training
        settles.
    random_state : int, RandomState, Generator or None
        Decides the rows on which the units start and the order of online training.
    neighborhood_range : (float or None, float), default=(None, 0.01)
        The range at the start and at the end, in ranks; None: half the number of units. Between them, as for the other
        pairs, start * (end / start)**p with progress p from 0 to 1: per epoch in batch training, else per sample.
    learning_rate : (float, float) in (0, 1], default=(0.5, 0.005)
        Of online training.
    edge_lifetime : (float, float), default=(20, 200)
        Of online training: an edge ages by one when one of its units wins, is as new when its units are the two
        nearest, and is removed when older than this.
    metric : {"euclidean", "cosine", "manhattan"}, default="euclidean"
        "cosine": rows are scaled to unit length, prototypes stay there. "manhattan": online only, as means do not
        minimise absolute differences.
    shuffle : bool, default=True
        Online: present the rows in a fresh random order in every epoch of `fit`; else in the order given.

    Attributes
    ----------
    prototypes_ : ndarray (n_units, n_features), float32 or float64 as X
    edges_ : ndarray of int (n_edges, 2), smaller unit first, sorted
        After batch training the pairs of units that are the two nearest of a row.
    edge_ages_ : ndarray of int (n_edges,), 0 after batch training
    counts_ : ndarray (n_units,)
        After `fit` the number of rows of X nearest to each unit; in a stream (`partial_fit`) the samples won so far.
    spreads_ : ndarray (n_units,)
        Mean squared distance to the unit of the same samples, squared units of X; in an online stream of about the
        last 100 samples won.
    labels_ : ndarray of int (n_samples,)
        Nearest unit of every row of the last `fit`; after online `partial_fit` the unit that won each row.
    n_units_ : int
    n_samples_seen_ : int, samples presented so far, every epoch counted
    n_steps_ : int, steps made: epochs (batch) or samples (online)
    schedule_length_ : int, steps after which the pairs stay at their ends
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from topology import NeuralGas
    >>> X = np.random.default_rng(0).random((1000, 2))
    >>> NeuralGas(50, random_state=0).fit(X).prototypes_.shape
    (50, 2)
    """

    _arrays = {"edge_ages": ("i", ("edges",))}
    _numbers = ("n_steps", "schedule_length")
    merge = staticmethod(_batch_statistics.merge)

    def __init__(
        self,
        n_units=100,
        *,
        training="batch",
        n_epochs="auto",
        random_state=None,
        neighborhood_range=(None, 0.01),
        learning_rate=(0.5, 0.005),
        edge_lifetime=(20, 200),
        metric="euclidean",
        shuffle=True,
    ):
        self.n_units = n_units
        self.training = training
        self.n_epochs = n_epochs
        self.random_state = random_state
        self.neighborhood_range = neighborhood_range
        self.learning_rate = learning_rate
        self.edge_lifetime = edge_lifetime
        self.metric = metric
        self.shuffle = shuffle

    def fit(self, X, y=None, *, callback=None):
        """Learn a map of X from scratch.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Read where it lies if it is a C-contiguous array of float32 or float64, a `numpy.memmap` too. With fewer
            rows than units some units start on the same row.
        y : ignored
        callback : callable(state, step), optional
            Called with a `MapState` and the number of samples presented so far: after every epoch (batch), every
            1000 samples (online). Returning True ends the training there.

        Returns
        -------
        self
        """
        self._check_parameters()
        X = self._validate(X, reset=True)
        rng = check_generator(self.random_state)
        self._place(X, rng)
        if self.training == "batch":
            with tqdm(range(self._count_epochs(len(X))), **_progress("epoch")) as progress:
                for _ in progress:
                    if self._step(collect_ranks(X, self.prototypes_, self._range(), self.metric), callback):
                        break
        else:
            n_epochs = self._count_epochs(len(X))
            orders = shuffled_orders(len(X), n_epochs, rng) if self.shuffle else plain_orders(len(X), n_epochs)
            self._present(X, orders, n_epochs * len(X), np.empty(0, np.int64), callback)
        self.labels_, self.counts_, self.spreads_ = self._count(X)
        return self

    def partial_fit(self, X, y=None, *, callback=None):
        """Continue with the rows of X; the first call starts a map on them.

        Batch: one step at the final range; the edges become those of these rows. Online: every row once, in the order
        given, the schedule goes on where it was. Parameters and return value as for `fit`.
        """
        self._check_parameters()
        first = not hasattr(self, "prototypes_")
        X = self._validate(X, reset=first)
        if first:
            self._place(X, check_generator(self.random_state))
        if self.training == "batch":
            reach = self._ends()[1]
            self._step(collect_ranks(X, self.prototypes_, reach, self.metric), callback)
            self.labels_, counts, spreads = self._count(X)
            total = self.counts_ + counts
            self.spreads_ = (self.counts_ * self.spreads_ + counts * spreads) / np.maximum(total, 1)
            self.counts_ = total
        else:
            seen, labels = self.n_samples_seen_, np.empty(len(X), np.int64)
            self._present(X, plain_orders(len(X), 1), len(X), labels, callback)
            stopped = self.n_samples_seen_ < seen + len(X)
            self.labels_ = self.predict(X) if stopped else labels
        return self

    def initialize(self, X):
        """Place the units as `fit` does before its first step, and forget everything else.

        Returns
        -------
        self
        """
        self._check_parameters()
        self._place(self._validate(X, reset=True), check_generator(self.random_state))
        return self

    def partial_statistics(self, X):
        """What the rows of X say about the present units at the range of the next step; changes nothing.

        Returns
        -------
        statistics : BatchStatistics
            A named tuple of small arrays, to be sent, merged and given to `update`.
        """
        self._check_batch("partial_statistics")
        return collect_ranks(self._validate(X), self.prototypes_, self._range(), self.metric)

    def update(self, statistics):
        """One batch step. `counts_` and `spreads_` become those of the statistics, measured before the step.

        Edges stay as they are: they need a pass over rows, `partial_fit`.

        Parameters
        ----------
        statistics : BatchStatistics
            From `partial_statistics` of this map as it is now, or `merge` of several.

        Returns
        -------
        self
        """
        self._check_batch("update")
        _batch_statistics.check_statistics(statistics, self.prototypes_.shape)
        self._step(statistics)
        self.counts_ = statistics.counts
        self.spreads_ = statistics.squares / np.maximum(statistics.counts, 1)
        return self

    def _check_parameters(self):
        check_integer("n_units", self.n_units, 2)
        check_choice("training", self.training, ("batch", "online"))
        check_metric(self.metric)
        if self.n_epochs != "auto":
            check_integer("n_epochs", self.n_epochs, 1)
        if self.training == "batch" and self.metric == "manhattan":
            raise ValueError(
                "metric='manhattan' needs training='online': a mean does not minimise absolute differences"
            )
        check_flag("shuffle", self.shuffle)
        self._rule()

    def _rule(self):
        rates = check_pair("learning_rate", self.learning_rate)
        lifetimes = check_pair("edge_lifetime", self.edge_lifetime)
        return neural_gas.Rule(
            interval=CALLBACK_INTERVAL,
            reaches=self._ends(),
            rates=tuple(check_real("learning_rate", rate, 0, 1, open_low=True) for rate in rates),
            lifetimes=tuple(check_real("edge_lifetime", lifetime, 1) for lifetime in lifetimes),
            n_steps=getattr(self, "schedule_length_", 1),
            metric=check_metric(self.metric),
        )

    def _ends(self):
        first, last = check_pair("neighborhood_range", self.neighborhood_range)
        last = check_real("neighborhood_range", last, 0, open_low=True)
        first = max(self.n_units / 2, last) if first is None else check_real("neighborhood_range", first, last)
        return first, last

    def _check_batch(self, method):
        check_is_fitted(self, "prototypes_")
        if self.training != "batch":
            raise ValueError(f"{method} needs training='batch', got training={self.training!r}")
        self._check_parameters()

    def _count_epochs(self, n_samples):
        if self.n_epochs != "auto":
            return int(self.n_epochs)
        return BATCH_EPOCHS if self.training == "batch" else math.ceil(PRESENTATIONS * self.n_units / n_samples)

    def _place(self, X, rng):
        check_rows("X", X, X.dtype, self.metric)
        self.prototypes_ = np.array(on_samples(X, self.n_units, self.metric, rng))
        self.n_units_ = len(self.prototypes_)
        self.edges_, self.edge_ages_ = np.empty((0, 2), np.int64), np.empty(0, np.int64)
        self.counts_, self.spreads_ = np.zeros(self.n_units_), np.zeros(self.n_units_)
        self.labels_ = np.empty(0, np.int64)
        self.n_samples_seen_ = self.n_steps_ = 0
        n_epochs = self._count_epochs(len(X))
        self.schedule_length_ = n_epochs if self.training == "batch" else n_epochs * len(X)

    def _range(self):
        progress = min(self.n_steps_ / max(self.schedule_length_ - 1, 1), 1.0)
        return neural_gas.scheduled(self._ends(), progress)

    def _step(self, statistics, callback=None):
        """Every unit becomes the weighted mean of all samples; what the callback returned."""
        pulled = statistics.masses > SMALLEST_MASS * statistics.masses.max()
        if self.metric == "cosine":
            pulled &= statistics.sums.any(axis=1, keepdims=True)  # else there is no direction
        moved = np.flatnonzero(pulled)
        means = statistics.sums[moved] / statistics.masses[moved]
        self.prototypes_ = self.prototypes_.copy()
        self.prototypes_[moved] = to_rows(means, self.prototypes_.dtype, self.metric)
        self.n_steps_ += 1
        self.n_samples_seen_ += statistics.n_samples
        if callback is None:
            return False
        network = self._give()
        network.books[:, COUNT] = statistics.counts
        return callback(MapState(network, statistics.quantization_error), self.n_samples_seen_)

    def _present(self, X, orders, total, winners, callback):
        train, network = neural_gas.train, self._give()
        network = present(train, network, self._rule(), X, orders, callback, total, winners, self.metric, "neural gas")
        state = MapState(network)
        self.prototypes_, self.counts_ = state.prototypes.copy(), state.counts.copy()
        self.spreads_ = network.books[:, SPREAD].copy()
        self.edges_, self.edge_ages_ = state.edges_and_ages()
        self.n_samples_seen_ = self.n_steps_ = state.n_samples_seen

    def _give(self):
        """The fitted attributes as arrays that the kernel can change."""
        network = restore(self.prototypes_, self.edges_, self.edge_ages_, self.n_units_, self.metric)
        network.books[:, COUNT] = self.counts_
        network.books[:, SPREAD] = self.spreads_
        network.clock[PRESENTED] = self.n_samples_seen_
        return network

    def _count(self, X):
        """Nearest unit of every row, rows per unit and their spread; after batch training also the edges."""
        pairs = Counter()
        counted = label_rows(X, self.prototypes_, self.metric, pairs)
        if self.training == "batch":
            first, second = np.divmod(np.fromiter(pairs, np.int64), self.n_units_)
            self.edges_ = np.unique(np.sort(np.stack([first, second], axis=1), axis=1), axis=0)
            self.edge_ages_ = np.zeros(len(self.edges_), np.int64)
        return counted


def _progress(unit):
    return {"unit": unit, "desc": "neural gas", "delay": 2, "disable": None, "leave": False}
