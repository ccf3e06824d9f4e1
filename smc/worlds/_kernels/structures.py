"""Rigid structures that drift over a textured torus, looked at one cell at a time."""

import numpy as np

from smc.worlds._kernels.compiling import jit
from smc.worlds._kernels.random import below, uniform

DRAWS = np.uint64(2)  # random numbers set aside per step


@jit(inline="always")
def apart(a, b, field):
    """Cells between two places on a circle."""
    d = abs(a - b)
    return min(d, field - d)


@jit(inline="always")
def is_free(state, i, which, row, column, size, field):
    """Whether structure `which` would meet no other one with its corner at (row, column)."""
    for other in range((state.shape[1] - 2) // 2):
        if other != which:
            if (
                apart(row, state[i, 2 + 2 * other], field) < size
                and apart(column, state[i, 3 + 2 * other], field) < size
            ):
                return False
    return True


@jit(nogil=True)
def walk_structures(state, clock, keys, actions, moves, size, field, p_move, overlap, seen):
    """Move the eye of every agent, let structures drift, and look.

    Parameters
    ----------
    state : (n, 2 + 2 n_structures) int64, changed
        Row and column of the eye, then of the upper left corner of each structure.
    clock : (n,) int64, changed ; keys : (n,) uint64
        Steps so far, and the key of each agent's random numbers.
    actions : (n, n_steps) int64 ; moves : (n_actions, 2) int64
    size, field : side of a structure and of the torus, in cells
    p_move : float, that one of the structures moves at a step
    overlap : bool, whether structures may lie on each other; the first lies on top
    seen : (n, n_steps + 1) int64, out
        Number of the cell under the eye, before the first and after each step.
    """
    n, n_steps = actions.shape
    n_structures = (state.shape[1] - 2) // 2
    for i in range(n):
        seen[i, 0] = look(state, i, size, field)
        for t in range(n_steps):
            counter = np.uint64(clock[i]) * DRAWS
            clock[i] += 1
            if uniform(keys[i], counter) < p_move:
                drawn = below(keys[i], counter + np.uint64(1), 4 * n_structures)
                which, direction = drawn // 4, drawn % 4
                row = state[i, 2 + 2 * which]
                column = state[i, 3 + 2 * which]
                if direction == 0:
                    row = (row - 1) % field
                elif direction == 1:
                    column = (column + 1) % field
                elif direction == 2:
                    row = (row + 1) % field
                else:
                    column = (column - 1) % field
                if overlap or is_free(state, i, which, row, column, size, field):
                    state[i, 2 + 2 * which] = row
                    state[i, 3 + 2 * which] = column
            row = state[i, 0] + moves[actions[i, t], 0]
            column = state[i, 1] + moves[actions[i, t], 1]
            state[i, 0] = row + field if row < 0 else (row - field if row >= field else row)
            state[i, 1] = column + field if column < 0 else (column - field if column >= field else column)
            seen[i, t + 1] = look(state, i, size, field)


@jit(inline="always")
def look(state, i, size, field):
    """Number of the cell under the eye: floor first, then structure by structure, row by row."""
    row, column = state[i, 0], state[i, 1]
    for which in range((state.shape[1] - 2) // 2):
        d_row = row - state[i, 2 + 2 * which]
        d_column = column - state[i, 3 + 2 * which]
        d_row = d_row + field if d_row < 0 else d_row
        d_column = d_column + field if d_column < 0 else d_column
        if d_row < size and d_column < size:
            return field * field + (which * size + d_row) * size + d_column
    return row * field + column
