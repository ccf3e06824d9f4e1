"""One sample at a time: growing neural gas (Fritzke 1995) with its utility criterion (Fritzke 1997)."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.graph import SPARE, is_crowded, refresh_edge, remove_all_edges, remove_edge
from topology._kernels.lookup import forget, look_up, move, new_lookup, place_midway
from topology._kernels.network import (
    COUNT,
    DISTANCE,
    ERROR,
    PRESENTED,
    REMOVALS,
    SCALE,
    SIZE,
    SPREAD,
    SPREAD_MEMORY,
    UTILITY,
    WINS,
    add_between,
    expire,
    fill_gap,
    remove_isolated,
)
from topology._kernels.search import COSINE

SMALLEST_SCALE = 1e-150

Rule = namedtuple(
    "Rule",
    "winner_rate neighbor_rate interval max_age split_decay error_decay max_units refresh_first mean_error "
    "utility_threshold metric",
)


@kernel()
def train(net, rule, X, order, search, winners):
    """Present X[order]; return how many samples were presented (fewer than asked when a row of neighbours is full).

    Parameters
    ----------
    net : Network, changed in place
    rule : Rule
    X : (n_samples, n_features), rows of unit length for COSINE
    order : (n_presentations,) int
    search : SCAN_COLUMNS, SCAN_ROWS or SCAN_BATCH, see lookup.py
    winners : (n_presentations,) int, out, or (0,) when nobody asks
    """
    weights, mirror, books, neighbors, born, degree, clock = net
    n_units, presented, scale, distance = int(clock[SIZE]), int(clock[PRESENTED]), clock[SCALE], 0.0
    by_utility = rule.utility_threshold < np.inf
    crowd = neighbors.shape[1] - SPARE
    real = weights.dtype.type
    winner_rate, neighbor_rate = real(rule.winner_rate), real(rule.neighbor_rate)
    lookup = new_lookup(weights, search)

    for t in range(order.shape[0]):
        row = order[t]

        # 1. The two nearest units.
        n_ahead = order.shape[0] - t
        if by_utility or n_units < rule.max_units:  # until the next insertion
            n_ahead = min(n_ahead, rule.interval - presented % rule.interval)
        s1, s2, b1, b2 = look_up(lookup, weights, mirror, n_units, X, order, t, n_ahead, search, rule.metric)
        if winners.shape[0] > 0:
            winners[t] = s1

        # 2. The winner's books. Its utility is what would be lost without it.
        books[s1, COUNT] += 1
        books[s1, SPREAD] += (b1 - books[s1, SPREAD]) / min(books[s1, COUNT], SPREAD_MEMORY)
        books[s1, ERROR] += b1 / scale
        if by_utility:
            books[s1, UTILITY] += (b2 - b1) / scale
        distance += b1 / 2 if rule.metric == COSINE else np.sqrt(b1)

        # 3. Move the winner and its neighbours. 1997 connects before and ages after; 1995 the other way round.
        if rule.refresh_first:
            refresh_edge(neighbors, born, degree, s1, s2, books[s1, WINS] + books[s2, WINS])
        move(lookup.units, weights, mirror, s1, X, row, winner_rate, rule.metric)
        for k in range(degree[s1]):
            move(lookup.units, weights, mirror, neighbors[s1, k], X, row, neighbor_rate, rule.metric)
        books[s1, WINS] += 1
        if not rule.refresh_first:
            refresh_edge(neighbors, born, degree, s1, s2, books[s1, WINS] + books[s2, WINS])
        crowded = max(degree[s1], degree[s2]) > crowd

        # 4. Only the winner's edges aged, so only they can expire.
        units_before = n_units
        if expire(books, neighbors, born, degree, s1, rule.max_age):
            n_units = remove_isolated(weights, mirror, books, neighbors, born, degree, n_units)
        changed = n_units != units_before
        clock[REMOVALS] += changed

        # 5. Removal of a useless unit, and insertion.
        presented += 1
        if presented % rule.interval == 0 and (by_utility or n_units < rule.max_units):
            changed = True
            if by_utility:
                units_left = remove_useless(
                    weights, mirror, books, neighbors, born, degree, n_units, rule.utility_threshold
                )
                clock[REMOVALS] += units_left < n_units
                n_units = units_left
            if n_units < rule.max_units:
                n_units = insert(
                    weights, mirror, books, neighbors, born, degree, n_units,
                    rule.split_decay, rule.mean_error, rule.metric,
                )  # fmt: skip
                crowded = crowded or is_crowded(degree, n_units, crowd)
        if changed:
            forget(lookup, n_units)

        # 6. Lazy decay.
        scale *= rule.error_decay
        if scale < SMALLEST_SCALE:
            for i in range(n_units):
                books[i, ERROR] *= scale
                books[i, UTILITY] *= scale
            scale = 1.0
        if crowded:
            break
    clock[SIZE], clock[PRESENTED], clock[SCALE] = n_units, presented, scale
    clock[DISTANCE] += distance
    return t + 1


@kernel()
def remove_useless(weights, mirror, books, neighbors, born, degree, n_units, threshold):
    """GNG-U: the unit of least utility goes when the largest error exceeds threshold times its utility."""
    useless = worst = 0
    for i in range(1, n_units):
        useless = i if books[i, UTILITY] < books[useless, UTILITY] else useless
        worst = i if books[i, ERROR] > books[worst, ERROR] else worst
    if n_units > 2 and books[worst, ERROR] > threshold * books[useless, UTILITY]:
        remove_all_edges(neighbors, born, degree, useless)
        n_units = fill_gap(weights, mirror, books, neighbors, born, degree, n_units, useless)
        n_units = remove_isolated(weights, mirror, books, neighbors, born, degree, n_units)
    return n_units


@kernel()
def insert(weights, mirror, books, neighbors, born, degree, n_units, split_decay, mean_error, metric):
    """New unit midway between the unit of largest error and its worst neighbour; the new number of units."""
    q = 0
    for i in range(1, n_units):
        q = i if books[i, ERROR] > books[q, ERROR] else q
    if books[q, ERROR] == 0:
        return n_units
    if degree[q] > 0:
        f = neighbors[q, 0]
        for k in range(1, degree[q]):
            j = neighbors[q, k]
            if books[j, ERROR] > books[f, ERROR] or (books[j, ERROR] == books[f, ERROR] and j < f):
                f = j
        remove_edge(neighbors, born, degree, q, f)
    else:  # removal by utility may leave two units unconnected
        f = 1 - q
    r = n_units
    place_midway(weights, mirror, r, q, weights, f, metric)
    add_between(books, neighbors, born, degree, r, q, f)
    books[q, ERROR] *= split_decay
    books[f, ERROR] *= split_decay
    books[r, ERROR] = 0.5 * (books[q, ERROR] + books[f, ERROR]) if mean_error else books[q, ERROR]
    books[r, UTILITY] = 0.5 * (books[q, UTILITY] + books[f, UTILITY])
    return n_units + 1
