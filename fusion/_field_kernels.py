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
def evolve(links, volumes, drive, potential, activity, inhibition, rate, shape, slope, limit, n):
    """Take n Euler steps; the number of steps until a potential exceeded `limit` or was NaN, or n + 1 if none did.

    Parameters
    ----------
    links : tuple (weights, neighbors, starts, sources, source_starts)
        (n_rows, BLOCK) weights and uint32 neighbours, empty entries of weight 0; (n_blocks + 1,) rows of each block;
        (n_sources,) blocks that hold the neighbours of each block, and (n_blocks + 1,) where they start.
    volumes : (n_nodes,), n_nodes = n_blocks * BLOCK
    drive : (n_nodes, n_trials), resting level and stimulus
    potential, activity : (n_nodes, n_trials), changed in place
    inhibition, rate, slope, limit : float32; shape : int
    """
    n_trials = potential.shape[1]
    pooled = np.empty(n_trials, np.float32)
    change = np.empty((BLOCK, n_trials), np.float32)
    awake = np.empty(volumes.size // BLOCK, np.bool_)
    for step in range(n):
        pool(volumes, activity, inhibition, pooled)
        find_awake(activity, awake)
        if n_trials == 1:
            stable = move_one(links, awake, drive, potential, activity, pooled[0], rate, limit)
        else:
            stable = move_many(links, awake, drive, potential, activity, pooled, rate, limit, change)
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
def find_awake(activity, awake):
    """Which blocks hold any activity: links from the others carry nothing and need not be read."""
    f = activity.reshape(awake.size, -1)
    for block in range(awake.size):
        n_active = 0
        for k in range(f.shape[1]):
            n_active += f[block, k] != 0
        awake[block] = n_active > 0


@kernel()
def hears_any(awake, sources, source_starts, block):
    for k in range(source_starts[block], source_starts[block + 1]):
        if awake[sources[k]]:
            return True
    return False


@kernel()
def move_one(links, awake, drive, potential, activity, pooled, rate, limit):
    """Move the potentials of one trial; False if one has left the limit."""
    weights, neighbors, starts, sources, source_starts = links
    s, u, f = drive.reshape(-1), potential.reshape(-1), activity.reshape(-1)
    change = np.empty(BLOCK, np.float32)
    outside = 0
    for block in range(starts.size - 1):
        first = np.uint64(block * BLOCK)
        for lane in range(np.uint64(BLOCK)):
            change[lane] = s[first + lane] - pooled - u[first + lane]
        last = starts[block + 1] if hears_any(awake, sources, source_starts, block) else starts[block]
        for row in range(np.uint64(starts[block]), np.uint64(last)):
            for lane in range(np.uint64(BLOCK)):
                change[lane] += weights[row, lane] * f[neighbors[row, lane]]
        for lane in range(np.uint64(BLOCK)):
            moved = u[first + lane] + rate * change[lane]
            u[first + lane] = moved
            outside += not abs(moved) <= limit
    return outside == 0


@kernel()
def move_many(links, awake, drive, potential, activity, pooled, rate, limit, change):
    """`move_one` for several trials side by side."""
    weights, neighbors, starts, sources, source_starts = links
    n_trials = potential.shape[1]
    outside = 0
    for block in range(starts.size - 1):
        last = starts[block + 1] if hears_any(awake, sources, source_starts, block) else starts[block]
        for lane in range(BLOCK):
            node = np.uint64(block * BLOCK + lane)
            for trial in range(n_trials):
                change[lane, trial] = drive[node, trial] - pooled[trial] - potential[node, trial]
            for row in range(np.uint64(starts[block]), np.uint64(last)):
                weight, source = weights[row, lane], neighbors[row, lane]
                for trial in range(n_trials):
                    change[lane, trial] += weight * activity[source, trial]
            for trial in range(n_trials):
                moved = potential[node, trial] + rate * change[lane, trial]
                potential[node, trial] = moved
                outside += not abs(moved) <= limit
    return outside == 0
