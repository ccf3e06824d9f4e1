"""Trials of people, read from a file or simulated."""

import csv
import gzip
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from fusion import CausalInference

from ._models import SINGLE, TASKS

COLUMNS = ("subject", "task", "visual_reliability", "vestibular_heading_deg", "visual_heading_deg", "response")
LEVELS = ("high", "medium", "low")
Strategy = Literal["averaging", "fixed_criterion", "stochastic_fusion"]
TRUTHS: tuple[Strategy, ...] = get_args(Strategy)  # the last stands for forced fusion in the inertial task
# Means of the paper's Table 2, in degrees; spread between subjects is multiplicative.
SIGMA = {"high": (6.5, 4.1), "medium": (6.5, 6.3), "low": (6.5, 11.6)}
FUSED = {"high": 0.7, "medium": 0.6, "low": 0.45}  # share of trials that stochastic fusion takes for one heading
P_COMMON, CRITERION, PRIOR_SIGMA, LAPSE, SPREAD = 0.56, 26.5, 50.0, 0.02, 0.2


@dataclass(frozen=True)
class Trials:
    """Headings (n, 2), vestibular and visual, NaN = absent; reliability (n,), "" without vision; responses (n,)."""

    headings: np.ndarray
    reliability: np.ndarray
    said: np.ndarray


@dataclass(frozen=True)
class Subject:
    """A name, trials by task, and, of a simulated subject, the strategy and the parameters that made its answers."""

    name: str
    tasks: dict[str, Trials]
    strategy: str = ""
    parameters: dict[str, float] | None = None


def read(path: str) -> list[Subject]:
    """Subjects in the order of the file, which the docstring of the experiment describes."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    try:
        with opened as file:
            table = csv.DictReader(file)
            rows = [(table.line_num, row) for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"--data: {path} cannot be read as CSV ({error})") from error
    missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
    if missing or not rows:
        what = f"the columns {', '.join(missing)} are missing" if missing else "there are none"
        raise ValueError(f"--data: {path} must have rows with the columns {', '.join(COLUMNS)}; {what}")
    subjects: dict[str, dict[str, list]] = {}
    for line, row in rows:
        if row.get("in_published_fit", "1") != "0":
            trial = _trial(f"--data: {path}, line {line}", row)
            subjects.setdefault(row["subject"], {}).setdefault(row["task"], []).append(trial)
    if not any(task in parts for parts in subjects.values() for task in TASKS.values()):
        raise ValueError(f"--data: {path} must have trials of {' or '.join(TASKS.values())}; there are none")
    return [Subject(name, {task: _stack(part) for task, part in parts.items()}) for name, parts in subjects.items()]


def _trial(where, row):
    """Headings, reliability and response of one row."""
    known = (*SINGLE, *TASKS.values())
    if row["task"] not in known:
        raise ValueError(f"{where}: task must be one of {', '.join(known)}; got {row['task']!r}")
    headings = []
    for name, absent_in in (("vestibular_heading_deg", SINGLE[1]), ("visual_heading_deg", SINGLE[0])):
        text = row[name] or ""
        try:
            headings.append(float(text) if text else np.nan)
        except ValueError:
            raise ValueError(f"{where}: {name} must be a number of degrees or empty; got {text!r}") from None
        if (row["task"] == absent_in) != (not text) or abs(headings[-1]) > 180:
            raise ValueError(f"{where}: {name} must be {'empty' if text else 'from -180 to 180'} in {row['task']}")
    if (row["task"] != SINGLE[0]) and not row["visual_reliability"]:
        raise ValueError(f"{where}: visual_reliability must be given in {row['task']}")
    allowed = ("0", "1") if row["task"] == TASKS["unity"] else ("-1", "1")
    try:
        said = f"{float(row['response'] or 'nan'):g}"
    except ValueError:
        said = row["response"]
    if said not in allowed:
        raise ValueError(f"{where}: response must be {' or '.join(allowed)} in {row['task']}; got {row['response']!r}")
    return headings, row["visual_reliability"] or "", float(said)


def _stack(trials):
    headings, reliability, said = zip(*trials)
    return Trials(np.array(headings), np.array(reliability), np.array(said))


def mirrored(trials: Trials, unity: bool) -> Trials:
    """All trials with the first heading to the right: to an observer without a bias, mirror images are the same trial.

    It halves the different trials that a likelihood is computed for.
    """
    leading = np.where(trials.headings[:, 0] == 0, trials.headings[:, 1], trials.headings[:, 0])
    sign = np.where(leading < 0, -1.0, 1.0)
    return Trials(trials.headings * sign[:, None] + 0.0, trials.reliability, trials.said * (1 if unity else sign))


def simulate(config, rng) -> list[Subject]:
    """Subjects of each strategy, whose noise does not depend on the heading."""
    subjects = []
    for strategy in config.strategies:
        for i in range(config.n_subjects):
            factor = np.exp(SPREAD * rng.standard_normal(5))
            parameters = {"sigma[0]": SIGMA["high"][0] * factor[0], "criterion": CRITERION * factor[4]}
            parameters |= {f"sigma[{level}, 1]": SIGMA[level][1] * f for level, f in zip(LEVELS, factor[1:4])}
            parameters |= {"p_common": P_COMMON + 0.1 * rng.uniform(-1, 1), "lapse": LAPSE}
            tasks = {TASKS[task]: answer(config, strategy, task, parameters, rng) for task in TASKS}
            for sense, task in enumerate(SINGLE):
                single = np.full((33, 2), np.nan)
                single[:, sense] = np.linspace(-20, 20, 33)
                single = np.repeat(single, config.n_repeats, axis=0)
                tasks[task] = _answer("segregation", "discrimination", single, parameters, rng)
            subjects.append(Subject(f"{strategy.replace('_', ' ')} {i + 1}", tasks, strategy, parameters))
    return subjects


def answer(config, strategy, task, parameters, rng, n_experiments=1):
    """Trials of one task, the whole experiment `n_experiments` times: neighbours are the repetitions of a trial."""
    middle, disparity = np.meshgrid(config.middles, config.disparities)
    pairs = np.stack([middle + disparity / 2, middle - disparity / 2], axis=-1).reshape(-1, 2)
    headings = np.repeat(pairs, n_repeats(config, task) * n_experiments, axis=0)
    response = "unity" if task == "unity" else "discrimination"
    return _answer(strategy_of(strategy, task), response, headings, parameters, rng)


def n_repeats(config, task):
    """Trials per pair of headings and reliability."""
    return config.n_repeats if task == "unity" else config.n_repeats_inertial


def strategy_of(strategy, task):
    return "forced_fusion" if (strategy, task) == ("stochastic_fusion", "inertial") else strategy


def _answer(strategy, response, headings, parameters, rng):
    """Answers of a simulated subject at all reliabilities."""
    parts = []
    for level in LEVELS:
        observer = CausalInference(
            strategy, response=response, sigma=(parameters["sigma[0]"], parameters[f"sigma[{level}, 1]"]),
            p_common=FUSED[level] if strategy == "stochastic_fusion" else parameters["p_common"],
            criterion=parameters["criterion"], prior_mean=0.0, prior_sigma=PRIOR_SIGMA, lapse=parameters["lapse"],
        )  # fmt: skip
        said = observer.simulate(headings, rng)
        if response == "discrimination":
            said = np.where(np.isnan(headings[:, 0]), said[:, 1], said[:, 0])
        parts.append((headings, np.full(len(headings), level), said))
    return Trials(*(np.concatenate(values) for values in zip(*parts)))
