"""The one size and position that every object of a bank has, so that views differ by shape and pose only."""

from __future__ import annotations

import numpy as np

RADIUS = 0.1
"""Radius in metres of the sphere about the origin that just holds an object: the size of something held in a hand."""


def normalise(vertices):
    """Centre the bounding box on the origin and scale to `RADIUS`.

    Parameters
    ----------
    vertices : array_like (n_vertices, 3)
        At least two different points, finite, any unit.

    Returns
    -------
    ndarray (n_vertices, 3) of float32
    """
    vertices = np.asarray(vertices, np.float64)
    centred = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    # The tallest coordinate goes first: squares of huge or tiny units would overflow or vanish.
    centred /= np.abs(centred).max()
    return (centred * (RADIUS / np.sqrt((centred**2).sum(axis=1).max()))).astype(np.float32)
