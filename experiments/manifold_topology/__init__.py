"""wip (2000)."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Config:
    n_objects: int = 3
    n_turns: int = 2000
    size: int = 32
    width: int = 16
    noise: float = 0.02
    n_steps: int = 300
    batch_size: int = 64
    equivariance_weight: float = 1.0
