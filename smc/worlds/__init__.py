"""Worlds to act in: objects to handle, the camera and sensors that see them, and the environments built from both.

The environments (`ManipulateObject`, `ManipulateObjectVector`, `Corridor`, `GogglesReach`, `GridWorld`, `Mobile`,
`MovingStructures`, `PushObject`, `TetrominoPatch`, `TouchRoom`) need gymnasium and load on first use. Many agents at
once act in what is behind them: `StateTable` and the tables made of it, `RigidStructures`, and `PushedObjects`.
"""

from smc.worlds._backgrounds import BACKGROUND_KINDS, backgrounds
from smc.worlds._bank import ObjectBank
from smc.worlds._corridor_states import CorridorStates
from smc.worlds._mesh import Mesh
from smc.worlds._mobile_states import MobileStates
from smc.worlds._mosaics import mosaics
from smc.worlds._packing import PackedMeshes, pack_meshes
from smc.worlds._pose import pose_matrix
from smc.worlds._pushing import PushedObjects
from smc.worlds._rasteriser import Camera, Light, Rendering, points_from_depth, render
from smc.worlds._reach_states import ReachStates
from smc.worlds._registration import MODULES, register_when_loaded
from smc.worlds._reveal import changed, reveal
from smc.worlds._rigid_structures import RigidStructures
from smc.worlds._room_states import RoomStates
from smc.worlds._sensors import (
    DEGRADATIONS,
    add_depth_noise,
    add_image_noise,
    blur,
    darken,
    drop_points,
    occlude,
    partial_view,
)
from smc.worlds._state_table import StateTable
from smc.worlds._tetromino_states import TetrominoStates

register_when_loaded()

_ENVIRONMENTS = {
    **MODULES,
    "ManipulateObject": "smc.worlds._manipulate",
    "ManipulateObjectVector": "smc.worlds._manipulate",
}

__all__ = [
    "BACKGROUND_KINDS",
    "DEGRADATIONS",
    "Camera",
    "CorridorStates",
    "Light",
    "Mesh",
    "MobileStates",
    "ObjectBank",
    "PackedMeshes",
    "PushedObjects",
    "ReachStates",
    "Rendering",
    "RigidStructures",
    "RoomStates",
    "StateTable",
    "TetrominoStates",
    "add_depth_noise",
    "add_image_noise",
    "backgrounds",
    "blur",
    "changed",
    "darken",
    "drop_points",
    "mosaics",
    "occlude",
    "pack_meshes",
    "partial_view",
    "points_from_depth",
    "pose_matrix",
    "render",
    "reveal",
]


def __getattr__(name):
    if name not in _ENVIRONMENTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        return getattr(import_module(_ENVIRONMENTS[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "gymnasium":
            raise
        raise ImportError(f"smc.worlds.{name} needs gymnasium: pip install 'mesmrise[worlds]'") from None


def __dir__():
    return sorted([*__all__, *_ENVIRONMENTS])
