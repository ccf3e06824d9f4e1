"""Worlds to act in: objects to handle, the camera and sensors that see them, and the environments built from both.

The environments `ManipulateObject`, `ManipulateObjectVector`, `GridWorld` and `TetrominoPatch` need gymnasium and load
on first use.
"""

from smc.worlds._backgrounds import BACKGROUND_KINDS, backgrounds
from smc.worlds._bank import ObjectBank
from smc.worlds._mesh import Mesh
from smc.worlds._packing import PackedMeshes, pack_meshes
from smc.worlds._pose import pose_matrix
from smc.worlds._rasteriser import Camera, Light, Rendering, points_from_depth, render
from smc.worlds._registration import register_when_loaded
from smc.worlds._reveal import reveal
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
from smc.worlds._tetromino_states import TetrominoStates

register_when_loaded()

_ENVIRONMENTS = {
    "GridWorld": "smc.worlds._grid",
    "ManipulateObject": "smc.worlds._manipulate",
    "ManipulateObjectVector": "smc.worlds._manipulate",
    "TetrominoPatch": "smc.worlds._tetromino",
}

__all__ = [
    "BACKGROUND_KINDS",
    "DEGRADATIONS",
    "Camera",
    "Light",
    "Mesh",
    "ObjectBank",
    "PackedMeshes",
    "Rendering",
    "TetrominoStates",
    "add_depth_noise",
    "add_image_noise",
    "backgrounds",
    "blur",
    "darken",
    "drop_points",
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
