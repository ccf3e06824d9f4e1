"""The shape of a set of embeddings: Betti numbers of the map that grows on it."""

from __future__ import annotations

import numpy as np

from topology import GrowingNeuralGas
from topology.metrics import betti_numbers

UNCOUNTED = (-1, -1, -1)  # so many cliques that the shape is no surface
# Components, loops and voids by the number of turning axes: a turn that changes nothing adds no loop.
TRUTH = {"asymmetrical": ((1, 1, 0), (1, 2, 1)), "symmetrical": ((1, 0, 0), (1, 1, 0))}


def betti_of(X, n_axes, config, seed):
    """Betti numbers (3,) of the map of embeddings X (n, dim) of an object turned about one axis or two."""
    n_units, max_age = config.n_units[n_axes - 1], config.max_age[n_axes - 1]
    n_epochs = int(np.ceil(n_units * config.settling[n_axes - 1] / len(X)))
    gng = GrowingNeuralGas(
        n_units, learning_rate=0.05, neighbor_learning_rate=0.0006, error_decay="auto", max_age=max_age,
        n_epochs=n_epochs, random_state=seed,
    )  # fmt: skip
    gng.fit(X)
    try:
        return betti_numbers(gng.edges_, gng.n_units_)
    except ValueError:
        return UNCOUNTED


def scattered(X, rng):
    """Every feature permuted over the samples: each is distributed as before, and no shape is left."""
    return rng.permuted(X, axis=0)
