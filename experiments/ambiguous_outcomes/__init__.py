"""A push that slides or tips, an occluder that hides, a turn either way: hypotheses on unseen objects (Letzelter 2023).

Finding     What an action leads to may hang on what cannot be sensed: a push tips an object or slides it by its hidden
            friction, one of two objects is behind an occluder, a push beside the middle turns an object either way.
            Scored hypotheses learn both outcomes and how probable each is, to .07, from vectors and from images, of
            objects that they never met, and where to push to find out the friction. Not reached is the target that they
            miss the worse branch on rendered images by half as much as a mixture density network: behind the occluder
            it is .49 of that, but not surely below half; on pushes .84; on turns .64, of a network that on some seeds
            trains badly at the rate that was best for it on seed 100 (elsewhere the two miss the branch alike).
Prediction  (1) The probability of the first outcome, by the scores, lies within .07 of the truth on average, for all
            actions, from vectors and from images; (2) from images closer than that of a mixture density network (MDN).
            (3) Actions shuffled in training at least double that error, and what happened is everywhere less
            surprising than to one prediction. (4) Three pushes chosen by the hypotheses tell more about friction than
            random ones or a sweep, and 90 % of what an oracle's tell.
            Beside the rule stands a target: from images the worse branch is missed by at most half as much as by the
            MDN, as on the simple pictures of `bistable_rotation`.
Controls    One prediction by squared error, an MDN with as many components, scored hypotheses trained with shuffled
            actions, the base rate in place of the probability; an oracle that knows the rule and the objects' sizes.
            Every model has the learning rate, of as many tried, at which its P is best for the task and the sense.
Designs     Three. The first, with winner-take-all assignment, failed on seeds 0 to 4: on two of them hypotheses died
            and the error of P behind the occluder was .12 and .30 from vectors. The second, by neural gas, passed on
            streams 10 to 14; but behind the occluder P was constant, so that a constant answer was right, and all
            models had one learning rate. The third, judged here on streams 20 to 24, mends both and adds the rotation.
            What was chosen was chosen on seeds 100 and 101; of the third design seed 100 alone was seen.
Citation    Letzelter et al. (2023), NeurIPS; Bishop (1994) (MDN); Lindley (1956) (information of an experiment).
Cost        8 minutes of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._branches import build, judge, surprise, train
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap

from ._friction import MOST_PUSHES, POLICIES, find_out, practise
from ._page import figure
from ._tasks import TASKS, split_objects

SENSES = ("vector", "image")
MODELS = {
    "one prediction": "MSE",
    "MDN": "MDN",
    "rMCL": "neural_gas",
    "rMCL, shuffled actions": "neural_gas",
}
FIRST_STREAM, DESIGN = 20, 3  # streams 0 to 4 and 10 to 14 were judged with the designs before
# Of Adam, from vectors and from images: the one of 3e-3 and 1e-2 that makes the error of P smallest on seed 100 (for
# pushes, of these and 1e-3 on seeds 100 and 101).
RATES = {
    "one prediction": {"push": (1e-2, 3e-3), "occluder": (1e-2, 3e-3), "rotation": (1e-2, 3e-3)},
    "MDN": {"push": (1e-2, 1e-2), "occluder": (1e-2, 3e-3), "rotation": (1e-2, 1e-2)},
    "rMCL": {"push": (1e-2, 3e-3), "occluder": (1e-2, 1e-2), "rotation": (1e-2, 3e-3)},
}
RATES["rMCL, shuffled actions"] = RATES["rMCL"]
OPEN = 0.1  # both outcomes happen where the first has a probability from here to 1 less this
APART = 0.2  # least squared distance of two outcomes that a probability is read from, in units of the mean
MOST_ERROR, LEAST_HARM, JUDGED_PUSHES, LEAST_SHARE, TARGET = 0.07, 2.0, 3, 0.9, 0.5


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_known: int = 16  # objects of each family to learn from
    n_unseen: int = 6
    n_train: int = 4000
    n_apart: int = 300  # trials with known objects that choose the width of the kernels
    n_test: int = 600
    n_hypotheses: int = 4
    width: tuple[int, int] = (64, 128)  # of the two hidden layers, for vectors and for images
    n_steps: tuple[int, int] = (500, 600)
    batch_size: int = 128
    n_practised: int = 4000  # objects pushed at random to learn friction from


SMOKE = Config(1, 1, 60, 20, 40, 2, (8, 8), (10, 10), 16, 60)
QUICK = Config(8, 4, 1000, 100, 300, n_steps=(300, 300), n_practised=2000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Errors by task, sense and model; what each policy found out; predictions for one trial of each task."""
    seed += FIRST_STREAM
    known, unseen = split_objects(config.n_known, config.n_unseen, seed)
    results = {}
    for i, (task, make) in enumerate(TASKS.items()):
        rng = np.random.default_rng((seed, i))
        learned, test = make(known, config.n_train + config.n_apart, rng), make(unseen, config.n_test, rng)
        for sense in SENSES:
            results |= compare(config, seed, task, sense, learned[sense], test[sense])
    model = practise(known, config.n_practised, seed)
    for name in POLICIES:
        results[f"told_{name}"] = find_out(name, model, unseen, config.n_test, seed).mean(axis=1)
    return results


