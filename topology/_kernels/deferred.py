"""Online training of a self-organising map of many features, where reading and writing every prototype for every sample
would cost more than the arithmetic.

A unit's move towards a sample may wait until somebody asks where the unit is. Who wins is decided from the products of
32 samples with all units and with each other: a move w -> w + p (x - w) takes w.y to w.y + p (x.y - w.y), one number
instead of n_features. Only units that may be nearest, whatever was rounded, make the moves they owe and are measured;
the others make theirs once per 32 samples, while they are in the cache. All make the same moves in the same order as
if they had never waited, so neither prototypes nor winners depend on where the batches are cut.
"""

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.minima import lane_minima, scores_within, smallest_lane
from topology._kernels.online_som import note
from topology._kernels.pulls import new_tables, pull_from
from topology._kernels.search import LANES, squared_norm
from topology._kernels.winner_search import nearest_of

DEFERRED = 32  # samples, a multiple of 4: more save traffic, but each has to be compared with all before it
ROWS = 8  # units that stay in the first cache while they make all their moves


@kernel()
def train_deferred(som, rule, X, order):
    """As `online_som.train`, for Euclidean distances and weights (n_units, n_features)."""
    n_units, n_features = som.weights.shape
    dtype, real = som.weights.dtype, som.weights.dtype.type
    slack = real((4 * (n_features + 8) + 24 * DEFERRED) * np.finfo(dtype).eps)
    tables = new_tables(rule, som.weights)
    batch, pulls = np.zeros((DEFERRED, n_features), dtype), np.empty((DEFERRED, n_units), dtype)
    products, bias = np.empty((DEFERRED, n_units), dtype), np.empty(n_units, dtype)
    space = np.empty(DEFERRED * max(n_units, DEFERRED), dtype)
    low, halves = np.empty(LANES, dtype), np.empty(LANES, dtype)
    made, candidates = np.empty(n_units, np.int64), np.empty(n_units, np.int64)
    for start in range(0, order.shape[0], DEFERRED):
        n = min(DEFERRED, order.shape[0] - start)
        for t in range(n):
            batch[t] = X[order[start + t]]
        multiply(som.weights, batch[:n], space, products)
        gram = space[: n * n].reshape(n, n)
        np.dot(batch[:n], batch[:n].T, gram)
        largest = halve_squares(som.weights, bias)
        for t in range(n):
            largest = max(largest, gram[t, t])
        # Units stay in the convex hull of units and samples, so `largest` bounds all squared lengths. Twice the largest
        # error of bias - product: those of both products, of at most DEFERRED updates of each and as many rounded
        # moves, and of the distances themselves.
        slip = slack * largest
        pulls[n:] = 0
        made[:] = 0
        for t in range(n):
            follow(products[t], pulls, gram[t], t)
            lane_minima(bias, products, t, low)
            limit = smallest_lane(low, halves) + slip
            n_candidates = scores_within(bias, products, t, limit, low, candidates)
            for c in range(n_candidates):
                make_moves(som.weights, candidates[c], batch, pulls, made[candidates[c]], t)
                made[candidates[c]] = t
            winner, square = nearest_of(som.weights, batch, t, candidates, n_candidates)
            pull_from(winner, som.clock[0], rule, tables, pulls[t])
            follow_squares(bias, products[t], pulls[t], real(0.5) * gram[t, t])
            note(som, winner, square, rule.metric)
        make_all_moves(som.weights, batch, pulls, made, n)


@kernel()
def multiply(weights, batch, space, products):
    """products[t, k] of samples and units. The larger matrix comes first: packing it as the second would cost more."""
    n_units, n = weights.shape[0], batch.shape[0]
    by_units = space[: n_units * n].reshape(n_units, n)
    np.dot(weights, batch.T, by_units)
    for t in range(n):
        for k in range(n_units):
            products[t, k] = by_units[k, t]


@kernel()
def halve_squares(weights, bias):
    """bias[k] = |weights[k]|^2 / 2; the largest |weights[k]|^2."""
    largest = weights.dtype.type(0)
    for k in range(weights.shape[0]):
        square = squared_norm(weights, k)
        bias[k] = weights.dtype.type(0.5) * square
        largest = max(largest, square)
    return largest


@kernel(fastmath={"contract"})
def follow(products, pulls, gram, t):
    """Products of sample t with all units (n_units,), after the moves towards the samples before it in the batch."""
    units = np.uint64(products.shape[0])
    whole = t // 4 * 4
    for s in range(0, whole, 4):
        g0, g1, g2, g3 = gram[s], gram[s + 1], gram[s + 2], gram[s + 3]
        for k in range(units):
            product = products[k]
            product += pulls[s, k] * (g0 - product)
            product += pulls[s + 1, k] * (g1 - product)
            product += pulls[s + 2, k] * (g2 - product)
            product += pulls[s + 3, k] * (g3 - product)
            products[k] = product
    for s in range(whole, t):
        for k in range(units):
            products[k] += pulls[s, k] * (gram[s] - products[k])


@kernel(fastmath={"contract"})
def follow_squares(bias, products, pulls, half_square):
    """Half the squared lengths of all units, after their moves towards a sample of half the squared length given."""
    for k in range(np.uint64(bias.shape[0])):
        h, p = bias[k], pulls[k]
        bias[k] = h + p * ((products[k] - (h + h)) + p * ((h - products[k]) + half_square))


@kernel()
def make_moves(weights, k, batch, pulls, start, stop):
    """Unit k makes the moves start to stop of the batch."""
    s = start
    while s < stop:
        if s % 4 == 0 and s + 4 <= stop:
            make_four_moves(weights, k, k + 1, batch, pulls, s)
            s += 4
        else:
            make_move(weights, k, batch, pulls, s)
            s += 1


@kernel()
def make_all_moves(weights, batch, pulls, made, n):
    """All units make what is left of the n moves of the batch; no pull remains with those that had begun."""
    for k in range(weights.shape[0]):
        if made[k] > 0:
            make_moves(weights, k, batch, pulls, made[k], n)
            pulls[:, k] = 0
    for first in range(0, weights.shape[0], ROWS):
        last = min(first + ROWS, weights.shape[0])
        for s in range(0, n, 4):
            if any_pull(pulls, s, first, last):
                make_four_moves(weights, first, last, batch, pulls, s)


@kernel()
def any_pull(pulls, s, first, last):
    for k in range(first, last):
        if pulls[s, k] + pulls[s + 1, k] + pulls[s + 2, k] + pulls[s + 3, k] > 0:
            return True
    return False


# In moves, only fused multiply-adds are allowed. They are elementwise, so four at a time give the bits of four alone.
@kernel(fastmath={"contract"})
def make_move(weights, k, batch, pulls, s):
    p = pulls[s, k]
    for f in range(np.uint64(weights.shape[1])):
        weights[k, f] += p * (batch[s, f] - weights[k, f])


@kernel(fastmath={"contract"})
def make_four_moves(weights, first, last, batch, pulls, s):
    """Units first to last make the moves s to s + 3; a move without pull changes nothing."""
    for k in range(np.uint64(first), np.uint64(last)):
        p0, p1, p2, p3 = pulls[s, k], pulls[s + 1, k], pulls[s + 2, k], pulls[s + 3, k]
        for f in range(np.uint64(weights.shape[1])):
            w = weights[k, f]
            w += p0 * (batch[s, f] - w)
            w += p1 * (batch[s + 1, f] - w)
            w += p2 * (batch[s + 2, f] - w)
            w += p3 * (batch[s + 3, f] - w)
            weights[k, f] = w
