"""Writes map_errors.npz: errors of fixed codebooks as two peers compute them (MiniSom 2.3.6, fastersom 0.5.0).

    pip install minisom==2.3.6 fastersom==0.5.0 && python tests/golden/make_map_errors.py

Codebooks are noisy sheets, so that topographic errors are neither 0 nor 1. MiniSom counts the units of a rectangular
map by its first axis, as we do; its hexagonal map lies on its side, so it gets the transposed sheet. Its shifted rows
are ours when their number is odd.
"""

from pathlib import Path

import numpy as np
from fastersom import SOM
from minisom import MiniSom

RECTANGULAR = [(8, 5), (4, 11), (1, 9), (10, 10)]
HEXAGONAL = [(5, 8), (9, 4), (1, 6), (7, 7)]
N_SAMPLES, N_FEATURES = 300, 3


def main():
    rng = np.random.default_rng(0)
    X = rng.random((N_SAMPLES, N_FEATURES), dtype=np.float32)
    results = {"X": X}
    for lattice, shapes in (("rectangular", RECTANGULAR), ("hexagonal", HEXAGONAL)):
        for shape in shapes:
            codebook = noisy_sheet(shape, rng)
            name = f"{lattice}_{shape[0]}x{shape[1]}"
            results[f"{name}_codebook"] = codebook.reshape(-1, N_FEATURES)
            results[f"{name}_minisom"] = minisom_errors(codebook, X, lattice)
            if lattice == "rectangular":
                results[f"{name}_fastersom"] = fastersom_errors(codebook, X)
    np.savez_compressed(Path(__file__).with_name("map_errors.npz"), **results)


def noisy_sheet(shape, rng):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    sheet = np.stack([(rows + 0.5) / shape[0], (columns + 0.5) / shape[1], np.full(shape, 0.5)], axis=-1)
    return (sheet + 0.05 * rng.normal(size=sheet.shape)).astype(np.float32)


def minisom_errors(codebook, X, topology):
    weights = codebook if topology == "rectangular" else codebook.transpose(1, 0, 2)
    som = MiniSom(*weights.shape, topology=topology)
    som._weights = weights.astype(np.float64)
    return np.array([som.quantization_error(X), som.topographic_error(X)])


def fastersom_errors(codebook, X):
    som = SOM.from_weights(codebook.reshape(-1, N_FEATURES), *codebook.shape[:2], device="cpu")
    return np.array([som.quantization_error(X), som.topographic_error(X)])


if __name__ == "__main__":
    main()
