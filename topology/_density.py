"""The density of the data, read off a map: every cell carries the mass of the samples it won."""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, DensityMixin, clone
from sklearn.utils.validation import check_is_fitted, validate_data

from topology._codebook import measure_cells
from topology._gng import GrowingNeuralGas
from topology._kernels.search import pairwise_distances
from topology._nearest import nearest_two
from topology._validation import check_choice, check_generator, check_integer, check_real, read_only
from topology.metrics import intrinsic_dimension

# A kernel 1.5 times as wide as its cell gave the least error of the log density in 1 to 3 dimensions, exponential
# densities, 100 and 400 units (widths from 0.7 to 2 tried, and multiples of the distance to neighbouring units).
WIDENING = 1.5
PRIOR_SAMPLES = 5.0  # samples that the mean spread is worth in a cell's own
EMPTY_CELL = 0.5  # samples that every cell has in advance, so that an empty one is improbable, not impossible
DIMENSION_SAMPLES = 5000
BLOCK_ENTRIES = 2**20


class CodebookDensity(DensityMixin, BaseEstimator):
    """Density estimate from the cells of a map.

    The mass of a cell is the share of the samples that its unit won, so the estimate does not depend on how the map
    spreads its units over the data.

    Parameters
    ----------
    estimator : estimator with `prototypes_` or `cluster_centers_` after `fit`, default=GrowingNeuralGas()
        Cloned and fitted; wrap it in `sklearn.frozen.FrozenEstimator` to keep a fitted map.
    kind : {"kernel", "cell"}, default="kernel"
        "kernel": a Gaussian on every unit, with the mass of its cell and a variance from the mean squared distance
        of its samples; a proper density that integrates to 1. "cell": mass / volume of the nearest unit's cell, the
        volume being r**d with r the distance to the 2d-th neighbouring unit and d the intrinsic dimension; known
        up to a constant. Use "cell" where the data lie on a manifold of few dimensions.
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
    Levina and Bickel (2004), NIPS 17, for the intrinsic dimension.
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
        prototypes = _prototypes(self.estimator_).astype(X.dtype, copy=False)
        if prototypes.shape[1] != X.shape[1]:
            raise ValueError(f"X must have {prototypes.shape[1]} features as the fitted map, got {X.shape[1]}")
        winners, distances = nearest_two(X, prototypes)
        counts, spreads = measure_cells(winners[:, 0], distances[:, 0], len(prototypes))
        self.mass_ = counts / counts.sum()
        if self.kind == "kernel":
            self._model = KernelMixture(prototypes, counts, spreads)
        else:
            self.intrinsic_dimension_ = self._find_dimension(X)
            self._model = CellDensity(prototypes, counts, self.intrinsic_dimension_)
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

        "kernel": from the mixture. "cell": a cell by its mass, then a point between its unit and halfway to one of
        the neighbouring units, so that points stay on the manifold.

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


class KernelMixture:
    """Gaussians on the units, each as heavy as its cell and as wide as WIDENING times its cell."""

    def __init__(self, prototypes, counts, spreads):
        n_features = prototypes.shape[1]
        pooled = np.average(spreads, weights=counts)
        spreads = (counts * spreads + PRIOR_SAMPLES * pooled) / (counts + PRIOR_SAMPLES)
        # Units that sit exactly on their samples would have no width at all.
        floor = 1e-6 * max(float(prototypes.var(axis=0, dtype=np.float64).sum()), np.finfo(np.float32).tiny)
        self.prototypes = prototypes
        self.variances = np.maximum(WIDENING**2 * spreads, floor) / n_features
        with np.errstate(divide="ignore"):
            self.log_mass = np.log(counts / counts.sum())

    def log_density(self, X):
        return np.concatenate([logsumexp(terms, axis=1) for _, terms in self._log_terms(X, self.variances)])

    def gradient(self, X, sigma):
        variances = self.variances + sigma**2
        return _mixture_gradient(self._log_terms(X, variances), self.prototypes, variances)

    def sample(self, n_samples, rng):
        units = rng.choice(len(self.prototypes), n_samples, p=np.exp(self.log_mass))
        noise = rng.standard_normal((n_samples, self.prototypes.shape[1]))
        return self.prototypes[units] + np.sqrt(self.variances[units])[:, None] * noise

    def _log_terms(self, X, variances):
        return _log_terms(X, self.prototypes, self.log_mass, variances)


class CellDensity:
    """Mass over volume of the nearest unit's cell, in the intrinsic dimension."""

    def __init__(self, prototypes, counts, dimension):
        n_neighbors = min(2 * int(np.ceil(dimension)), len(prototypes) - 1)
        distances, self.neighbors = cKDTree(prototypes).query(prototypes, n_neighbors + 1)
        radius = np.maximum(distances[:, -1], np.finfo(np.float32).tiny)
        self.prototypes = prototypes
        self.mass = counts / counts.sum()
        mass = (counts + EMPTY_CELL) / (counts + EMPTY_CELL).sum()
        self.log_ratio = np.log(mass) - dimension * np.log(radius)

    def log_density(self, X):
        return self.log_ratio[nearest_two(X, self.prototypes)[0][:, 0]]

    def gradient(self, X, sigma):
        variances = np.full(len(self.prototypes), sigma**2)
        with np.errstate(divide="ignore"):
            log_mass = np.log(self.mass)
        return _mixture_gradient(_log_terms(X, self.prototypes, log_mass, variances), self.prototypes, variances)

    def sample(self, n_samples, rng):
        units = rng.choice(len(self.prototypes), n_samples, p=self.mass)
        others = self.neighbors[units, rng.integers(1, self.neighbors.shape[1], n_samples)]
        share = rng.uniform(0, 0.5, (n_samples, 1))
        return (1 - share) * self.prototypes[units] + share * self.prototypes[others]


def _log_terms(X, prototypes, log_mass, variances):
    """Blocks of rows and their log mass_k N(x; w_k, variance_k I), (n_rows, n_units)."""
    constants = log_mass - 0.5 * prototypes.shape[1] * np.log(2 * np.pi * variances)
    X = X.astype(prototypes.dtype, copy=False)
    step = max(1, BLOCK_ENTRIES // len(prototypes))
    for start in range(0, len(X), step):
        block = X[start : start + step]
        distances = np.empty((len(block), len(prototypes)), prototypes.dtype)
        pairwise_distances(read_only(block), read_only(prototypes), distances)
        yield block, constants - 0.5 * distances.astype(np.float64) ** 2 / variances


def _mixture_gradient(blocks, prototypes, variances):
    gradients = []
    for block, terms in blocks:
        pull = np.exp(terms - logsumexp(terms, axis=1, keepdims=True)) / variances
        gradients.append(pull @ prototypes - pull.sum(axis=1, keepdims=True) * block)
    return np.concatenate(gradients)


def _prototypes(estimator):
    for name in ("prototypes_", "cluster_centers_"):
        if hasattr(estimator, name):
            return np.asarray(getattr(estimator, name))
    raise TypeError(f"estimator must have prototypes_ or cluster_centers_ after fit, got {type(estimator).__name__}")
