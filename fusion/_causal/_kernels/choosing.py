"""Reports of one cause inside a region of the measurements, of two outside: selection and the fixed criterion."""

import math

import numpy as np

from fusion._causal._kernels.dual import between, pdf, root, roots_of, smaller
from fusion._causal._kernels.linear import CUMULATIVE, DENSITY, linear
from fusion._causal._kernels.posterior import (
    ASKED,
    CRITERION,
    FIXED_CRITERION,
    MEAN,
    OTHER,
    REACH,
    SELECTION,
    common_interval,
    ordered,
    outer_step,
    precisions,
    region,
)
from topology._kernels.compiling import kernel


@kernel()
def crossings(t, strategy, target):
    """Intervals of v with one cause, where the separate estimate is the target and where the fused one is."""
    a, o, _p, d, da, do, k = precisions(t)
    u = da * target / a
    if strategy == FIXED_CRITERION:
        width = t[CRITERION]
        middle, half = d * target / (a + o), a * width / (a + o)
        return u - width, u + width, middle - half, middle + half
    low, high = roots_of(0.5 * o * o * (1 / d - 1 / do), a * o * u / d, k + 0.5 * a * a * u * u * (1 / d - 1 / da))
    fused_low, fused_high = roots_of(
        -0.5 * o * o * (1 / da + 1 / do), o * d * target / da, k + 0.5 * d * target * target * (1 - d / da)
    )
    return low, high, fused_low, fused_high


@kernel()
def regional_density(t, strategy, s, s_other, c):
    a, o, _p, d, _da, _do, _k = precisions(t)
    target, mean = c - t[MEAN], t[MEAN]
    low, high, fused_low, fused_high = crossings(t, strategy, target)
    alone = linear(t, DENSITY, s, s_other, c, False)
    if not math.isnan(low.real):
        alone *= 1 - between((low + mean - s_other) / t[OTHER], (high + mean - s_other) / t[OTHER])
    if math.isnan(fused_low.real):
        return alone
    centre = s_other + (target - (a * (s - mean) + o * (s_other - mean)) / d) * d / (a + o)
    sd = root(a / (o * (a + o)))
    inside = between((fused_low + mean - centre) / sd, (fused_high + mean - centre) / sd)
    return alone + linear(t, DENSITY, s, s_other, c, True) * inside


@kernel()
def regional_cumulative(t, strategy, s, s_other, c):
    a, o, p, d, da, do, k = precisions(t)
    target, mean = c - t[MEAN], t[MEAN]
    cuts = np.empty(8, dtype=np.complex128)
    cuts[0], cuts[1] = complex(-REACH, 0.0), complex(REACH, 0.0)
    cuts[2], cuts[3], cuts[4], cuts[5] = crossings(t, strategy, target)
    cuts[6] = cuts[7] = complex(np.nan, 0.0)
    if strategy == SELECTION and k.real < 0:
        # Near the prior mean no pair of measurements counts as one cause; the interval opens at these two points.
        cuts[7] = root(2 * a * a * (1 / d - 1 / da) * k * d * da * do / (a * a * o * o * p))
        cuts[6] = -cuts[7]
    for i in range(2, 8):
        cuts[i] = (cuts[i] + mean - s_other) / t[OTHER]
    cuts = ordered(cuts)
    total = linear(t, CUMULATIVE, s, s_other, c, False)
    form, unit = region(t), 1 / t[ASKED]
    level, tilt = d * target / a, o / a
    separate = (da * target / a + mean - s) * unit
    for i in range(len(cuts) - 1):
        n = max(8, int(1.6 * (cuts[i + 1] - cuts[i]).real / outer_step(t, 0.6)) + 8)
        middle, half = 0.5 * (cuts[i] + cuts[i + 1]), 0.5 * (cuts[i + 1] - cuts[i])
        for j in range(1, n):
            # Substituting a cosine makes the square roots at the ends of a piece smooth.
            z = middle - half * math.cos(math.pi * j / n)
            v = s_other + t[OTHER] * z - mean
            low, high = common_interval(strategy, form, t[CRITERION], v)
            if math.isnan(low.real):
                continue
            low, high = (low + mean - s) * unit, (high + mean - s) * unit
            fused = (level - tilt * v + mean - s) * unit
            gain = between(smaller(low, fused), smaller(high, fused))
            gain -= between(smaller(low, separate), smaller(high, separate))
            total += half * (math.pi / n * math.sin(math.pi * j / n)) * pdf(z) * gain
    return total
