"""Two cues in a psychophysical laboratory: thresholds of each sense alone predict how both are combined.

Every weight and threshold is measured on the agent by two-interval forced choice and a fitted psychometric function;
the experimenter looks at answers only.
"""

from dataclasses import dataclass, replace

import numpy as np

from experiments._senses._observers import RULES
from experiments._verdict import paired_bootstrap
from fusion import Psychometric, two_interval_choice

WEIGHT_TOLERANCE = 0.06
RATIO_TOLERANCE = 1.06
LAPSE = 0.0  # a simulated agent never guesses


@dataclass(frozen=True)
class Procedure:
    """How thresholds are measured, in units of y.

    Parameters
    ----------
    standards : tuple of float
        Places of the standard, over which answers are pooled.
    conflict : float
        Between the cues of the standard, in either direction, for weights; thresholds are measured without conflict.
    widest : float
        Largest difference between comparison and standard.
    n_trials : int
        Per comparison and standard; there are nine comparisons.
    """

    standards: tuple[float, ...]
    conflict: float
    widest: float
    n_trials: int

    def measure(self, agent, rng, n_cues=1, conflict=0.0):
        """Point of subjective equality, relative to the standard, and threshold (84 %) of a batched agent."""
        shift = np.array([conflict / 2, -conflict / 2]) if n_cues == 2 else 0.0
        center, half_width = 0.0, self.widest
        for n_levels, n_trials in ((13, -(-self.n_trials // 10)), (9, -(-self.n_trials // 5)), (9, self.n_trials)):
            offsets = center + half_width * np.linspace(-1, 1, n_levels)
            chosen = sum(
                two_interval_choice(
                    agent,
                    standard + shift,
                    np.tile((standard + offsets)[:, None], 2) if n_cues == 2 else standard + offsets,
                    n_trials,
                    batched=True,
                    random_state=rng,
                ).sum(axis=1)
                for standard in self.standards
            )
            n = np.full(n_levels, n_trials * len(self.standards))
            fit = Psychometric(lapse=LAPSE, confidence=None).fit(offsets, chosen, n)
            # The next block surrounds what this one found; its steps are no finer than this one could tell.
            center = np.clip(fit.pse_, offsets[0], offsets[-1])
            half_width = np.clip(1.75 * fit.threshold_, 3 * half_width / n_levels, half_width)
        return fit.pse_, fit.threshold_


def measure_combination(observers, levels, procedure, rng):
    """Weights and thresholds at fixed conditions.

    Parameters
    ----------
    observers : Observers
    levels : list of dict of str to dict
        Conditions of each sense at each level. Those of the second sense are the same at every level.
    procedure : Procedure
    rng : numpy.random.Generator

    Returns
    -------
    dict of arrays
        "alone" (n_levels, 2): thresholds of each sense. "optimal_weight" (n_levels,): of the first sense, and
        "optimal_threshold" (n_levels,), both predicted from these. "weight", "threshold" (n_rules, n_levels): measured.
    """
    alone = measure_alone(observers, levels, procedure, rng)
    weight, threshold = np.empty((2, len(RULES), len(levels)))
    for i, rule in enumerate(RULES):
        for j, conditions in enumerate(levels):
            agent = observers.combined(rule, conditions)
            up, _ = procedure.measure(agent, rng, 2, procedure.conflict)
            down, _ = procedure.measure(agent, rng, 2, -procedure.conflict)
            weight[i, j] = 0.5 + (up - down) / (2 * procedure.conflict)
            threshold[i, j] = procedure.measure(agent, rng, 2)[1]
    return {"alone": alone, "weight": weight, "threshold": threshold} | predictions(alone)


def measure_roving(observers, levels, procedure, rng, rules):
    """Thresholds where the conditions vary from one presentation to the next: "threshold" (n_rules, n_levels).

    "alone" and "optimal_threshold" as for `measure_combination`: predictions from thresholds that are averages over the
    conditions.
    """
    alone = measure_alone(observers, levels, procedure, rng)
    threshold = [
        [procedure.measure(observers.combined(rule, conditions), rng, 2)[1] for conditions in levels] for rule in rules
    ]
    return {"alone": alone, "threshold": np.array(threshold)} | predictions(alone)


def measure_alone(observers, levels, procedure, rng):
    """Thresholds (n_levels, 2) of each sense, the second measured once; with twice the trials, as all rests on them."""
    procedure = replace(procedure, n_trials=2 * procedure.n_trials)
    first, second = observers.sensors
    common = procedure.measure(observers.alone(second, levels[0]), rng)[1]
    return np.array([[procedure.measure(observers.alone(first, level), rng)[1], common] for level in levels])


def predictions(alone):
    """Maximum-likelihood weight of the first sense and threshold of both, from thresholds (n_levels, 2) of each."""
    squared = alone**2
    return {
        "optimal_weight": squared[:, 1] / squared.sum(axis=1),
        "optimal_threshold": np.sqrt(squared.prod(axis=1) / squared.sum(axis=1)),
    }


def compare(results):
    """Rule -> two lists over levels: intervals of measured minus optimal weight, of measured over optimal threshold."""
    compared = {}
    for i, rule in enumerate(RULES):
        weights = results["weight"][:, i] - results["optimal_weight"]
        ratios = results["threshold"][:, i] / results["optimal_threshold"]
        compared[rule] = tuple([paired_bootstrap(values) for values in levels.T] for levels in (weights, ratios))
    return compared


def is_optimal(weights, ratios):
    """Whether weights and thresholds are near those that the senses alone predict, at every level."""
    return all(abs(w.mean) <= WEIGHT_TOLERANCE for w in weights) and all(
        r.mean <= RATIO_TOLERANCE or r.low <= 1 <= r.high for r in ratios
    )


RULE_OF_COMBINATION = (
    f"at every level the weight lies within {WEIGHT_TOLERANCE} of the optimum that the thresholds of the senses alone "
    f"predict,\nand the threshold of both senses is at most {RATIO_TOLERANCE} of the predicted one, or its interval "
    "contains 1"
)


def summary_of(compared):
    """Deviations from the prediction by rule, over the levels."""
    return "\n".join(
        f"{rule:<8} {'as predicted' if is_optimal(weights, ratios) else 'not as predicted'}: weight "
        + " ".join(f"{w.mean:+.3f}" for w in weights)
        + "; sigma "
        + " ".join(format(r, ".2f") for r in ratios)
        for rule, (weights, ratios) in compared.items()
    )
