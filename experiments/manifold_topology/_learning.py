"""The encoders under test: the same turns of one object, told or not told to the learner."""

from __future__ import annotations

import numpy as np
from sklearn.decomposition import PCA

from experiments.manifold_topology._supervised import supervised
from experiments.manifold_topology._world import SENSE, circles
from smc import Transitions
from smc.encoders import ConvEncoder, EquivarianceModule, embed, pretrain
from smc.encoders.objectives import ActionDecoder, EquiMod, TimeContrast

N_COMPONENTS = 48  # of the pixels
IDEAL = "true pose"
SUPERVISED = "supervised"
CEILINGS = (IDEAL, SUPERVISED)
METHODS = (
    *CEILINGS,
    "pixels",
    "random encoder",
    "time contrast, backbone",
    "time contrast, invariance",
    "EquiMod, backbone",
    "EquiMod, equivariance",
    "action decoder, backbone",
    "action decoder, equivariance",
    "shuffled action",
)


def methods(world, config, seed, rng):
    """A function of an object's number, pictures and poses that gives one embedding (n, dim) for each of METHODS."""
    steps, poses_before = zip(
        *(world.steps(number, config.n_turns, config.episode) for number in range(len(world.families)))
    )
    trunk = ConvEncoder(config.width, config.size, seed=seed)

    def trained(transitions, objective, action="true"):
        return pretrain(
            transitions, {SENSE: trunk}, objective=objective, action=action, n_steps=config.n_steps,
            batch_size=config.batch_size, seed=seed,
        )[SENSE]  # fmt: skip

    # Other objects would be the easiest negatives, and one object's poses be left in a corner of the sphere.
    told = [trained(s, EquiMod(config.temperature)) for s in steps]
    decoding = [trained(s, ActionDecoder()) for s in steps]
    misled = [trained(s, EquiMod(config.temperature), "shuffled") for s in steps]
    untrained = EquivarianceModule(trunk, steps[0].action.shape[1], seed=seed).eval()
    contrast = trained(joined(steps), TimeContrast(0.2))  # which needs other objects as negatives
    pixels = PCA(N_COMPONENTS, random_state=seed).fit(_flat(joined(steps).observation[SENSE][::2]))
    read = [supervised(trunk, s.observation[SENSE], circles(p), config, seed) for s, p in zip(steps, poses_before)]

    def embeddings(number, images, poses):
        yield ideal(poses * world.seen_to_turn(number), config.ideal_noise, rng)
        yield read[number](images)
        yield pixels.transform(_flat(images)).astype(np.float32)
        both = ("backbone", "equivariance")
        for module, chosen in (
            (untrained, ("backbone",)),
            (contrast, ("backbone", "invariance")),
            (told[number], both),
            (decoding[number], both),
            (misled[number], ("equivariance",)),
        ):
            embedded = embed(module, images, chosen)
            for columns in module.columns(chosen).values():
                yield np.ascontiguousarray(embedded[:, columns])

    return embeddings


def ideal(poses, noise, rng, dim=64):
    """Circles of the poses turned at random into `dim` dimensions, in all of which there is noise: (n, dim)."""
    X = circles(poses)
    axes = np.linalg.qr(rng.standard_normal((dim, X.shape[1])))[0].T
    return (X @ axes + noise * rng.standard_normal((len(X), dim))).astype(np.float32)


def joined(steps):
    """The transitions of several objects as one set."""

    def together(name):
        return {SENSE: np.concatenate([getattr(s, name)[SENSE] for s in steps])}

    return Transitions(
        together("observation"),
        np.concatenate([s.action for s in steps]),
        together("next_observation"),
        np.repeat(np.arange(len(steps)), [len(s.action) for s in steps]),
    )


def _flat(images):
    return images.reshape(len(images), -1)
