"""Which two units are nearest? Three exact searches with one answer: the two smallest (squared distance, index)."""

import numpy as np

from topology._kernels.compiling import kernel

LANES = 64  # minima kept side by side: elementwise, so the compiler vectorises them without relaxed arithmetic
EUCLIDEAN, COSINE, MANHATTAN = 0, 1, 2
BATCH = 64  # samples whose products with all units are computed by one matrix product


# Only the order of summation is relaxed: without it the sum over features cannot be vectorised.
@kernel(fastmath={"reassoc", "contract", "nsz"})
def squared_distance(weights, i, X, row):
    total = X.dtype.type(0)
    for k in range(X.shape[1]):
        difference = weights[i, k] - X[row, k]
        total += difference * difference
    return total


@kernel(fastmath={"reassoc", "contract", "nsz"})
def squared_norm(X, row):
    total = X.dtype.type(0)
    for k in range(X.shape[1]):
        total += X[row, k] * X[row, k]
    return total


@kernel()
def two_smallest(values, n, low):
    """Indices and values of the two smallest of values[:n]; ties go to the lower index.

    Entries from n to padded(n) must be inf; `low` is work space (LANES,).
    """
    for lane in range(LANES):
        low[lane] = np.inf
    # Unsigned indices cannot wrap around, which lets the minima stay in vector registers.
    for start in range(np.uint64(0), np.uint64(n), np.uint64(LANES)):
        for lane in range(np.uint64(LANES)):
            value = values[start + lane]
            low[lane] = value if value < low[lane] else low[lane]
    # The two smallest minima belong to different entries, so no entry above the larger of them is wanted.
    m1 = m2 = values.dtype.type(np.inf)
    for lane in range(LANES):
        if low[lane] < m2:
            if low[lane] < m1:
                m2 = m1
                m1 = low[lane]
            else:
                m2 = low[lane]
    i1 = i2 = -1
    b1 = b2 = values.dtype.type(np.inf)
    for lane in range(LANES):
        if low[lane] <= m2:
            for i in range(lane, n, LANES):
                value = values[i]
                if value < b1 or (value == b1 and i < i1):
                    b2 = b1
                    i2 = i1
                    b1 = value
                    i1 = i
                elif value < b2 or (value == b2 and i < i2):
                    b2 = value
                    i2 = i
    return i1, i2, b1, b2


@kernel()
def columns_to_distances(mirror, n_units, X, row, distances):
    """Squared distances from X[row] to all units, vectorised over units: the fast layout for few features."""
    x0 = X[row, 0]
    for i in range(n_units):
        difference = mirror[0, i] - x0
        distances[i] = difference * difference
    for k in range(1, X.shape[1]):
        xk = X[row, k]
        for i in range(n_units):
            difference = mirror[k, i] - xk
            distances[i] += difference * difference


@kernel()
def columns_to_manhattan(mirror, n_units, X, row, distances):
    """Sums of absolute differences from X[row] to all units."""
    distances[:n_units] = 0
    for k in range(X.shape[1]):
        xk = X[row, k]
        for i in range(n_units):
            distances[i] += abs(mirror[k, i] - xk)


@kernel()
def nearest_two_of(weights, X, row, candidates, n_candidates):
    """The two units nearest to X[row] among `candidates` (ascending).

    The only place where rows are compared, so that the same two vectors give the same bits whether a scan or a pruned
    search asked for them.
    """
    i1 = i2 = -1
    b1 = b2 = X.dtype.type(np.inf)
    for c in range(n_candidates):
        i = candidates[c]
        distance = squared_distance(weights, i, X, row)
        if distance < b2:
            if distance < b1:
                b2 = b1
                i2 = i1
                b1 = distance
                i1 = i
            else:
                b2 = distance
                i2 = i
    return i1, i2, b1, b2


@kernel()
def unit_norms(weights, n_units, norms):
    for i in range(n_units):
        norms[i] = squared_norm(weights, i)


@kernel()
def lower_bounds(norms, products, n_units, x_norm, shrink, bounds):
    """Lower bounds of the squared distances ||w||^2 + ||x||^2 - 2 w.x, whatever the rounding of the products.

    With unit roundoff u, products and norms of D terms err by at most D u (||w||^2 + ||x||^2) each;
    `shrink` = 1 - (D + 8) eps takes off twice that, as eps = 2 u.
    """
    for i in range(n_units):
        bounds[i] = shrink * (norms[i] + x_norm) - (products[i] + products[i])


