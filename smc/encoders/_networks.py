"""Small encoders of images and point clouds: an early map, a last map, and a backbone embedding of the last one."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from smc.encoders._checks import check_number, check_positive_integer
from smc.encoders._runtime import seeded

TINY = 1e-12  # keeps the gradient of a standard deviation of 0 finite


class ConvEncoder(nn.Module):
    """Four convolution blocks and a flattened head; about 190,000 parameters at the default size.

    The last map is flattened, not averaged over positions: averaging throws away where things are, and with it what an
    action changes.

    Parameters
    ----------
    width : int, default=16
        Channels of the first block; the others have 2, 4 and 4 times as many.
    size : int, default=32
        Height and width of the images in pixels, a multiple of 8.
    dim : int, default=128
        Size of the backbone embedding.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(self, width=16, size=32, dim=128, *, seed=0):
        super().__init__()
        for name, value in (("width", width), ("size", size), ("dim", dim)):
            check_positive_integer(name, value)
        if size % 8:
            raise ValueError(f"size must be a multiple of 8, got {size}")
        self.settings = {"width": width, "size": size, "dim": dim}
        self.size, self.dim, self.mid_dim = size, dim, 4 * width
        channels = (3, width, 2 * width, 4 * width, 4 * width)
        self.n_features = channels[-1] * (size // 8) ** 2
        with seeded(seed):
            self.convolutions = nn.ModuleList(
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False) for n_in, n_out in pairwise(channels)
            )
            self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in channels[1:])
            self.project = nn.Linear(self.n_features, dim)
        self.to(memory_format=torch.channels_last)

    def forward(self, x):
        """Backbone embedding (B, dim) of images (B, size, size, 3), uint8 or float in [0, 1]."""
        return self.project(self.maps(x)[1])

    def layers(self, x):
        """Embeddings of an early and the last layer.

        Returns
        -------
        dict of str to Tensor
            ``mid`` (B, 4 * width): mean, then standard deviation over positions of each channel of the second block;
            ``backbone`` (B, dim).
        """
        return self.summarise(*self.maps(x))

    def summarise(self, early, last):
        """What `layers` returns, from what `maps` returned."""
        return {"mid": _mean_and_deviation(early), "backbone": self.project(last)}

    def maps(self, x):
        """Second block (B, C, H * W) and flattened last block (B, n_features) of a batch of images."""
        x = x.permute(0, 3, 1, 2)  # a view: images that lie channel by channel are what channels-last kernels want
        x = x.float() / 255 - 0.5 if x.dtype == torch.uint8 else x - 0.5
        maps = []
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = convolution(x)
            if i < 3:
                x = F.max_pool2d(x, 2)  # before the norm: the norm then works on a quarter of the positions
            x = norm(x).relu_()
            maps.append(x)
        return maps[1].flatten(2), maps[3].permute(0, 2, 3, 1).flatten(1).float()

    def check_input(self, X, name="X"):
        """Images as an array (n, size, size, 3) of uint8 or float32, or an error that names the argument."""
        X = np.asarray(X)
        if X.ndim != 4 or X.shape[1:] != (self.size, self.size, 3) or len(X) == 0:
            raise ValueError(f"{name} must hold images (n >= 1, {self.size}, {self.size}, 3), got shape {X.shape}")
        if X.dtype == np.uint8:
            return X
        if X.dtype.kind != "f":
            raise TypeError(f"{name} must be uint8, or float in [0, 1], got {X.dtype}")
        if not (X.min() >= 0 and X.max() <= 1):  # NaN fails both
            raise ValueError(f"{name} must lie in [0, 1] as float images do, and hold neither NaN nor infinity")
        return X.astype(np.float32, copy=False)


class PointEncoder(nn.Module):
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

    def forward(self, x):
        """Backbone embedding (B, dim) of clouds (B, n_points, 3) in metres."""
        return self.project(self.maps(x)[1])

    def layers(self, x):
        """Embeddings of an early and the last layer.

        Returns
        -------
        dict of str to Tensor
            ``mid`` (B, 2 * widths[1]): mean, then standard deviation over points of each channel of the second layer;
            ``backbone`` (B, dim).
        """
        return self.summarise(*self.maps(x))

    def summarise(self, early, last):
        """What `layers` returns, from what `maps` returned."""
        return {"mid": _mean_and_deviation(early), "backbone": self.project(last)}

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


def _mean_and_deviation(maps):
    """Mean and standard deviation over the last axis, (B, C, P) -> (B, 2 C)."""
    variance, mean = torch.var_mean(maps.float(), dim=2, correction=0)
    return torch.cat([mean, (variance + TINY).sqrt()], dim=1)


ENCODERS = {kind.__name__: kind for kind in (ConvEncoder, PointEncoder)}
