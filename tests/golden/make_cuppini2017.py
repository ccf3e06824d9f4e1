"""Write cuppini2017.npz: what scikit-neuromsi computes for the network of Cuppini et al. (2017).

Needs scikit-neuromsi 1.0.2 (BSD-3), in an environment of its own: python tests/golden/make_cuppini2017.py
"""

from pathlib import Path

import numpy as np
from skneuromsi.neural import Cuppini2017

AUDITORY, VISUAL = [90, 84, 75, 50], [90, 96, 105, 130]  # degrees: one place, near, far, very far
STEPS = [100, 500, 2000, 10_000]  # Euler steps of 0.01 ms after which the activity is kept


def main():
    responses = [Cuppini2017().run(auditory_position=a, visual_position=v) for a, v in zip(AUDITORY, VISUAL)]
    layers = {
        layer: np.array([_activity(response, layer)[np.array(STEPS) - 1] for response in responses], np.float32)
        for layer in ("auditory", "visual", "multi")
    }
    causes = [int(response.causes_) for response in responses]
    np.savez_compressed(
        Path(__file__).with_name("cuppini2017.npz"),
        auditory_position=AUDITORY,
        visual_position=VISUAL,
        steps=STEPS,
        causes=causes,
        **layers,
    )
    print("causes", causes)


def _activity(response, layer):
    """Activity (n_steps, n_neurons) of a layer."""
    return response.to_xarray().sel(modes=layer).squeeze().values


if __name__ == "__main__":
    main()
