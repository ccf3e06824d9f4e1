"""Checks of arguments: one line per rule, one sentence per error."""

import numbers

import numpy as np


def check_integer(name, value, low):
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    if value < low:
        raise ValueError(f"{name} must be at least {low}, got {value}")
    return int(value)


def check_real(name, value, low, high=np.inf, *, open_low=False, open_high=False):
    """A finite number in the interval from low to high; ends are allowed unless said otherwise."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be a number, got {value!r}")
    inside = (value > low if open_low else value >= low) and (value < high if open_high else value <= high)
    if not (np.isfinite(value) and inside):
        interval = f"{'(' if open_low else '['}{low}, {high}{')' if open_high or high == np.inf else ']'}"
        raise ValueError(f"{name} must be in {interval}, got {value}")
    return float(value)


def check_flag(name, value):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return bool(value)


def check_pair(name, value):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__len__") or len(value) != 2:
        raise ValueError(f"{name} must be a pair (start, end), got {value!r}")
    return tuple(value)


def check_choice(name, value, choices):
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def check_matrix(name, array, *, n_columns=None, min_rows=1):
    """A finite real matrix as C-contiguous float32 or float64."""
    array = np.asarray(array)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name} must hold real numbers, got dtype {array.dtype}")
    if array.ndim != 2:
        raise ValueError(f"{name} must have 2 dimensions, (rows, columns), got shape {array.shape}")
    if array.shape[0] < min_rows or array.shape[1] < 1:
        raise ValueError(f"{name} must have at least {min_rows} row(s) and 1 column, got shape {array.shape}")
    if n_columns is not None and array.shape[1] != n_columns:
        raise ValueError(f"{name} must have {n_columns} columns, got {array.shape[1]}")
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if not np.isfinite([array.min(), array.max()]).all():  # no table of booleans as large as the array
        raise ValueError(f"{name} must be finite, got NaN or infinity")
    return np.require(array, requirements=["C", "A"])


def check_magnitude(name, array, dtype, power=1):
    """Refuse finite numbers whose squared distances, added up over many samples, would not be finite in `dtype`.

    A squared distance is at most 4 n_features**power times the largest square: power 1 for Euclidean distances, 2 for
    sums of absolute differences.
    """
    largest_square = min(float(np.finfo(dtype).max) / 16, 1e150)
    limit = np.sqrt(largest_square / float(array.shape[1]) ** power)
    if array.size and max(-float(array.min()), float(array.max())) > limit:
        raise ValueError(f"{name} must not exceed {limit:.0e} in magnitude as {np.dtype(dtype).name}; rescale it")


def check_generator(random_state):
    """Generator from None, an int, a `RandomState` or a `Generator`."""
    if isinstance(random_state, np.random.Generator):
        return random_state
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31))
    if random_state is not None:
        check_integer("random_state", random_state, 0)
    return np.random.default_rng(random_state)


def read_only(array):
    """A view that cannot be written: kernels are compiled once, whether or not the caller's array is writable."""
    view = np.require(array, requirements=["C", "A"]).view()
    view.flags.writeable = False
    return view
