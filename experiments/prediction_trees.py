"""Counts of contexts predict as well as anything with the same history can (world of predictris, Fournier 2025).

Finding     In a deterministic world that is seen only in part, what an action leads to depends on what was done and
            seen before. Outcomes counted per context of d observations and actions reach the Bayes error for that
            history; nothing heavier is needed.
Citation    Fournier, Quinton, Lefort & Armetta 2025, predictris (MeSMRise, ANR-23-CE23-0021-01), whose prediction trees
            grow one in-tree per predicted observation. The numbers compared are those of the CSV files in its
            repository at version 0.1, and its score is implemented here as that version counts.
Prediction  After 50,000 random steps depths 1 to 3 lie within .01 of the enumerated Bayes error for their history,
            after 2,000,000 depth 4, and every depth in the world of all seven pieces; the deeper the better; as
            predictris scores it, depth 3 errs at most half as often.
Controls    Actions shuffled over the steps (no better than observations alone allow), the action alone (memoryless),
            chance, and the Bayes errors with and without actions, by enumeration of all episodes. Swept: the weight of
            the shorter context.
Cost        1 min of processor time for 5 seeds.
"""

from dataclasses import dataclass, replace

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import ContingencyModel, Transitions
from smc.worlds import TetrominoStates

LEARNING, TEST = 10, 4  # steps of an episode, as in predictris
DEPTHS = (1, 2, 3, 4)
TARGETS = ("next", "change")
TOLERANCE = 0.01
EPISODES = 20_000  # that are learned together, to bound the memory
# Errors at test steps 0 to 3: means of the last 10 of 100 points over 10 repetitions in its repository, J and S, 50,000
# steps of random exploration.
PREDICTRIS = {1: (0.946, 0.332, 0.327, 0.334), 2: (0.944, 0.387, 0.242, 0.241), 3: (0.946, 0.384, 0.258, 0.209)}


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    pieces: str = "JS"
    more_pieces: str = "IJLOSTZ"
    n_steps: int = 50_000  # of learning, depths 1 to 3
    n_steps_deep: int = 2_000_000  # depth 4
    curve: tuple[int, ...] = (500, 1_500, 5_000, 15_000, 50_000)  # steps after which depth 3 is tested
    alpha: float = 1.0  # weight of the shorter context, in steps
    alphas: tuple[float, ...] = (0.1, 0.3, 3.0, 10.0)  # swept, depths 1 to 3
    n_steps_more: int = 2_000_000  # of learning with more pieces, at every depth


