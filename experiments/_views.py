"""Views of objects, each beside what the same camera sees of the room while the object is put away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smc.worlds import reveal


@dataclass(frozen=True)
class Views:
    """Views of objects; `empty` is what the same resting camera sees of the room while the object is put away."""

    image: np.ndarray  # (n, size, size, 3) uint8
    empty: np.ndarray  # (n, size, size, 3) uint8
    points: np.ndarray  # (n, n_points, 3) float32, camera frame, metres
    pose: np.ndarray  # (n, 2) yaw and pitch, radians
    object: np.ndarray  # (n,) index into the bank

    def __len__(self):
        return len(self.object)

    def sensed(self, revealed: bool = False) -> dict[str, np.ndarray]:
        """Image and cloud; `revealed` leaves of the image only what changed when the object was put away."""
        return {"image": reveal(self.image, self.empty) if revealed else self.image, "points": self.points}
