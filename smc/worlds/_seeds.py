"""Seeds of the rows of a batch, and counts."""

from __future__ import annotations

from numbers import Integral

import numpy as np


def row_seeds(seed, n_rows: int, name: str = "seed") -> np.ndarray:
    """One seed per row (n_rows,) of uint64.

    An array gives each row its own seed, whatever batch the row stands in; from one integer (or a `Generator`) the rows
    get different seeds.
    """
    if isinstance(seed, np.random.Generator):
        return seed.integers(2**64, size=n_rows, dtype=np.uint64)
    if isinstance(seed, Integral) and not isinstance(seed, bool):
        if seed < 0:
            raise ValueError(f"{name} is {seed}; an integer >= 0 is needed")
        return np.random.SeedSequence(int(seed)).generate_state(n_rows, np.uint64)
    seeds = np.asarray(seed)
    if seeds.dtype.kind not in "iu":
        raise TypeError(f"{name} is {type(seed).__name__}; an integer, one per row, or a numpy Generator is needed")
    if seeds.shape != (n_rows,):
        raise ValueError(f"{name} has shape {seeds.shape}; ({n_rows},) is needed")
    if seeds.dtype.kind == "i" and (seeds < 0).any():
        raise ValueError(f"{name} has negative values; integers >= 0 are needed")
    return seeds.astype(np.uint64)


def check_count(value, name: str, lowest: int, highest: int) -> None:
    """Refuse what is no integer in lowest..highest."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} is {value!r}; an integer is needed")
    if not lowest <= value <= highest:
        raise ValueError(f"{name} is {value}; an integer in {lowest}..{highest} is needed")
