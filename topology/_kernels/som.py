"""Self-organising maps: the winners of many rows at once, sums per winner, and training one sample at a time."""

from collections import namedtuple

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import (
    COSINE,
    LANES,
    MANHATTAN,
    padded,
    scale_to_unit,
    squared_distance,
    squared_norm,
)

PRODUCT_ROWS = 256  # rows per matrix product: enough to pay for packing the units, few enough to stay in the cache
COUNT, SQUARE, DISTANCE = 0, 1, 2  # columns of `tallies`
GAUSSIAN, BUBBLE, CUT_GAUSSIAN = 0, 1, 2
EXPONENTIAL, LINEAR, INVERSE = 0, 1, 2
SPREAD_MEMORY = 100.0  # samples won over which the mean squared distance of a stream forgets

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
def smallest_of(values, low, halves):
    """Lowest index of the smallest of values, whose number is a multiple of LANES."""
    low[:] = np.inf
    for start in range(np.uint64(0), np.uint64(values.shape[0]), np.uint64(LANES)):
        for lane in range(np.uint64(LANES)):
            low[lane] = values[start + lane] if values[start + lane] < low[lane] else low[lane]
    smallest, index = smallest_lane(low, halves), values.shape[0] - 1
    for lane in range(LANES):
        if low[lane] == smallest:
            for i in range(lane, index, LANES):
                if values[i] == smallest:
                    index = i
                    break
    return index


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


