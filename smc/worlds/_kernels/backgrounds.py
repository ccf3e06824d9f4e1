"""Painters of backgrounds. A picture is a function of its seed on the unit square (u right, v down), at any size."""

import math

import numpy as np
from numba import prange

from smc.worlds._kernels.compiling import jit
from smc.worlds._kernels.random import below, stream, uniform

BACKGROUND_STREAM = np.uint64(256)
PLAIN, TEXTURE, STRIPES, CLUTTER, ROOM = 0, 1, 2, 3, 4


@jit()
def random_color(key, counter, out):
    """Moderately saturated colour; uses the counters counter .. counter + 3."""
    value = 0.2 + 0.6 * uniform(key, counter)
    for c in range(3):
        out[c] = min(max(value + 0.45 * (uniform(key, counter + 1 + c) - 0.5), 0.02), 0.98)


@jit()
def paint_plain(key, image):
    color = np.empty(3)
    random_color(key, 0, color)
    for c in range(3):
        image[:, :, c] = color[c]


@jit()
def paint_texture(key, image):
    """Gradient between two colours, and clouds: smooth value noise on two lattices."""
    size = image.shape[0]
    near, far = np.empty(3), np.empty(3)
    random_color(key, 0, near)
    random_color(key, 4, far)
    angle = 2.0 * math.pi * uniform(key, 8)
    across, down = math.cos(angle), math.sin(angle)
    for row in range(size):
        for column in range(size):
            u, v = (column + 0.5) / size - 0.5, (row + 0.5) / size - 0.5
            share = min(max(0.5 + 0.8 * (u * across + v * down), 0.0), 1.0)
            for c in range(3):
                image[row, column, c] = near[c] + share * (far[c] - near[c])
    add_clouds(key, 16, 2 + below(key, 9, 3), 0.4, image)
    add_clouds(key, 512, 5 + below(key, 10, 4), 0.15, image)


@jit()
def add_clouds(key, counter, n_cells, amplitude, image):
    """Value noise with n_cells cells per side: random values at the nodes, smoothstep between them."""
    size = image.shape[0]
    nodes = np.empty((n_cells + 1, n_cells + 1, 3))
    for i in range(n_cells + 1):
        for j in range(n_cells + 1):
            for c in range(3):
                nodes[i, j, c] = amplitude * (uniform(key, counter) - 0.5)
                counter += 1
    for row in range(size):
        y = (row + 0.5) / size * n_cells
        i = int(y)
        y = (y - i) * (y - i) * (3.0 - 2.0 * (y - i))
        for column in range(size):
            x = (column + 0.5) / size * n_cells
            j = int(x)
            x = (x - j) * (x - j) * (3.0 - 2.0 * (x - j))
            for c in range(3):
                above = nodes[i, j, c] + x * (nodes[i, j + 1, c] - nodes[i, j, c])
                below_ = nodes[i + 1, j, c] + x * (nodes[i + 1, j + 1, c] - nodes[i + 1, j, c])
                image[row, column, c] += above + y * (below_ - above)


@jit()
def paint_stripes(key, image):
    """Three colours in turn, in any direction, with edges one pixel soft."""
    size = image.shape[0]
    colors = np.empty((3, 3))
    for i in range(3):
        random_color(key, 4 * i, colors[i])
    angle = math.pi * uniform(key, 12)
    n_stripes = 5.0 + 13.0 * uniform(key, 13)
    across, down, phase = n_stripes * math.cos(angle), n_stripes * math.sin(angle), 3.0 * uniform(key, 14)
    soft = n_stripes / size
    for row in range(size):
        for column in range(size):
            place = across * (column + 0.5) / size + down * (row + 0.5) / size + phase + 3.0 * 18.0
            i = int(place)
            blend = min(max((place - i - (1.0 - soft)) / soft, 0.0), 1.0)
            for c in range(3):
                here, after = colors[i % 3, c], colors[(i + 1) % 3, c]
                image[row, column, c] = here + blend * (after - here)


@jit()
def paint_clutter(key, image):
    """Blocks of three grains, the fine ones over the coarse ones."""
    size = image.shape[0]
    color = np.empty(3)
    random_color(key, 0, color)
    for c in range(3):
        image[:, :, c] = color[c]
    for grain in range(3):
        n_blocks = 4 << grain
        cover = 0.9 / (1 + 1.5 * grain)
        grain_key = stream(key, np.uint64(grain))
        shift_u, shift_v = uniform(grain_key, 0), uniform(grain_key, 1)
        for row in range(size):
            i = int((row + 0.5) / size * n_blocks + shift_v)
            for column in range(size):
                j = int((column + 0.5) / size * n_blocks + shift_u)
                counter = 2 + 5 * (i * (n_blocks + 1) + j)
                if uniform(grain_key, counter) < cover:
                    random_color(grain_key, counter + 1, color)
                    for c in range(3):
                        image[row, column, c] = color[c]


