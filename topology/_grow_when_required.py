"""A map that grows where a sample is far from a unit that has learned its place."""

import math

import numpy as np

from topology._growing_map import GrowingMap
from topology._kernels import gwr
from topology._kernels.network import HABITUATION
from topology._metric import blocks, check_metric, to_rows
from topology._nearest import pairwise
from topology._validation import check_choice, check_flag, check_integer, check_pair, check_real

CALLBACK_INTERVAL = 100
PRESENTATIONS = 500  # per unit
FEWEST_EPOCHS = 3


class GrowWhenRequired(GrowingMap):
    """Self-organising network that grows when required (Marsland, Shapiro and Nehmzow 2002, Neural Networks 15:1041).

    A sample x with winner w has the activity exp(-||x - w|| / length_scale). If that is below `activity_threshold`
    although the winner has won often (its habituation is below `habituation_threshold`), a new unit is placed midway
    between both; else the winner and its neighbours move towards x, each by its rate times its habituation. Growth
    follows the data, not a clock: it stops where all of them are near a unit and starts again when they change.

    Parameters
    ----------
    max_units : int, default=100
        At least 2. Beyond it the map only moves.
    activity_threshold : float in (0, 1), default=0.85
        A sample is near enough to its winner within -log(activity_threshold) * length_scale.
    length_scale : float > 0 or "auto", default="auto"
        In the units of X (1 - cos for metric="cosine"). "auto": mean distance of the rows to their mean, measured on X
        in `fit` and in the first `partial_fit`.
    n_epochs : int or "auto", default="auto"
        Passes over X in `fit`. "auto": 500 presentations for each of `max_units`, at least 3 passes.
    random_state : int, RandomState, Generator or None
        Decides the two first units and the order.
    learning_rate, neighbor_learning_rate : float in (0, 1] and [0, 1], default=0.1 and 0.01
        Share of the way to the sample that the winner and its neighbours move, times their habituation.
    habituation_threshold : float in (0, 1], default=0.1
    habituation_times : (float, float), default=(3.33, 14.3)
        Time constants of winner and neighbours, at least 1.05, in samples: with every sample the habituation h, 1 at
        first, changes by (1.05 (1 - h) - 1) / time; it approaches 0.048.
    max_age : int, default=50
        Edges older than this are removed; an edge ages by one whenever one of its two units wins with another.
    metric : {"euclidean", "cosine", "manhattan"}, default="euclidean"
        As for `GrowingNeuralGas`.
    shuffle : bool, default=True
        Present the rows in a fresh random order in every epoch of `fit`; else in the order given.

    Attributes
    ----------
    prototypes_ : ndarray (n_units, n_features), float32 or float64 as X
    edges_ : ndarray of int (n_edges, 2), smaller unit first, sorted
    edge_ages_ : ndarray of int (n_edges,)
    habituations_ : ndarray (n_units,), 1: has never won, 0.048: has won often
    length_scale_ : float
    counts_, spreads_, labels_, n_units_, n_samples_seen_, n_features_in_
        As for `GrowingNeuralGas`.

    Examples
    --------
    >>> import numpy as np
    >>> from topology import GrowWhenRequired
    >>> X = np.random.default_rng(0).random((1000, 2))
    >>> gwr = GrowWhenRequired(activity_threshold=0.8, random_state=0).fit(X)
    >>> bool((np.exp(-gwr.transform(X).min(axis=1) / gwr.length_scale_) > 0.75).all())
    True
    """

    _kernel = staticmethod(gwr.train)
    _title = "growing when required"
    _columns = {"habituations": HABITUATION}
    _arrays = {
        "edge_ages": ("i", ("edges",)),
        "habituations": ("f", ("units",)),
        "length_scale": ("f", ()),
    }

    def __init__(
        self,
        max_units=100,
        *,
        activity_threshold=0.85,
        length_scale="auto",
        n_epochs="auto",
        random_state=None,
        learning_rate=0.1,
        neighbor_learning_rate=0.01,
        habituation_threshold=0.1,
        habituation_times=(3.33, 14.3),
        max_age=50,
        metric="euclidean",
        shuffle=True,
    ):
        self.max_units = max_units
        self.activity_threshold = activity_threshold
        self.length_scale = length_scale
        self.n_epochs = n_epochs
        self.random_state = random_state
        self.learning_rate = learning_rate
        self.neighbor_learning_rate = neighbor_learning_rate
        self.habituation_threshold = habituation_threshold
        self.habituation_times = habituation_times
        self.max_age = max_age
        self.metric = metric
        self.shuffle = shuffle

    def _check_parameters(self):
        """The constants of the kernel; all parameters are checked here, before any work."""
        times = check_pair("habituation_times", self.habituation_times)
        winner_time, neighbor_time = (check_real("habituation_times", time, gwr.RECOVERY) for time in times)
        threshold = check_real("activity_threshold", self.activity_threshold, 0, 1, open_low=True, open_high=True)
        if isinstance(self.length_scale, str):
            check_choice("length_scale", self.length_scale, ("auto",))
        else:
            check_real("length_scale", self.length_scale, 0, open_low=True)
        if self.n_epochs != "auto":
            check_integer("n_epochs", self.n_epochs, 1)
        check_flag("shuffle", self.shuffle)
        return gwr.Rule(
            winner_rate=check_real("learning_rate", self.learning_rate, 0, 1, open_low=True),
            neighbor_rate=check_real("neighbor_learning_rate", self.neighbor_learning_rate, 0, 1),
            interval=CALLBACK_INTERVAL,
            max_age=check_integer("max_age", self.max_age, 1),
            max_units=check_integer("max_units", self.max_units, 2),
            max_distance=-math.log(threshold) * float(getattr(self, "length_scale_", 1.0)),
            habituation_threshold=check_real("habituation_threshold", self.habituation_threshold, 0, 1, open_low=True),
            winner_time=winner_time,
            neighbor_time=neighbor_time,
            metric=check_metric(self.metric),
        )

    def _start(self, X, rng):
        network = super()._start(X, rng)
        network.books[:, HABITUATION] = 1
        self.length_scale_ = _mean_distance(X, self.metric) if self.length_scale == "auto" else float(self.length_scale)
        return network

    def _count_epochs(self, n_samples, rule):
        if self.n_epochs != "auto":
            return int(self.n_epochs)
        return max(FEWEST_EPOCHS, math.ceil(PRESENTATIONS * rule.max_units / n_samples))


def _mean_distance(X, metric):
    """Mean distance of the rows to their mean; for "cosine" to the mean direction."""
    center = sum(to_rows(X[rows], X.dtype, metric).sum(axis=0, dtype=np.float64) for rows in blocks(X)) / len(X)
    center = to_rows(center[None], X.dtype, metric)
    total = sum(pairwise(X[rows], center, metric).sum(dtype=np.float64) for rows in blocks(X))
    return float(total / len(X))
