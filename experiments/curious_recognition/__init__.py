"""To know what one holds, look and touch where the objects that it might be differ.

Finding     An agent that has learned what its sensors deliver at every place of every object can tell which next
            glimpse or touch will tell most, and recognises an object with fewer of them than by chance, by a fixed
            sweep, or by going where it has not been. To seek the least certain outcome instead is to seek noise.
Citation    Lindley (1956), Annals of Mathematical Statistics 27:986; Maye & Engel (2011), object perception from
            sensorimotor contingencies, ICRA; O'Regan & Noe (2001), BBS 24:939.
Prediction  To be right in 90 % of the trials, choice by expected information needs at most 70 % of the actions that
            random choice needs, and fewer than novelty and a fixed sweep. A model learned from shuffled actions chooses
            no better than chance.
Controls    Chance, the last look alone (memoryless), choice by a model of shuffled actions, choice of the least certain
            outcome, and an oracle that knows what the next view will bring (ceiling).
Cost        4 min of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc.worlds import ObjectBank

from ._agent import Body, learn, look_around, policies, turned
from ._senses import Codes, Handling

POLICIES = (
    "information gain",
    "random",
    "fixed sweep",
    "novelty",
    "least certain outcome",
    "shuffled actions",
    "oracle next view",
)
SWEPT = POLICIES[:4]
CRITERION, CRITERIA = 0.9, (0.7, 0.8, 0.9)
SHARE = 0.7  # of the actions of random choice


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_objects: int = 24
    image_size: int = 40  # pixels
    n_views: int = 6  # of an object, all around
    grid: int = 4  # places of the sensor along each side of a view
    n_codes: int = 16  # of each sense
    n_passes: int = 16  # learning passes over every place of an object
    n_trials: int = 8  # per object
    n_looks: int = 40
    turn: float = 0.1  # error of the grip, radians, in yaw and tilt
    shift: float = 0.004  # and metres, across and down
    noise: float = 0.1  # of the sensors, as a share of their range
    noises: tuple[float, ...] = (0.05, 0.2)  # for the sweep


SMOKE = Config(n_objects=4, n_views=3, grid=2, n_codes=4, n_passes=4, n_trials=2, n_looks=4, noises=())
QUICK = Config(n_objects=12, n_trials=4, n_looks=20, noises=())


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Other objects, grips and noise for each seed: right answers (n_trials, n_looks) of every policy."""
    results = recognise(config, seed, POLICIES)
    results["noises"] = np.array([config.noise, *config.noises])
    for i, noise in enumerate(config.noises):
        swept = recognise(replace(config, noise=noise), seed, SWEPT)
        results |= {f"swept_{i}_{key}": value for key, value in swept.items() if key.startswith("right")}
    return results


