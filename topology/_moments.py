"""How wide is each cell of a map, direction by direction? Typicality of a sample in units of its cell."""

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from topology._kernels.moments import add_squared_residuals, weighted_energy
from topology._nearest import nearest_two
from topology._prototypes import prototypes_of
from topology._validation import check_matrix, check_real

BLOCK = 4096  # rows rotated at once: bounds the memory, not the result


class CellMoments(BaseEstimator):
    """Second moments of the residuals in every cell of a map, drawn towards the moments pooled over all cells.

    The residual of a sample is its difference from the nearest prototype. With S the mean of r r' over all samples,
    C = (1 - shrinkage) S + shrinkage (tr S / D) I = U diag(e) U'. The variance of cell k along direction j is
    (sum of (U'r)_j^2 in the cell + prior_weight e_j) / (N_k + prior_weight): an empty cell has the pooled variance.

    Parameters
    ----------
    prototypes : array-like (n_units, n_features) or fitted estimator
        Kept as they are. Of an estimator: `prototypes_` or `cluster_centers_`; its metric must be Euclidean.
    prior_weight : float >= 0, default=20
        Samples that the pooled variance is worth; above 0 unless every cell has samples.
    shrinkage : float in [0, 1], default=0.1
        Share of the round covariance in the pooled one.

    Attributes
    ----------
    counts_ : ndarray (n_units,), samples per cell
    basis_ : ndarray (n_features, n_features), the directions U as columns
    pooled_variance_ : ndarray (n_features,), the variances e along them, ascending
    variance_ : ndarray (n_units, n_features), variances of the cells along the directions, squared units of X
    n_features_in_ : int
    """

    def __init__(self, prototypes, *, prior_weight=20.0, shrinkage=0.1):
        self.prototypes = prototypes
        self.prior_weight = prior_weight
        self.shrinkage = shrinkage

    def fit(self, X, y=None):
        """Measure directions, pooled variances and cells on X.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
            At least one row must differ from its prototype.

        Raises
        ------
        ValueError
            Bad X or parameters, or no residual to measure.
        """
        prototypes, prior_weight, shrinkage = self._check_parameters()
        X = self._check(X, prototypes)
        pooled = np.zeros((X.shape[1], X.shape[1]))
        for block, winners in _blocks(X, prototypes):
            residuals = block - prototypes[winners]
            pooled += residuals.T @ residuals
        pooled /= len(X)
        mean_variance = np.trace(pooled) / len(pooled)
        if mean_variance == 0:
            raise ValueError("X must differ from the prototypes somewhere: all residuals are 0")
        pooled = (1 - shrinkage) * pooled + shrinkage * mean_variance * np.eye(len(pooled))
        variance, basis = np.linalg.eigh(pooled)
        # Without shrinkage a direction may have no variance; the floor keeps the energy finite.
        self.pooled_variance_ = np.maximum(variance, np.finfo(prototypes.dtype).eps * mean_variance)
        # eigh leaves the signs open: the largest entry of every direction is made positive.
        largest = np.take_along_axis(basis, np.abs(basis).argmax(axis=0)[None], axis=0)
        self.basis_ = basis * np.sign(largest)
        self.n_features_in_ = X.shape[1]
        self.counts_ = np.zeros(len(prototypes))
        self._sums = np.zeros(prototypes.shape)
        self._set_cells(prototypes)
        return self._add(X, prior_weight)

    def partial_fit(self, X, y=None):
        """Add the rows of X to their cells; directions and pooled variances stay as they were first measured."""
        if not hasattr(self, "basis_"):
            return self.fit(X)
        prototypes, prior_weight, _ = self._check_parameters()
        return self._add(self._check(X, prototypes), prior_weight)

    def energy(self, X):
        """a(x) = sum_j (U'r)_j^2 / v_bj + log v_bj with b the nearest unit: high where x is not typical.

        Twice the negative log density of the cell's Gaussian, up to D log 2 pi.

        Returns
        -------
        energy : ndarray (n_samples,)
        """
        check_is_fitted(self, "basis_")
        X = self._check(X, self._prototypes)
        energy = np.empty(len(X), X.dtype)
        for start in range(0, len(X), BLOCK):
            block = X[start : start + BLOCK]
            winners = np.ascontiguousarray(nearest_two(block, self._prototypes)[0][:, 0])
            weighted_energy(
                block @ self._basis, self._centers, winners, self._precisions, self._log_volumes,
                energy[start : start + BLOCK],
            )  # fmt: skip
        return energy

    def _add(self, X, prior_weight):
        for block, winners in _blocks(X, self._prototypes):
            add_squared_residuals(block @ self._basis, self._centers, winners, self.counts_, self._sums)
        total = self.counts_[:, None] + prior_weight
        if (total == 0).any():
            raise ValueError("prior_weight must be above 0 when a cell is empty, got 0")
        floor = np.finfo(self._centers.dtype).eps * self.pooled_variance_.mean()
        self.variance_ = np.maximum((self._sums + prior_weight * self.pooled_variance_) / total, floor)
        self._precisions = (1 / self.variance_).astype(self._centers.dtype)
        self._log_volumes = np.log(self.variance_).sum(axis=1).astype(self._centers.dtype)
        return self

    def _set_cells(self, prototypes):
        self._prototypes = prototypes
        self._basis = self.basis_.astype(prototypes.dtype)
        self._centers = prototypes @ self._basis

    def _check_parameters(self):
        prototypes = prototypes_of(self.prototypes) if hasattr(self.prototypes, "get_params") else self.prototypes
        prototypes = check_matrix("prototypes", prototypes).copy()
        prior_weight = check_real("prior_weight", self.prior_weight, 0)
        return prototypes, prior_weight, check_real("shrinkage", self.shrinkage, 0, 1)

    def _check(self, X, prototypes):
        return check_matrix("X", X, n_columns=prototypes.shape[1]).astype(prototypes.dtype, copy=False)


def _blocks(X, prototypes):
    for start in range(0, len(X), BLOCK):
        block = X[start : start + BLOCK]
        yield block, np.ascontiguousarray(nearest_two(block, prototypes)[0][:, 0])
