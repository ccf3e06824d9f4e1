"""Neural gas: every unit learns from every sample, by the rank of its distance."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.graph import SPARE, refresh_edge
from topology._kernels.lookup import BOUNDS, SCAN_COLUMNS, look_up, move, new_lookup
from topology._kernels.network import (
    COUNT,
    DISTANCE,
    PRESENTED,
    SIZE,
    SPREAD,
    SPREAD_MEMORY,
    WINS,
    expire,
)
from topology._kernels.search import (
    COSINE,
    MANHATTAN,
    columns_to_distances,
    columns_to_manhattan,
    squared_distance,
)

FEW = 32  # up to here ranks are found by insertion

# Pairs (first, last) of values that go from first to last as first * (last / first) ** (t / n_steps).
Rule = namedtuple("Rule", "interval reaches rates lifetimes n_steps metric")


@kernel()
def train(net, rule, X, order, search, winners):
    """Present X[order] (Martinetz, Berkovich and Schulten 1993), with edges by competitive Hebbian learning.

    Parameters and return value as for `gng.train`.
    """
    weights, mirror, books, neighbors, born, degree, clock = net
    n_units, presented, distance = int(clock[SIZE]), int(clock[PRESENTED]), 0.0
    crowd = neighbors.shape[1] - SPARE
    real = weights.dtype.type
    lookup = new_lookup(weights, search)
    ranked = np.empty(n_units, np.int64)

    for t in range(order.shape[0]):
        row = order[t]
        progress = min(presented / rule.n_steps, 1.0)
        reach, rate = scheduled(rule.reaches, progress), scheduled(rule.rates, progress)

        # 1. The ranks, as far as their shares are above the resolution of the weights: smaller ones move nothing.
        n_ranked = count_ranks(reach, n_units, np.finfo(weights.dtype).eps)
        if n_ranked <= 2:
            n_ahead = order.shape[0] - t
            s1, s2, b1, _ = look_up(lookup, weights, mirror, n_units, X, order, t, n_ahead, search, rule.metric)
            ranked[0], ranked[1] = s1, s2
        else:
            squares = lookup.units[BOUNDS]
            measure(weights, mirror, n_units, X, row, search == SCAN_COLUMNS, rule.metric, squares)
            rank(squares, n_units, n_ranked, ranked)
            s1, s2, b1 = ranked[0], ranked[1], squares[ranked[0]]
        if winners.shape[0] > 0:
            winners[t] = s1

        # 2. The winner's books.
        books[s1, COUNT] += 1
        books[s1, SPREAD] += (b1 - books[s1, SPREAD]) / min(books[s1, COUNT], SPREAD_MEMORY)
        distance += b1 / 2 if rule.metric == COSINE else np.sqrt(b1)

        # 3. Units move by their rank.
        for k in range(n_ranked):
            move(lookup.units, weights, mirror, ranked[k], X, row, real(rate * np.exp(-k / reach)), rule.metric)

        # 4. The winner's edges age, the one to the second is new.
        books[s1, WINS] += 1
        refresh_edge(neighbors, born, degree, s1, s2, books[s1, WINS] + books[s2, WINS])
        expire(books, neighbors, born, degree, s1, scheduled(rule.lifetimes, progress))
        presented += 1
        if max(degree[s1], degree[s2]) > crowd:
            break
    clock[PRESENTED] = presented
    clock[DISTANCE] += distance
    return t + 1


@kernel()
def scheduled(ends, progress):
    return ends[0] * (ends[1] / ends[0]) ** progress


@kernel()
def count_ranks(reach, n_units, smallest):
    """Number of ranks whose share exp(-rank / reach) is at least `smallest`."""
    return min(n_units, 1 + int(-np.log(smallest) * reach))


@kernel()
def measure(weights, mirror, n_units, X, row, by_columns, metric, squares):
    """Distances from X[row] to all units, squared."""
    if not by_columns:
        for i in range(n_units):
            squares[i] = squared_distance(weights, i, X, row)
    elif metric == MANHATTAN:
        columns_to_manhattan(mirror, n_units, X, row, squares)
        for i in range(n_units):
            squares[i] *= squares[i]
    else:
        columns_to_distances(mirror, n_units, X, row, squares)


@kernel()
def rank(squares, n_units, n_ranked, ranked):
    """ranked[:n_ranked] = the units of smallest squares, in order; ties go to the lower index.

    `ranked` (n_units,) is work space; what stands behind n_ranked means nothing.
    """
    if n_ranked <= FEW:
        n = 0
        for i in range(n_units):
            if n < n_ranked or squares[i] < squares[ranked[n - 1]]:
                n = min(n + 1, n_ranked)
                insert_sorted(squares, ranked, 0, n - 1, i)
    else:
        for i in range(n_units):
            ranked[i] = i
        sort_first(squares, ranked, n_units, n_ranked)


@kernel()
def comes_before(squares, i, j):
    return squares[i] < squares[j] or (squares[i] == squares[j] and i < j)


@kernel()
def insert_sorted(squares, ranked, first, place, i):
    """Put unit i into the sorted ranked[first:place], whose later entries move up one place."""
    while place > first and comes_before(squares, i, ranked[place - 1]):
        ranked[place] = ranked[place - 1]
        place -= 1
    ranked[place] = i


@kernel()
def sort_first(squares, ranked, n_units, n_ranked):
    """Quicksort that leaves alone what lies behind n_ranked."""
    starts, stops = np.empty(64, np.int64), np.empty(64, np.int64)
    starts[0], stops[0], n_parts = 0, n_units, 1
    while n_parts > 0:
        n_parts -= 1
        start, stop = starts[n_parts], stops[n_parts]
        while stop - start > FEW:
            pivot = middle_of_three(squares, ranked[start], ranked[(start + stop) // 2], ranked[stop - 1])
            low, high = start, stop - 1
            while low <= high:
                while comes_before(squares, ranked[low], pivot):
                    low += 1
                while comes_before(squares, pivot, ranked[high]):
                    high -= 1
                if low <= high:
                    ranked[low], ranked[high] = ranked[high], ranked[low]
                    low += 1
                    high -= 1
            # ranked[start:high + 1] comes before ranked[low:stop]. The longer part waits, so 64 places are enough.
            if low >= n_ranked:
                stop = high + 1
            elif high + 1 - start > stop - low:
                starts[n_parts], stops[n_parts] = start, high + 1
                n_parts += 1
                start = low
            else:
                starts[n_parts], stops[n_parts] = low, stop
                n_parts += 1
                stop = high + 1
        for place in range(start + 1, stop):
            insert_sorted(squares, ranked, start, place, ranked[place])


@kernel()
def middle_of_three(squares, i, j, k):
    if comes_before(squares, j, i):
        i, j = j, i
    if comes_before(squares, k, j):
        return i if comes_before(squares, k, i) else k
    return j


@kernel()
def rank_rows(X, weights, mirror, first, last, metric, ranked, winning):
    """Nearest units of the rows first to last: ranked (n_rows, n_ranked) and the squares of the first, (n_rows,)."""
    n_units, n_ranked = weights.shape[0], ranked.shape[1]
    squares, places = np.empty(n_units, X.dtype), np.empty(n_units, np.int64)
    for row in range(first, last):
        measure(weights, mirror, n_units, X, row, mirror.shape[0] > 0, metric, squares)
        rank(squares, n_units, n_ranked, places)
        ranked[row] = places[:n_ranked]
        winning[row] = squares[places[0]]


@kernel()
def spread_shares(ranked, shares, table):
    """table[row, unit] = share of the unit's rank."""
    for row in range(ranked.shape[0]):
        for k in range(ranked.shape[1]):
            table[row, ranked[row, k]] = shares[k]


@kernel()
def add_shares(X, ranked, shares, sums, masses):
    """Add every row to the sums of its nearest units, times the share of their rank."""
    for row in range(X.shape[0]):
        for k in range(ranked.shape[1]):
            unit = ranked[row, k]
            masses[unit, 0] += shares[k]
            for j in range(X.shape[1]):
                sums[unit, j] += shares[k] * X[row, j]
