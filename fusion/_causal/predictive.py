"""Leave-one-out predictive densities, averaged over what the responses leave open about the parameters."""

import warnings

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, gammaln, log_expit, logit, logsumexp
from scipy.stats import chi2, norm, qmc

from fusion._causal.fitting import assemble

DEGREES = 5  # of freedom of the Student t that proposes parameters: heavier tails than a posterior has
INTERIOR = 0.02  # share of its range by which an optimum at a bound is moved inside, before the mode is looked for
ROUND = 256  # draws
ENOUGH = 150  # effective draws
FEWEST = 10
AHEAD = 0.1  # by which a draw may be likelier than the fit, which is accurate to less
FLATTEST = 0.2  # smallest curvature that is believed: the logit of a uniform variable has a variance of 3.3


def leave_one_out_posterior(likelihood, theta, max_draws, seed):
    """Log predictive density of each cell's answer given all other answers.

    The prior is uniform within the bounds, on the scale on which parameters are searched. Importance sampling (Vehtari,
    Gelman & Gabry 2017, Stat Comput 27:1413, section 2) from Student t around the mode of the posterior of the
    parameters' logits, where bounds lie at infinity: an optimum at a bound is no special case, nor is a flat direction.
    """
    layout = likelihood.layout
    parameters = [layout.parameters[i] for i in layout.free]
    low, high = np.array([[p.to_search(p.low), p.to_search(p.high)] for p in parameters]).reshape(-1, 2).T
    if not len(parameters):
        return np.log(np.maximum(likelihood.cells(theta)[0], 1e-300))

    def place(z):
        return assemble(layout, low + (high - low) * expit(z))

    def objective(z):
        point = place(z)
        value, gradient = likelihood(point)
        share = expit(z)
        slopes = np.array([p.search_slope(v) for p, v in zip(parameters, point[layout.free])])
        slopes = gradient[layout.free] * slopes * (high - low) * share * (1 - share)
        return -value - (log_expit(z) + log_expit(-z)).sum(), -slopes - (1 - 2 * share)

    found = np.array([p.to_search(theta[i]) for i, p in zip(layout.free, parameters)])
    start = logit(np.clip((found - low) / (high - low), INTERIOR, 1 - INTERIOR))
    mode = minimize(objective, start, jac=True, method="BFGS", options={"gtol": 1e-2, "maxiter": 60}).x

    # The first round draws around the mode, each later one from where all before say that the posterior lies.
    rng = np.random.default_rng(seed)
    proposals = [_Student(mode, _covariance_at(objective, mode))]
    draws, log_p = np.empty((0, len(mode))), np.empty((0, len(likelihood.counts)))
    while True:
        new = proposals[-1].draw(qmc.Sobol(len(mode) + 1, rng=rng).random(ROUND))
        draws = np.concatenate([draws, new])
        values = np.array([likelihood.cells(place(z))[0] for z in new])
        log_p = np.concatenate([log_p, np.log(np.maximum(values, 1e-300))])
        log_weight = log_p @ likelihood.counts + (log_expit(draws) + log_expit(-draws)).sum(axis=1)
        log_weight -= logsumexp([proposal.log_density(draws) for proposal in proposals], axis=0)
        log_weight -= logsumexp(log_weight)
        effective = float(np.exp(-logsumexp(2 * log_weight)))
        if effective >= ENOUGH or len(draws) >= max_draws:
            break
        proposals.append(_Student(*_moments(draws, log_weight)))
    ahead = (log_p @ likelihood.counts).max() - likelihood(theta)[0]
    if ahead > AHEAD:
        warnings.warn(
            f"the fit is not the optimum: a draw from the posterior is likelier by {ahead:.3g}; raise n_starts",
            RuntimeWarning,
            stacklevel=3,
        )
    if effective < FEWEST:
        warnings.warn(
            f"only {effective:.0f} draws count; narrow the bounds of what the responses do not determine",
            RuntimeWarning,
            stacklevel=3,
        )
    return -logsumexp(log_weight[:, None] - log_p, axis=0)


def _covariance_at(objective, mode, step=1e-3):
    """Inverse of the second derivatives at the mode; where these are flat or turn up, that of the prior's scale."""
    columns = [objective(mode + step * e)[1] - objective(mode - step * e)[1] for e in np.eye(len(mode))]
    matrix = np.array(columns) / (2 * step)
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    return (vectors / np.maximum(values, FLATTEST)) @ vectors.T


def _moments(draws, log_weight):
    """Mean and covariance under the weights, which are flattened until enough draws count."""
    for power in (1.0, 0.7, 0.5, 0.35, 0.25, 0.1):
        weight = np.exp(power * (log_weight - log_weight.max()))
        weight /= weight.sum()
        if 1 / np.square(weight).sum() > 10 * draws.shape[1]:
            break
    mean = weight @ draws
    return mean, (draws - mean).T @ ((draws - mean) * weight[:, None]) + 1e-6 * np.eye(draws.shape[1])


class _Student:
    """Multivariate Student t with the given centre and shape matrix."""

    def __init__(self, centre, shape):
        self.centre, self.lower = centre, np.linalg.cholesky(shape)

    def draw(self, points):
        points = np.clip(points, 1e-12, 1 - 1e-12)
        scale = np.sqrt(DEGREES / chi2.ppf(points[:, -1:], DEGREES))
        return self.centre + (norm.ppf(points[:, :-1]) * scale) @ self.lower.T

    def log_density(self, draws):
        n = len(self.centre)
        steps = np.linalg.solve(self.lower, (draws - self.centre).T)
        constant = gammaln((DEGREES + n) / 2) - gammaln(DEGREES / 2) - n / 2 * np.log(DEGREES * np.pi)
        constant -= np.log(np.diagonal(self.lower)).sum()
        return constant - (DEGREES + n) / 2 * np.log1p(np.square(steps).sum(axis=0) / DEGREES)