def recognise(config, seed, names):
    rng = np.random.default_rng(seed)
    handling = Handling(choose(ObjectBank.bundled(), config.n_objects, rng), config)
    practice, tested = handling.feel(config.n_passes, rng), handling.feel(config.n_trials, rng)
    code = Codes(*practice, config.n_codes, seed)
    learned, shuffled = (learn(code(*practice), code.n_codes, shuffle) for shuffle in (None, rng))
    body = Body(config.n_views, config.grid)

    truth = np.repeat(np.arange(config.n_objects), config.n_trials)
    first_view = rng.integers(config.n_views, size=len(truth))  # the agent does not know from where it looks
    brought = code(*tested).reshape(len(truth), config.n_views, -1)
    brought = np.stack([np.roll(row, -first, axis=0) for row, first in zip(brought, first_view)])
    brought = brought.reshape(len(truth), -1)
    likelihood, of_shuffled = (turned(p, config.n_views) for p in (learned, shuffled))
    starts = rng.integers(handling.n_actions // config.n_views, size=len(truth))
    choose_by = policies(body, likelihood, of_shuffled, brought, truth)
    results = {"object": truth, "actions": np.arange(1, config.n_looks + 1), "chance": np.array(1 / config.n_objects)}
    for number, name in enumerate(names):
        beliefs = look_around(
            choose_by[name],
            body,
            np.log(likelihood),
            brought,
            starts,
            config.n_looks,
            np.random.default_rng([seed, number]),
        )
        right, alone = beliefs.argmax(axis=-1) == truth[:, None]
        results[f"right_{name}"] = right
        results[f"confidence_{name}"] = beliefs[0].max(axis=-1).astype(np.float32)
        results[f"memoryless_{name}"] = alone
    return results


def choose(bank, n, rng):
    """Objects, no two of them near-copies."""
    order = rng.permutation(len(bank))
    _, first = np.unique(bank.groups[order], return_index=True)
    return bank.subset(order[np.sort(first)[:n]])


def actions_needed(right, criterion):
    """Actions (n_seeds,) from which on at least this share of the trials is right; one more than all if never.

    Parameters
    ----------
    right : ndarray (n_seeds, n_trials, n_looks) of bool
    """
    accuracy = right.mean(axis=1)
    n_looks = accuracy.shape[1]
    needed = np.empty(len(accuracy))
    for seed, curve in enumerate(accuracy):
        below = np.flatnonzero(curve < criterion)
        last = below[-1] if len(below) else -1
        if last == n_looks - 1:
            needed[seed] = n_looks + 1
        elif last < 0:
            needed[seed] = 1
        else:  # between the last action below and the next
            needed[seed] = last + 1 + (criterion - curve[last]) / (curve[last + 1] - curve[last])
    return needed


def lasting(right):
    """Actions (n_seeds, n_trials) until a trial is right for good; one more than all if never."""
    stays = np.logical_and.accumulate(right[..., ::-1], axis=-1)[..., ::-1]
    return np.where(stays[..., -1], stays.argmax(axis=-1) + 1, right.shape[-1] + 1)


def sweep(results):
    """Rows of noise, criterion, mean actions needed by each policy, and whether the pattern holds."""
    noises = results["noises"][0]
    prefixes = ["", *(f"swept_{i}_" for i in range(len(noises) - 1))]
    rows = []
    for noise, prefix in sorted(zip(noises.tolist(), prefixes)):
        for criterion in CRITERIA:
            needed = {p: float(actions_needed(results[f"{prefix}right_{p}"], criterion).mean()) for p in SWEPT}
            gain, random = needed["information gain"], needed["random"]
            holds = gain <= SHARE * random and gain < min(needed["novelty"], needed["fixed sweep"])
            rows.append({"noise": noise, "criterion": criterion, **needed, "ratio": gain / random, "holds": holds})
    return rows


def table(results):
    """Actions needed and accuracy by policy; the sweep."""
    rows = []
    for name in POLICIES:
        right = results[f"right_{name}"]
        rows.append(
            {
                "policy": name,
                **{f"actions to {c:.0%}": float(actions_needed(right, c).mean()) for c in CRITERIA},
                "actions to a lasting right answer": float(lasting(right).mean()),
                "accuracy after 5 (%)": 100 * float(right[..., min(4, right.shape[-1] - 1)].mean()),
                "after all (%)": 100 * float(right[..., -1].mean()),
                "last look alone (%)": 100 * float(results[f"memoryless_{name}"].mean()),
            }
        )
    return {"Policies": rows, "Actions needed, by noise of the sensors and criterion": sweep(results)}


def figure(results):
    """Accuracy by action, actions needed to be right, and their ratio over the sweep."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(13.5, 4.6), width_ratios=(5, 4, 3))
    colors = dict(zip(POLICIES, (PALETTE[0], PALETTE[7], PALETTE[2], PALETTE[1], PALETTE[4], PALETTE[5], "black")))
    dashes = {"shuffled actions": ":", "oracle next view": "--", "random": "-."}
    actions = results["actions"][0]
    for name in POLICIES:
        accuracy = 100 * results[f"right_{name}"].mean(axis=1)
        interval_line(axes[0], actions, accuracy, name, color=colors[name], linestyle=dashes.get(name, "-"), marker="")
    axes[0].axhline(100 * results["chance"][0], color=PALETTE[7], linewidth=1)
    axes[0].text(actions[0] + 0.3, 100 * results["chance"][0] + 1.5, "chance", fontsize=8.5)
    axes[0].xaxis.get_major_locator().set_params(integer=True)
    axes[0].set(xlabel="glimpses and touches", ylabel="objects recognised (%)", ylim=(0, 101))
    axes[0].legend(fontsize=8.5, loc="lower right", bbox_to_anchor=(1.0, 0.08))

    for place, name in enumerate(POLICIES[::-1]):
        needed = actions_needed(results[f"right_{name}"], CRITERION)
        axes[1].barh(place, needed.mean(), color=colors[name], height=0.65, alpha=0.75)
        axes[1].plot(needed, np.full(len(needed), place), "k.", markersize=4)
    limit = SHARE * actions_needed(results["right_random"], CRITERION).mean()
    axes[1].axvline(limit, color="#D55E00", linestyle="--", linewidth=1.2, label=f"{SHARE:.0%} of random")
    axes[1].set_yticks(range(len(POLICIES)), POLICIES[::-1])
    label = (
        f"actions to be right in {CRITERION:.0%} of trials\n(dots: seeds; {actions[-1] + 1}: not within {actions[-1]})"
    )
    axes[1].set(xlabel=label, xlim=(0, actions[-1] + 2))
    axes[1].legend(fontsize=8.5, loc="lower right")

    rows = sweep(results)
    for i, criterion in enumerate(CRITERIA):
        ratios = [row["ratio"] for row in rows if row["criterion"] == criterion]
        axes[2].plot(range(len(ratios)), ratios, "o-", color=PALETTE[i], label=f"right in {criterion:.0%}")
    axes[2].axhline(SHARE, color="#D55E00", linestyle="--", linewidth=1.2)
    noises = [f"{row['noise']:g}" for row in rows if row["criterion"] == CRITERION]
    axes[2].set_xticks(range(len(noises)), noises)
    axes[2].set(
        xlabel="noise of the sensors (share of range)",
        ylabel="actions needed, gain / random",
        ylim=(0, 1.1),
    )
    axes[2].legend(fontsize=8.5)
    return fig


def verdict(results) -> Verdict:
    needed = {name: actions_needed(results[f"right_{name}"], CRITERION) for name in POLICIES}
    gain, random = needed["information gain"], needed["random"]
    saved = paired_bootstrap(gain, SHARE * random)
    fewer = {name: paired_bootstrap(gain, needed[name]) for name in ("novelty", "fixed sweep")}
    kept = paired_bootstrap(needed["shuffled actions"], SHARE * random)
    memoryless = paired_bootstrap(
        results["memoryless_information gain"].mean(axis=-1), CRITERION, objects=results["object"]
    )
    passed = saved.high <= 0 and all(i.high < 0 for i in fewer.values()) and kept.low > 0 and memoryless.high < 0
    rows = sweep(results)
    means = ", ".join(f"{name} {values.mean():.1f}" for name, values in needed.items())
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"to be right in {CRITERION:.0%} of the trials, information gain needs at most {SHARE:.0%} of the actions "
        "of random choice,\nand fewer than novelty and than a fixed sweep (intervals);\n"
        f"choice by a model of shuffled actions needs more than {SHARE:.0%} of random's (interval);\n"
        f"one look alone is right in fewer than {CRITERION:.0%} (interval)",
        measured=f"actions needed: {means}\ninformation gain / random: {gain.mean() / random.mean():.2f}"
        f"\ninformation gain - {SHARE} random: {saved:.1f}\n"
        + "\n".join(f"information gain - {name}: {interval:.1f}" for name, interval in fewer.items())
        + f"\nshuffled actions - {SHARE} random: {kept:.1f}"
        + f"\none look alone - {CRITERION}: {memoryless:.2f}"
        + f"\nthe pattern holds in {sum(row['holds'] for row in rows)} of {len(rows)} settings of noise and criterion",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
