"""What can be wrong at the test: rooms, lights and orientations never met, and sensors that fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ._experience import Views, look
from ._methods import SENSES

STRENGTHS = (0.25, 0.5, 1.0)
DEGRADATIONS = {  # split once: what design choices may look at, and what confirms them
    "development": {"image": ("darkness", "noise"), "points": ("depth_noise",)},
    "confirmation": {"image": ("blur", "occluder"), "points": ("dropout", "partial_view")},
}
UNSEEN = ("background", "light", "orientation")


@dataclass(frozen=True)
class Condition:
    """One way in which the test views reach the agent."""

    name: str
    image: str  # variant of the sense's input
    points: str
    kind: str  # "clean", "unseen", or the sense that is degraded
    strength: float = 0.0
    confirms: bool = False  # belongs to the split that the verdict rests on


def conditions(split: str) -> list[Condition]:
    listed = [Condition("clean", "clean", "clean", "clean")]
    listed += [Condition(name, name, name, "unseen") for name in UNSEEN]
    for part in DEGRADATIONS if split == "confirmation" else ("development",):
        for sense, kinds in DEGRADATIONS[part].items():
            for kind in kinds:
                for s in STRENGTHS:
                    name = f"{kind} {s:.2f}"
                    variant = {m: name if m == sense else "clean" for m in SENSES}
                    listed.append(Condition(name, **variant, kind=sense, strength=s, confirms=part == split))
    return listed


def test_views(bank, objects, config, seed) -> tuple[dict[str, dict[str, np.ndarray]], Views]:
    """Both senses' inputs {sense: {variant: array}} for the same views in every condition, and the clean views."""
    n, split = config.n_test_views, config.split
    clean = look(bank, objects, n, "familiar", config, seed)
    scenes = {
        "clean": clean,
        "background": look(bank, objects, n, split, config, seed),
        "light": look(bank, objects, n, "unseen light", config, seed),
        "orientation": look(bank, objects, n, "familiar", config, seed, far=True),
    }
    sensed = {name: views.sensed(revealed=True) for name, views in scenes.items()}
    variants = {sense: {name: x[sense] for name, x in sensed.items()} for sense in SENSES}
    for index, c in enumerate(conditions(split)):
        if c.kind in SENSES:
            harmed = clean.degraded(c.kind, c.name.rsplit(" ", 1)[0], c.strength, seed + 10 * index)
            variants[c.kind][c.name] = harmed.sensed(revealed=True)[c.kind]
    return variants, clean
