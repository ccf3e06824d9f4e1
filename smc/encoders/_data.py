"""What can be learned from: transitions, environments, augmented images, image folders; refused where it cannot."""

import os

import numpy as np

from smc import Transitions
from smc.encoders._augmentation import AugmentedImages
from smc.encoders._checks import check_action
from smc.encoders._images import load_images
from smc.encoders._point_network import PointEncoder
from smc.encoders._sources import LiveSteps, Looks, RecordedSteps


def as_data(data, n_env_steps, seed):
    """`Transitions`-like, `AugmentedImages` or a source of steps, of whatever `pretrain` was given."""
    if isinstance(data, str | os.PathLike):
        return AugmentedImages(load_images(data).images)
    if isinstance(data, AugmentedImages) or hasattr(data, "next_observation") or _is_live(data):
        return data
    if hasattr(data, "reset") and hasattr(data, "step"):
        return Transitions.from_env(data, None, n_env_steps, seed)
    raise TypeError(
        "transitions must be smc.Transitions, AugmentedImages, an environment, a source of steps or the path of an "
        f"image folder, got {type(data).__name__}"
    )


def check_data(data, encoders, objective, n_points):
    """Refuse what the encoders cannot take or the objective cannot learn from."""
    if isinstance(data, AugmentedImages):
        if set(encoders) != {data.sense}:
            raise ValueError(f"encoders must be of the sense {data.sense!r} of the images alone, got {list(encoders)}")
        if objective.n_actions > 1:
            raise ValueError(
                f"images are looked at twice, but the objective needs {objective.n_actions} actions in a row"
            )
        encoders[data.sense].check_input(data.images, "images")
        return
    if _is_live(data):
        return  # what it will sense is not known before; each step is checked when it comes
    for modality, encoder in encoders.items():
        if modality not in data.observation:
            known = ", ".join(sorted(data.observation))
            raise ValueError(f"encoders names {modality!r}, but transitions sense {known} only")
        for side in ("observation", "next_observation"):
            name = f"transitions.{side}[{modality!r}]"
            frames = encoder.check_input(getattr(data, side)[modality], name)
            if isinstance(encoder, PointEncoder) and frames.shape[1] < n_points:
                raise ValueError(f"{name} has clouds of {frames.shape[1]} points, fewer than n_points={n_points}")


def open_source(data, senses, settings, n_actions):
    """Where each step gets its frames and actions from."""
    shuffled = settings["action"] == "shuffled"
    if isinstance(data, AugmentedImages):
        return Looks(data, settings["batch_size"], settings["seed"], shuffled)
    if _is_live(data):
        actions = np.asarray(data.actions)
        if actions.ndim != 2 or len(actions) == 0:
            raise ValueError(f"transitions.actions must show actions (n >= 1, d), got shape {actions.shape}")
        actions = check_action(actions, *actions.shape, "transitions.actions")
        return LiveSteps(data, actions, senses, settings["seed"], n_actions, shuffled)
    action = np.asarray(data.action)
    if action.ndim != 2:
        raise ValueError(
            f"transitions.action must be vectors (n, d), got shape {action.shape}; numbers k of discrete actions "
            "become vectors by np.eye(n_actions)[k]"
        )
    action = check_action(action, len(action), action.shape[1], "transitions.action")
    return RecordedSteps(data, action, senses, settings["batch_size"], settings["seed"], n_actions, shuffled)


def _is_live(data):
    return callable(data) and hasattr(data, "actions")
