"""Where a sample lies on a map, and a linear read-out per cell of the map."""

import numpy as np
from scipy import sparse
from sklearn.utils import gen_batches

from fusion._kernels import add_moments, blend_predictions

CHUNK = 4096


class Cells:
    """Soft membership of samples in the cells around prototypes.

    A sample is shared among its nearest units, r ~ exp(-(d**2 - d_min**2) / (2 tau**2)), where tau**2 is the median of
    d_min**2 over the dimension: samples midway between units belong to both.

    Parameters
    ----------
    prototypes : ndarray of shape (n_units, n_features)
    edges : ndarray of shape (n_edges, 2) or None
        Graph of the map; None links the two units nearest to some sample (competitive Hebbian rule, Martinetz 1993).
    Z : ndarray of shape (n_samples, n_features)
        Samples that the map was learned on.
    n_near : int
    """

    def __init__(self, prototypes, edges, Z, n_near):
        self.prototypes = np.ascontiguousarray(prototypes, dtype=float)
        self._n_near = min(n_near, len(self.prototypes))
        nearest, squared = self._nearest(Z)
        # A map with a unit on every sample has no within-cell distance: the smallest number makes the winner take all.
        self._width = max(np.median(squared.min(axis=1)) / Z.shape[1], np.finfo(float).tiny)
        self.neighbour_mean = _mean_over_neighbours(
            _two_nearest(nearest, squared) if edges is None else edges, len(self)
        )

    def __len__(self):
        return len(self.prototypes)

    def locate(self, Z):
        """Cells near each sample and the share of the sample in each, both (n_samples, n_near)."""
        cells, squared = self._nearest(Z)
        shares = np.exp(-(squared - squared.min(axis=1, keepdims=True)) / (2 * self._width))
        return cells, shares / shares.sum(axis=1, keepdims=True)

    def sums(self, cells, shares, values):
        """Sum of `values` (n_samples,) over each cell, by share: (n_units,)."""
        return np.bincount(cells.ravel(), (shares * values[:, None]).ravel(), minlength=len(self))

    def _nearest(self, Z):
        cells = np.empty((len(Z), self._n_near), dtype=np.intp)
        squared = np.empty((len(Z), self._n_near))
        half_norm = 0.5 * (self.prototypes**2).sum(axis=1)
        for rows in gen_batches(len(Z), CHUNK):
            order = half_norm - Z[rows] @ self.prototypes.T
            cells[rows] = np.argpartition(order, self._n_near - 1, axis=1)[:, : self._n_near]
            squared[rows] = ((Z[rows, None] - self.prototypes[cells[rows]]) ** 2).sum(axis=-1)
        return cells, squared


def _two_nearest(cells, squared):
    if cells.shape[1] < 2:
        return np.empty((0, 2), dtype=int)
    best = np.take_along_axis(cells, np.argsort(squared, axis=1, kind="stable")[:, :2], axis=1)
    return np.unique(np.sort(best, axis=1), axis=0)


def _mean_over_neighbours(edges, n_units):
    """Sparse operator (n_units, n_units): mean over the neighbours in the graph, 0 for a unit without any."""
    a, b = np.asarray(edges, dtype=int).reshape(-1, 2).T
    adjacency = sparse.csr_array((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(n_units, n_units))
    degree = adjacency.sum(axis=1)
    return sparse.diags_array(1 / np.maximum(degree, 1)) @ adjacency


class LocalReadout:
    """Global ridge regression plus, per cell, a ridge regression of what it leaves.

    Only sums over samples are kept (Gram matrix and moments per fold and cell), so that adding samples later is exact.
    """

    def __init__(self, cells, n_folds, ridge):
        p = cells.prototypes.shape[1] + 1
        self._cells = cells
        self._ridge = ridge
        self._gram = np.zeros((n_folds, len(cells), p, p))
        self._moment = np.zeros((n_folds, len(cells), p))

    def add(self, Z, target, weights, cells, shares, folds):
        add_moments(_design(Z), target, weights, cells, shares, folds, self._gram, self._moment)

    def solve(self, without_fold=None):
        """Coefficients (n_units, p) of the cells, learned from all folds or from all but one."""
        keep = np.arange(len(self._gram)) != (-1 if without_fold is None else without_fold)
        gram, moment = self._gram[keep].sum(axis=0), self._moment[keep].sum(axis=0)
        penalty = self._ridge * np.eye(gram.shape[-1])
        free = penalty.copy()
        free[0, 0] = 0.0
        overall = np.linalg.solve(gram.sum(axis=0) + free, moment.sum(axis=0))
        return overall + self._solve_cells(gram, moment - gram @ overall, penalty)

    def predict(self, Z, cells, shares, coefficients):
        return blend_predictions(_design(Z), cells, shares, coefficients)

    def _solve_cells(self, gram, moment, penalty):
        pooled_gram = gram + (self._cells.neighbour_mean @ gram.reshape(len(gram), -1)).reshape(gram.shape)
        pooled_moment = moment + self._cells.neighbour_mean @ moment
        # Around its prototype, so that the penalty pulls a cell to the global read-out there and not at the origin.
        shift = np.tile(np.eye(gram.shape[-1]), (len(gram), 1, 1))
        shift[:, 1:, 0] = -self._cells.prototypes
        back = np.swapaxes(shift, 1, 2)
        local = np.linalg.solve(shift @ pooled_gram @ back + penalty, shift @ pooled_moment[..., None])
        return (back @ local)[..., 0]


def _design(Z):
    return np.hstack([np.ones((len(Z), 1)), Z])
