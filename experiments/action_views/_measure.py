"""What an encoder knows of classes, actions and rooms: per object, so that intervals can resample objects."""

from __future__ import annotations

import numpy as np

from smc.encoders import embed
from smc.encoders.metrics import action_r2, consequences, few_label_probe, linear_probe

from ._data import SAME_POSES

HEADS = ("backbone", "invariance", "equivariance")
N_LABELS = 5
PREDICTED = ("hit", "mrr", "hit_identity", "hit_shuffled", "gain")
CLASS_TESTS = (*SAME_POSES, "orientation")
SENSE_TESTS = {"image": CLASS_TESTS, "points": ("training", "orientation", "points")}


def measure(module, gallery, config, seed, *, sense="image", revealed=False) -> dict[str, np.ndarray]:
    """Everything that is measured of one module.

    Parameters
    ----------
    module : smc.encoders.EquivarianceModule
    gallery : Gallery
    config : Config
    seed : int
    sense : {"image", "points"}
    revealed : bool
        Whether images are to be revealed, as in the training.

    Returns
    -------
    dict of str to ndarray
        linear (n_tests, n_objects), few (n_heads, n_tests, n_objects): shares of right answers, with all labels read
        from the backbone and with 5 labels per class from each head; families (n_heads, n_foreign): the same with 5
        labels in families never met; r2, r2_linear (n_tests, n_objects); hit, mrr, hit_identity, hit_shuffled, gain
        (n_tests, n_objects): of the module's own predictor; rooms (n_heads,): how often a room is recognised. Tests
        are those of `SENSE_TESTS`.
    """
    names = SENSE_TESTS[sense]
    frames, known = embedded(module, gallery, sense=sense, revealed=revealed)
    return {
        **class_knowledge(known, names, gallery, config, seed),
        **action_knowledge(module, known, frames, names, gallery, config, seed),
        "rooms": room_knowledge(module, gallery, sense, revealed),
    }


def embedded(module, gallery, *, sense="image", revealed=False):
    """Frames of all tests of a sense and of the probe by name, and their embeddings by name and head."""
    views = {name: gallery.tests[name] for name in (*SENSE_TESTS[sense], "families")} | {"probe": gallery.probe}
    frames = {name: seen.sensed(revealed)[sense] for name, seen in views.items()}
    return frames, {name: by_head(module, x) for name, x in frames.items()}


def by_head(module, frames):
    """Embeddings (n, d) by head."""
    together = embed(module, frames, HEADS)
    return {head: together[:, columns] for head, columns in module.columns(HEADS).items()}


def class_knowledge(known, names, gallery, config, seed):
    n_views = gallery.n_views

    def answers(probe, head, **options):
        """Right answers by test and object; one probe answers all tests."""
        features = np.concatenate([known[name][head] for name in names])
        truth = np.concatenate([gallery.label[gallery.tests[name].object] for name in names])
        labels = gallery.label[gallery.probe.object]
        right = probe(known["probe"][head], labels, features, truth, **options)
        return right.reshape(-1, len(names), len(truth) // len(names) // n_views, n_views).mean((0, 3))

    few = {"group": gallery.probe.object, "n_labels": n_labels(gallery), "n_draws": config.n_draws}
    return {
        "linear": answers(linear_probe, "backbone"),
        "few": np.stack([answers(few_label_probe, head, **few, random_state=seed) for head in HEADS]),
        "families": np.stack([foreign(known["families"][head], gallery, config, seed) for head in HEADS]),
    }


def n_labels(gallery):
    """Five, or as many as the objects of a small trial run allow."""
    labels = gallery.label[gallery.probe.object]
    return min(N_LABELS, *(len(set(gallery.probe.object[labels == c])) for c in set(labels)))


def foreign(features, gallery, config, seed):
    """Right answers in unseen families, per object of the half that lends no labels."""
    views, n_views = gallery.tests["families"], gallery.n_views
    label = gallery.label[views.object]
    rank = {o: i for c in np.unique(label) for i, o in enumerate(np.unique(views.object[label == c]))}
    lends = np.array([rank[o] % 2 == 0 for o in views.object])
    n_lending = min(N_LABELS, *(len(np.unique(views.object[lends & (label == c)])) for c in np.unique(label)))
    right = few_label_probe(
        features[lends],
        label[lends],
        features[~lends],
        label[~lends],
        n_labels=n_lending,
        n_draws=config.n_draws,
        group=views.object[lends],
        random_state=seed,
    )
    return right.reshape(len(right), -1, n_views).mean((0, 2))


def action_knowledge(module, known, frames, names, gallery, config, seed):
    n_views = gallery.n_views

    def by_object(x):
        return x.reshape(-1, n_views, *x.shape[1:])

    def pairs(name):
        """Features and actions of the views of a test."""
        embeddings = np.concatenate([known[name][head] for head in ("backbone", "equivariance")], axis=1)
        views = gallery.probe if name == "probe" else gallery.tests[name]
        return by_object(embeddings), between(by_object(views.pose))

    def readable(probe):
        """R2 by test and object; one probe answers all tests."""
        X, A = (np.concatenate(parts) for parts in zip(*map(pairs, names), strict=True))
        r2 = action_r2(*pairs("probe"), X, A, probe=probe, n_steps=config.n_probe_steps, seed=seed)
        # The variance of the actions of each test, in place of that of all together.
        i, j = ordered_pairs(n_views)
        told = A[:, i, j].reshape(len(names), -1, A.shape[-1])
        spread, together = told.var(axis=1).mean(axis=1), told.reshape(-1, A.shape[-1]).var(axis=0).mean()
        return 1 - (1 - r2.reshape(len(names), -1)) * together / spread[:, None]

    def predictable(name):
        """What the module's predictor knows; nothing of turns if it was trained on crops."""
        if module.action_dim != action_size:
            return dict.fromkeys(PREDICTED, np.full(len(frames[name]) // n_views, np.nan))
        pose = by_object(gallery.tests[name].pose)
        y = known[name]["equivariance"]
        found = consequences(module, by_object(frames[name]), between(pose), random_state=seed, embeddings=y)
        values = (found.prediction.hit_at_1, found.prediction.reciprocal_rank, found.identity.hit_at_1)
        return dict(zip(PREDICTED, (*values, found.shuffled.hit_at_1, found.gain), strict=True))

    action_size = gallery.probe.pose.shape[1]
    found = [predictable(name) for name in names]
    return {
        "r2": readable("mlp"),
        "r2_linear": readable("linear"),
        **{key: np.stack([of_test[key] for of_test in found]) for key in PREDICTED},
    }


def ordered_pairs(n_views):
    """Indices of all pairs of different views."""
    return np.nonzero(~np.eye(n_views, dtype=bool))


def between(pose):
    """Action (n_objects, n_views, n_views, 2) from each view's pose to each other's."""
    return pose[:, None] - pose[:, :, None]


def room_knowledge(module, gallery, sense, revealed):
    """How often each head tells in which of the rooms a view was taken (chance 1 / 16)."""
    known = by_head(module, gallery.rooms.sensed(revealed)[sense])
    learn = np.arange(len(gallery.room)) % 2 == 0
    return np.array(
        [linear_probe(x[learn], gallery.room[learn], x[~learn], gallery.room[~learn]).mean() for x in known.values()]
    )
