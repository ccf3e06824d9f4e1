"""Drawings and clouds of arrows that actions turn: data on which small encoders learn in seconds."""

import numpy as np

from smc import Transitions


def draw(angle, length, color):
    """Images (n, 16, 16, 3) and clouds (n, 20, 3) of an arrow of some length and colour turned by an angle."""
    axis = np.linspace(-1, 1, 16)
    x, y = np.meshgrid(axis, axis)
    along = np.cos(angle)[:, None, None] * x + np.sin(angle)[:, None, None] * y
    across = -np.sin(angle)[:, None, None] * x + np.cos(angle)[:, None, None] * y
    length = length[:, None, None]
    inside = (np.abs(along) < length) & (np.abs(across) < 0.3 * (length - along))
    images = (40 + 180 * inside[..., None] * color[:, None, None, :]).astype(np.uint8)
    t = np.linspace(-1, 1, 20)
    arrow = np.stack([np.outer(length[:, 0, 0], t), np.outer(length[:, 0, 0], 0.3 * (1 - t) * np.cos(9 * t))], axis=-1)
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned = np.stack([cos * arrow[..., 0] - sin * arrow[..., 1], sin * arrow[..., 0] + cos * arrow[..., 1]], axis=-1)
    clouds = np.concatenate([0.1 * turned, np.full((len(angle), 20, 1), 0.5)], axis=-1)
    return {"image": images, "points": clouds.astype(np.float32)}


def turn_arrows(n_objects, n_turns, seed):
    """Transitions of arrows that an action (1,) turns within a range of 2.4 radians."""
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(n_objects), n_turns)
    length = rng.uniform(0.5, 0.9, n_objects)[group]
    color = rng.uniform(0.3, 1, (n_objects, 3))[group]
    start, end = rng.uniform(-1.2, 1.2, (2, len(group)))
    action = (end - start)[:, None].astype(np.float32)
    return Transitions(draw(start, length, color), action, draw(end, length, color), group)


def arrow_views(n_objects, n_views, seed):
    """Angles (n_objects, n_views) and what is seen of each arrow at them, sense -> (n_objects, n_views, ...)."""
    rng = np.random.default_rng(seed)
    length, color = rng.uniform(0.5, 0.9, n_objects), rng.uniform(0.3, 1, (n_objects, 3))
    angle = rng.uniform(-1.2, 1.2, (n_objects, n_views))
    seen = draw(angle.ravel(), np.repeat(length, n_views), np.repeat(color, n_views, axis=0))
    return angle, {sense: x.reshape(n_objects, n_views, *x.shape[1:]) for sense, x in seen.items()}


def turn_arrows_in_episodes(n_objects, n_turns, seed):
    """Transitions in which each arrow is turned `n_turns` times in a row."""
    angle, seen = arrow_views(n_objects, n_turns + 1, seed)
    before, after = (
        {sense: x[:, side].reshape(-1, *x.shape[2:]) for sense, x in seen.items()}
        for side in (slice(None, -1), slice(1, None))
    )
    action = np.diff(angle, axis=1).reshape(-1, 1).astype(np.float32)
    return Transitions(before, action, after, np.repeat(np.arange(n_objects), n_turns))
