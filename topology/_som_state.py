"""What a callback sees of a self-organising map in training."""

from dataclasses import dataclass, field

import numpy as np

from topology._validation import read_only


@dataclass(frozen=True)
class SOMState:
    """Views that cannot be written, valid until the callback returns."""

    prototypes: np.ndarray  # (n_units, n_features)
    edges: np.ndarray  # (n_edges, 2)
    counts: np.ndarray  # (n_units,) samples won: in the last epoch (batch), so far (online)
    n_samples_seen: int
    quantization_error: float  # mean distance to the winner, over the last epoch or since the last callback
    radius: float
    n_units: int = field(init=False)

    def __post_init__(self):
        for name in ("prototypes", "edges", "counts"):
            object.__setattr__(self, name, read_only(getattr(self, name)))
        object.__setattr__(self, "n_units", len(self.prototypes))
