"""Sums over the rows that each unit has won: what a batch step takes the means of."""

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import COSINE

COUNT, SQUARE, DISTANCE = 0, 1, 2  # columns of `tallies`


@kernel()
def add_rows(X, winners, squares, metric, part, n_parts, sums, tallies):
    """Add every row to its winner's sums (n_units, n_features), its number and its distance to `tallies` (n_units, 3).

    Of `n_parts` threads each owns every n_parts-th unit and adds its rows in their order: the bits depend neither on
    the number of threads nor on how the rows are cut into blocks.
    """
    for row in range(X.shape[0]):
        unit = winners[row]
        if unit % n_parts == part:
            tally(tallies, unit, squares[row], metric)
            for k in range(X.shape[1]):
                sums[unit, k] += X[row, k]


@kernel()
def add_observed_rows(X, winners, squares, metric, part, n_parts, sums, tallies, masses):
    """As `add_rows`, where NaN is missing; `masses` (n_units, n_features) counts what was observed."""
    for row in range(X.shape[0]):
        unit = winners[row]
        if unit % n_parts == part:
            tally(tallies, unit, squares[row], metric)
            for k in range(X.shape[1]):
                if not np.isnan(X[row, k]):
                    sums[unit, k] += X[row, k]
                    masses[unit, k] += 1


@kernel()
def tally(tallies, unit, square, metric):
    tallies[unit, COUNT] += 1
    tallies[unit, SQUARE] += square
    tallies[unit, DISTANCE] += square / 2 if metric == COSINE else np.sqrt(square)
