"""What the agent lives through: it holds an object in a room, puts it away once, takes it up again and turns it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments import _views
from smc import Transitions
from smc.worlds import DEGRADATIONS, ManipulateObjectVector

YAW, PITCH = np.pi / 2, np.pi / 6  # the turns that training covers, to either side
FAR_YAW, FAR_PITCH = np.pi, np.pi / 3  # beyond them lies the unseen range of orientations
TURN_STEP = np.pi  # full scale of a turn action, radians
HOLD = 6  # index of the action that puts away (-1) or takes up (+1)

ROOMS = {
    "familiar": {"backgrounds": ("plain", "texture"), "light_azimuth": (-np.pi / 3, np.pi / 3)},
    "development": {"backgrounds": ("stripes",), "light_azimuth": (-np.pi / 3, np.pi / 3)},
    "confirmation": {"backgrounds": ("clutter", "room"), "light_azimuth": (-np.pi / 3, np.pi / 3)},
    "unseen light": {
        "backgrounds": ("plain", "texture"),
        "light_azimuth": (2 * np.pi / 3, 4 * np.pi / 3),
        "light_saturation": 0.4,
    },
}


@dataclass(frozen=True)
class Views(_views.Views):
    """Frames of held objects, and the same ones through worse sensors."""

    def degraded(self, sense: str, kind: str, strength: float, seed: int) -> Views:
        """The same views through a worse sensor; eye and empty room pass through the same lens."""
        harm = DEGRADATIONS[sense][kind]
        if sense == "points":
            return replace(self, points=harm(self.points, strength, seed))
        # An occluder or a blur stays where it is between the two frames, noise is drawn anew.
        again = seed + 1 if "noise" in kind else seed
        return replace(self, image=harm(self.image, strength, seed), empty=harm(self.empty, strength, again))

    def with_own_noise(self, rng) -> Views:
        """The same views through noise of the agent's own making: what the trained fusions learn from."""
        strength, seed = float(rng.uniform(0.2, 1)), int(rng.integers(2**31))
        harmed = self.degraded("image", "noise", strength, seed)
        return harmed.degraded("points", "depth_noise", strength, seed)


def random_poses(rng, shape, *, far=False):
    """Yaw and pitch (..., 2), uniform over the familiar range, or over the unseen one beyond it."""
    pose = rng.uniform(-1, 1, (*shape, 2)) * (YAW, PITCH)
    if far:
        beyond = rng.uniform(0, 1, (*shape, 2))
        pose = np.sign(pose) * ((YAW, PITCH) + beyond * (FAR_YAW - YAW, FAR_PITCH - PITCH))
    return pose


def handle(bank, objects, poses, room, config, seed):
    """Episodes of handling, one room each, for `objects` (n,) through `poses` (n, n_frames, 2).

    Returns Views of n * n_frames frames in the order (episode, frame), and the turns (n, n_frames - 1, 2) that the
    agent made, in radians.
    """
    n, n_frames = poses.shape[:2]
    world = ManipulateObjectVector(
        bank=bank,
        num_envs=n,
        size=config.image_size,
        n_points=config.n_points,
        yaw_range=(-FAR_YAW, FAR_YAW),
        pitch_range=(-FAR_PITCH, FAR_PITCH),
        turn_step=TURN_STEP,
        max_steps=n_frames + 2,
        **ROOMS[room],
    )
    start = np.concatenate([poses[:, 0], np.zeros((n, 1))], axis=1)
    world.reset(seed=seed, options={"object": objects, "pose": start})
    still = np.zeros((n, 7), np.float32)
    put_away, take_up = still.copy(), still.copy()
    put_away[:, HOLD], take_up[:, HOLD] = -1, 1
    empty = world.step(put_away)[0]["image"]
    observation = world.step(take_up)[0]
    frames = [observation]
    turns = np.diff(poses, axis=1)
    for step in range(n_frames - 1):
        action = still.copy()
        action[:, :2] = turns[:, step] / TURN_STEP
        frames.append(world.step(action)[0])
    world.close()

    def stacked(key):
        return np.stack([frame[key] for frame in frames], axis=1).reshape(n * n_frames, *frames[0][key].shape[1:])

    views = Views(
        image=stacked("image"),
        empty=np.repeat(empty, n_frames, axis=0),
        points=stacked("points"),
        pose=poses.reshape(-1, 2),
        object=np.repeat(objects, n_frames),
    )
    return views, turns


def join(parts: list[Views]) -> Views:
    return Views(*(np.concatenate([getattr(p, name) for p in parts]) for name in Views.__dataclass_fields__))


def live(bank, objects, config, seed) -> Transitions:
    """The handling from which the encoders learn: every object in several rooms, several turns in each."""
    rng = np.random.default_rng(seed)
    parts = []
    for _ in range(config.n_episodes):
        poses = random_poses(rng, (len(objects), config.n_frames))
        views, turns = handle(bank, objects, poses, "familiar", config, int(rng.integers(2**31)))
        parts.append(as_transitions(views, turns))
    return Transitions.concatenate(parts)


def as_transitions(views: Views, turns) -> Transitions:
    n, n_turns = turns.shape[:2]
    sensed = views.sensed(revealed=True)

    def frames(chosen):
        return {
            k: v.reshape(n, n_turns + 1, *v.shape[1:])[:, chosen].reshape(-1, *v.shape[1:]) for k, v in sensed.items()
        }

    return Transitions(
        observation=frames(slice(None, -1)),
        action=turns.reshape(-1, 2).astype(np.float32),
        next_observation=frames(slice(1, None)),
        group=np.repeat(views.object.reshape(n, -1)[:, 0], n_turns),
    )


def look(bank, objects, n_views, room, config, seed, *, far=False) -> Views:
    """Single views, each in a room of its own, `n_views` per object in the order (object, view)."""
    rng = np.random.default_rng(seed)
    poses = random_poses(rng, (len(objects) * n_views, 1), far=far)
    return handle(bank, np.repeat(objects, n_views), poses, room, config, int(rng.integers(2**31)))[0]


def survey(bank, objects, config, seed):
    """Every object once from every pose of the grid of turns, in one room per object: Views and grid (n_poses, 2)."""
    yaw, pitch = np.meshgrid(np.linspace(-YAW, YAW, 7), np.linspace(-PITCH, PITCH, 3), indexing="ij")
    grid = np.stack([yaw.ravel(), pitch.ravel()], axis=1)
    poses = np.broadcast_to(grid, (len(objects), *grid.shape)).copy()
    return handle(bank, objects, poses, "familiar", config, seed)[0], grid
