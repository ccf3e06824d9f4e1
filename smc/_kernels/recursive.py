"""Recursive least squares, step by step: one regression that all cells share, and in each cell one of what it misses.

A regression is covariance (d, d), the inverse of its Gram matrix plus penalty, and maps (d, n_outputs).
"""

from collections import namedtuple

import numpy as np

from smc._kernels.ratios import corrected_ratio, count_ratio
from topology._kernels.compiling import kernel

LARGEST_RATIO = 10.0  # of a squared error to its variance, from where on outliers count alike
LARGEST_LOG_FACTOR = 3.0
FACTOR_PENALTY = 10.0  # in steps, of the weights of the variance's factor
FACTOR_REMEMBERED = 0.999  # and of what was found, for predictions get better while the regressions learn
PRIOR_STEPS = 10.0  # weight of the noise of all cells in a cell's, in steps

# The arrays of one model.
#   shared_covariance (n_actions, D, D), shared_maps (n_actions, D, n_outputs)
#   covariance (n_cells, d, d), maps (n_cells, d, n_outputs): of the cells, on what the shared regression misses
#   squares (n_cells, n_outputs), mass (n_cells,): sums of squared errors, each in units of its variance where that of
#   the noise is 1, and of weights; the noise in a cell is their ratio
#   totals (n_outputs + 1,): sums of both over all cells
#   factor_covariance (F, F), factor_weights (F,): log-linear factor of the variance
#   found (2, N_BINS, 2): levels of squared errors found where such were expected, and how they divided between outputs
Rules = namedtuple(
    "Rules",
    "shared_covariance shared_maps covariance maps squares mass totals factor_covariance factor_weights found",
)

part = kernel(inline="always")


@part
def multiply(matrix, vector, out):
    """Symmetric matrix times vector; returns vector times that."""
    out[:] = 0.0
    for j in range(len(vector)):
        for i in range(len(vector)):
            out[i] += vector[j] * matrix[j, i]
    product = 0.0
    for i in range(len(vector)):
        product += vector[i] * out[i]
    return product


@part
def subtract_output(maps, inputs, weight, error):
    for i in range(len(inputs)):
        scaled = weight * inputs[i]
        for o in range(len(error)):
            error[o] -= scaled * maps[i, o]


@part
def shrink(covariance, gain, total, keep):
    """Take in a step of the inputs whose product with the covariance is `gain`."""
    for i in range(len(gain)):
        scaled = gain[i] / total
        for j in range(len(gain)):
            covariance[i, j] = (covariance[i, j] - scaled * gain[j]) / keep


@part
def kept(covariance, remembered, ridge):
    """What earlier steps keep of their weight: all, once less is known than before the first step.

    Otherwise directions that are no longer met would be forgotten without limit.
    """
    trace = 0.0
    for i in range(len(covariance)):
        trace += covariance[i, i]
    return max(remembered, min(1.0, trace * ridge / len(covariance)))


@part
def regress(covariance, maps, gain, total, keep, error):
    for i in range(len(gain)):
        scaled = gain[i] / total
        for o in range(len(error)):
            maps[i, o] += scaled * error[o]
    shrink(covariance, gain, total, keep)


@part
def noise_of(squares, mass, totals, cell, o):
    return (squares[cell, o] + PRIOR_STEPS * totals[o] / totals[-1]) / (mass[cell] + PRIOR_STEPS)


@part
def log_factor(features, weights):
    value = 0.0
    for i in range(len(features)):
        value += features[i] * weights[i]
    return min(max(value, -LARGEST_LOG_FACTOR), LARGEST_LOG_FACTOR)


@part
def describe(squares, mass, totals, near, share, inputs, spread, ratios, features):
    """Level of the noise, ratios (n_outputs,) that it has to that level, and the features (F,) of its factor.

    The noise is blended from the cells, each output's in units of its own over all cells; the level is its mean over
    outputs with any, 0 if there are none. The features are 1, the log of the level, the log of what the unknown of the
    maps multiplies it by, and the cells' inputs.
    """
    level, n_known = 0.0, 0
    for o in range(len(ratios)):
        ratios[o] = 0.0
        if totals[o] > 0.0:
            for k in range(len(near)):
                ratios[o] += share[k] * noise_of(squares, mass, totals, near[k], o) * totals[-1] / totals[o]
            level += ratios[o]
            n_known += 1
    if n_known > 0:
        level /= n_known
        for o in range(len(ratios)):
            ratios[o] /= level
    features[0] = 1.0
    features[1] = np.log(level) if level > 0.0 else 0.0
    features[2] = np.log(spread)
    for i in range(1, len(inputs)):
        features[2 + i] = inputs[i]
    return level


