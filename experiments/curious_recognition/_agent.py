"""One agent: what it learned of the objects, what it believes, and how it looks around."""

from __future__ import annotations

import numpy as np
from scipy.special import softmax

from smc import ContingencyModel
from smc.policies import FixedSweep, Looks, PlaceNovelty, RandomPolicy, RecognitionGain, ValuePolicy

UNMET = 1e-9  # probability of a code that was never met in practice


def learn(codes, n_codes, rng=None):
    """Probabilities (n_objects, n_actions, n_codes) of the codes, counted over passes; with `rng` of shuffled actions.

    Parameters
    ----------
    codes : ndarray (n_objects, n_passes, n_actions) of int
    """
    n_objects, n_passes, n_actions = codes.shape
    thing = np.repeat(np.arange(n_objects), n_passes * n_actions)
    action = np.tile(np.arange(n_actions), n_objects * n_passes)
    done = action if rng is None else rng.permutation(action)
    model = ContingencyModel(order=1, target="next").update(thing, done, codes.reshape(-1))
    every = np.repeat(np.arange(n_objects), n_actions), np.tile(np.arange(n_actions), n_objects)
    probabilities = np.full((n_objects, n_actions, n_codes), UNMET)
    probabilities[..., model.outcomes_] = model.predict_proba(*every).reshape(n_objects, n_actions, -1)
    return probabilities


def turned(likelihood, n_views):
    """Probabilities (n_objects * n_views, n_actions, n_codes) with every view as the first one."""
    n_objects, n_actions, n_codes = likelihood.shape
    by_view = likelihood.reshape(n_objects, n_views, -1, n_codes)
    starts = [np.roll(by_view, -start, axis=1) for start in range(n_views)]
    return np.stack(starts, axis=1).reshape(-1, n_actions, n_codes)


class Body:
    """Where the sensors can go: actions (view, row, column, sense), views in a ring."""

    def __init__(self, n_views, grid):
        self.n_views, self.grid = n_views, grid
        view, row, column, sense = np.indices((n_views, grid, grid, 2)).reshape(4, -1)
        turn = np.abs(view[:, None] - view)
        near = np.minimum(turn, n_views - turn) <= 1
        near &= (np.abs(row[:, None] - row) <= 1) & (np.abs(column[:, None] - column) <= 1)
        self.reach = near
        angle = 2 * np.pi * view / n_views
        self.places = np.stack([np.cos(angle), np.sin(angle), row / grid, column / grid, sense / grid], axis=1)
        self.order = self._serpentine(view, row, column, sense)

    def _serpentine(self, view, row, column, sense):
        """Rank of each action in a sweep: both senses at every place, along the rows and back, view after view."""
        row = np.where(view % 2, self.grid - 1 - row, row)
        column = np.where((view * self.grid + row) % 2, self.grid - 1 - column, column)
        return np.lexsort((sense, column, row, view)).argsort()


class OracleNextView(ValuePolicy):
    """The action that will leave most belief in the truth: knows the object and what each action brings."""

    def __init__(self, log_likelihood, codes, truth, n_views):
        super().__init__(codes.shape[1])
        brought = log_likelihood[:, np.arange(codes.shape[1]), codes]  # (n_hypotheses, n, n_actions)
        self._brought, self._truth, self._n_views = np.moveaxis(brought, 0, -1), truth, n_views

    def values(self, observation, rng):
        after = softmax(observation.total[:, None] + self._brought, axis=-1)
        of_truth = after.reshape(*after.shape[:2], -1, self._n_views).sum(axis=-1)
        return np.take_along_axis(of_truth, self._truth[:, None, None], axis=-1)[..., 0]


class Uncertainty(RecognitionGain):
    """The action whose outcome is least certain, be it for want of knowledge or for noise."""

    def _gain(self, belief):
        return self._uncertainty(belief)


def policies(body, likelihood, shuffled, codes, truth):
    """Policy by name; `likelihood` and `shuffled` (n_hypotheses, n_actions, n_codes)."""
    n_views = body.n_views
    objects = np.repeat(np.arange(len(likelihood) // n_views), n_views)
    sweep = np.stack([body.order, np.zeros_like(body.order)], axis=1)
    return {
        "information gain": RecognitionGain(likelihood, groups=objects),
        "random": RandomPolicy(len(body.reach)),
        "fixed sweep": FixedSweep(sweep, period=len(sweep)),
        "novelty": PlaceNovelty(body.places),
        "least certain outcome": Uncertainty(likelihood),
        "shuffled actions": RecognitionGain(shuffled, groups=objects),
        "oracle next view": OracleNextView(np.log(likelihood), codes, truth, n_views),
    }


def look_around(policy, body, log_likelihood, codes, starts, n_looks, rng):
    """Belief (n_trials, n_looks, n_objects) after each look, and by each look alone.

    Parameters
    ----------
    log_likelihood : ndarray (n_hypotheses, n_actions, n_codes)
    codes : ndarray (n_trials, n_actions) of int
        What each action brings; in a trial the same action always brings the same, so none is done twice.
    starts : ndarray (n_trials,) of int
        First actions.
    """
    trial = np.arange(len(codes))
    done = np.zeros(codes.shape, bool)
    path = np.empty((len(codes), n_looks), int)
    path[:, 0] = starts
    total = np.zeros((len(codes), len(log_likelihood)))
    beliefs = np.empty((2, len(codes), n_looks, len(log_likelihood) // body.n_views))
    for look in range(n_looks):
        here = path[:, look]
        done[trial, here] = True
        evidence = log_likelihood[:, here, codes[trial, here]].T
        total += evidence
        for belief, logs in zip(beliefs, (total, evidence)):
            belief[:, look] = softmax(logs, axis=1).reshape(len(codes), -1, body.n_views).sum(axis=-1)
        if look + 1 < n_looks:
            allowed = body.reach[here] & ~done
            allowed |= ~done & ~allowed.any(axis=1, keepdims=True)  # all in reach are known: go on from elsewhere
            path[:, look + 1] = policy(Looks(path[:, : look + 1], None, total), rng, allowed)
    return beliefs
