"""One model of one subject: leave-one-out log-likelihood, and the parameters found."""

import warnings
from functools import partial

import numpy as np

from fusion import CausalInference, Psychometric

from ._models import BOUNDS, MODELS, SINGLE, TASKS
from ._trials import LEVELS, PRIOR_SIGMA, Subject, mirrored

PARAMETERS = ("sigma[0]", *(f"sigma[{level}, 1]" for level in LEVELS), "criterion", "p_common")


def fit_models(config, seed: int, subject: Subject, task, shape):
    """Of each model: left out, maximum, bound (n_models, 3); estimates with their errors (n_models, 2, 6).

    `shape` is that of `learned_shape`.
    """
    precision = partial(precision_of, single_cue_noise(subject), shape)
    fits, constant = [], {}
    for strategy, noise in MODELS[task].values():
        near = constant.get(strategy) if noise == "eccentricity" else None
        *found, model = fit(config, seed, task, strategy, noise, subject, precision, near)
        fits.append(found)
        if noise == "constant":
            constant[strategy] = model
    scores, estimates = (np.array(values) for values in zip(*fits))
    return scores, estimates


def fit(config, seed, task, strategy, noise, subject, precision_at, constant=None):
    """Scores (left out, maximum, whether a parameter is at a bound), estimates and model; NaN without the trials.

    precision_at : function of trials, which gives their precision for the noise of a map
    """
    nothing = np.full(3, np.nan), np.full((2, len(PARAMETERS)), np.nan), None
    trials = subject.tasks.get(TASKS[task])
    if trials is None:
        return nothing
    precision = precision_at(trials) if noise == "map" else None
    if noise == "map" and precision is None:
        return nothing
    trials = mirrored(trials, task == "unity")
    model, said = observer(config, task, strategy, noise), answers(task, trials)
    condition = trials.reliability if precision is None else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # counted instead
        model.fit(trials.headings, said, condition=condition, precision=precision, constant=constant)
        # A likelihood of the Bayesian observers costs many times that of the others.
        max_draws = -(-config.max_draws // 4) if strategy == "averaging" else config.max_draws
        left_out = model.leave_one_out(max_draws=max_draws, random_state=seed).sum()
    errors = model.standard_errors_
    values = {"sigma[0]": model.sigma_[..., 0].ravel()[0], "criterion": model.criterion_}
    if precision is None:
        values |= {f"sigma[{level}, 1]": sigma for level, sigma in zip(model.conditions_, model.sigma_[:, 1])}
    if strategy == "averaging":
        values["p_common"] = model.p_common_
    found = [values.get(name, np.nan) for name in PARAMETERS], [errors.get(name, np.nan) for name in PARAMETERS]
    scores = left_out, model.log_likelihood_, float(any(np.isnan(error) for error in errors.values()))
    return np.array(scores), np.array(found), model


def observer(config, task, strategy, noise):
    return CausalInference(
        strategy,
        response="unity" if task == "unity" else "discrimination",
        sigma=(1.0, 1.0) if strategy == "stochastic_fusion" else None,
        prior_mean=0.0,
        # The sign of an estimate does not depend on the width of a prior around 0, unless it weighs causes.
        prior_sigma=None if strategy == "averaging" else PRIOR_SIGMA,
        lapse=0.0 if strategy == "stochastic_fusion" else None,
        varying=None if noise == "map" else (1,),
        noise="eccentricity" if noise == "eccentricity" else "constant",
        period=180.0,
        precision_scale=None,
        bounds=BOUNDS,
        n_starts=config.n_starts,
    )


def answers(task, trials):
    """As `CausalInference` takes them: left or right is asked of the first sense."""
    return trials.said if task == "unity" else np.column_stack([trials.said, np.full(len(trials.said), np.nan)])


def single_cue_noise(subject):
    """Noise by (sense, reliability), as the answers to single cues tell it; without those that cannot."""
    noise = {}
    for sense, task in enumerate(SINGLE):
        single = subject.tasks.get(task)
        if single is None:
            continue
        reliability = single.reliability if sense else np.full(len(single.said), "")
        for level in np.unique(reliability):
            rows = reliability == level
            if len(np.unique(single.said[rows])) == 2:
                found = Psychometric().fit(single.headings[rows, sense], single.said[rows] > 0).threshold_
                noise[sense, level] = np.clip(found, *BOUNDS["sigma"])
    return noise


def precision_of(noise, shape, trials):
    """Precision (n_trials, 2): the shape of the map, at the level of the noise of single cues; None without that."""
    precision = np.empty(trials.headings.shape)
    for level in np.unique(trials.reliability):
        here = trials.reliability == level
        for sense, key in enumerate(((0, ""), (1, level))):
            if key not in noise:
                return None
            precision[here, sense] = shape(trials.headings[here, sense]) / noise[key] ** 2
    return precision
