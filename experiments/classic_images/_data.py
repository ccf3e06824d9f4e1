"""Pictures to learn from and, set apart once and for all, those that every seed is tested on."""

from __future__ import annotations

from functools import cache

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@cache
def pictures(data="", test_data="", n_test=500):
    """Pictures and labels to learn from, and those of the test: two pairs (images (n, size, size, 3), labels).

    The test does not depend on the seed, so that nothing that is tuned on what is left has seen any of it.
    """
    images, labels = load(data)
    if test_data:
        to_learn, test = np.arange(len(labels)), load(test_data)
        picked, _ = split(test[1], n_test, len(test[1]) - n_test, seed=0)
    else:
        test = images, labels
        picked, to_learn = split(labels, n_test, len(labels) - n_test, seed=0)
    return (images[to_learn], labels[to_learn]), tuple(part[picked] for part in test)


def split(labels, n, n_others, seed):
    """Two disjoint sets of numbers of pictures, each with the classes as common as they are."""
    if n_others == 0:
        return np.arange(len(labels)), np.arange(0)
    return train_test_split(
        np.arange(len(labels)), train_size=n, test_size=n_others, stratify=labels, random_state=seed
    )


def load(path):
    """Images (n, size, size, 3), the size a multiple of 8, and labels; without a path scikit-learn's digits."""
    if not path:
        X, labels = load_digits(return_X_y=True)
        images = np.repeat((X * 255 / 16).astype(np.uint8).reshape(-1, 8, 8, 1), 3, axis=3)
        return images.repeat(2, axis=1).repeat(2, axis=2), labels
    from smc.encoders import load_images

    images, labels, _ = load_images(path)
    if labels is None:
        raise ValueError(f"data must hold labels, {path} has none")
    size = -(-max(images.shape[1:3]) // 8) * 8
    margins = [((size - n) // 2, (size - n + 1) // 2) for n in images.shape[1:3]]
    return np.pad(images, [(0, 0), *margins, (0, 0)]), labels


def pixels(images):
    """Pictures as rows of numbers in [0, 1]; of equal channels one."""
    grey = (images == images[..., :1]).all()
    return (images[..., :1] if grey else images).reshape(len(images), -1) / 255
