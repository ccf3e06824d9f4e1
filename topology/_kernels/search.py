"""Which two units are nearest? Three exact searches with one answer: the two smallest (squared distance, index)."""

import numpy as np

from topology._kernels.compiling import kernel

LANES = 64  # minima kept side by side: elementwise, so the compiler vectorises them without relaxed arithmetic
BATCH = 64  # samples whose products with all units are computed by one matrix product


# Only the order of summation is relaxed: without it the sum over features cannot be vectorised.
@kernel(fastmath={"reassoc", "contract", "nsz"})
def squared_distance(weights, i, x):
    total = x.dtype.type(0)
    for k in range(x.shape[0]):
        difference = weights[i, k] - x[k]
        total += difference * difference
    return total


@kernel(fastmath={"reassoc", "contract", "nsz"})
def squared_norm(x):
    total = x.dtype.type(0)
    for k in range(x.shape[0]):
        total += x[k] * x[k]
    return total


@kernel()
def two_smallest(values, low, second):
    """Indices and values of the two smallest entries; ties go to the lower index.

    `values` has a multiple of LANES entries, padded with inf; `low` and `second` are work space (LANES,).
    """
    low[:] = np.inf
    second[:] = np.inf
    for start in range(0, values.shape[0], LANES):
        block = values[start : start + LANES]
        for lane in range(LANES):
            value = block[lane]
            best = low[lane]
            loser = value if value > best else best
            low[lane] = value if value < best else best
            second[lane] = loser if loser < second[lane] else second[lane]
    v1 = v2 = values.dtype.type(np.inf)
    for lane in range(LANES):
        if low[lane] < v1:
            v2 = v1 if v1 < second[lane] else second[lane]
            v1 = low[lane]
        elif low[lane] < v2:
            v2 = low[lane]
    i1 = i2 = -1
    b1 = b2 = values.dtype.type(np.inf)
    for lane in range(LANES):
        if low[lane] <= v2:
            for i in range(lane, values.shape[0], LANES):
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
def columns_to_distances(mirror, n_units, x, distances):
    """Squared distances from x to all units, vectorised over units: the fast layout for few features."""
    first = mirror[0]
    x0 = x[0]
    for i in range(n_units):
        difference = first[i] - x0
        distances[i] = difference * difference
    for k in range(1, x.shape[0]):
        row = mirror[k]
        xk = x[k]
        for i in range(n_units):
            difference = row[i] - xk
            distances[i] += difference * difference


@kernel()
def nearest_two_of(weights, x, candidates, n_candidates):
    """The two nearest among `candidates` (ascending). The only place where rows are compared, so that the same
    two vectors give the same bits whether a scan or a pruned search asked for them."""
    i1 = i2 = -1
    b1 = b2 = x.dtype.type(np.inf)
    for c in range(n_candidates):
        i = candidates[c]
        distance = squared_distance(weights, i, x)
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
        norms[i] = squared_norm(weights[i])


@kernel()
def lower_bounds(norms, products, n_units, x_norm, shrink, bounds):
    """Lower bounds of the squared distances ||w||^2 + ||x||^2 - 2 w.x, whatever the rounding of the products.

    With unit roundoff u, products and norms of D terms err by at most D u (||w||^2 + ||x||^2) each;
    `shrink` = 1 - (D + 8) eps takes off twice that, as eps = 2 u.
    """
    for i in range(n_units):
        bounds[i] = shrink * (norms[i] + x_norm) - (products[i] + products[i])


@kernel()
def select_candidates(bounds, travelled, reach, candidates):
    """Units that may lie within `reach`, given stale bounds and how far each unit has travelled since; ascending."""
    n = 0
    for start in range(0, bounds.shape[0], LANES):
        block = bounds[start : start + LANES]
        path = travelled[start : start + LANES]
        hits = 0
        for lane in range(LANES):
            radius = reach + path[lane]
            hits += block[lane] < radius * radius
        if hits > 0:
            for lane in range(LANES):
                radius = reach + path[lane]
                if block[lane] < radius * radius:
                    candidates[n] = start + lane
                    n += 1
    return n


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
    eps = np.finfo(weights.dtype).eps
    shrink = weights.dtype.type(1 - (n_features + 8) * eps)
    norms = np.empty(n_units, weights.dtype)
    unit_norms(weights, n_units, norms)
    bounds = np.full(size, np.inf, weights.dtype)
    travelled = np.zeros(size, weights.dtype)
    low = np.empty(LANES, weights.dtype)
    second = np.empty(LANES, weights.dtype)
    candidates = np.arange(size)
    for start in range(0, n_samples, BATCH):
        batch = X[start : start + BATCH]
        products = np.dot(batch, weights.T)
        for r in range(batch.shape[0]):
            x = batch[r]
            n_candidates = n_units
            if n_units > 2:
                lower_bounds(norms, products[r], n_units, squared_norm(x), shrink, bounds)
                s1, s2, _, _ = two_smallest(bounds, low, second)
                reach = np.sqrt(max(squared_distance(weights, s1, x), squared_distance(weights, s2, x)))
                reach *= weights.dtype.type(1 + (n_features + 8) * eps)
                n_candidates = select_candidates(bounds, travelled, reach, candidates)
            i1, i2, b1, b2 = nearest_two_of(weights, x, candidates, n_candidates)
            indices[start + r, 0] = i1
            indices[start + r, 1] = i2
            distances[start + r, 0] = b1
            distances[start + r, 1] = b2


@kernel()
def pairwise_distances(X, weights, distances):
    """Euclidean distances (n_samples, n_units) by differences: no cancellation, no dependence on other rows."""
    for r in range(X.shape[0]):
        x = X[r]
        for i in range(weights.shape[0]):
            distances[r, i] = np.sqrt(squared_distance(weights, i, x))
