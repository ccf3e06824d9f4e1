"""Checks of trials: one function per argument."""

import numpy as np

from fusion._causal.parameters import P_LIMITS, RESPONSES, STRATEGIES
from topology._validation import check_choice, check_real


def check_settings(settings):
    """Refuse a CausalInference whose parameters cannot be."""
    check_choice("strategy", settings.strategy, STRATEGIES)
    check_choice("response", settings.response, RESPONSES)
    check_choice("noise", settings.noise, ("constant", "eccentricity"))
    if settings.response == "unity" and settings.strategy in ("forced_fusion", "segregation"):
        raise ValueError(f"strategy {settings.strategy!r} makes no judgement of unity; it always gives the same answer")
    for name, low, high, open_low in (
        ("p_common", *P_LIMITS, False),
        ("prior_mean", -np.inf, np.inf, False),
        ("prior_sigma", 0, np.inf, True),
        ("criterion", 0, np.inf, True),
        ("motor_sigma", 0, np.inf, False),
        ("lapse", 0, 1, False),
        ("period", 0, np.inf, True),
        ("precision_scale", 0, np.inf, True),
    ):
        value = getattr(settings, name)
        if value is not None:
            check_real(name, value, low, high, open_low=open_low)
    if settings.sigma is not None:
        sigma = np.asarray(settings.sigma, dtype=float)
        if sigma.shape != (2,) or (sigma <= 0).any() or np.isinf(sigma).any():
            raise ValueError(
                f"sigma must hold 2 positive numbers, NaN where it is to be fitted; got {settings.sigma!r}"
            )
    if settings.varying is not None and not set(settings.varying) <= {0, 1}:
        raise ValueError(f"varying must name senses 0 and 1; got {settings.varying!r}")
    known = {"sigma", "eccentricity", "p_common", "prior_mean", "prior_sigma", "criterion", "motor_sigma", "lapse"}
    known.add("precision_scale")
    if unknown := set(settings.bounds or {}) - known:
        raise ValueError(f"bounds must be keyed by {', '.join(sorted(known))}; got {', '.join(sorted(unknown))}")


def check_constant(constant, observer, n_responses):
    """Refuse what is not the same observer with constant noise, fitted to as many responses."""
    if not isinstance(constant, type(observer)):
        raise TypeError(f"constant must be a {type(observer).__name__}, got {type(constant).__name__}")
    constant._check_fitted()
    others = constant.get_params()
    differing = [k for k, v in observer.get_params().items() if k != "noise" and repr(v) != repr(others[k])]
    if differing or constant.noise != "constant" or constant.n_responses_ != n_responses:
        raise ValueError(
            "constant must be the same observer with constant noise, fitted to the same trials; it differs in "
            f"{', '.join(differing) or 'its noise or its trials'}"
        )


def as_stimuli(stimuli):
    """(n_trials, 2), NaN = absent."""
    stimuli = _as_floats("stimuli", stimuli)
    if stimuli.ndim != 2 or stimuli.shape[1] != 2 or not len(stimuli):
        raise ValueError(
            f"stimuli must have shape (n_trials, 2), two senses and at least one trial; got {stimuli.shape}"
        )
    if np.isinf(stimuli).any():
        raise ValueError("stimuli must not be infinite; NaN marks an absent sense")
    if np.isnan(stimuli).all(axis=1).any():
        raise ValueError(f"stimuli: both senses are absent in trial {int(np.isnan(stimuli).all(axis=1).argmax())}")
    return stimuli


def as_responses(responses, stimuli, kind, levels):
    """(n_trials, 2), NaN = not asked; (n_trials,) of 0 and 1 for unity."""
    responses = _as_floats("responses", responses)
    shape = (len(stimuli),) if kind == "unity" else stimuli.shape
    if responses.shape != shape:
        raise ValueError(f"responses must have shape {shape} for {kind} of these stimuli; got {responses.shape}")
    if np.isinf(responses).any():
        raise ValueError("responses must not be infinite; NaN marks what was not asked")
    unasked = np.isnan(responses) if kind == "unity" else np.isnan(responses).all(axis=1)
    if unasked.any():
        raise ValueError(f"responses: nothing was asked in trial {int(unasked.argmax())}; leave such trials out")
    allowed = {"unity": (0.0, 1.0), "discrimination": (-1.0, 1.0)}.get(kind, levels)
    if allowed is not None and not np.isin(responses[~np.isnan(responses)], allowed).all():
        raise ValueError(f"responses must be among {', '.join(f'{a:g}' for a in allowed)} for {kind}")
    if kind == "unity":
        if np.isnan(stimuli).any():
            raise ValueError("stimuli: judgements of unity need both senses in every trial")
    elif (~np.isnan(responses) & np.isnan(stimuli)).any():
        trial = int((~np.isnan(responses) & np.isnan(stimuli)).any(axis=1).argmax())
        raise ValueError(f"responses: trial {trial} answers about a sense whose stimulus is absent")
    return responses


def as_precision(precision, stimuli):
    """(n_trials, 2) or None; positive wherever there is a stimulus."""
    if precision is None:
        return None
    precision = _as_floats("precision", precision)
    if precision.shape != stimuli.shape:
        raise ValueError(f"precision must have the shape of stimuli, {stimuli.shape}; got {precision.shape}")
    present = precision[~np.isnan(stimuli)]
    if not (np.isfinite(present) & (present > 0)).all():
        raise ValueError("precision must be positive and finite wherever there is a stimulus")
    return np.where(np.isnan(stimuli), 1.0, precision)


def as_condition(condition, n_trials, known=None):
    """Labels of the conditions and the number of each trial's."""
    if condition is None:
        if known is not None and len(known) > 1:
            raise ValueError(f"condition must be given: there are {', '.join(map(str, known))}")
        return (np.array([0]) if known is None else known), np.zeros(n_trials, dtype=int)
    condition = np.asarray(condition)
    if condition.shape != (n_trials,):
        raise ValueError(f"condition must have shape ({n_trials},); got {condition.shape}")
    if condition.dtype.kind == "f" and not np.isfinite(condition).all():
        raise ValueError("condition must not hold NaN or infinity")
    labels = np.unique(condition) if known is None else known
    if not np.isin(condition, labels).all():
        raise ValueError(f"condition must be among those fitted: {', '.join(map(str, labels))}")
    return labels, np.searchsorted(labels, condition)


def as_levels(levels):
    """Sorted allowed responses."""
    levels = np.unique(_as_floats("levels", levels))
    if levels.ndim != 1 or len(levels) < 2 or not np.isfinite(levels).all():
        raise ValueError(f"levels must hold at least 2 different finite numbers; got {levels}")
    return levels


def _as_floats(name, values):
    try:
        return np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name} must be a rectangular array of numbers; got {type(values).__name__}") from error
