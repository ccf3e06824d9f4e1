"""Policies that ask what an action may lead to: one of several outcomes tells something, a certain one nothing."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.special import xlogy

from smc._scores import normalise_scores
from smc.policies._policy import ValuePolicy, n_agents
from topology._validation import check_real


def outcome_information(hypotheses, scores, resolution):
    """What an outcome is expected to tell about which hypothesis is true, by how far the hypotheses lie apart.

    The hypotheses are taken for Gaussians of standard deviation `resolution` with the normalised scores as masses. The
    mutual information of hypothesis and outcome is bounded from below by their pairwise Bhattacharyya distances: those
    at one place count as one, those far apart tell all that the scores leave open. Where a hidden cause alone decides
    between the outcomes, it is what the outcome tells about that cause.

    Parameters
    ----------
    hypotheses : array-like (..., K, d)
    scores : array-like (..., K)
        At least 0, not all 0 along the last axis.
    resolution : float > 0
        Standard deviation of an outcome about its hypothesis, in the units of the hypotheses.

    Returns
    -------
    ndarray (...)
        In nats, from 0 to log K.

    References
    ----------
    Kolchinsky, A. & Tracey, B. D. (2017). Estimating mixture entropy with pairwise distances. Entropy 19:361.

    Examples
    --------
    >>> float(outcome_information([[0.0], [0.0], [9.0]], [0.25, 0.25, 0.5], 0.1).round(3))
    0.693
    """
    resolution = check_real("resolution", resolution, 0, open_low=True)
    hypotheses = np.asarray(hypotheses, dtype=np.float64)
    if hypotheses.ndim < 2 or not hypotheses.size or not np.isfinite(hypotheses).all():
        raise ValueError(f"hypotheses must be finite and have shape (..., K, d), got shape {hypotheses.shape}")
    mass = normalise_scores(scores, hypotheses.shape[:-1])
    squares = np.square(hypotheses[..., :, None, :] - hypotheses[..., None, :, :]).sum(axis=-1)
    overlap = np.exp(-squares / (8 * resolution**2))
    density = np.einsum("...kj,...j->...k", overlap, mass)
    return np.maximum(-xlogy(mass, density).sum(axis=-1), 0.0)


class AmbiguousOutcome(ValuePolicy):
    """The action whose outcome is expected to tell most, by a model of what may come of each.

    Parameters
    ----------
    predict : callable observation -> (hypotheses, scores)
        What may come of every action: hypotheses (n, n_actions, K, d) with scores (n, n_actions, K), such as a
        `MultiHypothesisRegressor` gives for the rows of all agents and actions; `smc.hypotheses.AmbiguousContingency`
        learns one from transitions, and its `outcomes` is such a callable.
    n_actions : int
    resolution : float > 0
        See `outcome_information`; of a `MultiHypothesisRegressor` its `bandwidth_`.

    References
    ----------
    Lindley, D. V. (1956). On a measure of the information provided by an experiment. Annals of Mathematical
    Statistics 27.
    """

    def __init__(self, predict: Callable, n_actions, *, resolution):
        super().__init__(n_actions)
        if not callable(predict):
            raise TypeError(f"predict must be callable, got {predict!r}")
        self.predict = predict
        self.resolution = check_real("resolution", resolution, 0, open_low=True)

    def values(self, observation, rng):
        hypotheses, scores = self.predict(observation)
        expected = (n_agents(observation), self.n_actions)
        if np.ndim(scores) != 3 or np.shape(scores)[:2] != expected:
            raise ValueError(f"predict must give scores {(*expected, 'K')} for these agents, got {np.shape(scores)}")
        return outcome_information(hypotheses, scores, self.resolution)
