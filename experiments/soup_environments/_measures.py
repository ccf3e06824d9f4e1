"""What soups are worth beside specialists, their chord and joint training."""

import numpy as np

from smc.soups import dominated_share, hypervolume

from ._laboratory import ENVIRONMENTS, SEEN, UNSEEN

EACH = "specialist, {}"
ENDS = ("ends measured anew", "ends as trained")


def simplex(grid):
    """Shares of three networks in multiples of 1 / grid, (n, 3)."""
    rows = [(i, j, grid - i - j) for i in range(grid, -1, -1) for j in range(grid - i, -1, -1)]
    return np.array(rows) / grid


def names_of(results):
    return [key.removeprefix("recognition_") for key in results if key.startswith("recognition_")]


def best_specialist(results):
    """Recognition (n_seeds, 4) of the specialist that, in each seed, turns out best in the unseen environment."""
    found = np.stack([results[f"recognition_{EACH.format(name)}"] for name in SEEN])
    return np.take_along_axis(found, found[:, :, UNSEEN].argmax(axis=0)[None, :, None], axis=0)[0]


def mixed(results):
    """Which of the shares belong to soups of at least two networks."""
    return results["shares"][0].max(axis=1) < 1


def gaps(results):
    """Chord -> distance of soups to it, (n_seeds, n_soups, 4).

    Soups have their statistics measured anew; so have the ends of a chord, or those that they were trained with.
    """
    ends = np.stack([results[f"recognition_{EACH.format(name)}"] for name in SEEN], axis=1)
    return {
        f"soup, {ENDS[0]}": results["gap_soup"],
        f"soup, {ENDS[1]}": results["rewards_soup"] - results["shares"] @ ends,
        f"unshared start, {ENDS[0]}": results["gap_unshared start"],
    }


def worst_gap(results, gap):
    """Smallest distance to the chord, mean over seeds, of all soups and environments."""
    return gap.mean(axis=0)[mixed(results)].min()


def central_gap(results, gap):
    """Distance of the soup with the most equal shares to the chord in the unseen environment, (n_seeds,)."""
    center = np.square(results["shares"][0]).sum(axis=1).argmin()
    return gap[:, center, UNSEEN]


def fronts(results, seed):
    """Name -> rewards in the three seen environments, (n, 3)."""
    return {
        "specialists": np.stack([results[f"recognition_{EACH.format(name)}"][seed, :UNSEEN] for name in SEEN]),
        "soups": results["rewards_soup"][seed, :, :UNSEEN],
        "soups, unshared start": results["rewards_unshared start"][seed, :, :UNSEEN],
        "joint training": results["recognition_joint"][seed, None, :UNSEEN],
    }


def volumes(results):
    """Of every front: hypervolume above recognising nothing, and share that joint training dominates, over seeds."""
    rows = {}
    for seed in range(len(results["shares"])):
        found = fronts(results, seed)
        for name, points in found.items():
            volume = hypervolume(points, reference=np.zeros(UNSEEN))
            rows.setdefault(name, []).append((volume, dominated_share(points, found["joint training"])))
    return {name: np.mean(values, axis=0) for name, values in rows.items()}


def table(results):
    recognition = [
        {"encoder": name, **dict(zip(ENVIRONMENTS, results[f"recognition_{name}"].mean(axis=0)))}
        for name in names_of(results)
    ]
    recognition.append({"encoder": "chance", **dict.fromkeys(ENVIRONMENTS, results["chance"].mean())})
    chords = [
        {
            "chord": name,
            "smallest gap": worst_gap(results, gap),
            "equal shares, unseen": central_gap(results, gap).mean(),
        }
        for name, gap in gaps(results).items()
    ]
    covered = [
        {"front": name, "hypervolume": volume, "dominated by joint training": share}
        for name, (volume, share) in volumes(results).items()
    ]
    return {
        "recognition of unfamiliar objects (room: unseen)": recognition,
        "soup minus chord": chords,
        "rewards in the three seen environments; trainings of equal length in all": covered,
    }
