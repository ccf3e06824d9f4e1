"""Psychometric functions: where two things look alike, how finely they are told apart, how often one guesses."""

import warnings

import numpy as np
from scipy.optimize import brentq, minimize
from scipy.special import ndtr
from scipy.stats import chi2
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from topology._validation import check_real

NAMES = ("pse", "threshold", "lapse")
MAX_LAPSE = 0.2
TINY = 1e-12


class Psychometric(BaseEstimator):
    """Cumulative Gaussian with lapses, fitted by maximum likelihood with profile-likelihood intervals.

    P(yes | x) = lapse / 2 + (1 - lapse) Phi((x - pse) / threshold).

    Parameters
    ----------
    lapse : float or None, default=None
        Share of random answers; None fits it, at most 0.2.
    confidence : float or None, default=0.95
        None leaves the intervals out, which takes a tenth of the time.

    Attributes
    ----------
    pse_ : float
        Point of subjective equality, in units of x.
    threshold_ : float
        Distance from the PSE to 84 % without lapses: the SD of the underlying Gaussian. In a two-interval task with
        equal noise in both intervals it is sqrt(2) times the SD of one estimate.
    lapse_ : float
    intervals_ : dict of str to tuple (low, high)
        Of "pse", "threshold" and, if fitted, "lapse": all values that a likelihood-ratio test does not reject. An end
        is infinite (0 for a threshold) where the answers do not bound it. Empty without `confidence`.
    log_likelihood_ : float

    References
    ----------
    Wichmann & Hill (2001), Perception & Psychophysics 63:1293. Venzon & Moolgavkar (1988), J R Stat Soc C 37:87.
    """

    def __init__(self, *, lapse=None, confidence=0.95):
        self.lapse = lapse
        self.confidence = confidence

    def fit(self, x, yes, n=None):
        """Fit the answers.

        Parameters
        ----------
        x : array-like of shape (n_levels,)
            Stimulus of each trial or level.
        yes : array-like of shape (n_levels,)
            Answers (0 or 1), or their numbers out of `n`.
        n : array-like of shape (n_levels,), optional
            Trials at each level; None: one.

        Raises
        ------
        ValueError
            Shapes that disagree, values that are not finite, more answers than trials, fewer than two different x,
            or answers that are all alike.

        Warns
        -----
        RuntimeWarning
            Where yes does not become more frequent with x: there is no threshold then.
        """
        if self.lapse is not None:
            check_real("lapse", self.lapse, 0.0, 1.0, open_high=True)
        if self.confidence is not None:
            check_real("confidence", self.confidence, 0.0, 1.0, open_low=True, open_high=True)
        x, yes, n = _checked(x, yes, n)
        if (x - np.average(x, weights=n)) @ yes <= 0:
            warnings.warn(
                "yes does not become more frequent with x, so that pse_ and threshold_ mean nothing; count the other "
                "answer if that one does",
                RuntimeWarning,
                stacklevel=2,
            )
        self._x, self._yes, self._n = x, yes, n
        span = np.ptp(x)
        # Coordinates of the search: pse and threshold in units of the range, threshold as a logarithm.
        self._origin, self._unit = x.min(), span
        self._bounds = [(-5.0, 6.0), (np.log(1e-4), np.log(1e2)), (0.0, MAX_LAPSE)]
        self._free = [0, 1] if self.lapse is not None else [0, 1, 2]
        middle = np.average(np.clip((x - x.min()) / span, 0, 1), weights=n)
        starts = [
            [p, np.log(t), 0.02 if self.lapse is None else self.lapse]
            for p in (0.25, middle, 0.75)
            for t in (0.05, 0.3)
        ]
        if self.lapse == 0:  # probit regression, which has one maximum: the better half of the starts finds it
            starts = sorted(starts, key=lambda start: self._loss(np.array(start))[0])[:3]
        best = min((self._minimise(np.array(start), self._free) for start in starts), key=lambda end: end[1])
        self._best, loss = best
        self.log_likelihood_ = -loss
        self.pse_, self.threshold_, self.lapse_ = map(float, self._public(self._best))
        self.intervals_ = {NAMES[i]: self._interval(i) for i in self._free if self.confidence is not None}
        return self

    def predict_proba(self, x):
        """Probability of the answer yes, shape of x."""
        check_is_fitted(self)
        return self.lapse_ / 2 + (1 - self.lapse_) * ndtr((np.asarray(x, dtype=float) - self.pse_) / self.threshold_)

    def _public(self, q):
        return self._origin + self._unit * q[0], self._unit * np.exp(q[1]), q[2]

    def _loss(self, q):
        """Negative log-likelihood and its gradient."""
        pse, threshold, lapse = self._public(q)
        z = (self._x - pse) / threshold
        bare = ndtr(z)
        p = np.clip(lapse / 2 + (1 - lapse) * bare, TINY, 1 - TINY)
        by_p = self._yes / p - (self._n - self._yes) / (1 - p)
        density = (1 - lapse) * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
        slopes = np.array([-density * self._unit / threshold, -density * z, 0.5 - bare])
        return -(self._yes @ np.log(p) + (self._n - self._yes) @ np.log1p(-p)), -(slopes @ by_p)

    def _minimise(self, q, free):
        """Least loss over the coordinates in `free`, the others held."""

        def objective(part):
            point = q.copy()
            point[free] = part
            loss, gradient = self._loss(point)
            return loss, gradient[free]

        end = minimize(objective, q[free], jac=True, method="L-BFGS-B", bounds=[self._bounds[i] for i in free])
        q = q.copy()
        q[free] = end.x
        return q, float(end.fun)

    def _interval(self, index):
        """Where twice the fall of the profile log-likelihood reaches the quantile of chi-squared."""
        allowed = -self.log_likelihood_ + chi2.ppf(self.confidence, 1) / 2
        others = [i for i in self._free if i != index]

        def excess(value):
            q = self._best.copy()
            q[index] = value
            return self._minimise(q, others)[1] - allowed

        ends = []
        for bound, unbounded in zip(self._bounds[index], ((-np.inf, np.inf), (0.0, np.inf), self._bounds[2])[index]):
            if excess(bound) <= 0:
                ends.append(unbounded)
                continue
            q = self._best.copy()
            q[index] = brentq(excess, *sorted((q[index], bound)), xtol=1e-5)
            ends.append(float(self._public(q)[index]))
        return tuple(ends)


def _checked(x, yes, n):
    try:
        x, yes = np.asarray(x, dtype=float), np.asarray(yes, dtype=float)
        n = np.ones_like(yes) if n is None else np.asarray(n, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError("x, yes and n must be arrays of numbers") from error
    if x.ndim != 1 or x.shape != yes.shape or x.shape != n.shape:
        raise ValueError(f"x, yes and n must have the same shape (n_levels,); got {x.shape}, {yes.shape}, {n.shape}")
    if not (np.isfinite(x).all() and np.isfinite(yes).all() and np.isfinite(n).all()):
        raise ValueError("x, yes and n must be finite")
    if (n < 0).any() or (yes < 0).any() or (yes > n).any():
        raise ValueError("yes must lie between 0 and n (1 without n)")
    kept = n > 0
    x, yes, n = x[kept], yes[kept], n[kept]
    if len(np.unique(x)) < 2:
        raise ValueError("x must hold at least two different stimuli")
    if yes.sum() in (0, n.sum()):
        raise ValueError("yes must differ between trials: all answers are the same")
    return x, yes, n
