"""Active and yoked learners see the same images; only who knows the commands learns what they do (Held & Hein 1963).

Finding     What counts is that commands and images belong together, not who chose the commands: a passive learner that
            receives the actor's commands learns as much as the actor. Passive learners with their own commands, or
            none, learn nothing about action, and catch up once free. Choosing by what one does not know yet teaches
            faster than carrying out what another chose.
Citation    Held & Hein 1963, Journal of Comparative and Physiological Psychology 56: of two kittens that saw the same,
            only the active one came to place its paws by sight; the passive ones caught up when free.
Prediction  The active learner picks the action that leads to a given image in at least 90 % of the cases; the one with
            the actor's commands differs from it by at most 3 points. That holds by construction up to the commands that
            each misreads: a learner that counts does not know who gave a command, and the actor commands at random.
            Those with own or without commands reach at most 60 %, and come within 5 points after as long a free
            exposure.
Controls    The actor's commands shuffled in time; the command alone (memoryless); chance. Swept: length of the
            corridor, exposure, and how often a command is misread, as no source gives them.
Cost        1 min of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import ContingencyModel, Transitions
from smc.policies import InformationGain, RandomPolicy, YokedReplay
from smc.worlds import CorridorStates

LEARNERS = ("active", "own commands", "no commands", "actor's commands", "shuffled commands", "memoryless")
CHOOSERS = ("own choice", "another's choice", "random")
ACTIVE, YOKED, SAME, RECOVERED = 0.90, 0.60, 0.03, 0.05


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_pairs: int = 10  # of an active and yoked learners
    length: int = 12  # of the corridor
    n_steps: int = 3000  # of exposure
    misread: float = 0.05  # share of the commands that a learner takes for another, each learner its own
    n_choices: int = 600  # steps of those who choose
    n_checks: int = 8  # at which they are tested on the way
    lengths: tuple[int, ...] = (8, 12, 20)  # swept
    exposures: tuple[int, ...] = (1000, 3000, 10_000)
    misreads: tuple[float, ...] = (0.0, 0.05, 0.2)


SMOKE = Config(n_pairs=2, length=6, n_steps=500, n_choices=50, n_checks=2, lengths=(6,), exposures=(500,))
QUICK = Config(n_choices=300)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Right choices (n_pairs,) of each learner, before and after free exposure; errors of those who choose."""
    bound, free, error = expose(config, seed, config.length, config.n_steps, config.misread)
    results = {"chance": np.array(chance(CorridorStates(config.length, seed)))}
    for name in LEARNERS:
        results[f"bound {name}"] = bound[name]
        results[f"error {name}"] = error[name]
    for name, right in free.items():
        results[f"free {name}"] = right
    curves = choose(config, seed)
    swept = [
        [
            [holds(*expose(config, seed, length, n, misread)[:2]) for misread in config.misreads]
            for n in config.exposures
        ]
        for length in config.lengths
    ]
    checks = np.linspace(0, config.n_choices, config.n_checks + 1)[1:].astype(int)
    return results | {f"curve {name}": curves[name] for name in CHOOSERS} | {"checks": checks, "swept": np.array(swept)}


# --- on identical images -------------------------------------------------------------------------------------------


def expose(config, seed, length, n_steps, misread):
    """Right choices of each learner: bound to the actor's images, and after free exposure; errors when bound."""
    rng = np.random.default_rng([seed, length, n_steps])
    world = CorridorStates(length, seed)
    n = config.n_pairs
    start = world.sample(n, rng)
    commands = rng.integers(0, 4, (n, n_steps))
    path = world.walk(start, commands)
    heard = {
        "active": commands,
        "own commands": rng.integers(0, 4, commands.shape),
        "no commands": np.zeros_like(commands),
        "actor's commands": commands,
        "shuffled commands": rng.permuted(commands, axis=1),
        "memoryless": commands,
    }
    bound, free, error = {}, {}, {}
    for name in LEARNERS:
        model = ContingencyModel(0 if name == "memoryless" else 1, "next")
        model.fit(steps(world, path, read(heard[name], misread, rng)))
        bound[name], error[name] = (
            right_choices(model, world, n, rng),
            [prediction_error(model, world, i) for i in range(n)],
        )
        if name in ("own commands", "no commands"):
            own = rng.integers(0, 4, commands.shape)
            model.partial_fit(steps(world, world.walk(start, own), read(own, misread, rng)))
            free[name] = right_choices(model, world, n, rng)
    return bound, free, error


