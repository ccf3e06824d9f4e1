"""Checks of trials: one function per argument."""

import numpy as np

from fusion._causal.parameters import P_LIMITS, RESPONSES, STRATEGIES
from topology._validation import check_choice, check_real

DOMAINS = {  # open intervals, but for those that may be 0 or 1
    "sigma": (0.0, np.inf),
    "eccentricity": (0.0, np.inf),
    "p_common": (0.0, 1.0),
    "prior_mean": (-np.inf, np.inf),
    "prior_sigma": (0.0, np.inf),
    "criterion": (0.0, np.inf),
    "motor_sigma": (0.0, np.inf),
    "lapse": (0.0, 1.0),
    "precision_scale": (0.0, np.inf),
}
CLOSED = ("eccentricity", "lapse")


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
    _check_per_sense("sigma", settings.sigma, "positive")
    _check_per_sense("eccentricity", settings.eccentricity, "non-negative")
    if settings.eccentricity is not None and settings.noise != "eccentricity":
        raise ValueError('eccentricity must be None unless noise="eccentricity"')
    if settings.varying is not None and not (
        isinstance(settings.varying, (tuple, list)) and set(settings.varying) <= {0, 1}
    ):
        raise ValueError(f"varying must name senses 0 and 1 in a tuple, or be None; got {settings.varying!r}")
    _check_bounds(settings.bounds)


def _check_per_sense(name, values, kind):
    if values is None:
        return
    numbers = _as_floats(name, values)
    outside = numbers <= 0 if kind == "positive" else numbers < 0
    if numbers.shape != (2,) or outside.any() or np.isinf(numbers).any():
        raise ValueError(f"{name} must hold 2 {kind} numbers, NaN where it is to be fitted; got {values!r}")


def _check_bounds(bounds):
    if bounds is None:
        return
    if not isinstance(bounds, dict):
        raise TypeError(f"bounds must be None or a dict of (low, high); got {bounds!r}")
    if unknown := set(bounds) - set(DOMAINS):
        raise ValueError(f"bounds must be keyed by {', '.join(DOMAINS)}; got {', '.join(map(str, unknown))}")
    for name, limits in bounds.items():
        ends = _as_floats(f"bounds of {name}", limits)
        if ends.shape != (2,) or not np.isfinite(ends).all() or ends[0] >= ends[1]:
            raise ValueError(f"bounds of {name} must be two finite numbers in order; got {limits!r}")
        low, high = DOMAINS[name]
        inside = low <= ends[0] and ends[1] <= high if name in CLOSED else low < ends[0] and ends[1] < high
        if not inside:
            interval = f"[{low:g}, {high:g}]" if name in CLOSED else f"({low:g}, {high:g})"
            raise ValueError(f"bounds of {name} must lie in {interval}; got {limits!r}")


def check_replaced_noise(settings):
    """Refuse to fit given precisions along with what would say the same once more."""
    given = [name for name in ("sigma", "varying") if getattr(settings, name) is not None]
    given += ["noise"] if settings.noise != "constant" else []
    if given:
        raise ValueError(f"precision replaces the noise of the senses: {', '.join(given)} must be left at the default")


def differing(settings, others, ignored):
    """Names of the parameters in which two observers differ."""
    return [k for k, value in settings.items() if k not in ignored and repr(value) != repr(others[k])]


def check_constant(constant, observer, n_responses):
    """Refuse what is not the same observer with constant noise, fitted to as many responses."""
    if not isinstance(constant, type(observer)):
        raise TypeError(f"constant must be a {type(observer).__name__}, got {type(constant).__name__}")
    constant._check_fitted()
    names = differing(observer.get_params(), constant.get_params(), ("noise", "eccentricity"))
    if names or constant.noise != "constant" or constant.n_responses_ != n_responses:
        raise ValueError(
            "constant must be the same observer with constant noise, fitted to the same trials; it differs in "
            f"{', '.join(names) or 'its noise or its trials'}"
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
