"""Figure and ground in single images, learned from what acting revealed."""

from itertools import pairwise

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from smc.encoders._arrays import as_tensor, from_arrays, to_arrays
from smc.encoders._checks import check_number, check_positive_integer, check_seed
from smc.encoders._runtime import evaluating, seeded, torch_threads
from smc.worlds._reveal import GREY
from topology import storage

KIND = "FigureNetwork"
BATCH = 512  # images that are looked at at once


class FigureNetwork(nn.Module):
    """Tells which pixels of a single image show the object that is held.

    Blocks that see the image coarser and coarser, and back again (Ronneberger et al. 2015, U-Net) to half its size; the
    last convolution yields the four pixels of each position.

    Parameters
    ----------
    width : int, default=16
        Channels of the first block; the others have 2, 4 and 4 times as many.
    seed : int, default=0
        Seed of the initial weights.
    """

    def __init__(self, width=16, *, seed=0):
        super().__init__()
        check_positive_integer("width", width)
        self.settings = {"width": width}
        channels = (3, width, 2 * width, 4 * width, 4 * width)
        with seeded(seed):
            self.down = nn.ModuleList(_block(n_in, n_out) for n_in, n_out in pairwise(channels))
            self.up = nn.ModuleList(_block(n_in + n_out, n_out) for n_in, n_out in pairwise(channels[:0:-1]))
            self.read = nn.Conv2d(width, 4, 3, padding=1)
        self.to(memory_format=torch.channels_last)

    def forward(self, images):
        """Logit (B, size, size) of being figure, of each pixel of images (B, size, size, 3) of uint8 as a tensor."""
        x = images.permute(0, 3, 1, 2).float() / 255 - 0.5
        maps = []
        for convolution, norm in self.down:
            x = norm(F.max_pool2d(convolution(x), 2)).relu_()
            maps.append(x)
        for (convolution, norm), finer in zip(self.up, maps[-2::-1]):
            x = norm(convolution(torch.cat([F.interpolate(x, scale_factor=2), finer], dim=1))).relu_()
        return F.pixel_shuffle(self.read(x), 2)[:, 0]

    def predict_proba(self, images):
        """Probability (n, size, size) of float32 that a pixel of images (n, size, size, 3) of uint8 is figure."""
        images = _check_images(images)
        with evaluating(self):
            parts = [torch.sigmoid(self(as_tensor(images[i : i + BATCH]))) for i in range(0, len(images), BATCH)]
        return torch.cat(parts).numpy()

    def cover(self, images):
        """Images (n, size, size, 3) of uint8 with grey over each pixel, as far as it is held to be ground.

        What `smc.worlds.reveal` shows of an image by putting the object away, but from the image alone.
        """
        images = _check_images(images)
        out = np.empty_like(images)
        for start in range(0, len(images), BATCH):
            part = images[start : start + BATCH]
            figure = self.predict_proba(part)[..., None]
            out[start : start + BATCH] = np.rint(GREY + figure * (part - np.float32(GREY)))
        return out

    def save(self, path):
        """Write weights and settings to one file, whole or not at all."""
        storage.save(path, to_arrays(self), kind=KIND, metadata=self.settings)

    @classmethod
    def load(cls, path):
        """Read a network written by `save`, in evaluation mode.

        Raises
        ------
        topology.storage.CorruptFileError
            If the file is damaged or holds something else.
        """
        arrays, settings = storage.load(path, kind=KIND)
        try:
            network = cls(**settings)
        except (TypeError, ValueError) as error:
            raise storage.CorruptFileError(f"{path}: settings that fit no network ({error})") from error
        from_arrays(network, arrays, path)
        return network.eval()


def learn_figure(
    images, figure, *, width=16, n_steps=200, batch_size=256, learning_rate=8e-3, seed=0, threads=None, callback=None
):
    """Teach a network to tell figure from ground in single images.

    What is figure an agent finds out by acting: what has `smc.worlds.changed` when it put the object away. In rooms
    unlike those that it learned in, the network is right only if it saw the objects in front of many grounds, such as
    `smc.worlds.mosaics`.

    Parameters
    ----------
    images : ndarray (n, size, size, 3) of uint8
        Size a multiple of 16.
    figure : ndarray (n, size, size) of bool
        Which pixels show the object.
    width : int, default=16
        See `FigureNetwork`.
    n_steps : int, default=200
        Steps of AdamW under a one-cycle learning rate.
    batch_size : int, default=256
        Images per step, drawn with repetition.
    learning_rate : float, default=8e-3
        Peak of the cycle.
    seed : int, default=0
        Initial weights and batches.
    threads : int, optional
        Torch threads (default: as many as set); results agree to the last bit at equal `threads` only.
    callback : callable, optional
        ``callback(state, step)`` after each step; `state` holds "loss", the mean cross-entropy of a pixel, and
        "network". Returning True stops early.

    Returns
    -------
    FigureNetwork
        In evaluation mode.

    Raises
    ------
    ValueError, TypeError
        For unfit arguments.
    FloatingPointError
        If the loss stops being finite.

    Examples
    --------
    >>> from smc.encoders import learn_figure
    >>> from smc.worlds import changed  # network = learn_figure(images, changed(images, empty_images))
    """
    images, figure = _check_images(images), np.asarray(figure)
    if figure.dtype != bool or figure.shape != images.shape[:3]:
        raise ValueError(
            f"figure is {figure.dtype} {figure.shape}; bool {images.shape[:3]} is needed, a pixel of images"
        )
    check_positive_integer("n_steps", n_steps)
    check_positive_integer("batch_size", batch_size)
    check_number("learning_rate", learning_rate)
    check_seed(seed)
    network = FigureNetwork(width, seed=seed).train()
    optimiser = torch.optim.AdamW(network.parameters(), learning_rate, fused=True)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=n_steps)
    rng = np.random.default_rng((seed, 80))
    with torch_threads(threads):
        for step in tqdm(
            range(1, n_steps + 1), desc="learning figures", unit="step", delay=2, disable=None, leave=False
        ):
            rows = rng.integers(len(images), size=batch_size)
            told = torch.from_numpy(figure[rows]).float()
            loss = F.binary_cross_entropy_with_logits(network(torch.from_numpy(images[rows])), told)
            if not torch.isfinite(loss):
                raise FloatingPointError(f"the loss of step {step} is not finite; lower learning_rate")
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            cycle.step()
            if callback is not None and callback({"loss": loss.item(), "network": network}, step) is True:
                break
    return network.eval()


def _block(n_in, n_out):
    return nn.ModuleList([nn.Conv2d(n_in, n_out, 3, padding=1, bias=False), nn.BatchNorm2d(n_out)])


def _check_images(images):
    images = np.asarray(images)
    square = images.ndim == 4 and images.shape[1] == images.shape[2] and images.shape[3] == 3
    if images.dtype != np.uint8 or not square or images.size == 0 or images.shape[1] % 16:
        raise ValueError(
            f"images is {images.dtype} {images.shape}; uint8 (n >= 1, size, size, 3) is needed, size a multiple of 16"
        )
    return images
