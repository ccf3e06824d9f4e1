"""Reports on one cause or two, drawn with their posterior."""

import math

from fusion._causal._kernels.dual import logistic, pdf
from fusion._causal._kernels.linear import DENSITY, linear
from fusion._causal._kernels.posterior import ASKED, MEAN, OTHER, REACH, log_odds, precisions, region
from topology._kernels.compiling import kernel


@kernel()
def match(t, kind, s, s_other, c, nodes, step, legendre):
    a, o, _p, d, da, _do, _k = precisions(t)
    target, mean = c - t[MEAN], t[MEAN]
    total = linear(t, kind, s, s_other, c, False)
    form, alone = region(t), da * target / a
    for i in range(len(nodes)):
        v = s_other + t[OTHER] * nodes[i] - mean
        weight = step * math.exp(-0.5 * nodes[i] * nodes[i]) * 0.3989422804014327
        fused = (d * target - o * v) / a
        if kind == DENSITY:
            both = logistic(log_odds(form, fused, v)) * pdf((fused + mean - s) / t[ASKED]) * d
            apart = logistic(log_odds(form, alone, v)) * pdf((alone + mean - s) / t[ASKED]) * da
            total += weight * (both - apart) / (a * t[ASKED])
            continue
        first, last = within((alone + mean - s) / t[ASKED]), within((fused + mean - s) / t[ASKED])
        half = 0.5 * (last - first)
        for j in range(legendre.shape[1]):
            z = 0.5 * (first + last) + half * legendre[0, j]
            common = logistic(log_odds(form, s + t[ASKED] * z - mean, v))
            total += weight * legendre[1, j] * half * common * pdf(z)
    return total


@kernel()
def within(z):
    if z.real > REACH:
        return complex(REACH, 0.0)
    if z.real < -REACH:
        return complex(-REACH, 0.0)
    return z
