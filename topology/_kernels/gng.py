"""One sample at a time: growing neural gas (Fritzke 1995) with its utility criterion (Fritzke 1997)."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.graph import SPARE, is_crowded, refresh_edge, remove_all_edges, remove_edge, rename_unit
from topology._kernels.search import (
    BATCH,
    COSINE,
    LANES,
    MANHATTAN,
    columns_to_distances,
    columns_to_manhattan,
    lower_bounds,
    nearest_two_of,
    padded,
    scale_to_unit,
    select_candidates,
    squared_distance,
    squared_norm,
    two_smallest,
    unit_norms,
)

SCAN_COLUMNS, SCAN_ROWS, SCAN_BATCH = 0, 1, 2
SMALLEST_SCALE = 1e-150
ERROR, UTILITY, COUNT, SPREAD, WINS, N_COLUMNS = 0, 1, 2, 3, 4, 5  # columns of `books`
SPREAD_MEMORY = 100.0  # samples won over which the mean squared distance forgets
SIZE, PRESENTED, SCALE, DISTANCE, REMOVALS = 0, 1, 2, 3, 4  # entries of `clock`

# The arrays of one network; the first clock[SIZE] rows are in use.
#   weights (capacity, n_features), of unit length for COSINE; mirror: their transpose for SCAN_COLUMNS, else (0, capacity)
#   books (capacity, N_COLUMNS): error and utility divided by clock[SCALE], so that their decay costs one
#   multiplication per sample, not one per unit; samples won and their mean squared distance; wins, the clock of edges
#   neighbors, born (capacity, width), degree (capacity,): see graph.py
#   clock (5,): number of units, samples presented, scale, sum of the distances to the winners, number of times that
#   units were removed, after which older winners' numbers mean nothing
Network = namedtuple("Network", "weights mirror books neighbors born degree clock")
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
    search : SCAN_COLUMNS, SCAN_ROWS or SCAN_BATCH: same winners (columns: up to the order of summation)
        MANHATTAN only knows SCAN_COLUMNS.
    winners : (n_presentations,) int, out, or (0,) when nobody asks
    """
    weights, mirror, books, neighbors, born, degree, clock = net
    n_units, presented, scale, distance = int(clock[SIZE]), int(clock[PRESENTED]), clock[SCALE], 0.0
    by_utility = rule.utility_threshold < np.inf
    n_features = weights.shape[1]
    crowd = neighbors.shape[1] - SPARE
    real = weights.dtype.type
    winner_rate, neighbor_rate = real(rule.winner_rate), real(rule.neighbor_rate)
    on_sphere = rule.metric == COSINE
    detour = real(2 if on_sphere else 1)  # back on the sphere, a unit has moved at most twice as far
    slack = (n_features + 8) * np.finfo(weights.dtype).eps
    shrink, stretch = real(1 - slack), real(1 + slack)
    size = padded(weights.shape[0])
    low = np.empty(LANES, weights.dtype)
    bounds = np.full(size, np.inf, weights.dtype)
    norms = np.empty(size, weights.dtype)
    travelled = np.zeros(size, weights.dtype)
    candidates = np.arange(size)
    batch_rows = BATCH if search == SCAN_BATCH else 0
    batch = np.empty((batch_rows, n_features), weights.dtype)
    product_space = np.empty(batch_rows * size, weights.dtype)
    products = product_space.reshape(batch_rows, size)
    batch_position = batch_size = 0

    for t in range(order.shape[0]):
        row = order[t]

        # 1. The two nearest units.
        if search == SCAN_COLUMNS:
            if rule.metric == MANHATTAN:
                columns_to_manhattan(mirror, n_units, X, row, bounds)
            else:
                columns_to_distances(mirror, n_units, X, row, bounds)
            s1, s2, b1, b2 = two_smallest(bounds, n_units, low)
            if rule.metric == MANHATTAN:
                b1, b2 = b1 * b1, b2 * b2
        else:
            n_candidates = n_units
            if search == SCAN_BATCH:
                if batch_position == batch_size:
                    batch_size = min(BATCH, order.shape[0] - t)
                    if by_utility or n_units < rule.max_units:  # the next insertion ends the batch
                        batch_size = min(batch_size, rule.interval - presented % rule.interval)
                    batch_position = 0
                    for r in range(batch_size):
                        copy_row(X, order[t + r], batch, r)
                    products = product_space[: batch_size * n_units].reshape(batch_size, n_units)
                    np.dot(batch[:batch_size], weights[:n_units].T, products)
                    unit_norms(weights, n_units, norms)
                    bounds[:] = np.inf
                    travelled[:] = 0
                x_norm = squared_norm(X, row)
                lower_bounds(norms, products, batch_position, n_units, x_norm, shrink, bounds)
                s1, s2, b1, b2 = two_smallest(bounds, n_units, low)
                b1, b2 = squared_distance(weights, s1, X, row), squared_distance(weights, s2, X, row)
                reach = np.sqrt(max(b1, b2)) * stretch
                n_candidates = select_candidates(bounds, n_units, travelled, reach, candidates)
                batch_position += 1
            s1, s2, b1, b2 = nearest_two_of(weights, X, row, candidates, n_candidates)
        if winners.shape[0] > 0:
            winners[t] = s1

        # 2. The winner's books. Its utility is what would be lost without it.
        books[s1, COUNT] += 1
        books[s1, SPREAD] += (b1 - books[s1, SPREAD]) / min(books[s1, COUNT], SPREAD_MEMORY)
        books[s1, ERROR] += b1 / scale
        if by_utility:
            books[s1, UTILITY] += (b2 - b1) / scale
        distance += b1 / 2 if on_sphere else np.sqrt(b1)

        # 3. Move the winner and its neighbours. 1997 connects before and ages after; 1995 the other way round.
        if rule.refresh_first:
            refresh_edge(neighbors, born, degree, s1, s2, books[s1, WINS] + books[s2, WINS])
        if search == SCAN_BATCH:  # before the weights change
            x_length = np.sqrt(x_norm)
            travelled[s1] += path_bound(weights, s1, X, row, detour * winner_rate, x_length, stretch)
            for k in range(degree[s1]):
                j = neighbors[s1, k]
                travelled[j] += path_bound(weights, j, X, row, detour * neighbor_rate, x_length, stretch)
        move(weights, mirror, s1, X, row, winner_rate, on_sphere)
        for k in range(degree[s1]):
            move(weights, mirror, neighbors[s1, k], X, row, neighbor_rate, on_sphere)
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
                    rule.split_decay, rule.mean_error, on_sphere,
                )  # fmt: skip
                crowded = crowded or is_crowded(degree, n_units, crowd)
        if changed:  # products and bounds belong to other units
            batch_size = batch_position
            for i in range(n_units, units_before):
                bounds[i] = np.inf

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
def copy_row(source, i, target, j):
    for k in range(source.shape[1]):
        target[j, k] = source[i, k]


