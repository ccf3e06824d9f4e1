"""How strongly each unit of a lattice is pulled when a sample has its winner, and how that shrinks over the samples."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel

GAUSSIAN, BUBBLE, CUT_GAUSSIAN = 0, 1, 2
EXPONENTIAL, LINEAR, INVERSE = 0, 1, 2

# row_gaps and column_gaps as `topology._lattice.Lattice` has them; a pull below least_pull is none
OnlineRule = namedtuple(
    "OnlineRule",
    "first_radius last_radius first_rate last_rate schedule_length decay neighborhood metric "
    "row_gaps column_gaps squared_row_spacing least_pull",
)
# Gaussians along rows and columns (n_gaps,), and the latter as a winner's row of the lattice sees them, by parity
Tables = namedtuple("Tables", "along_rows along_columns factors")


@kernel()
def new_tables(rule, weights):
    n_parities, _, _, n_columns = rule.column_gaps.shape
    return Tables(
        np.empty(rule.row_gaps.shape[0]),
        np.empty(rule.column_gaps.max() + 1),
        np.empty((n_parities, n_columns), weights.dtype),
    )


@kernel()
def scheduled(first, last, progress, decay):
    """Value between first and last at `progress` in [0, 1]."""
    if progress == 1 or first == last:
        return last
    if decay == LINEAR:
        return first + progress * (last - first)
    if decay == INVERSE:
        return first / (1 + progress * (first / last - 1))
    return first * (last / first) ** progress


@kernel()
def pull_from(winner, n_seen, rule, tables, pulls):
    """pulls[k] = rate * neighbourhood of the winner at unit k; the Gaussian is a product over rows and columns."""
    progress = min(n_seen / max(rule.schedule_length - 1.0, 1.0), 1.0)
    radius = scheduled(rule.first_radius, rule.last_radius, progress, rule.decay)
    rate = scheduled(rule.first_rate, rule.last_rate, progress, rule.decay)
    n_parities, _, _, n_columns = rule.column_gaps.shape
    row, column = winner // n_columns, winner % n_columns
    row_gaps = rule.row_gaps[row]
    column_gaps = rule.column_gaps[row % n_parities, :, column]
    if rule.neighborhood == BUBBLE:
        tables.along_rows[:] = 1.0
        tables.along_columns[:] = 1.0
    else:
        tabulate_gaussian(rule.squared_row_spacing, radius, tables.along_rows)
        tabulate_gaussian(1.0 / n_parities**2, radius, tables.along_columns)
    for p in range(n_parities):
        for c in range(n_columns):
            tables.factors[p, c] = tables.along_columns[column_gaps[p, c]]
    least = pulls.dtype.type(rule.least_pull)
    for r in range(row_gaps.shape[0]):
        share = pulls.dtype.type(rate * tables.along_rows[row_gaps[r]])
        multiply(tables.factors, r % n_parities, share, least, pulls, r * n_columns)
        if rule.neighborhood != GAUSSIAN:
            height = rule.squared_row_spacing * row_gaps[r] ** 2
            for c in range(n_columns):
                if height + (column_gaps[r % n_parities, c] / n_parities) ** 2 > radius * radius:
                    pulls[r * n_columns + c] = 0


@kernel()
def multiply(factors, parity, share, least, pulls, start):
    """Pulls of one row of the lattice, whose first unit is `start`."""
    parity, start = np.uint64(parity), np.uint64(start)
    for c in range(np.uint64(factors.shape[1])):
        pull = share * factors[parity, c]
        pulls[start + c] = pull if pull >= least else pulls.dtype.type(0)


@kernel()
def tabulate_gaussian(squared_step, radius, table):
    """table[g] = exp(-g^2 squared_step / (2 radius^2)) by two recurrences; radius 0 leaves the winner alone."""
    factor = np.exp(-0.5 * squared_step / (radius * radius)) if radius > 0 else 0.0
    value, ratio = 1.0, factor
    for g in range(table.shape[0]):
        table[g] = value
        value *= ratio
        ratio *= factor * factor
