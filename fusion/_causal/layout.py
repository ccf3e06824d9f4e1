"""Which parameters an observer has, their bounds, and the range in which they are looked for first."""

import numpy as np

from fusion._causal.parameters import P_LIMITS, USES_POSTERIOR, Layout, Parameter


def make_layout(settings, conditions, span, middle, uses_precision):
    """Parameters that strategy, response and data have, and where each stands.

    Parameters
    ----------
    settings : CausalInference
    conditions : (n_conditions,), labels
    span, middle : float, range and mean of the stimuli
    uses_precision : bool, whether the noise of each trial is given
    """
    parameters = []
    n_conditions = len(conditions)

    def add(name, fixed, low, high, softening=None):
        low, high = map(float, (settings.bounds or {}).get(name.split("[")[0], (low, high)))
        low = max(low, softening * 1e-5) if softening else low
        parameters.append(Parameter(name, np.nan if fixed is None else float(fixed), low, high, softening))
        return len(parameters) - 1

    def per_sense(name, given, varying, low, high, softening):
        values = np.full(2, np.nan) if given is None else np.asarray(given, dtype=float)
        index = np.full((n_conditions, 2), -1)
        for sense in range(2):
            several = n_conditions > 1 and sense in varying
            for row in range(n_conditions):
                label = f"{name}[{conditions[row]}, {sense}]" if several else f"{name}[{sense}]"
                repeat = row > 0 and not several
                fixed = None if np.isnan(values[sense]) else values[sense]
                index[row, sense] = index[0, sense] if repeat else add(label, fixed, low, high, softening)
        return index

    absent = np.full((n_conditions, 2), -1)
    sigma, eccentricity = absent, absent
    if not uses_precision:
        varying = (0, 1) if settings.varying is None else settings.varying
        sigma = per_sense("sigma", settings.sigma, varying, span / 500, 4 * span, 0.0)
        if settings.noise == "eccentricity":
            eccentricity = per_sense("eccentricity", settings.eccentricity, (), 0.0, 10 / span, 0.5 / span)
    judges = settings.response == "unity"
    p_common = np.full(n_conditions, -1)
    if settings.strategy == "stochastic_fusion":
        names = [f"p_common[{label}]" if n_conditions > 1 else "p_common" for label in conditions]
        p_common = np.array([add(name, settings.p_common, *P_LIMITS) for name in names])
    elif settings.strategy in USES_POSTERIOR:
        p_common[:] = add("p_common", settings.p_common, *P_LIMITS)
    prior = not judges or settings.strategy in USES_POSTERIOR
    return Layout(
        sigma=sigma,
        eccentricity=eccentricity,
        p_common=p_common,
        prior_mean=add("prior_mean", settings.prior_mean, middle - 2 * span, middle + 2 * span) if prior else -1,
        prior_sigma=add("prior_sigma", settings.prior_sigma, span / 200, 10 * span, 0.0) if prior else -1,
        criterion=add("criterion", settings.criterion, span / 500, 4 * span, 0.0)
        if settings.strategy == "fixed_criterion"
        else -1,
        motor=-1 if judges else add("motor_sigma", settings.motor_sigma, span / 1000, span, 0.0),
        lapse=add("lapse", settings.lapse, 0.0, 0.5),
        precision_scale=add("precision_scale", settings.precision_scale, 0.01, 100.0, 0.0) if uses_precision else -1,
        parameters=tuple(parameters),
    )


def plausible(parameter, span, middle):
    """Range that starts are drawn from."""
    low, high = {
        "sigma": (span / 30, span / 2),
        "eccentricity": (0.2 / span, 6 / span),
        "p_common": (0.2, 0.8),
        "prior_mean": (middle - span / 10, middle + span / 10),
        "prior_sigma": (span / 60, 2 * span),  # many a likelihood has an optimum at either end
        "criterion": (span / 20, span / 2),
        "motor_sigma": (span / 100, span / 10),
        "lapse": (0.005, 0.1),
        "precision_scale": (0.5, 2.0),
    }[parameter.name.split("[")[0]]
    return np.clip([low, high], parameter.low, parameter.high)
