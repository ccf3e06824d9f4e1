"""What all encoders share: an early map, a last map, and a backbone embedding of the last one."""

import numpy as np
import torch
from torch import nn

from smc.encoders._checks import check_positive_integer

TINY = 1e-12  # keeps the gradient of a standard deviation of 0 finite


class Trunk(nn.Module):
    """Base of the encoders; they define `maps`, `project`, `check_input`, and the sizes below.

    Attributes
    ----------
    settings : dict
        Arguments that make an encoder of the same shape.
    dim, mid_dim, n_features : int
        Sizes of the backbone embedding, of the embedding of the early map, and of the flattened last map.
    """

    def forward(self, x):
        """Backbone embedding (B, dim) of a batch of samples as tensors."""
        return self.project(self.maps(x)[1])

    def layers(self, x):
        """Embeddings of an early and the last layer.

        Returns
        -------
        dict of str to Tensor
            ``mid`` (B, mid_dim): mean, then standard deviation over positions or points of each channel of the second
            layer; ``backbone`` (B, dim).
        """
        return self.summarise(*self.maps(x))

    def summarise(self, early, last):
        """What `layers` returns, from what `maps` returned."""
        return {"mid": _mean_and_deviation(early), "backbone": self.project(last)}


class ImageTrunk(Trunk):
    """Base of the encoders of square colour images of one size.

    Their early map has 2 `width` channels, their last one 4 `width` channels at an eighth of the size.
    """

    def __init__(self, width, size, dim):
        super().__init__()
        for name, value in (("width", width), ("size", size), ("dim", dim)):
            check_positive_integer(name, value)
        if size % 8:
            raise ValueError(f"size must be a multiple of 8, got {size}")
        self.settings = {"width": width, "size": size, "dim": dim}
        self.size, self.dim, self.mid_dim = size, dim, 4 * width
        self.n_features = 4 * width * (size // 8) ** 2

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


def centred_channels(x):
    """Images (B, size, size, 3), uint8 or float in [0, 1], as channels (B, 3, size, size) in [-0.5, 0.5].

    The permutation is a view: images that lie channel by channel are what channels-last kernels want.
    """
    x = x.permute(0, 3, 1, 2)
    return x.float() / 255 - 0.5 if x.dtype == torch.uint8 else x - 0.5


def flat_positions(x):
    """Last map (B, C, H, W) as (B, H * W * C) of float32."""
    return x.permute(0, 2, 3, 1).flatten(1).float()


def _mean_and_deviation(maps):
    """Mean and standard deviation over the last axis, (B, C, P) -> (B, 2 C)."""
    variance, mean = torch.var_mean(maps.float(), dim=2, correction=0)
    return torch.cat([mean, (variance + TINY).sqrt()], dim=1)
