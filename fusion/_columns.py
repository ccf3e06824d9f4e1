"""Which columns of an array belong to what."""

import numbers

import numpy as np


def resolve_columns(columns, n_features, feature_names=None, *, owner):
    """Indices (n_columns,) of the columns that `columns` names.

    Parameters
    ----------
    columns : None, slice, int, str, boolean mask, or list or array of int or str
        None means all columns; strings need `feature_names`.
    n_features : int
    feature_names : array of str, optional
    owner : str
        Whom the columns belong to, for messages.
    """
    everything = np.arange(n_features)
    if columns is None:
        return everything
    if isinstance(columns, slice):
        _require(all(edge is None or isinstance(edge, numbers.Integral) for edge in _edges(columns)), owner, columns)
        indices = everything[columns]
    else:
        wanted = np.atleast_1d(np.asarray(columns))
        _require(wanted.ndim == 1 and (wanted.dtype.kind in "biuUO" or len(wanted) == 0), owner, columns)
        if len(wanted) == 0:
            indices = everything[:0]
        elif wanted.dtype.kind == "b":
            _require(len(wanted) == n_features, owner, columns)
            indices = everything[wanted]
        elif wanted.dtype.kind in "iu":
            outside = wanted[(wanted < -n_features) | (wanted >= n_features)]
            if len(outside):
                raise ValueError(f"{owner}: column {outside[0]} does not exist; X has {n_features} columns")
            indices = everything[wanted]
        else:
            indices = _find_names(wanted, feature_names, owner)
    if len(indices) == 0:
        raise ValueError(f"{owner}: columns {columns!r} select nothing; at least one column is needed")
    if len(np.unique(indices)) < len(indices):
        raise ValueError(f"{owner}: columns {columns!r} select a column twice")
    return indices


def _edges(columns):
    return columns.start, columns.stop, columns.step


def _require(condition, owner, columns):
    if not condition:
        raise TypeError(
            f"{owner}: columns must be None, a slice of integers, a boolean mask over all columns, or a list of "
            f"indices or names; got {columns!r}"
        )


def _find_names(wanted, feature_names, owner):
    if feature_names is None:
        raise ValueError(f"{owner}: columns are given by name, but X has no column names; pass a DataFrame or indices")
    position = {name: i for i, name in enumerate(feature_names)}
    unknown = [str(name) for name in wanted if name not in position]
    if unknown:
        raise ValueError(f"{owner}: unknown column {unknown[0]!r}; X has {list(feature_names)}")
    return np.array([position[name] for name in wanted], dtype=int)
