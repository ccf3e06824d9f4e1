"""One method's training, and what its frozen features and its predictor know afterwards."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

from ._methods import CEILING, heads, objective

LABELS = {"linear": None, "10 % labels": 0.10, "1 % labels": 0.01}
N_DRAWS = 3  # of the few labels
N_CHECKS = 6  # of the accuracy while learning
N_WATCHED = 1000  # pictures of either kind that are looked at then


def encoder(config, images, seed):
    from smc.encoders import ConvEncoder

    return ConvEncoder(config.width, images.shape[1], 128, seed=seed)


def learn(config, seed, method, setting, seen, callback=None):
    """Module trained on pictures `seen` (images, labels), and its loss at each step."""
    from smc.encoders import AugmentedImages, pretrain

    images, labels = seen
    trained = pretrain(
        AugmentedImages(images, augmentation(config), labels if method == CEILING else None),
        {"image": encoder(config, images, seed)},
        objective=objective(method, setting),
        n_steps=config.n_steps,
        batch_size=config.batch_size,
        learning_rate=setting.learning_rate,
        seed=seed,
        callback=callback,
        heads=heads(setting),
    )
    return trained["image"], trained.history["total"]


class Watch:
    """Callback of a training: how well five neighbours name unseen pictures at some steps (`curve`)."""

    def __init__(self, config, seen, unseen):
        self.steps, self.curve = check_points(config), []
        self._seen, self._unseen = ([part[:N_WATCHED] for part in pair] for pair in (seen, unseen))

    def __call__(self, state, step):
        if step in self.steps:
            near, far = (embedding(state["modules"]["image"])(pair[0]) for pair in (self._seen, self._unseen))
            named = KNeighborsClassifier(5).fit(near, self._seen[1])
            self.curve.append(named.score(far, self._unseen[1]))


def check_points(config):
    return np.linspace(config.n_steps / N_CHECKS, config.n_steps, N_CHECKS).astype(int)


def augmentation(config):
    from smc.encoders import ImageAugmentation

    return ImageAugmentation(largest_zoom=config.zoom, flip=config.flip)


def embedding(module):
    from smc.encoders import embed

    return lambda images: embed(module, images)


def read_classes(features, seen, unseen, seed):
    """Right answers (n_test,) of a logistic regression by share of labels, averaged over draws of them."""
    from smc.encoders.metrics import few_label_probe, linear_probe

    data = features(seen[0]), seen[1], features(unseen[0]), unseen[1]
    per_class = len(seen[1]) / len(np.unique(seen[1]))
    right = {"linear": linear_probe(*data).astype(float)}
    for name, share in LABELS.items():
        if share is not None:
            n_labels = max(1, round(share * per_class))
            drawn = few_label_probe(*data, n_labels=n_labels, n_draws=N_DRAWS, random_state=seed)
            right[name] = drawn.mean(axis=0)
    return right


def consequence_gain(module, images, config, seed):
    """Mean gain of the predicted embedding of a second look over that of the first one."""
    from smc.encoders import AugmentedImages, embed
    from smc.encoders.metrics import equivariance_gain

    looks = AugmentedImages(images, augmentation(config))
    frames, action = looks.look(np.arange(len(images)), np.random.default_rng(seed))
    first, second = np.split(frames, 2)
    before, after = (embed(module, X, "equivariance") for X in (first, second))
    return equivariance_gain(module.predict(first, action), after, before).mean()
