"""Counter-based random numbers: a value depends on its key and its counter alone.

No state is shared, so rows may be drawn in any order and by any thread with the same bits. The mixing function is the
output function of SplitMix64 (Steele, Lea and Flood 2014, OOPSLA).
"""

import numpy as np

from smc.worlds._kernels.compiling import jit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST = np.uint64(0xBF58476D1CE4E5B9)
SECOND = np.uint64(0x94D049BB133111EB)
S27, S30, S31, S11 = np.uint64(27), np.uint64(30), np.uint64(31), np.uint64(11)


@jit(inline="always")
def mix(x):
    """Bijective scrambling of 64 bits."""
    x = (x ^ (x >> S30)) * FIRST
    x = (x ^ (x >> S27)) * SECOND
    return x ^ (x >> S31)


@jit(inline="always")
def stream(seed, number):
    """Key of an independent stream `number` of `seed`, both uint64."""
    return mix(mix(seed + GOLDEN) ^ (number * GOLDEN))


@jit(inline="always")
def bits(key, counter):
    """64 random bits."""
    return mix(key + (np.uint64(counter) + np.uint64(1)) * GOLDEN)


@jit(inline="always")
def uniform(key, counter):
    """Uniform number in [0, 1)."""
    return np.float64(bits(key, counter) >> S11) * (1.0 / 9007199254740992.0)


@jit(inline="always")
def below(key, counter, n):
    """Integer in [0, n)."""
    return np.int64(uniform(key, counter) * n)
