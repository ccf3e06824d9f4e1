"""Is the space of a turning object's poses found in what is seen? Rings and tori by their holes (Fritzke 1995).

Finding     An object that turns about one axis shows a ring of views, about two axes a torus. Has a map that grows on
            them their holes? Views that nearly repeat and noise off the surface add loops, so the map of a few
            dozen units says more about the embedding than about the pose.
Citation    Fritzke (1995), NIPS 7:625 (the map learns the topology of its data); Carlsson (2009), Bull. AMS 46:255
            (Betti numbers as the shape of data). The question is ours; we know of no published numbers.
Prediction  The map of embeddings learned with the action has the Betti numbers of the pose, (1, 1, 0) for one turning
            axis and (1, 2, 1) for two, in a larger share of runs than those learned without it, random, or of pixels.
Controls    Shuffled action; features permuted over the views (no shape is left); a vase, which looks the same from
            every side, so that turning it about its own axis adds no loop: (1, 0, 0) and (1, 1, 0).
Cost        6 minutes of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from experiments.manifold_topology._learning import METHODS, methods
from experiments.manifold_topology._page import SHOWN_VIEWS, figure, right, table
from experiments.manifold_topology._shape import betti_of, scattered
from experiments.manifold_topology._world import Turning

TOLD = "EquiMod, equivariance"
OTHERS = ("pixels", "random encoder", "time contrast, invariance", "shuffled action")


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line. Chosen on seed 100."""

    n_objects: int = 3  # that look different in every pose; a symmetrical one comes on top
    n_turns: int = 1200  # of each object, for the encoders
    n_views: tuple[int, int] = (2000, 4000)  # that a map learns from, with one turning axis and with two
    n_units: tuple[int, int] = (60, 60)  # of the maps
    settling: tuple[int, int] = (1100, 3100)  # presentations per unit
    max_age: tuple[int, int] = (50, 1500)  # of the maps' edges
    size: int = 32  # pixels
    width: int = 16  # channels of the first block of the encoder
    noise: float = 0.005  # standard deviation of a pixel, as a share of the full range
    n_steps: int = 300  # of every training
    batch_size: int = 64
    equivariance_weight: float = 1.0


SMOKE = Config(
    1, n_turns=60, n_views=(200, 200), n_units=(8, 10), settling=(120, 120), width=8, n_steps=2, batch_size=16
)
QUICK = Config(1, n_turns=600, n_views=(1000, 3000), n_steps=100)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Betti numbers (n_methods, n_objects + 1, 2, 3) of one agent's maps by number of turning axes, the symmetrical
    object last; the same with permuted features; embeddings of the first object in three principal components."""
    rng = np.random.default_rng(seed)
    world = Turning(config, rng)
    embed = methods(world, config, seed, rng)
    betti = np.empty((len(METHODS), len(world.families), 2, 3), int)
    permuted = betti.copy()
    shown, yaw = np.empty((len(METHODS), 2, SHOWN_VIEWS, 3)), np.empty((2, SHOWN_VIEWS))
    for number in range(len(world.families)):
        for n_axes in (1, 2):
            images, poses = world.turn(number, config.n_views[n_axes - 1], n_axes=n_axes)
            for i, X in enumerate(embed(images)):
                at = i, number, n_axes - 1
                betti[at] = betti_of(X, n_axes, config, seed)
                permuted[at] = betti_of(scattered(X, rng), n_axes, config, seed)
                if number == 0:
                    shown[i, n_axes - 1] = in_three_dimensions(X[:SHOWN_VIEWS])
            if number == 0:
                yaw[n_axes - 1] = poses[:SHOWN_VIEWS, 0]
    return {"betti": betti, "permuted": permuted, "shown": shown, "yaw": yaw}


def in_three_dimensions(X):
    """Scores on the first three principal components, (n, 3)."""
    centred = X - X.mean(axis=0)
    left, singular, _ = np.linalg.svd(centred, full_matrices=False)
    return left[:, :3] * singular[:3]


def verdict(results) -> Verdict:
    shares = {name: right(results, name) for name in METHODS}
    leads = {
        (name, n_axes): paired_bootstrap(shares[TOLD][:, n_axes - 1], shares[name][:, n_axes - 1])
        for name in OTHERS
        for n_axes in (1, 2)
    }
    behind = [f"{name}, {n_axes} axes" for (name, n_axes), lead in leads.items() if not lead.low > 0]
    chance = right(results, TOLD, "permuted").mean()
    symmetrical = right(results, TOLD, symmetrical=True).mean(axis=0)
    return Verdict(
        status="PASS" if not behind and chance <= 0.1 and shares[TOLD].mean() >= 0.5 else "FAIL",
        rule=f"share of right Betti numbers with {TOLD} minus that of {', '.join(OTHERS)}: intervals above 0 for one\n"
        "axis and for two; at least half right over both; with permuted features at most 0.1",
        measured="\n".join(
            f"{axis}: " + ", ".join(f"{name} {share[:, i].mean():.2f}" for name, share in shares.items())
            for i, axis in enumerate(("ring", "torus"))
        )
        + f"\npermuted features {chance:.2f}; symmetrical object, ring and torus {symmetrical[0]:.2f}, "
        + f"{symmetrical[1]:.2f}\nnot behind {TOLD}: {'; '.join(behind) or 'none'}",
        published="none that we know of",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
