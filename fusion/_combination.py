"""Rules that combine class probabilities of several experts under weights in [0, 1]."""

import numpy as np
from scipy.special import softmax

# An expert that gives a class no chance must not outvote all others for ever.
SMALLEST_PROBABILITY = 1e-12


def discount(probabilities, weights):
    """Product of discounted experts, prod_m [r_m p_m + (1 - r_m) / C]: at weight 0 an expert says nothing."""
    n_classes = probabilities.shape[-1]
    mixed = weights[..., None] * probabilities + (1 - weights[..., None]) / n_classes
    return softmax(_log(mixed).sum(axis=0), axis=-1)


def product(probabilities, weights):
    """Product of powers, prod_m p_m ** r_m."""
    return softmax((weights[..., None] * _log(probabilities)).sum(axis=0), axis=-1)


def mean(probabilities, weights):
    """Weighted mean, sum_m r_m p_m / sum_m r_m; uniform where all weights are 0."""
    total = weights.sum(axis=0)
    shares = np.where(total > 0, weights, 1.0) / np.where(total > 0, total, len(weights))
    uniform = 1 / probabilities.shape[-1]
    probabilities = np.where((total > 0)[:, None], probabilities, uniform)
    return (shares[..., None] * probabilities).sum(axis=0)


# Each takes probabilities (n_modalities, n_samples, n_classes) and weights (n_modalities, n_samples).
RULES = {"discount": discount, "product": product, "mean": mean}


def _log(probabilities):
    return np.log(np.maximum(probabilities, SMALLEST_PROBABILITY))
