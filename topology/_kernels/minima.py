"""The smallest of many numbers, as minima kept side by side so that the compiler vectorises them."""

import numpy as np

from topology._kernels.compiling import kernel
from topology._kernels.search import LANES


@kernel()
def lane_minima(bias, products, row, low):
    """low[lane] = smallest of bias - products[row] over the units lane, lane + LANES, ..."""
    n = bias.shape[0]
    whole = n // LANES * LANES
    low[:] = np.inf
    # Unsigned indices cannot wrap around, which lets the minima stay in vector registers.
    for start in range(np.uint64(0), np.uint64(whole), np.uint64(LANES)):
        for lane in range(np.uint64(LANES)):
            score = bias[start + lane] - products[row, start + lane]
            low[lane] = score if score < low[lane] else low[lane]
    for lane in range(np.uint64(n - whole)):
        score = bias[np.uint64(whole) + lane] - products[row, np.uint64(whole) + lane]
        low[lane] = score if score < low[lane] else low[lane]


@kernel()
def smallest_lane(low, halves):
    """Smallest of low (LANES,), by halves so that every step is elementwise; `halves` is work space."""
    halves[:] = low
    width = np.uint64(LANES // 2)
    while width > 0:
        for lane in range(width):
            other = halves[lane + width]
            halves[lane] = other if other < halves[lane] else halves[lane]
        width = width >> np.uint64(1)
    return halves[0]


@kernel()
def smallest_of(values, low, halves):
    """Lowest index of the smallest of values, whose number is a multiple of LANES."""
    low[:] = np.inf
    for start in range(np.uint64(0), np.uint64(values.shape[0]), np.uint64(LANES)):
        for lane in range(np.uint64(LANES)):
            low[lane] = values[start + lane] if values[start + lane] < low[lane] else low[lane]
    smallest, index = smallest_lane(low, halves), values.shape[0] - 1
    for lane in range(LANES):
        if low[lane] == smallest:
            for i in range(lane, index, LANES):
                if values[i] == smallest:
                    index = i
                    break
    return index


@kernel()
def scores_within(bias, products, row, limit, low, candidates):
    """Units whose score is at most `limit`, lane by lane; their number."""
    n_candidates = 0
    for lane in range(LANES):
        if low[lane] <= limit:
            for i in range(lane, bias.shape[0], LANES):
                if bias[i] - products[row, i] <= limit:
                    candidates[n_candidates] = i
                    n_candidates += 1
    return n_candidates