@jit()
def paint_room(key, light, image):
    """Inside of a box: tiled floor, ceiling, three walls with a skirting board, a picture on the far wall."""
    size = image.shape[0]
    colors = np.empty((5, 3))  # two of the floor, wall, ceiling, picture
    for i in range(5):
        random_color(key, 4 * i, colors[i])
    # the box around the camera: left, right; ceiling, floor; far wall (metres, y down)
    left, right = -0.8 - 1.2 * uniform(key, 20), 0.8 + 1.2 * uniform(key, 21)
    ceiling, floor, far = -0.6 - 0.6 * uniform(key, 22), 0.5 + 0.4 * uniform(key, 23), 1.6 + 1.8 * uniform(key, 24)
    turn, tilt = 0.9 * (uniform(key, 25) - 0.5), -0.1 - 0.25 * uniform(key, 26)
    tile = 0.15 + 0.35 * uniform(key, 27)
    planks = 1.0 + 4.0 * below(key, 28, 2)
    picture_x, picture_w = left + (right - left) * (0.25 + 0.3 * uniform(key, 29)), 0.2 + 0.4 * uniform(key, 30)
    picture_y, picture_h = ceiling + 0.2 + 0.2 * uniform(key, 31), 0.15 + 0.3 * uniform(key, 32)
    c_turn, s_turn, c_tilt, s_tilt = math.cos(turn), math.sin(turn), math.cos(tilt), math.sin(tilt)
    # the light in the room's axes
    ly, lz = c_tilt * light[1] - s_tilt * light[2], s_tilt * light[1] + c_tilt * light[2]
    lx, lz = c_turn * light[0] + s_turn * lz, -s_turn * light[0] + c_turn * lz
    for row in range(size):
        for column in range(size):
            x, y = 1.1 * ((column + 0.5) / size - 0.5), 1.1 * ((row + 0.5) / size - 0.5)
            dy, dz = c_tilt * y - s_tilt, s_tilt * y + c_tilt
            dx, dz = c_turn * x + s_turn * dz, -s_turn * x + c_turn * dz
            t_side = (right if dx > 0.0 else left) / dx if dx != 0.0 else np.inf
            t_level = (floor if dy > 0.0 else ceiling) / dy if dy != 0.0 else np.inf
            t_far = far / dz if dz > 0.0 else np.inf
            t = min(t_side, t_level, t_far)
            x, y, z = t * dx, t * dy, t * dz
            if t == t_level:
                facing = -ly if dy > 0.0 else ly
                which = 3
                if dy > 0.0:
                    which = (math.floor(x / tile) + math.floor(z / (tile * planks))) & 1
            else:
                facing = -lz if t == t_far else (-lx if dx > 0.0 else lx)
                which = 2
                if t == t_far and abs(x - picture_x) < picture_w / 2 and 0.0 < y - picture_y < picture_h:
                    which = 4
            shade = (light[6] + (1.0 - light[6]) * max(facing, 0.0)) / (1.0 + 0.12 * t * t)
            if which == 2 and y > floor - 0.06:
                shade *= 0.5
            for c in range(3):
                image[row, column, c] = (0.3 + 0.9 * shade) * colors[which, c]


@jit()
def paint_one(kind, seed, light, image):
    """Paint one background, float (size, size, 3) in about [0, 1]."""
    key = stream(seed, BACKGROUND_STREAM + np.uint64(kind))
    if kind == PLAIN:
        paint_plain(key, image)
    elif kind == TEXTURE:
        paint_texture(key, image)
    elif kind == STRIPES:
        paint_stripes(key, image)
    elif kind == CLUTTER:
        paint_clutter(key, image)
    else:
        paint_room(key, light, image)


@jit()
def paint_block(kinds, seeds, lights, tint_share, out, start, stop):
    image = np.empty(out.shape[1:])
    for frame in range(start, stop):
        paint_one(kinds[frame], seeds[frame], lights[frame], image)
        for c in range(3):
            tint = 1.0 - tint_share + tint_share * lights[frame, 3 + c]
            for row in range(out.shape[1]):
                for column in range(out.shape[2]):
                    value = min(max(image[row, column, c] * tint, 0.0), 1.0)
                    out[frame, row, column, c] = np.uint8(value * 255.0 + 0.5)


@jit()
def paint(kinds, seeds, lights, tint_share, out):
    """Paint every frame of out (B, size, size, 3) uint8; `lights` (B, 7) as the rasteriser takes them."""
    paint_block(kinds, seeds, lights, tint_share, out, 0, out.shape[0])


@jit(parallel=True)
def paint_parallel(kinds, seeds, lights, tint_share, out, n_blocks):
    """`paint` by several threads; each frame is written by one of them only."""
    n = out.shape[0]
    for block in prange(n_blocks):
        paint_block(kinds, seeds, lights, tint_share, out, block * n // n_blocks, (block + 1) * n // n_blocks)
