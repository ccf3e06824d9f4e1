"""Another sense on the same body: what was learned about movement carries over (after Bach-y-Rita et al. 1969).

Finding     An agent that has learned with one sense where its movements lead needs, with another sense, to learn only
            what each place feels like. It reaches the criterion in a fraction of the steps of one that starts anew,
            also where the new sense is too poor to tell places apart.
Citation    Bach-y-Rita, Collins, Saunders, White & Scadden 1969, Nature 221, for substitution by an actively moved
            camera; no number of theirs is a target. The law of movement as what stays: O'Regan & Noe 2001, Behavioral
            and Brain Sciences 24.
Prediction  From sight to touch, and from sight to a sense of range, the agent that keeps its law of movement needs at
            most half as many steps to the criterion as one that starts from scratch, at the better of two depths of
            context; with a shuffled law, or one learned from shuffled actions, it needs no fewer.
Controls    The law shuffled over places and actions; actions shuffled while the law was learned; from scratch with
            contexts of one step and of three; chance (the most frequent sensation), for who knows no law and counts in
            no context is without memory. Swept: noise of the new sense,
            weight of the prior, criterion.
Cost        1 min of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import ContingencyModel, Transitions
from smc.worlds import RoomStates

SENSES = ("touch", "range")  # that take the place of sight
LEARNERS = ("law kept", "from scratch", "from scratch, depth 3", "law shuffled", "law from shuffled actions")
WINDOW = 20  # steps over which the criterion is taken
HALF = 0.5


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_agents: int = 20
    n_sight: int = 4000  # steps with sight
    n_steps: int = 1500  # with the new sense
    criterion: float = 0.9  # share of right predictions in WINDOW steps
    noise: float = 0.0  # share of random sensations of the new sense
    alpha: float = 0.2  # weight, in steps, of the prior of what a place feels like
    noises: tuple[float, ...] = (0.0, 0.05)  # swept
    alphas: tuple[float, ...] = (0.05, 0.2, 1.0)
    criteria: tuple[float, ...] = (0.8, 0.9)


SMOKE = Config(n_agents=3, n_sight=500, n_steps=150, noises=(0.0,), alphas=(0.2,), criteria=(0.8,))
QUICK = Config(n_agents=10, n_steps=800)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Right predictions (n_agents, n_steps) of each learner with each new sense; ratios of steps over the sweep."""
    rng = np.random.default_rng(seed)
    room = RoomStates()
    actions = rng.integers(0, 4, config.n_sight)
    law = learn_law(room, actions, actions, rng)
    shuffled = rng.permutation(law.ravel()).reshape(law.shape)
    confused = learn_law(room, actions, rng.permutation(actions), rng)
    true = room.following[np.argsort(room.symbols("sight"))]
    results = {"law right": (law == room.symbols("sight")[true]).mean(), "chance": [], "criterion": config.criterion}
    for sense in SENSES:
        felt, done = walk(config, room, sense, config.noise, rng)
        right = {
            "law kept": bind(law, felt, done, config.alpha),
            "from scratch": scratch(felt, done, 1),
            "from scratch, depth 3": scratch(felt, done, 3),
            "law shuffled": bind(shuffled, felt, done, config.alpha),
            "law from shuffled actions": bind(confused, felt, done, config.alpha),
        }
        results |= {f"{sense}: {name}": values for name, values in right.items()}
        results["chance"].append(np.bincount(felt.ravel()).max() / felt.size)
    results["swept"] = [
        [
            [sweep(config, room, law, noise, alpha, criterion, seed) for criterion in config.criteria]
            for alpha in config.alphas
        ]
        for noise in config.noises
    ]
    return {key: np.asarray(value) for key, value in results.items()}