SMOKE = Config(more_pieces="T", n_steps=500, n_steps_deep=500, curve=(500,), alphas=(3.0,), n_steps_more=500)
QUICK = Config(n_steps_deep=200_000, n_steps_more=200_000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One agent's steps, counted at every depth; errors are exact means over all test episodes there can be."""
    rng = np.random.default_rng(seed)
    world, more = TetrominoStates(config.pieces), TetrominoStates(config.more_pieces)
    steps = experience(world, config.n_steps, rng)
    deep = experience(world, config.n_steps_deep, rng)
    results = {
        "floor": world.bayes_error(TEST),
        "floor_unseen_actions": world.bayes_error(TEST, see_actions=False),
        "floor_more": more.bayes_error(TEST),
        "chance": np.array(1.0 - 1.0 / world.n_observations),
        "n_learned": np.array(config.curve),
        "n_states": np.array([world.n_states, more.n_states]),
        "n_observations": np.array([world.n_observations, more.n_observations]),
    }
    for target in TARGETS:
        models = [learn(config, depth, target, world, deep if depth == 4 else steps) for depth in DEPTHS]
        results[f"error_{target}"] = np.stack([test(model, world) for model in models])
        results[f"late_{target}"] = np.stack([test(model, world, late=True) for model in models])
        results[f"n_contexts_{target}"] = np.array([model.n_contexts_ for model in models])
        starts = [tuple(part[: n // LEARNING] for part in steps) for n in config.curve]
        results[f"curve_{target}"] = np.stack(
            [test(learn(config, 3, target, world, start), world)[2] for start in starts]
        )
    shuffled = steps[0], rng.permuted(steps[1].ravel()).reshape(steps[1].shape)
    results["error_shuffled"] = np.stack(
        [test(learn(config, depth, "next", world, shuffled), world) for depth in (1, 2, 3)]
    )
    results["error_swept"] = np.stack(
        [
            [test(learn(replace(config, alpha=alpha), depth, "next", world, steps), world) for depth in (1, 2, 3)]
            for alpha in config.alphas
        ]
    )
    results["error_memoryless"] = test(learn(config, 0, "next", world, steps), world)
    plenty = experience(more, config.n_steps_more, rng)
    results["error_more"] = np.stack([test(learn(config, depth, "next", more, plenty), more) for depth in DEPTHS])
    return results


def experience(world, n_steps, rng):
    """States (n, 11) and actions (n, 10) of episodes of random actions."""
    n = n_steps // LEARNING
    actions = rng.integers(5, size=(n, LEARNING))
    return world.walk(world.sample(n, rng), actions), actions


def learn(config, depth, target, world, episodes):
    """A model that has counted the episodes."""
    model = ContingencyModel(depth, target, alpha=config.alpha)
    for first in range(0, len(episodes[0]), EPISODES):
        states, actions = (part[first : first + EPISODES] for part in episodes)
        seen = world.patches[states]
        steps = Transitions(
            {"patch": seen[:, :-1].reshape(-1, 3, 3)},
            actions.reshape(-1),
            {"patch": seen[:, 1:].reshape(-1, 3, 3)},
            group=np.repeat(np.arange(len(actions)), LEARNING),
        )
        model.partial_fit(steps)
    return model


def test(model, world, late=False):
    """Share (4,) of wrong predictions at each test step, over all episodes, weighted by their probability.

    With `late` as predictris scores: what precedes the first action is not remembered, so there is no prediction at
    step 0, which counts as an error; later, the most confident prediction counts, here the most probable outcome.
    """
    states, actions, probabilities = world.episodes(TEST)
    seen = world.patches[states]
    errors = np.ones(TEST)
    for step in range(int(late), TEST):
        before = slice(int(late), step)
        predicted = model.predict(seen[:, step], actions[:, step], history=(seen[:, before], actions[:, before]))
        errors[step] = probabilities[(predicted != seen[:, step + 1]).any(axis=(1, 2))].sum()
    return errors


def matched(errors):
    """Error (n_seeds, n_depths) of each depth at the first test step whose history fills it."""
    return np.stack([errors[:, i, i] for i in range(errors.shape[1])], axis=1)


def sweep(results):
    """With how many weights of the shorter context depths 1 to 3 come near the Bayes error, and the deeper the better.

    In the means over seeds.
    """
    errors = results["error_swept"].mean(axis=0)
    near = (errors[:, range(3), range(3)] - results["floor"][0, :3] <= TOLERANCE).all(axis=1)
    deeper = (np.diff(errors[..., 3], axis=1) < 0).all(axis=1)
    return int((near & deeper).sum()), len(errors)


def table(results):
    """Mean errors by test step under either score, which must not be compared with each other."""

    def row(model, errors, **more):
        mean = np.mean(errors, axis=0)
        return {"model": model, **{f"s{step}": float(value) for step, value in enumerate(mean)}, **more}

    plain, late = [], []
    for target in TARGETS:
        for i, depth in enumerate(DEPTHS):
            n_contexts = int(results[f"n_contexts_{target}"][:, i].mean())
            plain.append(row(f"depth {depth}, {target}", results[f"error_{target}"][:, i], contexts=n_contexts))
            late.append(row(f"depth {depth}, {target}", results[f"late_{target}"][:, i]))
    plain += [row(f"depth {i + 1}, shuffled actions", results["error_shuffled"][:, i]) for i in range(3)]
    plain.append(row("action alone (memoryless)", results["error_memoryless"]))
    plain.append(row("chance", np.repeat(results["chance"][:, None], TEST, axis=1)))
    plain.append(row("Bayes error, observations alone", results["floor_unseen_actions"]))
    plain.append(row("Bayes error", results["floor"]))
    late += [row(f"predictris, depth {depth} (published)", [errors]) for depth, errors in PREDICTRIS.items()]
    more = [row(f"depth {depth}, next", results["error_more"][:, i]) for i, depth in enumerate(DEPTHS)]
    more.append(row("Bayes error", results["floor_more"]))
    counts = "{} states, {} observations".format
    js, every = (counts(*pair) for pair in zip(results["n_states"][0], results["n_observations"][0]))
    return {
        f"Share of wrong predictions at each test step ({js})": plain,
        "The same as predictris scores it: memory begins one step late, no prediction is an error": late,
        f"More pieces ({every})": more,
    }


def figure(results):
    """Error by history under either score, and while learning."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(12.5, 4.4))
    steps = np.arange(TEST)
    for i, depth in enumerate(DEPTHS):
        interval_line(axes[0], steps, results["error_next"][:, i], f"depth {depth}", color=PALETTE[i])
        if depth < 4:
            interval_line(axes[1], steps[1:], results["late_next"][:, i, 1:], f"depth {depth}", color=PALETTE[i])
            published = PREDICTRIS[depth][1:]
            axes[1].plot(steps[1:], published, "s:", color=PALETTE[i], label=f"predictris, depth {depth}")
    grey = {"color": "#5A5A5A", "marker": ""}
    axes[0].plot(steps, results["floor"][0], linestyle="--", **grey, label="Bayes error", zorder=5)
    shuffled = matched(results["error_shuffled"])
    interval_line(axes[0], steps[:3], shuffled, "actions shuffled, depth as needed", color=PALETTE[4], marker="x")
    axes[0].plot(steps, results["floor_unseen_actions"][0], linestyle=":", **grey, label="Bayes error, actions unseen")
    for target, color, dash in zip(TARGETS, (PALETTE[2], PALETTE[5]), ("-", "--")):
        interval_line(
            axes[2],
            results["n_learned"][0],
            results[f"curve_{target}"],
            f"depth 3, {target}",
            color=color,
            linestyle=dash,
        )
    axes[2].axhline(results["floor"][0, 2], linestyle="--", **grey, label="Bayes error")
    axes[2].set_xscale("log")
    axes[0].set(title="every prediction", xlabel="steps before, in the same episode", xticks=steps)
    axes[1].set(title="as predictris scores it", xlabel="test step", xticks=steps[1:])
    axes[2].set(title="while learning", xlabel="steps learned")
    for ax in axes:
        ax.set_ylim(0, None)
        ax.legend(fontsize=8.5)
    axes[0].set_ylabel("wrong predictions (share)")
    axes[2].set_ylabel("wrong after two steps (share)")
    return fig


def verdict(results) -> Verdict:
    floor = np.broadcast_to(results["floor"], (len(results["floor"]), TEST))
    excess = [paired_bootstrap(matched(results["error_next"])[:, i], floor[:, i]) for i in range(len(DEPTHS))]
    last = results["error_next"][:, :3, 3]
    deeper = [paired_bootstrap(last[:, i], last[:, i + 1]) for i in range(2)]
    floor_more = np.broadcast_to(results["floor_more"], floor.shape)
    excess_more = [paired_bootstrap(matched(results["error_more"])[:, i], floor_more[:, i]) for i in range(len(DEPTHS))]
    late, published = paired_bootstrap(results["late_next"][:, 2, 3]), PREDICTRIS[3][3]
    shuffled = paired_bootstrap(matched(results["error_shuffled"]), results["floor_unseen_actions"][:, :3])
    n_held, n_swept = sweep(results)
    passed = (
        all(interval.high <= TOLERANCE for interval in excess + excess_more)
        and all(interval.low > 0 for interval in deeper)
        and late.high <= published / 2
        and shuffled.low >= 0
    )
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"at matched history the error of every depth exceeds the Bayes error by at most {TOLERANCE} (interval),\n"
        "with two pieces and with all seven;\n"
        "at step 3 each of depths 1 to 3 beats the one before (intervals above 0);\n"
        f"as predictris scores it, depth 3 at step 3 errs at most {published / 2:.4f} (interval);\n"
        "with shuffled actions the error is not below the Bayes error of observations alone (interval)",
        measured="excess over the Bayes error, depths 1 to 4: "
        + ", ".join(f"{interval:.4f}" for interval in excess)
        + "\nthe same with more pieces: "
        + ", ".join(f"{interval:.4f}" for interval in excess_more)
        + "\ngain at step 3 of depth 2 over 1, 3 over 2: "
        + ", ".join(f"{interval:.4f}" for interval in deeper)
        + f"\ndepth 3 at step 3, scored as predictris: {late:.4f}"
        + f"\nshuffled actions, above the Bayes error of observations alone: {shuffled:.4f}"
        + f"\ndepths 1 to 3 at most {TOLERANCE} above the Bayes error, the deeper the better, in {n_held} of {n_swept} "
        "weights of the shorter context (means)",
        published=f"predictris, depth 3 at step 3, its score: {published} (mean of its repository's CSV files)",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
