"""Embeddings of whole data sets, as arrays."""

import numpy as np
import torch

from smc.encoders._arrays import as_tensor
from smc.encoders._checks import check_heads, check_positive_integer
from smc.encoders._equivariance import HEADS, EquivarianceModule
from smc.encoders._networks import ENCODERS
from smc.encoders._runtime import evaluating


def embed(encoder, X, head="backbone", *, batch_size=512):
    """Embeddings of images or clouds, in batches and without gradients.

    Parameters
    ----------
    encoder : EquivarianceModule, ConvEncoder or PointEncoder
        A bare encoder has the heads "mid" and "backbone" only.
    X : ndarray (n, ...)
        Images (n, size, size, 3), uint8 or float in [0, 1], or clouds (n, n_points, 3) in metres.
    head : str or tuple of str, default="backbone"
        "mid": mean and standard deviation over positions of each channel of the second layer; "backbone"; "invariance"
        and "equivariance": vectors of unit length. A tuple is concatenated in its order; `EquivarianceModule.columns`
        tells where each part lies.
    batch_size : int, default=512
        Samples per batch.

    Returns
    -------
    ndarray (n, d) of float32
    """
    if isinstance(encoder, EquivarianceModule):
        trunk, allowed = encoder.encoder, HEADS
    elif isinstance(encoder, tuple(ENCODERS.values())):
        trunk, allowed = encoder, HEADS[:2]
    else:
        raise TypeError(f"encoder must be an EquivarianceModule or an encoder, got {type(encoder).__name__}")
    heads = check_heads(head, allowed)
    check_positive_integer("batch_size", batch_size)
    X = trunk.check_input(X)
    parts = []
    with evaluating(encoder):
        for start in range(0, len(X), batch_size):
            layers = encoder.layers(as_tensor(X[start : start + batch_size]))
            parts.append(torch.cat([layers[name] for name in heads], dim=1).numpy())
    return np.concatenate(parts)
