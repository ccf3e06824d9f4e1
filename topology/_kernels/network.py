"""The arrays of one map in training, and what every rule does with them."""

from collections import namedtuple

from topology._kernels.compiling import kernel
from topology._kernels.graph import refresh_edge, remove_edge, rename_unit
from topology._kernels.lookup import copy_row

# Columns of `books`. ERROR and UTILITY are those of growing neural gas; a map that grows when required keeps its
# HABITUATION in the place of the error.
ERROR, UTILITY, COUNT, SPREAD, WINS, N_COLUMNS = 0, 1, 2, 3, 4, 5
HABITUATION = ERROR
SPREAD_MEMORY = 100.0  # samples won over which the mean squared distance forgets
SIZE, PRESENTED, SCALE, DISTANCE, REMOVALS = 0, 1, 2, 3, 4  # entries of `clock`

# The first clock[SIZE] rows are in use.
#   weights (capacity, n_features), of unit length for COSINE; mirror: their transpose, or (0, capacity) if unused
#   books (capacity, N_COLUMNS): error and utility divided by clock[SCALE], so that their decay costs one
#   multiplication per sample, not one per unit; samples won and their mean squared distance; wins, the clock of edges
#   neighbors, born (capacity, width), degree (capacity,): see graph.py
#   clock (5,): number of units, samples presented, scale, sum of the distances to the winners, number of times that
#   units were removed, after which older winners' numbers mean nothing
Network = namedtuple("Network", "weights mirror books neighbors born degree clock")


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
def add_between(books, neighbors, born, degree, r, q, f):
    """The new unit r is joined to its parents q and f and takes its share of their wins."""
    degree[r] = 0
    books[r, WINS] = 0
    refresh_edge(neighbors, born, degree, q, r, books[q, WINS])
    refresh_edge(neighbors, born, degree, f, r, books[f, WINS])
    books[r, SPREAD] = 0.5 * (books[q, SPREAD] + books[f, SPREAD])
    # In one dimension the new cell takes a quarter of each parent's; the total stays the number of samples won.
    books[r, COUNT] = 0.25 * (books[q, COUNT] + books[f, COUNT])
    books[q, COUNT] *= 0.75
    books[f, COUNT] *= 0.75
