"""Contrastive objectives: frames of an object agree, predictions find their consequence, senses of an object agree."""

import torch
from torch.nn.functional import cross_entropy

# Far below any cosine over a temperature, yet finite, so that 0 * EXCLUDED stays 0.
EXCLUDED = -1e9


def object_agreement(z, groups, temperature=0.2):
    """Multi-positive InfoNCE over the frames of a batch (Khosla et al. 2020): frames of one object attract each other.

    Parameters
    ----------
    z : Tensor (B, d)
        Unit vectors.
    groups : Tensor (B,) of int
        Object of each frame; every object has at least two.
    temperature : float, default=0.2

    Returns
    -------
    Tensor ()
    """
    oneself = torch.eye(len(z), dtype=torch.bool)
    logits = (z @ z.T / temperature).masked_fill(oneself, EXCLUDED)
    return _multi_positive(logits, (groups[:, None] == groups) & ~oneself)


def consequence(predicted, targets, same_object, temperature=0.1):
    """InfoNCE of each prediction with all frames, plus the same with the frames of its own object only.

    Devillers & Lefort (2023) contrast with frames of other objects; those are told apart by colour alone. Only the
    other views of the same object make the prediction say *which* view the action leads to, hence the second term.

    Parameters
    ----------
    predicted : Tensor (B, d)
        Unit vectors.
    targets : Tensor (T, d)
        Unit vectors, T >= B; prediction i belongs to target i, further targets are candidates only.
    same_object : Tensor (B, T) of bool
        Whether a target shows the object of a prediction.
    temperature : float, default=0.1

    Returns
    -------
    Tensor ()
    """
    logits = predicted @ targets.T / temperature
    true = torch.arange(len(predicted))
    among_its_views = logits.masked_fill(~same_object, EXCLUDED)
    return cross_entropy(logits, true) + cross_entropy(among_its_views, true)


def cross_modal_agreement(z_a, z_b, groups, temperature=0.2):
    """Symmetric multi-positive InfoNCE between two senses: all frames of one object are positives across the senses.

    Parameters
    ----------
    z_a, z_b : Tensor (B, d)
        Unit vectors of the same frames in the two senses.
    groups : Tensor (B,) of int
        Object of each frame.
    temperature : float, default=0.2

    Returns
    -------
    Tensor ()
    """
    logits = z_a @ z_b.T / temperature
    same = groups[:, None] == groups
    return (_multi_positive(logits, same) + _multi_positive(logits.T, same)) / 2


def _multi_positive(logits, positive):
    log_share = torch.log_softmax(logits, dim=1)
    return -((log_share * positive).sum(1) / positive.sum(1)).mean()
