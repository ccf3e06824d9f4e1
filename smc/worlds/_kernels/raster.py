"""Z-buffer rasteriser. Camera frame: x right, y down, z forward; pixel (row i, column j) has its centre at
(j + .5, i + .5).

A first pass keeps the nearest face of each pixel, a second one gives the visible pixels their colour (deferred
shading): most faces of a small picture cover no pixel centre at all and cost a bounding box only.
"""

import numpy as np
from numba import prange

from smc.worlds._kernels.compiling import jit
from smc.worlds._kernels.random import below, stream

# A pixel centre that lies on the edge of two faces belongs to both, whatever the rounding: no cracks.
EDGE_TOLERANCE = -1e-9
POINT_STREAM = np.uint64(1)


@jit(inline="always")
def project(x, y, z, focal, centre):
    """Column, row and inverse depth of a point in front of the camera."""
    q = 1.0 / z
    return focal * x * q + centre, focal * y * q + centre, q


@jit()
def fill(u0, v0, q0, u1, v1, q1, u2, v2, q2, face, slot, nearest, ids, face_of):
    """Enter one projected triangle; `nearest` holds inverse depths, 0 = nothing there yet."""
    size = nearest.shape[0]
    left = int(np.ceil(max(min(u0, u1, u2) - 0.5, 0.0)))
    right = int(np.floor(min(max(u0, u1, u2) - 0.5, size - 1.0)))
    if left > right:
        return
    top = int(np.ceil(max(min(v0, v1, v2) - 0.5, 0.0)))
    bottom = int(np.floor(min(max(v0, v1, v2) - 0.5, size - 1.0)))
    if top > bottom:
        return
    area = (u1 - u0) * (v2 - v0) - (u2 - u0) * (v1 - v0)
    if area == 0.0:
        return
    # barycentric weights b0, b1, b2 = 1 - b0 - b1 are affine in the pixel, and so is the inverse depth
    scale = 1.0 / area
    b0_du, b0_dv = (v1 - v2) * scale, (u2 - u1) * scale
    b1_du, b1_dv = (v2 - v0) * scale, (u0 - u2) * scale
    for row in range(top, bottom + 1):
        dv = row + 0.5 - v2
        du = left + 0.5 - u2
        b0 = b0_du * du + b0_dv * dv
        b1 = b1_du * du + b1_dv * dv
        for column in range(left, right + 1):
            b2 = 1.0 - b0 - b1
            if b0 >= EDGE_TOLERANCE and b1 >= EDGE_TOLERANCE and b2 >= EDGE_TOLERANCE:
                q = np.float32(b0 * q0 + b1 * q1 + b2 * q2)
                if q > nearest[row, column]:
                    nearest[row, column] = q
                    ids[row, column] = slot
                    face_of[row, column] = face
            b0 += b0_du
            b1 += b1_du


@jit()
def fill_clipped(corners, focal, near, face, slot, nearest, ids, face_of):
    """Enter the part of a triangle (3, 3) in the camera frame that lies beyond the near plane (3 or 4 corners)."""
    centre = nearest.shape[0] / 2.0
    kept = np.empty((4, 3))
    n = 0
    for i in range(3):
        ax, ay, az = corners[i, 0], corners[i, 1], corners[i, 2]
        j = (i + 1) % 3
        bx, by, bz = corners[j, 0], corners[j, 1], corners[j, 2]
        if az >= near:
            kept[n, 0], kept[n, 1], kept[n, 2] = project(ax, ay, az, focal, centre)
            n += 1
        if (az >= near) != (bz >= near):
            t = (near - az) / (bz - az)
            x, y = ax + t * (bx - ax), ay + t * (by - ay)
            kept[n, 0], kept[n, 1], kept[n, 2] = project(x, y, near, focal, centre)
            n += 1
    for i in range(1, n - 1):
        fill(
            kept[0, 0], kept[0, 1], kept[0, 2], kept[i, 0], kept[i, 1], kept[i, 2],
            kept[i + 1, 0], kept[i + 1, 1], kept[i + 1, 2], face, slot, nearest, ids, face_of,
        )  # fmt: skip


