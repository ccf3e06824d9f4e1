"""Checks of arguments that several files share; each names the argument, what was wrong and what is allowed."""

import math
from numbers import Real

import numpy as np


def check_positive_integer(name, value):
    """Refuse anything but an integer >= 1."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{name} must be a positive integer, got {value!r}")


def check_seed(seed):
    """Refuse anything but an integer >= 0."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"seed must be a non-negative integer, got {seed!r}")


def check_number(name, value, *, zero_allowed=False):
    """Refuse anything but a finite number > 0 (or >= 0)."""
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"{name} must be a finite number, got {value!r}")
    if value < 0 or (value == 0 and not zero_allowed):
        raise ValueError(f"{name} must be {'at least' if zero_allowed else 'above'} 0, got {value!r}")


def check_heads(heads, allowed):
    """Names of heads as a tuple."""
    names = (heads,) if isinstance(heads, str) else tuple(heads)
    if not names or len(set(names)) < len(names) or not set(names) <= set(allowed):
        raise ValueError(f"head must be one of {allowed} or a tuple of different ones, got {heads!r}")
    return names


def check_action(action, n, action_dim, name="action"):
    """Actions as a float32 array (n, action_dim)."""
    action = np.asarray(action)
    if action.dtype.kind not in "fiu":
        raise TypeError(f"{name} must be numeric, got {action.dtype}")
    if action.shape != (n, action_dim):
        raise ValueError(f"{name} must have shape ({n}, {action_dim}), got {action.shape}")
    if not np.isfinite(action).all():
        raise ValueError(f"{name} must be finite, but holds NaN or infinity")
    return action.astype(np.float32)
