"""Probability of judging that two measurements have one cause."""

import math

import numpy as np

from fusion._causal._kernels.dual import between, logistic, root
from fusion._causal._kernels.posterior import (
    ASKED,
    AVERAGING,
    CRITERION,
    FIXED_CRITERION,
    MEAN,
    N_LOCAL,
    ODDS,
    OTHER,
    REACH,
    SELECTION,
    SPREAD,
    STEP,
    STOCHASTIC_FUSION,
    common_interval,
    log_odds,
    ordered,
    perturbed,
    region,
    trapezoid,
)
from topology._kernels.compiling import kernel


@kernel()
def judge(t, strategy, s, s_other):
    """Probability of judging that two measurements have one cause, by chance, a criterion, or matching."""
    if strategy == STOCHASTIC_FUSION:
        return logistic(t[ODDS])
    if strategy == FIXED_CRITERION:
        sd = root(t[ASKED] * t[ASKED] + t[OTHER] * t[OTHER])
        return between((s - s_other - t[CRITERION]) / sd, (s - s_other + t[CRITERION]) / sd)
    form, total = region(t), 0j
    nodes, step = trapezoid(t, 0.4)
    for z in nodes:
        for y in nodes:
            weight = step * step * math.exp(-0.5 * (z * z + y * y)) / (2 * math.pi)
            u, v = s + t[ASKED] * y - t[MEAN], s_other + t[OTHER] * z - t[MEAN]
            total += weight * logistic(log_odds(form, u, v))
    return total


@kernel()
def slopes_of_log_odds(local, form, u, v, slopes):
    """Derivatives of the log odds by u, by v, and by the first five parameters at fixed u and v; all real."""
    a, o, p = 1 / local[ASKED] ** 2, 1 / local[OTHER] ** 2, 1 / local[SPREAD] ** 2
    d, da, do = a + o + p, a + p, o + p
    fused, alone, rest = (a * u + o * v) / d, a * u / da, o * v / do
    by_a = 0.5 * (1 / da - 1 / d) + u * (fused - alone) - 0.5 * (fused * fused - alone * alone)
    by_o = 0.5 * (1 / do - 1 / d) + v * (fused - rest) - 0.5 * (fused * fused - rest * rest)
    by_p = 0.5 * (1 / da + 1 / do - 1 / p - 1 / d) - 0.5 * (fused * fused - alone * alone - rest * rest)
    by_u, by_v = a * (fused - alone), o * (fused - rest)
    # A precision s**-2 changes by -2 s**-3 per unit of s; the prior mean shifts both deviations.
    slopes[ASKED], slopes[OTHER] = -2 * a / local[ASKED] * by_a, -2 * o / local[OTHER] * by_o
    slopes[SPREAD], slopes[ODDS], slopes[MEAN] = -2 * p / local[SPREAD] * by_p, 1.0, 0.0
    return by_u, by_v


@kernel()
def judge_by_posterior(local, s, s_other, slopes, gradient):
    """Probability that the posterior favours one cause; adds its derivatives to `gradient`.

    Where the log odds are 0, a parameter moves the boundary by minus its slope over that along u.
    """
    t = perturbed(local, -1)
    form = region(t)
    cuts = np.full(4, complex(np.nan, 0.0))
    cuts[0], cuts[1] = complex(-REACH, 0.0), complex(REACH, 0.0)
    if form[3].real < 0:
        # Near the prior mean nothing counts as one cause; the interval opens at these two points.
        opening = root(4 * form[0] * form[3] / (form[1] * form[1] - 4 * form[0] * form[2]))
        cuts[2], cuts[3] = (t[MEAN] - opening - s_other) / t[OTHER], (t[MEAN] + opening - s_other) / t[OTHER]
    cuts = ordered(cuts)
    total = 0.0
    for i in range(len(cuts) - 1):
        middle, half = 0.5 * (cuts[i] + cuts[i + 1]).real, 0.5 * (cuts[i + 1] - cuts[i]).real
        n = int(1.6 * 2 * half / 0.5) + 8
        for j in range(1, n):
            z = middle - half * math.cos(math.pi * j / n)
            weight = half * math.pi / n * math.sin(math.pi * j / n) * math.exp(-0.5 * z * z) * 0.3989422804014327
            v = s_other + local[OTHER] * z - local[MEAN]
            low, high = common_interval(SELECTION, form, t[CRITERION], complex(v, 0.0))
            if math.isnan(low.real):
                continue
            z_low, z_high = (low + t[MEAN] - s) / t[ASKED], (high + t[MEAN] - s) / t[ASKED]
            total += weight * between(z_low, z_high).real
            for end in range(2):
                u = high.real if end else low.real
                place = z_high.real if end else z_low.real
                by_u, by_v = slopes_of_log_odds(local, form, u, v, slopes)
                density = weight * math.exp(-0.5 * place * place) * 0.3989422804014327 / local[ASKED]
                if not end:
                    density = -density
                slopes[OTHER] += by_v * z
                slopes[MEAN] -= by_v
                for m in range(ODDS + 1):
                    gradient[m] -= density * slopes[m] / by_u
                gradient[MEAN] += density
                gradient[ASKED] -= density * place
    return total


@kernel()
def judgements(strategy, first, second, local, directions, value, gradient):
    """Probability of the answer "same", arrays as in `estimates`."""
    slopes, column = np.zeros(N_LOCAL), np.zeros(N_LOCAL)
    for i in range(len(first)):
        # The outer integral runs over the sharper sense: boundaries are then no steeper than its density.
        swap = local[i, ASKED] < local[i, OTHER]
        if strategy in (AVERAGING, SELECTION):
            turned = local[i].copy()
            if swap:
                turned[ASKED], turned[OTHER] = local[i, OTHER], local[i, ASKED]
            column[:] = 0.0
            one, two = (second[i], first[i]) if swap else (first[i], second[i])
            value[i] = judge_by_posterior(turned, one, two, slopes, column)
            gradient[i] = column
            if swap:
                gradient[i, ASKED], gradient[i, OTHER] = column[OTHER], column[ASKED]
            continue
        for m in range(len(directions)):
            t = perturbed(local[i], directions[m])
            if swap:
                t[ASKED], t[OTHER] = t[OTHER], t[ASKED]
                result = judge(t, strategy, second[i], first[i])
            else:
                result = judge(t, strategy, first[i], second[i])
            value[i] = result.real
            if directions[m] >= 0:
                gradient[i, directions[m]] = result.imag / STEP
