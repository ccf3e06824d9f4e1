"""How people decide whether what they see and what they feel is one motion (Acerbi, Dokka, Angelaki & Ma 2018).

Finding     Judging whether the visual and the vestibular heading agree, people do not fuse at random: they weigh the
            disparity, by a Bayesian posterior or by a fixed criterion. Judging left or right of the felt heading alone
            does not tell fusion from causal inference.
Citation    Acerbi, Dokka, Angelaki & Ma (2018), PLoS Comput Biol 14:e1006110.
Prediction  With --data FILE (their trials): in the unity task the cross-validated log-likelihood of stochastic fusion
            minus that of a fixed criterion is, for every subject, within 2 of the published difference, and within 2 on
            average. Without data: the strategy that made the answers of a simulated subject is the one that predicts
            them best in at least 3 of 4 subjects of each task, never another one by more than 10.
Controls    Stochastic fusion (unity) and forced fusion (left or right), which ignore the disparity. Noise that is not
            fitted to the judgements but comes from maps (LocalPrecision) of a sense as sharp as the subject's answers
            to single cues say it is.
Data        A CSV file (or .gz), one row per trial: subject; task (unisensory_vestibular, unisensory_visual,
            unity_judgement, bisensory_inertial_discrimination); visual_reliability (labels; empty without vision);
            vestibular_heading_deg, visual_heading_deg (empty = absent); response (-1 left, 1 right; unity 1 same,
            0 different); and, if there, in_published_fit (rows with 0 are left out). The trials of the paper are public
            at github.com/lacerbi/visvest-causinf (MIT licence), as .mat files.
Cost        Minutes of processor time; the unity task of the data, two models, 2 s.
"""

import csv
import gzip
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from experiments._runner import experiment
from experiments._verdict import Verdict
from fusion import CausalInference, LocalPrecision, Psychometric

UNITY = {  # name: strategy, noise
    "Bayesian": ("averaging", "constant"),
    "Bayesian, eccentricity": ("averaging", "eccentricity"),
    "fixed criterion": ("fixed_criterion", "constant"),
    "fixed criterion, eccentricity": ("fixed_criterion", "eccentricity"),
    "stochastic fusion": ("stochastic_fusion", "constant"),
    "Bayesian, noise from maps": ("averaging", "maps"),
}
INERTIAL = {
    "Bayesian": ("averaging", "constant"),
    "Bayesian, eccentricity": ("averaging", "eccentricity"),
    "fixed criterion": ("fixed_criterion", "constant"),
    "fixed criterion, eccentricity": ("fixed_criterion", "eccentricity"),
    "forced fusion": ("forced_fusion", "constant"),
    "forced fusion, eccentricity": ("forced_fusion", "eccentricity"),
}
TASKS = {"unity": UNITY, "inertial": INERTIAL}
PLAIN = {task: [name for name, (_, noise) in models.items() if noise == "constant"] for task, models in TASKS.items()}
# Published differences of leave-one-out log-likelihood (appendix, sections 6.1 and 6.2), independent Gaussian prior.
PUBLISHED_SUBJECTS = tuple(f"S{i}" for i in range(1, 12))
STOCHASTIC_MINUS_FIXED = (-241.8, -133.1, -235.3, -124.8, -91.0, -136.5, -273.5, -135.3, -247.6, -93.0, -109.9)
PUBLISHED = {  # mean over subjects, relative to the fixed criterion with constant noise
    "unity": dict(zip(UNITY, (3.6, 8.0, 0.0, 3.8, -165.6, None))),
    "inertial": dict(zip(INERTIAL, (-0.2, 16.6, 0.0, 18.4, 0.1, 18.6))),
}
# Limits as in the paper's Table 2; degrees.
BOUNDS = {"sigma": (0.5, 80.0), "eccentricity": (0.0, 1.0), "criterion": (0.25, 180.0), "prior_sigma": (1.0, 120.0)}
SIMULATED = {  # means of the paper's Table 2
    "sigma": {"high": (6.5, 4.1), "medium": (6.5, 6.3), "low": (6.5, 11.6)},
    "p_common": 0.56,
    "criterion": 26.5,
    "prior_sigma": 50.0,
    "fused": {"high": 0.65, "medium": 0.6, "low": 0.55},
    "lapse": 0.02,
}
COLUMNS = ("subject", "task", "visual_reliability", "vestibular_heading_deg", "visual_heading_deg", "response")
LEVELS = ("high", "medium", "low")


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    data: str = ""  # CSV file of trials, see above; empty: simulated subjects
    n_subjects: int = 3  # simulated subjects per strategy and task
    n_repeats: int = 3  # simulated trials per pair of headings and reliability
    middles: tuple[float, ...] = tuple(5.0 * i for i in range(-5, 6))  # simulated headings, mean of both cues (degrees)
    disparities: tuple[float, ...] = (-40.0, -20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 20.0, 40.0)
    n_folds: int = 0  # of the cross-validation; 0: leave one out, where the optimum is interior
    n_starts: int = 2
    n_experience: int = 1500  # single stimuli from which each map learns

    def __post_init__(self):
        if self.data and not Path(self.data).is_file():
            raise ValueError(f"--data must be a file; there is no {self.data}")


