"""Bounded maximum likelihood from several starts, and how sure one can be of its result."""

import warnings
from copy import copy
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize
from scipy.stats import qmc

EDGE = 1e-3  # a parameter within this share of its range from a bound counts as being there
CAREFUL = 12  # first iterations
HOPELESS = 0.1  # nats per answer behind the best start after these
COARSE = 1e-6  # log-likelihood per answer to which the others are followed
FLAT = 1e-4  # smallest eigenvalue of the information, scaled to unit diagonal, that still determines all parameters


def maximise(likelihood, starts, counts=None):
    """Best end point of a descent from the `starts` (n_starts, n_free), in search coordinates.

    Returns
    -------
    theta : (n_parameters,); value : float
    """
    layout = likelihood.layout
    free = layout.free
    parameters = [layout.parameters[i] for i in free]
    bounds = np.array([[p.to_search(p.low), p.to_search(p.high)] for p in parameters]).reshape(-1, 2)
    n_answers = max((likelihood.counts if counts is None else counts).sum(), 1.0)

    def objective(x):
        theta = assemble(layout, x)
        value, gradient = likelihood(theta, counts)
        slopes = [p.search_slope(v) for p, v in zip(parameters, theta[free])]
        return -value / n_answers, -gradient[free] * slopes / n_answers

    if not len(free):
        theta = layout.fixed_values()
        return theta, likelihood(theta, counts)[0]

    def descend(x, method, **options):
        return minimize(objective, x, jac=True, method=method, bounds=bounds, options=options)

    # L-BFGS-B takes careful first steps, sequential quadratic programming needs fewer evaluations near an optimum.
    # All but hopeless starts go on until they are there, roughly: half-way, optima cannot be told apart.
    ends = [descend(x, "L-BFGS-B", maxiter=CAREFUL, ftol=1e-10, gtol=1e-6) for x in starts]
    limit = min(end.fun for end in ends) + HOPELESS
    ends += [descend(end.x, "SLSQP", maxiter=300, ftol=COARSE) for end in ends if not end.success and end.fun < limit]
    best = min(ends, key=lambda end: end.fun)
    best = min(best, descend(best.x, "SLSQP", maxiter=300, ftol=1e-10), key=lambda end: end.fun)
    return assemble(layout, best.x), -best.fun * n_answers


def assemble(layout, x):
    """All parameters from the search coordinates of the free ones."""
    theta = layout.fixed_values()
    for index, value in zip(layout.free, x):
        parameter = layout.parameters[index]
        theta[index] = np.clip(parameter.from_search(value), parameter.low, parameter.high)
    return theta


def draw_starts(layout, ranges, n_starts, seed):
    """Middle of the plausible ranges (n_free, 2), then points of a scrambled Sobol' sequence in them; as searched.

    The first has a wide prior: many observers' answers do not determine a narrow one.
    """
    parameters = [layout.parameters[i] for i in layout.free]
    ends = np.array([[p.to_search(v) for v in limits] for p, limits in zip(parameters, ranges)]).reshape(-1, 2)
    if not len(parameters):
        return np.empty((1, 0))
    points = qmc.Sobol(len(parameters), rng=np.random.default_rng(seed)).random_base2(int(np.ceil(np.log2(n_starts))))
    points[0] = [0.75 if p.name == "prior_sigma" else 0.5 for p in parameters]
    return ends[:, 0] + points[:n_starts] * (ends[:, 1] - ends[:, 0])


def constant_noise(likelihood, draw):
    """Values (n_parameters,) of the best constant noise; `draw` makes the starts of a layout, as without growth."""
    layout = likelihood.layout
    growing = set(layout.eccentricity.ravel()) & set(layout.free)
    constant = copy(likelihood)
    constant.layout = replace(
        layout,
        parameters=tuple(replace(p, fixed=p.low) if i in growing else p for i, p in enumerate(layout.parameters)),
    )
    return maximise(constant, draw(constant.layout))[0]


def carry_over(known_layout, theta, layout):
    """Values (n_parameters,) in another layout, by name; what is new there is at its lowest."""
    known = {p.name: value for p, value in zip(known_layout.parameters, theta)}
    return np.array([known.get(p.name, p.low) for p in layout.parameters])


def starts_from_constant_noise(layout, theta, coefficient):
    """Constant noise `theta` (n_parameters,) with growth of 0 and of `coefficient`; (2, n_free), as searched."""
    growing = set(layout.eccentricity.ravel())
    flat = np.array([layout.parameters[i].to_search(theta[i]) for i in layout.free])
    grown = [layout.parameters[i].to_search(coefficient) if i in growing else x for i, x in zip(layout.free, flat)]
    return np.array([flat, grown])


