"""What a causal observer makes of given measurements."""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from fusion._causal.checks import as_levels


@dataclass(frozen=True)
class Observed:
    """Of each trial: the probability of taking the measurements for one cause, and the estimates either way.

    posterior, share_common : (n,); share_common is how often a report rests on one cause
    fused : (n, 1); separate : (n, 2), NaN for absent senses
    averages : bool, whether reports are averages rather than choices
    """

    posterior: np.ndarray
    share_common: np.ndarray
    fused: np.ndarray
    separate: np.ndarray
    averages: bool

    def mean_estimate(self):
        """Expected estimate over the observer's own randomness, (n, 2)."""
        share = (self.posterior if self.averages else self.share_common)[:, None]
        return share * self.fused + (1 - share) * self.separate


def observe(strategy, measured, noise, p_common, prior_mean, prior_sigma, criterion):
    """Estimates and probabilities from measurements (n, 2), NaN = absent, and their noise SD (n, 2)."""
    present = ~np.isnan(measured)
    both = present.all(axis=1)
    precision = np.where(present, 1 / np.square(noise), 0.0)
    deviation = np.where(present, measured - np.nan_to_num(prior_mean), 0.0)
    prior = 1 / np.square(prior_sigma) if np.isfinite(prior_sigma) else 0.0
    total = precision.sum(axis=1) + prior
    weighted = precision * deviation
    fused = weighted.sum(axis=1) / total
    separate = np.where(present, weighted / (precision + prior), np.nan)
    if strategy in ("averaging", "selection", "matching"):
        evidence = np.log(precision + prior).sum(axis=1) - np.log(prior) - np.log(total)
        evidence += weighted.sum(axis=1) ** 2 / total - np.nansum(weighted * separate, axis=1)
        posterior = np.where(both, expit(0.5 * evidence + logit(p_common)), p_common)
    elif strategy == "fixed_criterion":
        with np.errstate(invalid="ignore"):
            posterior = (abs(measured[:, 0] - measured[:, 1]) < criterion).astype(float)
    elif strategy == "stochastic_fusion":
        posterior = p_common
    else:
        posterior = np.full(len(measured), float(strategy == "forced_fusion"))
    share = (posterior > 0.5).astype(float) if strategy in ("averaging", "selection") else posterior
    offset = np.nan_to_num(prior_mean)
    return Observed(posterior, share, (offset + fused)[:, None], offset + separate, strategy == "averaging")


def reports(observed, common):
    """Estimates (n, 2), NaN for absent senses, when `common` (n,) says which trials rest on one cause."""
    if observed.averages:
        return observed.mean_estimate()
    return np.where(np.isnan(observed.separate) | ~common[:, None], observed.separate, observed.fused)


def random_responses(shape, response, levels, scale, rng):
    """What lapses say: any response, a continuous scale being the interval `scale`."""
    if response == "discrimination":
        return rng.choice([-1.0, 1.0], shape)
    return rng.uniform(*scale, shape) if levels is None else rng.choice(as_levels(levels), shape)


def on_scale(estimates, response, levels):
    """Responses to estimates (n, 2): their signs for discrimination, the nearest of `levels` if there are any."""
    if response == "discrimination":
        said = np.where(estimates >= 0, 1.0, -1.0)
    elif levels is None:
        return estimates
    else:
        levels = as_levels(levels)
        said = levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, np.nan_to_num(estimates))]
    return np.where(np.isnan(estimates), np.nan, said)
