"""Objects in environments that differ in backgrounds and light, and encoders that learn to tell them apart."""

import numpy as np
import torch

from smc import Transitions
from smc.encoders import ConvEncoder, embed, objectives, pretrain
from smc.soups import recompute_batch_norm
from smc.worlds import Camera, Light, ObjectBank, backgrounds, pack_meshes, pose_matrix, render

SIZE = 32  # pixels
# Backgrounds, azimuth of the light in radians, its colour, and the share of it that comes from everywhere.
START = ("plain", 0.0, (1.0, 1.0, 1.0), 0.4)
ENVIRONMENTS = {
    "texture": ("texture", -0.8, (1.0, 1.0, 1.0), 0.4),
    "stripes": ("stripes", 0.0, (0.7, 0.9, 1.1), 0.3),
    "clutter": ("clutter", 0.9, (0.6, 0.6, 0.6), 0.3),
    "room": ("room", 2.4, (1.15, 0.9, 0.65), 0.25),  # never trained in
}
SEEN, UNSEEN = tuple(ENVIRONMENTS)[:3], 3


class Laboratory:
    """Objects in environments, and training and test of encoders as state dicts."""

    def __init__(self, config, seed):
        self.config, self.seed, self.rng = config, seed, np.random.default_rng((seed, 0))
        n, m = config.n_objects, config.n_unfamiliar
        bank = ObjectBank.procedural(n + m, seed=seed)
        self.meshes = pack_meshes(bank)
        number = np.arange(len(bank)) % (n + m)
        self.familiar, self.unfamiliar = np.flatnonzero(number < n), np.flatnonzero(number >= n)
        self.transitions = {name: self._record(place) for name, place in (ENVIRONMENTS | {"start": START}).items()}
        self.test_objects = np.repeat(self.unfamiliar, config.n_test_views)
        self.test = [self._draw(self.test_objects, place) for place in ENVIRONMENTS.values()]
        self.chance = (config.n_test_views - 1) / (len(self.test_objects) - 1)

    def untrained(self, start):
        return self._encoder(start).state_dict()

    def pretrain(self, state, start):
        return self._train(state, ["start"], self.config.n_pretraining, self.config.learning_rate, (self.seed, start))

    def fine_tune(self, state, names):
        """Agreement of all frames of an object (time contrast), in one environment or in several."""
        return self._train(state, names, len(names) * self.config.n_fine_tuning, self.config.fine_rate, (self.seed, 3))

    def recognise(self, state):
        """Share of frames of unfamiliar objects whose nearest other frame shows the same object, by environment."""
        found = []
        for images in self.test:
            if state is None:
                features = images.reshape(len(images), -1).astype(np.float32)
                features = features - features.mean(axis=1, keepdims=True)
            else:
                features = embed(self._encoder(0, state), images)
            features = features / np.linalg.norm(features, axis=1, keepdims=True)
            similarity = features @ features.T
            np.fill_diagonal(similarity, -np.inf)
            found.append((self.test_objects[similarity.argmax(axis=1)] == self.test_objects).mean())
        return np.array(found)

    def with_statistics(self, state):
        """The state with batch normalisation measured anew on frames of the three environments."""
        encoder = self._encoder(0, state)
        frames = np.concatenate([self.transitions[name].observation["image"] for name in SEEN])
        frames = torch.from_numpy(np.random.default_rng(0).permutation(frames))
        return recompute_batch_norm(encoder, frames.split(256)[:4]).state_dict()

    def examples(self):
        """Frames of one object, a row of the same three poses per environment."""
        rows = np.full(3, self.unfamiliar[len(self.unfamiliar) // 2])
        return np.stack([self._draw(rows, place) for place in ENVIRONMENTS.values()])

    def _encoder(self, start, state=None):
        encoder = ConvEncoder(self.config.width, SIZE, 64, seed=3 * self.seed + start)
        if state is not None:
            encoder.load_state_dict(state)
        return encoder

    def _train(self, state, names, n_steps, rate, seed):
        parts = [self.transitions[name] for name in names]
        data = Transitions(
            {"image": np.concatenate([part.observation["image"] for part in parts])},
            np.concatenate([part.action for part in parts]),
            {"image": np.concatenate([part.next_observation["image"] for part in parts])},
            group=np.concatenate([part.group for part in parts]),
        )
        found = pretrain(
            data, {"image": self._encoder(0, state)}, objective=objectives.TimeContrast(), n_steps=n_steps,
            batch_size=self.config.batch_size, learning_rate=rate,
            seed=int(np.random.default_rng(seed).integers(2**31)),
        )  # fmt: skip
        return found["image"].encoder.state_dict()

    def _record(self, place):
        """Pairs of frames of each familiar object."""
        objects = np.repeat(self.familiar, self.config.n_views)
        before, after = self._draw(objects, place), self._draw(objects, place)
        return Transitions({"image": before}, np.zeros((len(objects), 1), np.float32), {"image": after}, group=objects)

    def _draw(self, objects, place):
        """Images of objects at random poses, each before a background of its own."""
        kind, azimuth, color, ambient = place
        n, rng = len(objects), self.rng
        light = Light.from_azimuth(
            azimuth + rng.uniform(-0.4, 0.4, n), 0.7, np.array(color) * rng.uniform(0.85, 1.15, (n, 3)), ambient
        )
        pose = pose_matrix(
            rng.uniform(-1.2, 1.2, n), rng.uniform(0.0, 0.6, n), rng.uniform(-0.2, 0.2, n),
            *rng.uniform(-0.02, 0.02, (2, n)), rng.uniform(0.38, 0.46, n),
        )  # fmt: skip
        behind = backgrounds(kind, rng.integers(2**31, size=n), SIZE, light)
        return render(self.meshes, objects, pose, Camera(size=SIZE), light, background=behind).image
