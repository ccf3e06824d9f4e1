"""Steps and their histories as the symbols of a context tree."""

from __future__ import annotations

import numpy as np

from smc._kernels.contexts import END
from smc._symbols import Symbols

ACTION_BITS, OBSERVATION_BITS = 12, 24  # of a symbol, which has SYMBOL_BITS


class ContextSymbols:
    """Numbers of the observations and actions met, and the contexts made of them.

    A context (order + 1,) is the action, the observation, and the pairs of both before, the newest first. Where the
    history is not longer stands END; another negative number is something never met.

    Parameters
    ----------
    order : int
    n_digits : int, integers per action
    width : int, integers per observation
    """

    def __init__(self, order, n_digits, width):
        self.order = order
        self.actions, self.observations = Symbols(n_digits), Symbols(width)

    def find(self, observation, action, past):
        """Contexts (n, order + 1).

        Parameters
        ----------
        observation : ndarray (n, width) ; action : ndarray (n, n_digits)
        past : observations (n, h, width) and actions (n, h, n_digits) of the steps before, the oldest first
        """
        return self._contexts(Symbols.find, observation, action, past)

    def add(self, observation, action, past):
        """The same, with new numbers for what was never met.

        Raises
        ------
        ValueError
            If that is more than a context tree can tell apart; then nothing is added.
        """
        with _Limited(self):
            return self._contexts(Symbols.add, observation, action, past)

    def add_episodes(self, observation, action, previous):
        """The same for steps whose predecessors are other rows: `previous` (n,), -1 for the first of an episode."""
        with _Limited(self):
            observations, actions = self.observations.add(observation), self.actions.add(action)
        pairs = np.full((len(action), max(self.order - 1, 0)), END)
        newer = pair(observations, actions)
        for depth in range(pairs.shape[1]):
            newer = pairs[:, depth] = np.where(previous >= 0, newer[previous], END)
        return self._join(observations, actions, pairs)

    def has(self, symbols):
        """Whether all symbols are made of known numbers."""
        actions, observations = symbols >> OBSERVATION_BITS, symbols & ((1 << OBSERVATION_BITS) - 1)
        return (actions < len(self.actions)).all() and (observations < len(self.observations)).all()

    def _contexts(self, numbering, observation, action, past):
        observations, actions = numbering(self.observations, observation), numbering(self.actions, action)
        recent = slice(-1, -max(self.order, 1), -1)
        o, a = (np.ascontiguousarray(part[:, recent]) for part in past)
        pairs = pair(
            numbering(self.observations, o.reshape(-1, o.shape[-1])),
            numbering(self.actions, a.reshape(-1, a.shape[-1])),
        )
        return self._join(observations, actions, pairs.reshape(a.shape[:2]))

    def _join(self, observations, actions, pairs):
        contexts = np.empty((len(actions), self.order + 1), np.int64)
        contexts[:, 0] = pair(0, actions)
        if self.order > 0:
            contexts[:, 1] = observations
        contexts[:, 2:] = END
        contexts[:, 2 : 2 + pairs.shape[1]] = pairs
        return contexts


class _Limited:
    """Takes back what was added in its block if it is too much."""

    def __init__(self, symbols):
        self.tables = [
            ("observation", symbols.observations, OBSERVATION_BITS),
            ("action", symbols.actions, ACTION_BITS),
        ]

    def __enter__(self):
        self.sizes = [len(table) for _, table, _ in self.tables]

    def __exit__(self, *_):
        found = [len(table) for _, table, _ in self.tables]
        for (name, _, bits), n in zip(self.tables, found):
            if n > 1 << bits:
                for (_, table, _), size in zip(self.tables, self.sizes):
                    table.truncate(size)
                raise ValueError(f"{name} must have at most {1 << bits} distinct values; got {n}")


def pair(observations, actions):
    """One symbol for an action in an observation; negative, and never END, where either was never met."""
    return (actions << OBSERVATION_BITS) | observations


def action_of(symbols):
    """Number of the action in symbols made by `pair`."""
    return symbols >> OBSERVATION_BITS
