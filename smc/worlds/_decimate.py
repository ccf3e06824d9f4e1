"""Fewer triangles: quadric edge collapse that keeps the borders between materials."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_matrix

BORDER_WEIGHT = 3.0  # how firmly open borders and borders between materials hold, against the surface itself
TOWARDS_MIDDLE = 1e-5  # pull to the edge's middle, which decides where the quadric leaves the place open, as on a plane
CHEAP = 0.5  # share of the edges, in order of cost, that may collapse in one pass
ENOUGH = 0.01  # share of the edges that make a pass worth while


def decimate(vertices, faces, materials, n_faces):
    """Collapse edges until at most n_faces are left, or no edge can go (Garland and Heckbert 1997, SIGGRAPH).

    In every pass those edges collapse that are the cheapest of their whole neighbourhood, so that no two of them touch
    a common triangle.

    Parameters
    ----------
    vertices : ndarray (n_vertices, 3)
        Vertices in one place count as one.
    faces : ndarray (n, 3)
    materials : ndarray (n,) of int
        Borders between materials are kept as open borders are.
    n_faces : int

    Returns
    -------
    vertices, faces, materials
    """
    corner, size = vertices.min(axis=0), np.ptp(vertices, axis=0).max()
    vertices, faces = _weld((vertices - corner) / size, faces)
    faces, materials = _without_slivers(faces, materials)
    quadrics = _quadrics(vertices, faces, materials)
    while len(faces) > n_faces:
        pairs, _, n_sides = _unique_edges(faces, len(vertices))
        merged = quadrics[pairs[:, 0]] + quadrics[pairs[:, 1]]
        lengths = ((vertices[pairs[:, 0]] - vertices[pairs[:, 1]]) ** 2).sum(axis=1)
        places = _best_places(merged, vertices[pairs].mean(axis=1))
        # Between equals on a plane the short edge goes first, which keeps triangles round.
        cost = _error(merged, places) + 1e-6 * lengths
        chosen = _harmless_minima(vertices, faces, pairs, n_sides, places, cost)
        if not len(chosen):
            break
        chosen = chosen[np.argsort(cost[chosen], kind="stable")]
        # A minimum among costly edges waits: cheaper neighbours may come.
        n_cheap = np.searchsorted(cost[chosen], np.quantile(cost, CHEAP, method="lower"))
        n_collapsed = min(max(n_cheap, len(chosen) // 2, 1), (len(faces) - n_faces + 1) // 2)
        chosen = chosen[:n_collapsed]
        keep, gone = pairs[chosen].T
        vertices[keep], quadrics[keep] = places[chosen], merged[chosen]
        new_index = np.arange(len(vertices))
        new_index[gone] = keep
        faces, materials = _without_slivers(new_index[faces], materials)
    used, faces = np.unique(faces, return_inverse=True)
    return vertices[used] * size + corner, faces.reshape(-1, 3), materials


def _weld(vertices, faces):
    _, first, index = np.unique(np.round(vertices, 5), axis=0, return_index=True, return_inverse=True)
    return vertices[first], index.ravel()[faces]


def _without_slivers(faces, materials):
    whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
    return faces[whole], materials[whole]


def _sides(faces):
    """Sides (3 n, 2) of the triangles: the first of each, then the second, then the third."""
    return np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])


def _unique_edges(faces, n_vertices):
    """Edges (n_edges, 2), the edge (3 n,) on which each side of a triangle lies, and each edge's number of sides."""
    sides = np.sort(_sides(faces), axis=1)
    keys, edge, n_sides = np.unique(sides[:, 0] * n_vertices + sides[:, 1], return_inverse=True, return_counts=True)
    return np.stack(np.divmod(keys, n_vertices), axis=1), edge, n_sides


def _quadrics(vertices, faces, materials):
    """Sums (n_vertices, 4, 4) of the squared distances to the planes around each vertex, weighted by area."""
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    normals /= areas[:, None] + 1e-30
    quadrics = np.zeros((len(vertices), 4, 4))
    for k in range(3):
        _add_planes(quadrics, faces[:, k], normals, a, areas / 6)
    # A border is held by planes that stand on it at right angles to the surface.
    sides, owner = _sides(faces), np.tile(np.arange(len(faces)), 3)
    pairs, edge, n_sides = _unique_edges(faces, len(vertices))
    lowest = np.full(len(pairs), materials.max())
    np.minimum.at(lowest, edge, materials[owner])
    mixed = np.bincount(edge, materials[owner] != lowest[edge], len(pairs)) > 0
    border = ((n_sides == 1) | mixed)[edge]
    start, end = (vertices[sides[border, k]] for k in range(2))
    across = np.cross(end - start, normals[owner[border]])
    length = np.linalg.norm(across, axis=1)
    across /= length[:, None] + 1e-30
    for k in range(2):
        _add_planes(quadrics, sides[border, k], across, start, BORDER_WEIGHT * length**2 / 2)
    return quadrics


