"""Normalised temperature-scaled cross entropy: views of one thing attract each other, all others are pushed away."""

import torch

from smc.encoders._checks import check_number
from smc.encoders.objectives._interface import Objective

# Far below any cosine over a temperature, yet finite, so that 0 * EXCLUDED stays 0.
EXCLUDED = -1e9


def multi_positive_nt_xent(z, groups, temperature=0.2):
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
    return mean_log_share(logits, (groups[:, None] == groups) & ~oneself)


def nt_xent(z_a, z_b, temperature=0.5):
    """NT-Xent of two views (Chen et al. 2020, SimCLR): the other view of a sample against all other samples.

    Parameters
    ----------
    z_a, z_b : Tensor (B, d)
        Unit vectors of the same samples.
    temperature : float, default=0.5

    Returns
    -------
    Tensor ()
    """
    return multi_positive_nt_xent(torch.cat([z_a, z_b]), torch.arange(len(z_a)).repeat(2), temperature)


def mean_log_share(logits, positive):
    """Minus the log share of each row's positives, averaged over these, then over rows."""
    log_share = torch.log_softmax(logits, dim=1)
    return -((log_share * positive).sum(1) / positive.sum(1)).mean()


class NTXent(Objective):
    """Two successive frames agree, whatever else the batch shows of their object (Chen et al. 2020).

    With augmented images as frames this is SimCLR. All frames of an object as positives: `TimeContrast`.

    Parameters
    ----------
    temperature : float, default=0.5
    label : str, default="nt_xent"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, temperature=0.5, *, label="nt_xent"):
        check_number("temperature", temperature)
        super().__init__(label, temperature=float(temperature))

    def terms(self, step):
        return {
            f"{sense}_{self.label}": nt_xent(*step.successive(step.unit_z(sense)), self.settings["temperature"])
            for sense in step.senses
        }
