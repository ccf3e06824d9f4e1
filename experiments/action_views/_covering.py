"""A network that learns from revealed views which pixels are the object, and covers the ground of single images."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from smc.worlds import changed

GREY = 128
LEARNING_RATE = 8e-3
BATCH = 512  # images that are covered at once


class FigureNetwork(nn.Module):
    """Logit (B, 1, size, size) of being figure, of each pixel of images (B, size, size, 3) of uint8.

    Blocks that see the image coarser and coarser, and back again (Ronneberger et al. 2015, U-Net) to half its size;
    the last convolution yields the four pixels of each position.
    """

    def __init__(self, widths=(16, 32, 64, 64), seed=0):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.down = nn.ModuleList(_block(a, b) for a, b in zip((3, *widths[:-1]), widths, strict=True))
            self.up = nn.ModuleList(_block(a + b, b) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True))
            self.read = nn.Conv2d(widths[0], 4, 3, padding=1)
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        x = images.permute(0, 3, 1, 2).float() / 255 - 0.5
        maps = []
        for convolution, norm in self.down:
            x = norm(F.max_pool2d(convolution(x), 2)).relu_()
            maps.append(x)
        for (convolution, norm), finer in zip(self.up, maps[-2::-1], strict=True):
            x = norm(convolution(torch.cat([F.interpolate(x, scale_factor=2), finer], dim=1))).relu_()
        return F.pixel_shuffle(self.read(x), 2)[:, 0]


def _block(n_in, n_out):
    return nn.ModuleList([nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out)])


def taught(experience, config, seed) -> FigureNetwork:
    """A network that saw as many images of an experience as an encoder does, each with what putting away revealed."""
    images, empty = (
        np.concatenate([getattr(views, name) for views in (experience.before, experience.after)])
        for name in ("image", "empty")
    )
    network = FigureNetwork(seed=seed).train()
    optimiser = torch.optim.AdamW(network.parameters(), LEARNING_RATE, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=config.n_steps)
    rng = np.random.default_rng((seed, 80))
    for _ in range(config.n_steps):
        rows = rng.integers(len(images), size=2 * config.batch_size)
        figure = torch.from_numpy(changed(images[rows], empty[rows])).float()
        loss = F.binary_cross_entropy_with_logits(network(torch.from_numpy(images[rows])), figure)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        cycle.step()
    return network.eval()


@torch.no_grad()
def cover(network, images) -> np.ndarray:
    """Images (n, size, size, 3) of uint8 with grey over each pixel, as far as it is held to be ground."""
    out = np.empty_like(images)
    for start in range(0, len(images), BATCH):
        part = images[start : start + BATCH]
        figure = torch.sigmoid(network(torch.from_numpy(part)))[..., None].numpy()
        out[start : start + BATCH] = np.rint(GREY + figure * (part - np.float32(GREY)))
    return out
