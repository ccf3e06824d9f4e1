"""A neural field as one would write it on a blackboard: full matrices, double precision."""

import numpy as np


def gaussian(distances, width, reach):
    return np.where(distances <= reach * width, np.exp(-(distances**2) / (2 * width**2)), 0.0)


def ramp(u, slope=2.0):
    return np.clip(slope * u, 0, 1)


def slow_field(links, stimulus, n_steps, *, excitation=4.0, inhibition=0.6, rest=-0.3, rate=0.2, output=ramp):
    """Potentials (n_nodes,) after some steps; `links` (n_nodes, n_nodes) is the unweighted kernel."""
    volumes = np.ones(len(links))
    for _ in range(10):
        volumes = volumes / (links @ volumes)
    u = np.full(len(links), rest)
    for _ in range(n_steps):
        f = output(u)
        u = u + rate * (-u + rest + stimulus + excitation * links @ (volumes * f) - inhibition * (volumes * f).sum())
    return u


def fft_field(kernel, stimulus, n_steps, *, excitation=4.0, inhibition=0.6, rest=-0.3, rate=0.2, output=ramp):
    """The same on a periodic grid of any dimension by circular convolution; `kernel` has its centre at index 0."""
    transformed = np.fft.rfftn(kernel / kernel.sum())
    u = np.full(kernel.shape, rest)
    for _ in range(n_steps):
        f = output(u)
        near = np.fft.irfftn(transformed * np.fft.rfftn(f), kernel.shape, axes=range(kernel.ndim))
        u = u + rate * (-u + rest + stimulus + excitation * near - inhibition * f.sum() / kernel.sum())
    return u
