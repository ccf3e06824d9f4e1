"""One training for all methods: what differs between them is data, not code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from smc.encoders import (
    AugmentedImages,
    ConvEncoder,
    EquivarianceModule,
    ImageAugmentation,
    PointEncoder,
    Pretrained,
    pretrain,
)

WIDTHS = (32, 64, 128)  # of the point encoder: a third of the image encoder's time
ACTION_SIZE = 2  # yaw and pitch


@dataclass(frozen=True)
class Method:
    """What an encoder is trained for, and on what.

    Attributes
    ----------
    name : str
    objective : callable -> smc.encoders.objectives.Objective; None leaves the encoder as it was initialised
    senses : tuple of str
    fresh_rooms : bool
        Whether the room changes between two views of an object.
    revealed : bool
        Whether images show only what changed when the object was put away; then also in tests.
    augmentation : ImageAugmentation or None
        Two views are two looks at one image in place of two poses, if given.
    action : {"true", "shuffled", "none"}
    learning_rate : float
    heads : dict or None
        Options of `EquivarianceModule`.
    """

    name: str
    objective: Callable | None
    senses: tuple[str, ...] = ("image",)
    fresh_rooms: bool = True
    revealed: bool = False
    augmentation: ImageAugmentation | None = None
    action: str = "true"
    learning_rate: float = 4e-3
    heads: dict | None = None


def new_encoders(senses, config, seed) -> dict:
    """Encoders of each sense with the initial weights of a seed, the same for every method."""
    makers = {
        "image": lambda: ConvEncoder(size=config.image_size, seed=seed),
        "revealed": lambda: ConvEncoder(size=config.image_size, seed=seed),
        "points": lambda: PointEncoder(WIDTHS, seed=seed),
    }
    return {sense: makers[sense]() for sense in senses}


def train(method: Method, experience, config, seed) -> Pretrained | dict:
    """Modules by sense after the training of a method.

    Parameters
    ----------
    method : Method
    experience : Experience
        Of `live`, with the kind of rooms that the method asks for.
    config : Config
    seed : int
        Of initial weights and batches.
    """
    encoders = new_encoders(method.senses, config, seed)
    if method.objective is None:
        return {sense: EquivarianceModule(encoder, ACTION_SIZE, seed=seed) for sense, encoder in encoders.items()}
    if method.augmentation is not None:
        data = AugmentedImages(experience.before.sensed(method.revealed)["image"], method.augmentation)
    else:
        data = experience.transitions(revealed=method.revealed, senses=method.senses)
    return pretrain(
        data,
        encoders,
        objective=method.objective(),
        action=method.action,
        n_steps=config.n_steps,
        batch_size=config.batch_size,
        learning_rate=method.learning_rate,
        n_points=config.n_points,
        seed=seed,
        threads=1,
        heads=method.heads,
    )