def learn_law(room, actions, told, rng):
    """Where each action leads from each place (n_places, 4), places numbered by what is seen there."""
    path = room.walk(room.sample(1, rng), actions[None])[0]
    seen = room.symbols("sight")[path]
    model = ContingencyModel(1, "next").fit(Transitions({"sight": seen[:-1]}, told, {"sight": seen[1:]}))
    place, action = np.indices((seen.max() + 1, 4)).reshape(2, -1)
    return model.predict(place, action).reshape(-1, 4)


def walk(config, room, sense, noise, rng):
    """What is felt (n_agents, n_steps + 1) on random walks from unknown places, and what was done."""
    done = rng.integers(0, 4, (config.n_agents, config.n_steps))
    felt = room.symbols(sense)[room.walk(room.sample(config.n_agents, rng), done)]
    wrong = rng.random(felt.shape) < noise
    return np.where(wrong, rng.integers(0, felt.max() + 1, felt.shape), felt), done


def bind(law, felt, done, alpha):
    """Learn what each place of a known law feels like; whether each next sensation was predicted (n, n_steps).

    The agent does not know where it is. It holds a hypothesis for every place it may have started from, follows each
    through the law, counts for each what the places felt like, and trusts each by how well it predicted.
    """
    n, n_steps = done.shape
    n_places, n_felt = len(law), felt.max() + 1
    agent, start = np.ogrid[:n, :n_places]
    place = np.broadcast_to(start, (n, n_places))
    counts = np.zeros((n, n_places, n_places, n_felt))
    trust = np.zeros((n, n_places))  # log odds
    right = np.empty((n, n_steps), bool)
    for t in range(n_steps + 1):
        if t:
            place = law[place, done[:, t - 1, None]]
        here = counts[agent, start, place] + alpha / n_felt
        chance = here / here.sum(axis=-1, keepdims=True)
        if t:
            weight = np.exp(trust - trust.max(axis=1, keepdims=True))
            right[:, t - 1] = (weight[..., None] * chance).sum(axis=1).argmax(axis=1) == felt[:, t]
        trust += np.log(chance[agent, start, felt[:, t, None]])
        counts[agent, start, place, felt[:, t, None]] += 1.0
    return right


def scratch(felt, done, order):
    """Predict each sensation by counts in contexts of the new sense alone; whether rightly (n, n_steps)."""
    right = []
    for feelings, actions in zip(felt, done):
        group = np.zeros(len(actions), int)
        steps = Transitions({"new": feelings[:-1]}, actions, {"new": feelings[1:]}, group)
        right.append(right_before(ContingencyModel(order, "next"), steps))
    return np.stack(right)


def right_before(model, steps):
    """Whether each step was predicted from those before it."""
    return model.prequential(steps)[1]


def steps_to(right, criterion):
    """Steps (n,) after which the share of right predictions over WINDOW steps meets the criterion; all, if never."""
    sums = np.cumsum(np.pad(right, ((0, 0), (1, 0))), axis=1)
    met = (sums[:, WINDOW:] - sums[:, :-WINDOW]) / WINDOW >= criterion
    return np.where(met.any(axis=1), met.argmax(axis=1) + WINDOW, right.shape[1]).astype(float)


def sweep(config, room, law, noise, alpha, criterion, seed):
    """Mean steps with the law kept over those from scratch, at the better depth, by sense."""
    ratios = []
    for i, sense in enumerate(SENSES):
        felt, done = walk(config, room, sense, noise, np.random.default_rng([seed, i]))
        kept = steps_to(bind(law, felt, done, alpha), criterion).mean()
        ratios.append(kept / min(steps_to(scratch(felt, done, order), criterion).mean() for order in (1, 3)))
    return ratios


def all_steps(results, sense):
    """Steps to the criterion (n_seeds, n_agents) by learner."""
    criterion = results["criterion"][0]
    return {name: np.stack([steps_to(right, criterion) for right in results[f"{sense}: {name}"]]) for name in LEARNERS}


