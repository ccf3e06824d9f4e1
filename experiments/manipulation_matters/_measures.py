"""What an encoder knows of objects it never met."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments._held import FAMILIAR, UNKNOWN, action_between, between_views, draw_scene, sense
from smc.encoders import embed, metrics

ROTATION = slice(0, 3)  # columns of an action


@dataclass(frozen=True)
class Exam:
    """Views (n_objects, n_views, ...) of training objects, with labels, and of others; the same for all cells."""

    known: np.ndarray
    known_labels: np.ndarray  # (n_objects,)
    unseen: dict  # kind of room -> views
    unseen_labels: np.ndarray
    turned: tuple  # views and actions of training objects, views and actions of others: turned, in other rooms


def make_exam(bank, others, config, seed) -> Exam:
    rng = np.random.default_rng((seed, 3))
    scenes = {bank: scattered(bank, config.n_views, rng), others: scattered(others, config.n_views, rng)}
    turned = [part for b in (bank, others) for part in turned_views(b, config, rng)]
    return Exam(
        viewed(bank, scenes[bank], rng, config.image_size),
        bank.classes,
        {kind: viewed(others, scenes[others], rng, config.image_size, kind) for kind in (FAMILIAR, UNKNOWN)},
        others.classes,
        tuple(turned),
    )


def scattered(bank, n_views, rng):
    """Scenes (n_objects * n_views,) in which everything differs."""
    return draw_scene(np.repeat(np.arange(len(bank)), n_views), rng)


def viewed(bank, scenes, rng, size, rooms=FAMILIAR):
    images = sense(bank, scenes, rng, size=size, rooms=rooms)["image"]
    return images.reshape(len(bank), -1, *images.shape[1:])


def turned_views(bank, config, rng):
    """Views that differ in attitude and room alone, and the actions (n_objects, n_views, n_views, d) between them."""
    n_views = config.n_views
    scenes = scattered(bank, n_views, rng)
    same = {name: np.repeat(getattr(scenes, name)[::n_views], n_views, axis=0) for name in ("place", "zoom", "light")}
    scenes = replace(scenes, **same)
    return viewed(bank, scenes, rng, config.image_size), between_views(
        scenes, n_views, lambda *pair: action_between(*pair).vector()
    )


def examine(module, exam, config) -> dict[str, np.ndarray]:
    """Measures by name, one number per test object each."""
    n_views = exam.known.shape[1]

    def embedded(views, head):
        return embed(module, views.reshape(-1, *views.shape[2:]), head)

    tests = np.concatenate(list(exam.unseen.values()))
    labels, test_labels = np.repeat(exam.known_labels, n_views), np.repeat(exam.unseen_labels, n_views)
    test_labels = np.tile(test_labels, len(exam.unseen))
    groups = np.repeat(np.arange(len(exam.known)), n_views)
    linear = metrics.linear_probe(embedded(exam.known, "backbone"), labels, embedded(tests, "backbone"), test_labels)
    few = metrics.few_label_probe(
        embedded(exam.known, "invariance"),
        labels,
        embedded(tests, "invariance"),
        test_labels,
        n_labels=min(config.n_labels, config.n_objects),
        group=groups,
    ).mean(axis=0)
    found = {}
    for name, correct in (("linear", linear), ("few", few)):
        familiar, unknown = correct.reshape(len(exam.unseen), -1, n_views).mean(axis=2)
        found |= {name: familiar, f"{name}_unknown": unknown}
    X, action, test_X, test_action = exam.turned
    features, test_features = (embedded(x, ("backbone", "equivariance")).reshape(*x.shape[:2], -1) for x in (X, test_X))
    found["r2"] = metrics.action_r2(
        features, action[..., ROTATION], test_features, test_action[..., ROTATION], n_steps=config.n_probe_steps
    )
    found["hit"] = metrics.consequences(module, test_X, test_action).prediction.hit_at_1
    return found
