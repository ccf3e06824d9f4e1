"""Encoders of images: a plain convolutional and a small residual network."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from smc.encoders._runtime import seeded
from smc.encoders._trunk import ImageTrunk, centred_channels, flat_positions


class ConvEncoder(ImageTrunk):
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
        super().__init__(width, size, dim)
        channels = (3, width, 2 * width, 4 * width, 4 * width)
        with seeded(seed):
            self.convolutions = nn.ModuleList(
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False) for n_in, n_out in pairwise(channels)
            )
            self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in channels[1:])
            self.project = nn.Linear(self.n_features, dim)
        self.to(memory_format=torch.channels_last)

    def maps(self, x):
        """Second block (B, C, H * W) and flattened last block (B, n_features) of a batch of images."""
        x = centred_channels(x)
        maps = []
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            x = convolution(x)
            if i < 3:
                x = F.max_pool2d(x, 2)  # before the norm: the norm then works on a quarter of the positions
            x = norm(x).relu_()
            maps.append(x)
        return maps[1].flatten(2), flat_positions(maps[3])


class ResNetEncoder(ImageTrunk):
    """Residual network of three blocks and a flattened head (He et al. 2016); about 210,000 parameters by default.

    A convolution, then one basic block each with 1, 2 and 4 times the channels at 1, 1/2 and 1/4 of the size; the last
    map is averaged over 2 x 2 positions and flattened, for the same reason as in `ConvEncoder`.

    Parameters
    ----------
    width : int, default=16
        Channels of the first block.
    size : int, default=32
        Height and width of the images in pixels, a multiple of 8.
    dim : int, default=128
        Size of the backbone embedding.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(self, width=16, size=32, dim=128, *, seed=0):
        super().__init__(width, size, dim)
        with seeded(seed):
            self.stem = _convolution(3, width)
            self.norm = nn.BatchNorm2d(width)
            self.blocks = nn.ModuleList(
                [_Residual(width, width, 1), _Residual(width, 2 * width, 2), _Residual(2 * width, 4 * width, 2)]
            )
            self.project = nn.Linear(self.n_features, dim)
        self.to(memory_format=torch.channels_last)

    def maps(self, x):
        """Second block (B, C, H * W) and flattened last block (B, n_features) of a batch of images."""
        x = self.norm(self.stem(centred_channels(x))).relu_()
        maps = []
        for block in self.blocks:
            x = block(x)
            maps.append(x)
        return maps[1].flatten(2), flat_positions(F.avg_pool2d(x, 2))


class _Residual(nn.Module):
    """Two convolutions beside a short cut."""

    def __init__(self, n_in, n_out, stride):
        super().__init__()
        self.first, self.second = _convolution(n_in, n_out, stride), _convolution(n_out, n_out)
        self.norms = nn.ModuleList(nn.BatchNorm2d(n_out) for _ in range(2))
        same = n_in == n_out and stride == 1
        self.short_cut = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x):
        change = self.norms[1](self.second(self.norms[0](self.first(x)).relu_()))
        return (self.short_cut(x) + change).relu_()


def _convolution(n_in, n_out, stride=1):
    return nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False)
