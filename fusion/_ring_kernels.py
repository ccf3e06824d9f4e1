"""Euler steps of one trial of a network of rings on plain float32 arrays that the caller has validated.

All neurons of a ring have the same synapses, shifted: a product with the matrix of synapses is a correlation with one
profile, which stays in the nearest cache where the matrix does not.
"""

import numpy as np

from fusion._field_kernels import ROWS, logistic
from topology._kernels.compiling import kernel


@kernel()
def evolve_rings(profiles, firsts, drive, activity, rates, n_steps):
    """Let the rings evolve; activity is changed in place.

    Parameters
    ----------
    profiles : tuple of 4 arrays, lengths multiples of ROWS
        Synapses on a neuron from the sum of both senses, from their difference, from its own multisensory ring, and of
        a multisensory neuron from the sum of both senses, at successive offsets around the ring; 0 where they only
        fill up.
    firsts : (4,) int, offset of the first entry of each, from 0 to n_neurons - 1
    drive : (3, n_neurons), threshold and input
    activity : (3, n_neurons), auditory, visual, multisensory
    rates : (3,)
    """
    n = activity.shape[1]
    net, answer = np.empty((3, n), np.float32), np.empty((3, n), np.float32)
    together, apart = np.empty(n, np.float32), np.empty(n, np.float32)
    around = np.empty(3 * n + ROWS, np.float32)
    by_sum, by_difference, within, upward = profiles
    for _ in range(n_steps):
        for i in range(n):
            together[i] = activity[0, i] + activity[1, i]
            apart[i] = activity[0, i] - activity[1, i]
            net[0, i] = net[1, i] = np.float32(0)
            net[2, i] = drive[2, i]
        lay_around(together, around)
        correlate(by_sum, firsts[0], around, net[0])
        correlate(upward, firsts[3], around, net[2])
        lay_around(apart, around)
        correlate(by_difference, firsts[1], around, net[1])
        lay_around(activity[2], around)
        correlate(within, firsts[2], around, net[2])
        for i in range(n):
            shared, opposed = net[0, i], net[1, i]
            net[0, i] = drive[0, i] + shared + opposed
            net[1, i] = drive[1, i] + shared - opposed
        logistic(net, answer, np.float32(1))
        for ring in range(3):
            for i in range(n):
                activity[ring, i] += rates[ring] * (answer[ring, i] - activity[ring, i])


@kernel()
def lay_around(x, around):
    """Repeat x until it fills `around`."""
    for start in range(0, around.size, x.size):
        for i in range(min(x.size, around.size - start)):
            around[start + i] = x[i]


@kernel()
def correlate(profile, first, around, total):
    """Add to `total` (n,) the sum over k of profile[k] x[(i + first + k) mod n]."""
    one, two, three = np.uint64(1), np.uint64(2), np.uint64(3)
    for k in range(np.uint64(0), np.uint64(profile.size), np.uint64(ROWS)):
        c0, c1, c2, c3 = profile[k], profile[k + one], profile[k + two], profile[k + three]
        start = np.uint64(first) + k
        for i in range(np.uint64(total.size)):
            j = start + i
            total[i] += (c0 * around[j] + c1 * around[j + one]) + (c2 * around[j + two] + c3 * around[j + three])
