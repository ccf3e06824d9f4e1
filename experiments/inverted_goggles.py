"""Inverting goggles: reaching fails, recovers, and fails again when they come off (after Stratton 1897).

Finding     An agent that learns what its movements change in the visual field, and forgets, adapts to goggles that
            swap left and right; without them it then errs anew (aftereffect). With two memories, of which one forgets
            faster, it adapts faster the second time (savings), even after a washout.
Citation    Stratton 1897, Psychological Review 4, for the protocol; Smith, Ghazizadeh & Shadmehr 2006, PLoS Biology 4,
            for the two memories: one of a single rate has no savings after a full washout.
Prediction  Putting the goggles on, and taking them off, raises the share of steps that do not bring the hand nearer
            to the target to more than five times that of before; the second adaptation takes fewer steps than the
            first in at least 80 % of the agents. A learner that never forgets has no aftereffect.
Controls    No forgetting; one memory; actions shuffled (the learner is told another's); random steps (chance); a
            learner that is told which goggles it wears (ceiling). Swept: both rates, and the time without goggles. What
            a step changes hardly depends on where the hand is, so a learner without context would be no control.
Cost        2 min of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import ContingencyModel
from smc.worlds import ReachStates

PHASES = ("bare", "goggles", "bare again", "goggles again")
BLOCK = 50  # steps over which errors are averaged
TIMES, SHARE = 5.0, 0.8  # least rise of the error; least share of agents that adapt faster
REMAINS = 0.1  # share of the rise that may remain with shuffled actions


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line. Times are in steps."""

    goggles: str = "left-right"
    size: int = 7  # of the visual field, in cells
    n_agents: int = 20
    fast: float = 0.01  # share of its counts that the fast memory loses per step
    slow: float = 0.001
    exploration: float = 0.05  # share of steps in a random direction
    n_first: int = 2000  # steps of the first phase
    n_goggles: int = 1000  # of either phase with goggles
    n_bare: int = 800  # between them
    criterion: float = 0.2  # an agent has adapted when so few of the next BLOCK steps are wrong
    fasts: tuple[float, ...] = (0.005, 0.01, 0.02)  # swept
    slows: tuple[float, ...] = (0.0003, 0.001)
    bares: tuple[int, ...] = (500, 1200)


