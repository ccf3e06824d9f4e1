"""From anomaly scores to calibrated p-values, and from p-values to reliability."""

import numpy as np
from sklearn.utils.validation import check_array, column_or_1d


def rank_p_values(scores, calibration_scores):
    """Share of calibration scores at least as high, the sample itself counted as one of them.

    Uniform for a sample that is exchangeable with the calibration samples, never 0.

    Parameters
    ----------
    scores : ndarray of shape (n_samples,)
        Anomaly scores, high = atypical.
    calibration_scores : ndarray of shape (n_calibration,)
        Sorted in increasing order.
    """
    n = len(calibration_scores)
    at_least = n - np.searchsorted(calibration_scores, scores, side="left")
    return (1 + at_least) / (n + 1)


def held_out_p_values(calibration_scores):
    """The p-value of each calibration sample among the others: `rank_p_values` with itself left out."""
    n = len(calibration_scores)
    return (n - np.searchsorted(np.sort(calibration_scores), calibration_scores, side="left")) / n


def combine_fisher(p_values):
    """Fisher's statistic over layers, (n_samples, n_layers) -> (n_samples,); high = atypical.

    Layers depend on each other, so the statistic needs a calibration of its own (it is no chi-square).
    """
    return -np.log(p_values).sum(axis=1)


def sellke_reliability(p_values, prior_degraded):
    """Lower bound on the probability that a sample is clean, given its p-value.

    -e p ln p bounds from below the Bayes factor for "clean" (Sellke, Bayarri & Berger 2001, The American Statistician
    55:62); `prior_degraded` is the share of degraded samples expected beforehand. It falls gently above p = .02,
    so that clean samples, whose p-values are uniform, keep their weight.
    """
    p = np.asarray(p_values, dtype=float)
    bayes_factor = np.where(p < 1 / np.e, -np.e * p * np.log(p), 1.0)
    clean = (1 - prior_degraded) * bayes_factor
    return clean / (clean + prior_degraded)


def distance_reliability(distances, typical):
    """Share of the squared distance that clean samples have, too: min(1, typical / distance).

    Noise of variance s**2 on top of the clean variance v leaves v / (v + s**2): the relative precision of the sample.
    """
    return typical / np.maximum(distances, typical)


def split_groups(groups, fraction, rng):
    """Boolean mask of the samples kept apart for calibration: whole groups, at least one and never all.

    Parameters
    ----------
    groups : ndarray of shape (n_samples,)
    fraction : float
        Share of the groups to keep apart.
    rng : numpy.random.RandomState or Generator
    """
    names, member = np.unique(groups, return_inverse=True)
    if len(names) < 2:
        raise ValueError("groups must hold at least 2 different groups, one of them to be kept apart for calibration")
    n_apart = min(max(1, round(fraction * len(names))), len(names) - 1)
    return np.isin(member, rng.permutation(len(names))[:n_apart])


def check_groups(groups, n_samples):
    """Group of each sample, shape (n_samples,); None makes each sample its own group."""
    if groups is None:
        return np.arange(n_samples)
    groups = column_or_1d(check_array(groups, ensure_2d=False, dtype=None, input_name="groups"))
    if len(groups) != n_samples:
        raise ValueError(f"groups must name one group per sample: {n_samples} samples, {len(groups)} groups")
    return groups
