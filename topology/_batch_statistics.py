"""What one pass over a part of the data tells a batch map; parts may be counted anywhere and then added."""

from functools import reduce
from typing import NamedTuple

import numpy as np


class BatchStatistics(NamedTuple):
    """Sums over samples for every unit, float64. A tuple of arrays, so it travels between processes as it is."""

    sums: np.ndarray  # (n_units, n_features) samples, weighted by how much each belongs to the unit
    masses: np.ndarray  # sums of those weights: (n_units, 1), or (n_units, n_features) where values are missing
    counts: np.ndarray  # (n_units,) samples won
    squares: np.ndarray  # (n_units,) squared distances of the samples won
    distances: np.ndarray  # (n_units,) distances of the samples won

    @property
    def n_samples(self):
        return int(self.counts.sum())

    @property
    def quantization_error(self):
        """Mean distance to the winner, in the units of X."""
        return float(self.distances.sum() / self.counts.sum())


def merge(*statistics):
    """Statistics of all parts together.

    Parameters
    ----------
    *statistics : BatchStatistics
        At least one; all of the same map. They are added in the order given, so the same parts give the same bits.

    Raises
    ------
    TypeError, ValueError
        Nothing to merge, something else, or statistics of maps of different size.
    """
    if not statistics:
        raise ValueError("merge needs the statistics of at least one part, got none")
    for part in statistics:
        check_statistics(part, np.shape(getattr(statistics[0], "sums", None)))
    return BatchStatistics(*(reduce(np.add, field) for field in zip(*statistics)))


def check_statistics(statistics, shape):
    """Refuse what are not the statistics of a map of `shape` (n_units, n_features)."""
    if not isinstance(statistics, BatchStatistics):
        raise TypeError(f"statistics must be what partial_statistics returns, got {type(statistics).__name__}")
    if statistics.sums.shape != shape:
        raise ValueError(f"statistics must be of a map of shape {shape}, got {statistics.sums.shape}")
