"""Short trainings that a test makes in one process and, running this file, in each of several."""

import sys
from pathlib import Path

import numpy as np

from smc import Transitions
from smc.encoders import AugmentedImages, ConvEncoder, PointEncoder, ResNetEncoder, Sample, pretrain
from smc.encoders.objectives import BYOL, EquiMod, NTXent, WeightedSum

COMMON = {"n_steps": 5, "batch_size": 8, "n_points": 12, "threads": 1, "precision": "fp32", "learning_rate": 1e-4}


def trainings():
    """Arguments of `pretrain` by name: every kind of source and of encoder."""
    steps = random_steps()
    images = {"image": ConvEncoder(4, 16, 16)}
    unshifted = ConvEncoder(4, 16, 16)
    unshifted.project.bias.requires_grad_(False)  # normalised heads take it out: nothing but rounding would move it
    slow = WeightedSum((BYOL(0.9), 1.0), (EquiMod(0.5), 1.0))
    return {
        "recorded": {"transitions": steps, "encoders": images | {"points": PointEncoder((8, 16, 16), 16)}},
        "looks": {
            "transitions": AugmentedImages(steps.observation["image"]),
            "encoders": {"image": ResNetEncoder(4, 16, 16)},
            "objective": NTXent(),
        },
        "live": {"transitions": Live(steps), "encoders": images, "objective": slow, "action": "shuffled"},
        "normalised": {
            "transitions": steps,
            "encoders": {"image": unshifted},
            "objective": WeightedSum((BYOL(0.9, normalisation="batch"), 1.0), (NTXent(), 1.0)),
            "heads": {"normalisation": "batch"},
        },
    }


def random_steps():
    """Transitions of noise: in flat pictures rounding decides which of equal pixels is the largest."""
    rng = np.random.default_rng(0)
    before, after = (
        {
            "image": rng.integers(0, 256, (24, 16, 16, 3), dtype=np.uint8),
            "points": rng.normal(0, 0.1, (24, 20, 3)).astype(np.float32),
        }
        for _ in range(2)
    )
    return Transitions(before, rng.normal(size=(24, 2)).astype(np.float32), after, np.arange(24) // 4)


class Live:
    """A source of steps."""

    def __init__(self, transitions):
        self.transitions, self.actions = transitions, transitions.action

    def __call__(self, step):
        rows = (3 * np.arange(8) + step) % len(self.transitions)
        frames = (side["image"][rows] for side in (self.transitions.observation, self.transitions.next_observation))
        return Sample({"image": np.concatenate(list(frames))}, self.actions[None, rows], self.transitions.group[rows])


def train(arguments, **others):
    """Losses, weights and running moments, and in the process that calls back gradients of the first step, by name."""
    left = {}

    def keep_gradients(state, step):
        for sense, module in state["modules"].items() if step == 1 else ():
            gradients = {name: p.grad for name, p in module.named_parameters() if p.grad is not None}
            left.update({f"gradient {sense} {name}": gradient.numpy().copy() for name, gradient in gradients.items()})

    trained = pretrain(**arguments, **{"callback": keep_gradients} | COMMON | others)
    left |= {f"loss {name}": values for name, values in trained.history.items()}
    for sense, module in trained.items():
        left |= {f"weight {sense} {name}": value.numpy() for name, value in module.state_dict().items()}
    return left


def main(folder, rank):
    """What each process of several does."""
    for name, arguments in trainings().items():
        np.savez(folder / f"{name}-{rank}.npz", **train(arguments))
    recorded = trainings()["recorded"]
    calls = []

    def stop(state, step):
        calls.append(step)
        return step == 2

    file = folder / "training.safetensors"
    train(recorded, checkpoint=file, callback=stop)
    np.savez(folder / f"resumed-{rank}.npz", **train(recorded, checkpoint=file), calls=calls)
    refusals = []
    for different in ({"seed": rank}, {"batch_size": 7}):
        try:
            train(recorded, **different)
        except ValueError as error:
            refusals.append(str(error))
    (folder / f"refusals-{rank}.txt").write_text("\n".join(refusals))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
