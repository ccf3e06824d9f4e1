"""Encoder of point clouds."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from smc.encoders._checks import check_number, check_positive_integer
from smc.encoders._runtime import seeded
from smc.encoders._trunk import Trunk


class PointEncoder(Trunk):
    """PointNet with layer normalisation (Qi et al. 2017); about 75,000 parameters at the default widths.

    Each cloud is centred on its mean and divided by ``scale``: its shape, size and attitude are left, not its place. A
    cloud of zeros (an object out of sight) gives a finite embedding.

    Parameters
    ----------
    widths : tuple of int, default=(64, 128, 256)
        Channels of the layers that every point passes; the maximum over the points of the last is the last map.
    dim : int, default=128
        Size of the backbone embedding.
    scale : float, default=0.1
        Unit of length in metres.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(self, widths=(64, 128, 256), dim=128, *, scale=0.1, seed=0):
        super().__init__()
        widths = tuple(widths)
        if len(widths) < 3:
            raise ValueError(f"widths must name at least 3 layers, got {widths}")
        for name, value in (*(("widths", w) for w in widths), ("dim", dim)):
            check_positive_integer(name, value)
        check_number("scale", scale)
        self.settings = {"widths": widths, "dim": dim, "scale": float(scale)}
        self.dim, self.mid_dim, self.scale = dim, 2 * widths[1], float(scale)
        self.n_features = widths[-1]
        with seeded(seed):
            self.linears = nn.ModuleList(nn.Linear(n_in, n_out, bias=False) for n_in, n_out in pairwise((4, *widths)))
            self.norms = nn.ModuleList(nn.LayerNorm(n) for n in widths)
            self.project = nn.Linear(self.n_features, dim)

    def maps(self, x):
        """Second layer (B, C, n_points) and last map (B, n_features) of a batch of clouds."""
        x = (x - x.mean(dim=1, keepdim=True)) / self.scale
        x = F.pad(x, (0, 1), value=1.0)  # a constant fourth coordinate stands for the bias, which would be a slow copy
        maps = []
        for linear, norm in zip(self.linears[:-1], self.norms[:-1]):
            x = norm(linear(x)).relu_()
            maps.append(x)
        # The widest norm comes after the maximum, on one vector per cloud instead of one per point.
        x = self.norms[-1](_PointMaximum.apply(self.linears[-1](x))).relu_()
        return maps[1].transpose(1, 2), x.float()

    def check_input(self, X, name="X"):
        """Clouds as an array (n, n_points, 3) of float32, or an error that names the argument."""
        X = np.asarray(X)
        if X.ndim != 3 or X.shape[2] != 3 or 0 in X.shape:
            raise ValueError(f"{name} must hold point clouds (n >= 1, n_points >= 1, 3), got shape {X.shape}")
        if X.dtype.kind != "f":
            raise TypeError(f"{name} must be float (metres), got {X.dtype}")
        if not np.isfinite(X).all():
            raise ValueError(f"{name} must be finite, but holds NaN or infinity")
        return X.astype(np.float32, copy=False)


class _PointMaximum(torch.autograd.Function):
    """Maximum over points, (B, n_points, C) -> (B, C).

    Same values as ``x.amax(1)``. The gradient goes to the winning points alone, one write per output; the built-in
    backward passes touch every point and took a third of a training step.
    """

    @staticmethod
    def forward(ctx, x):
        as_image = x.transpose(1, 2).unsqueeze(2)
        maximum, winner = F.max_pool2d(as_image, (1, x.shape[1]), return_indices=True)
        ctx.save_for_backward(winner.flatten(1))
        ctx.shape = x.shape
        return maximum.flatten(1)

    @staticmethod
    def backward(ctx, gradient):
        (winner,) = ctx.saved_tensors
        n_clouds, n_points, n_channels = ctx.shape
        cloud = torch.arange(n_clouds)[:, None]
        position = (cloud * n_points + winner) * n_channels + torch.arange(n_channels)
        out = gradient.new_zeros(n_clouds * n_points * n_channels)
        out[position.flatten()] = gradient.flatten()
        return out.view(ctx.shape)
