"""Write losses.npz: values and gradients of self-supervised losses as lightly computes them.

Needs lightly 1.6.0 (MIT) and lightly-utils, in an environment of their own: python tests/golden/make_losses.py
lightly imports two names of torchvision that these losses never call; they are stubbed, torchvision is not needed.
The inputs are `inputs(seed)` below, in float32; the tests draw them anew.
"""

import sys
from pathlib import Path
from types import ModuleType

import numpy as np

SEED, N, DIM, N_DIRECTIONS = 0, 24, 12, 16


def inputs(seed=SEED):
    """Two frames (n, d) of the same things, a prediction (n, d), and directions (d, n_directions) of unit length."""
    rng = np.random.default_rng(seed)
    a = rng.normal(0.2, 1.5, (N, DIM))
    b = a + rng.normal(0, 0.7, (N, DIM))
    predicted = b + rng.normal(0, 0.3, (N, DIM))
    directions = rng.normal(size=(DIM, N_DIRECTIONS))
    return {
        "a": a.astype(np.float32),
        "b": b.astype(np.float32),
        "predicted": predicted.astype(np.float32),
        "directions": (directions / np.linalg.norm(directions, axis=0)).astype(np.float32),
    }


def stub_torchvision():
    for name in ("torchvision", "torchvision.ops"):
        sys.modules[name] = ModuleType(name)
    sys.modules["torchvision"].ops = sys.modules["torchvision.ops"]
    for name in ("roi_align", "StochasticDepth"):
        setattr(sys.modules["torchvision.ops"], name, None)


def main():
    stub_torchvision()
    import torch
    from lightly import loss as lightly

    given = {name: torch.from_numpy(value) for name, value in inputs().items()}
    sigreg = lightly.SIGReg()
    sigreg._generate_unit_vectors = lambda device, dtype, num_features: given["directions"]

    def lewm(a, b):
        return lightly.lewm_loss.latent_prediction_loss(predicted=a[:, None], target=b[:, None])

    losses = {
        **{f"nt_xent_{t}": lightly.NTXentLoss(temperature=t) for t in (0.1, 0.5)},
        "vicreg": lightly.VICRegLoss(),
        "vicreg_other": lightly.VICRegLoss(lambda_param=3.0, mu_param=2.0, nu_param=0.5),
        "barlow_twins": lightly.BarlowTwinsLoss(),
        "negative_cosine": lambda a, b: lightly.NegativeCosineSimilarity()(a, b.detach()),
        "sigreg": lambda a, b: sigreg(torch.cat([a, b])),
        "lewm_prediction": lewm,
    }
    out = {}
    for name, loss in losses.items():
        a, b = (given[k].clone().requires_grad_() for k in ("a", "b"))
        value = loss(a, b)
        value.backward()
        out[f"{name}.value"] = value.detach().numpy()
        for k, x in (("a", a), ("b", b)):
            out[f"{name}.gradient_{k}"] = np.zeros((N, DIM), np.float32) if x.grad is None else x.grad.numpy()
        print(name, float(value.detach()))
    np.savez_compressed(Path(__file__).with_name("losses.npz"), seed=SEED, **out)


if __name__ == "__main__":
    main()
