"""Reliability of a sense from the topology of its clean data."""

import numbers

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from fusion._calibration import (
    check_groups,
    combine_fisher,
    distance_reliability,
    held_out_p_values,
    rank_p_values,
    sellke_reliability,
    split_groups,
)
from fusion._columns import resolve_columns
from fusion._typicality import SCALINGS, SCORES, Typicality
from topology._validation import check_choice

GRADINGS = ("p_value", "distance")
TYPICAL = 0.95  # share of the clean samples that count as fully typical under grading="distance"


class DensityReliability(BaseEstimator):
    """How typical a sample is of its sense, graded and calibrated on clean data kept apart.

    Each layer (group of columns) is mapped on one part of the clean data; the other part, kept apart by whole groups,
    turns anomaly scores into p-values. Fisher's statistic joins the layers and is calibrated on the same part, which
    absorbs their dependence. The p-value becomes a reliability by Sellke's bound, at most ``1 - prior_degraded``: the
    probability that the sample is intact. With ``grading="distance"`` the reliability tells instead how badly it is
    degraded, which p-values cannot: beyond all clean samples they are alike.
    It finds degraded inputs. It cannot find a typical input that belongs to another object (`CrossModalAgreement`).

    Parameters
    ----------
    estimator : estimator, default=None
        Map or density, cloned for each layer. None: `topology.GrowingNeuralGas` with at most 100 units (10 samples
        per unit at least), wrapped in `topology.CodebookDensity` for ``score="log_density"``.
    score : {"second_moment", "log_density", "distance"}, default="second_moment"
        Anomaly score. "second_moment": squared distance to the best matching unit in units of its cell's variance
        (`topology.CellMoments.energy`); needs ``prototypes_`` or ``cluster_centers_``. "log_density": minus
        ``score_samples`` of any density, a Gaussian mixture for instance. "distance": squared distance to the best
        matching unit, or to the k-th neighbour of a `sklearn.neighbors.NearestNeighbors`.
    layers : None, list or dict, default=None
        Column groups that are scored apart and combined: a list of slices, index arrays, masks or column names, or a
        dict from layer name to such columns. None makes one layer of all columns.
    scaling : {"feature", "common", None} or dict, default="feature"
        Standardisation of each layer by its clean mean and, per column or in common, its standard deviation.
        "feature" suits features of different units and spreads, such as pooled activations; "common" keeps the
        geometry of normalised embeddings. None leaves the data as they are, which a `FrozenEstimator` needs. A dict
        names the layers that differ from "feature".
    calibration_fraction : float, default=0.25
        Share of the groups kept apart, in (0, 1). The smallest p-value is 1 / (n_calibration_ + 1).
    prior_degraded : float, default=0.2
        Share of degraded samples expected beforehand, in (0, 1) (grading="p_value").
    random_state : int, RandomState or None, default=None
        Draws the calibration groups and seeds the default estimator.
    grading : {"p_value", "distance"}, default="p_value"
        "distance": min(1, t / s), with s the squared distance from what is typical (in units of the cell's variance for
        "second_moment", twice the loss of log density against the densest calibration sample for "log_density") and t
        what 95 % of the calibration samples stay below; of several layers the worst counts. It falls as the precision
        of a sample falls under noise, so it suits ``combine="product"``, which raises probabilities to it.

    Attributes
    ----------
    layer_names_ : list of str
    estimators_ : dict
        Fitted map or density of each layer.
    n_calibration_ : int
        Number of samples kept apart.
    n_features_in_ : int

    References
    ----------
    Sellke, Bayarri & Berger (2001), The American Statistician 55:62. Fisher (1932), Statistical Methods for Research
    Workers, 4th ed. (combination of tests). Vovk, Gammerman & Shafer (2005), Algorithmic Learning in a Random World
    (p-values from ranks among samples kept apart).
    """

    def __init__(
        self,
        estimator=None,
        *,
        score="second_moment",
        layers=None,
        scaling="feature",
        calibration_fraction=0.25,
        prior_degraded=0.2,
        random_state=None,
        grading="p_value",
    ):
        self.estimator = estimator
        self.score = score
        self.layers = layers
        self.scaling = scaling
        self.calibration_fraction = calibration_fraction
        self.prior_degraded = prior_degraded
        self.random_state = random_state
        self.grading = grading

    def fit(self, X, groups=None):
        """Learn what is typical from clean data.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Clean samples, finite.
        groups : array-like of shape (n_samples,), default=None
            Samples of one group (views of one object, one recording) are kept on one side of the split; None makes
            each sample its own group. Samples that share a group across the split raise false alarms.

        Raises
        ------
        ValueError
            Bad parameters, NaN or infinity in X, fewer than 2 groups, or a layer that does not vary.
        """
        self._check_parameters()
        X = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        columns = self._resolve_layers()
        groups = check_groups(groups, len(X))
        rng = check_random_state(self.random_state)
        apart = split_groups(groups, self.calibration_fraction, rng)
        if (~apart).sum() < 2:
            raise ValueError(f"X must hold at least 2 samples to map beside the {apart.sum()} kept for calibration")
        self._layers = {}
        for name, indices in columns.items():
            layer = Typicality(self.estimator, self.score, self._scaling_of(name))
            self._layers[name] = (indices, layer.fit(X[np.ix_(~apart, indices)], rng.randint(2**31)))
        self.layer_names_ = list(columns)
        self.estimators_ = {name: layer.estimator_ for name, (_, layer) in self._layers.items()}
        self.n_calibration_ = int(apart.sum())
        self._calibrate(X[apart])
        return self

    def reliability(self, X):
        """Reliability of each sample, shape (n_samples,), in [0, 1]; comparable between senses."""
        if self.grading == "p_value":
            return sellke_reliability(self.p_values(X), self.prior_degraded)
        return distance_reliability(self._worst_distances(self._check(X)), self._typical_distance)

    def p_values(self, X):
        """p-value of each sample over all layers, shape (n_samples,); uniform on clean data of new groups."""
        return rank_p_values(combine_fisher(self.layer_p_values(X)), self._calibration_statistics)

    def layer_p_values(self, X):
        """p-value of each sample in each layer, shape (n_samples, n_layers), in the order of ``layer_names_``."""
        scores = self._scores(self._check(X))
        return np.column_stack(
            [rank_p_values(values, reference) for values, reference in zip(scores, self._calibration_scores)]
        )

    def _check(self, X):
        check_is_fitted(self)
        return validate_data(self, X, dtype=[np.float64, np.float32], reset=False)

    def _scores(self, X):
        return [layer.score(X[:, indices]) for indices, layer in self._layers.values()]

    def _distances(self, X):
        return np.column_stack(
            [
                layer.squared_distance(X[:, indices], lowest_score=reference[0])
                for (indices, layer), reference in zip(self._layers.values(), self._calibration_scores)
            ]
        )

    def _worst_distances(self, X):
        return (self._distances(X) / self._distance_units).max(axis=1)

    def _calibrate(self, X):
        scores = self._scores(X)
        self._calibration_scores = [np.sort(values) for values in scores]
        p_values = np.column_stack([held_out_p_values(values) for values in scores])
        self._calibration_statistics = np.sort(combine_fisher(p_values))
        if self.grading == "distance":
            self._calibrate_distances(X)

    def _calibrate_distances(self, X):
        # A layer whose clean samples all lie on the map has no distance to measure by; the smallest number stands in.
        self._distance_units = np.maximum(np.quantile(self._distances(X), TYPICAL, axis=0), np.finfo(float).tiny)
        self._typical_distance = max(np.quantile(self._worst_distances(X), TYPICAL), np.finfo(float).tiny)

    def _resolve_layers(self):
        layers = {"all": None} if self.layers is None else self.layers
        if not isinstance(layers, dict):
            layers = {f"layer{i}": columns for i, columns in enumerate(layers)}
        names = getattr(self, "feature_names_in_", None)
        return {
            name: resolve_columns(columns, self.n_features_in_, names, owner=f"layers[{name!r}]")
            for name, columns in layers.items()
        }

    def _scaling_of(self, name):
        return self.scaling.get(name, "feature") if isinstance(self.scaling, dict) else self.scaling

    def _check_parameters(self):
        check_choice("score", self.score, SCORES)
        check_choice("grading", self.grading, GRADINGS)
        if self.layers is not None and (not isinstance(self.layers, (list, tuple, dict)) or len(self.layers) == 0):
            raise ValueError(
                f"layers must be None, or a list or dict of at least one column group; got {self.layers!r}"
            )
        scalings = self.scaling.values() if isinstance(self.scaling, dict) else [self.scaling]
        if any(scaling not in SCALINGS for scaling in scalings):
            raise ValueError(f"scaling must be one of {SCALINGS}, or a dict of these by layer; got {self.scaling!r}")
        if isinstance(self.scaling, dict):
            known = set(self.layers) if isinstance(self.layers, dict) else set()
            if not set(self.scaling) <= known:
                raise ValueError(
                    f"scaling names unknown layers {sorted(set(self.scaling) - known)}; layers are {known}"
                )
        for name in ("calibration_fraction", "prior_degraded"):
            value = getattr(self, name)
            if not isinstance(value, numbers.Real) or not 0 < value < 1:
                raise ValueError(f"{name} must be a number strictly between 0 and 1; got {value!r}")
