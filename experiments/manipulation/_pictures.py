"""What the figure page shows of the maps: their growth over the embeddings."""

from __future__ import annotations

import numpy as np

from topology import GrowingNeuralGas, History

N_FRAMES = 40
N_SHOWN = 600  # embeddings drawn behind a map
N_THUMBNAILS = 200  # of these, the ones that may show their picture


def growth(embedding, n_units, seed) -> dict[str, np.ndarray]:
    """A map growing over an embedding (n, d).

    Returns samples (N_SHOWN, d), units (N_FRAMES, n_units, d) padded with NaN, edges (N_FRAMES, n_edges, 2) padded
    with -1 and seen (N_FRAMES,), the samples presented so far.
    """
    history = History(every=50, store=("prototypes", "edges"))
    GrowingNeuralGas(n_units, random_state=seed).fit(embedding, callback=history)
    record = history.to_dict()
    kept = np.linspace(0, len(record["step"]) - 1, N_FRAMES).astype(int)
    units = np.full((N_FRAMES, n_units, embedding.shape[1]), np.nan, np.float32)
    edges = np.full((N_FRAMES, 16 * n_units, 2), -1)
    for frame, k in enumerate(kept):
        prototypes = record["prototypes"][k]
        units[frame, : len(prototypes)] = prototypes
        shown = record["edges"][k][: edges.shape[1]]
        edges[frame, : len(shown)] = shown
    samples = embedding[picked(len(embedding), seed)]
    return {"samples": samples, "units": units, "edges": edges, "seen": record["step"][kept]}


def picked(n, seed):
    """Indices (N_SHOWN,) of the samples that are drawn."""
    return np.random.default_rng([seed, 4]).choice(n, N_SHOWN, replace=n < N_SHOWN)
