"""What can be varied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TABLES = ("main", "bundled", "ablations", "multimodal", "acting", "glance", "planning")


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    table: Literal[TABLES] = "main"
    image_size: int = 32  # pixels
    n_points: int = 64  # points of a cloud
    n_objects: int = 110  # of each training family, to learn from
    n_test: int = 16  # of each family, never met
    n_views: int = 8  # of each object that is measured
    n_probe: int = 20  # objects of each training family that probes learn from
    n_room_views: int = 120  # of each room that is to be recognised
    n_steps: int = 200  # of the training, the same for every method
    batch_size: int = 128  # transitions: twice as many images
    null_share: float = 0.25  # of the transitions: the object rests and only the room changes
    n_probe_steps: int = 300  # of the probe that reads actions
    n_draws: int = 5  # of the few labels
    n_turns: int = 5  # towards a goal


SMOKE = Config(
    image_size=16,
    n_points=16,
    n_objects=2,
    n_test=2,
    n_views=3,
    n_probe=2,
    n_room_views=4,
    n_steps=2,
    batch_size=8,
    n_probe_steps=2,
    n_draws=1,
    n_turns=1,
)
QUICK = Config(n_objects=20, n_test=10, n_views=4, n_probe=10, n_room_views=30, n_steps=20, n_probe_steps=50, n_draws=1)
