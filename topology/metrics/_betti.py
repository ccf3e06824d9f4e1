"""Holes of a graph: Betti numbers of its clique complex, exact over GF(2)."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from tqdm import tqdm

from topology._validation import check_integer
from topology.metrics._edges import check_edges

MAX_CLIQUES = 1_000_000  # of one size: a dense graph has more of them than any memory holds


def betti_numbers(edges, n_units=None, *, max_dimension=2):
    """Betti numbers of the clique complex of a graph: components, loops, voids, ...

    Every set of k + 1 units that are all linked with each other is a simplex of dimension k. A ring has (1, 1, 0),
    the surface of a sphere (1, 0, 1), that of a torus (1, 2, 1). A hole counts unless cliques fill it: a rectangular
    lattice, whose meshes have no diagonals, is full of loops. So is a growing neural gas on a surface whose `max_age`
    is too short for its weakest edges; 1000 was long enough for 30 and 60 units on a sphere.

    Parameters
    ----------
    edges : array-like of int (n_edges, 2)
        For example `edges_` of a fitted map. Direction and repetition do not matter.
    n_units : int, optional
        Number of units, those without edges included; default: the largest unit named in `edges` + 1.
    max_dimension : int >= 0, default=2
        Dimension of the last Betti number wanted.

    Returns
    -------
    betti : tuple of int (max_dimension + 1,)

    Raises
    ------
    ValueError
        Bad edges, or more than 1,000,000 cliques of one size.

    References
    ----------
    Chen and Kerber (2011), Persistent homology computation with a twist, EuroCG.
    """
    max_dimension = check_integer("max_dimension", max_dimension, 0)
    edges, n_units = check_edges(edges, n_units)
    links = coo_array((np.ones(len(edges)), edges.T), shape=(n_units, n_units))
    sizes = [n_units, len(edges)]
    ranks = [0, n_units - connected_components(links, directed=False)[0]]
    if max_dimension > 0:
        complex = _clique_complex(edges, n_units, max_dimension + 1)
        sizes += [len(cliques) for cliques in complex.cliques[2:]]
        ranks += _boundary_ranks(complex)
    return tuple(sizes[k] - ranks[k] - ranks[k + 1] for k in range(max_dimension + 1))


@dataclass(frozen=True)
class CliqueComplex:
    """Cliques by dimension, each an array (n_cliques, dimension + 1) in lexicographic order.

    keys[k] identify the cliques of dimension k >= 1 in ascending order: place of the clique without its last unit
    times n_units, plus the last unit.
    """

    cliques: list
    keys: list
    n_units: int

    def find(self, cliques):
        """Places of existing cliques of one dimension in the list of that dimension."""
        places = cliques[:, 0]
        for k in range(1, cliques.shape[1]):
            places = np.searchsorted(self.keys[k], places * self.n_units + cliques[:, k])
        return places


def _clique_complex(edges, n_units, max_dimension):
    keys = edges[:, 0] * n_units + edges[:, 1]
    complex = CliqueComplex([np.arange(n_units)[:, None], edges], [np.arange(n_units), keys], n_units)
    first = np.searchsorted(edges[:, 0], np.arange(n_units + 1))
    for _ in range(2, max_dimension + 1):
        cliques = complex.cliques[-1]
        # A clique grows by every later neighbour of its last unit that knows all its other units.
        start, stop = first[cliques[:, -1]], first[cliques[:, -1] + 1]
        n_candidates = (stop - start).sum()
        old = np.repeat(np.arange(len(cliques)), _limited(stop - start, 8 * MAX_CLIQUES))
        new = edges[np.arange(n_candidates) - np.repeat((stop - start).cumsum() - stop, stop - start), 1]
        for column in range(cliques.shape[1] - 1):
            linked = np.isin(cliques[old, column] * n_units + new, keys)
            old, new = old[linked], new[linked]
        _limited(np.array([len(old)]), MAX_CLIQUES)
        complex.cliques.append(np.column_stack([cliques[old], new]))
        complex.keys.append(old * n_units + new)
    return complex


def _limited(counts, most):
    if counts.sum() > most:
        raise ValueError(f"edges form more than {MAX_CLIQUES} cliques of one size; lower max_dimension")
    return counts


def _boundary_ranks(complex):
    """Ranks over GF(2) of the boundaries of dimension 2 and higher.

    Columns are reduced from left to right until the last entries of all differ. From the top down, because a face
    that is the last entry of a reduced column has itself a boundary that reduces to nothing.
    """
    ranks, zeros = [], frozenset()
    for cliques in complex.cliques[:1:-1]:
        faces = [complex.find(np.delete(cliques, omitted, axis=1)) for omitted in range(cliques.shape[1])]
        boundaries = tqdm(np.column_stack(faces).tolist(), desc="boundaries", delay=2, disable=None, leave=False)
        reduced = {}
        for column, boundary in enumerate(boundaries):
            entries = frozenset() if column in zeros else frozenset(boundary)
            while entries and (pivot := max(entries)) in reduced:
                entries ^= reduced[pivot]
            if entries:
                reduced[pivot] = entries
        zeros = reduced.keys()
        ranks.insert(0, len(reduced))
    return ranks
