"""What all policies have in common: agents observe, and each does what its policy values most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from topology._validation import check_integer


class Policy(Protocol):
    """What a policy must offer; nothing needs to inherit from it."""

    def __call__(self, observation, rng, allowed=None) -> np.ndarray:
        """Action of each agent, (n,) of int or (n, d).

        Parameters
        ----------
        observation : ndarray (n, ...), dict of such, or a policy's own kind
            What each agent senses.
        rng : numpy.random.Generator
        allowed : ndarray (n, n_actions) of bool, optional
            Actions to choose from.
        """

    def learn(self, observation, action, next_observation) -> None:
        """Take in what the actions (n,) led to."""

    def reset(self) -> None:
        """Begin again, with all that was learned."""


class ValuePolicy:
    """Policy that values every action and does the most valued one, of equals any.

    Parameters
    ----------
    n_actions : int
        Actions are 0, ..., n_actions - 1.
    """

    def __init__(self, n_actions):
        self.n_actions = check_integer("n_actions", n_actions, 1)

    def values(self, observation, rng):
        """Values (n, n_actions) of the actions; parameters as in `Policy`."""
        raise NotImplementedError(f"{type(self).__name__} must say what actions are worth")

    def __call__(self, observation, rng, allowed=None):
        """Most valued action (n,) of each agent; parameters as in `Policy`."""
        values = self.values(observation, rng)
        if allowed is not None:
            allowed = np.asarray(allowed)
            if allowed.dtype != bool or allowed.shape != values.shape:
                raise ValueError(
                    f"allowed must be booleans of shape {values.shape}; got {allowed.dtype} {allowed.shape}"
                )
            if not allowed.any(axis=1).all():
                raise ValueError(f"allowed must leave every agent an action; agent {allowed.any(1).argmin()} has none")
            values = np.where(allowed, values, -np.inf)
        best = values == values.max(axis=1, keepdims=True)
        if allowed is not None:
            best &= allowed
        return np.where(best, rng.random(values.shape), -1.0).argmax(axis=1)

    def learn(self, observation, action, next_observation):
        """Nothing: this policy does not learn."""

    def reset(self):
        """Nothing: this policy remembers nothing of an episode."""


class RandomPolicy(ValuePolicy):
    """Any allowed action, all equally often."""

    def values(self, observation, rng):
        return rng.random((n_agents(observation), self.n_actions))


def n_agents(observation):
    """Number of agents that observe."""
    if isinstance(observation, Mapping):
        observation = next(iter(observation.values()))
    elif isinstance(observation, tuple):
        observation = observation[0]
    return len(observation)
