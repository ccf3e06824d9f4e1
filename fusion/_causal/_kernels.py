"""Probabilities of what a causal observer of two senses says, with their exact derivatives.

The asked sense measures x = s + sigma z, the other one likewise. Given the measurement of the other sense, all that the
observer can say of the asked one changes at few points of x, which are roots of linear or quadratic equations (of one
scalar equation for averaging). The inner integral is then a difference of normal distribution functions; the outer one
is a trapezoid rule, between the points where its integrand has kinks.

Derivatives are complex steps of 1e-30 along one parameter: to double precision, complex numbers are then dual numbers.
"""

import math

import numpy as np

from topology._kernels.compiling import kernel

AVERAGING, SELECTION, MATCHING, FORCED_FUSION, SEGREGATION, FIXED_CRITERION, STOCHASTIC_FUSION = range(7)
CUMULATIVE, DENSITY = range(2)
# Columns of the parameters of a trial: noise of the asked and the other sense, prior mean and SD, log prior odds of a
# common cause, criterion, motor noise.
ASKED, OTHER, MEAN, SPREAD, ODDS, CRITERION, MOTOR = range(7)
N_LOCAL = 7
STEP = 1e-30
REACH = 5.5  # standard deviations that the outer integral covers
MAX_NODES = 1000


@kernel()
def cdf(x):
    density = math.exp(-0.5 * x.real * x.real) * 0.3989422804014327
    return complex(0.5 * math.erfc(-x.real * 0.7071067811865476), density * x.imag)


@kernel()
def pdf(x):
    density = math.exp(-0.5 * x.real * x.real) * 0.3989422804014327
    return complex(density, -x.real * density * x.imag)


@kernel()
def between(low, high):
    """Normal mass between two points, without cancellation in the upper tail."""
    if low.real > 0:
        return cdf(-low) - cdf(-high)
    return cdf(high) - cdf(low)


@kernel()
def logistic(x):
    if x.real < -700:
        return 0j
    p = 1.0 / (1.0 + math.exp(-x.real))
    return complex(p, p * (1.0 - p) * x.imag)


@kernel()
def root(x):
    r = math.sqrt(x.real)
    return complex(r, 0.5 * x.imag / r)


@kernel()
def log(x):
    return complex(math.log(x.real), x.imag / x.real)


@kernel()
def inverse(x):
    r = 1.0 / x.real
    return complex(r, -x.imag * r * r)


@kernel()
def smaller(x, y):
    return x if x.real < y.real else y


@kernel()
def roots_of(a, b, c):
    """The two points, in order, between which a x^2 + b x + c with a < 0 is positive; NaN if there are none."""
    inside = b * b - 4 * a * c
    if not inside.real > 0:
        return complex(np.nan, 0.0), complex(np.nan, 0.0)
    # The larger of -b +- sqrt first: the other root follows from the product without cancellation.
    q = -0.5 * (b + root(inside)) if b.real > 0 else -0.5 * (b - root(inside))
    first, second = q * inverse(a), c * inverse(q)
    if first.real < second.real:
        return first, second
    return second, first


@kernel()
def precisions(t):
    """Precisions of asked, other, prior; their sum, the sums without one sense; log odds where both equal the mean."""
    a, o, p = 1 / (t[ASKED] * t[ASKED]), 1 / (t[OTHER] * t[OTHER]), 1 / (t[SPREAD] * t[SPREAD])
    return a, o, p, a + o + p, a + p, o + p, t[ODDS] + 0.5 * (log(a + p) + log(o + p) - log(p) - log(a + o + p))


@kernel()
def log_odds(form, u, v):
    """Log posterior odds of a common cause at deviations u (asked) and v (other) from the prior mean."""
    return form[3] + form[0] * u * u + form[1] * u * v + form[2] * v * v


@kernel()
def outer_step(t, fine):
    """Step in standard deviations of the other sense that follows both slopes of the boundaries."""
    ratio = t[ASKED].real / t[OTHER].real
    return max(fine / math.sqrt(1.0 + max(ratio, 1 / ratio) ** 2), 2 * REACH / MAX_NODES)


@kernel()
def linear(t, kind, s, s_other, c, common):
    """A response that is linear in both measurements, motor noise included: with or without the other sense."""
    a, o, p, d, da, _, _ = precisions(t)
    if common:
        mean, variance = (a * s + o * s_other + p * t[MEAN]) / d, (a + o) / (d * d)
    else:
        mean, variance = (a * s + p * t[MEAN]) / da, a / (da * da)
    sd = root(variance + t[MOTOR] * t[MOTOR])
    return cdf((c - mean) / sd) if kind == CUMULATIVE else pdf((c - mean) / sd) / sd


