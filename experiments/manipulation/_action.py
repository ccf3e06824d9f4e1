"""Does action matter? What an encoder knows of the turns that lead from one view of an object to another."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import torch

from smc import LocalLinearContingency, Transitions
from smc.encoders import bf16_supported, embed
from smc.encoders.metrics import action_r2
from smc.encoders.metrics._action_probe import descend, reader
from smc.encoders.metrics._views import explained, ordered_pairs
from topology import GrowingNeuralGas

N_TURNS = 2  # turns tried from each view for retrieval


def hit_at_1(module, X, poses, *, predicted=True) -> np.ndarray:
    """Share of turns whose predicted view is nearest to the true one among the object's other views, per object.

    X (n_objects, n_frames, ...) raw frames, poses (n_objects, n_frames, 2). Without `predicted`, the view before the
    turn takes the place of the prediction (identity null). Chance is 1 / (n_frames - 1).
    """
    n_objects, n_frames = X.shape[:2]
    i = np.tile(np.arange(n_frames), N_TURNS)
    j = (i + np.repeat(1 + np.arange(N_TURNS), n_frames)) % n_frames
    target = embed(module, X.reshape(-1, *X.shape[2:]), "equivariance").reshape(n_objects, n_frames, -1)
    if predicted:
        before = X[:, i].reshape(-1, *X.shape[2:])
        turn = (poses[:, j] - poses[:, i]).reshape(-1, 2).astype(np.float32)
        guess = module.predict(before, turn).reshape(n_objects, len(i), -1)
    else:
        guess = target[:, i]
    similarity = np.einsum("opd,ofd->opf", guess, target)
    similarity[:, np.arange(len(i)), i] = -np.inf
    return (similarity.argmax(-1) == j).mean(-1)


def turn_r2(features, poses, test_features, test_poses, config, seed) -> np.ndarray:
    """R2 of a two-layer probe that reads the turn from a pair of frozen features, per test object.

    features (n_episodes, n_frames, d), poses (n_episodes, n_frames, 2). An object's R2 has the variance of all turns in
    its denominator, so that the mean over objects is the R2 of the whole. Without dropout the probe learns the objects
    by heart and reads new ones worse than their mean.
    """
    turns, test_turns = (p[:, None] - p[:, :, None] for p in (poses, test_poses))
    return action_r2(features, turns, test_features, test_turns, n_steps=config.n_probe_steps, seed=seed)


def supervised_r2(encoder, experience, sense, test_X, test_poses, config, seed) -> np.ndarray:
    """The ceiling: the same encoder trained end to end, with the true turns as labels, to read them from two views."""
    before, after = (torch.as_tensor(o[sense]) for o in (experience.observation, experience.next_observation))
    scale = experience.action.std(0)
    turn = torch.as_tensor(experience.action / scale)
    generator = torch.Generator().manual_seed(seed)
    head = reader(2 * encoder.dim, 2, generator)

    def read(a, b):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16_supported()):
            h = encoder(torch.cat([a, b]))
        return head(torch.cat(torch.tensor_split(h.float(), 2), -1))

    def loss():
        rows = torch.randint(len(turn), (config.batch_size,), generator=generator)
        return torch.nn.functional.mse_loss(read(thinned(before[rows]), thinned(after[rows])), turn[rows])

    with threads(config.n_threads):
        descend(torch.nn.ModuleDict({"encoder": encoder, "head": head}), loss, config.n_steps)
    i, j = ordered_pairs(test_X.shape[1])
    with torch.no_grad():
        guess = np.stack([read(f[i], f[j]).numpy() for f in torch.as_tensor(test_X)]) * scale
    return explained(test_poses[:, j] - test_poses[:, i], guess)


@contextmanager
def threads(n):
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def thinned(x):
    """Every other point of a cloud, as in the encoders' own training; images as they are."""
    return x[:, ::2] if x.ndim == 3 else x


def foreseen_change(features, turns, group, test_features, test_turns, n_units, seed, *, shuffled=False):
    """R2 of the change that a contingency model of one sense predicts on objects it never met, per object."""
    rng = np.random.default_rng(seed)
    model = LocalLinearContingency(
        GrowingNeuralGas(n_units, random_state=seed), action_features=circular, random_state=seed
    )
    before, after, turn, labels = flat(features, turns, group)
    model.fit(Transitions({"sense": before}, rng.permutation(turn) if shuffled else turn, {"sense": after}, labels))
    before, after, turn, _ = flat(test_features, test_turns)
    change, _ = model.predict(before, rng.permutation(turn) if shuffled else turn)
    n_objects = len(test_features)
    return explained(
        (after - before).reshape(n_objects, -1, change.shape[1]), change.reshape(n_objects, -1, change.shape[1])
    )


def circular(turns):
    """Turns of up to half a circle as the model takes them."""
    return np.hstack([np.sin(turns), np.cos(turns)])


def flat(features, turns, group=None):
    """Transitions of consecutive frames: before, after, turn, group, one row each."""
    n_objects, n_turns = turns.shape[:2]
    d = features.shape[-1]
    labels = np.repeat(np.arange(n_objects) if group is None else group, n_turns)
    return (
        features[:, :-1].reshape(-1, d),
        features[:, 1:].reshape(-1, d),
        turns.reshape(-1, 2).astype(np.float32),
        labels,
    )