def compare(config, seed, task, sense, learned, test):
    """All models of one task from one sense."""
    rng = np.random.default_rng((seed, 2))
    happened = test.branches[np.arange(len(test.plus)), (rng.random(len(test.plus)) > test.plus).astype(int)]
    distance = ((test.branches[:, 0] - test.branches[:, 1]) ** 2).sum(axis=1)
    apart = distance > APART * distance.mean()
    possible = apart & (test.plus >= OPEN) & (test.plus <= 1 - OPEN)
    example = np.flatnonzero(possible)[np.abs(test.plus[possible] - 0.6).argmin()]
    key = f"{task}_{sense}"
    results = {
        f"distance_{key}": distance[possible].mean(),
        f"base_{key}": np.abs(learned.plus.mean() - test.plus)[apart].mean(),
        f"branches_{key}": test.branches[example],
    }
    for name in MODELS:
        model, left_apart = learn(config, seed, task, sense, name, learned)
        places, mass = model.predict(test.before)
        found = judge(places, mass, test.branches, test.plus, apart, possible)
        found["surprise"] = surprise(places, mass, model.widths(test.before, left_apart), happened)
        results |= {f"{measure}_{key}_{name}": value for measure, value in found.items()}
        results |= {f"places_{key}_{name}": places[example], f"mass_{key}_{name}": mass[example]}
    return {name: np.asarray(value) for name, value in results.items()}


def learn(config, seed, task, sense, name, trials):
    """A model, and inputs and outcomes that it was not trained on."""
    rng = np.random.default_rng((seed, 3))
    before, outcomes = trials.before.copy(), np.arange(len(trials.plus))
    if name == "rMCL, shuffled actions":
        before[:, -trials.n_action :] = rng.permutation(before[:, -trials.n_action :])
    n = config.n_train

    def fresh():
        rows = rng.integers(n, size=config.batch_size)
        return before[rows], trials.branches[rows, (rng.random(len(rows)) > trials.plus[rows]).astype(int)]

    i = SENSES.index(sense)
    sizes = before.shape[1], trials.branches.shape[2], config.width[i], config.n_hypotheses
    model = build(MODELS[name], *sizes, seed, skip=True)
    train(model, fresh, config.n_steps[i], RATES[name][task][i])
    drawn = (rng.random(len(trials.plus)) > trials.plus).astype(int)
    return model, (before[n:], trials.branches[outcomes, drawn][n:])