def read(commands, misread, rng):
    """The commands as a learner takes them."""
    wrong = rng.random(commands.shape) < misread
    return np.where(wrong, (commands + rng.integers(1, 4, commands.shape)) % 4, commands)


def steps(world, path, commands):
    """Steps of all learners; each has contexts of its own, as an action carries the learner's number."""
    image = world.senses["image"][path]
    who = np.broadcast_to(np.arange(len(path))[:, None], commands.shape)
    action = np.stack([who, commands], axis=-1).reshape(-1, 2)
    before, after = (part.reshape(len(action), -1) for part in (image[:, :-1], image[:, 1:]))
    return Transitions({"image": before}, action, {"image": after})


def right_choices(model, world, n, rng):
    """Share (n,) of cases in which a learner picks an action that leads to an image one step away."""
    image, following = world.senses["image"], world.following
    who, state, goal, action = np.indices((n, world.n_states, 4, 4)).reshape(4, -1)
    surprise = model.surprise(image[state], np.stack([who, action], axis=1), image[following[state, goal]])
    surprise = surprise.reshape(n, world.n_states, 4, 4)
    tied = surprise <= surprise.min(axis=-1, keepdims=True) + 1e-9
    picked = np.where(tied, rng.random(surprise.shape), -1.0).argmax(axis=-1)
    led = following[np.arange(world.n_states)[:, None], picked]
    return (led == following)[:, is_away(world)].mean(axis=1)


def is_away(world):
    """Actions (n_states, 4) that lead to another image."""
    return world.following != np.arange(world.n_states)[:, None]


def chance(world):
    """Share of right choices among random ones."""
    same = world.following[:, :, None] == world.following[:, None, :]
    return same.mean(axis=2)[is_away(world)].mean()


def prediction_error(model, world, learner=None):
    """Share of wrong predictions over all states and actions, by one of the learners of a model, or its only one."""
    image = world.senses["image"]
    state, action = np.indices((world.n_states, 4)).reshape(2, -1)
    asked = action if learner is None else np.column_stack([np.full_like(action, learner), action])
    return (model.predict(image[state], asked) != image[world.following[state, action]]).any(axis=1).mean()


def holds(bound, free):
    """Whether the four learners on identical images order as predicted, in the means."""
    active, own, none, actor = (bound[name].mean() for name in LEARNERS[:4])
    return (
        active >= ACTIVE
        and abs(active - actor) <= SAME
        and max(own, none) <= YOKED
        and all(right.mean() >= active - RECOVERED for right in free.values())
    )


# --- who chooses ---------------------------------------------------------------------------------------------------


def choose(config, seed):
    """Errors (n_pairs, n_checks) of learners that act, by who chose their actions.

    Those who choose take the action with the greatest expected information gain; the replaying learner carries out what
    another chose in the same corridor from another start.
    """
    rng = np.random.default_rng([seed, 2])
    world = CorridorStates(config.length, seed)
    checks = np.linspace(0, config.n_choices, config.n_checks + 1)[1:].astype(int)
    curves = {name: [] for name in CHOOSERS}
    for start, elsewhere in zip(*(world.sample(config.n_pairs, rng) for _ in range(2))):
        curve, _ = act(world, start, InformationGain(ContingencyModel(1, "next"), 4), checks, rng)
        _, others = act(world, elsewhere, InformationGain(ContingencyModel(1, "next"), 4), checks, rng)
        curves["own choice"].append(curve)
        curves["another's choice"].append(act(world, start, YokedReplay(others), checks, rng)[0])
        curves["random"].append(act(world, start, RandomPolicy(4), checks, rng)[0])
    return {name: np.array(curve) for name, curve in curves.items()}


def act(world, start, policy, checks, rng):
    """Let a policy act from a state; errors (n_checks,) of what is learned, and what was done (n_steps, 1)."""
    image, state = world.senses["image"], np.array([start])
    model = getattr(policy, "model", ContingencyModel(1, "next"))
    learn = policy.learn if hasattr(policy, "model") else model.update
    done, curve = [], []
    for t in range(checks[-1]):
        action = policy(image[state], rng)
        after = world.following[state, action]
        learn(image[state], action, image[after])
        done.append(action)
        state = after
        if t + 1 in checks:
            curve.append(prediction_error(model, world))
    return curve, np.array(done)


# --- what is shown -------------------------------------------------------------------------------------------------


