"""The encoders under test: the same turns, told or not told to the learner."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from smc import Transitions
from smc.encoders import ConvEncoder, EquivarianceModule, embed, pretrain
from smc.encoders.objectives import EquiMod, TimeContrast, WeightedSum

SENSE = "eye"
N_COMPONENTS = 48  # of the pixels


def methods(world, config, seed, rng):
    """Functions of pictures that give embeddings, by name of the method."""
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
    contrast = trained(TimeContrast(0.2))
    structured = WeightedSum((TimeContrast(0.2), 1.0), (EquiMod(0.1), config.equivariance_weight))
    told, misled = trained(structured), trained(structured, "shuffled")
    untrained = EquivarianceModule(trunk, action.shape[1], seed=seed).eval()
    return {
        "pixels": lambda x: pixels.transform(_flat(x)).astype(np.float32),
        "random encoder": lambda x: embed(untrained, x, "backbone"),
        "time contrast, backbone": lambda x: embed(contrast, x, "backbone"),
        "time contrast, invariance": lambda x: embed(contrast, x, "invariance"),
        "EquiMod, backbone": lambda x: embed(told, x, "backbone"),
        "EquiMod, equivariance": lambda x: embed(told, x, "equivariance"),
        "shuffled action": lambda x: embed(misled, x, "equivariance"),
    }


def _flat(images):
    return images.reshape(len(images), -1)