# --- averaging ------------------------------------------------------------------------------------------------------


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


# --- one cause inside a region, two outside: selection and the fixed criterion -------------------------------------


@kernel()
def region(t):
    """The log odds as a quadratic form: its coefficients of u u, u v, v v and 1."""
    a, o, _p, d, da, do, k = precisions(t)
    return 0.5 * a * a * (1 / d - 1 / da), a * o / d, 0.5 * o * o * (1 / d - 1 / do), k


@kernel()
def common_interval(strategy, form, criterion, v):
    """Interval of u that counts as one cause, given v; NaN if there is none."""
    if strategy == FIXED_CRITERION:
        return v - criterion, v + criterion
    return roots_of(form[0], form[1] * v, form[3] + form[2] * v * v)


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


# --- matching -------------------------------------------------------------------------------------------------------


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


# --- one probability per query --------------------------------------------------------------------------------------


@kernel()
def trapezoid(t, fine):
    step = outer_step(t, fine)
    n = math.ceil(REACH / step)
    return step * np.arange(-n, n + 1), step


@kernel()
def perturbed(local, direction):
    t = local.astype(np.complex128)
    if direction >= 0:
        t[direction] += complex(0.0, STEP)
    return t


@kernel()
def estimates(strategy, kind, asked, other, threshold, local, directions, legendre, value, gradient):
    """Distribution function (CUMULATIVE) or density of reported estimates.

    Parameters
    ----------
    asked, other : (n,), stimuli; NaN in `other` where that sense is absent
    threshold : (n,), where to evaluate
    local : (n, N_LOCAL), parameters of each trial
    directions : columns of `local` to differentiate by; at least one, -1 for none
    legendre : (2, n_nodes), abscissae and weights on [-1, 1]
    value : (n,) and gradient : (n, N_LOCAL), filled
    """
    for i in range(len(asked)):
        plain = perturbed(local[i], -1)
        one_sense = math.isnan(other[i])
        closed = one_sense or strategy in (FORCED_FUSION, SEGREGATION, STOCHASTIC_FUSION)
        nodes, step = trapezoid(plain, 0.4)
        boundaries = np.empty(len(nodes))
        n_motor, motor_step = 0, 1.0
        if local[i, MOTOR] > 0 and not closed:
            a, _o, _p, d, _da, _do, _k = precisions(plain)
            motor_step = max(0.5 * min(1.0, (a / d).real * local[i, ASKED] / local[i, MOTOR]), 2 * REACH / MAX_NODES)
            n_motor = math.ceil(REACH / motor_step)
        value[i] = 0.0
        for j in range(-n_motor, n_motor + 1):
            shift = j * motor_step
            weight = motor_step * math.exp(-0.5 * shift * shift) * 0.3989422804014327 if n_motor else 1.0
            if strategy == AVERAGING and not one_sense:
                find_boundaries(
                    plain, other[i], complex(threshold[i] - local[i, MOTOR] * shift, 0.0), nodes, boundaries
                )
            for m in range(len(directions)):
                t = perturbed(local[i], directions[m])
                c = threshold[i] - t[MOTOR] * shift
                if one_sense or strategy == SEGREGATION:
                    result = linear(t, kind, asked[i], 0.0, c, False)
                elif strategy == FORCED_FUSION:
                    result = linear(t, kind, asked[i], other[i], c, True)
                elif strategy == STOCHASTIC_FUSION:
                    share = logistic(t[ODDS])
                    result = share * linear(t, kind, asked[i], other[i], c, True)
                    result += (1 - share) * linear(t, kind, asked[i], 0.0, c, False)
                else:
                    # Motor noise is in the shift of c; the parts below are those of the estimate itself.
                    t[MOTOR] = 0j
                    if strategy == AVERAGING:
                        result = average(t, kind, asked[i], other[i], c, nodes, step, boundaries)
                    elif strategy == MATCHING:
                        result = match(t, kind, asked[i], other[i], c, nodes, step, legendre)
                    elif kind == DENSITY:
                        result = regional_density(t, strategy, asked[i], other[i], c)
                    else:
                        result = regional_cumulative(t, strategy, asked[i], other[i], c)
                if m == 0:
                    value[i] += weight * result.real
                if directions[m] >= 0:
                    gradient[i, directions[m]] += weight * result.imag / STEP


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
