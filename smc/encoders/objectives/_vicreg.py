"""VICReg: embeddings of two frames are close, every feature varies, no two features say the same."""

import torch
from torch.nn import functional as F

from smc.encoders._checks import check_number
from smc.encoders.objectives._interface import Objective

LEAST_VARIANCE = 1e-4  # added to the variance, so that the root has a finite slope


def vicreg(z_a, z_b, similarity=25.0, variance=25.0, covariance=1.0):
    """Variance-invariance-covariance regularisation (Bardes et al. 2022, ICLR).

    Parameters
    ----------
    z_a, z_b : Tensor (B, d), B >= 2
        Two frames of the same things, of any length.
    similarity, variance, covariance : float, default=25, 25, 1
        Weights of the mean squared difference, of what each feature's standard deviation lacks to 1 (mean of the two
        frames), and of the squared covariances of different features over d (sum of the two frames).

    Returns
    -------
    Tensor ()
    """
    spread = (_lacking_spread(z_a) + _lacking_spread(z_b)) / 2
    redundancy = _squared_covariance(z_a) + _squared_covariance(z_b)
    return similarity * F.mse_loss(z_a, z_b) + variance * spread + covariance * redundancy


def _lacking_spread(z):
    return F.relu(1 - (z.var(dim=0) + LEAST_VARIANCE).sqrt()).mean()


def _squared_covariance(z):
    covariance = torch.cov(z.T)
    return (covariance.square().sum() - covariance.diagonal().square().sum()) / z.shape[1]


class VICReg(Objective):
    """`vicreg` of two successive frames.

    Parameters
    ----------
    similarity, variance, covariance : float, default=25, 25, 1
    label : str, default="vicreg"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, similarity=25.0, variance=25.0, covariance=1.0, *, label="vicreg"):
        weights = {"similarity": similarity, "variance": variance, "covariance": covariance}
        for name, value in weights.items():
            check_number(name, value, zero_allowed=True)
        super().__init__(label, **{name: float(value) for name, value in weights.items()})

    def terms(self, step):
        return {
            f"{sense}_{self.label}": vicreg(*step.successive(step.z[sense]), **self.settings) for sense in step.senses
        }
