"""Nearest units of many rows at once, among prototypes that stay where they are."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import LANES, squared_distance

PRODUCT_ROWS = 128  # per matrix product: enough to pay for packing, few enough for the products to stay in the cache

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
    best, second = np.empty(PRODUCT_ROWS, X.dtype), np.empty(PRODUCT_ROWS, X.dtype)
    nearest, candidates = np.empty(PRODUCT_ROWS, np.int32), np.empty(n_units, np.int64)
    space = np.empty(n_units * PRODUCT_ROWS, X.dtype)
    for start in range(first, last, PRODUCT_ROWS):
        n = min(PRODUCT_ROWS, last - start)
        products = space[: n_units * n].reshape(n_units, n)
        np.dot(units.centred, X[start : start + n].T, products)
        two_smallest_scores(units.bias, products, best, second, nearest)
        for i in range(n):
            row = start + i
            # Twice the largest error of bias - product, in any order of summation, and of the distances themselves.
            offset = squared_distance(units.center, 0, X, row)
            length = np.sqrt(offset) + units.center_length + units.center_length + units.largest_length
            limit = best[i] + slack * (units.largest_length * length + max(real(0.5) * offset + best[i], real(0)))
            if second[i] > limit:
                winners[row] = nearest[i]
                squares[row] = squared_distance(units.weights, nearest[i], X, row)
            else:
                n_candidates = 0
                for k in range(n_units):
                    if units.bias[k] - products[k, i] <= limit:
                        candidates[n_candidates] = k
                        n_candidates += 1
                winners[row], squares[row] = nearest_of(units.weights, X, row, candidates, n_candidates)


@kernel()
def two_smallest_scores(bias, products, best, second, nearest):
    """The two smallest of bias[k] - products[k, row] over the units k, and the unit of the smallest, for every row.

    Many rows side by side, and four units at a time, so that the minima are read and written once for them.
    """
    n_units, n = products.shape
    best[:n] = np.inf
    second[:n] = np.inf
    nearest[:n] = 0
    whole = n_units // 4 * 4
    for k in range(0, whole, 4):
        b0, b1, b2, b3 = bias[k], bias[k + 1], bias[k + 2], bias[k + 3]
        k0, k1, k2, k3 = np.int32(k), np.int32(k + 1), np.int32(k + 2), np.int32(k + 3)
        for row in range(np.uint64(n)):
            found = best[row], second[row], nearest[row]
            found = compare(found, b0 - products[k, row], k0)
            found = compare(found, b1 - products[k + 1, row], k1)
            found = compare(found, b2 - products[k + 2, row], k2)
            found = compare(found, b3 - products[k + 3, row], k3)
            best[row], second[row], nearest[row] = found
    for k in range(whole, n_units):
        for row in range(np.uint64(n)):
            found = best[row], second[row], nearest[row]
            best[row], second[row], nearest[row] = compare(found, bias[k] - products[k, row], np.int32(k))


@kernel()
def compare(found, score, unit):
    best, second, nearest = found
    closer = score < best
    runner_up = best if closer else score
    second = runner_up if runner_up < second else second
    return score if closer else best, second, unit if closer else nearest


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
