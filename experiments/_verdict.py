"""Verdicts on a claim, and the interval that they rest on."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

STATUSES = ("PASS", "FAIL", "NOT ASSESSED")
MIN_SEEDS = 5  # fewer trained agents say nothing about how training varies


def seed_note(n_seeds: int) -> str:
    """What must be said beside any number that rests on `n_seeds` trainings; empty from five on."""
    if n_seeds >= MIN_SEEDS:
        return ""
    return f"{n_seeds} seed{'s' if n_seeds > 1 else ''}: no claim over trainings"


@dataclass(frozen=True)
class Claim:
    """One line of a verdict: what was measured of it, and whether it stands by its own rule.

    Parameters
    ----------
    name, rule : str
    interval : Interval
    passed : bool
    unit : str, default=""
        Printed behind the interval, with its space.
    """

    name: str
    rule: str
    interval: Interval
    passed: bool
    unit: str = ""

    def to_text(self, digits=2) -> str:
        return f"{'PASS' if self.passed else 'FAIL'}  {self.name}: {self.interval:+.{digits}f}{self.unit}"


@dataclass(frozen=True)
class Verdict:
    """The outcome of an experiment, held against a rule that stood in the script before the run.

    Parameters
    ----------
    status : {"PASS", "FAIL", "NOT ASSESSED"}
    rule : str
        What had to be true.
    measured : str
        What was found, with its interval.
    published : str
        The number or shape in the literature, if there is one.

    Raises
    ------
    ValueError
        For another status, or an empty rule or measurement.
    """

    status: str
    rule: str
    measured: str
    published: str = ""

    def __post_init__(self):
        if self.status not in STATUSES:
            raise ValueError(f"status must be one of {', '.join(STATUSES)}; got {self.status!r}")
        for name in ("rule", "measured"):
            if not str(getattr(self, name)).strip():
                raise ValueError(f"{name} must say something; got an empty text")

    def to_dict(self, n_seeds: int) -> dict:
        """The verdict as it is stored in verdict.json."""
        return {**asdict(self), "n_seeds": n_seeds, "note": seed_note(n_seeds)}

    def to_text(self, n_seeds: int) -> str:
        """The verdict as it is printed: one line per part, the parts that are empty left out."""
        parts = {
            "verdict": self.status,
            "rule": self.rule,
            "measured": self.measured,
            "published": self.published,
            "note": seed_note(n_seeds),
        }
        indent = "\n" + " " * 11
        return "\n".join(f"{name:<10} {text.replace(chr(10), indent)}" for name, text in parts.items() if text)


@dataclass(frozen=True)
class Interval:
    """Mean and 95 % interval over `n_seeds` trainings; `format(interval, ".2f")` gives "mean [low, high]"."""

    mean: float
    low: float
    high: float
    n_seeds: int

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        return f"{self.mean:{spec}} [{self.low:{spec}}, {self.high:{spec}}]"

    def __str__(self) -> str:
        note = seed_note(self.n_seeds)
        return format(self, ".3g") + (f" ({note})" if note else "")


def paired_bootstrap(a, b=0.0, objects=None, *, n_draws: int = 10_000, seed=0) -> Interval:
    """95 % hierarchical bootstrap of the mean of `a - b`: seeds are resampled, then the objects within each.

    Parameters
    ----------
    a, b : array_like of shape (n_seeds, n_trials) or (n_seeds,)
        Paired measurements; `b` may be a number.
    objects : array_like of shape (n_seeds, n_trials) or (n_trials,), optional
        The test object each trial belongs to. All trials of an object are drawn together, because views of one object
        are not independent. By default every trial is an object of its own.
    n_draws : int
        Bootstrap draws.
    seed : int or numpy.random.Generator
        Randomness of the draws.

    Returns
    -------
    Interval
        Every seed counts alike. A single number has no interval: its bounds are NaN, so that no rule can pass on it.

    Raises
    ------
    ValueError
        If shapes do not match, an array is empty, or a value is not finite.

    References
    ----------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, section 3.8.
    """
    difference = _differences(a, b)
    if isinstance(n_draws, bool) or not isinstance(n_draws, int) or n_draws < 1:
        raise ValueError(f"n_draws must be a positive integer; got {n_draws!r}")
    groups = _groups(objects, difference.shape)
    rng = np.random.default_rng(seed)
    n_seeds = len(difference)
    mean = difference.mean(axis=1).mean()
    if difference.size == 1:
        return Interval(float(mean), np.nan, np.nan, 1)
    drawn = rng.integers(n_seeds, size=(n_draws, n_seeds))
    total = np.zeros(n_draws)
    for s in range(n_seeds):
        draw, _ = np.nonzero(drawn == s)
        total += np.bincount(draw, _object_means(difference[s], groups[s], len(draw), rng), minlength=n_draws)
    low, high = np.quantile(total / n_seeds, [0.025, 0.975])
    return Interval(float(mean), float(low), float(high), n_seeds)


def _object_means(values, group, n_draws, rng, chunk=2_000_000):
    """Means (n_draws,) of one seed's trials after its objects were drawn anew; chunked to bound the memory."""
    sums, counts = np.bincount(group, values), np.bincount(group)
    means = np.empty(n_draws)
    step = max(1, chunk // len(sums))
    for start in range(0, n_draws, step):
        stop = min(start + step, n_draws)
        objects = rng.integers(len(sums), size=(stop - start, len(sums)))
        means[start:stop] = sums[objects].sum(axis=1) / counts[objects].sum(axis=1)
    return means


def _differences(a, b):
    """a - b as a finite array (n_seeds, n_trials)."""
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    if a.ndim not in (1, 2) or a.size == 0:
        raise ValueError(f"a must have shape (n_seeds, n_trials) or (n_seeds,) and not be empty; got {a.shape}")
    if b.ndim and b.shape != a.shape:
        raise ValueError(f"b must be a number or have the shape of a, {a.shape}; got {b.shape}")
    for name, array in (("a", a), ("b", b)):
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds NaN or infinite values; the bootstrap needs finite ones")
    return (a - b).reshape(len(a), -1)


def _groups(objects, shape):
    """Object of each trial, numbered from 0 without gaps within each seed, as (n_seeds, n_trials)."""
    if objects is None:
        return np.broadcast_to(np.arange(shape[1]), shape)
    objects = np.asarray(objects)
    if objects.shape not in (shape, shape[1:]):
        raise ValueError(f"objects must have shape {shape} or {shape[1:]}; got {objects.shape}")
    return [np.unique(row, return_inverse=True)[1] for row in np.broadcast_to(objects, shape)]