@jit()
def draw_object(packed, mesh, pose, focal, near, slot, projected, nearest, ids, face_of):
    """Enter one mesh; `projected` (3, n_vertices) is scratch space."""
    centre = nearest.shape[0] / 2.0
    if pose[2, 3] + packed.radius[mesh] < near:
        return
    clipping = pose[2, 3] - packed.radius[mesh] < near
    first, last = packed.first_vertex[mesh], packed.first_vertex[mesh + 1]
    xs, ys, zs = packed.x[first:last], packed.y[first:last], packed.z[first:last]
    us, vs, qs = projected[0], projected[1], projected[2]
    if clipping:  # keep the camera coordinates
        for i in range(last - first):
            us[i] = pose[0, 0] * xs[i] + pose[0, 1] * ys[i] + pose[0, 2] * zs[i] + pose[0, 3]
            vs[i] = pose[1, 0] * xs[i] + pose[1, 1] * ys[i] + pose[1, 2] * zs[i] + pose[1, 3]
            qs[i] = pose[2, 0] * xs[i] + pose[2, 1] * ys[i] + pose[2, 2] * zs[i] + pose[2, 3]
    else:
        r00, r01, r02, tx = pose[0, 0], pose[0, 1], pose[0, 2], pose[0, 3]
        r10, r11, r12, ty = pose[1, 0], pose[1, 1], pose[1, 2], pose[1, 3]
        r20, r21, r22, tz = pose[2, 0], pose[2, 1], pose[2, 2], pose[2, 3]
        for i in range(last - first):
            x, y, z = xs[i], ys[i], zs[i]
            q = 1.0 / (r20 * x + r21 * y + r22 * z + tz)
            us[i] = focal * (r00 * x + r01 * y + r02 * z + tx) * q + centre
            vs[i] = focal * (r10 * x + r11 * y + r12 * z + ty) * q + centre
            qs[i] = q
    corners = np.empty((3, 3))
    for face in range(packed.first_face[mesh], packed.first_face[mesh + 1]):
        i, j, k = packed.faces[face, 0], packed.faces[face, 1], packed.faces[face, 2]
        if clipping:
            corners[0, 0], corners[0, 1], corners[0, 2] = us[i], vs[i], qs[i]
            corners[1, 0], corners[1, 1], corners[1, 2] = us[j], vs[j], qs[j]
            corners[2, 0], corners[2, 1], corners[2, 2] = us[k], vs[k], qs[k]
            fill_clipped(corners, focal, near, face, slot, nearest, ids, face_of)
        else:
            fill(us[i], vs[i], qs[i], us[j], vs[j], qs[j], us[k], vs[k], qs[k], face, slot, nearest, ids, face_of)


@jit()
def invert(nearest):
    """Inverse depth to depth, in place; nothing there = +inf."""
    for i in range(nearest.shape[0]):
        for j in range(nearest.shape[1]):
            q = nearest[i, j]
            nearest[i, j] = np.float32(1.0) / q if q > 0.0 else np.float32(np.inf)


@jit()
def shade_object(packed, mesh, pose, focal, light, slot, depth, ids, face_of, image):
    """Colour the visible pixels of one object: flat Lambert, normals turned to the viewer, and ambient light."""
    size = depth.shape[0]
    centre = size / 2.0
    rotation = pose[:, :3]
    to_light = np.empty(3)
    viewer = np.empty(3)
    for i in range(3):  # light and camera centre in the object's frame
        to_light[i] = rotation[0, i] * light[0] + rotation[1, i] * light[1] + rotation[2, i] * light[2]
        viewer[i] = -(rotation[0, i] * pose[0, 3] + rotation[1, i] * pose[1, 3] + rotation[2, i] * pose[2, 3])
    ambient = light[6]
    for row in range(size):
        for column in range(size):
            if ids[row, column] != slot:
                continue
            face = face_of[row, column]
            nx, ny, nz = packed.normals[face, 0], packed.normals[face, 1], packed.normals[face, 2]
            incidence = nx * to_light[0] + ny * to_light[1] + nz * to_light[2]
            if nx * viewer[0] + ny * viewer[1] + nz * viewer[2] < packed.offsets[face]:
                incidence = -incidence
            shade = ambient + (1.0 - ambient) * max(incidence, 0.0)
            textured = packed.texture_row[face]
            if textured < 0:
                red, green, blue = packed.colors[face, 0], packed.colors[face, 1], packed.colors[face, 2]
            else:
                z = depth[row, column]
                cx = (column + 0.5 - centre) * z / focal - pose[0, 3]
                cy = (row + 0.5 - centre) * z / focal - pose[1, 3]
                cz = z - pose[2, 3]
                texel = find_texel(packed, mesh, textured, rotation, cx, cy, cz)
                red, green, blue = packed.texels[texel, 0], packed.texels[texel, 1], packed.texels[texel, 2]
            image[row, column, 0] = to_byte(red * shade * light[3])
            image[row, column, 1] = to_byte(green * shade * light[4])
            image[row, column, 2] = to_byte(blue * shade * light[5])


@jit(inline="always")
def to_byte(value):
    return np.uint8(min(max(value, 0.0), 1.0) * 255.0 + 0.5)


