"""Worlds whose states can be listed: where each action leads from each of them, and what each sense shows there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from smc._contingency_steps import as_integers
from smc.worlds._kernels.tables import walk_table


class StateTable:
    """A deterministic world of finitely many states.

    Parameters
    ----------
    states : array (n_states, k) of integers
        What describes each state.
    actions : sequence of str
        Names of the actions.
    following : array (n_states, n_actions) of integers
        State that each action leads to.
    senses : dict of str to array (n_states, ...) of integers
        What each sense shows in each state.
    start_probabilities : array (n_states,), optional
        Of the states in which an episode begins. Default: uniform.

    Raises
    ------
    ValueError
        If shapes do not match, there are no states, an action leads nowhere, or a state cannot be reached from where
        episodes begin.
    TypeError
        If `following` or a sense does not hold whole numbers.
    """

    def __init__(
        self,
        states: np.ndarray,
        actions: Sequence[str],
        following: np.ndarray,
        senses: Mapping[str, np.ndarray],
        start_probabilities: np.ndarray | None = None,
    ):
        self.states = np.asarray(states)
        if self.states.ndim != 2 or not self.states.size:
            raise ValueError(f"states must have shape (n_states, k) with at least one state; got {self.states.shape}")
        self.actions = tuple(actions)
        self.following = np.ascontiguousarray(as_integers("following", following))
        self.senses = {name: as_integers(f"senses[{name!r}]", sense, cast=False) for name, sense in senses.items()}
        n_states = len(self.states)
        if start_probabilities is None:
            start_probabilities = np.full(n_states, 1.0 / n_states)
        self.start_probabilities = np.asarray(start_probabilities, dtype=float)
        self._check()

    @property
    def n_states(self) -> int:
        return len(self.states)

    @property
    def n_actions(self) -> int:
        return len(self.actions)

    def symbols(self, sense: str) -> np.ndarray:
        """What a sense shows in each state as a number (n_states,), in lexicographic order of the looks."""
        if sense not in self.senses:
            raise ValueError(f"sense must be one of {sorted(self.senses)}; got {sense!r}")
        return number_rows(self.senses[sense])

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Starting states (n,)."""
        return rng.choice(self.n_states, size=n, p=self.start_probabilities)

    def walk(self, start, actions) -> np.ndarray:
        """Follow many agents, each through its own actions.

        Parameters
        ----------
        start : integers (n,)
            State of each agent.
        actions : integers (n, n_steps)

        Returns
        -------
        ndarray (n, n_steps + 1) of int64
            States, the starting ones included.
        """
        start, actions = np.asarray(start), np.asarray(actions)
        if start.dtype.kind not in "iu" or actions.dtype.kind not in "iu":
            raise TypeError(f"start and actions must be integers; got {start.dtype} and {actions.dtype}")
        if start.ndim != 1 or actions.ndim != 2 or len(actions) != len(start):
            raise ValueError(
                f"start must have shape (n,) and actions (n, n_steps); got {start.shape} and {actions.shape}"
            )
        for name, values, n in (("start", start, self.n_states), ("actions", actions, self.n_actions)):
            if values.size and not (0 <= values.min() and values.max() < n):
                raise ValueError(f"{name} must be in 0..{n - 1}; got {values.min()}..{values.max()}")
        path = np.empty((len(start), actions.shape[1] + 1), np.int64)
        walk_table(self.following, start.astype(np.int64), actions.astype(np.int64), path)
        return path

    def _check(self):
        n = self.n_states
        if self.following.shape != (n, self.n_actions):
            raise ValueError(f"following must have shape ({n}, {self.n_actions}); got {self.following.shape}")
        if self.following.min() < 0 or self.following.max() >= n:
            raise ValueError(
                f"following must hold states 0..{n - 1}; got {self.following.min()}..{self.following.max()}"
            )
        for name, sense in self.senses.items():
            if len(sense) != n:
                raise ValueError(f"senses[{name!r}] must have {n} rows, one per state; got {sense.shape}")
        p = self.start_probabilities
        if p.shape != (n,) or (p < 0).any() or not np.isclose(p.sum(), 1.0):
            raise ValueError(f"start_probabilities must be {n} numbers >= 0 that sum to 1")
        reached = p > 0
        frontier = np.flatnonzero(reached)
        while len(frontier):
            after = np.unique(self.following[frontier])
            frontier = after[~reached[after]]
            reached[frontier] = True
        if not reached.all():
            lost = tuple(self.states[~reached][0].tolist())
            raise ValueError(f"{(~reached).sum()} of {n} states cannot be reached from the start, such as {lost}")


def follow(states: Iterable[tuple], act: Callable[[tuple, int], tuple], n_actions: int) -> np.ndarray:
    """States (n_states, n_actions) that `act(state, action)` leads to; where it would leave those listed, the same."""
    states = list(states)
    place = {state: i for i, state in enumerate(states)}
    return np.array([[place.get(act(state, a), i) for a in range(n_actions)] for i, state in enumerate(states)])


def number_rows(rows: np.ndarray) -> np.ndarray:
    """Rows (n, ...) as numbers (n,) in lexicographic order."""
    return np.unique(rows.reshape(len(rows), -1), axis=0, return_inverse=True)[1].reshape(-1)