SMOKE = Config(
    n_subjects=1, n_repeats=4, middles=(-10.0, 10.0), disparities=(-40.0, 0.0, 10.0), n_folds=2, n_starts=1,
    n_experience=150,
)  # fmt: skip
QUICK = Config(n_subjects=1, n_repeats=8, middles=(-15.0, -5.0, 5.0, 15.0), n_folds=2, n_starts=1, n_experience=300)


@dataclass(frozen=True)
class Trials:
    """Headings (n, 2), vestibular and visual, NaN = absent; reliability (n,), "" without vision; responses (n,)."""

    headings: np.ndarray
    reliability: np.ndarray
    said: np.ndarray


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Every model of every subject: cross-validated and maximum log-likelihood (n_subjects, n_models) of each task."""
    subjects = read(config.data) if config.data else simulate(config, np.random.default_rng(seed))
    results: dict[str, np.ndarray] = {"subjects": np.array([name for name, _, _ in subjects])}
    results["truth"] = np.array([truth for _, truth, _ in subjects])
    for task, models in TASKS.items():
        fits = [[fit(config, seed, task, *model, trials) for model in models.values()] for _, _, trials in subjects]
        table = np.array(fits)  # (n_subjects, n_models, 3)
        for name, values in zip(("validated", "maximum", "at_bound"), np.moveaxis(table, 2, 0)):
            results[f"{task}_{name}"] = values
    return results


def read(path):
    """Subjects in the order of the file: (name, "", tasks)."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.endswith(".gz") else open(path, encoding="utf-8")
    with opened as file:
        rows = list(csv.DictReader(file))
    if missing := [name for name in COLUMNS if not rows or name not in rows[0]]:
        raise ValueError(
            f"{path} must have rows with the columns {', '.join(COLUMNS)}; {', '.join(missing)} are missing"
        )
    rows = [row for row in rows if row.get("in_published_fit", "1") != "0"]
    tasks: dict[str, dict[str, list]] = {}
    for row in rows:
        tasks.setdefault(row["subject"], {}).setdefault(row["task"], []).append(row)
    return [(name, "", {task: as_trials(part) for task, part in parts.items()}) for name, parts in tasks.items()]


def as_trials(rows):
    headings = [[float(row[c] or "nan") for c in ("vestibular_heading_deg", "visual_heading_deg")] for row in rows]
    said = np.array([float(row["response"]) for row in rows])
    return Trials(np.array(headings), np.array([row["visual_reliability"] for row in rows]), said)


def simulate(config, rng):
    """Subjects whose noise does not depend on the heading: (name, strategy, tasks)."""
    middle, disparity = np.meshgrid(config.middles, config.disparities)
    pairs = np.stack([middle + disparity / 2, middle - disparity / 2], axis=-1).reshape(-1, 2)
    subjects = []
    for strategy in ("averaging", "fixed_criterion", "stochastic_fusion"):
        for i in range(config.n_subjects):
            # Forced fusion is the limit of stochastic fusion that the paper tests in the inertial task.
            inertial = "forced_fusion" if strategy == "stochastic_fusion" else strategy
            tasks = {
                "unity_judgement": answer(config, strategy, "unity", pairs, rng),
                "bisensory_inertial_discrimination": answer(config, inertial, "discrimination", pairs, rng),
            }
            for task, sense in (("unisensory_vestibular", 0), ("unisensory_visual", 1)):
                single = np.full((33, 2), np.nan)
                single[:, sense] = np.linspace(-20, 20, 33)
                tasks[task] = answer(config, "segregation", "discrimination", single, rng)
            subjects.append((f"{strategy} {i + 1}", strategy, tasks))
    return subjects


