"""All states of a tetromino behind a small patch, what each looks like and where each action leads."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from smc.worlds._state_table import StateTable, follow

# Cells (x, y) from the centre cell, about which a piece turns; y points down.
PIECES = {
    "I": ((-1, 0), (0, 0), (1, 0), (2, 0)),
    "J": ((-1, 0), (0, 0), (1, 0), (-1, -1)),
    "L": ((-1, 0), (0, 0), (1, 0), (1, -1)),
    "O": ((0, 0), (1, 0), (0, -1), (1, -1)),
    "S": ((0, 0), (-1, 0), (0, -1), (1, -1)),
    "T": ((-1, 0), (0, 0), (1, 0), (0, -1)),
    "Z": ((0, 0), (1, 0), (0, -1), (-1, -1)),
}
ACTIONS = ("up", "left", "right", "down", "turn")
MOVES = ((0, -1), (-1, 0), (1, 0), (0, 1))
SIZE = 3  # cells along a side of the patch


class TetrominoStates(StateTable):
    """States (piece, x, y, orientation) in which at least one cell of the piece is within a fixed 3x3 patch.

    An action that would leave this set does nothing. A piece always has four orientations, also where they look alike.
    The rules are those of the world of predictris (Fournier 2025), which reports prediction errors in it.

    Parameters
    ----------
    pieces : sequence of str, default=("J", "S")
        Distinct letters out of I, J, L, O, S, T and Z.

    Attributes
    ----------
    states : ndarray (n_states, 4) of int64
        Number of the piece, x and y of its centre cell from the patch's upper left cell, quarter turns clockwise.
    patches : ndarray (n_states, 3, 3) of int8
        What is seen, 1 where the piece is.
    observations : ndarray (n_states,) of int64
        The patches numbered in lexicographic order: equal numbers, equal patches.
    following : ndarray (n_states, 5) of int64
        State that each of the actions up, left, right, down and turn (clockwise) leads to.
    start_probabilities : ndarray (n_states,)
        Of a piece drawn uniformly, and then one of its states.

    Raises
    ------
    ValueError
        For unknown, repeated or no pieces.
    """

    def __init__(self, pieces: Sequence[str] = ("J", "S")):
        pieces = list(pieces)
        if not pieces or len(set(pieces)) < len(pieces) or not set(pieces) <= set(PIECES):
            raise ValueError(f"pieces must be one or more distinct letters of {''.join(PIECES)}; got {pieces}")
        self.pieces = tuple(pieces)
        visible = [
            (number, x, y, turns)
            for number, piece in enumerate(pieces)
            for x in range(-SIZE, 2 * SIZE)
            for y in range(-SIZE, 2 * SIZE)
            for turns in range(4)
            if see(piece, x, y, turns).any()
        ]
        states = np.array(visible)
        self.patches = np.stack([see(pieces[number], x, y, turns) for number, x, y, turns in visible])
        states_of_piece = np.bincount(states[:, 0])
        super().__init__(
            states,
            ACTIONS,
            follow(visible, act, len(ACTIONS)),
            {"patch": self.patches},
            1.0 / (len(pieces) * states_of_piece[states[:, 0]]),
        )
        self.observations = self.symbols("patch")

    @property
    def n_observations(self) -> int:
        return int(self.observations.max()) + 1

    def episodes(self, n_steps: int):
        """Every episode of `n_steps` random actions there can be.

        Returns
        -------
        states : ndarray (n_states * 5**n_steps, n_steps + 1) of int64
        actions : ndarray (n_states * 5**n_steps, n_steps) of int64
        probabilities : ndarray (n_states * 5**n_steps,)
        """
        sequences = np.indices((len(ACTIONS),) * n_steps).reshape(n_steps, -1).T
        start = np.repeat(np.arange(self.n_states), len(sequences))
        actions = np.tile(sequences, (self.n_states, 1))
        return self.walk(start, actions), actions, self.start_probabilities[start] / len(sequences)

    def bayes_error(self, n_steps: int, *, see_actions: bool = True) -> np.ndarray:
        """Least error with which anything can predict the next observation, by enumeration.

        Parameters
        ----------
        n_steps : int
            Length of the episodes.
        see_actions : bool, default=True
            Without, observations alone are known.

        Returns
        -------
        ndarray (n_steps,)
            For the step after 0, 1, ... earlier steps, which are known as well as the observation and the action.
        """
        states, actions, probabilities = self.episodes(n_steps)
        seen = self.observations[states]
        errors = np.empty(n_steps)
        for step in range(n_steps):
            known = np.zeros(len(seen), np.int64)
            for t in range(step + 1):
                known = known * self.n_observations + seen[:, t]
                if see_actions:
                    known = known * len(ACTIONS) + actions[:, t]
                known = np.unique(known, return_inverse=True)[1]  # numbers stay small, however long the history
            outcome = known * self.n_observations + seen[:, step + 1]
            distinct, which = np.unique(outcome, return_inverse=True)
            mass = np.bincount(which, probabilities)
            best = np.zeros(known.max() + 1)
            np.maximum.at(best, distinct // self.n_observations, mass)
            errors[step] = 1.0 - best.sum()
        return errors


def see(piece, x, y, turns):
    """Patch (3, 3) of int8 with a piece whose centre cell is at (x, y)."""
    patch = np.zeros((SIZE, SIZE), np.int8)
    for dx, dy in PIECES[piece]:
        for _ in range(turns):
            dx, dy = -dy, dx  # clockwise, as y points down
        if 0 <= x + dx < SIZE and 0 <= y + dy < SIZE:
            patch[y + dy, x + dx] = 1
    return patch


def act(state, action):
    """Where an action would lead, visible or not."""
    number, x, y, turns = state
    if ACTIONS[action] == "turn":
        return number, x, y, (turns + 1) % 4
    dx, dy = MOVES[action]
    return number, x + dx, y + dy, turns
