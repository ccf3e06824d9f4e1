"""What an agent makes of its own frames: objects that it found, on ground of pieces that it saw.

Putting an object away shows which pixels are the object. Laid on many other grounds, it teaches an encoder to look at
the object alone in single images, where nothing is put away.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from smc.worlds import changed, mosaics

from ._data import Experience, Views

GAIN = 0.5  # largest logarithm of the gain of an object's light
TINT = 0.25  # the same of the gain of each channel
MOST_BLENDED = 0.6  # share of a ground that covers a frame like fog


def pasted(experience: Experience, seed, how="found") -> Experience:
    """The same experience under other lights, in front of mosaics of its own frames.

    Parameters
    ----------
    experience : Experience
    seed : int
    how : {"found", "shuffled", "blended"}
        What is left of a frame: the object that was found; as a control, what lies where the object of another view was
        found; as a control, all of it, behind a veil through which the mosaic shows.
    """
    rng = np.random.default_rng((seed, 70))
    sides = experience.before, experience.after
    seen = np.concatenate([frames for views in sides for frames in (views.empty, views.image)])
    before, after = (_pasted(views, seen, how, rng) for views in sides)
    return replace(experience, before=before, after=after)


def _pasted(views: Views, seen, how, rng):
    n = len(views)
    ground, light = mosaics(seen, rng.integers(2**62, size=n)), _gains(n, rng)
    image = _relit(views.image, light)
    if how == "blended":
        share = rng.uniform(0, MOST_BLENDED, (n, 1, 1, 1)).astype(np.float32)
        image, ground = (_mixed(ground, x, share) for x in (image, _relit(views.empty, light)))
    else:
        found = changed(views.image, views.empty)[..., None]
        image = np.where(rng.permutation(found) if how == "shuffled" else found, image, ground)
    return replace(views, image=image, empty=ground)


def _gains(n, rng):
    """Gain (n, 1, 1, 3) of each channel."""
    return np.exp(rng.uniform(-GAIN, GAIN, (n, 1, 1, 1)) + rng.uniform(-TINT, TINT, (n, 1, 1, 3))).astype(np.float32)


def _relit(images, gain):
    return np.minimum(images * gain, 255).astype(np.uint8)


def _mixed(front, back, share):
    return (share * front + (1 - share) * back).astype(np.uint8)
