"""Which action leads from one view to another, read from frozen features of the two."""

import numpy as np
import torch
from sklearn.linear_model import RidgeCV
from torch.nn.functional import mse_loss

from smc.encoders._checks import check_positive_integer, check_seed
from smc.encoders.metrics._views import check_views, explained, ordered_pairs

PROBE_BATCH = 512
PENALTIES = np.logspace(-2, 5, 8)


def action_r2(features, action, test_features, test_action, *, probe="mlp", n_steps=300, seed=0):
    """R2 of a probe that reads the action from a pair of frozen features, per test object.

    The mean over objects is the R2 of the whole. A random encoder's R2 is not 0: always show it beside.

    Parameters
    ----------
    features, test_features : ndarray (n_objects, n_views, d)
        Of objects to learn from and of others.
    action, test_action : ndarray (n_objects, n_views, n_views, action_dim)
        ``action[o, i, j]`` leads from view i to view j of object o.
    probe : {"mlp", "linear"}, default="mlp"
        Two layers with dropout (without it the probe learns the objects by heart), or ridge regression with the
        penalty chosen by leave-one-out.
    n_steps : int, default=300
        Training steps of the "mlp".
    seed : int, default=0

    Returns
    -------
    ndarray (n_test_objects,)
    """
    if probe not in ("mlp", "linear"):
        raise ValueError(f"probe must be 'mlp' or 'linear', got {probe!r}")
    check_positive_integer("n_steps", n_steps)
    check_seed(seed)
    features, action = check_views(features, action, name="features")
    test_features, test_action = check_views(test_features, test_action, name="test_features")
    X, Y = _paired(features, action)
    T, truth = _paired(test_features, test_action)
    mean, scale = X.mean((0, 1)), X.std((0, 1)) + 1e-6
    X, T = ((v - mean) / scale for v in (X, T))
    unit = Y.std((0, 1))
    read = _read_by_ridge if probe == "linear" else _read_by_network
    guess = read(_rows(X), _rows(Y / unit), _rows(T), n_steps, seed)
    return explained(truth, guess.reshape(truth.shape) * unit)


def _paired(features, action):
    i, j = ordered_pairs(features.shape[1])
    return np.concatenate([features[:, i], features[:, j]], -1), action[:, i, j]


def _rows(x):
    return np.ascontiguousarray(x.reshape(-1, x.shape[-1]), np.float32)


def _read_by_ridge(X, Y, T, n_steps, seed):
    return RidgeCV(PENALTIES).fit(X, Y).predict(T)


def _read_by_network(X, Y, T, n_steps, seed):
    generator = torch.Generator().manual_seed(seed)
    network = reader(X.shape[1], Y.shape[1], generator)
    inputs, targets = torch.from_numpy(X), torch.from_numpy(Y)

    def loss():
        rows = torch.randint(len(inputs), (PROBE_BATCH,), generator=generator)
        return mse_loss(network(inputs[rows]), targets[rows])

    descend(network, loss, n_steps, decay=0.1)
    with torch.no_grad():
        return network(torch.from_numpy(T)).numpy()


class Dropout(torch.nn.Module):
    """Sets half of the features to zero in training, drawn from a generator of its own."""

    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, x):
        return 2 * x * (torch.rand(x.shape, generator=self.generator) < 0.5) if self.training else x


def reader(n_features, n_outputs, generator):
    """The network that reads an action from the features of two views."""
    return torch.nn.Sequential(
        Dropout(generator),
        _linear(n_features, 128, generator),
        torch.nn.ReLU(),
        Dropout(generator),
        _linear(128, n_outputs, generator),
    )


def _linear(n_in, n_out, generator):
    layer = torch.nn.utils.skip_init(torch.nn.Linear, n_in, n_out)
    with torch.no_grad():
        layer.weight.copy_(torch.randn(n_out, n_in, generator=generator) / n_in**0.5)
        layer.bias.zero_()
    return layer


def descend(model, loss, n_steps, decay=0.01):
    """AdamW under a one-cycle learning rate; `loss` draws a batch and returns its loss."""
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=n_steps)
    for _ in range(n_steps):
        value = loss()
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        schedule.step()
    model.eval()
