"""The self-organising map: prototypes on a lattice, where neighbours learn together."""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from topology import metrics, storage
from topology._batch_training import BatchSteps, count_epochs
from topology._codebook import Codebook, label_rows
from topology._metric import to_rows
from topology._missing_values import check_observed, measure_observed
from topology._nearest import pairwise
from topology._network import plain_orders, shuffled_orders
from topology._online_training import present
from topology._placement import on_given, on_plane, on_samples
from topology._som_settings import check_settings
from topology._som_state import SOMState
from topology._validation import check_generator
from topology._winners import collect


class SelfOrganizingMap(
    ClassNamePrefixFeaturesOutMixin, BatchSteps, Codebook, ClusterMixin, TransformerMixin, BaseEstimator
):
    """Self-organising map (Kohonen 1982, Biol. Cybern. 43:59; batch rule: Kohonen 2013, Neural Networks 37:52).

    Batch: in every epoch each unit becomes the mean of all samples, weighted by the neighbourhood h of their winners
    c on the lattice, w_k = sum_i h(c_i, k) x_i / sum_i h(c_i, k). Online: each sample moves every unit by
    learning_rate * h(c, k) * (x - w_k) before the next one is looked at. Winners are exact in both.

    Parameters
    ----------
    shape : (int, int), default=(10, 10)
        Rows and columns of the lattice. Unit k = row * columns + column.
    lattice : {"rectangular", "hexagonal"}, default="rectangular"
        4 or 6 nearest neighbours. Hexagonal: odd rows are shifted by half a step, rows are sqrt(3)/2 apart.
    periodic : bool, default=False
        Join opposite sides (a torus). A hexagonal lattice needs an even number of rows for that.
    training : {"batch", "online"}, default="batch"
        Only "batch" with metric="euclidean" accepts NaN: a missing value. The winner is then the nearest unit over the
        observed features, and every feature of a unit is the mean of the samples that have it.
    n_epochs : int, default=20
        Passes over X in `fit`. Half as many often leave folds in a map of many features.
    radius : (float or None, float), default=(None, 0.5)
        Neighbourhood radius at the start and at the end, in lattice steps; None: half the longer side. 0 leaves the
        winner alone (k-means).
    learning_rate : float or (float, float), in (0, 1], default=(0.5, 0.01)
        Of online training, at the start and at the end.
    init : {"pca", "sample"} or array (n_units, n_features), default="pca"
        "pca": a plane through the data, see `initialize`. "sample": random rows of X.
    random_state : int, RandomState, Generator or None
        Decides the rows of init="sample" and the order of online training.
    neighborhood : {"gaussian", "bubble", "cut_gaussian"}, default="gaussian"
        h at lattice distance d: exp(-d**2 / (2 radius**2)); 1 up to radius, else 0; their product. The radius of
        the convention exp(-d**2 / sigma**2) is sigma / sqrt(2).
    decay : {"exponential", "linear", "inverse"}, default="exponential"
        How radius and learning rate go from start a to end b with progress p from 0 to 1: a (b/a)**p,
        a + p (b - a), or a / (1 + p (a/b - 1)). Batch: per epoch. Online: per sample.
    metric : {"euclidean", "cosine", "manhattan"}, default="euclidean"
        "cosine": rows are scaled to unit length, prototypes stay there. "manhattan": online only, as means do not
        minimise absolute differences.
    shuffle : bool, default=True
        Online: present the rows in a fresh random order in every epoch of `fit`; else in the order given.
    schedule_length : int or None, default=None
        Online: samples over which radius and learning rate decay; they stay at the end values afterwards. None:
        n_epochs times the rows of `fit`, or of the first `partial_fit`.

    Attributes
    ----------
    prototypes_ : ndarray (n_units, n_features), float32 or float64 as X
    edges_ : ndarray of int (n_edges, 2), nearest neighbours on the lattice, smaller unit first, sorted
    positions_ : ndarray (n_units, 2), coordinates (x, y) of the units on the lattice, in lattice steps
    counts_ : ndarray (n_units,)
        After `fit` the number of rows of X nearest to each unit; `partial_fit` adds those of its rows.
    spreads_ : ndarray (n_units,)
        Mean squared distance to the unit of the same samples, squared units of X.
    labels_ : ndarray of int (n_samples,), nearest unit of every row of the last `fit` or `partial_fit`
    n_units_ : int
    n_samples_seen_ : int, samples presented so far, every epoch counted
    n_steps_ : int, batch steps so far
    schedule_length_ : int, samples over which online training decays
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from topology import SelfOrganizingMap
    >>> X = np.random.default_rng(0).random((1000, 2))
    >>> som = SelfOrganizingMap((8, 12), lattice="hexagonal").fit(X)
    >>> som.prototypes_.shape
    (96, 2)

    Data in parts, wherever they are: a part's statistics are a few small arrays. Here X is a Dask array with chunks
    of rows, and the workers of the active `dask.distributed.Client` count their chunks in every epoch.

    >>> import dask
    >>> def fit_dask(som, X):
    ...     som.initialize(X[:: max(1, len(X) // 4096)].compute())
    ...     X = X.rechunk({1: -1}).persist()  # whole rows, kept by the workers
    ...     for _ in range(som.n_epochs):
    ...         parts = [dask.delayed(som.partial_statistics)(rows) for rows in X.to_delayed().ravel()]
    ...         som.update(som.merge(*dask.compute(*parts)))
    ...     return som
    """

    _arrays = {"positions": ("f", ("units", 2))}
    _numbers = ("n_steps", "schedule_length")
    _min_units = 1

    def __init__(
        self,
        shape=(10, 10),
        *,
        lattice="rectangular",
        periodic=False,
        training="batch",
        n_epochs=20,
        radius=(None, 0.5),
        learning_rate=(0.5, 0.01),
        init="pca",
        random_state=None,
        neighborhood="gaussian",
        decay="exponential",
        metric="euclidean",
        shuffle=True,
        schedule_length=None,
    ):
        self.shape = shape
        self.lattice = lattice
        self.periodic = periodic
        self.training = training
        self.n_epochs = n_epochs
        self.radius = radius
        self.learning_rate = learning_rate
        self.init = init
        self.random_state = random_state
        self.neighborhood = neighborhood
        self.decay = decay
        self.metric = metric
        self.shuffle = shuffle
        self.schedule_length = schedule_length

    def fit(self, X, y=None, *, callback=None):
        """Learn a map of X from scratch.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            Read where it lies if it is a C-contiguous array of float32 or float64, a `numpy.memmap` too.
        y : ignored
        callback : callable(state, step), optional
            Called with a `SOMState` and the number of samples presented so far: after every epoch (batch), every
            1000 samples (online). Returning True ends the training there.

        Returns
        -------
        self
        """
        settings = self._check_parameters()
        X, gaps = self._validate_observed(X, reset=True)
        rng = check_generator(self.random_state)
        self._place(X, settings.lattice, rng)
        if self.training == "batch":
            for _ in count_epochs(self.n_epochs):
                statistics = collect(X, self.prototypes_, self.metric, gaps=gaps)
                if self._step(statistics, settings, self._progress(), callback):
                    break
        else:
            shuffled = shuffled_orders(len(X), self.n_epochs, rng)
            orders = shuffled if self.shuffle else plain_orders(len(X), self.n_epochs)
            self._present(X, settings, orders, self.n_epochs * len(X), callback)
        self.labels_, self.counts_, self.spreads_ = self._count(X, gaps)
        return self

    def partial_fit(self, X, y=None, *, callback=None):
        """Continue with the rows of X; the first call starts a map on them.

        Batch: one batch step at the final radius. Online: present every row once, in the order given; radius and
        learning rate go on where they were. Parameters and return value as for `fit`.
        """
        first = not hasattr(self, "prototypes_")
        settings = self._check_parameters() if first else self._check_fitted()
        X, gaps = self._validate_observed(X, reset=first)
        if first:
            self._place(X, settings.lattice, check_generator(self.random_state))
        if self.training == "batch":
            statistics = collect(X, self.prototypes_, self.metric, gaps=gaps)
            self._step(statistics, settings, 1.0, callback)
            self.labels_, counts, spreads = self._count(X, gaps)
            total = self.counts_ + counts
            self.spreads_ = (self.counts_ * self.spreads_ + counts * spreads) / np.maximum(total, 1)
            self.counts_ = total
        else:
            self._present(X, settings, plain_orders(len(X), 1), len(X), callback)
            self.labels_ = self._count(X, gaps)[0]
        return self

    def initialize(self, X):
        """Place the units as `fit` does before its first step, and forget everything else.

        init="pca" lays the lattice on the plane of the first two principal components of at most 4096 rows, evenly
        spaced in X, two standard deviations to each side.

        Returns
        -------
        self
        """
        settings = self._check_parameters()
        self._place(self._validate_observed(X, reset=True)[0], settings.lattice, check_generator(self.random_state))
        return self

    def predict(self, X):
        """Nearest unit (best matching unit) of every row, over its observed features where values are missing.

        Parameters
        ----------
        X : array-like (n_samples, n_features)

        Returns
        -------
        labels : ndarray of int (n_samples,)
        """
        return self._count(*self._validate_observed(X))[0]

    def transform(self, X):
        """Distances to all units, in the units of X; for metric="cosine" 1 - cos.

        Where values are missing, the distance is that over the observed features.

        Returns
        -------
        distances : ndarray (n_samples, n_units)
        """
        X, gaps = self._validate_observed(X)
        distances = pairwise(X, self.prototypes_, self.metric)
        if gaps:
            measure_observed(X, self.prototypes_, distances)
        return distances

    def quantization_error(self, X):
        """Mean distance of the rows of X to their nearest unit, in the units of X; for metric="cosine" 1 - cos.

        Where values are missing, the distance is that over the observed features.
        """
        if self.metric == "manhattan":
            return super().quantization_error(X)
        X, gaps = self._validate_observed(X)
        return collect(X, self.prototypes_, self.metric, gaps=gaps).quantization_error

    def topographic_error(self, X):
        """Share of the rows of X whose two nearest units are not next to each other on the lattice.

        Next to each other are the 8 units around one on a rectangular lattice, diagonals included, and 6 on a
        hexagonal one. `topology.metrics.topographic_error` with `edges_` counts diagonals as errors.
        """
        X = self._validate(X)
        adjacent = self._check_fitted().lattice.edges(diagonal=True)
        return metrics.topographic_error(X, self.prototypes_, adjacent, metric=self.metric)

    @classmethod
    def load(cls, path):
        """Read a map written by `save`.

        Raises
        ------
        FileNotFoundError
        topology.storage.CorruptFileError
            The file is damaged, of another kind, or its values cannot belong to a map on its lattice.
        """
        som = super().load(path)
        lattice = som._check_parameters().lattice
        if not np.array_equal(som.positions_, lattice.positions()) or not np.array_equal(som.edges_, lattice.edges()):
            raise storage.CorruptFileError(f"{path}: the units must lie on a {lattice.kind} lattice of {som.shape}")
        return som

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self._takes_gaps()
        return tags

    def _check_parameters(self):
        return check_settings(self)

    def _check_fitted(self):
        settings = self._check_parameters()
        n_units = len(self.prototypes_)
        if settings.lattice.n_units != n_units:
            raise ValueError(f"shape must be that of the fitted map of {n_units} units, got {self.shape}")
        return settings

    def _takes_gaps(self):
        return self.training == "batch" and self.metric == "euclidean"

    def _validate_observed(self, X, *, reset=False):
        """As `_validate`, but batch maps take NaN for a missing value: X, and whether it has any."""
        if not reset:
            check_is_fitted(self, "prototypes_")
        finite = "allow-nan" if self._takes_gaps() else True
        X = validate_data(self, X, reset=reset, dtype=[np.float64, np.float32], order="C", ensure_all_finite=finite)
        return X, check_observed(X, X.dtype if reset else self.prototypes_.dtype, self.metric)

    def _place(self, X, lattice, rng):
        self.positions_ = lattice.positions()
        if not isinstance(self.init, str):
            prototypes = on_given(self.init, lattice, X.shape[1], X.dtype, self.metric)
        elif self.init == "pca":
            prototypes = on_plane(X, self.positions_, self.metric)
        else:
            prototypes = on_samples(X, lattice.n_units, self.metric, rng)
        self.prototypes_ = np.array(to_rows(np.asarray(prototypes, X.dtype), X.dtype, self.metric))
        self.edges_ = lattice.edges()
        self.n_units_ = lattice.n_units
        self.counts_, self.spreads_ = np.zeros(lattice.n_units), np.zeros(lattice.n_units)
        self.labels_ = np.empty(0, np.int64)
        self.n_samples_seen_ = self.n_steps_ = 0
        self.schedule_length_ = int(self.schedule_length or self.n_epochs * len(X))

    def _present(self, X, settings, orders, total, callback):
        def tell(prototypes, n_seen, error):
            radius = settings.radius_at(min(n_seen / self.schedule_length_, 1.0))
            return callback(SOMState(prototypes, self.edges_, self.counts_, n_seen, error, radius), n_seen)

        rule = settings.online_rule(self.schedule_length_, self.prototypes_.dtype)
        self.prototypes_, self.n_samples_seen_ = present(
            self.prototypes_, self.counts_, self.spreads_, self.n_samples_seen_, rule,
            X, orders, total, self.metric, None if callback is None else tell,
        )  # fmt: skip

    def _count(self, X, gaps):
        """Nearest unit of every row, rows per unit and their mean squared distance to it."""
        if self.metric == "manhattan":
            return label_rows(X, self.prototypes_, self.metric)
        labels = np.empty(len(X), np.int64)
        statistics = collect(X, self.prototypes_, self.metric, gaps=gaps, labels=labels)
        return labels, statistics.counts, statistics.squares / np.maximum(statistics.counts, 1)
