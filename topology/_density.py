"""The density of the data, read off a map: every cell carries the mass of the samples it won."""

import numpy as np
from scipy.sparse import coo_array, csr_array
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from topology._cell_densities import CellDensity, KernelMixture
from topology._codebook import measure_cells
from topology._gng import GrowingNeuralGas
from topology._nearest import nearest_two
from topology._prototypes import prototypes_of
from topology._validation import check_choice, check_generator, check_integer, check_real
from topology.metrics import intrinsic_dimension

DIMENSION_SAMPLES = 5000
BLOCK = 65536  # samples whose winners are held at once


class CodebookDensity(DensityMixin, BaseEstimator):
    """Density estimate from the cells of a map.

    The mass of a cell is the share of the samples that its unit won, so the estimate does not depend on how the map
    spreads its units over the data.

    Parameters
    ----------
    estimator : estimator with `prototypes_` or `cluster_centers_` after `fit`, default=GrowingNeuralGas()
        Cloned and fitted; wrap it in `sklearn.frozen.FrozenEstimator` to keep a fitted map. Its metric must be
        Euclidean: there is no volume to divide by in another one.
    kind : {"kernel", "cell"}, default="kernel"
        "kernel": a Gaussian on every unit, with the mass of its cell and a variance from the mean squared distance
        of its samples; a proper density that integrates to 1. "cell": mass / volume of the cells, known up to a
        constant; the volume is r**d with d the intrinsic dimension and r the root mean square distance to the units
        that were second nearest together with this one. Log ratios are smoothed over these neighbours and
        interpolated between units. Use "cell" where the data lie on a manifold of few dimensions.
    intrinsic_dimension : float > 0 or "auto", default="auto"
        Used by "cell". "auto": `topology.metrics.intrinsic_dimension` of X (at most 5,000 rows of it).

    Attributes
    ----------
    estimator_ : the fitted map
    mass_ : ndarray (n_units,), sums to 1
    intrinsic_dimension_ : float, with kind="cell"
    n_features_in_ : int

    References
    ----------
    Facco et al. (2017), Scientific Reports 7:12140, for the intrinsic dimension. Shepard (1968), Proc. ACM National
    Conference, for the interpolation.
    """

    def __init__(self, estimator=None, *, kind="kernel", intrinsic_dimension="auto"):
        self.estimator = estimator
        self.kind = kind
        self.intrinsic_dimension = intrinsic_dimension

    def fit(self, X, y=None):
        """Fit the map and measure the mass and the size of its cells.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
        y : ignored

        Returns
        -------
        self
        """
        check_choice("kind", self.kind, ("kernel", "cell"))
        if self.intrinsic_dimension != "auto":
            check_real("intrinsic_dimension", self.intrinsic_dimension, 0, open_low=True)
        X = validate_data(self, X, dtype=[np.float64, np.float32], order="C", ensure_min_samples=2)
        self.estimator_ = clone(GrowingNeuralGas() if self.estimator is None else self.estimator).fit(X, y)
        prototypes = np.ascontiguousarray(prototypes_of(self.estimator_), dtype=X.dtype)
        if prototypes.shape[1] != X.shape[1]:
            raise ValueError(f"X must have {prototypes.shape[1]} features as the fitted map, got {X.shape[1]}")
        counts, spreads, pairs = _measure(X, prototypes)
        self.mass_ = counts / counts.sum()
        if self.kind == "kernel":
            self._model = KernelMixture(prototypes, counts, spreads)
        else:
            self.intrinsic_dimension_ = self._find_dimension(X)
            self._model = CellDensity(prototypes, counts, pairs, self.intrinsic_dimension_)
        return self

    def score_samples(self, X):
        """Log density of every row; for kind="cell" up to a constant.

        Returns
        -------
        log_density : ndarray (n_samples,)
        """
        return self._model.log_density(self._check(X))

    def score(self, X, y=None):
        """Total log-likelihood of X."""
        return float(self.score_samples(X).sum())

    def grad_log_density(self, X, sigma):
        """Gradient of the log density smoothed by a Gaussian of standard deviation `sigma`.

        Parameters
        ----------
        X : array-like (n_samples, n_features)
        sigma : float
            In the units of X; at least 0, above 0 for kind="cell", whose masses sit on the units.

        Returns
        -------
        gradient : ndarray (n_samples, n_features)
        """
        X = self._check(X)
        sigma = check_real("sigma", sigma, 0, open_low=self.kind == "cell")
        return self._model.gradient(X, sigma)

    def sample(self, n_samples=1, random_state=None):
        """Draw new points.

        "kernel": from the mixture. "cell": a cell by its mass, then a point between its unit and halfway to a
        neighbouring one, so that points stay on the manifold.

        Returns
        -------
        X : ndarray (n_samples, n_features)
        """
        check_is_fitted(self, "mass_")
        n_samples = check_integer("n_samples", n_samples, 1)
        return self._model.sample(n_samples, check_generator(random_state))

    def _check(self, X):
        check_is_fitted(self, "mass_")
        return validate_data(self, X, reset=False, dtype=[np.float64, np.float32], order="C")

    def _find_dimension(self, X):
        if self.intrinsic_dimension != "auto":
            return float(self.intrinsic_dimension)
        rows = np.unique(np.linspace(0, len(X) - 1, min(len(X), DIMENSION_SAMPLES)).astype(int))
        return min(intrinsic_dimension(X[rows]), float(X.shape[1]))


def _measure(X, prototypes):
    """Samples per cell, their mean squared distance to its unit, and how often two units were the nearest two."""
    n_units = len(prototypes)
    counts, squares = np.zeros(n_units), np.zeros(n_units)
    pairs = csr_array((n_units, n_units))
    for start in range(0, len(X), BLOCK):
        winners, distances = nearest_two(X[start : start + BLOCK], prototypes)
        block_counts, block_spreads = measure_cells(winners[:, 0], distances[:, 0], n_units)
        counts += block_counts
        squares += block_counts * block_spreads
        if n_units > 1:
            pairs += coo_array((np.ones(len(winners)), winners.T), shape=(n_units, n_units)).tocsr()
    return counts, squares / np.maximum(counts, 1), pairs
