"""The ventriloquist effect as near-optimal combination of sight and hearing (Alais & Burr 2004).

Finding     A sharp light captures the place of a sound, a very blurred one is captured by it, and in between both are
            averaged, as the precision of each sense alone predicts.
Citation    Alais & Burr 2004, Current Biology 14:257. Blur and levels here are not theirs; predictions are of shape.
Prediction  An agent that learned the precision of each sense from experience, and was never told any noise level,
            weighs as its own thresholds predict; where contrast and level rove from one presentation to the next, its
            precision for the single trial beats what average thresholds predict.
Controls    Oracle precision (told the conditions), constant precision (must fail the same rule), density of the map
            alone, learned precisions permuted over all trials, and exchanged between trials of the same blur (must lose
            the gain at roving contrast). Shown beside: teachers that are noisy, and noise without trace in one glance.
Cost        3 min of processor time for 5 seeds.
"""

from dataclasses import dataclass, replace

import numpy as np

from experiments._runner import experiment
from experiments._senses import Ears, Retina
from experiments._senses._cue_combination import (
    RULE_OF_COMBINATION,
    Procedure,
    compare,
    is_optimal,
    measure_combination,
    measure_roving,
    summary_of,
)
from experiments._senses._life import calibrate, calibration_rows, live
from experiments._senses._observers import RULES, Observers
from experiments._senses._page import LABELS, combination_rows, draw_calibration, draw_ratios, draw_weights
from experiments._verdict import Verdict, paired_bootstrap
from experiments.ventriloquist._page import draw_hidden, draw_teachers
from experiments.ventriloquist._teachers import TEACHERS, TRACES, learn_from_teachers, learn_hidden_jitter

