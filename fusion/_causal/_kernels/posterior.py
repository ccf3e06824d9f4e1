"""The parameters of a trial, and the posterior of a common cause as a function of the measurements."""

import math

import numpy as np

from fusion._causal._kernels.dual import log, roots_of
from topology._kernels.compiling import kernel

AVERAGING, SELECTION, MATCHING, FORCED_FUSION, SEGREGATION, FIXED_CRITERION, STOCHASTIC_FUSION = range(7)
# Columns of the parameters of a trial: noise of the asked and the other sense, prior mean and SD, log prior odds of a
# common cause, criterion, motor noise.
ASKED, OTHER, MEAN, SPREAD, ODDS, CRITERION, MOTOR = range(7)
N_LOCAL = 7
STEP = 1e-30
REACH = 5.5  # standard deviations that the outer integral covers
MAX_NODES = 1000


@kernel()
def perturbed(local, direction):
    t = local.astype(np.complex128)
    if direction >= 0:
        t[direction] += complex(0.0, STEP)
    return t


@kernel()
def precisions(t):
    """Precisions of asked, other, prior; their sum, the sums without one sense; log odds where both equal the mean."""
    a, o, p = 1 / (t[ASKED] * t[ASKED]), 1 / (t[OTHER] * t[OTHER]), 1 / (t[SPREAD] * t[SPREAD])
    return a, o, p, a + o + p, a + p, o + p, t[ODDS] + 0.5 * (log(a + p) + log(o + p) - log(p) - log(a + o + p))


@kernel()
def region(t):
    """The log odds as a quadratic form: its coefficients of u u, u v, v v and 1."""
    a, o, _p, d, da, do, k = precisions(t)
    return 0.5 * a * a * (1 / d - 1 / da), a * o / d, 0.5 * o * o * (1 / d - 1 / do), k


@kernel()
def log_odds(form, u, v):
    """Log posterior odds of a common cause at deviations u (asked) and v (other) from the prior mean."""
    return form[3] + form[0] * u * u + form[1] * u * v + form[2] * v * v


@kernel()
def common_interval(strategy, form, criterion, v):
    """Interval of u that counts as one cause, given v; NaN if there is none."""
    if strategy == FIXED_CRITERION:
        return v - criterion, v + criterion
    return roots_of(form[0], form[1] * v, form[3] + form[2] * v * v)


@kernel()
def outer_step(t, fine):
    """Step in standard deviations of the other sense that follows both slopes of the boundaries."""
    ratio = t[ASKED].real / t[OTHER].real
    return max(fine / math.sqrt(1.0 + max(ratio, 1 / ratio) ** 2), 2 * REACH / MAX_NODES)


@kernel()
def trapezoid(t, fine):
    step = outer_step(t, fine)
    n = math.ceil(REACH / step)
    return step * np.arange(-n, n + 1), step


@kernel()
def ordered(cuts):
    """Those within reach, sorted."""
    kept = np.empty(len(cuts), dtype=np.complex128)
    n = 0
    for i in range(len(cuts)):
        if abs(cuts[i].real) <= REACH:
            j = n
            while j > 0 and kept[j - 1].real > cuts[i].real:
                kept[j] = kept[j - 1]
                j -= 1
            kept[j] = cuts[i]
            n += 1
    return kept[:n]