def answer(config, strategy, response, pairs, rng):
    """Answers of a simulated subject at all reliabilities."""
    parts = []
    for level in LEVELS:
        p_common = SIMULATED["fused"][level] if strategy == "stochastic_fusion" else SIMULATED["p_common"]
        subject = CausalInference(
            strategy, response=response, sigma=SIMULATED["sigma"][level], p_common=p_common, prior_mean=0.0,
            prior_sigma=SIMULATED["prior_sigma"], criterion=SIMULATED["criterion"], lapse=SIMULATED["lapse"],
        )  # fmt: skip
        headings = np.repeat(pairs, config.n_repeats, axis=0)
        said = subject.simulate(headings, rng)
        if response == "discrimination":
            said = np.where(np.isnan(headings[:, 0]), said[:, 1], said[:, 0])
        parts.append(Trials(headings, np.full(len(headings), level), said))
    return Trials(*(np.concatenate([getattr(p, f) for p in parts]) for f in ("headings", "reliability", "said")))


def fit(config, seed, task, strategy, noise, tasks):
    """Cross-validated and maximum log-likelihood, and whether a parameter ended at a bound; NaN without such trials."""
    trials = tasks.get("unity_judgement" if task == "unity" else "bisensory_inertial_discrimination")
    if trials is None or (noise == "maps" and not {"unisensory_visual", "unisensory_vestibular"} <= set(tasks)):
        return np.nan, np.nan, np.nan
    unity = task == "unity"
    model = CausalInference(
        strategy,
        response="unity" if unity else "discrimination",
        # Judgements by a criterion tell the sum of both variances only.
        sigma=(0.5, np.nan) if unity and (strategy, noise) == ("fixed_criterion", "constant") else None,
        prior_mean=0.0,
        # The sign of an estimate does not depend on the width of a prior around 0, unless it weighs causes.
        prior_sigma=None if strategy == "averaging" else SIMULATED["prior_sigma"],
        lapse=0.0 if strategy == "stochastic_fusion" else None,
        varying=(1,),
        noise="eccentricity" if noise == "eccentricity" else "constant",
        period=180.0,
        bounds=BOUNDS,
        n_starts=config.n_starts,
    )
    said = trials.said if unity else np.column_stack([trials.said, np.full(len(trials.said), np.nan)])
    condition, precision = trials.reliability, None
    if strategy == "stochastic_fusion":
        model.set_params(sigma=(1.0, 1.0))
    if noise == "maps":
        condition, precision = None, learned_precision(config, seed, tasks, trials)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # counted instead
        model.fit(trials.headings, said, condition=condition, precision=precision)
        at_bound = any(np.isnan(error) for error in model.standard_errors_.values())
        settled = not all(np.isnan(error) for error in model.standard_errors_.values())
        cv = "loo" if config.n_folds == 0 and settled else config.n_folds or 10
        validated = model.cross_val_log_likelihood(
            trials.headings, said, condition=condition, precision=precision, cv=cv, random_state=seed
        )
    return validated.sum(), model.log_likelihood_, float(at_bound)


def learned_precision(config, seed, tasks, trials):
    """Precision (n_trials, 2) at the headings of the trials, from maps of senses as sharp as single cues say."""
    rng = np.random.default_rng(seed)
    precision = np.empty(trials.headings.shape)
    for sense, task in enumerate(("unisensory_vestibular", "unisensory_visual")):
        single = tasks[task]
        for level in np.unique(trials.reliability):
            rows = single.reliability == level if sense == 1 else np.ones(len(single.said), dtype=bool)
            noise = Psychometric().fit(single.headings[rows, sense], single.said[rows] > 0).threshold_
            heading = rng.uniform(-60, 60, config.n_experience)
            felt = heading + np.clip(noise, *BOUNDS["sigma"]) * rng.standard_normal(len(heading))
            trust = LocalPrecision(random_state=seed).fit(felt[:, None], heading)
            here = trials.reliability == level
            precision[here, sense] = trust.precision(trials.headings[here, sense][:, None])
    return precision


def table(results):
    """Per task and model: log-likelihood against the fixed criterion with constant noise, mean over subjects."""
    tables = {}
    people = not results["truth"][0].any()
    for task, models in TASKS.items():
        validated, maximum = results[f"{task}_validated"][0], results[f"{task}_maximum"][0]
        reference = list(models).index("fixed criterion")
        measured = np.isfinite(validated[:, reference])
        rows = []
        for i, name in enumerate(models):
            gain = (validated[:, i] - validated[:, reference])[measured]
            row = {"model": name, "cross-validated": gain.mean(), "SE": gain.std() / np.sqrt(max(len(gain) - 1, 1))}
            row["log-likelihood"] = maximum[measured, i].mean()
            row["best for"] = int((np.nanargmax(validated[measured], axis=1) == i).sum())
            row["not determined"] = int(np.nansum(results[f"{task}_at_bound"][0, measured, i]))
            if people:
                row["published"] = PUBLISHED[task][name]
            rows.append(row)
        tables[f"{task}: against the fixed criterion with constant noise, mean over {measured.sum()} subjects"] = rows
    if people:
        rows = [
            {"subject": name, "cross-validated": float(d), "published": dict(published_pairs()).get(name)}
            for name, d in zip(results["subjects"][0], stochastic_minus_fixed(results))
        ]
        tables["unity: stochastic fusion minus fixed criterion"] = rows
    else:
        for task in TASKS:
            tables[f"{task}: strategies recovered"] = confusion(results, task)
    return tables


