"""Sensor noise and losses, row by row of a batch; every row has its own seed and strength."""

import math

import numpy as np
from numba import prange

from smc.worlds._kernels.compiling import jit
from smc.worlds._kernels.random import below, bits, stream, uniform

IMAGE_NOISE_STREAM, OCCLUDER_STREAM = np.uint64(16), np.uint64(17)
DEPTH_NOISE_STREAM, DROP_STREAM, VIEW_STREAM = np.uint64(18), np.uint64(19), np.uint64(20)
TWELVE_BITS, S12 = np.uint64(4095), np.uint64(12)


@jit()
def noise_rows(images, sigmas, quantiles, seeds, out, start, stop):
    """Gaussian noise, standard deviation `sigmas` (B,) in grey levels; each 64 random bits give five table look-ups."""
    flat, result = images.reshape(images.shape[0], -1), out.reshape(out.shape[0], -1)
    for row in range(start, stop):
        key = stream(seeds[row], IMAGE_NOISE_STREAM)
        sigma = sigmas[row]
        for i in range(0, flat.shape[1], 5):
            word = bits(key, i)
            for j in range(i, min(i + 5, flat.shape[1])):
                value = flat[row, j] + sigma * quantiles[np.int64(word & TWELVE_BITS)]
                result[row, j] = np.uint8(min(max(value, 0.0), 255.0) + 0.5)
                word = word >> S12


@jit()
def add_noise(images, sigmas, quantiles, seeds, out):
    """Noisy copies of images (B, ...) uint8; `quantiles` (4096,) of the unit normal."""
    noise_rows(images, sigmas, quantiles, seeds, out, 0, images.shape[0])


@jit(parallel=True)
def add_noise_parallel(images, sigmas, quantiles, seeds, out, n_blocks):
    """`add_noise` by several threads."""
    n = images.shape[0]
    for block in prange(n_blocks):
        noise_rows(images, sigmas, quantiles, seeds, out, block * n // n_blocks, (block + 1) * n // n_blocks)


@jit()
def occlude(images, shares, seeds):
    """Paint an opaque ellipse over `shares` (B,) of each image (B, height, width, 3), in place."""
    height, width = images.shape[1], images.shape[2]
    color = np.empty(3)
    for row in range(images.shape[0]):
        if shares[row] == 0.0:
            continue
        key = stream(seeds[row], OCCLUDER_STREAM)
        for c in range(3):
            color[c] = 255.0 * uniform(key, c)
        centre_u, centre_v = 0.25 + 0.5 * uniform(key, 3), 0.25 + 0.5 * uniform(key, 4)
        angle, stretch = math.pi * uniform(key, 5), 0.7 + 0.6 * uniform(key, 6)
        across, down = math.cos(angle), math.sin(angle)
        radius2 = shares[row] / math.pi
        for i in range(height):
            for j in range(width):
                u, v = (j + 0.5) / width - centre_u, (i + 0.5) / height - centre_v
                along, aside = (u * across + v * down) / stretch, (v * across - u * down) * stretch
                if along * along + aside * aside < radius2:
                    for c in range(3):
                        images[row, i, j, c] = np.uint8(color[c] + 0.5)


@jit()
def jitter_depth(clouds, sigmas, quantiles, seeds):
    """Move each point along its line of sight by a Gaussian step of its depth, in place; missing points stay 0."""
    for row in range(clouds.shape[0]):
        if sigmas[row] == 0.0:
            continue
        key = stream(seeds[row], DEPTH_NOISE_STREAM)
        for i in range(clouds.shape[1]):
            z = np.float64(clouds[row, i, 2])
            if z == 0.0:
                continue
            noisy = z + sigmas[row] * quantiles[np.int64(bits(key, i) & TWELVE_BITS)]
            stretch = max(noisy, 0.0) / z
            for c in range(3):
                clouds[row, i, c] = clouds[row, i, c] * stretch


@jit()
def drop(clouds, n_kept, seeds):
    """Keep n_kept (B,) random points of each cloud and put copies of them in place of the others."""
    n_points = clouds.shape[1]
    order = np.empty(n_points, np.int64)
    for row in range(clouds.shape[0]):
        kept = n_kept[row]
        if kept == n_points:
            continue
        key = stream(seeds[row], DROP_STREAM)
        for i in range(n_points):
            order[i] = i
        for i in range(kept):
            other = i + below(key, i, n_points - i)
            order[i], order[other] = order[other], order[i]
        for i in range(kept, n_points):
            for c in range(3):
                clouds[row, order[i], c] = clouds[row, order[i % kept], c]


@jit()
def places_along(clouds, seeds, places):
    """Places (B, n_points) of the points along one random direction of the picture."""
    for row in range(clouds.shape[0]):
        angle = 2.0 * math.pi * uniform(stream(seeds[row], VIEW_STREAM), 0)
        across, down = math.cos(angle), math.sin(angle)
        for i in range(clouds.shape[1]):
            places[row, i] = clouds[row, i, 0] * across + clouds[row, i, 1] * down


@jit()
def cut_view(clouds, order, n_kept, seeds):
    """Keep the last n_kept (B,) points of `order` (B, n_points); random copies of them replace the others."""
    n_points = clouds.shape[1]
    for row in range(clouds.shape[0]):
        key = stream(seeds[row], VIEW_STREAM)
        first_kept = n_points - n_kept[row]
        for i in range(first_kept):
            source = order[row, first_kept + below(key, 1 + i, n_kept[row])]
            for c in range(3):
                clouds[row, order[row, i], c] = clouds[row, source, c]
