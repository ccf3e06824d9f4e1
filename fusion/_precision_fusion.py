"""Classification from several senses, each trusted as much as it deserves for the sample at hand."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_array, check_consistent_length, check_is_fitted, validate_data

from fusion._calibration import check_groups
from fusion._columns import resolve_columns
from fusion._combination import RULES
from fusion._composition import inner_params, nested_params, replace_parts
from fusion._modalities import (
    FLOATS,
    check_modalities,
    evaluate_reliability,
    find_present,
    fit_reliability,
    is_frozen,
    split_dict,
)

PARAMETERS = ("modalities", "combine", "agreement")


def _experts_learn_on(fusion):
    for name, _, expert, _ in fusion.modalities:
        if not is_frozen(expert) and not hasattr(expert, "partial_fit"):
            raise AttributeError(f"partial_fit needs experts that have it; that of {name}, {expert!r}, has not")
    return True


class PrecisionFusion(ClassifierMixin, BaseEstimator):
    """Fuse one classifier per sense, weighted by the reliability of each sense for each sample.

    Parameters
    ----------
    modalities : list of tuple (name, columns, expert, reliability)
        One per sense. `columns`: None (all), slice, indices, mask or data frame column names. `expert`: classifier
        with ``predict_proba``. `reliability`: an object with ``reliability(X)`` in [0, 1], such as
        `DensityReliability` or `ConfidenceReliability`, fitted on the samples of that sense (and the labels, if its fit
        has a y); in a `sklearn.frozen.FrozenEstimator` it is used as it is; None (always 1); or a constant in [0, 1].
        A `Precision` is refused: it has a unit.
    combine : {"discount", "product", "mean"}, default="discount"
        With r_m the reliability of sense m and C classes: "discount" prod_m [r_m p_m + (1 - r_m) / C]; "product"
        prod_m p_m**r_m; "mean" sum_m r_m p_m / sum_m r_m. Probabilities below 1e-12 count as 1e-12 in products.
    agreement : CrossModalAgreement or None, default=None
        Learns from the clean samples which samples of the senses belong together, and replaces the reliabilities by the
        probability of each sense to tell of the common object. None: senses that are each typical but tell of
        different objects are fused. In a `FrozenEstimator` it is used as it is.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
    experts_, reliabilities_ : dict
        Fitted parts by name of the modality.
    agreement_ : fitted agreement, or None
    n_features_in_ : int
        Only if X was an array or a data frame.

    Notes
    -----
    X is a 2-D array, a data frame, or a dict from the name of each modality to its array, taken whole (`columns` then
    plays no part). A modality whose columns are all NaN in a row is missing there: weight 0, and the row does not
    train it; a modality left out of a dict is missing in every row when predicting. NaN elsewhere is an error. A row
    without any modality gets uniform probabilities.

    Parameters of the parts are nested as in `sklearn.compose.ColumnTransformer`: ``vision__expert__C``,
    ``vision__reliability__score``, ``vision__columns``; ``agreement__prior_foreign``.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> fusion = PrecisionFusion([
    ...     ("vision", slice(0, 32), LogisticRegression(), DensityReliability()),
    ...     ("touch", slice(32, 64), LogisticRegression(), DensityReliability()),
    ... ])  # doctest: +SKIP
    """

    def __init__(self, modalities, *, combine="discount", agreement=None):
        self.modalities = modalities
        self.combine = combine
        self.agreement = agreement

    def get_params(self, deep=True):
        """Parameters by name, with ``deep=True`` also those of the parts of each modality."""
        params = super().get_params(deep=False)
        return params | nested_params(self.modalities) | inner_params("agreement", self.agreement) if deep else params

    def set_params(self, **params):
        """Set parameters, nested ones included, such as ``vision__expert__C``."""
        own = [key for key in params if key in PARAMETERS or key.startswith("agreement__")]
        super().set_params(**{key: params.pop(key) for key in own})
        if params:
            self.modalities = replace_parts(self.modalities, params)
        return self

    def fit(self, X, y, *, groups=None):
        """Fit the expert and the reliability of each modality.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features), data frame, or dict of {name: array}
            Clean samples.
        y : array-like of shape (n_samples,)
            Class labels; one per class is enough for the experts. A reliability that is fitted here needs more.
        groups : array-like of shape (n_samples,), default=None
            Which samples belong together (views of one object). Passed to each reliability, which keeps whole groups
            apart for its calibration, and to nothing else.

        Raises
        ------
        ValueError, TypeError
            Bad parameters or data, named in the message, before anything is fitted.
        """
        self._check_parameters()
        arrays, y, present, groups = self._read_training(X, y, groups, reset=True)
        empty = [name for name, rows in present.items() if not rows.any()]
        if empty:
            raise ValueError(f"{empty[0]} is missing in every row of X; nothing can be learned about it")
        self.classes_ = np.unique(y)
        self.experts_, self.reliabilities_ = {}, {}
        for name, _, expert, reliability in self.modalities:
            rows = present[name]
            self.experts_[name] = clone(expert).fit(arrays[name][rows], y[rows])
            self._find_classes(name)
            self.reliabilities_[name] = fit_reliability(reliability, arrays[name][rows], y[rows], _rows(groups, rows))
        self.agreement_ = self._fit_agreement(arrays, groups)
        return self

    @available_if(_experts_learn_on)
    def partial_fit(self, X, y, classes=None, *, groups=None):
        """Go on learning from a batch; after a `fit`, too.

        Every expert needs ``partial_fit``, unless it is frozen. A reliability is fitted on the first batch that holds
        its modality, the agreement on the first batch, and then kept: give those that were fitted before, in a
        `FrozenEstimator`, if batches are small. A modality that no batch has held yet has weight 0.

        Parameters
        ----------
        X, y, groups
            As in `fit`.
        classes : array-like of shape (n_classes,)
            All classes that will ever occur; needed in the first call.
        """
        self._check_parameters()
        first = not hasattr(self, "classes_")
        all_classes = _check_classes(classes, None if first else self.classes_)
        arrays, y, present, groups = self._read_training(X, y, groups, reset=first)
        if not np.isin(y, all_classes).all():
            raise ValueError(f"y holds labels that are not among classes {all_classes}")
        # A batch can be too small for a reliability or the agreement: before anything else has learned from it.
        reliabilities = {} if first else dict(self.reliabilities_)
        for name, _, _, reliability in self.modalities:
            rows = present[name]
            if rows.any() and name not in reliabilities:
                reliabilities[name] = fit_reliability(reliability, arrays[name][rows], y[rows], _rows(groups, rows))
        if first:
            self.agreement_ = self._fit_agreement(arrays, groups)
            self.experts_ = {name: clone(expert) for name, _, expert, _ in self.modalities}
            self.classes_ = all_classes
        self.reliabilities_ = reliabilities
        for name, rows in present.items():
            if rows.any() and not is_frozen(self.experts_[name]):
                self.experts_[name].partial_fit(arrays[name][rows], y[rows], classes=self.classes_)
        return self

    def predict(self, X):
        """Most probable class of each sample, shape (n_samples,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[np.argmax(probabilities, axis=1)]

    def predict_proba(self, X):
        """Fused class probabilities, shape (n_samples, n_classes), in the order of ``classes_``."""
        probabilities, weights, _ = self._consult(X)
        return RULES[self.combine](probabilities, weights)

    def weights(self, X):
        """Weight of each modality, shape (n_samples, n_modalities), in [0, 1]; 0 where it is missing.

        Its reliability, or with an agreement the probability that it tells of the common object.
        """
        check_is_fitted(self, "classes_")
        return self._weigh(*self._read_known(X)).T

    def _consult(self, X):
        """What each expert says, (n_modalities, n_samples, n_classes), its weight and whether its sense is there."""
        check_is_fitted(self, "classes_")
        arrays, present = self._read_known(X)
        weights = self._weigh(arrays, present)
        probabilities = np.full((*weights.shape, len(self.classes_)), 1 / len(self.classes_))
        for i, (name, rows) in enumerate(present.items()):
            if rows.any():
                known = np.zeros((rows.sum(), len(self.classes_)))
                known[:, self._find_classes(name)] = self.experts_[name].predict_proba(arrays[name][rows])
                probabilities[i, rows] = known
        return probabilities, weights, np.stack(list(present.values()))

    def _weigh(self, arrays, present):
        weights = np.zeros((len(present), len(next(iter(present.values())))))
        for i, (name, rows) in enumerate(present.items()):
            if rows.any():
                weights[i, rows] = evaluate_reliability(self.reliabilities_[name], arrays[name][rows], name)
        if self.agreement_ is not None:
            weights = self.agreement_.common_cause_proba(arrays, weights.T).T
        return weights

    def _fit_agreement(self, arrays, groups):
        if self.agreement is None:
            return None
        if is_frozen(self.agreement):
            check_is_fitted(self.agreement)
            if self.agreement.modality_names_ != list(self._n_columns):
                raise ValueError(
                    f"agreement was fitted on {self.agreement.modality_names_}; it must know the modalities "
                    f"{list(self._n_columns)} in this order"
                )
            return self.agreement
        return clone(self.agreement).fit(arrays, groups=groups)

    def _find_classes(self, name):
        """Where the classes of an expert stand among all classes."""
        classes = np.asarray(self.experts_[name].classes_)
        if not np.isin(classes, self.classes_).all():
            raise ValueError(f"{name}: expert knows the classes {classes}, of which some are not among {self.classes_}")
        return np.searchsorted(self.classes_, classes)

    def _check_parameters(self):
        check_modalities(self.modalities, reserved=PARAMETERS)
        if self.combine not in RULES:
            raise ValueError(f"combine must be one of {list(RULES)}; got {self.combine!r}")
        if self.agreement is not None and not (
            hasattr(self.agreement, "common_cause_proba") and hasattr(self.agreement, "fit")
        ):
            raise TypeError(f"agreement must be None or a CrossModalAgreement; got {self.agreement!r}")
        if self.agreement is not None and len(self.modalities) < 2:
            raise ValueError("agreement needs at least two modalities")

    def _read_training(self, X, y, groups, reset):
        if y is None:
            raise ValueError("y must not be None: PrecisionFusion requires y to be passed, but the target y is None")
        arrays, present = self._read(X, reset=reset)
        y = column_or_1d(check_array(y, ensure_2d=False, dtype=None, input_name="y"), warn=True)
        check_classification_targets(y)
        check_consistent_length(next(iter(present.values())), y)
        return arrays, y, present, None if groups is None else check_groups(groups, len(y))

    def _read(self, X, reset=False):
        """Samples of each modality and the rows in which it is there."""
        names = [modality[0] for modality in self.modalities] if reset else list(self._n_columns)
        if isinstance(X, dict) and not issparse(X):  # a sparse dictionary of keys is a dict, too
            if reset:
                self._forget_columns()
            arrays = split_dict(X, names, None if reset else self._n_columns)
        else:
            arrays = self._split_array(X, reset)
        if reset:
            self._n_columns = {name: arrays[name].shape[1] for name in names}
        n_samples = len(next(iter(arrays.values())))
        absent = np.zeros(n_samples, dtype=bool)
        return arrays, {name: find_present(arrays[name], name) if name in arrays else absent for name in names}

    def _read_known(self, X):
        """As `_read`, but only rows whose modality some batch has held."""
        arrays, present = self._read(X)
        return arrays, {name: rows & (name in self.reliabilities_) for name, rows in present.items()}

    def _split_array(self, X, reset):
        if not reset and not hasattr(self, "n_features_in_"):
            raise ValueError("X must be a dict of modalities, as it was in fit")
        X = validate_data(self, X, reset=reset, dtype=FLOATS, ensure_all_finite="allow-nan")
        if reset:
            names = getattr(self, "feature_names_in_", None)
            self._columns = {
                name: resolve_columns(columns, X.shape[1], names, owner=name) for name, columns, _, _ in self.modalities
            }
        return {name: X[:, columns] for name, columns in self._columns.items()}

    def _forget_columns(self):
        """A refit on a dict must not leave behind what an array told about columns."""
        for attribute in ("n_features_in_", "feature_names_in_", "_columns"):
            if hasattr(self, attribute):
                delattr(self, attribute)


def _check_classes(classes, known):
    if classes is None:
        if known is None:
            raise ValueError("classes must be passed on the first call to partial_fit")
        return known
    classes = np.unique(column_or_1d(classes))
    if known is not None and not np.array_equal(classes, known):
        raise ValueError(f"classes {classes} differ from those of the first call, {known}")
    return classes


def _rows(values, rows):
    return None if values is None else values[rows]