def table(results):
    tables = {}
    for task in TASKS:
        for sense in SENSES:
            key = f"{task}_{sense}"
            rows = [
                {
                    "model": name,
                    "error of P": results[f"error_{key}_{name}"].mean(),
                    "squared error of the worse branch": results[f"branch_{key}_{name}"].mean(),
                    "surprise (nats)": results[f"surprise_{key}_{name}"].mean(),
                }
                for name in MODELS
            ]
            distance = results[f"distance_{key}"].mean()
            rows.append({"model": "base rate in training", "error of P": results[f"base_{key}"].mean()})
            rows.append({"model": "the other branch", "squared error of the worse branch": distance})
            tables[f"{task}, {sense}s, unseen objects"] = rows
    tables["bits about friction after so many pushes"] = [
        {"policy": name, **{str(i + 1): results[f"told_{name}"][:, i].mean() for i in range(MOST_PUSHES)}}
        for name in POLICIES
    ]
    return tables


def verdict(results) -> Verdict:
    keys = [f"{task}_{sense}" for task in TASKS for sense in SENSES]
    images = [f"{task}_image" for task in TASKS]
    errors = {key: paired_bootstrap(results[f"error_{key}_rMCL"]) for key in keys}
    ahead = {key: paired_bootstrap(results[f"error_{key}_MDN"], results[f"error_{key}_rMCL"]) for key in images}
    harm = {
        key: paired_bootstrap(results[f"error_{key}_rMCL, shuffled actions"], LEAST_HARM * results[f"error_{key}_rMCL"])
        for key in keys
    }
    calmer = {
        key: paired_bootstrap(results[f"surprise_{key}_one prediction"], results[f"surprise_{key}_rMCL"])
        for key in keys
    }
    told = {name: results[f"told_{name}"][:, JUDGED_PUSHES - 1] for name in POLICIES}
    gains = [paired_bootstrap(told["hypotheses"], told[name]) for name in ("random", "sweep")]
    share = told["hypotheses"].mean() / told["oracle"].mean()
    checks = {
        "P": all(error.mean <= MOST_ERROR for error in errors.values()),
        "P against the MDN": all(interval.low > 0 for interval in ahead.values()),
        "shuffled actions": all(interval.low > 0 for interval in harm.values()),
        "surprise": all(interval.low > 0 for interval in calmer.values()),
        "friction": all(gain.low > 0 for gain in gains) and share >= LEAST_SHARE,
    }
    ratios = {key: results[f"branch_{key}_rMCL"].mean() / results[f"branch_{key}_MDN"].mean() for key in keys}
    excess = {
        key: paired_bootstrap(results[f"branch_{key}_rMCL"], TARGET * results[f"branch_{key}_MDN"]) for key in images
    }
    target = ", ".join(f"{'PASS' if e.high < 0 else 'FAIL'} {key.removesuffix('_image')}" for key, e in excess.items())
    base = {key: results[f"base_{key}"].mean() for key in images}

    def listed(values, style):
        return ", ".join(f"{key.replace('_', ', ')} {format(value, style)}" for key, value in values.items())

    return Verdict(
        status="PASS" if all(checks.values()) else "FAIL",
        rule=f"unseen objects: mean error of P by rMCL at most {MOST_ERROR} everywhere; from images the MDN's larger,\n"
        f"interval above 0; with shuffled actions more than {LEAST_HARM:g} x as large, one prediction more surprised,\n"
        f"intervals; {JUDGED_PUSHES} pushes by the hypotheses tell more about friction than random ones and a sweep,\n"
        f"intervals above 0, and at least {LEAST_SHARE:.0%} of the oracle's.\n"
        f"Target beside the rule: from images the error of the worse branch at most {TARGET:g} x the MDN's (interval)",
        measured=f"design {DESIGN} of {DESIGN}, on fresh streams\nerror of P: {listed(errors, '.3f')}\n"
        f"by the base rate: {listed(base, '.2f')}\nMDN's minus this: {listed(ahead, '.3f')}\n"
        f"bits more than random {gains[0]:.2f}, than a sweep {gains[1]:.2f}; {share:.0%} of the oracle's\n"
        f"target of the worse branch: {target}; in units of the MDN's: {listed(ratios, '.2g')}\n"
        f"failed: {', '.join(name for name, ok in checks.items() if not ok) or 'none'}",
        published="none for these tasks",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