def table(results):
    """By learner: right choices and prediction error in %, and right choices after free exposure."""
    rows = []
    for name in LEARNERS:
        free = results.get(f"free {name}")
        rows.append(
            {
                "learner": name,
                "right choices (%)": 100 * results[f"bound {name}"].mean(),
                "wrong predictions (%)": 100 * results[f"error {name}"].mean(),
                "right choices, then free (%)": None if free is None else 100 * free.mean(),
            }
        )
    rows.append({"learner": "chance", "right choices (%)": 100 * results["chance"].mean()})
    last = [{"who chooses": n, "wrong predictions (%)": 100 * results[f"curve {n}"][..., -1].mean()} for n in CHOOSERS]
    return {"Learners on identical images": rows, "Learners that act, by who chooses": last}


def figure(results):
    """Right choices of each learner, and errors over time by who chooses."""
    import matplotlib.pyplot as plt

    fig, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.3), width_ratios=(1.5, 1))
    rng = np.random.default_rng(0)
    for i, name in enumerate(LEARNERS):
        left.bar(i, 100 * results[f"bound {name}"].mean(), color=PALETTE[0], alpha=0.35, width=0.6)
        for kind, color, marker in (("bound", PALETTE[0], "o"), ("free", PALETTE[3], "s")):
            if f"{kind} {name}" in results:
                means = 100 * results[f"{kind} {name}"].mean(axis=1)
                x = i + rng.uniform(-0.12, 0.12, len(means))
                label = {"bound": "on the actor's images", "free": "then free for as long"}[kind]
                left.plot(x, means, marker, color=color, markersize=4, label=label if i == 1 else None)
    left.axhline(100 * results["chance"].mean(), color="#5A5A5A", linestyle=":", label="chance")
    left.set_xticks(range(len(LEARNERS)), [name.replace(" ", "\n") for name in LEARNERS])
    left.set(
        ylabel="right choices of action (%)", ylim=(0, 104), title="four learners on identical images, two controls"
    )
    left.grid(axis="x", visible=False)
    left.legend(loc="upper right", bbox_to_anchor=(1.0, 0.9))
    for name, color in zip(CHOOSERS, (PALETTE[0], PALETTE[3], PALETTE[7])):
        interval_line(right, results["checks"][0], 100 * results[f"curve {name}"].mean(axis=1), name, color=color)
    right.set(xlabel="steps", ylabel="wrong predictions (%)", ylim=(0, None), title="learners that act")
    right.legend(title="actions by")
    return fig


def verdict(results) -> Verdict:
    right = {name: paired_bootstrap(results[f"bound {name}"]) for name in LEARNERS}
    same = paired_bootstrap(results["bound active"], results["bound actor's commands"])
    gap = [paired_bootstrap(results["bound active"], results[f"free {name}"]) for name in LEARNERS[1:3]]
    gains = [
        paired_bootstrap(results[f"curve {name}"][..., -1], results["curve own choice"][..., -1])
        for name in CHOOSERS[1:]
    ]
    passed = (
        right["active"].low >= ACTIVE
        and max(-same.low, same.high) <= SAME
        and max(right[name].high for name in ("own commands", "no commands", "shuffled commands")) <= YOKED
        and max(interval.high for interval in gap) <= RECOVERED
        and min(interval.low for interval in gains) > 0
    )
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"right choices, by intervals: active at least {ACTIVE}; with the actor's commands within {SAME} of it\n"
        f"(by construction, but for misread commands); own, no and shuffled commands at most {YOKED};\n"
        f"own and no commands within {RECOVERED} of active after free exposure;\n"
        "learners that choose err less than with another's choices and than at random (intervals above 0)",
        measured="right choices: "
        + ", ".join(f"{name} {right[name]:.3f}" for name in LEARNERS[:4])
        + f"\nshuffled commands {right['shuffled commands']:.3f}, memoryless {right['memoryless']:.3f}, chance "
        f"{results['chance'].mean():.3f}\nactive minus actor's commands {same:.3f}; active minus own, no commands "
        "after free exposure "
        + ", ".join(f"{interval:.3f}" for interval in gap)
        + "\nfewer errors by own choice than by another's, than at random: "
        + ", ".join(f"{interval:.3f}" for interval in gains)
        + f"\nthe order of the four learners holds in {100 * results['swept'].mean():.0f} % of the sweep of length, "
        "exposure and misread commands",
        published="within 63 hours all active kittens and no passive one placed their paws by sight",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
