"""Loops of the local read-out, on plain arrays that the callers have validated."""

import numpy as np
from numba import njit


@njit(cache=True)
def add_moments(design, target, weights, cells, shares, folds, gram, moment):
    """Add the weighted second moments of each sample to the cells that share it.

    Parameters
    ----------
    design : (n_samples, p); target, weights : (n_samples,)
    cells, shares : (n_samples, n_near), the cells near each sample and its share in each
    folds : (n_samples,) int
    gram : (n_folds, n_cells, p, p) and moment : (n_folds, n_cells, p), changed in place
    """
    p = design.shape[1]
    for i in range(design.shape[0]):
        for j in range(cells.shape[1]):
            share = shares[i, j] * weights[i]
            cell_gram = gram[folds[i], cells[i, j]]
            cell_moment = moment[folds[i], cells[i, j]]
            for a in range(p):
                scaled = share * design[i, a]
                cell_moment[a] += scaled * target[i]
                for b in range(p):
                    cell_gram[a, b] += scaled * design[i, b]


@njit(cache=True)
def blend_predictions(design, cells, shares, coefficients):
    """Linear predictions of the cells near each sample, weighted by its shares: (n_samples,)."""
    prediction = np.zeros(design.shape[0])
    for i in range(design.shape[0]):
        for j in range(cells.shape[1]):
            local = 0.0
            for a in range(design.shape[1]):
                local += design[i, a] * coefficients[cells[i, j], a]
            prediction[i] += shares[i, j] * local
    return prediction
