"""How well anyone could tell the strategies apart: one who knows every parameter of each."""

import warnings

import numpy as np
from scipy.stats import norm

from ._fits import answers, observer
from ._models import MODELS, NULL, PLAIN
from ._trials import Subject, answer, mirrored, n_repeats, strategy_of

SHARE = 0.9  # of experiments in which the truth is to be likelier than its nearest rival
CHARGE = 0.5  # nats, of a rival that contains the truth, for the parameter by which it is wider


def limits(config, seed, subject: Subject, task):
    """Share of experiments that name the truth, nats to its nearest rival, trials for 90 %.

    A simulated subject repeats its experiment; each strategy gets the parameters under which it comes nearest in all
    repetitions together. How the log-likelihood of the truth minus that of a rival varies over trials then tells how
    many it takes. NaN for people.
    """
    if not subject.strategy:
        return np.full(3, np.nan)
    rng = np.random.default_rng(seed)
    trials = answer(config, subject.strategy, task, subject.parameters, rng, config.n_experiments)
    trials, n = mirrored(trials, task == "unity"), len(trials.said)
    data, known = (trials.headings, answers(task, trials)), {"condition": trials.reliability}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a strategy that is not the truth may end at a bound
        scores = np.array([
            observer(config, task, MODELS[task][name][0], "constant").fit(*data, **known).log_likelihood(*data, **known)
            for name in PLAIN[task]
        ])  # fmt: skip
    truth = [MODELS[task][name][0] for name in PLAIN[task]].index(strategy_of(subject.strategy, task))
    ahead = scores[truth] - np.delete(scores, truth, axis=0)
    experiment = np.arange(n) // n_repeats(config, task) % config.n_experiments
    wins = np.array([np.bincount(experiment, gap) for gap in ahead])
    wins += CHARGE * (task == "inertial" and PLAIN[task][truth] == NULL[task])  # a wide criterion is forced fusion
    mean, spread = ahead.mean(axis=1), ahead.std(axis=1)
    trials_for = np.where(mean > 0, (norm.ppf(SHARE) * spread / np.maximum(mean, 1e-12)) ** 2, np.inf)
    nearest = trials_for.argmax()
    return np.array([np.mean((wins > 0).all(axis=0)), mean[nearest] * n / config.n_experiments, trials_for[nearest]])
