"""Nearest units of many rows at once, among prototypes that stay where they are."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import LANES, squared_distance

PRODUCT_ROWS = 256  # rows per matrix product: enough to pay for packing the units, few enough to stay in the cache

# Units as the search by products takes them: centred = weights - center, bias = |centred|^2 / 2 + center.centred.
# Then |x - w|^2 / 2 = |x - center|^2 / 2 + bias - x.centred, whose last two terms decide who wins, and large offsets
# of the data cancel before they are rounded.
Units = namedtuple("Units", "weights centred center bias center_length largest_length")


@kernel()
def find_winners(X, units, first, last, winners, squares):
    """Nearest unit of rows first to last, ties to the lower index: by products, exactly where rounding could decide.

    Parameters
    ----------
    X : (n_samples, n_features) ; units : Units
    winners, squares : (n_samples,), out. Unit and squared distance, both as comparing every unit would give them.
    """
    n_units, n_features = units.weights.shape
    real = X.dtype.type
    slack = real((n_features + 8) * np.finfo(X.dtype).eps)
    low, halves = np.empty(LANES, X.dtype), np.empty(LANES, X.dtype)
    candidates = np.empty(n_units, np.int64)
    space = np.empty(PRODUCT_ROWS * n_units, X.dtype)
    for start in range(first, last, PRODUCT_ROWS):
        stop = min(start + PRODUCT_ROWS, last)
        products = space[: (stop - start) * n_units].reshape(stop - start, n_units)
        np.dot(X[start:stop], units.centred.T, products)
        for row in range(start, stop):
            lane_minima(units.bias, products, row - start, low)
            limit = smallest_lane(low, halves)
            # Twice the largest error of bias - product, in any order of summation, and of the distances themselves.
            offset = squared_distance(units.center, 0, X, row)
            length = np.sqrt(offset) + units.center_length + units.center_length + units.largest_length
            limit += slack * (units.largest_length * length + max(real(0.5) * offset + limit, real(0)))
            n_candidates = scores_within(units.bias, products, row - start, limit, low, candidates)
            winner, best = nearest_of(units.weights, X, row, candidates, n_candidates)
            winners[row] = winner
            squares[row] = best


@kernel()
def nearest_of(weights, X, row, candidates, n_candidates):
    """The unit nearest to X[row] among `candidates` in any order, and its squared distance."""
    winner, best = 0, X.dtype.type(np.inf)
    for c in range(n_candidates):
        square = squared_distance(weights, candidates[c], X, row)
        if square < best or (square == best and candidates[c] < winner):
            best = square
            winner = candidates[c]
    return winner, best


@kernel()
def lane_minima(bias, products, row, low):
    """low[lane] = smallest of bias - products[row] over the units lane, lane + LANES, ..."""
    n = bias.shape[0]
    whole = n // LANES * LANES
    low[:] = np.inf
    # Unsigned indices cannot wrap around, which lets the minima stay in vector registers.
    for start in range(np.uint64(0), np.uint64(whole), np.uint64(LANES)):
        for lane in range(np.uint64(LANES)):
            score = bias[start + lane] - products[row, start + lane]
            low[lane] = score if score < low[lane] else low[lane]
    for lane in range(np.uint64(n - whole)):
        score = bias[np.uint64(whole) + lane] - products[row, np.uint64(whole) + lane]
        low[lane] = score if score < low[lane] else low[lane]


@kernel()
def smallest_lane(low, halves):
    """Smallest of low (LANES,), by halves so that every step is elementwise; `halves` is work space."""
    halves[:] = low
    width = np.uint64(LANES // 2)
    while width > 0:
        for lane in range(width):
            other = halves[lane + width]
            halves[lane] = other if other < halves[lane] else halves[lane]
        width = width >> np.uint64(1)
    return halves[0]


@kernel()
def scores_within(bias, products, row, limit, low, candidates):
    """Units whose score is at most `limit`, lane by lane; their number."""
    n_candidates = 0
    for lane in range(LANES):
        if low[lane] <= limit:
            for i in range(lane, bias.shape[0], LANES):
                if bias[i] - products[row, i] <= limit:
                    candidates[n_candidates] = i
                    n_candidates += 1
    return n_candidates


@kernel()
def find_winners_by_columns(X, weights, first, last, winners, squares):
    """As `find_winners`, for few features: all differences, LANES rows side by side."""
    n_units, n_features = weights.shape
    columns = np.zeros((n_features, LANES), X.dtype)
    sums, best = np.empty(LANES, X.dtype), np.empty(LANES, X.dtype)
    nearest = np.empty(LANES, np.int32)
    for start in range(first, last, LANES):
        n_rows = min(LANES, last - start)
        for lane in range(n_rows):
            for k in range(n_features):
                columns[k, lane] = X[start + lane, k]
        best[:] = np.inf
        nearest[:] = 0
        for i in range(np.int32(n_units)):
            sums[:] = 0
            for k in range(n_features - 1):
                w = weights[i, k]
                for lane in range(np.uint64(LANES)):
                    difference = w - columns[k, lane]
                    sums[lane] += difference * difference
            w = weights[i, n_features - 1]
            for lane in range(np.uint64(LANES)):
                difference = w - columns[n_features - 1, lane]
                square = sums[lane] + difference * difference
                closer = square < best[lane]
                best[lane] = square if closer else best[lane]
                nearest[lane] = np.int32(i) if closer else nearest[lane]
        for lane in range(n_rows):
            winners[start + lane] = nearest[lane]
            squares[start + lane] = best[lane]


@kernel(fastmath={"reassoc", "contract", "nsz"})
def observed_square(weights, i, X, row):
    """Squared distance over the features that are not NaN in X[row]."""
    total = X.dtype.type(0)
    for k in range(X.shape[1]):
        difference = weights[i, k] - X[row, k]
        total += difference * difference if X[row, k] == X[row, k] else X.dtype.type(0)
    return total


@kernel()
def find_observed_winners(X, weights, first, last, winners, squares):
    """As `find_winners`, over the features that are not NaN."""
    for row in range(first, last):
        winner, best = 0, observed_square(weights, 0, X, row)
        for i in range(1, weights.shape[0]):
            square = observed_square(weights, i, X, row)
            if square < best:
                best = square
                winner = i
        winners[row] = winner
        squares[row] = best


@kernel()
def observed_distances(X, weights, distances):
    """Distances (n_samples, n_units) over the features that are not NaN."""
    for row in range(X.shape[0]):
        for i in range(weights.shape[0]):
            distances[row, i] = np.sqrt(observed_square(weights, i, X, row))
