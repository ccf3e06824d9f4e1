"""Augmentations as actions: two looks at a picture, and the typed action that leads from one to the other."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from smc._action import IN_THE_PICTURE, Action
from smc.encoders._checks import check_number


@dataclass(frozen=True)
class ImageAugmentation:
    """Random crops, mirror images and tints, drawn as `Action`.

    Parameters
    ----------
    largest_zoom : float, default=log 2
        The logarithm of the magnification is uniform from 0 to this; the crop lies within the picture.
    flip : float, default=0.5
        Probability of a mirror image.
    brightness, tint : float, default=0.4, 0.2
        Half ranges of the logarithm of the gain, common to all channels and of each.
    """

    largest_zoom: float = math.log(2)
    flip: float = 0.5
    brightness: float = 0.4
    tint: float = 0.2

    def __post_init__(self):
        for name in ("largest_zoom", "flip", "brightness", "tint"):
            check_number(name, getattr(self, name), zero_allowed=True)
        if self.flip > 1:
            raise ValueError(f"flip must be a probability, got {self.flip!r}")

    def draw(self, n, rng) -> Action:
        """n actions from a numpy Generator."""
        zoom = rng.uniform(0, self.largest_zoom, n)
        reach = np.exp(zoom)[:, None] - 1
        common = rng.uniform(-self.brightness, self.brightness, (n, 1))
        return Action(
            zoom=zoom,
            crop=reach * rng.uniform(-1, 1, (n, 2)),
            flip=rng.random(n) < self.flip,
            color=common + rng.uniform(-self.tint, self.tint, (n, 3)),
        )


@dataclass(frozen=True, eq=False)
class AugmentedImages:
    """Images to learn from by looking at each in two ways.

    Parameters
    ----------
    images : ndarray (n, size, size, 3)
        uint8 or float in [0, 1].
    augmentation : ImageAugmentation
    group : array (n,) of integers or str, optional
        What each image shows; by default each shows something else.
    sense : str, default="image"
    """

    images: np.ndarray
    augmentation: ImageAugmentation = field(default_factory=ImageAugmentation)
    group: np.ndarray | None = None
    sense: str = "image"

    def __post_init__(self):
        images = np.asarray(self.images)
        if images.ndim != 4 or images.shape[3] != 3 or images.size == 0:
            raise ValueError(f"images must have shape (n >= 1, size, size, 3), got {images.shape}")
        if not isinstance(self.augmentation, ImageAugmentation):
            raise TypeError(f"augmentation must be an ImageAugmentation, got {type(self.augmentation).__name__}")
        group = None if self.group is None else np.asarray(self.group)
        if group is not None and group.shape != (len(images),):
            raise ValueError(f"group must have shape ({len(images)},), one label per image; got {group.shape}")
        object.__setattr__(self, "images", images)
        object.__setattr__(self, "group", group)

    def __len__(self):
        return len(self.images)

    def look(self, rows, rng, own=slice(None)):
        """Two looks at the images of some rows; `own` picks those of which the frames are wanted.

        Returns
        -------
        frames : ndarray (2 * n, size, size, 3)
            First looks, then second ones.
        action : ndarray (n, 7)
            Zoom, crop, flip and colour that lead from the first look to the second.
        """
        first, second = (self.augmentation.draw(len(rows), rng) for _ in range(2))
        images = self.images[rows[own]]
        frames = np.concatenate([looks[own].apply(images, "image") for looks in (first, second)])
        return frames, self.action_between(first, second)

    @staticmethod
    def action_between(first, second):
        """Columns (n, 7) of what leads from the first look to the second: zoom, crop, flip, colour."""
        return first.invert().compose(second).vector(IN_THE_PICTURE).astype(np.float32)
