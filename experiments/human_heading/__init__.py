"""How people decide whether what they see and what they feel is one motion (Acerbi, Dokka, Angelaki & Ma 2018).

Finding     Judging whether the visual and the vestibular heading agree, people do not fuse at random: they weigh the
            disparity, by a Bayesian posterior or by a fixed criterion. (Of judgements of left or right the paper finds
            that they hardly tell fusion from causal inference; that is not reproduced, see Differs.)
Citation    Acerbi, Dokka, Angelaki & Ma (2018), PLoS Comput Biol 14:e1006110.
Prediction  With --data FILE (their trials): in the unity task the leave-one-out log-likelihood of stochastic fusion
            minus that of a fixed criterion is within 2 of the published difference, for every subject and on average.
            Without data: the strategy that made the answers of a simulated subject, as many as a person gave, predicts
            them best in at least 3 of 4 subjects of each task and is never more than 10 behind another, and at least
            85 % of the parameters that the answers determine are found within 2 standard errors. (With a third of the
            answers of left or right, 56 % of the strategies were recovered; with all, 78 %, of 84 % that are possible
            for one who knows every parameter.) Target beside the rule, with --data: by left or right, the mean of
            each model over forced fusion is within 2 of the published one. It is missed by four of five.
Differs     By left or right, the Bayesian observer and the fixed criterion with constant noise score some 18 and 10
            above forced fusion here, 0 in the paper, so that noise that grows with eccentricity adds 4 and 6 to them
            where the paper has 17 and 18. The likeliest criterion is 36 to 55 degrees in ten of eleven people, where
            the model is likelier than forced fusion, which it contains; the Bayesian optimum is often a prior of 1
            degree, the narrowest allowed, with a second, wide one behind it. Why the paper has neither is not known.
            Its observer reports the likelier side, ours the side of its mean estimate, and it also allows a common
            cause to be certain.
Controls    Stochastic fusion (unity) and forced fusion (left or right), which ignore the disparity. Constant noise.
            Simulated subjects have constant noise: how well growing noise is found again is not shown here.
            Noise that is not fitted to the judgements but comes from a map (LocalPrecision): its shape over headings,
            at the level of the answers to single cues, times one fitted factor.
Data        A CSV file (or .gz), one row per trial: subject; task (unisensory_vestibular, unisensory_visual,
            unity_judgement, bisensory_inertial_discrimination); visual_reliability (labels; empty without vision);
            vestibular_heading_deg, visual_heading_deg (empty = absent); response (-1 left, 1 right; unity 1 same,
            0 different); and, if there, in_published_fit (rows with 0 are left out). The trials of the paper are public
            at github.com/lacerbi/visvest-causinf (MIT licence), as .mat files.
Cost        4 minutes on two cores (8 of processor time) for the eleven people of the paper; their results are in
            data/human_heading_table.csv. Simulated subjects: 8 minutes of processor time.
"""

from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np

from experiments._runner import experiment

from ._cortex import calibrate_cortex, learned_shape
from ._fits import PARAMETERS, fit_models
from ._limits import limits
from ._models import MODELS
from ._page import figure
from ._tables import table, verdict
from ._trials import TRUTHS, Strategy, read, simulate


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    data: str = ""  # CSV file of trials, see above; empty: simulated subjects
    strategies: tuple[Strategy, ...] = TRUTHS  # simulated
    n_subjects: int = 3  # simulated subjects per strategy
    n_repeats: int = 3  # simulated trials per pair of headings and reliability: 891 judgements of unity, people had 949
    n_repeats_inertial: int = 9  # of left or right: 2673, people had 2563
    n_experiments: int = 20  # simulated of each subject, to find how well anyone could tell the strategies apart
    middles: tuple[float, ...] = tuple(5.0 * i for i in range(-5, 6))  # simulated headings, mean of both cues (degrees)
    disparities: tuple[float, ...] = (-40.0, -20.0, -10.0, -5.0, 0.0, 5.0, 10.0, 20.0, 40.0)
    n_starts: int = 8
    max_draws: int = 2048  # of the parameters, to leave one answer out; a fourth of it for Bayesian observers
    n_experience: int = 6000  # headings from which the map learns
    n_processes: int = 2

    def __post_init__(self):
        if self.data and not Path(self.data).is_file():
            raise ValueError(f"--data must be a file; there is no {self.data}")
        if self.data:
            read(self.data)  # names the line that is wrong, before any work
        for name in ("n_subjects", "n_repeats", "n_repeats_inertial", "n_experiments", "n_starts", "n_processes"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1; got {getattr(self, name)}")


SMOKE = Config(
    strategies=("fixed_criterion",),
    n_subjects=1,
    middles=(-10.0, 10.0),
    disparities=(-40.0, 0.0, 10.0),
    n_repeats_inertial=3,
    n_experiments=2,
    n_starts=1,
    max_draws=256,
    n_experience=400,
    n_processes=1,
)
QUICK = Config(n_subjects=1, n_repeats=5, middles=(-15.0, -5.0, 5.0, 15.0), max_draws=512, n_experience=2000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Every model of every subject; arrays (n_subjects, n_models, ...) of each task."""
    subjects = read(config.data) if config.data else simulate(config, np.random.default_rng(seed))
    shape = learned_shape(config, seed)
    jobs = [joblib.delayed(measure)(config, seed, subject, task, shape) for task in MODELS for subject in subjects]
    fits = joblib.Parallel(n_jobs=config.n_processes)(jobs)
    results: dict[str, np.ndarray] = {
        "subjects": np.array([subject.name for subject in subjects]),
        "truth": np.array([subject.strategy for subject in subjects]),
        "parameters": np.array([true_parameters(subject) for subject in subjects]),
    }
    for i, task in enumerate(MODELS):
        found = fits[i * len(subjects) : (i + 1) * len(subjects)]
        scores, estimates, known = (np.array(values) for values in zip(*found))
        for name, values in zip(("left_out", "maximum", "undetermined"), np.moveaxis(scores, 2, 0)):
            results[f"{task}_{name}"] = values
        results[f"{task}_estimates"], results[f"{task}_limits"] = estimates, known
    return results | calibrate_cortex(config, seed)


def measure(config, seed, subject, task, shape):
    return *fit_models(config, seed, subject, task, shape), limits(config, seed, subject, task)


def true_parameters(subject):
    """Those that made the answers, in the order of the estimates; NaN for people."""
    return [(subject.parameters or {}).get(name, np.nan) for name in PARAMETERS]


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table)
