"""The shape of a set of embeddings: Betti numbers of the map that grows on it."""

from __future__ import annotations

import numpy as np

from topology import GrowingNeuralGas
from topology.metrics import betti_numbers

UNCOUNTED = (-1, -1, -1)  # so many cliques that the shape is no surface
# Components, loops and voids by the number of turning axes: a turn that changes nothing adds no loop.
TRUTH = {"asymmetrical": ((1, 1, 0), (1, 2, 1)), "symmetrical": ((1, 0, 0), (1, 1, 0))}


def grow(X, n_axes, config, seed):
    """Prototypes (n_units, dim) and edges (n_edges, 2) of the map of embeddings X (n, dim) of an object turned about
    one axis or two, without dead units: beside a thin ring two may be left that are linked with each other only and
    never win again, a component of their own."""
    if (X == X[0]).all():  # what an encoder that has learned nothing may make of all views
        return X[:1], np.empty((0, 2), int)
    n_units, max_age = config.n_units[n_axes - 1], config.max_age[n_axes - 1]
    n_epochs = int(np.ceil(n_units * config.settling[n_axes - 1] / len(X)))
    gng = GrowingNeuralGas(
        n_units, learning_rate=0.05, neighbor_learning_rate=0.0006, error_decay="auto", max_age=max_age,
        n_epochs=n_epochs, random_state=seed,
    ).fit(X)  # fmt: skip
    alive = gng.counts_ > 0
    edges = gng.edges_[alive[gng.edges_].all(axis=1)]
    return gng.prototypes_[alive], (alive.cumsum() - 1)[edges]


def holes(prototypes, edges):
    """Betti numbers (3,) of a map."""
    try:
        return betti_numbers(edges, len(prototypes))
    except ValueError:
        return UNCOUNTED


def scattered(X, rng):
    """Every feature permuted over the samples: each is distributed as before, and no shape is left."""
    return rng.permuted(X, axis=0)
