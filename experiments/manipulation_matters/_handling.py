"""Steps of handling, made while they are learned from: all cells see the same first frames."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from experiments._held import PITCH, YAW, action_between, draw_scene, sense
from smc.encoders import ImageAugmentation, Sample
from smc.encoders._arrays import as_tensor
from smc.encoders._runtime import evaluating
from smc.policies import ValuePolicy, YokedReplay

from ._cells import SPEEDS

N_ACTIONS = 2  # in a row
N_SHOWN = 2048  # episodes that tell the scale of the actions
TEMPERATURE = 0.1  # of the predictor's choice among all frames


class Handling:
    """Source of steps for `smc.encoders.pretrain`: each takes up some objects anywhere, and acts on them in a row.

    Parameters
    ----------
    bank : ObjectBank
    cell : Cell
    config : Config
    seed : int
    policy : TurnProgress or YokedReplay, optional
        Chooses how fast each object turns, where the path is "steered" or "yoked".
    """

    def __init__(self, bank, cell, config, seed, policy=None):
        self.bank, self.cell, self.policy, self.seed = bank, cell, policy, seed
        self.n_objects, self.size = min(config.batch_size, len(bank)), config.image_size
        rng = np.random.default_rng((seed, 0))
        turns = rng.choice(SPEEDS, N_SHOWN) if policy else np.full(N_SHOWN, cell.speed)
        _, _, actions = self._episode(rng.integers(len(bank), size=N_SHOWN), turns, rng)
        self.actions = np.concatenate([action.vector() for action in actions])
        self.chosen = []

    def __call__(self, step):
        rng = np.random.default_rng((self.seed, 1, step))
        objects = rng.permutation(len(self.bank))[: self.n_objects]
        turns = np.full(len(objects), self.cell.speed)
        if self.policy:
            self.chosen.append(self.policy(objects, np.random.default_rng((self.seed, 2, step))))
            turns = np.array(SPEEDS)[self.chosen[-1]]
        scenes, looks, actions = self._episode(objects, turns, rng)
        frames = [sense(self.bank, scene, rng, size=self.size)["image"] for scene in scenes]
        if looks:
            frames = [look.apply(frame, "image") for look, frame in zip(looks, frames)]
        told = np.stack([action.vector().astype(np.float32) for action in actions])
        self.last = Sample({"image": np.concatenate(frames)}, told, objects)
        return self.last

    def _episode(self, objects, turns, rng):
        """Scenes in a row, augmentations of them if any, and the actions between; draws alike whatever changes."""
        scenes = [draw_scene(objects, rng)]
        for _ in range(N_ACTIONS):
            scenes.append(self._changed(scenes[-1], turns, rng))
        if "augmentation" in self.cell.changes:
            looks = [ImageAugmentation().draw(len(objects), rng) for _ in scenes]
            return scenes, looks, [before.invert().compose(after) for before, after in pairwise(looks)]
        return scenes, [], [action_between(before, after) for before, after in pairwise(scenes)]

    def _changed(self, scene, turns, rng):
        elsewhere = draw_scene(scene.object, rng)
        turn = np.radians(turns)[:, None] * rng.uniform(-1, 1, (len(scene), 2))
        turned = elsewhere.angles if self.cell.path == "teleport" else folded(scene.angles + turn)
        new = {
            "rotation": {"angles": turned},
            "translation": {"place": elsewhere.place},
            "zoom": {"zoom": elsewhere.zoom},
            "light": {"light": elsewhere.light},
            "background": {"room": elsewhere.room},
            "augmentation": {},
        }
        for name in self.cell.changes:
            scene = replace(scene, **new[name])
        return scene

    def feel(self, state, step):
        """Callback of `pretrain`: tell the policy how surprising the last step was to what has been learned."""
        self.policy.learn(None, self.chosen[-1], surprise(state["modules"]["image"], self.last))


def folded(angles):
    """Angles (n, 2) folded back into the range of yaw and pitch, as a hand that cannot turn further turns back."""
    limit = np.array([YAW, PITCH])
    return np.abs((angles - limit) % (4 * limit) - 2 * limit) - limit


def surprise(module, sample):
    """Minus the logarithm of the share (n,) that the predictor gives to what followed, among all frames."""
    n = len(sample.group)
    with evaluating(module):
        y = module(as_tensor(sample.frames["image"]))[1]
        predicted = module.predictor(y[:n], as_tensor(sample.actions[0]))
        return cross_entropy(predicted @ y.T / TEMPERATURE, torch.arange(n, 2 * n), reduction="none").numpy()


class TurnProgress(ValuePolicy):
    """The kind of turn whose consequences are becoming less surprising, now and then any other.

    The rule of `smc.policies.LearningProgress`, with the surprise of an encoder's predictor in place of a contingency
    model's: progress is a slow minus a fast running mean of surprise (Oudeyer, Kaplan & Hafner 2007).
    """

    def __init__(self, n_actions, *, exploration=0.2, fast=0.3, slow=0.1):
        super().__init__(n_actions)
        self.exploration, self.rates = exploration, (fast, slow)
        self.means = np.full((2, n_actions), np.nan)

    def values(self, observation, rng):
        fast, slow = self.means
        progress = np.nan_to_num(slow - fast, nan=np.inf)  # what was never done first
        explores = rng.random((len(observation), 1)) < self.exploration
        return np.where(explores, rng.random((len(observation), self.n_actions)), progress)

    def learn(self, observation, action, surprise):
        for kind in np.unique(action):
            recent = surprise[action == kind].mean()
            for mean, rate in zip(self.means, self.rates):
                mean[kind] = recent if np.isnan(mean[kind]) else mean[kind] + rate * (recent - mean[kind])


def yoked_to(chosen):
    """Policy that turns as another agent chose to, (n_steps, n)."""
    return YokedReplay(np.array(chosen))