SENSES = ("vision", "audition")
ROVING = ("learned", "oracle", "exchanged")
MIDDLE = slice(2, 4)  # levels at which the senses are about equally precise: only there can precision per trial show


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line. Places in degrees."""

    n_experience: int = 40_000  # lights seen, and as many sounds heard
    n_units: int = 400  # of the map of each sense
    place: float = 45.0  # largest place of the experience, in either direction
    blurs: tuple[float, ...] = (4.0, 10.0, 18.0, 30.0, 48.0)  # of the light, as SD
    photons: float = 50.0
    level: float = 20.0
    standards: tuple[float, ...] = (-8.0, -4.0, 0.0, 4.0, 8.0)
    conflict: float = 8.0
    n_trials: int = 50  # per comparison (9) and standard
    n_trials_roving: int = 120
    n_taught: int = 20_000  # events of the experience with each teacher
    teacher_noise: float = 5.0  # SD


SMOKE = Config(
    n_experience=800,
    n_units=30,
    blurs=(4.0, 30.0),
    standards=(0.0,),
    n_trials=20,
    n_trials_roving=20,
    n_taught=300,
)
QUICK = Config(n_experience=10_000, n_units=200, n_trials=15, n_trials_roving=15, n_taught=5000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One agent: its experience and calibration, its weights and thresholds, and lives with other teachers."""
    rng = np.random.default_rng(seed)
    retina, ears = Retina(), Ears()
    sensors = {"vision": retina, "audition": ears}
    agent = live(sensors, config.place, config.n_experience, config.n_units, rng)
    fixed, roving = (
        [{"vision": {"blur": blur, "photons": photons}, "audition": {"level": level}} for blur in config.blurs]
        for photons, level in (
            (config.photons, config.level),
            (retina.photon_range, ears.level_range),
        )
    )
    observers = Observers(agent, sensors, config.place, fixed, config.n_experience, rng)
    procedure = Procedure(config.standards, config.conflict, config.place - max(config.standards), config.n_trials)
    roved = measure_roving(observers, roving, replace(procedure, n_trials=config.n_trials_roving), rng, ROVING)
    return (
        measure_combination(observers, fixed, procedure, rng)
        | {f"roving_{key}": values for key, values in roved.items()}
        | calibrate(agent.senses, sensors, config.place, config.n_experience // 2, rng)
        | learn_from_teachers(sensors, config.place, config.n_taught, config.teacher_noise, fixed, rng)
        | learn_hidden_jitter(config.level, config.place, config.n_taught, rng)
        | {"blurs": np.array(config.blurs)}
    )


def roving_ratios(results):
    """Threshold of both senses over the one predicted from averages, (n_seeds, n_rules, n_levels)."""
    return results["roving_threshold"] / results["roving_optimal_threshold"][:, None]


def table(results):
    blurs, ratios = results["blurs"][0], roving_ratios(results)
    roving = [
        {"precision": LABELS[rule]}
        | {f"blur {blur:g}": format(paired_bootstrap(ratios[:, i, j]), ".3f") for j, blur in enumerate(blurs)}
        for i, rule in enumerate(ROVING)
    ]
    weights, nll = results["teacher_weight"].mean(axis=0), results["teacher_nll"].mean(axis=0)
    optimum = results["optimal_weight"].mean(axis=0)
    taught = [
        {"teacher": "(predicted by each sense alone)"} | {f"blur {b:g}": float(w) for b, w in zip(blurs, optimum)}
    ]
    taught += [
        {"teacher": label}
        | {f"blur {b:g}": float(w) for b, w in zip(blurs, weights[i])}
        | {f"NLL, {sense}": float(value) for sense, value in zip(SENSES, nll[i])}
        for i, label in enumerate(TEACHERS.values())
    ]
    hidden, rank = results["hidden_nll"].mean(axis=0), results["hidden_rank"].mean(axis=0)
    traces = [
        {"what the ear gets": label, "NLL, learned": hidden[i, 0], "NLL, constant": hidden[i, 1]}
        | {"NLL, told the jitter": hidden[i, 2], "rank correlation with true variance": rank[i]}
        for i, label in enumerate(TRACES.values())
    ]
    return {
        "Weights and sigmas (degrees) at fixed contrast and level": combination_rows(results, blurs, "blur (deg)"),
        "Sigma over that predicted from average thresholds, roving contrast and level": roving,
        "Calibration of the learned precision on new experience": calibration_rows(results, SENSES),
        "Share of the precision that vision has, by teacher of the experience": taught,
        "Jitter of sounds that their level does not tell": traces,
    }


def figure(results):
    """Weights and thresholds at fixed and roving contrast, calibration, teachers, hidden noise."""
    import matplotlib.pyplot as plt

    layout = [["weights", "ratios", "roving"], ["vision", "audition", "legend"], ["teachers", "teachers", "hidden"]]
    fig, axes = plt.subplot_mosaic(layout, figsize=(12.5, 11.5))
    blurs, label = results["blurs"][0], "blur of the light (degrees)"
    draw_weights(axes["weights"], results, blurs, label)
    draw_ratios(axes["ratios"], results["threshold"] / results["optimal_threshold"][:, None], RULES, blurs, label)
    draw_ratios(axes["roving"], roving_ratios(results), ROVING, blurs, label)
    axes["weights"].set_title("fixed contrast and level")
    axes["ratios"].set_title("fixed contrast and level")
    axes["roving"].set_title("roving contrast and level")
    for i, sense in enumerate(SENSES):
        draw_calibration(axes[sense], results, i, f"calibration: {sense}", "degrees")
    handles = dict(zip(*reversed(axes["weights"].get_legend_handles_labels())))
    handles |= dict(zip(*reversed(axes["roving"].get_legend_handles_labels())))
    axes["legend"].axis("off")
    axes["legend"].legend(handles.values(), handles.keys(), loc="center", title="precision of each sense")
    draw_teachers(axes["teachers"], results, blurs, label)
    draw_hidden(axes["hidden"], results)
    return fig


def verdict(results) -> Verdict:
    compared = compare(results)
    ratios = roving_ratios(results)
    roved = {rule: [paired_bootstrap(values) for values in ratios[:, i].T] for i, rule in enumerate(ROVING)}
    weight = results["weight"][:, RULES.index("learned")].mean(axis=0)
    captured = weight[0] > 0.8 and weight[-1] < 0.2
    passed = (
        is_optimal(*compared["learned"])
        and not is_optimal(*compared["constant"])
        and all(interval.high < 1 for interval in roved["learned"][MIDDLE])
        and not all(interval.high < 1 for interval in roved["exchanged"][MIDDLE])
        and captured
    )
    blurs = ", ".join(f"{blur:g}" for blur in results["blurs"][0, MIDDLE])
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"fixed contrast, learned precision: {RULE_OF_COMBINATION};\nconstant precision fails that; the sharpest "
        "light captures the sound (weight of vision above .8), the most blurred does not (below .2);\n"
        f"roving contrast: sigma with learned precision is below that predicted from averages at blur {blurs} "
        "(intervals below 1),\nwhich precisions exchanged between trials of a level do not achieve",
        measured=summary_of(compared)
        + f"\nweight of vision, sharpest and most blurred: {weight[0]:.2f}, {weight[-1]:.2f}\n"
        + "\n".join(
            f"roving, {rule}: sigma " + " ".join(format(interval, ".3f") for interval in intervals)
            for rule, intervals in roved.items()
        ),
        published="capture by sharp lights, reversed by strong blur, best precision with both (shape)",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
