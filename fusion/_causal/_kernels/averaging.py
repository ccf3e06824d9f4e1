"""Reports that average the estimates under one and two causes."""

import math

from fusion._causal._kernels.dual import cdf, inverse, logistic, pdf
from fusion._causal._kernels.linear import CUMULATIVE
from fusion._causal._kernels.posterior import ASKED, MEAN, OTHER, log_odds, precisions, region
from topology._kernels.compiling import kernel


@kernel()
def averaged(form, weights, u, v):
    """Averaged estimate of the asked sense, and its slope along u, in deviations from the prior mean."""
    weight, weight_other, weight_alone = weights
    gain = (weight - weight_alone) * u + weight_other * v
    p = logistic(log_odds(form, u, v))
    slope = p * weight + (1 - p) * weight_alone + p * (1 - p) * gain * (2 * form[0] * u + form[1] * v)
    return weight_alone * u + p * gain, slope


@kernel()
def weights_of(t):
    """Weight of the asked sense and of the other one in the fused estimate, and of the asked one alone."""
    a, o, _p, d, da, _do, _k = precisions(t)
    return a / d, o / d, a / da


@kernel()
def find_boundaries(t, s_other, c, nodes, found):
    """Deviations of the asked measurement at which the averaged estimate equals c, one per outer node, real."""
    form, weights = region(t), weights_of(t)
    target = (c - t[MEAN]).real
    for i in range(len(nodes)):
        v = (s_other + t[OTHER] * nodes[i] - t[MEAN]).real
        # The estimate lies between the fused and the separate one: between the points where either equals c.
        one, two = (target - weights[1].real * v) / weights[0].real, target / weights[2].real
        low, high = min(one, two), max(one, two)
        u = 0.5 * (low + high) if i == 0 else min(max(found[i - 1], low), high)
        for _ in range(80):
            value, slope = averaged(form, weights, complex(u, 0.0), complex(v, 0.0))
            gap = value.real - target
            if gap > 0:
                high = u
            else:
                low = u
            step = gap / slope.real
            if abs(step) <= 1e-9 * t[ASKED].real or high - low <= 1e-9 * t[ASKED].real:
                break
            u -= step
            if not low <= u <= high:
                u = 0.5 * (low + high)
        found[i] = u


@kernel()
def average(t, kind, s, s_other, c, nodes, step, boundaries):
    form, weights, unit = region(t), weights_of(t), 1 / t[ASKED]
    target = c - t[MEAN]
    total = 0j
    for i in range(len(nodes)):
        v = s_other + t[OTHER] * nodes[i] - t[MEAN]
        u = complex(boundaries[i], 0.0)
        value, slope = averaged(form, weights, u, v)
        u -= (value - target) * inverse(slope)  # one complex step of Newton gives the root its derivative
        weight = step * math.exp(-0.5 * nodes[i] * nodes[i]) * 0.3989422804014327
        z = (u + t[MEAN] - s) * unit
        if kind == CUMULATIVE:
            total += weight * cdf(z)
        else:
            _, slope = averaged(form, weights, u, v)
            total += weight * pdf(z) * unit * inverse(slope)
    return total