@jit()
def find_texel(packed, mesh, textured, rotation, cx, cy, cz):
    """Row of `texels` nearest to a point, given relative to the object's origin along the camera's axes."""
    x = rotation[0, 0] * cx + rotation[1, 0] * cy + rotation[2, 0] * cz
    y = rotation[0, 1] * cx + rotation[1, 1] * cy + rotation[2, 1] * cz
    z = rotation[0, 2] * cx + rotation[1, 2] * cy + rotation[2, 2] * cz
    m = packed.texture_map[textured]
    s = m[0] * x + m[1] * y + m[2] * z + m[3]
    t = m[4] * x + m[5] * y + m[6] * z + m[7]
    height, width = packed.texture_shape[mesh]
    column = int(min(max(s * width, 0.0), width - 1.0))
    row = int(min(max((1.0 - t) * height, 0.0), height - 1.0))
    return packed.first_texel[mesh] + row * width + column


@jit()
def sample_points(depth, ids, slot, focal, seed, pixels, points):
    """Fill `points` (n_points, 3) from the pixels of one object, in random order; all of them before any repeats."""
    size = depth.shape[0]
    n_pixels = 0
    for row in range(size):
        for column in range(size):
            if ids[row, column] == slot:
                pixels[n_pixels] = row * size + column
                n_pixels += 1
    key = stream(seed, POINT_STREAM)
    centre = size / 2.0
    for i in range(points.shape[0]):
        if n_pixels == 0:
            points[i, :] = 0.0
            continue
        k = i % n_pixels
        if i < n_pixels:
            other = k + below(key, i, n_pixels - k)
            pixels[k], pixels[other] = pixels[other], pixels[k]
        row, column = pixels[k] // size, pixels[k] % size
        z = np.float64(depth[row, column])
        points[i, 0] = (column + 0.5 - centre) * z / focal
        points[i, 1] = (row + 0.5 - centre) * z / focal
        points[i, 2] = z


@jit()
def draw_block(packed, objects, poses, focal, near, lights, image, depth, ids, points, seeds, slot, start, stop):
    """Draw frames start..stop - 1; see `draw_frames`."""
    size = image.shape[1]
    longest = 0
    for mesh in range(len(packed.radius)):
        longest = max(longest, packed.first_vertex[mesh + 1] - packed.first_vertex[mesh])
    projected = np.empty((3, longest))
    face_of = np.empty((size, size), np.int32)
    pixels = np.empty(size * size, np.int32)
    for frame in range(start, stop):
        depth[frame, :, :] = 0.0
        ids[frame, :, :] = -1
        for k in range(objects.shape[1]):
            mesh = objects[frame, k]
            if mesh >= 0:
                draw_object(
                    packed, mesh, poses[frame, k], focal, near, k, projected, depth[frame], ids[frame], face_of
                )  # fmt: skip
        invert(depth[frame])
        for k in range(objects.shape[1]):
            mesh = objects[frame, k]
            if mesh >= 0:
                shade_object(
                    packed, mesh, poses[frame, k], focal, lights[frame], k, depth[frame], ids[frame], face_of,
                    image[frame],
                )  # fmt: skip
        sample_points(depth[frame], ids[frame], slot, focal, seeds[frame], pixels, points[frame])


@jit()
def draw_frames(packed, objects, poses, focal, near, lights, image, depth, ids, points, seeds, slot):
    """Draw every frame into image, depth, ids (B, size, size, ...) and sample points (B, n_points, 3).

    `image` holds the backgrounds on entry. `objects` (B, K) are mesh numbers, -1 = none; `poses` (B, K, 3, 4);
    `lights` (B, 7): direction toward the light, colour, ambient share.
    """
    n = image.shape[0]
    draw_block(packed, objects, poses, focal, near, lights, image, depth, ids, points, seeds, slot, 0, n)


@jit(parallel=True)
def draw_frames_parallel(packed, objects, poses, focal, near, lights, image, depth, ids, points, seeds, slot, n_blocks):
    """`draw_frames` by several threads; each frame is written by one of them only."""
    n = image.shape[0]
    for block in prange(n_blocks):
        start, stop = block * n // n_blocks, (block + 1) * n // n_blocks
        draw_block(packed, objects, poses, focal, near, lights, image, depth, ids, points, seeds, slot, start, stop)


@jit()
def points_of_frames(depth, ids, focal, seeds, slot, points):
    """Sample points (B, n_points, 3) of one object from depth and ids (B, size, size)."""
    pixels = np.empty(depth.shape[1] * depth.shape[2], np.int32)
    for frame in range(depth.shape[0]):
        sample_points(depth[frame], ids[frame], slot, focal, seeds[frame], pixels, points[frame])
