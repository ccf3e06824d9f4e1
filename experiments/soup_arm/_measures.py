"""Fronts of the soups and of multi-objective training, and what they cover per training."""

import numpy as np

from experiments._figures import PALETTE
from smc.soups import dominated_share, hypervolume, sparsity

MIXED = ("soup", "unshared start", "opposite elbows")
MARGIN = 0.05  # of the range between the specialists: how far beyond the worse one the reference lies


def grids(results):
    return [int(name.split()[1]) for name in results if name.startswith("rewards_MORL")]


def soup_name(results):
    """The front of all soups."""
    return f"soup, {results['share'].shape[1]} shares"


def fronts(results, seed):
    """Name -> (points (n, 2), trainings) of one seed."""
    n_shares = results["share"].shape[1]
    soup = results["rewards_soup"][seed, :, :2]
    found = {"specialists": (soup[[0, -1]], 2), soup_name(results): (soup, 2)}
    for n in grids(results):
        shares = np.linspace(0, n_shares - 1, n).round().astype(int)
        found[f"soup, {n} shares"] = (soup[shares], 2)
        found[f"MORL, {n} preferences"] = (results[f"rewards_MORL {n}"][seed, :, :2], n)
    found["soup, unshared start"] = (results["rewards_unshared start"][seed, :, :2], 2)
    return found


def ranges(results):
    """Distance between the specialists in either reward, (n_seeds, 2)."""
    return np.ptp(results["rewards_soup"][:, [0, -1], :2], axis=1)


def reference_of(results, seed):
    """A little worse than the worse specialist in either reward."""
    return results["rewards_soup"][seed, [0, -1], :2].min(axis=0) - MARGIN * ranges(results)[seed]


def measures(results):
    """Name of a front -> measure -> values (n_seeds,)."""
    found = {}
    for seed in range(len(results["share"])):
        reference = reference_of(results, seed)
        all_fronts = fronts(results, seed)
        morl = all_fronts[f"MORL, {max(grids(results))} preferences"][0]
        soup = all_fronts[soup_name(results)][0]
        for name, (points, cost) in all_fronts.items():
            volume = hypervolume(points, reference=reference, worse="ignore")
            values = {
                "trainings": cost,
                "hypervolume": volume,
                "per training": volume / cost,
                "sparsity": sparsity(points),
                "dominated by MORL": dominated_share(points, morl),
                "dominated by the soup": dominated_share(points, soup),
            }
            for key, value in values.items():
                found.setdefault(name, {}).setdefault(key, []).append(value)
    return {name: {key: np.array(column) for key, column in row.items()} for name, row in found.items()}


def worst_gaps(results, name):
    """Smallest gap to the chord inside, (n_seeds, 2 rewards)."""
    return results[f"gap_{name}"][:, 1:-1, :2].min(axis=1)


def table(results):
    points = [
        {"front": name, **{key: values.mean() for key, values in row.items()}}
        for name, row in measures(results).items()
    ]
    gaps = [
        {"specialists": name, "smallest gap, precision": gap[:, 0].mean(), "smallest gap, ease": gap[:, 1].mean()}
        for name in MIXED
        for gap in [worst_gaps(results, name)]
    ]
    references = [
        {"seed": seed, "reference, precision": r[0], "reference, ease": r[1]}
        for seed in range(len(results["share"]))
        for r in [reference_of(results, seed)]
    ]
    return {"fronts": points, "linear mode connectivity: soup minus chord": gaps, "references": references}


def figure(results):
    """Fronts of the first seed, gaps to the chord of all, hypervolume per training."""
    import matplotlib.pyplot as plt

    fig, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 4.4), width_ratios=(1.25, 1, 1))
    draw_fronts(left, results)
    share = results["share"][0]
    for name, color in zip(MIXED, (PALETTE[0], PALETTE[1], PALETTE[3])):
        for i, gap in enumerate(results[f"gap_{name}"][:, :, 0]):
            middle.plot(share, gap, color=color, linewidth=1.3, label=None if i else name)
    middle.axhline(0, color="black", linewidth=0.8)
    middle.set(xlabel="share of the second specialist", ylabel="soup minus chord", title="precision; lines: seeds")
    low, high = middle.get_ylim()
    middle.set_ylim(low - 0.3 * (high - low), high)  # room for the legend
    middle.legend(fontsize=8, loc="lower center")
    rows = measures(results)
    names = [name for name in rows if name != "soup, unshared start"]
    for y, name in enumerate(names):
        color = PALETTE[0] if name.startswith("soup") else PALETTE[2] if name.startswith("MORL") else PALETTE[7]
        values = rows[name]["per training"]
        right.barh(y, values.mean(), color=color)
        right.plot(values, np.full(len(values), y), ".", color="black", markersize=4)
    right.set_yticks(range(len(names)), names, fontsize=8)
    right.invert_yaxis()
    right.grid(axis="y", visible=False)
    right.set(xlabel="hypervolume per training", title="bars: means; dots: seeds")
    return fig


def draw_fronts(ax, results):
    soup, unshared = results["rewards_soup"][0], results["rewards_unshared start"][0]
    morl = results[f"rewards_MORL {max(grids(results))}"][0]
    ax.plot(*soup[:, :2].T, "o-", color=PALETTE[0], label="soup, 2 trainings")
    ax.plot(*morl[:, :2].T, "s", color=PALETTE[2], label=f"MORL, {len(morl)} trainings")
    ax.plot(*unshared[:, :2].T, "o:", color=PALETTE[1], markersize=3, label="soup, unshared start")
    ax.plot(*results["start"][0], "*", color="black", markersize=10, label="shared start")
    ax.plot(*reference_of(results, 0), "x", color="black", label="reference")
    ax.set(
        xlabel="precision (-10 x mean distance, m)", ylabel="ease (-mean squared speed, rad²/s²)", title="first seed"
    )
    ax.legend(fontsize=8, loc="center left")
