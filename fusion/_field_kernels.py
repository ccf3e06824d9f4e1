"""One Euler step of a neural field on plain float32 arrays that the caller has validated.

Links are stored as sliced ELLPACK (Monakov et al. 2010): nodes in blocks of BLOCK, a block as many rows of BLOCK links
as its best connected node has. Lanes are independent, so nothing waits for a sum, and every node adds its links in the
same order whether one trial runs or many: the bits do not depend on the batch.
"""

import numpy as np

from topology._kernels.compiling import kernel

BLOCK = 32
RAMP, SIGMOID, RECTIFIED = range(3)


@kernel()
def evolve(weights, neighbors, starts, volumes, drive, potential, activity, inhibition, rate, shape, slope, limit, n):
    """Take n Euler steps; the number of steps until a potential exceeded `limit` or was NaN, or n + 1 if none did.

    Parameters
    ----------
    weights, neighbors : (n_rows, BLOCK), uint32 neighbours; empty entries have weight 0
    starts : (n_blocks + 1,), rows of each block
    volumes : (n_nodes,), n_nodes = n_blocks * BLOCK
    drive : (n_nodes, n_trials), resting level and stimulus
    potential, activity : (n_nodes, n_trials), changed in place
    inhibition, rate, slope, limit : float32; shape : int
    """
    n_trials = potential.shape[1]
    pooled = np.empty(n_trials, np.float32)
    block = np.empty((BLOCK, n_trials), np.float32)
    for step in range(n):
        pool(volumes, activity, inhibition, pooled)
        if n_trials == 1:
            stable = move_one(weights, neighbors, starts, drive, potential, activity, pooled[0], rate, limit)
        else:
            stable = move_many(weights, neighbors, starts, drive, potential, activity, pooled, rate, limit, block)
        activate(potential, activity, shape, slope)
        if not stable:
            return step + 1
    return n + 1


@kernel()
def activate(potential, activity, shape, slope):
    """Output of every node: a ramp from 0 to 1, a logistic function, or an unbounded rectifier."""
    zero, one = np.float32(0), np.float32(1)
    u, f = potential.reshape(-1), activity.reshape(-1)
    if shape == RAMP:
        for i in range(u.size):
            f[i] = min(max(slope * u[i], zero), one)
    elif shape == SIGMOID:
        for i in range(u.size):
            f[i] = one / (one + np.exp(-slope * u[i]))
    else:
        for i in range(u.size):
            f[i] = max(slope * u[i], zero)


@kernel()
def pool(volumes, activity, inhibition, pooled):
    """Global inhibition of each trial: the integral of its activity over the field, times `inhibition`."""
    n_nodes, n_trials = activity.shape
    total = np.zeros(n_trials)
    for i in range(n_nodes):
        for trial in range(n_trials):
            total[trial] += volumes[i] * activity[i, trial]
    for trial in range(n_trials):
        pooled[trial] = inhibition * np.float32(total[trial])


@kernel()
def move_one(weights, neighbors, starts, drive, potential, activity, pooled, rate, limit):
    """Move the potentials of one trial; False if one has left the limit."""
    s, u, f = drive.reshape(-1), potential.reshape(-1), activity.reshape(-1)
    change = np.empty(BLOCK, np.float32)
    outside = 0
    for block in range(starts.size - 1):
        first = np.uint64(block * BLOCK)
        for lane in range(np.uint64(BLOCK)):
            change[lane] = s[first + lane] - pooled - u[first + lane]
        for row in range(np.uint64(starts[block]), np.uint64(starts[block + 1])):
            for lane in range(np.uint64(BLOCK)):
                change[lane] += weights[row, lane] * f[neighbors[row, lane]]
        for lane in range(np.uint64(BLOCK)):
            moved = u[first + lane] + rate * change[lane]
            u[first + lane] = moved
            outside += not abs(moved) <= limit
    return outside == 0


@kernel()
def move_many(weights, neighbors, starts, drive, potential, activity, pooled, rate, limit, change):
    """`move_one` for several trials side by side."""
    n_trials = potential.shape[1]
    outside = 0
    for block in range(starts.size - 1):
        for lane in range(BLOCK):
            node = np.uint64(block * BLOCK + lane)
            for trial in range(n_trials):
                change[lane, trial] = drive[node, trial] - pooled[trial] - potential[node, trial]
            for row in range(np.uint64(starts[block]), np.uint64(starts[block + 1])):
                weight, source = weights[row, lane], neighbors[row, lane]
                for trial in range(n_trials):
                    change[lane, trial] += weight * activity[source, trial]
            for trial in range(n_trials):
                moved = potential[node, trial] + rate * change[lane, trial]
                potential[node, trial] = moved
                outside += not abs(moved) <= limit
    return outside == 0
