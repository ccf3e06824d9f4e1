"""The encoders under test: the same turns, told or not told to the learner."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from smc import Transitions
from smc.encoders import ConvEncoder, EquivarianceModule, embed, pretrain
from smc.encoders.objectives import EquiMod, TimeContrast, WeightedSum

SENSE = "eye"
N_COMPONENTS = 48  # of the pixels


METHODS = (
    "pixels",
    "random encoder",
    "time contrast, backbone",
    "time contrast, invariance",
    "EquiMod, backbone",
    "EquiMod, equivariance",
    "shuffled action",
)


def methods(world, config, seed, rng):
    """A function of pictures that gives their embeddings, one (n, dim) for each of METHODS."""
    objects = np.repeat(np.arange(len(world.families)), config.n_turns)
    before, after = rng.uniform(-np.pi, np.pi, (2, len(objects), 2))
    turn = after - before
    action = np.concatenate([np.cos(turn), np.sin(turn)], axis=1)  # full turns are no turns
    steps = Transitions({SENSE: world.look(objects, before)}, action, {SENSE: world.look(objects, after)}, objects)
    trunk = ConvEncoder(config.width, config.size, seed=seed)

    def trained(objective, action="true"):
        return pretrain(
            steps, {SENSE: trunk}, objective=objective, action=action, n_steps=config.n_steps,
            batch_size=config.batch_size, seed=seed,
        )[SENSE]  # fmt: skip

    pixels = PCA(N_COMPONENTS, random_state=seed).fit(_flat(steps.observation[SENSE][::2]))
    structured = WeightedSum((TimeContrast(0.2), 1.0), (EquiMod(0.1), config.equivariance_weight))
    untrained = EquivarianceModule(trunk, action.shape[1], seed=seed).eval()
    contrast, told, misled = trained(TimeContrast(0.2)), trained(structured), trained(structured, "shuffled")

    def embeddings(images):
        yield pixels.transform(_flat(images)).astype(np.float32)
        heads = ("backbone",), ("backbone", "invariance"), ("backbone", "equivariance"), ("equivariance",)
        for module, chosen in zip((untrained, contrast, told, misled), heads):
            embedded = embed(module, images, chosen)
            for columns in module.columns(chosen).values():
                yield np.ascontiguousarray(embedded[:, columns])

    return embeddings


def _flat(images):
    return images.reshape(len(images), -1)
