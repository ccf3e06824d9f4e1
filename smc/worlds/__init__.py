"""Worlds to act in: objects to handle, the camera and sensors that see them, and the environments built from both."""

from smc.worlds._bank import ObjectBank
from smc.worlds._mesh import Mesh
from smc.worlds._packing import PackedMeshes, pack_meshes
from smc.worlds._pose import pose_matrix
from smc.worlds._rasteriser import Camera, Light, Rendering, points_from_depth, render

__all__ = [
    "Camera",
    "Light",
    "Mesh",
    "ObjectBank",
    "PackedMeshes",
    "Rendering",
    "pack_meshes",
    "points_from_depth",
    "pose_matrix",
    "render",
]
