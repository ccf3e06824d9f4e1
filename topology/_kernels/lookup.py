"""The two nearest units of one sample after another, while the units move: what a search keeps between samples."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import (
    BATCH,
    COSINE,
    MANHATTAN,
    columns_to_distances,
    columns_to_manhattan,
    lower_bounds,
    nearest_two_of,
    padded,
    select_candidates,
    squared_distance,
    squared_norm,
    two_smallest,
    unit_norms,
)

# COLUMNS reads the mirror, vectorised over units; ROWS reads every unit; BATCH computes the products of many samples
# with all units at once and then reads only the units that may have come nearest since. ROWS and BATCH give the same
# bits, COLUMNS sums in another order. MANHATTAN only knows COLUMNS.
SCAN_COLUMNS, SCAN_ROWS, SCAN_BATCH = 0, 1, 2
# What a search keeps between samples. Few arrays: every one passed on costs time, as much as moving a small unit.
#   units (6, size), rows: lower bounds of the squared distances, inf beyond the units; squared lengths of the units now
#   and when the batch was multiplied; how far each has moved since then, at most; work space; LENGTH of the sample
#   samples (BATCH * (n_features + size),): rows of the batch, then their products with the units
#   candidates (size,); place (3,): NEXT row of the batch, its END, and whether the NORMS are up to date (FRESH)
Lookup = namedtuple("Lookup", "units samples candidates place")
BOUNDS, NORMS, BATCH_NORMS, WAYS, LOW, LENGTH = 0, 1, 2, 3, 4, 5
NEXT, END, FRESH = 0, 1, 2


@kernel()
def new_lookup(weights, search):
    size = padded(weights.shape[0])
    units = np.zeros((6, size), weights.dtype)
    units[BOUNDS] = np.inf
    n_samples = BATCH if search == SCAN_BATCH else 0
    samples = np.empty(n_samples * (weights.shape[1] + size), weights.dtype)
    return Lookup(units, samples, np.arange(size), np.zeros(3, np.int64))


@kernel()
def look_up(lookup, weights, mirror, n_units, X, order, t, n_ahead, search, metric):
    """Two nearest units of X[order[t]] and their "squares"; at most n_ahead samples are multiplied in advance."""
    if search == SCAN_COLUMNS:
        return look_at_columns(lookup.units, mirror, n_units, X, order[t], metric)
    if search == SCAN_ROWS:
        return nearest_two_of(weights, X, order[t], lookup.candidates, n_units)
    return look_at_batch(lookup, weights, n_units, X, order, t, n_ahead)


@kernel()
def look_at_columns(units, mirror, n_units, X, row, metric):
    if metric == MANHATTAN:
        columns_to_manhattan(mirror, n_units, X, row, units[BOUNDS])
        s1, s2, b1, b2 = two_smallest(units[BOUNDS], n_units, units[LOW])
        return s1, s2, b1 * b1, b2 * b2
    columns_to_distances(mirror, n_units, X, row, units[BOUNDS])
    return two_smallest(units[BOUNDS], n_units, units[LOW])


@kernel()
def look_at_batch(lookup, weights, n_units, X, order, t, n_ahead):
    row, bounds, low = order[t], lookup.units[BOUNDS], lookup.units[LOW]
    place = lookup.place
    if place[NEXT] == place[END]:
        multiply_batch(lookup, weights, n_units, X, order[t : t + min(BATCH, n_ahead)])
    slack = (weights.shape[1] + 8) * np.finfo(weights.dtype).eps
    shrink, stretch = weights.dtype.type(1 - slack), weights.dtype.type(1 + slack)
    x_norm = squared_norm(X, row)
    products = lookup.samples[BATCH * weights.shape[1] + place[NEXT] * n_units :]
    lower_bounds(lookup.units[BATCH_NORMS], products, n_units, x_norm, shrink, bounds)
    s1, s2, b1, b2 = two_smallest(bounds, n_units, low)
    b1, b2 = squared_distance(weights, s1, X, row), squared_distance(weights, s2, X, row)
    reach = np.sqrt(max(b1, b2)) * stretch
    n_candidates = select_candidates(bounds, n_units, lookup.units[WAYS], reach, lookup.candidates)
    lookup.units[LENGTH, 0] = np.sqrt(x_norm)
    place[NEXT] += 1
    return nearest_two_of(weights, X, row, lookup.candidates, n_candidates)


@kernel()
def multiply_batch(lookup, weights, n_units, X, rows):
    """Products of X[rows] with all units."""
    units, place, n, n_features = lookup.units, lookup.place, rows.shape[0], weights.shape[1]
    batch = lookup.samples[: n * n_features].reshape(n, n_features)
    for r in range(n):
        copy_row(X, rows[r], batch, r)
    start = BATCH * n_features
    np.dot(batch, weights[:n_units].T, lookup.samples[start : start + n * n_units].reshape(n, n_units))
    if not place[FRESH]:
        unit_norms(weights, n_units, units[NORMS])
        units[BOUNDS] = np.inf
    units[BATCH_NORMS, :n_units] = units[NORMS, :n_units]
    units[WAYS] = 0
    place[NEXT], place[END], place[FRESH] = 0, n, 1


@kernel()
def forget(lookup, n_units):
    """Units came, went or changed numbers: products and bounds belong to others."""
    lookup.place[END] = lookup.place[NEXT]
    lookup.place[FRESH] = 0
    lookup.units[BOUNDS, n_units:] = np.inf


@kernel()
def move(units, weights, mirror, i, X, row, rate, metric):
    """Unit i moves towards X[row] by a share of the way; `units` of the lookup or the mirror follow."""
    if mirror.shape[0] == 0:
        move_in_batch(units, weights, i, X, row, rate, metric)
    else:
        for k in range(X.shape[1]):
            weights[i, k] += rate * (X[row, k] - weights[i, k])
        if metric == COSINE:
            return_to_sphere(weights, i, X, row)
        for k in range(X.shape[1]):
            mirror[k, i] = weights[i, k]


@kernel()
def move_in_batch(units, weights, i, X, row, rate, metric):
    squared, norm = pull(weights, i, X, row, rate)
    if metric == COSINE:
        return_to_sphere(weights, i, X, row)
        norm = squared_norm(weights, i)
    units[NORMS, i] = norm
    slack = weights.dtype.type((weights.shape[1] + 8) * np.finfo(weights.dtype).eps)
    distance = np.sqrt(squared) * (1 + slack)
    way = rate * distance + slack * (units[LENGTH, 0] + distance)
    units[WAYS, i] += way + way if metric == COSINE else way  # back on the sphere: at most twice as far


# Only the order of summation is relaxed. The only place where units move, so that every search leaves the same bits.
@kernel(fastmath={"reassoc", "contract", "nsz"})
def pull(weights, i, X, row, rate):
    """Squared distance before the move, and squared length after it."""
    squared = norm = weights.dtype.type(0)
    for k in range(X.shape[1]):
        difference = X[row, k] - weights[i, k]
        moved = weights[i, k] + rate * difference
        weights[i, k] = moved
        squared += difference * difference
        norm += moved * moved
    return squared, norm


@kernel()
def place_midway(weights, mirror, r, i, X, row, metric):
    """Unit r goes midway between unit i and X[row]."""
    half = weights.dtype.type(0.5)
    for k in range(weights.shape[1]):
        weights[r, k] = half * (weights[i, k] + X[row, k])
    if metric == COSINE:
        return_to_sphere(weights, r, X, row)
    for k in range(mirror.shape[0]):
        mirror[k, r] = weights[r, k]


@kernel()
def return_to_sphere(weights, i, X, row):
    """Unit length again; halfway between opposite vectors there is no direction, so the unit goes to X[row]."""
    norm = squared_norm(weights, i)
    if norm < np.finfo(weights.dtype).eps ** 2:
        copy_row(X, row, weights, i)
    else:
        factor = 1 / np.sqrt(norm)
        for k in range(weights.shape[1]):
            weights[i, k] *= factor


@kernel()
def copy_row(source, i, target, j):
    for k in range(source.shape[1]):
        target[j, k] = source[i, k]
