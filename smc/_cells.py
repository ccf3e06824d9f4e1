"""The cells of a map as places for local statistics: blended between near units, pooled along the edges."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array

BLEND = 4  # nearest units that share a sample
TINY = np.finfo(float).tiny


class Cells:
    """Cells around the units of a map.

    Parameters
    ----------
    prototypes : array (n_units, n_features)
    edges : array (n_edges, 2)
        Neighbouring units.
    X : ndarray (n_samples, n_features)
        Samples that set the width of the blend: a unit's share falls as a Gaussian of its distance beyond the nearest
        unit's, as wide as the median distance to the nearest unit per effective dimension of the samples.
    """

    def __init__(self, prototypes, edges, X):
        self.prototypes = np.asarray(prototypes, dtype=float)
        self.n_units = len(self.prototypes)
        adjacency = np.zeros((self.n_units, self.n_units))
        start, end = np.asarray(edges, dtype=np.intp).reshape(-1, 2).T
        adjacency[start, end] = adjacency[end, start] = 1.0
        self._neighbors = adjacency / np.maximum(adjacency.sum(axis=1, keepdims=True), 1.0)
        variances = np.maximum(np.linalg.eigvalsh(np.cov(X, rowvar=False).reshape(X.shape[1], -1)), 0.0)
        effective_dimension = max(variances.sum() ** 2 / max((variances**2).sum(), TINY), 1.0)
        nearest = self._squared_distances(X).min(axis=1)
        self.width2 = max(np.median(nearest) / effective_dimension, TINY)

    @classmethod
    def restore(cls, prototypes, edges, width2):
        """Cells with a given squared width of the blend, as `width2` of others."""
        cells = cls(prototypes, edges, np.zeros((2, prototypes.shape[1])))
        cells.width2 = float(width2)
        return cells

    def shares(self, X):
        """Sparse weights (n_samples, n_units) that sum to 1 over the units near each sample."""
        d2 = self._squared_distances(X)
        blend = min(BLEND, self.n_units)
        near = np.argpartition(d2, blend - 1, axis=1)[:, :blend]
        d2 = np.take_along_axis(d2, near, axis=1)
        shares = np.exp((d2.min(axis=1, keepdims=True) - d2) / (2.0 * self.width2))
        shares /= shares.sum(axis=1, keepdims=True)
        starts = np.arange(len(X) + 1) * blend
        return csr_array((shares.ravel(), near.ravel(), starts), shape=(len(X), self.n_units))

    def pool(self, table):
        """Add to each unit's row of `table` (n_units, ...) the mean row of its neighbours."""
        return table + (self._neighbors @ table.reshape(self.n_units, -1)).reshape(table.shape)

    def _squared_distances(self, X):
        d2 = (X**2).sum(axis=1)[:, None] - 2.0 * (X @ self.prototypes.T) + (self.prototypes**2).sum(axis=1)
        return np.maximum(d2, 0.0)


def fit_linear_maps(cells, shares, inputs, targets, ridges):
    """Ridge regression in every cell, for several penalties.

    Parameters
    ----------
    shares : sparse (n_samples, n_units)
    inputs : ndarray (n_samples, n_inputs)
    targets : ndarray (n_samples, n_outputs)
    ridges : sequence of float
        Penalties in samples; infinity gives maps of zero.

    Returns
    -------
    list of ndarray (n_units * n_inputs, n_outputs)
        One per penalty, for `apply_linear_maps`.
    """
    n_inputs = inputs.shape[1]
    products = (inputs[:, :, None] * inputs[:, None, :]).reshape(len(inputs), -1)
    gram = cells.pool((shares.T @ products).reshape(-1, n_inputs, n_inputs))
    cross = cells.pool(np.stack([shares.T @ (inputs[:, [j]] * targets) for j in range(n_inputs)], axis=1))
    shape = (cells.n_units * n_inputs, targets.shape[1])
    return [
        np.zeros(shape) if np.isinf(ridge) else np.linalg.solve(gram + ridge * np.eye(n_inputs), cross).reshape(shape)
        for ridge in ridges
    ]


def apply_linear_maps(maps, shares, inputs):
    """Outputs (n_samples, n_outputs) of each sample's cells, blended by its shares."""
    n_samples, n_inputs = inputs.shape
    blend = len(shares.indices) // n_samples
    columns = shares.indices.reshape(n_samples, blend, 1) * n_inputs + np.arange(n_inputs)
    values = shares.data.reshape(n_samples, blend, 1) * inputs[:, None, :]
    starts = np.arange(n_samples + 1) * blend * n_inputs
    return csr_array((values.ravel(), columns.ravel(), starts), shape=(n_samples, len(maps))) @ maps
