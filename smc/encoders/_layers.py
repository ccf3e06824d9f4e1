"""The network that all heads are."""

from torch import nn


def mlp(n_in, hidden, n_out):
    """Two linear layers with a rectifier between."""
    return nn.Sequential(nn.Linear(n_in, hidden), nn.ReLU(), nn.Linear(hidden, n_out))