def table(results):
    """By sense and learner: steps to the criterion, who meets it, and right predictions at the end."""
    rows = []
    for i, sense in enumerate(SENSES):
        for name, steps in all_steps(results, sense).items():
            right = results[f"{sense}: {name}"]
            rows.append(
                {
                    "sight becomes": sense,
                    "learner": name,
                    "steps, median": float(np.median(steps)),
                    "meet the criterion (%)": 100 * (steps < right.shape[-1]).mean(),
                    "right, last 200 steps (%)": 100 * right[..., -200:].mean(),
                }
            )
        chance = 100 * results["chance"][:, i].mean()
        rows.append({"sight becomes": sense, "learner": "chance", "right, last 200 steps (%)": chance})
    return rows


def figure(results):
    """Right predictions over time with each new sense, and the steps to the criterion."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(14, 4.2), width_ratios=(1, 1, 0.9))
    colors = dict(zip(LEARNERS, (PALETTE[0], PALETTE[3], PALETTE[1], PALETTE[4], PALETTE[7])))
    for ax, sense, i in zip(axes, SENSES, range(2)):
        for name in LEARNERS:
            right = results[f"{sense}: {name}"].mean(axis=1)
            blocks = right[:, : right.shape[1] // 25 * 25].reshape(len(right), -1, 25).mean(axis=-1)
            interval_line(
                ax, 25 * (np.arange(blocks.shape[1]) + 0.5), 100 * blocks, name, color=colors[name], marker=""
            )
        ax.axhline(100 * results["chance"][:, i].mean(), color="#5A5A5A", linestyle=":", label="chance")
        ax.set(title=f"sight becomes {sense}", xlabel="step with the new sense", ylim=(0, 103))
    axes[0].set_ylabel("sensations predicted rightly (%)")
    for i, sense in enumerate(SENSES):
        steps = all_steps(results, sense)
        for k, name in enumerate(LEARNERS):
            values = np.median(steps[name], axis=1)
            axes[2].plot(values, np.full(len(values), k + 0.24 * i - 0.12), "os"[i], color=colors[name], markersize=5)
        axes[2].plot([], [], "os"[i], color="#5A5A5A", label=sense)
    axes[2].set_yticks(range(len(LEARNERS)), LEARNERS)
    axes[2].set(xlabel="steps to the criterion, medians of seeds", xlim=(0, None))
    axes[2].invert_yaxis()
    axes[2].legend(loc="lower center")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=6)
    return fig


def verdict(results) -> Verdict:
    saved, lost, confused, medians = [], [], [], []
    for sense in SENSES:
        steps = all_steps(results, sense)
        better = min(("from scratch", "from scratch, depth 3"), key=lambda name: steps[name].mean())
        saved.append(paired_bootstrap(HALF * steps[better], steps["law kept"]))
        lost.append(paired_bootstrap(steps["law shuffled"], steps[better]))
        confused.append(paired_bootstrap(steps["law from shuffled actions"], steps[better]))
        medians.append([np.median(steps[name]) for name in ("law kept", better, "law shuffled")])
    passed = min(i.low for i in saved) > 0 and min(i.low for i in lost + confused) >= 0
    lines = [
        f"to {sense}: {kept:.0f} steps with the law kept, {anew:.0f} from scratch, {mixed:.0f} with the law shuffled "
        f"(medians);\nhalf of scratch minus kept {gain:.0f}, shuffled minus scratch {loss:.0f}, law from "
        f"shuffled actions minus scratch {unlearned:.0f}"
        for sense, (kept, anew, mixed), gain, loss, unlearned in zip(SENSES, medians, saved, lost, confused)
    ]
    held = (results["swept"] <= HALF).all(axis=-1).mean()
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="with either new sense, steps to the criterion with the law kept are below half of those from scratch, at "
        "the better\ndepth (interval); with the law shuffled, or learned from shuffled actions, they are not below\n"
        "those from scratch (intervals)",
        measured="\n".join(lines)
        + f"\nat most half of scratch with both senses in {100 * held:.0f} % of the sweep of noise, prior, criterion",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
