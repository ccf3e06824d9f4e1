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
    two_smallest,
)

PRODUCT_ROWS = 256  # rows per matrix product: enough to pay for packing the units, few enough to stay in the cache
COUNT, SQUARE, DISTANCE = 0, 1, 2  # columns of `tallies`
GAUSSIAN, BUBBLE, CUT_GAUSSIAN = 0, 1, 2
EXPONENTIAL, LINEAR, INVERSE = 0, 1, 2
SPREAD_MEMORY = 100.0  # samples won over which the mean squared distance of a stream forgets

# Units as the search by products takes them: centred = weights - centre, bias = |centred|^2 / 2 + centre.centred.
# Then |x - w|^2 / 2 = |x - centre|^2 / 2 + bias - x.centred, whose last two terms decide who wins, and large offsets
# of the data cancel before they are rounded.
Units = namedtuple("Units", "weights centred bias center_length largest_length")


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
            # Twice the largest error of bias - product, in any order of summation.
            length = np.sqrt(squared_norm(X, row)) + units.center_length + units.largest_length
            doubt = slack * units.largest_length * length
            lane_minima(units.bias, products, row - start, low)
            limit = smallest_lane(low, halves) + doubt
            n_candidates = scores_within(units.bias, products, row - start, limit, low, candidates)
            winner, best = nearest_of(units.weights, X, row, candidates, n_candidates)
            if slack * best > doubt:  # far from all units their distances themselves are rounded more coarsely
                limit += slack * best
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


# One map in training. weights (n_units, n_features), or its transpose for maps by columns; counts, spreads (n_units,);
# clock (2,): samples seen, sum of the distances to the winners
OnlineMap = namedtuple("OnlineMap", "weights counts spreads clock")
OnlineRule = namedtuple(
    "OnlineRule",
    "first_radius last_radius first_rate last_rate schedule_length decay neighborhood metric "
    "squared_row_gaps squared_column_gaps",
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
def train(som, rule, X, order, by_columns):
    """Present X[order], one sample after the other: winner, then every unit moves by rate * neighbourhood * difference.

    The move towards one sample and the search of the next one's winner go over the units together.
    """
    n_columns = rule.squared_column_gaps.shape[3]
    n_units = rule.squared_row_gaps.shape[0] * n_columns
    row_factors = np.empty(rule.squared_row_gaps.shape[0])
    column_factors = np.empty((rule.squared_column_gaps.shape[0], n_columns))
    pull = np.zeros(n_units, X.dtype)
    scores = np.full(padded(n_units), np.inf, X.dtype)
    low = np.empty(LANES, X.dtype)
    move_and_measure(som.weights, pull, X, order[0], order[0], rule.metric, by_columns, scores)
    for t in range(order.shape[0]):
        winner, _, square, _ = two_smallest(scores, n_units, low)
        if rule.metric == MANHATTAN:
            square = square * square
        som.counts[winner] += 1
        som.spreads[winner] += (square - som.spreads[winner]) / min(som.counts[winner], SPREAD_MEMORY)
        som.clock[1] += square / 2 if rule.metric == COSINE else np.sqrt(square)

        progress = min(som.clock[0] / max(rule.schedule_length - 1.0, 1.0), 1.0)
        radius = scheduled(rule.first_radius, rule.last_radius, progress, rule.decay)
        rate = scheduled(rule.first_rate, rule.last_rate, progress, rule.decay)
        pull_from(winner, radius, rate, rule, row_factors, column_factors, pull)
        following = order[min(t + 1, order.shape[0] - 1)]
        move_and_measure(som.weights, pull, X, order[t], following, rule.metric, by_columns, scores)
        som.clock[0] += 1


@kernel()
def pull_from(winner, radius, rate, rule, row_factors, column_factors, pull):
    """pull[k] = rate * neighbourhood of the winner at unit k; the Gaussian is a product over rows and columns."""
    n_parities, _, _, n_columns = rule.squared_column_gaps.shape
    row, column = winner // n_columns, winner % n_columns
    row_gaps = rule.squared_row_gaps[row]
    column_gaps = rule.squared_column_gaps[row % n_parities, :, column]
    for r in range(row_gaps.shape[0]):
        row_factors[r] = rate * (1.0 if rule.neighborhood == BUBBLE else gaussian(row_gaps[r], radius))
    for p in range(n_parities):
        for c in range(n_columns):
            column_factors[p, c] = 1.0 if rule.neighborhood == BUBBLE else gaussian(column_gaps[p, c], radius)
    for r in range(row_gaps.shape[0]):
        p = r % n_parities
        for c in range(n_columns):
            within = rule.neighborhood == GAUSSIAN or row_gaps[r] + column_gaps[p, c] <= radius * radius
            pull[r * n_columns + c] = row_factors[r] * column_factors[p, c] if within else 0.0


@kernel()
def gaussian(squared_gap, radius):
    """exp(-gap^2 / (2 radius^2)); radius 0 leaves the winner alone."""
    if radius == 0:
        return 1.0 if squared_gap == 0 else 0.0
    return np.exp(-0.5 * squared_gap / (radius * radius))


@kernel()
def move_and_measure(weights, pull, X, row, following, metric, by_columns, scores):
    """Move every unit by its pull towards X[row]; scores: its squared distance to X[following] then (L1: distance)."""
    if by_columns:
        n_features, n_units = weights.shape
        scores[:n_units] = 0
        for k in range(n_features):
            move_column(weights, k, pull, X[row, k], X[following, k], metric, scores)
    else:
        for i in range(weights.shape[0]):
            if metric == COSINE:
                if pull[i] > 0:
                    move_on_sphere(weights, i, pull[i], X, row)
                scores[i] = squared_distance(weights, i, X, following)
            else:
                scores[i] = move_row(weights, i, pull[i], X, row, following)


@kernel()
def move_column(weights, k, pull, target, following, metric, scores):
    n_units = weights.shape[1]
    if metric == MANHATTAN:
        for i in range(n_units):
            w = weights[k, i] + pull[i] * (target - weights[k, i])
            weights[k, i] = w
            scores[i] += abs(w - following)
    else:
        for i in range(n_units):
            w = weights[k, i] + pull[i] * (target - weights[k, i])
            weights[k, i] = w
            scores[i] += (w - following) * (w - following)


@kernel(fastmath={"reassoc", "contract", "nsz"})
def move_row(weights, i, pull, X, row, following):
    total = X.dtype.type(0)
    for k in range(X.shape[1]):
        w = weights[i, k] + pull * (X[row, k] - weights[i, k])
        weights[i, k] = w
        total += (w - X[following, k]) * (w - X[following, k])
    return total


@kernel()
def move_on_sphere(weights, i, pull, X, row):
    for k in range(X.shape[1]):
        weights[i, k] += pull * (X[row, k] - weights[i, k])
    if squared_norm(weights, i) == 0:  # midway between opposite vectors there is no direction
        for k in range(X.shape[1]):
            weights[i, k] = X[row, k]
    scale_to_unit(weights, i, weights, i)
