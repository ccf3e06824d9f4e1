"""Poses of a held object: turntable, then tilt, then roll, in front of the camera."""

from __future__ import annotations

import numpy as np

# Object frame (x right, y away, z up) to camera frame (x right, y down, z forward) at yaw = pitch = roll = 0.
FACING = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])


def pose_matrix(yaw, pitch, roll=0.0, x=0.0, y=0.0, distance=0.4) -> np.ndarray:
    """Object-to-camera pose of an object held before the camera.

    R = Rz(roll) Rx(pitch) FACING Rz(yaw): the object turns by yaw about its own vertical axis, is tilted by pitch about
    the camera's horizontal axis (positive: its top comes nearer, it is seen from above) and rolled about the optical
    axis (positive: clockwise in the picture). t = (x, y, distance).

    Parameters
    ----------
    yaw, pitch, roll : array_like (...)
        Radians.
    x, y, distance : array_like (...)
        Place of the object's origin in the camera frame (right, down, forward), metres.

    Returns
    -------
    ndarray (..., 3, 4)
        As `render` takes it.
    """
    values = np.broadcast_arrays(*(np.asarray(v, np.float64) for v in (yaw, pitch, roll, x, y, distance)))
    yaw, pitch, roll = values[:3]
    cy, sy, cp, sp, cr, sr = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch), np.cos(roll), np.sin(roll)
    zero, one = np.zeros_like(yaw), np.ones_like(yaw)
    turn = _matrix(cy, -sy, zero, sy, cy, zero, zero, zero, one)
    tilt = _matrix(one, zero, zero, zero, cp, -sp, zero, sp, cp)
    bank = _matrix(cr, -sr, zero, sr, cr, zero, zero, zero, one)
    return np.concatenate([bank @ tilt @ FACING @ turn, np.stack(values[3:], axis=-1)[..., None]], axis=-1)


def _matrix(*entries) -> np.ndarray:
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, 3, 3)
