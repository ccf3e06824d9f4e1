"""Growing neural gas: a graph of prototypes that grows where it represents the data worst."""

import math
from types import MappingProxyType

import numpy as np

from topology._growing_map import GrowingMap
from topology._kernels import gng
from topology._kernels.network import ERROR, UTILITY
from topology._metric import check_metric
from topology._validation import check_choice, check_flag, check_integer, check_real

# Never mixed silently: each preset fixes the order of operations as well as the constants.
PRESETS = MappingProxyType(
    {
        "1995": {
            "learning_rate": 0.2,
            "neighbor_learning_rate": 0.006,
            "insertion_interval": 100,
            "max_age": 50,
            "split_decay": 0.5,
            "error_decay": 0.995,
        },
        "1997": {
            "learning_rate": 0.05,
            "neighbor_learning_rate": 0.0006,
            "insertion_interval": 300,
            "max_age": 88,
            "split_decay": 0.5,
            "error_decay": 0.9995,
        },
    }
)
# Of 1.3, 3, 10 and 30 all follow a jump; 10 is the least with which both presets reach full size on data that stay.
UTILITY_THRESHOLD = 10.0
SETTLING = 200  # presentations per unit after full size
SETTLING_EPOCHS = 3


class GrowingNeuralGas(GrowingMap):
    """Growing neural gas (Fritzke 1995, NIPS 7:625), with the utility criterion of GNG-U (Fritzke 1997) on request.

    Exact: every sample finds its two nearest units and moves the map before the next one is looked at.

    Parameters
    ----------
    max_units : int, default=100
        Size at which growth stops; at least 2.
    preset : {"1995", "1997"}, default="1995"
        "1995": a new edge starts at age 0 after the winner's edges have aged; a new unit inherits the error of the
        worst unit. "1997" (draft "Some Competitive Learning Methods"): the edge is made first, then the unit moves
        and its edges age; a new unit gets the mean error of its parents. Each comes with its own constants.
    n_epochs : int or "auto", default="auto"
        Passes over X in `fit`. "auto": enough presentations to reach `max_units`, (max_units - 2) *
        insertion_interval, and to settle, 200 * max_units, and never fewer than 3 passes after full size.
    learning_rate, neighbor_learning_rate : float in (0, 1] and [0, 1], default: the preset's
        Share of the way to the sample that the winner and its neighbours move.
    insertion_interval : int, default: the preset's
        Samples between two insertions.
    max_age : int, default: the preset's
        Edges older than this are removed; an edge ages by one whenever one of its two units wins with another.
    split_decay : float in [0, 1], default: the preset's
        Factor on the error of the two parents of a new unit.
    error_decay : float in (0, 1] or "auto", default: the preset's
        Factor on all errors after every sample. "auto": 1 - 1 / (50 max_units), a memory long enough for the
        error to be a fair estimate; then unit density follows the data density more closely.
    criterion : {"error", "utility"}, default="error"
        "utility": at every insertion the least useful unit is removed if the largest error exceeds
        `utility_threshold` times its utility. For distributions that jump.
    utility_threshold : float > 0, default: 10
    shuffle : bool, default=True
        Present the rows in a fresh random order in every epoch of `fit`; else in the order given.
    random_state : int, RandomState, Generator or None
        Decides the two first units and the order.
    metric : {"euclidean", "cosine", "manhattan"}, default="euclidean"
        Which distance decides who is nearest. "cosine": rows are scaled to unit length and prototypes kept there; the
        winner is the nearest on the sphere; `transform` and `quantization_error` give 1 - cos; no row may be zero.
        "manhattan": sums of absolute differences.

    Attributes
    ----------
    prototypes_ : ndarray (n_units, n_features), float32 or float64 as X
    edges_ : ndarray of int (n_edges, 2), smaller unit first, sorted
    edge_ages_ : ndarray of int (n_edges,)
    counts_ : ndarray (n_units,)
        After `fit` the number of rows of X nearest to each unit. During a stream (`partial_fit`, callbacks) the
        number of samples each unit has won; a new unit takes a quarter of each parent's.
    spreads_ : ndarray (n_units,)
        Mean squared distance to the unit of the same samples, squared units of X; during a stream of about the last
        100 samples won.
    errors_, utilities_ : ndarray (n_units,), decayed sums, squared units of X
    labels_ : ndarray of int (n_samples,)
        After `fit` the nearest unit of every row. After `partial_fit` the unit that won each row when it was
        presented; if units were removed meanwhile, the nearest unit now.
    n_units_ : int
    n_samples_seen_ : int, samples presented so far, every epoch counted
    n_features_in_ : int

    Examples
    --------
    >>> import numpy as np
    >>> from topology import GrowingNeuralGas
    >>> X = np.random.default_rng(0).random((1000, 2))
    >>> gng = GrowingNeuralGas(max_units=50, random_state=0).fit(X)
    >>> gng.prototypes_.shape
    (50, 2)
    """

    _kernel = staticmethod(gng.train)
    _title = "growing neural gas"
    _columns = {"errors": ERROR, "utilities": UTILITY}
    _arrays = {
        "edge_ages": ("i", ("edges",)),
        "errors": ("f", ("units",)),
        "utilities": ("f", ("units",)),
    }

    def __init__(
        self,
        max_units=100,
        *,
        preset="1995",
        n_epochs="auto",
        learning_rate=None,
        neighbor_learning_rate=None,
        insertion_interval=None,
        max_age=None,
        split_decay=None,
        error_decay=None,
        criterion="error",
        utility_threshold=None,
        shuffle=True,
        random_state=None,
        metric="euclidean",
    ):
        self.max_units = max_units
        self.preset = preset
        self.n_epochs = n_epochs
        self.learning_rate = learning_rate
        self.neighbor_learning_rate = neighbor_learning_rate
        self.insertion_interval = insertion_interval
        self.max_age = max_age
        self.split_decay = split_decay
        self.error_decay = error_decay
        self.criterion = criterion
        self.utility_threshold = utility_threshold
        self.shuffle = shuffle
        self.random_state = random_state
        self.metric = metric

    def _check_parameters(self):
        """The constants of the kernel; all parameters are checked here, before any work."""
        max_units = check_integer("max_units", self.max_units, 2)
        preset = PRESETS[check_choice("preset", self.preset, tuple(PRESETS))]
        check_choice("criterion", self.criterion, ("error", "utility"))
        if self.n_epochs != "auto":
            check_integer("n_epochs", self.n_epochs, 1)
        check_flag("shuffle", self.shuffle)
        value = {name: preset[name] if getattr(self, name) is None else getattr(self, name) for name in preset}
        if isinstance(value["error_decay"], str):
            check_choice("error_decay", value["error_decay"], ("auto",))
            value["error_decay"] = 1 - 1 / (50 * max_units)
        threshold = np.inf
        if self.utility_threshold is not None:
            check_real("utility_threshold", self.utility_threshold, 0, open_low=True)
        if self.criterion == "utility":
            threshold = float(UTILITY_THRESHOLD if self.utility_threshold is None else self.utility_threshold)
        return gng.Rule(
            winner_rate=check_real("learning_rate", value["learning_rate"], 0, 1, open_low=True),
            neighbor_rate=check_real("neighbor_learning_rate", value["neighbor_learning_rate"], 0, 1),
            interval=check_integer("insertion_interval", value["insertion_interval"], 1),
            max_age=check_integer("max_age", value["max_age"], 1),
            split_decay=check_real("split_decay", value["split_decay"], 0, 1),
            error_decay=check_real("error_decay", value["error_decay"], 0, 1, open_low=True),
            max_units=max_units,
            refresh_first=self.preset == "1997",
            mean_error=self.preset == "1997",
            utility_threshold=threshold,
            metric=check_metric(self.metric),
        )

    def _count_epochs(self, n_samples, rule):
        if self.n_epochs != "auto":
            return int(self.n_epochs)
        growing = (rule.max_units - 2) * rule.interval
        return max(
            math.ceil((growing + SETTLING * rule.max_units) / n_samples),
            math.ceil(growing / n_samples) + SETTLING_EPOCHS,
        )
