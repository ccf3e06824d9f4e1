"""Scored hypotheses as a density: a kernel on each, or kernels cut off at the borders of their cells."""

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import logsumexp

from topology._validation import check_choice, check_generator, check_integer, check_matrix, check_real

KINDS = ("kernel", "voronoi")
N_DRAWS = 2000  # kernel draws that measure each truncated kernel: a standard error of 1 % where half is inside
N_ROUNDS = 100  # of rejection; a cell that no draw hits is narrower than anything the kernel can say


class HypothesisDensity:
    """Density of the outcome of one input, as `topology` densities are: evaluated, climbed, sampled.

    Parameters
    ----------
    hypotheses : array-like (K, d)
    scores : array-like (K,)
        At least 0, not all 0; the masses of the cells are the normalised scores.
    kind : {"kernel", "voronoi"}, default="kernel"
        "kernel": a mixture of Gaussians on the hypotheses. "voronoi": each Gaussian is cut off at the border of the
        cell of its hypothesis and renormalised there, so that every cell carries exactly its mass.
    bandwidth : float > 0, default=0.1
        Standard deviation of the Gaussians, in the units of the hypotheses.
    random_state : int, RandomState, Generator or None, default=0
        Of the draws by which the truncated kernels are measured.

    Attributes
    ----------
    mass_ : ndarray (K,), sums to 1

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
        hypotheses = check_matrix("hypotheses", hypotheses).astype(np.float64)
        # Hypotheses at one place share one cell.
        self.hypotheses, places = np.unique(hypotheses, axis=0, return_inverse=True)
        mass = normalise_scores(scores, hypotheses.shape[:1])
        self.mass_ = mass
        self._mass = np.bincount(places.ravel(), mass, minlength=len(self.hypotheses))
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
            return _pull(X, self.hypotheses, self._log_terms(X, width), width)
        if sigma == 0:
            return (self.hypotheses[self._cells(X)] - X) / self.bandwidth**2
        if self._smooth is None:
            self._smooth = self.sample(100 * len(self._mass), 0)
        return _pull(X, self._smooth, -0.5 * cdist(X, self._smooth, "sqeuclidean") / sigma**2, sigma)

    def sample(self, n_samples=1, random_state=None):
        """New points, (n_samples, d)."""
        n_samples = check_integer("n_samples", n_samples, 1)
        rng = check_generator(random_state)
        cells = rng.choice(len(self._mass), n_samples, p=self._mass)
        X = self.hypotheses[cells].copy()
        missing = np.arange(n_samples)
        for _ in range(N_ROUNDS if self.kind == "voronoi" else 1):
            drawn = self.hypotheses[cells[missing]]
            drawn = drawn + self.bandwidth * rng.standard_normal(drawn.shape)
            fits = self._cells(drawn) == cells[missing] if self.kind == "voronoi" else np.ones(len(drawn), dtype=bool)
            X[missing[fits]] = drawn[fits]
            missing = missing[~fits]
            if len(missing) == 0:
                break
        return X

    def _measure(self, rng):
        """Share of each kernel inside its own cell."""
        noise = self.bandwidth * rng.standard_normal((N_DRAWS, self.hypotheses.shape[1]))
        inside = [np.mean(self._cells(center + noise) == k) for k, center in enumerate(self.hypotheses)]
        return np.maximum(inside, 0.5 / N_DRAWS)

    def _cells(self, X):
        return cdist(X, self.hypotheses, "sqeuclidean").argmin(axis=1)

    def _log_terms(self, X, width):
        """log mass_k N(x; f_k, width^2 I), (n_samples, K)."""
        with np.errstate(divide="ignore"):
            constants = np.log(self._mass) - X.shape[1] * np.log(np.sqrt(2 * np.pi) * width)
        return constants - 0.5 * cdist(X, self.hypotheses, "sqeuclidean") / width**2

    def _check(self, X):
        return check_matrix("X", X, n_columns=self.hypotheses.shape[1]).astype(np.float64)


def normalise_scores(scores, shape):
    """Scores of K hypotheses along the last axis as masses that sum to 1."""
    scores = np.asarray(scores, dtype=np.float64)
    if scores.shape != shape:
        raise ValueError(f"scores must have shape {shape}, one per hypothesis, got {scores.shape}")
    if not (np.isfinite(scores).all() and scores.min() >= 0):
        raise ValueError("scores must be finite and at least 0")
    largest = scores.max(axis=-1, keepdims=True)
    if (largest == 0).any():
        raise ValueError("scores must not all be zero: no hypothesis would carry mass")
    return scores / largest / (scores / largest).sum(axis=-1, keepdims=True)


def _pull(X, centers, log_terms, width):
    pull = np.exp(log_terms - logsumexp(log_terms, axis=1, keepdims=True))
    return (pull @ centers - X) / width**2
