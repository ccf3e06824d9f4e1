"""Barlow Twins: the same feature of two frames correlates, different ones do not."""

from torch.nn import functional as F

from smc.encoders._checks import check_number
from smc.encoders.objectives._interface import Objective


def barlow_twins(z_a, z_b, redundancy=5e-3):
    """Squared distance of the cross-correlation matrix from the identity (Zbontar et al. 2021, ICML).

    Parameters
    ----------
    z_a, z_b : Tensor (B, d), B >= 2
        Two frames of the same things, of any length.
    redundancy : float, default=0.005
        Weight of the correlations of different features.

    Returns
    -------
    Tensor ()
    """
    a, b = (F.batch_norm(z, None, None, training=True) for z in (z_a, z_b))
    correlation = a.T @ b / len(a)
    same = correlation.diagonal()
    different = correlation.square().sum() - same.square().sum()
    return (1 - same).square().sum() + redundancy * different


class BarlowTwins(Objective):
    """`barlow_twins` of two successive frames.

    Parameters
    ----------
    redundancy : float, default=0.005
    label : str, default="barlow_twins"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, redundancy=5e-3, *, label="barlow_twins"):
        check_number("redundancy", redundancy, zero_allowed=True)
        super().__init__(label, redundancy=float(redundancy))

    def terms(self, step):
        return {
            f"{sense}_{self.label}": barlow_twins(*step.successive(step.z[sense]), **self.settings)
            for sense in step.senses
        }
