"""The edges of a growing graph: rows of neighbours per unit, ages stored as the moment of the last refresh.

age(i, j) = wins[i] + wins[j] - born[i, j]: a win of i ages all its edges by one addition. Removal fills the gap with
the last entry. Rows may fill up: a row with fewer than SPARE free entries is crowded and must be widened before the
next sample, so that no edge is ever lost.
"""

from topology._kernels.compiling import kernel

SPARE = 2  # free entries every row must have before a sample: one step adds at most this many edges to one unit


@kernel(_nrt=False)
def find_edge(neighbors, degree, i, j):
    for k in range(degree[i]):
        if neighbors[i, k] == j:
            return k
    return -1


@kernel(_nrt=False)
def _add_half(neighbors, born, degree, i, j, moment):
    k = degree[i]
    neighbors[i, k] = j
    born[i, k] = moment
    degree[i] = k + 1


@kernel(_nrt=False)
def _remove_half(neighbors, born, degree, i, j):
    k = find_edge(neighbors, degree, i, j)
    last = degree[i] - 1
    neighbors[i, k] = neighbors[i, last]
    born[i, k] = born[i, last]
    degree[i] = last


@kernel(_nrt=False)
def refresh_edge(neighbors, born, degree, i, j, moment):
    """Set the age of edge i-j to 0 (`moment` = wins[i] + wins[j]), creating it if needed."""
    k = find_edge(neighbors, degree, i, j)
    if k >= 0:
        born[i, k] = moment
        born[j, find_edge(neighbors, degree, j, i)] = moment
    else:
        _add_half(neighbors, born, degree, i, j, moment)
        _add_half(neighbors, born, degree, j, i, moment)


@kernel(_nrt=False)
def remove_edge(neighbors, born, degree, i, j):
    _remove_half(neighbors, born, degree, i, j)
    _remove_half(neighbors, born, degree, j, i)


@kernel(_nrt=False)
def remove_all_edges(neighbors, born, degree, i):
    for k in range(degree[i]):
        _remove_half(neighbors, born, degree, neighbors[i, k], i)
    degree[i] = 0


@kernel(_nrt=False)
def rename_unit(neighbors, born, degree, old, new):
    """Unit `old` takes the free row `new`; its edges follow."""
    for k in range(degree[old]):
        j = neighbors[old, k]
        neighbors[new, k] = j
        born[new, k] = born[old, k]
        neighbors[j, find_edge(neighbors, degree, j, old)] = new
    degree[new] = degree[old]
    degree[old] = 0


@kernel(_nrt=False)
def is_crowded(degree, n_units, crowd):
    for i in range(n_units):
        if degree[i] > crowd:
            return True
    return False


@kernel(_nrt=False)
def list_edges(neighbors, born, degree, wins, n_units, edges, ages):
    """Every edge once, smaller unit first, and its age; `edges` (n_edges, 2) and `ages` (n_edges,) are filled."""
    e = 0
    for i in range(n_units):
        for k in range(degree[i]):
            j = neighbors[i, k]
            if i < j:
                edges[e, 0] = i
                edges[e, 1] = j
                ages[e] = wins[i] + wins[j] - born[i, k]
                e += 1


@kernel(_nrt=False)
def enter_edges(neighbors, born, degree, edges, ages):
    """The inverse of `list_edges`, for units that have not won yet."""
    for e in range(edges.shape[0]):
        _add_half(neighbors, born, degree, edges[e, 0], edges[e, 1], -ages[e])
        _add_half(neighbors, born, degree, edges[e, 1], edges[e, 0], -ages[e])
