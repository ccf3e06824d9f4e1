"""Two readings of masses on prototypes: a mixture of Gaussians, and mass over volume."""

import numpy as np
from scipy.spatial import cKDTree
from scipy.special import logsumexp

from topology._kernels.search import pairwise_distances
from topology._validation import read_only

# A kernel 1.5 times as wide as its cell gave the least error of the log density in 1 to 3 dimensions, exponential
# densities, 100 and 400 units (widths from 0.7 to 2 tried, and multiples of the distance to neighbouring units).
WIDENING = 1.5
PRIOR_SAMPLES = 5.0  # samples that the mean spread is worth in a cell's own
EMPTY_CELL = 0.5  # samples that every cell has in advance, so that an empty one is improbable, not impossible
NEIGHBORS_SHARE = 1 / 3  # of the neighbouring cells' mean in the log density of a cell
BLOCK = 65536  # samples whose nearest units are held at once
BLOCK_ENTRIES = 2**20  # distances held at once


class KernelMixture:
    """Gaussians on the units, each as heavy as its cell and as wide as WIDENING times its cell."""

    def __init__(self, prototypes, counts, spreads):
        n_features = prototypes.shape[1]
        pooled = np.average(spreads, weights=counts)
        spreads = (counts * spreads + PRIOR_SAMPLES * pooled) / (counts + PRIOR_SAMPLES)
        self.prototypes = prototypes
        self.variances = np.maximum(WIDENING**2 * spreads, _least_square(prototypes)) / n_features
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
    """Mass over volume of the cells near a point, in the intrinsic dimension.

    Parameters
    ----------
    prototypes : (n_units, n_features)
    counts : (n_units,), samples won
    pairs : csr_array (n_units, n_units), samples whose nearest unit is the row's and second nearest the column's
    dimension : float

    Two cells are neighbours if samples have their units as the two nearest. A cell is as wide as the root mean square
    distance to its neighbours, weighted with these samples. Unlike the distance to a given number of neighbours
    this is right at an edge of the data, where neighbours are few; unlike the distance of the samples to their unit
    it is not widened by noise off the manifold. Of these, and with or without smoothing over neighbours and
    interpolation between units, the choice made here had the least error of the log density in 1 and 2 dimensions
    (exponential densities, flat and as a noisy surface in 10 dimensions; GNG and k-means of 400 units).
    """

    def __init__(self, prototypes, counts, pairs, dimension):
        self.prototypes = prototypes
        self.mass = counts / counts.sum()
        self.pairs = pairs
        self.tree = cKDTree(prototypes)
        self.n_near = min(int(np.ceil(dimension)) + 2, len(prototypes))
        mass = (counts + EMPTY_CELL) / (counts + EMPTY_CELL).sum()
        links = pairs + pairs.T
        log_ratio = np.log(mass) - dimension / 2 * np.log(self._squared_widths(links))
        self.log_ratio = _smooth(log_ratio, links)

    def log_density(self, X):
        """Mean over the nearest units, weighted with inverse squared distances (Shepard 1968)."""
        return np.concatenate([self._interpolate(X[i : i + BLOCK]) for i in range(0, len(X), BLOCK)])

    def gradient(self, X, sigma):
        variances = np.full(len(self.prototypes), sigma**2)
        with np.errstate(divide="ignore"):
            log_mass = np.log(self.mass)
        return _mixture_gradient(_log_terms(X, self.prototypes, log_mass, variances), self.prototypes, variances)

    def sample(self, n_samples, rng):
        units = rng.choice(len(self.prototypes), n_samples, p=self.mass)
        if len(self.prototypes) == 1:
            return self.prototypes[units].astype(np.float64)
        # The neighbour of a sample is drawn as often as it was the second nearest unit.
        ends = np.concatenate([[0], np.cumsum(self.pairs.data)])[self.pairs.indptr]
        ticket = rng.uniform(ends[units], ends[units + 1])
        others = self.pairs.indices[np.searchsorted(np.cumsum(self.pairs.data), ticket, side="right")]
        share = rng.uniform(0, 0.5, (n_samples, 1))
        return (1 - share) * self.prototypes[units] + share * self.prototypes[others]

    def _interpolate(self, X):
        distances, units = self.tree.query(X, range(1, self.n_near + 1))
        # Relative to the nearest, so that a point on a unit, at distance 0, takes that unit's value.
        nearest = np.maximum(distances[:, :1], np.finfo(np.float32).tiny)
        weights = (nearest / np.maximum(distances, nearest)) ** 2
        return (weights * self.log_ratio[units]).sum(axis=1) / weights.sum(axis=1)

    def _squared_widths(self, links):
        if len(self.prototypes) == 1:
            return np.ones(1)
        links = links.tocoo()
        lengths = self.prototypes[links.row].astype(np.float64) - self.prototypes[links.col]
        squares = np.bincount(links.row, links.data * (lengths**2).sum(axis=1), minlength=len(self.prototypes))
        weights = np.bincount(links.row, links.data, minlength=len(self.prototypes))
        # A unit that no sample came near has no neighbours but the nearest unit.
        alone = weights == 0
        squares[alone] = self.tree.query(self.prototypes[alone], 2)[0][:, 1] ** 2
        return np.maximum(squares / np.where(alone, 1, weights), _least_square(self.prototypes))


def _least_square(prototypes):
    """Squared width given to units that sit exactly on their samples or on each other."""
    return 1e-6 * max(float(prototypes.var(axis=0, dtype=np.float64).sum()), np.finfo(np.float32).tiny)


def _smooth(values, links):
    """Part of the way from every unit's value to the mean of its neighbours'."""
    adjacency = (links > 0).astype(np.float64)
    degree = adjacency.sum(axis=1)
    means = np.where(degree > 0, adjacency @ values / np.maximum(degree, 1), values)
    return (1 - NEIGHBORS_SHARE) * values + NEIGHBORS_SHARE * means


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
