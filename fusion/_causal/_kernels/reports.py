"""Distribution functions and densities of reported estimates."""

import math

import numpy as np

from fusion._causal._kernels.averaging import average, find_boundaries
from fusion._causal._kernels.choosing import regional_cumulative, regional_density
from fusion._causal._kernels.dual import logistic
from fusion._causal._kernels.linear import DENSITY, linear
from fusion._causal._kernels.matching import match
from fusion._causal._kernels.posterior import (
    ASKED,
    AVERAGING,
    FORCED_FUSION,
    MATCHING,
    MAX_NODES,
    MOTOR,
    ODDS,
    REACH,
    SEGREGATION,
    STEP,
    STOCHASTIC_FUSION,
    perturbed,
    precisions,
    trapezoid,
)
from topology._kernels.compiling import kernel


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
