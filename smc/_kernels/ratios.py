"""A monotone map from expected ratios to found ones, on bins of the logarithm of the expected."""

import numpy as np

from topology._kernels.compiling import kernel

LOWEST, WIDTH, N_BINS = -14.0, 0.25, 88  # of the logarithm


@kernel(inline="always")
def place(ratio):
    """Bin below the ratio, and how near to the next one it is."""
    position = min(max((np.log(ratio) - LOWEST) / WIDTH - 0.5, 0.0), N_BINS - 1.0)
    below = min(int(position), N_BINS - 2)
    return below, position - below


@kernel(inline="always")
def count_ratio(expected, found, weight, sums):
    """Add a ratio, unless none is expected, to sums (N_BINS, 2) of weights and of weighted found ratios.

    It is divided between the two nearest centres, so that a rounding error cannot move it as a whole.
    """
    if expected > 0.0:
        below, share = place(expected)
        for bin, part in ((below, weight * (1.0 - share)), (below + 1, weight * share)):
            sums[bin, 0] += part
            sums[bin, 1] += part * found


@kernel(inline="always")
def corrected_ratio(expected, log_means):
    """What was found where such a ratio was expected: `log_means` (N_BINS,) at the centres of the bins."""
    if expected <= 0.0:
        return 0.0
    below, share = place(expected)
    return np.exp((1.0 - share) * log_means[below] + share * log_means[below + 1])


@kernel()
def count_ratios(expected, found, weight, sums):
    for i in range(len(expected)):
        count_ratio(expected[i], found[i], weight, sums)


@kernel()
def correct_ratios(ratios, log_means):
    """Replace ratios (n,)."""
    for i in range(len(ratios)):
        ratios[i] = corrected_ratio(ratios[i], log_means)
