"""One percept from eyes and ears, on a map of both that was learned (after Forest, Quinton and Lefort 2022).

Finding     A neural field on a learned map of two senses merges what they say; the merged percept follows the precision
            that each sense has at that place, and features that carry no position do not disturb it.
Citation    Forest, Quinton and Lefort (2022), IJCNN, hal-03693198: the two claims of the abstract. Sensors, map and
            kernel are our own, and no number of theirs is used.
Prediction  (1) The weight of vision in the merged percept falls from the fovea to the periphery with the optimum that
            the measured errors of each sense ask for, although no noise level is ever given: `LocalPrecision` learns
            it from experience. (2) Features without position, added to what the map is learned on, leave the error of
            the percept as it was, and raise that of the nearest unit of the same map.
Controls    Constant gain and permuted precision (no place-dependence), precision coded as the width of the input at
            constant height (the blurred cue wins), the measured error of each sense as gain (oracle), and the closed
            form on the same estimates (ceiling: no field).
Cost        30 s of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np

from experiments._runner import experiment
from experiments._senses import Agent
from experiments._senses._life import calibrate
from experiments._verdict import Verdict, paired_bootstrap
from experiments.audiovisual_merging._joint_map import JointMap
from experiments.audiovisual_merging._judging import CONTROLS, RULES, judge, judge_senses, precisions
from experiments.audiovisual_merging._page import animate, figure, table
from experiments.audiovisual_merging._world import World
from fusion import fuse_gaussians

TOLERANCE = 0.08  # of a weight at any place
ROBUST = 1.1  # times the error without irrelevant features


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_experience: int = 20_000  # flashes with a sound, lived through before the test
    n_units: int = 200  # of the joint map
    n_components: int = 4  # principal components of each sense that the joint map is learned on
    eccentricities: tuple[float, ...] = (0.0, 10.0, 20.0, 30.0, 40.0)  # degrees
    n_irrelevant: tuple[int, ...] = (0, 2, 8)  # features without position, as variable as a component
    n_trials: int = 200  # at each eccentricity, half of them on either side
    doubling: float = 3.0  # degrees of eccentricity at which receptors are twice as far apart
    blur: float = 6.0  # of the flash at test, degrees
    photons: float = 30.0  # of the flash at test
    level: float = 20.0  # of the sound at test
    kernel_width: float = 6.0  # of the field, degrees
    input_width: float = 10.0  # of every cue, degrees
    n_steps: int = 15  # of .2 time constants; a bump that is read late has crept to where the nodes hold it best


SMOKE = Config(n_experience=800, n_units=40, n_trials=20, n_irrelevant=(0, 2))
QUICK = Config(n_experience=5000, n_trials=100)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One agent's life and test: weights and errors (n_rules, n_eccentricities), and with irrelevant features."""
    rng = np.random.default_rng(seed)
    world = World(config)
    y = rng.uniform(-world.extent, world.extent, config.n_experience)
    events = world.experience(y, rng)
    agent = Agent(random_state=seed)
    for sense, X in events.items():
        agent.learn(sense, X, y)
    places, trials = world.test(rng)
    estimates, variances = agent.perceive(trials, without_prior=True)
    results = judge_senses(estimates, variances, places, config)

    maps = [JointMap(events, y, n, config, rng) for n in config.n_irrelevant]
    gains = precisions(variances, results["squared_error"], places, config, rng)
    percepts = {rule: maps[0].merge(estimates, gain) for rule, gain in gains.items()}
    percepts["width-coded"] = maps[0].merge(estimates, np.ones_like(estimates), widths=np.sqrt(variances))
    percepts["closed form"] = fuse_gaussians(estimates, 1 / variances)[0]
    by_rule = [judge(percepts[rule], estimates, places, config) for rule in RULES]
    results |= {"weight": np.stack([w for w, _ in by_rule]), "error": np.stack([e for _, e in by_rule])}

    merged = [percepts["learned"], *(m.merge(estimates, 1 / variances) for m in maps[1:])]
    nearest = [m.nearest(trials, rng) for m in maps]
    for name, found in {"field": merged, "nearest unit": nearest}.items():
        results[f"rmse_{name}"] = np.array([np.sqrt(np.nanmean((f - places) ** 2)) for f in found])
    results |= calibrate(agent.senses, world.sensors, world.extent, config.n_experience // 2, rng)
    film = maps[0].film(config)
    return results | film | {"eccentricity": np.array(config.eccentricities), "n_irrelevant": config.n_irrelevant}


def verdict(results) -> Verdict:
    optimal = results["optimal_weight"]
    worst = {rule: abs((results["weight"][:, i] - optimal).mean(axis=0)).max() for i, rule in enumerate(RULES)}
    fall = paired_bootstrap(results["weight"][:, 0, 0], results["weight"][:, 0, -1])
    half = 0.5 * (optimal[:, 0] - optimal[:, -1]).mean()
    growth = {
        name: paired_bootstrap(results[f"rmse_{name}"][:, -1] / results[f"rmse_{name}"][:, 0])
        for name in ("field", "nearest unit")
    }
    follows = worst["learned"] <= TOLERANCE and fall.low > half
    controls_fail = all(worst[rule] > TOLERANCE for rule in CONTROLS)
    robust = growth["field"].high <= ROBUST < growth["nearest unit"].low
    n = int(results["n_irrelevant"][0][-1])
    return Verdict(
        status="PASS" if follows and controls_fail and robust else "FAIL",
        rule=f"(1) weight of vision, learned precision as gain, within {TOLERANCE} of the measured optimum at every "
        f"eccentricity (mean over agents), and falls by more than half the optimum's fall (interval);\nconstant gain, "
        f"permuted precision and width-coded precision are off by more than {TOLERANCE} somewhere;\n(2) {n} irrelevant "
        f"features raise the error of the field to at most {ROBUST} times (interval), that of the nearest unit to more",
        measured="largest difference of weight: "
        + ", ".join(f"{rule} {value:.2f}" for rule, value in worst.items())
        + f"\nfall of the weight {fall:.2f}, half the optimum's {half:.2f}"
        + f"\nerror with {n} irrelevant features: field {growth['field']:.2f} times, nearest unit "
        + f"{growth['nearest unit']:.2f} times",
        published="the merged percept follows the spatially dependent precision of each sense; robust to irrelevant "
        "features (abstract; shapes only)",
    )


main = experiment(
    Config,
    run,
    figure,
    verdict,
    smoke=SMOKE,
    quick=QUICK,
    table=table,
    artefacts={"merging.gif": animate},
    default_seeds=5,
)
