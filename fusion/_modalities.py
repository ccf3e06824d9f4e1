"""Reading modalities: what they are made of, and their samples out of an array, a data frame or a dict."""

import numbers

import numpy as np
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_array, check_is_fitted, has_fit_parameter

from fusion._composition import PARTS

FLOATS = [np.float64, np.float32]


def check_modalities(modalities, reserved):
    """Refuse a malformed list of modalities before any work.

    Parameters
    ----------
    modalities : list of tuple (name, columns, expert, reliability)
    reserved : iterable of str
        Names that a modality must not have.
    """
    if not isinstance(modalities, (list, tuple)) or len(modalities) == 0:
        raise ValueError(f"modalities must be a list of at least one (name, {', '.join(PARTS)}); got {modalities!r}")
    names = []
    for modality in modalities:
        if not isinstance(modality, (list, tuple)) or len(modality) != 4:
            raise ValueError(f"each of modalities must be a tuple (name, {', '.join(PARTS)}); got {modality!r}")
        name, _, expert, reliability = modality
        if not isinstance(name, str) or not name or "__" in name or name in reserved:
            raise ValueError(
                f"the name of a modality must be a string without '__' and none of {sorted(reserved)}; got {name!r}"
            )
        names.append(name)
        if isinstance(expert, type) or not hasattr(expert, "fit") or not hasattr(expert, "predict_proba"):
            raise TypeError(f"{name}: expert must be a classifier with fit and predict_proba; got {expert!r}")
        _check_reliability(name, reliability)
    if len(set(names)) < len(names):
        raise ValueError(f"the names of modalities must differ; got {names}")


def _check_reliability(name, reliability):
    if reliability is None:
        return
    if isinstance(reliability, numbers.Real) and not isinstance(reliability, bool):
        if not 0 <= reliability <= 1:
            raise ValueError(f"{name}: a constant reliability must lie in [0, 1]; got {reliability!r}")
        return
    if isinstance(reliability, type) or not hasattr(reliability, "reliability"):
        if hasattr(reliability, "precision"):
            raise ValueError(
                f"{name}: {type(reliability).__name__} gives a precision, in units of a task variable; class "
                f"probabilities are weighted by a reliability in [0, 1] (such as DensityReliability), and the two are "
                f"not mixed"
            )
        raise TypeError(
            f"{name}: reliability must be None, a number in [0, 1], or an object with the method reliability(X); "
            f"got {reliability!r}"
        )


def split_dict(X, names, n_columns=None):
    """Samples of each modality from a dict; None for a modality that is left out, allowed once `n_columns` is known.

    Parameters
    ----------
    X : dict of {name: array-like (n_samples, n_columns)}
    names : list of str
    n_columns : dict of {name: int}, optional
        Widths seen in fit.
    """
    unknown = [name for name in X if name not in names]
    if unknown:
        raise ValueError(f"X holds the unknown modality {unknown[0]!r}; known are {names}")
    absent = [name for name in names if name not in X]
    if len(absent) == len(names) or (absent and n_columns is None):
        raise ValueError(f"X lacks the modality {absent[0]!r}; all of {names} are needed to fit, one to predict")
    arrays = {name: check_array(X[name], dtype=FLOATS, ensure_all_finite="allow-nan", input_name=name) for name in X}
    lengths = {name: len(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise ValueError(f"all modalities of X must hold the same samples; got lengths {lengths}")
    for name, array in arrays.items():
        if n_columns is not None and array.shape[1] != n_columns[name]:
            raise ValueError(f"{name} has {array.shape[1]} columns, but had {n_columns[name]} in fit")
    return arrays


def find_present(X, name):
    """Rows (n_samples,) in which the modality is there: all NaN is missing, a part is an error."""
    nan = np.isnan(X)
    missing = nan.all(axis=1)
    if nan[~missing].any():
        raise ValueError(
            f"{name}: Input X contains NaN in some of its columns; a modality is missing in a row only if all of its "
            f"columns are NaN there"
        )
    return ~missing


def is_frozen(part):
    """Whether a part is used as it is; a `FrozenEstimator` offers all methods of what it wraps, but must not learn."""
    return isinstance(part, FrozenEstimator)


def fit_reliability(reliability, X, y, groups):
    """A fitted copy, told the labels if its fit has a y; a constant, None, a frozen one or one without fit as it is."""
    if is_frozen(reliability):
        check_is_fitted(reliability)
        return reliability
    if not hasattr(reliability, "fit"):
        return reliability
    labels = {"y": y} if has_fit_parameter(reliability, "y") else {}
    return clone(reliability).fit(X, groups=groups, **labels)


def evaluate_reliability(reliability, X, name):
    """Reliability of each sample, shape (n_samples,), checked to lie in [0, 1]."""
    if reliability is None or isinstance(reliability, numbers.Real):
        return np.full(len(X), 1.0 if reliability is None else float(reliability))
    weights = np.asarray(reliability.reliability(X), dtype=float)
    if weights.shape != (len(X),) or not ((weights >= 0) & (weights <= 1)).all():
        raise ValueError(f"{name}: reliability(X) must give one number in [0, 1] per sample")
    return weights
