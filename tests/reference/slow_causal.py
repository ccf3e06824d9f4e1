"""A causal observer as one would write it on a blackboard: every pair of measurements on a dense grid, one by one."""

import numpy as np
from scipy.stats import norm


def measurements(stimuli, sigma, n=501, reach=6.5):
    """Pairs of measurements (n * n, 2) and their probabilities."""
    z = np.linspace(-reach, reach, n)
    weight = np.exp(-0.5 * z**2)
    weight /= weight.sum()
    x = np.stack(np.meshgrid(stimuli[0] + sigma[0] * z, stimuli[1] + sigma[1] * z, indexing="ij"), axis=-1)
    return x.reshape(-1, 2), np.outer(weight, weight).ravel()


def posterior_common(x, sigma, mean, spread, p_common):
    """Koerding et al. (2007), equations 1 to 4, from the densities of the two causal structures."""
    covariance = np.diag(np.square(sigma)) + spread**2
    one = np.exp(-0.5 * np.einsum("ni,ij,nj->n", x - mean, np.linalg.inv(covariance), x - mean))
    one /= 2 * np.pi * np.sqrt(np.linalg.det(covariance))
    two = np.prod([norm.pdf(x[:, i], mean, np.hypot(sigma[i], spread)) for i in range(2)], axis=0)
    return p_common * one / (p_common * one + (1 - p_common) * two + 1e-300)


def fused_and_separate(x, sigma, mean, spread):
    precision, prior = 1 / np.square(sigma), 1 / spread**2
    fused = (x @ precision + mean * prior) / (precision.sum() + prior)
    return fused, (x * precision + mean * prior) / (precision + prior)


def share_fused(strategy, x, sigma, mean, spread, p_common, criterion):
    """How much of the fused estimate is in the report, and whether that share is a probability of choosing it."""
    posterior = posterior_common(x, sigma, mean, spread, p_common)
    return {
        "averaging": (posterior, False),
        "selection": ((posterior > 0.5).astype(float), False),
        "matching": (posterior, True),
        "forced_fusion": (np.ones(len(x)), False),
        "segregation": (np.zeros(len(x)), False),
        "fixed_criterion": ((abs(x[:, 0] - x[:, 1]) < criterion).astype(float), False),
        "stochastic_fusion": (np.full(len(x), p_common), True),
    }[strategy]


def cumulative(strategy, stimuli, sigma, asked, thresholds, mean, spread, p_common, criterion=5.0, motor=0.0):
    """Probability that the report about one sense lies below each threshold."""
    x, weight = measurements(stimuli, sigma)
    share, chosen = share_fused(strategy, x, sigma, mean, spread, p_common, criterion)
    fused, separate = fused_and_separate(x, sigma, mean, spread)
    separate = separate[:, asked]
    reports = [(share, fused), (1 - share, separate)] if chosen else [(1.0, share * fused + (1 - share) * separate)]

    def below(gap):
        return norm.cdf(gap / motor) if motor else np.heaviside(gap, 0.5)

    return np.array([sum((weight * p * below(c - said)).sum() for p, said in reports) for c in thresholds])


def same(strategy, stimuli, sigma, mean, spread, p_common, criterion=5.0):
    """Probability of the answer "same"."""
    x, weight = measurements(stimuli, sigma)
    share, chosen = share_fused(strategy, x, sigma, mean, spread, p_common, criterion)
    return (weight * (share if chosen else share > 0.5)).sum()


def simulated(strategy, stimuli, sigma, mean, spread, p_common, criterion, n, rng):
    """Monte-Carlo reports (n, 2)."""
    x = rng.normal(stimuli, sigma, (n, 2))
    share, chosen = share_fused(strategy, x, sigma, mean, spread, p_common, criterion)
    fused, separate = fused_and_separate(x, sigma, mean, spread)
    if chosen:
        share = (rng.random(n) < share).astype(float)
    return share[:, None] * fused[:, None] + (1 - share[:, None]) * separate
