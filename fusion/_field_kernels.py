"""Euler steps of a neural field on plain float32 arrays that the caller has validated.

Links are stored in tiles: nodes in blocks of BLOCK that are compact in space, and for each block the nodes that any of
its members hears, one row of BLOCK weights per heard node. Members share most of what they hear, so that one read
serves them all and no weight is gathered. Rows are added ROWS at a time and in the same order whether one trial runs
or many: the bits do not depend on the batch.
"""

import numpy as np

from topology._kernels.compiling import kernel

BLOCK = 16
ROWS = 4
RAMP, SIGMOID, RECTIFIED = range(3)
LOG2_E = np.float32(1.4426950408889634)
# Taylor coefficients of 2**r, |r| <= 1/2: the remainder is 1.2e-7, half a unit in the last place.
EXP2 = tuple(np.float32(c) for c in (1.0, 0.6931472, 0.24022651, 0.05550411, 0.009618129, 0.0013333558, 0.00015403530))


@kernel()
def evolve(links, volumes, drive, potential, activity, inhibition, rate, shape, slope, limit, n):
    """Take n Euler steps; the number of steps until a potential exceeded `limit` or was NaN, or n + 1 if none did.

    Parameters
    ----------
    links : tuple (weights, sources, starts)
        (n_rows, BLOCK) weights of one heard node on the members of a block, (n_rows,) uint32 heard nodes,
        (n_blocks + 1,) rows of each block, a multiple of ROWS each; rows that only fill up have weight 0.
    volumes : (n_nodes,), n_nodes = n_blocks * BLOCK
    drive : (n_nodes, n_trials), resting level and stimulus
    potential, activity : (n_nodes, n_trials), changed in place
    inhibition, rate, slope, limit : float32; shape : int
    """
    n_trials = potential.shape[1]
    pooled = np.empty(n_trials, np.float32)
    change = np.empty((BLOCK, n_trials), np.float32)
    awake = np.empty(volumes.size, np.bool_)
    for step in range(n):
        pool(volumes, activity, inhibition, pooled)
        if n_trials == 1:
            stable = move_one(links, drive, potential, activity, pooled[0], rate, limit)
        else:
            find_awake(activity, awake)
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
        logistic(u.reshape(-1, BLOCK), f.reshape(-1, BLOCK), slope)
    else:
        for i in range(u.size):
            f[i] = max(slope * u[i], zero)


@kernel()
def logistic(potential, activity, slope):
    """1 / (1 + exp(-slope u)) of (n_rows, n_columns), in loops that compile to vector instructions, unlike exp."""
    one, half, largest = np.float32(1), np.float32(0.5), np.float32(126)
    c0, c1, c2, c3, c4, c5, c6 = EXP2
    n_rows, n_columns = potential.shape
    mantissa, exponent = np.empty(n_columns, np.float32), np.empty(n_columns, np.int32)
    power = exponent.view(np.float32)
    for row in range(n_rows):
        for column in range(n_columns):
            x = min(max(-slope * LOG2_E * potential[row, column], -largest), largest)
            whole = np.floor(x + half)
            r = x - whole
            mantissa[column] = c0 + r * (c1 + r * (c2 + r * (c3 + r * (c4 + r * (c5 + r * c6)))))
            exponent[column] = (np.int32(whole) + 127) << 23
        for column in range(n_columns):
            activity[row, column] = one / (one + mantissa[column] * power[column])


@kernel()
def pool(volumes, activity, inhibition, pooled):
    """Global inhibition of each trial: the integral of its activity over the field, times `inhibition`."""
    n_trials = activity.shape[1]
    total = np.zeros((BLOCK, n_trials))
    v = volumes.reshape(-1, BLOCK)
    if n_trials == 1:
        f, sums = activity.reshape(v.shape), total.reshape(-1)
        for block in range(len(v)):
            for lane in range(v.shape[1]):
                sums[lane] += v[block, lane] * f[block, lane]
    else:
        for node in range(volumes.size):
            for trial in range(n_trials):
                total[node % BLOCK, trial] += volumes[node] * activity[node, trial]
    for trial in range(n_trials):
        pooled[trial] = inhibition * np.float32(total[:, trial].sum())


@kernel()
def find_awake(activity, awake):
    """Which nodes are active in any trial: the others carry nothing and need not be heard."""
    for node in range(awake.size):
        n_active = 0
        for trial in range(activity.shape[1]):
            n_active += activity[node, trial] != 0
        awake[node] = n_active > 0


@kernel()
def move_one(links, drive, potential, activity, pooled, rate, limit):
    """Move the potentials of one trial; False if one has left the limit."""
    weights, sources, starts = links
    # A number of lanes that the compiler knows would be unrolled into scalar instructions.
    lanes, one, two, three = np.uint64(weights.shape[1]), np.uint64(1), np.uint64(2), np.uint64(3)
    s, u, f = drive.reshape(-1), potential.reshape(-1), activity.reshape(-1)
    change = np.empty(BLOCK, np.float32)
    outside = 0
    for block in range(starts.size - 1):
        first = np.uint64(block) * lanes
        for lane in range(lanes):
            change[lane] = s[first + lane] - pooled - u[first + lane]
        for r in range(np.uint64(starts[block]), np.uint64(starts[block + 1]), np.uint64(ROWS)):
            f0, f1, f2, f3 = f[sources[r]], f[sources[r + one]], f[sources[r + two]], f[sources[r + three]]
            if f0 == 0 and f1 == 0 and f2 == 0 and f3 == 0:
                continue
            for lane in range(lanes):
                change[lane] += (weights[r, lane] * f0 + weights[r + one, lane] * f1) + (
                    weights[r + two, lane] * f2 + weights[r + three, lane] * f3
                )
        for lane in range(lanes):
            moved = u[first + lane] + rate * change[lane]
            u[first + lane] = moved
            outside += not abs(moved) <= limit
    return outside == 0


@kernel()
def move_many(links, awake, drive, potential, activity, pooled, rate, limit, change):
    """`move_one` for several trials side by side."""
    weights, sources, starts = links
    n_trials = potential.shape[1]
    outside = 0
    for block in range(starts.size - 1):
        first = np.uint64(block * BLOCK)
        for lane in range(np.uint64(BLOCK)):
            for trial in range(n_trials):
                change[lane, trial] = drive[first + lane, trial] - pooled[trial] - potential[first + lane, trial]
        for r in range(starts[block], starts[block + 1], ROWS):
            s0, s1, s2, s3 = sources[r], sources[r + 1], sources[r + 2], sources[r + 3]
            if not (awake[s0] or awake[s1] or awake[s2] or awake[s3]):
                continue
            for lane in range(BLOCK):
                w0, w1, w2, w3 = weights[r, lane], weights[r + 1, lane], weights[r + 2, lane], weights[r + 3, lane]
                if w0 == 0 and w1 == 0 and w2 == 0 and w3 == 0:
                    continue
                for trial in range(n_trials):
                    change[lane, trial] += (w0 * activity[s0, trial] + w1 * activity[s1, trial]) + (
                        w2 * activity[s2, trial] + w3 * activity[s3, trial]
                    )
        for lane in range(np.uint64(BLOCK)):
            for trial in range(n_trials):
                moved = potential[first + lane, trial] + rate * change[lane, trial]
                potential[first + lane, trial] = moved
                outside += not abs(moved) <= limit
    return outside == 0
