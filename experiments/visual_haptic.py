"""Height seen and felt: the more precise sense weighs more (Ernst & Banks 2002).

Finding     Humans combine the seen and the felt height of a bar as the maximum-likelihood estimate does: what each
            sense achieves alone predicts the weights and the threshold of both together.
Citation    Ernst & Banks 2002, Nature 415:429. Sizes and noise here are not theirs; the predictions are of shape.
Prediction  An agent that learned the precision of each sense from experience, and was never told any noise level,
            weighs as its own thresholds predict: sight dominates while it is clear and gives way to touch as it blurs,
            and both together are more precise than either where they are about as precise as each other.
Controls    Oracle precision (told the conditions), constant precision (must fail the same rule), density of the map
            alone, and learned precisions permuted over trials.
Cost        2 min of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np

from experiments._figures import interval_line
from experiments._runner import experiment
from experiments._senses import Retina, Touch
from experiments._senses._cue_combination import (
    RULE_OF_COMBINATION,
    Procedure,
    compare,
    is_optimal,
    measure_combination,
    summary_of,
)
from experiments._senses._life import calibrate, calibration_rows, live
from experiments._senses._observers import RULES, Observers
from experiments._senses._page import combination_rows, draw_calibration, draw_ratios, draw_weights
from experiments._verdict import Verdict, paired_bootstrap

SENSES = ("vision", "touch")


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line. Heights in mm, relative to the usual one."""

    n_experience: int = 40_000  # heights seen, and as many felt
    n_units: int = 400  # of the map of each sense
    height: float = 30.0  # largest height of the experience, in either direction
    blurs: tuple[float, ...] = (3.0, 8.0, 13.0, 22.0)  # of the bar's edge, mm, as SD
    photons: float = 50.0
    grip: float = 2.0
    standards: tuple[float, ...] = (-4.0, -2.0, 0.0, 2.0, 4.0)
    conflict: float = 5.0
    n_trials: int = 60  # per comparison (9) and standard


SMOKE = Config(n_experience=1000, n_units=40, blurs=(3.0, 22.0), standards=(0.0,), n_trials=20)
QUICK = Config(n_experience=10_000, n_units=200, n_trials=20)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One agent: its experience, its calibration, its thresholds and weights."""
    rng = np.random.default_rng(seed)
    sensors = {"vision": Retina(extent=60.0, spacing=2.0, blur_range=(2.0, 67.0)), "touch": Touch()}
    agent = live(sensors, config.height, config.n_experience, config.n_units, rng)
    levels = [
        {"vision": {"blur": blur, "photons": config.photons}, "touch": {"grip": config.grip}} for blur in config.blurs
    ]
    observers = Observers(agent, sensors, config.height, levels, config.n_experience, rng)
    procedure = Procedure(config.standards, config.conflict, config.height, config.n_trials)
    return (
        measure_combination(observers, levels, procedure, rng)
        | calibrate(agent.senses, sensors, config.height, config.n_experience // 2, rng)
        | {"blurs": np.array(config.blurs)}
    )


def table(results):
    return {
        "Weights and sigmas (mm)": combination_rows(results, results["blurs"][0], "blur (mm)"),
        "Calibration of the learned precision on new experience": calibration_rows(results, SENSES),
    }


def figure(results):
    """Weights and thresholds by blur, thresholds of each sense and both, and the calibration of both senses."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplot_mosaic(
        [["weights", "ratios", "thresholds"], ["vision", "touch", "legend"]], figsize=(12, 7.6)
    )
    blurs, label = results["blurs"][0], "blur of the seen bar (mm)"
    draw_weights(axes["weights"], results, blurs, label)
    draw_ratios(axes["ratios"], results["threshold"] / results["optimal_threshold"][:, None], RULES, blurs, label)
    for values, name, color in (
        (results["alone"][..., 0], "vision alone", "#E69F00"),
        (results["alone"][..., 1], "touch alone", "#CC79A7"),
        (results["threshold"][:, 0], "both, learned precision", "#0072B2"),
    ):
        interval_line(axes["thresholds"], blurs, values, name, color=color)
    axes["thresholds"].plot(blurs, results["optimal_threshold"].mean(axis=0), "k--", label="both, predicted")
    axes["thresholds"].set(xlabel=label, ylabel="threshold (mm, 84 %)", xticks=blurs, ylim=(0, None))
    axes["thresholds"].legend(fontsize=8.5)
    for i, sense in enumerate(SENSES):
        draw_calibration(axes[sense], results, i, f"calibration: {sense}", "mm")
    axes["legend"].axis("off")
    axes["legend"].legend(*axes["weights"].get_legend_handles_labels(), loc="center", title="precision of each sense")
    return fig


def verdict(results) -> Verdict:
    compared = compare(results)
    weight = results["weight"][:, RULES.index("learned")]
    falls = [paired_bootstrap(weight[:, j], weight[:, j + 1]) for j in range(weight.shape[1] - 1)]
    balanced = int(abs(results["optimal_weight"].mean(axis=0) - 0.5).argmin())
    best = results["alone"][:, balanced].min(axis=1)
    gain = paired_bootstrap(results["threshold"][:, 0, balanced] / best)
    passed = (
        is_optimal(*compared["learned"])
        and not is_optimal(*compared["constant"])
        and all(fall.low > 0 for fall in falls)
        and gain.high < 1
    )
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"learned precision: {RULE_OF_COMBINATION};\nconstant precision fails that; with learned precision the "
        "weight of vision falls from each blur to the next (intervals),\nand where the senses are most alike both "
        "together are more precise than the better one (interval below 1)",
        measured=summary_of(compared)
        + f"\nboth over the better one, where most alike: {gain:.2f}"
        + "\nfall of the weight from blur to blur: "
        + ", ".join(f"{fall:.2f}" for fall in falls),
        published="vision gives way to touch as noise is added to it; thresholds as predicted (shape)",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