SMOKE = Config(
    n_agents=4, n_first=200, n_goggles=100, n_bare=100, fast=0.05, slow=0.01, fasts=(0.05,), slows=(0.01,), bares=(100,)
)
QUICK = Config(n_agents=10)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Wrong steps (n_agents, n_steps) of each learner, and over the sweep whether the pattern holds."""
    both = config.fast, config.slow
    learners: dict[str, dict] = {
        "two memories": {},
        "one memory": {"rates": (config.fast,)},
        "never forgets": {"rates": (0.0,)},
        "shuffled actions": {"shuffled": True},
        "random steps": {"exploration": 1.0},
        "told": {"told": True},
    }
    results = {
        f"wrong {name}": reach(config, seed, config.n_bare, **{"rates": both, **options})
        for name, options in learners.items()
    }
    swept = [
        [
            [holds(reach(config, seed, n_bare, (fast, slow)), config, n_bare) for n_bare in config.bares]
            for slow in config.slows
        ]
        for fast in config.fasts
    ]
    return results | {
        "swept": np.array(swept),
        "starts": starts(config, config.n_bare),
        "criterion": np.array(config.criterion),
    }


def starts(config, n_bare):
    """First step of each phase, and the end of the last."""
    return np.cumsum([0, config.n_first, config.n_goggles, n_bare, config.n_goggles])


def reach(config, seed, n_bare, rates, *, exploration=None, shuffled=False, told=False):
    """Let agents reach for target after target; whether each step failed to bring the hand nearer (n_agents, n_steps).

    A memory forgets at each of the `rates`. All agents share the models but no context: each action carries the number
    of its agent.
    """
    rng = np.random.default_rng([seed, n_bare, 1])
    exploration = config.exploration if exploration is None else exploration
    worlds = ReachStates(config.size), ReachStates(config.size, config.goggles)
    n, agents = config.n_agents, np.arange(config.n_agents)
    # The steps of all agents fade the counts of each.
    models = [ContingencyModel(1, "change", forgetting=1.0 - (1.0 - rate) ** (1.0 / n)) for rate in rates]
    first = starts(config, n_bare)
    wrong = np.empty((n, first[-1]), bool)
    state = worlds[0].sample(n, rng)
    choices = np.tile(np.arange(4), n)
    for t in range(first[-1]):
        wearing = int(np.searchsorted(first, t, side="right") % 2 == 0)
        hand, target = (worlds[wearing].senses[name][state].astype(int) for name in ("hand", "target"))
        who = np.repeat(agents, 4)
        label = agents + n * wearing if told else agents
        if t:
            labels = np.repeat(label, 4)
            expected = hand[who] + most_probable(models, hand[who], np.stack([labels, choices], axis=1))
            distance = np.abs(expected - target[who]).sum(axis=1).reshape(n, 4) + rng.random((n, 4)) / 2
            action = distance.argmin(axis=1)
        explored = rng.random(n) < exploration
        action = rng.integers(0, 4, n) if t == 0 else np.where(explored, rng.integers(0, 4, n), action)
        after = worlds[0].following[state, action]
        noted = rng.permutation(action) if shuffled else action
        for model in models:
            model.update(hand, np.stack([label, noted], axis=1), worlds[wearing].senses["hand"][after].astype(int))
        wrong[:, t] = distance_left(worlds[0], after) >= distance_left(worlds[0], state)
        state = new_targets(worlds[0], after, rng)
    return wrong


def most_probable(models, observation, action):
    """The change that the memories together hold most probable."""
    chance = sum(model.predict_proba(observation, action) for model in models)
    return models[0].outcomes_[chance.argmax(axis=1)]


def distance_left(world, state):
    hand, target = np.split(world.states[state], 2, axis=1)
    return np.abs(hand - target).sum(axis=1)


def new_targets(world, state, rng):
    """States with another target where the hand has reached its own."""
    n_cells = world.size**2
    hand, target = np.divmod(state, n_cells)
    moved = (hand + rng.integers(1, n_cells, len(state))) % n_cells
    return hand * n_cells + np.where(hand == target, moved, target)


def measures(wrong, first, criterion):
    """Errors before and after each change of goggles, and the steps that adaptation takes.

    Returns
    -------
    before, after : ndarray (n_agents, 3)
        Share of wrong steps in the four blocks before goggles are put on, off and on, and in the block after.
    steps : ndarray (n_agents, 3)
        Steps until a block meets the criterion; the length of the phase if none does.
    """
    before = np.stack([wrong[:, t - 4 * BLOCK : t].mean(axis=1) for t in first[1:-1]], axis=1)
    after = np.stack([wrong[:, t : t + BLOCK].mean(axis=1) for t in first[1:-1]], axis=1)
    steps = np.empty((len(wrong), 3))
    for phase in range(3):
        part = wrong[:, first[phase + 1] : first[phase + 2]]
        sums = np.cumsum(np.pad(part, ((0, 0), (1, 0))), axis=1)
        met = (sums[:, BLOCK:] - sums[:, :-BLOCK]) / BLOCK <= criterion
        steps[:, phase] = np.where(met.any(axis=1), met.argmax(axis=1), part.shape[1])
    return before, after, steps


def holds(wrong, config, n_bare):
    """Whether jump, aftereffect and savings are all there, in the means over agents."""
    before, after, steps = measures(wrong, starts(config, n_bare), config.criterion)
    jump, aftereffect = (after[:, :2].mean(axis=0) > TIMES * before[:, 0].mean()) & (
        after[:, :2].mean(axis=0) > before[:, :2].mean(axis=0)
    )
    return jump and aftereffect and (steps[:, 2] < steps[:, 0]).mean() >= SHARE


def summaries(results, name):
    """Measures of a learner by seed: before, after (n_seeds, n_agents, 3), steps likewise."""
    first, criterion = results["starts"][0], results["criterion"][0]
    return tuple(np.stack(part) for part in zip(*(measures(w, first, criterion) for w in results[f"wrong {name}"])))


def learners(results):
    return [key.removeprefix("wrong ") for key in results if key.startswith("wrong ")]


def table(results):
    """By learner: wrong steps in % before and after each change, and the steps that adaptation takes."""
    rows = []
    for name in learners(results):
        before, after, steps = summaries(results, name)
        row = {"learner": name, "bare (%)": 100 * before[..., 0].mean()}
        for i, change in enumerate(("on", "off", "on again")):
            row[f"{change} (%)"] = 100 * after[..., i].mean()
            row[f"steps, {change}"] = float(np.median(steps[..., i]))
        rows.append(row)
    return rows


def figure(results):
    """Wrong steps over time, and the steps that the first and the second adaptation take."""
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4.2), width_ratios=(2.3, 1))
    first = results["starts"][0]
    shown = {"two memories": 0, "one memory": 1, "never forgets": 3, "shuffled actions": 4, "told": 2}
    for name, color in shown.items():
        wrong = results[f"wrong {name}"].mean(axis=1)
        blocks = wrong[:, : wrong.shape[1] // BLOCK * BLOCK].reshape(len(wrong), -1, BLOCK).mean(axis=-1)
        x = BLOCK * (np.arange(blocks.shape[1]) + 0.5)
        interval_line(left, x, 100 * blocks, name, color=PALETTE[color], marker="")
    for phase, name in enumerate(PHASES):
        left.text(first[phase : phase + 2].mean(), 103, name, ha="center")
        if phase % 2:
            left.axvspan(first[phase], first[phase + 1], color="#F0E9D8", zorder=0)
    left.set(xlabel="step", ylabel="steps not towards the target (%)", ylim=(0, 110), xlim=(0, first[-1]))
    left.legend(loc="upper left", bbox_to_anchor=(0.0, 0.92), fontsize=9)
    _, _, steps = summaries(results, "two memories")
    pairs = steps[..., [0, 2]].reshape(-1, 2)
    rng = np.random.default_rng(0)
    jitter = rng.uniform(-0.06, 0.06, (len(pairs), 1))
    right.plot(
        (np.arange(2) + jitter).T, pairs.T, color=PALETTE[0], alpha=0.25, linewidth=0.8, marker="o", markersize=3
    )
    right.plot([0, 1], np.median(pairs, axis=0), "k_-", markersize=16, label="median")
    right.set(xticks=[0, 1], xlim=(-0.4, 1.4), ylabel="steps until adapted", ylim=(0, None))
    right.set_xticklabels(["goggles", "goggles again"])
    right.set_title("two memories, a line per agent")
    right.legend()
    return fig


def verdict(results) -> Verdict:
    before, after, steps = summaries(results, "two memories")
    jump, aftereffect = (paired_bootstrap(after[..., i], TIMES * before[..., 0]) for i in range(2))
    rise = {name: paired_bootstrap(*rises(results, name, 1)) for name in ("two memories", "never forgets")}
    faster = {name: is_faster(results, name) for name in ("two memories", "one memory")}
    share, gain = paired_bootstrap(faster["two memories"]), paired_bootstrap(*faster.values())
    (on, off), (on_shuffled, off_shuffled) = (rises(results, name, 0) for name in ("two memories", "shuffled actions"))
    remains = paired_bootstrap(on_shuffled - off_shuffled, REMAINS * (on - off))
    passed = (
        min(jump.low, aftereffect.low, rise["two memories"].low, gain.low) > 0
        and share.low >= SHARE
        and max(rise["never forgets"].high, remains.high) < 0
    )
    means = 100 * before[..., 0].mean(), 100 * after[..., 0].mean(), 100 * after[..., 1].mean()
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"with two memories, wrong steps minus {TIMES:g} times those of before: above 0 when goggles are put on "
        f"and taken off;\nthe second adaptation is faster in at least {100 * SHARE:.0f} % of the agents, and in more "
        "than with one memory;\ntaking off raises wrong steps with two memories and lowers them without forgetting;\n"
        f"with shuffled actions putting on raises them by less than {REMAINS} times as much (all by intervals)",
        measured=f"wrong steps {means[0]:.1f} % before, {means[1]:.1f} % with goggles, {means[2]:.1f} % without again; "
        f"excess {jump:.2f}, {aftereffect:.2f}\n"
        f"second adaptation faster in {share:.2f} of the agents (medians {np.median(steps[..., 0]):.0f} and "
        f"{np.median(steps[..., 2]):.0f} steps), {gain:.2f} more than with one memory\n"
        f"rise at taking off {rise['two memories']:.2f}, without forgetting {rise['never forgets']:.2f}\n"
        f"rise at putting on {(on - off).mean():.2f}, with shuffled actions {(on_shuffled - off_shuffled).mean():.2f}, "
        f"which is above {REMAINS} times the former by {remains:.2f}\n"
        f"jump, aftereffect and savings all hold in {100 * results['swept'].mean():.0f} % of the sweep of both rates "
        "and the time without goggles",
    )


def rises(results, name, change):
    """Wrong steps after and before goggles are put on (0) or taken off (1)."""
    before, after, _ = summaries(results, name)
    return after[..., change], before[..., change]


def is_faster(results, name):
    steps = summaries(results, name)[2]
    return (steps[..., 2] < steps[..., 0]).astype(float)


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