@kernel()
def path_bound(weights, i, X, row, rate, x_length, stretch):
    """Upper bound of the way that `move` takes unit i, its rounding included."""
    distance = np.sqrt(squared_distance(weights, i, X, row)) * stretch
    return rate * distance + (stretch - 1) * (x_length + distance)


@kernel()
def move(weights, mirror, i, X, row, rate, on_sphere):
    for k in range(X.shape[1]):
        weights[i, k] += rate * (X[row, k] - weights[i, k])
    settle(weights, mirror, i, X, row, on_sphere)


@kernel()
def place_midway(weights, mirror, r, i, X, row, on_sphere):
    """Unit r goes midway between unit i and X[row]."""
    half = weights.dtype.type(0.5)
    for k in range(weights.shape[1]):
        weights[r, k] = half * (weights[i, k] + X[row, k])
    settle(weights, mirror, r, X, row, on_sphere)


@kernel()
def settle(weights, mirror, i, X, row, on_sphere):
    """Bring unit i back to unit length (between opposite vectors: to X[row]) and mirror it."""
    if on_sphere:
        if squared_norm(weights, i) == 0:
            copy_row(X, row, weights, i)
        scale_to_unit(weights, i, weights, i)
    for k in range(mirror.shape[0]):
        mirror[k, i] = weights[i, k]


@kernel()
def expire(books, neighbors, born, degree, s1, max_age):
    """Remove the winner's edges older than max_age; True if a unit lost its last edge."""
    isolated = False
    k = 0
    while k < degree[s1]:
        j = neighbors[s1, k]
        if books[s1, WINS] + books[j, WINS] - born[s1, k] > max_age:
            remove_edge(neighbors, born, degree, s1, j)
            isolated = isolated or degree[j] == 0
        else:
            k += 1
    return isolated


@kernel()
def remove_isolated(weights, mirror, books, neighbors, born, degree, n_units):
    """Remove the units without edges, but never below two units; the new number of units."""
    i = 0
    while i < n_units:
        if degree[i] == 0 and n_units > 2:
            n_units = fill_gap(weights, mirror, books, neighbors, born, degree, n_units, i)
        else:
            i += 1
    return n_units


@kernel()
def fill_gap(weights, mirror, books, neighbors, born, degree, n_units, gap):
    """The last unit takes the row of a unit that has no edges any more."""
    last = n_units - 1
    if gap != last:
        rename_unit(neighbors, born, degree, last, gap)
        copy_row(weights, last, weights, gap)
        copy_row(books, last, books, gap)
        for k in range(mirror.shape[0]):
            mirror[k, gap] = mirror[k, last]
    return last


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
def insert(weights, mirror, books, neighbors, born, degree, n_units, split_decay, mean_error, on_sphere):
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
    place_midway(weights, mirror, r, q, weights, f, on_sphere)
    degree[r] = 0
    books[r, WINS] = 0
    refresh_edge(neighbors, born, degree, q, r, books[q, WINS])
    refresh_edge(neighbors, born, degree, f, r, books[f, WINS])
    books[q, ERROR] *= split_decay
    books[f, ERROR] *= split_decay
    books[r, ERROR] = 0.5 * (books[q, ERROR] + books[f, ERROR]) if mean_error else books[q, ERROR]
    books[r, UTILITY] = 0.5 * (books[q, UTILITY] + books[f, UTILITY])
    books[r, SPREAD] = 0.5 * (books[q, SPREAD] + books[f, SPREAD])
    # In one dimension the new cell takes a quarter of each parent's; the total stays the number of samples won.
    books[r, COUNT] = 0.25 * (books[q, COUNT] + books[f, COUNT])
    books[q, COUNT] *= 0.75
    books[f, COUNT] *= 0.75
    return n_units + 1
