"""The encoders under test: one trunk, one experience, several objectives."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from smc import Transitions
from smc.encoders import ConvEncoder, EquivarianceModule, embed, pretrain
from smc.encoders.objectives import EquiMod, NTXent, TimeContrast, VICReg, WeightedSum

SENSE = "eye"
HEADS = ("mid", "backbone", "invariance", "equivariance")
# What the two frames of a training pair have in common: the view, or only the object.
ONE_VIEW = {
    "NT-Xent 0.1": NTXent(0.1),
    "NT-Xent 0.2": NTXent(0.2),
    "NT-Xent 0.5": NTXent(0.5),
    "VICReg": VICReg(),
}
ONE_OBJECT = {
    "time contrast": TimeContrast(0.2),
    "EquiMod": WeightedSum((TimeContrast(0.2), 1.0), (EquiMod(0.1), 0.3)),  # the default design of `pretrain`
}
METHODS = ("random", *ONE_VIEW, *ONE_OBJECT)
RAW = ("none", "pixels")
# Only EquiMod trains the equivariance head.
CELLS = (RAW, *((m, h) for m in METHODS for h in HEADS if h != "equivariance" or m == "EquiMod"))
N_COMPONENTS = 48  # of the pixels, so that their maps cost no more than those of embeddings


def embeddings(experience, config, seed):
    """Pairs of a cell (method, head) and all pictures of the experience, name -> (..., dim), as embedded there."""
    pictures = experience.pictures()
    pixels = PCA(min(N_COMPONENTS, len(experience.image)), random_state=seed)
    pixels.fit(_flat(experience.image[:: max(1, len(experience.image) // 3000)]))
    yield RAW, {name: pixels.transform(_flat(x)).astype(np.float32) for name, x in pictures.items()}
    trunk = ConvEncoder(config.width, config.size, seed=seed)
    for method in METHODS:
        module = _train(method, trunk, experience, config, seed)
        embedded = {name: embed(module, x, HEADS) for name, x in pictures.items()}
        for head, columns in module.columns(HEADS).items():
            if (method, head) in CELLS:
                yield (method, head), {name: x[:, columns] for name, x in embedded.items()}


def _train(method, trunk, experience, config, seed):
    if method == "random":
        return EquivarianceModule(trunk, 2, seed=seed).eval()
    objective = ONE_VIEW.get(method) or ONE_OBJECT[method]
    pairs = _glances(experience) if method in ONE_VIEW else _turns(experience)
    trained = pretrain(
        pairs, {SENSE: trunk}, objective=objective, n_steps=config.n_steps, batch_size=config.batch_size, seed=seed
    )
    return trained[SENSE]


def _glances(experience):
    """Two glances at the same view: they differ by noise alone."""
    again = experience.world.glance(experience.clean, experience.object, experience.yaw, experience.rng)
    nothing = np.zeros((len(again), 2))
    return Transitions({SENSE: experience.image}, nothing, {SENSE: again}, experience.object)


def _turns(experience):
    """Two views of the same object, each as frequent as in all experience, and the turn between them."""
    following = np.arange(len(experience.yaw)).reshape(experience.world.n_objects, -1)
    following = np.roll(following, 1, axis=1).ravel()
    turn = experience.yaw[following] - experience.yaw
    action = np.column_stack([np.cos(turn), np.sin(turn)])  # full turns are no turns
    image = experience.image
    return Transitions({SENSE: image}, action, {SENSE: image[following]}, experience.object)


def _flat(images):
    return images.reshape(len(images), -1)