def _add_planes(quadrics, indices, normals, points, weights):
    planes = np.concatenate([normals, -(normals * points).sum(axis=1, keepdims=True)], axis=1)
    np.add.at(quadrics, indices, weights[:, None, None] * planes[:, :, None] * planes[:, None, :])


def _best_places(quadrics, middles):
    """Places (n, 3) of least error, by Cramer's rule."""
    matrix, vector = quadrics[:, :3, :3].copy(), -quadrics[:, :3, 3]
    pull = TOWARDS_MIDDLE * np.trace(matrix, axis1=1, axis2=2) + 1e-20
    matrix[:, range(3), range(3)] += pull[:, None]
    vector = vector + pull[:, None] * middles
    rows = [matrix[:, k] for k in range(3)]
    cofactors = [np.cross(rows[(k + 1) % 3], rows[(k + 2) % 3]) for k in range(3)]
    determinant = (rows[0] * cofactors[0]).sum(axis=1)
    return sum(vector[:, k, None] * cofactors[k] for k in range(3)) / determinant[:, None]


def _error(quadrics, places):
    x = np.concatenate([places, np.ones((len(places), 1))], axis=1)
    return np.einsum("ni,nij,nj->n", x, quadrics, x).clip(0)


def _harmless_minima(vertices, faces, pairs, n_sides, places, cost):
    """Indices of the edges that may collapse at the same time; the cost of those that must not becomes infinite."""
    while True:
        minima = _local_minima(pairs, cost, len(vertices))
        harmless = _keeps_shape(vertices, faces, pairs, n_sides, places, minima)
        cost[minima[~harmless]] = np.inf
        # A forbidden edge would hold up its neighbourhood for good, so that the next best gets its chance.
        if harmless.all() or harmless.sum() > ENOUGH * len(pairs):
            return minima[harmless]


def _local_minima(pairs, cost, n_vertices):
    """Indices of the edges whose cost no other edge at their ends or at their ends' neighbours undercuts."""
    rank = np.empty(len(cost), int)
    rank[np.argsort(cost, kind="stable")] = np.arange(len(cost))
    lowest = np.full(n_vertices, len(cost))
    for k in range(2):
        np.minimum.at(lowest, pairs[:, k], rank)
    around = lowest.copy()
    np.minimum.at(around, pairs[:, 0], lowest[pairs[:, 1]])
    np.minimum.at(around, pairs[:, 1], lowest[pairs[:, 0]])
    return np.flatnonzero((rank == around[pairs[:, 0]]) & (rank == around[pairs[:, 1]]) & np.isfinite(cost))


def _keeps_shape(vertices, faces, pairs, n_sides, places, candidates):
    """Whether collapsing each of the candidate edges would turn no triangle over and pinch nothing together."""
    n = len(vertices)
    link = coo_matrix(
        (np.ones(2 * len(pairs), np.int32), (pairs.ravel(), pairs[:, ::-1].ravel())), shape=(n, n)
    ).tocsr()
    owner = np.repeat(np.arange(len(faces)), 3)
    around = coo_matrix((np.ones(3 * len(faces), np.int8), (faces.ravel(), owner)), shape=(n, len(faces))).tocsr()
    pairs, places = pairs[candidates], places[candidates]
    common = np.asarray(link[pairs[:, 0]].multiply(link[pairs[:, 1]]).sum(axis=1)).ravel()
    harmless = common <= n_sides[candidates]
    for k in range(2):
        moved = around[pairs[:, k]].tocoo()
        stays = ~(faces[moved.col] == pairs[moved.row, 1 - k][:, None]).any(axis=1)
        edge, face = moved.row[stays], faces[moved.col[stays]]
        before = _normals(vertices[face])
        is_end = face == pairs[edge, k][:, None]
        after = _normals(np.where(is_end[..., None], places[edge][:, None], vertices[face]))
        sizes = np.linalg.norm(before, axis=1)
        turned = (before * after).sum(axis=1) < 0.2 * sizes * np.linalg.norm(after, axis=1)
        harmless[edge[turned & (sizes > 1e-12)]] = False
    return harmless


def _normals(corners):
    return np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