# One map in training. weights (n_features, n_units), but (n_units, n_features) for COSINE; counts, spreads (n_units,);
# clock (2,): samples seen, sum of the distances to the winners
OnlineMap = namedtuple("OnlineMap", "weights counts spreads clock")
# row_gaps and column_gaps as `topology._lattice.Lattice` has them
OnlineRule = namedtuple(
    "OnlineRule",
    "first_radius last_radius first_rate last_rate schedule_length decay neighborhood metric "
    "row_gaps column_gaps squared_row_spacing",
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
def train(som, rule, X, order):
    """Present X[order], one sample after the other: winner, then every unit moves by rate * neighbourhood * difference.

    The move towards one sample and the search of the next one's winner go over the units together.
    """
    n_rows, n_columns = rule.row_gaps.shape[0], rule.column_gaps.shape[3]
    n_units = n_rows * n_columns
    along_rows, along_columns = np.empty(n_rows), np.empty(rule.column_gaps.max() + 1)
    factors = np.empty((rule.column_gaps.shape[0], n_columns), X.dtype)
    pull = np.zeros(n_units, X.dtype)
    scores = np.full(padded(n_units), np.inf, X.dtype)
    low, halves = np.empty(LANES, X.dtype), np.empty(LANES, X.dtype)
    move_and_measure(som.weights, pull, X, order[0], order[0], rule.metric, scores)
    for t in range(order.shape[0]):
        winner = smallest_of(scores, low, halves)
        square = scores[winner]
        if rule.metric == MANHATTAN:
            square = square * square
        som.counts[winner] += 1
        som.spreads[winner] += (square - som.spreads[winner]) / min(som.counts[winner], SPREAD_MEMORY)
        som.clock[1] += square / 2 if rule.metric == COSINE else np.sqrt(square)

        progress = min(som.clock[0] / max(rule.schedule_length - 1.0, 1.0), 1.0)
        radius = scheduled(rule.first_radius, rule.last_radius, progress, rule.decay)
        rate = scheduled(rule.first_rate, rule.last_rate, progress, rule.decay)
        pull_from(winner, radius, rate, rule, along_rows, along_columns, factors, pull)
        following = order[min(t + 1, order.shape[0] - 1)]
        move_and_measure(som.weights, pull, X, order[t], following, rule.metric, scores)
        som.clock[0] += 1


@kernel()
def pull_from(winner, radius, rate, rule, along_rows, along_columns, factors, pull):
    """pull[k] = rate * neighbourhood of the winner at unit k; the Gaussian is a product over rows and columns."""
    n_parities, _, _, n_columns = rule.column_gaps.shape
    row, column = winner // n_columns, winner % n_columns
    row_gaps = rule.row_gaps[row]
    column_gaps = rule.column_gaps[row % n_parities, :, column]
    if rule.neighborhood == BUBBLE:
        along_rows[:] = 1.0
        along_columns[:] = 1.0
    else:
        tabulate_gaussian(rule.squared_row_spacing, radius, along_rows)
        tabulate_gaussian(1.0 / n_parities**2, radius, along_columns)
    for p in range(n_parities):
        for c in range(n_columns):
            factors[p, c] = along_columns[column_gaps[p, c]]
    for r in range(row_gaps.shape[0]):
        share = pull.dtype.type(rate * along_rows[row_gaps[r]])
        own = pull[r * n_columns : (r + 1) * n_columns]
        multiply(factors[r % n_parities], share, own)
        if rule.neighborhood != GAUSSIAN:
            height = rule.squared_row_spacing * row_gaps[r] ** 2
            for c in range(n_columns):
                if height + (column_gaps[r % n_parities, c] / n_parities) ** 2 > radius * radius:
                    own[c] = 0


@kernel()
def multiply(factors, share, products):
    for c in range(np.uint64(factors.shape[0])):
        products[c] = share * factors[c]


@kernel()
def tabulate_gaussian(squared_step, radius, table):
    """table[g] = exp(-g^2 squared_step / (2 radius^2)) by two recurrences; radius 0 leaves the winner alone."""
    factor = np.exp(-0.5 * squared_step / (radius * radius)) if radius > 0 else 0.0
    value, ratio = 1.0, factor
    for g in range(table.shape[0]):
        table[g] = value
        value *= ratio
        ratio *= factor * factor


@kernel()
def move_and_measure(weights, pull, X, row, following, metric, scores):
    """Move every unit by its pull towards X[row]; scores: its squared distance to X[following] then (L1: distance)."""
    if metric == COSINE:
        for i in range(weights.shape[0]):
            if pull[i] > 0:
                move_on_sphere(weights, i, pull[i], X, row)
            scores[i] = squared_distance(weights, i, X, following)
        return
    n_features = weights.shape[0]
    scores[: pull.shape[0]] = 0
    whole = 0
    if metric != MANHATTAN:
        whole = n_features // 4 * 4
        for k in range(0, whole, 4):
            move_four_columns(weights[k : k + 4], pull, X[row, k : k + 4], X[following, k : k + 4], scores)
    for k in range(whole, n_features):
        move_column(weights[k], pull, X[row, k], X[following, k], metric == MANHATTAN, scores)


@kernel()
def move_four_columns(columns, pull, target, following, scores):
    """Four features of all units at once: every score is read and written once for them."""
    w0, w1, w2, w3 = columns[0], columns[1], columns[2], columns[3]
    x0, x1, x2, x3 = target[0], target[1], target[2], target[3]
    y0, y1, y2, y3 = following[0], following[1], following[2], following[3]
    for i in range(np.uint64(pull.shape[0])):
        p = pull[i]
        v0, v1, v2, v3 = (
            w0[i] + p * (x0 - w0[i]),
            w1[i] + p * (x1 - w1[i]),
            w2[i] + p * (x2 - w2[i]),
            w3[i] + p * (x3 - w3[i]),
        )
        w0[i], w1[i], w2[i], w3[i] = v0, v1, v2, v3
        scores[i] += (v0 - y0) * (v0 - y0) + (v1 - y1) * (v1 - y1) + (v2 - y2) * (v2 - y2) + (v3 - y3) * (v3 - y3)


@kernel()
def move_column(w, pull, target, following, absolute, scores):
    for i in range(np.uint64(pull.shape[0])):
        v = w[i] + pull[i] * (target - w[i])
        w[i] = v
        scores[i] += abs(v - following) if absolute else (v - following) * (v - following)


@kernel()
def move_on_sphere(weights, i, pull, X, row):
    for k in range(X.shape[1]):
        weights[i, k] += pull * (X[row, k] - weights[i, k])
    if squared_norm(weights, i) == 0:  # midway between opposite vectors there is no direction
        for k in range(X.shape[1]):
            weights[i, k] = X[row, k]
    scale_to_unit(weights, i, weights, i)