def standard_errors(likelihood, theta):
    """From the inverse of the observed information (n_parameters,); a sandwich where trials have two answers.

    NaN for parameters that are fixed or at a bound, and for all where the likelihood is flat in some direction.
    """
    inside, covariance = covariance_of(likelihood, theta)
    errors = np.full(len(theta), np.nan)
    if covariance is None:
        return errors
    if len(np.unique(likelihood.answer_rows)) < len(likelihood.answer_rows):
        # Two answers about the same measurements: slopes vary from trial to trial, not from answer to answer.
        scores = np.zeros((likelihood.n_trials, len(inside)))
        slopes = likelihood.cell_scores(theta)[1][:, inside]
        np.add.at(scores, likelihood.answer_rows, slopes[likelihood.answer_cells])
        covariance = covariance @ (scores.T @ scores) @ covariance
    errors[inside] = np.sqrt(np.diagonal(covariance))
    return errors


def covariance_of(likelihood, theta):
    """Free parameters off their bounds, and the inverse of their information; None where that is flat."""
    layout = likelihood.layout
    inside = np.array([i for i in layout.free if not at_bound(layout.parameters[i], theta[i])], dtype=int)
    if not len(inside):
        return inside, None
    information = np.empty((len(inside), len(inside)))
    for row, i in enumerate(inside):
        parameter = layout.parameters[i]
        step = 1e-4 * max(abs(theta[i]), 1e-3 * (parameter.high - parameter.low))
        step = min(step, theta[i] - parameter.low, parameter.high - theta[i])
        shifted = [theta.copy(), theta.copy()]
        shifted[0][i] -= step
        shifted[1][i] += step
        low, high = (likelihood(point)[1][inside] for point in shifted)
        information[row] = -(high - low) / (2 * step)
    information = (information + information.T) / 2
    scale = np.sqrt(np.abs(np.diagonal(information)))
    scaled = information / np.outer(scale, scale) if (scale > 0).all() else np.zeros_like(information)
    values, vectors = np.linalg.eigh(scaled)
    if values[0] <= FLAT:
        return inside, None
    return inside, (vectors / values) @ vectors.T / np.outer(scale, scale)


def draw_folds(n_trials, condition, n_folds, rng):
    """Fold of each trial, drawn at random within conditions."""
    codes = np.zeros(n_trials, dtype=int) if condition is None else np.unique(condition, return_inverse=True)[1]
    folds = np.empty(n_trials, dtype=int)
    folds[np.lexsort([rng.random(n_trials), codes])] = np.arange(n_trials) % n_folds
    return folds


def leave_folds_out(likelihood, theta, folds):
    """Log-likelihood of each trial under parameters fitted, from `theta` on, without its fold; folds (n_trials,)."""
    layout = likelihood.layout
    start = np.array([[layout.parameters[i].to_search(theta[i]) for i in layout.free]])
    scores = np.empty(len(folds))
    for fold in range(folds.max() + 1):
        kept = folds[likelihood.answer_rows] != fold
        counts = np.bincount(likelihood.answer_cells[kept], minlength=len(likelihood.counts)).astype(float)
        without, _ = maximise(likelihood, start, counts)
        scores[folds == fold] = likelihood.per_trial(without, len(folds))[folds == fold]
    return scores


def leave_one_out(likelihood, theta):
    """Log-likelihood of each cell had one of its answers been left out of the fit: to first order, without refitting.

    Without an answer the optimum moves by minus the covariance times the slope of its log-likelihood (infinitesimal
    jackknife; Efron 1981, Biometrika 68:589).
    """
    log_p, slopes = likelihood.cell_scores(theta)
    inside, covariance = covariance_of(likelihood, theta)
    if covariance is None:
        raise ValueError("cv='loo' needs an optimum in the interior; use folds where the likelihood is flat")
    slopes = slopes[:, inside]
    return log_p - np.einsum("ci,ij,cj->c", slopes, covariance, slopes)


def at_bound(parameter, value, *, upper_only=False):
    low, high, x = (parameter.to_search(v) for v in (parameter.low, parameter.high, value))
    return (high - x if upper_only else min(x - low, high - x)) < EDGE * (high - low)


def warn_if_degenerate(layout, theta, errors):
    """Warn the caller of `fit` of parameters at a bound, or of a flat likelihood."""
    # No lapses and no growth of noise are ordinary findings.
    free = [(layout.parameters[i], theta[i]) for i in layout.free]
    found = [
        p.name for p, value in free if at_bound(p, value, upper_only=p.name.split("[")[0] in ("lapse", "eccentricity"))
    ]
    if found:
        warnings.warn(
            f"degenerate optimum: {', '.join(found)} ended at a bound; the responses do not determine it. Fix it, "
            f"or narrow its bounds",
            RuntimeWarning,
            stacklevel=3,
        )
    elif len(layout.free) and np.isnan(errors[layout.free]).all():
        warnings.warn(
            "degenerate optimum: the likelihood is flat in some direction; the responses do not determine all "
            "parameters. Fix one of them",
            RuntimeWarning,
            stacklevel=3,
        )
