"""One sample at a time: a network that grows when required (Marsland, Shapiro and Nehmzow 2002)."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.graph import SPARE, refresh_edge, remove_edge
from topology._kernels.lookup import forget, look_up, move, new_lookup, place_midway
from topology._kernels.network import (
    COUNT,
    DISTANCE,
    HABITUATION,
    PRESENTED,
    REMOVALS,
    SIZE,
    SPREAD,
    SPREAD_MEMORY,
    WINS,
    add_between,
    expire,
    remove_isolated,
)
from topology._kernels.search import COSINE

RECOVERY = 1.05  # alpha: habituation goes from 1 towards 1 - 1 / alpha

Rule = namedtuple(
    "Rule",
    "winner_rate neighbor_rate interval max_age max_units max_distance habituation_threshold winner_time "
    "neighbor_time metric",
)


@kernel()
def train(net, rule, X, order, search, winners):
    """Parameters and return value as for `gng.train`."""
    weights, mirror, books, neighbors, born, degree, clock = net
    n_units, presented, distance = int(clock[SIZE]), int(clock[PRESENTED]), 0.0
    crowd = neighbors.shape[1] - SPARE
    real = weights.dtype.type
    lookup = new_lookup(weights, search)

    for t in range(order.shape[0]):
        row = order[t]

        # 1. The two nearest units, joined.
        n_ahead = order.shape[0] - t
        s1, s2, b1, _ = look_up(lookup, weights, mirror, n_units, X, order, t, n_ahead, search, rule.metric)
        if winners.shape[0] > 0:
            winners[t] = s1
        refresh_edge(neighbors, born, degree, s1, s2, books[s1, WINS] + books[s2, WINS])

        # 2. The winner's books.
        books[s1, COUNT] += 1
        books[s1, SPREAD] += (b1 - books[s1, SPREAD]) / min(books[s1, COUNT], SPREAD_MEMORY)
        gap = b1 / 2 if rule.metric == COSINE else np.sqrt(b1)
        distance += gap

        # 3. A winner that knows its place and is still too far calls for a new unit; else the map moves.
        grows = gap > rule.max_distance and books[s1, HABITUATION] < rule.habituation_threshold
        if grows and n_units < rule.max_units:
            remove_edge(neighbors, born, degree, s1, s2)
            place_midway(weights, mirror, n_units, s1, X, row, rule.metric)
            add_between(books, neighbors, born, degree, n_units, s1, s2)
            books[n_units, HABITUATION] = 1
            n_units += 1
            forget(lookup, n_units)
        else:
            rate = real(rule.winner_rate * books[s1, HABITUATION])
            move(lookup.units, weights, mirror, s1, X, row, rate, rule.metric)
            for k in range(degree[s1]):
                j = neighbors[s1, k]
                rate = real(rule.neighbor_rate * books[j, HABITUATION])
                move(lookup.units, weights, mirror, j, X, row, rate, rule.metric)

        # 4. Winner and neighbours habituate.
        habituate(books, s1, rule.winner_time)
        for k in range(degree[s1]):
            habituate(books, neighbors[s1, k], rule.neighbor_time)
        crowded = max(degree[s1], degree[s2]) > crowd

        # 5. The winner's edges age, so only they can expire.
        books[s1, WINS] += 1
        units_before = n_units
        if expire(books, neighbors, born, degree, s1, rule.max_age):
            n_units = remove_isolated(weights, mirror, books, neighbors, born, degree, n_units)
        if n_units != units_before:
            clock[REMOVALS] += 1
            forget(lookup, n_units)
        presented += 1
        if crowded:
            break
    clock[SIZE], clock[PRESENTED] = n_units, presented
    clock[DISTANCE] += distance
    return t + 1


@kernel()
def habituate(books, i, time):
    books[i, HABITUATION] += (RECOVERY * (1 - books[i, HABITUATION]) - 1) / time
