"""Scored hypotheses as a density: a kernel on each, or kernels cut off at the borders of their cells."""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import gammainc, gammaincinv, logsumexp

from smc._scores import normalise_scores
from topology._validation import check_choice, check_generator, check_integer, check_matrix, check_real

KINDS = ("kernel", "voronoi")
N_RAYS = 2000  # from a hypothesis to the border of its cell; they measure the kernel inside
N_ROUNDS = 100  # of rejection, before a draw follows one of several rays
N_CANDIDATES = 64  # rays


class HypothesisDensity:
    """Density of the outcome of one input, as `topology` densities are: evaluated, climbed, sampled.

    Parameters
    ----------
    hypotheses : array-like (K, d)
    scores : array-like (K,)
        At least 0, not all 0; the masses of the cells are the normalised scores.
    kind : {"kernel", "voronoi"}, default="kernel"
        "kernel": a mixture of Gaussians on the hypotheses. "voronoi": each Gaussian is cut off at the border of the
        cell of its hypothesis and renormalised there, so that every cell carries its mass: exactly in one dimension,
        else up to the error of an average over 2000 directions (about 1 %).
    bandwidth : float > 0, default=0.1
        Standard deviation of the Gaussians, in the units of the hypotheses.
    random_state : int, RandomState, Generator or None, default=0
        Of the directions in which the truncated kernels are measured.

    Attributes
    ----------
    hypotheses : ndarray (K, d)
        As given.
    mass_ : ndarray (K,), sums to 1
        In the same order.

    Raises
    ------
    ValueError
        Scores that are negative or all zero, shapes that do not fit, NaN or infinity.

    References
    ----------
    Letzelter et al. (2024), Winner-takes-all learners are geometry-aware conditional density estimators, ICML.
    """

    def __init__(self, hypotheses, scores, *, kind="kernel", bandwidth=0.1, random_state=0):
        self.kind = check_choice("kind", kind, KINDS)
        self.bandwidth = check_real("bandwidth", bandwidth, 0, open_low=True)
        self.hypotheses = check_matrix("hypotheses", hypotheses).astype(np.float64)
        self.mass_ = normalise_scores(scores, self.hypotheses.shape[:1])
        # Hypotheses at one place share one cell.
        self._centers, places = np.unique(self.hypotheses, axis=0, return_inverse=True)
        self._mass = np.bincount(places.ravel(), self.mass_, minlength=len(self._centers))
        self._log_volume = np.zeros(len(self._mass))
        if kind == "voronoi":
            self._log_volume = np.log(self._measure(check_generator(random_state)))
        self._smooth = None

    def score_samples(self, X):
        """Log density of every row, (n_samples,)."""
        X = self._check(X)
        terms = self._log_terms(X, self.bandwidth) - self._log_volume
        if self.kind == "kernel":
            return logsumexp(terms, axis=1)
        return np.take_along_axis(terms, self._cells(X)[:, None], axis=1)[:, 0]

    def grad_log_density(self, X, sigma):
        """Gradient of the log density smoothed by a Gaussian of standard deviation `sigma` >= 0, shape of X.

        Smoothing a truncated kernel has no closed form: for kind="voronoi" and sigma > 0 the density is represented by
        100 draws per hypothesis, always the same ones.
        """
        X, sigma = self._check(X), check_real("sigma", sigma, 0)
        if self.kind == "kernel":
            width = np.hypot(self.bandwidth, sigma)
            return _pull(X, self._centers, self._log_terms(X, width), width)
        if sigma == 0:
            return (self._centers[self._cells(X)] - X) / self.bandwidth**2
        if self._smooth is None:
            self._smooth = self.sample(100 * len(self._mass), 0)
        return _pull(X, self._smooth, -0.5 * cdist(X, self._smooth, "sqeuclidean") / sigma**2, sigma)

    def sample(self, n_samples=1, random_state=None):
        """New points, (n_samples, d)."""
        n_samples = check_integer("n_samples", n_samples, 1)
        rng = check_generator(random_state)
        cells = rng.choice(len(self._mass), n_samples, p=self._mass)
        X = self._centers[cells].copy()
        missing = np.arange(n_samples)
        for _ in range(N_ROUNDS if self.kind == "voronoi" else 1):
            drawn = self._centers[cells[missing]]
            drawn = drawn + self.bandwidth * rng.standard_normal(drawn.shape)
            fits = self._cells(drawn) == cells[missing] if self.kind == "voronoi" else np.ones(len(drawn), dtype=bool)
            X[missing[fits]] = drawn[fits]
            missing = missing[~fits]
            if len(missing) == 0:
                return X
        for i in missing:  # in a cell so narrow that hardly a draw falls into it
            X[i] += self._draw_on_rays(cells[i], rng)
        return X

    def _measure(self, rng):
        """Share of each kernel inside its own cell: the mean over directions of what lies before the border."""
        rays = self._directions(N_RAYS, rng)
        return np.array([self._share_before(self._reach(k, rays)).mean() for k in range(len(self._centers))])

    def _draw_on_rays(self, k, rng):
        """From center k to a draw of its kernel inside its cell, along one of some random rays."""
        rays = self._directions(N_CANDIDATES, rng)
        share = self._share_before(self._reach(k, rays))
        i = rng.choice(len(rays), p=share / share.sum())
        # A squared radius, in squares of the bandwidth, is distributed as chi squared.
        half_square = gammaincinv(rays.shape[1] / 2, rng.random() * share[i])
        return self.bandwidth * np.sqrt(2 * half_square) * rays[i]

    def _directions(self, n, rng):
        d = self._centers.shape[1]
        if d == 1:
            return np.array([[-1.0], [1.0]])
        rays = rng.standard_normal((n, d))
        return rays / np.linalg.norm(rays, axis=1, keepdims=True)

    def _reach(self, k, rays):
        """Distance from center k to the border of its cell along each ray, infinite where there is none."""
        others = np.delete(self._centers, k, axis=0) - self._centers[k]
        with np.errstate(divide="ignore"):
            reach = 0.5 * (others**2).sum(axis=1) / np.maximum(rays @ others.T, 0.0)
        return reach.min(axis=1, initial=np.inf)

    def _share_before(self, reach):
        """Share of a Gaussian, of what it has along a ray, that lies nearer than the reach."""
        with np.errstate(over="ignore"):
            return gammainc(self._centers.shape[1] / 2, 0.5 * (reach / self.bandwidth) ** 2)

    def _cells(self, X):
        return cdist(X, self._centers, "sqeuclidean").argmin(axis=1)

    def _log_terms(self, X, width):
        """log mass_k N(x; f_k, width^2 I), (n_samples, K)."""
        with np.errstate(divide="ignore"):
            constants = np.log(self._mass) - X.shape[1] * np.log(np.sqrt(2 * np.pi) * width)
        return constants - 0.5 * cdist(X, self._centers, "sqeuclidean") / width**2

    def _check(self, X):
        return check_matrix("X", X, n_columns=self._centers.shape[1]).astype(np.float64)


def _pull(X, centers, log_terms, width):
    pull = np.exp(log_terms - logsumexp(log_terms, axis=1, keepdims=True))
    return (pull @ centers - X) / width**2