@kernel()
def learn_steps(rules, action, near, shares, shared_inputs, inputs, targets, remembered, ridge):
    """Take in steps one by one.

    Parameters
    ----------
    rules : Rules, changed in place
    action : (n,) int64
    near, shares : (n, blend) int64 and float
        Cells that share each step, and with which weights.
    shared_inputs : (n, D), inputs : (n, d)
    targets : (n, n_outputs)
    remembered : float in (0, 1]
        What a step counts after one more step of full weight in the same regression.
    ridge : float
    """
    shared_covariance, shared_maps, covariance, maps, squares, mass, totals = rules[:7]
    factor_covariance, factor_weights, found = rules[7:]
    shared_gain, gain, error = shared_inputs[0].copy(), inputs[0].copy(), targets[0].copy()
    left, ratios, squared = error.copy(), error.copy(), error.copy()
    features, factor_gain = factor_weights.copy(), factor_weights.copy()
    for row in range(len(targets)):
        P, W, z = shared_covariance[action[row]], shared_maps[action[row]], shared_inputs[row]
        unknown = multiply(P, z, shared_gain)
        error[:] = targets[row]
        subtract_output(W, z, 1.0, error)
        keep = kept(P, remembered, ridge)
        regress(P, W, shared_gain, keep + unknown, keep, error)

        # The cells learn from the error that was made before the shared regression knew the step.
        left[:] = error
        spread = 1.0 + unknown
        for k in range(near.shape[1]):
            cell = near[row, k]
            spread += shares[row, k] * multiply(covariance[cell], inputs[row], gain)
            subtract_output(maps[cell], inputs[row], shares[row, k], left)
        level = describe(squares, mass, totals, near[row], shares[row], inputs[row], spread, ratios, features)
        if level > 0.0:
            expected = level * spread * np.exp(log_factor(features, factor_weights))
            squared_level, n_known = 0.0, 0
            for o in range(len(left)):
                if ratios[o] > 0.0:
                    # In its own scale, too, lest the first error of an output that had none be beyond measure.
                    squared[o] = left[o] ** 2 * totals[-1] / (totals[o] + left[o] ** 2)
                    squared_level += squared[o]
                    n_known += 1
            squared_level /= n_known
            found *= FACTOR_REMEMBERED
            count_ratio(expected, squared_level, 1.0, found[0])
            if squared_level > 0.0:
                for o in range(len(left)):
                    count_ratio(ratios[o], squared[o] / squared_level, squared_level / expected, found[1])
            surprise = min(squared_level / expected, LARGEST_RATIO)
            known = multiply(factor_covariance, features, factor_gain)
            keep = kept(factor_covariance, FACTOR_REMEMBERED, FACTOR_PENALTY)
            shrink(factor_covariance, factor_gain, keep + known, keep)
            for i in range(len(features)):
                factor_weights[i] += factor_gain[i] / (keep + known) * (surprise - 1.0)

        for k in range(near.shape[1]):
            cell, share = near[row, k], shares[row, k]
            if share <= 0.0:
                continue
            keep = kept(covariance[cell], remembered**share, ridge)
            total = keep * (1.0 + unknown) / share + multiply(covariance[cell], inputs[row], gain)
            left[:] = error
            subtract_output(maps[cell], inputs[row], 1.0, left)
            for o in range(len(left)):
                before = squares[cell, o]
                squares[cell, o] = keep * (before + left[o] ** 2 / total)
                totals[o] += squares[cell, o] - before
            totals[-1] += keep * mass[cell] + share - mass[cell]
            mass[cell] = keep * mass[cell] + share
            regress(covariance[cell], maps[cell], gain, total, keep, left)


@kernel()
def predict_steps(rules, log_means, action, near, shares, shared_inputs, inputs, change, variance):
    """Expected change and squared error (n, n_outputs) of steps.

    `log_means` (2, N_BINS) come from `isotonic_log_means`; other parameters as in `learn_steps`.
    """
    shared_covariance, shared_maps, covariance, maps, squares, mass, totals = rules[:7]
    factor_weights = rules.factor_weights
    shared_gain, gain = shared_inputs[0].copy(), inputs[0].copy()
    features = factor_weights.copy()
    for row in range(len(change)):
        z = shared_inputs[row]
        spread = 1.0 + multiply(shared_covariance[action[row]], z, shared_gain)
        change[row] = 0.0
        subtract_output(shared_maps[action[row]], z, -1.0, change[row])
        for k in range(near.shape[1]):
            cell = near[row, k]
            spread += shares[row, k] * multiply(covariance[cell], inputs[row], gain)
            subtract_output(maps[cell], inputs[row], -shares[row, k], change[row])
        level = describe(squares, mass, totals, near[row], shares[row], inputs[row], spread, variance[row], features)
        level = corrected_ratio(level * spread * np.exp(log_factor(features, factor_weights)), log_means[0])
        unit = level / totals[-1] if level > 0.0 else 0.0
        for o in range(change.shape[1]):
            variance[row, o] = unit * totals[o] * corrected_ratio(variance[row, o], log_means[1])