def published_pairs():
    return zip(PUBLISHED_SUBJECTS, STOCHASTIC_MINUS_FIXED)


def stochastic_minus_fixed(results):
    validated = results["unity_validated"][0]
    names = list(UNITY)
    return validated[:, names.index("stochastic fusion")] - validated[:, names.index("fixed criterion")]


def contest(results, task):
    """Cross-validated log-likelihood (n_subjects, 3) of the strategies with constant noise; column of the true one."""
    columns = [list(TASKS[task]).index(name) for name in PLAIN[task]]
    truth = np.array([["averaging", "fixed_criterion", "stochastic_fusion"].index(t) for t in results["truth"][0]])
    return results[f"{task}_validated"][0][:, columns], truth


def confusion(results, task):
    scores, truth = contest(results, task)
    found = scores.argmax(axis=1)
    return [
        {"generated by": name}
        | {f"best: {other}": int(((truth == i) & (found == j)).sum()) for j, other in enumerate(PLAIN[task])}
        for i, name in enumerate(PLAIN[task])
    ]  # fmt: skip


def figure(results):
    """Each subject's log-likelihoods beside the mean; for people, the published differences."""
    import matplotlib.pyplot as plt

    people = not results["truth"][0].any()
    fig, axes = plt.subplots(1, 2, figsize=(10.5, 4.2))
    for ax, (task, models) in zip(axes, TASKS.items()):
        validated = results[f"{task}_validated"][0]
        gain = validated - validated[:, [list(models).index("fixed criterion")]]
        places = np.arange(len(models))
        for row in gain:
            ax.plot(row, places, "o", color="#5A5A5A", alpha=0.4, markersize=4)
        ax.plot(np.nanmean(gain, axis=0), places, "D", color="#0072B2", markersize=7, label="mean of the subjects")
        if people:
            published = [np.nan if v is None else v for v in PUBLISHED[task].values()]
            ax.plot(published, places, "x", color="#D55E00", markersize=9, markeredgewidth=2, label="published mean")
        ax.axvline(0, color="black", linewidth=0.8)
        ax.set_xscale("symlog", linthresh=10)
        ax.set_yticks(places, models)
        ax.invert_yaxis()
        ax.set_title({"unity": "one heading or two?", "inertial": "felt heading left or right?"}[task])
        ax.set_xlabel("cross-validated log-likelihood\nminus that of the fixed criterion (nats)")
    axes[0].legend(loc="upper left")
    return fig


def verdict(results) -> Verdict:
    if results["truth"][0].any():
        return recovery_verdict(results)
    rule = "stochastic fusion minus fixed criterion, unity task: each subject and the mean within 2 of the published"
    found = dict(zip(results["subjects"][0], stochastic_minus_fixed(results)))
    if not set(PUBLISHED_SUBJECTS) <= set(found):
        return Verdict("NOT ASSESSED", rule, "these are not the published subjects S1 to S11")
    gaps = np.array([found[name] - value for name, value in published_pairs()])
    mean = np.mean([found[name] for name in PUBLISHED_SUBJECTS])
    return Verdict(
        status="PASS" if abs(gaps).max() <= 2 and abs(gaps.mean()) <= 2 else "FAIL",
        rule=rule,
        measured=f"mean {mean:.1f}; gaps to the published values {', '.join(f'{gap:+.1f}' for gap in gaps)}",
        published=f"mean {np.mean(STOCHASTIC_MINUS_FIXED):.1f}",
    )


def recovery_verdict(results):
    measured, passed = [], True
    for task in TASKS:
        scores, truth = contest(results, task)
        own = scores[np.arange(len(truth)), truth]
        share, worst = np.mean(scores.argmax(axis=1) == truth), (scores.max(axis=1) - own).max()
        passed &= bool(share >= 0.75 and worst <= 10)
        measured.append(f"{task}: {share:.0%} of {len(truth)} subjects, at worst {worst:.1f} behind another")
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="the strategy that made the answers predicts them best in at least 75 % of the simulated subjects of each "
        "task,\nand is never more than 10 behind another",
        measured="\n".join(measured),
        published="diagonal of the paper's model recovery: 0.75 to 1.00 over six models",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table)

if __name__ == "__main__":
    raise SystemExit(main())
