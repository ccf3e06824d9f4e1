"""The ceiling of what can be learned: an encoder that is told the pose of every picture."""

from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

PEAK_LEARNING_RATE = 4e-3  # that of `pretrain`, whose cycle it takes over as well
BLOCK = 500  # pictures embedded at once


def supervised(trunk, images, truth, config, seed):
    """A function of pictures that estimates what `truth` (n, dim) says of `images`, itself the embedding (m, dim)."""
    rng, initial = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    encoder, head = copy.deepcopy(trunk).train(), nn.Linear(trunk.dim, truth.shape[1])
    nn.init.normal_(head.weight, std=trunk.dim**-0.5, generator=initial)
    nn.init.zeros_(head.bias)
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], PEAK_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK_LEARNING_RATE, total_steps=config.n_steps)
    for _ in range(config.n_steps):
        chosen = rng.integers(len(images), size=config.batch_size)
        loss = nn.functional.mse_loss(head(encoder(torch.from_numpy(images[chosen]))), torch.from_numpy(truth[chosen]))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    encoder.eval()

    @torch.no_grad()
    def estimate(images):
        blocks = (images[start : start + BLOCK] for start in range(0, len(images), BLOCK))
        return np.concatenate([head(encoder(torch.from_numpy(block))).numpy() for block in blocks])

    return estimate