@kernel()
def select_candidates(bounds, n, travelled, reach, candidates):
    """Units that may lie within `reach`, given stale bounds and how far each unit has travelled since; ascending."""
    n_candidates = 0
    for start in range(np.uint64(0), np.uint64(n), np.uint64(LANES)):
        hits = 0
        for lane in range(np.uint64(LANES)):
            radius = reach + travelled[start + lane]
            hits += bounds[start + lane] <= radius * radius
        if hits > 0:
            for lane in range(np.uint64(LANES)):
                radius = reach + travelled[start + lane]
                if bounds[start + lane] <= radius * radius:
                    candidates[n_candidates] = start + lane
                    n_candidates += 1
    return n_candidates


@kernel()
def padded(n):
    """Smallest multiple of LANES that holds n."""
    return (n + LANES - 1) // LANES * LANES


@kernel()
def find_nearest_two(X, weights, indices, distances):
    """Exact two nearest units of every row: products in batches, then the candidates that rounding leaves open.

    Parameters
    ----------
    X : (n_samples, n_features) ; weights : (n_units, n_features), n_units >= 1
    indices : (n_samples, 2) int, out. Second column -1 when there is one unit.
    distances : (n_samples, 2), out. Squared.
    """
    n_samples, n_features = X.shape
    n_units = weights.shape[0]
    size = padded(n_units)
    slack = (n_features + 8) * np.finfo(weights.dtype).eps
    shrink, stretch = weights.dtype.type(1 - slack), weights.dtype.type(1 + slack)
    norms = np.empty(n_units, weights.dtype)
    unit_norms(weights, n_units, norms)
    bounds = np.full(size, np.inf, weights.dtype)
    travelled = np.zeros(size, weights.dtype)
    low = np.empty(LANES, weights.dtype)
    candidates = np.arange(size)
    for start in range(0, n_samples, BATCH):
        stop = min(start + BATCH, n_samples)
        products = np.dot(X[start:stop], weights.T)
        for row in range(start, stop):
            n_candidates = n_units
            if n_units > 2:
                x_norm = squared_norm(X, row)
                lower_bounds(norms, products[row - start], n_units, x_norm, shrink, bounds)
                s1, s2, b1, b2 = two_smallest(bounds, n_units, low)
                b1, b2 = squared_distance(weights, s1, X, row), squared_distance(weights, s2, X, row)
                reach = np.sqrt(max(b1, b2)) * stretch
                n_candidates = select_candidates(bounds, n_units, travelled, reach, candidates)
            i1, i2, b1, b2 = nearest_two_of(weights, X, row, candidates, n_candidates)
            indices[row, 0] = i1
            indices[row, 1] = i2
            distances[row, 0] = b1
            distances[row, 1] = b2


@kernel()
def pairwise_distances(X, weights, distances):
    """Euclidean distances (n_samples, n_units) by differences: no cancellation, no dependence on other rows."""
    for row in range(X.shape[0]):
        for i in range(weights.shape[0]):
            distances[row, i] = np.sqrt(squared_distance(weights, i, X, row))


@kernel()
def find_nearest_two_manhattan(X, mirror, indices, distances):
    """As `find_nearest_two`, for sums of absolute differences; `mirror` (n_features, n_units). Distances squared."""
    n_units = mirror.shape[1]
    sums = np.full(padded(n_units), np.inf, X.dtype)
    low = np.empty(LANES, X.dtype)
    for row in range(X.shape[0]):
        columns_to_manhattan(mirror, n_units, X, row, sums)
        i1, i2, b1, b2 = two_smallest(sums, n_units, low)
        indices[row, 0] = i1
        indices[row, 1] = i2
        distances[row, 0] = b1 * b1
        distances[row, 1] = b2 * b2


@kernel()
def pairwise_manhattan(X, mirror, distances):
    for row in range(X.shape[0]):
        columns_to_manhattan(mirror, mirror.shape[1], X, row, distances[row])


@kernel()
def scale_to_unit(X, row, scaled, i):
    """scaled[i] = X[row] / |X[row]|; a row of zeros is copied. Scaled by its largest entry first: nothing overflows."""
    largest = 0.0
    for k in range(X.shape[1]):
        largest = max(largest, abs(X[row, k]))
    largest = largest if largest > 0 else 1.0
    total = 0.0
    for k in range(X.shape[1]):
        total += (X[row, k] / largest) ** 2
    length = np.sqrt(total) if total > 0 else 1.0
    for k in range(X.shape[1]):
        scaled[i, k] = X[row, k] / largest / length


@kernel()
def scale_rows(X, scaled):
    for row in range(X.shape[0]):
        scale_to_unit(X, row, scaled, row)
