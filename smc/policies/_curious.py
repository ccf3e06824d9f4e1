"""Policies that explore in order to learn what actions do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from smc._contingency_model import ContingencyModel
from smc._contingency_steps import as_integers
from smc._symbols import Symbols
from smc.policies._policy import ValuePolicy
from topology._validation import check_real


class Novelty(ValuePolicy):
    """The action that was done least often in what is observed.

    Parameters
    ----------
    n_actions : int
    modality : str, optional
        The sense that counts, of observations that have several. Observations are integers (n, ...).

    References
    ----------
    Thrun, S. B. (1992). Efficient exploration in reinforcement learning. Carnegie Mellon University, CMU-CS-92-102.
    """

    def __init__(self, n_actions, *, modality=None):
        super().__init__(n_actions)
        self.modality = modality
        self._counts = _Table(n_actions, 0.0)

    def values(self, observation, rng):
        return -self._counts.of(sensed(observation, self.modality))

    def learn(self, observation, action, next_observation):
        cells = self._counts.cells(sensed(observation, self.modality), action)
        np.add.at(self._counts.flat, cells, 1.0)


class InformationGain(ValuePolicy):
    """The action that is expected to tell most about what actions do, by `ContingencyModel.information_gain`.

    Learned: noise that is known to be noise tells nothing.

    Parameters
    ----------
    model : ContingencyModel
        Of order 0 or 1. The policy lets it count every step.
    n_actions : int

    References
    ----------
    Lindley, D. V. (1956). On a measure of the information provided by an experiment. Annals of Mathematical
    Statistics 27.
    """

    def __init__(self, model, n_actions):
        super().__init__(n_actions)
        self.model = checked_model(model)

    def values(self, observation, rng):
        X = sensed(observation, self.model.modality)
        if not hasattr(self.model, "outcomes_"):
            return np.zeros((len(X), self.n_actions))
        actions = np.tile(np.arange(self.n_actions), len(X))
        return self.model.information_gain(np.repeat(X, self.n_actions, axis=0), actions).reshape(len(X), -1)

    def learn(self, observation, action, next_observation):
        X, following = sensed(observation, self.model.modality), sensed(next_observation, self.model.modality)
        self.model.update(X, checked_actions(action, len(X), self.n_actions), following)


class LearningProgress(ValuePolicy):
    """The action whose outcomes are becoming more predictable, now and then any other.

    Progress of an action in an observation is the difference between a slow and a fast running mean of the model's
    surprise: nothing to be gained from what is known, nor from what can never be known.

    Parameters
    ----------
    model : ContingencyModel
        Of order 0 or 1. The policy lets it count every step, after it has been surprised by it.
    n_actions : int
    exploration : float in [0, 1], default=0.1
        Share of actions drawn at random: progress shows only in what is done.
    fast, slow : float in (0, 1], default=0.3 and 0.1
        Share of each new surprise in the running means.

    References
    ----------
    Oudeyer, P.-Y., Kaplan, F. & Hafner, V. V. (2007). Intrinsic motivation systems for autonomous mental development.
    IEEE Transactions on Evolutionary Computation 11.
    """

    def __init__(self, model, n_actions, *, exploration=0.1, fast=0.3, slow=0.1):
        super().__init__(n_actions)
        self.model = checked_model(model)
        self.exploration = check_real("exploration", exploration, 0, 1)
        self.fast, self.slow = (check_real(n, x, 0, 1, open_low=True) for n, x in (("fast", fast), ("slow", slow)))
        if self.fast <= self.slow:
            raise ValueError(f"fast must be greater than slow; got {self.fast} and {self.slow}")
        self._means = [_Table(n_actions, np.nan) for _ in range(2)]

    def values(self, observation, rng):
        X = sensed(observation, self.model.modality)
        fast, slow = (mean.of(X) for mean in self._means)
        progress = np.nan_to_num(slow - fast, nan=np.inf)  # what was never done first
        explores = rng.random(len(X)) < self.exploration
        return np.where(explores[:, None], rng.random(progress.shape), progress)

    def learn(self, observation, action, next_observation):
        X, following = sensed(observation, self.model.modality), sensed(next_observation, self.model.modality)
        known = hasattr(self.model, "outcomes_")
        surprise = self.model.surprise(X, action, following) if known else np.zeros(len(X))
        for rate, mean in zip((self.fast, self.slow), self._means):
            cells, of_step, n = np.unique(mean.cells(X, action), return_inverse=True, return_counts=True)
            recent = np.bincount(of_step, surprise) / n
            before = np.where(np.isnan(mean.flat[cells]), recent, mean.flat[cells])
            mean.flat[cells] = before + (1.0 - (1.0 - rate) ** n) * (recent - before)
        self.model.update(X, action, following)


class _Table:
    """A number for each observation and action, made when first met."""

    def __init__(self, n_actions, initial):
        self.n_actions, self.initial = n_actions, initial
        self._symbols = None
        self._rows = np.full((64, n_actions), initial)

    @property
    def flat(self):
        return self._rows.reshape(-1)

    def of(self, X):
        """Numbers (n, n_actions) for observations (n, ...)."""
        if self._symbols is None:
            return np.full((len(X), self.n_actions), self.initial)
        found = self._symbols.find(X.reshape(len(X), -1))
        return np.where((found >= 0)[:, None], self._rows[found], self.initial)

    def cells(self, X, action):
        """Places (n,) in `flat`."""
        X, action = X.reshape(len(X), -1), checked_actions(action, len(X), self.n_actions)
        if self._symbols is None:
            self._symbols = Symbols(X.shape[1])
        rows = self._symbols.add(X)
        if len(self._symbols) > len(self._rows):
            more = np.full((2 * len(self._symbols) - len(self._rows), self.n_actions), self.initial)
            self._rows = np.concatenate([self._rows, more])
        return rows * self.n_actions + action


def sensed(observation, modality):
    """Observations (n, ...) of int64 of the named sense, or of the only one."""
    if isinstance(observation, Mapping):
        if modality is None and len(observation) == 1:
            (modality,) = observation
        if modality not in observation:
            raise ValueError(f"modality must be one of {sorted(observation)}; got {modality!r}")
        observation = observation[modality]
    X = as_integers("observation", observation)
    if X.ndim == 0:
        raise ValueError(
            "observation must have one row per agent, (n, ...); got one number (policies act for a batch of "
            "agents: put a single environment into a vector one)"
        )
    return X


def checked_actions(action, n, n_actions):
    """Numbers (n,) of int64 of what n agents did."""
    action = as_integers("action", action)
    if action.shape != (n,):
        raise ValueError(f"action must be ({n},) integers, one per agent; got shape {action.shape}")
    if action.min() < 0 or action.max() >= n_actions:
        raise ValueError(f"action must be in 0..{n_actions - 1}; got {action.min()}..{action.max()}")
    return action


def checked_model(model):
    if not isinstance(model, ContingencyModel):
        raise TypeError(f"model must be a ContingencyModel; got {type(model).__name__}")
    if model.order > 1:
        raise ValueError(f"model must have order 0 or 1, for policies see no history; got {model.order}")
    return model
