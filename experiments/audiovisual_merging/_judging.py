"""What decides how much each sense is believed, and how a percept is judged."""

import numpy as np

RULES = ("learned", "oracle", "closed form", "constant gain", "permuted", "width-coded")
CONTROLS = RULES[3:]


def precisions(variances, squared_error, places, config, rng):
    """Gain (2, n_trials) of each sense under the rules that differ only in it."""
    level = np.searchsorted(config.eccentricities, abs(places))
    return {
        "learned": 1 / variances,
        "oracle": 1 / squared_error[:, level],
        "constant gain": np.ones_like(variances),
        "permuted": np.stack([rng.permutation(v) for v in 1 / variances]),
    }


def judge_senses(estimates, variances, places, config):
    """Errors of each sense alone and what they ask of the merged percept, per eccentricity."""
    mse, predicted = np.empty((2, len(config.eccentricities))), np.empty((2, len(config.eccentricities)))
    for i, eccentricity in enumerate(config.eccentricities):
        rows = abs(places) == eccentricity
        mse[:, i] = ((estimates[:, rows] - places[rows]) ** 2).mean(axis=1)
        predicted[:, i] = variances[:, rows].mean(axis=1)
    return {
        "squared_error": mse,
        "predicted_variance": predicted,
        "optimal_weight": mse[1] / mse.sum(axis=0),
        "optimal_error": np.sqrt(mse.prod(axis=0) / mse.sum(axis=0)),
    }


def judge(percept, estimates, places, config):
    """Weight of vision and root mean squared error of the percept at each eccentricity.

    The weight is the slope of the percept on vision's estimate, both measured from audition's: what the merging does,
    whatever the two senses say.
    """
    weight, error = np.empty((2, len(config.eccentricities)))
    for i, eccentricity in enumerate(config.eccentricities):
        rows = (abs(places) == eccentricity) & np.isfinite(percept)
        seen, heard = estimates[:, rows]
        weight[i] = (percept[rows] - heard) @ (seen - heard) / ((seen - heard) @ (seen - heard))
        error[i] = np.sqrt(((percept[rows] - places[rows]) ** 2).mean())
    return weight, error
