"""How the expected error of a step divides between its outputs, corrected by the errors found."""

from __future__ import annotations

import numpy as np
from sklearn.isotonic import isotonic_regression

from smc._kernels.ratios import LOWEST, N_BINS, WIDTH

PRIOR_COUNT = 10.0  # outputs for which each bin is taken to have been right
CENTERS = LOWEST + WIDTH * (np.arange(N_BINS) + 0.5)


def isotonic_log_means(sums):
    """Logarithms (N_BINS,) of the found ratios, made not to fall as the expected ones rise.

    Where few were counted, found ratios are drawn to the expected. No shape but the order is assumed: errors of raw
    sensors are far from any power of what the cells expect.

    Parameters
    ----------
    sums : ndarray (N_BINS, 2)
        From `count_ratios`.

    References
    ----------
    Barlow, R. E., Bartholomew, D. J., Bremner, J. M. & Brunk, H. D. (1972). Statistical Inference under Order
    Restrictions. Wiley.
    """
    weights = sums[:, 0] + PRIOR_COUNT
    means = (sums[:, 1] + PRIOR_COUNT * np.exp(CENTERS)) / weights
    return np.log(isotonic_regression(means, sample_weight=weights))
