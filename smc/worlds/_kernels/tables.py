"""Many agents in a world whose states can be listed: a step is one look into a table."""

from smc.worlds._kernels.compiling import jit

TOGETHER = 8  # agents whose looks into the table wait for memory together


@jit(nogil=True)
def walk_table(following, start, actions, path):
    """Follow every agent through its actions.

    Parameters
    ----------
    following : (n_states, n_actions) int64
    start : (n,) int64 ; actions : (n, n_steps) int64
    path : (n, n_steps + 1) int64, out
    """
    n, n_steps = actions.shape
    for first in range(0, n, TOGETHER):
        stop = min(first + TOGETHER, n)
        for i in range(first, stop):
            path[i, 0] = start[i]
        for t in range(n_steps):
            for i in range(first, stop):
                path[i, t + 1] = following[path[i, t], actions[i, t]]
