"""Equivariance: the embedding predicted from a frame and an action singles out the frame that followed."""

import torch
from torch.nn.functional import cross_entropy

from smc.encoders._checks import check_number
from smc.encoders.objectives._interface import Objective
from smc.encoders.objectives._nt_xent import EXCLUDED
from topology._validation import check_flag


def consequence(predicted, targets, same_object, temperature=0.1, *, same_object_negatives=True):
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
    same_object_negatives : bool, default=True
        False leaves out the second term.

    Returns
    -------
    Tensor ()
    """
    logits = predicted @ targets.T / temperature
    true = torch.arange(len(predicted))
    among_all = cross_entropy(logits, true)
    if not same_object_negatives:
        return among_all
    return among_all + cross_entropy(logits.masked_fill(~same_object, EXCLUDED), true)


class EquiMod(Objective):
    """Predicted consequences single out the true ones, on a head of their own (after Devillers & Lefort 2023, ICLR).

    Parameters
    ----------
    temperature : float, default=0.1
    same_object_negatives : bool, default=True
        Whether a prediction must also win among the frames of its own object alone, see `consequence`.
    label : str, default="equimod"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, temperature=0.1, *, same_object_negatives=True, label="equimod"):
        check_number("temperature", temperature)
        check_flag("same_object_negatives", same_object_negatives)
        super().__init__(label, temperature=float(temperature), same_object_negatives=bool(same_object_negatives))

    def terms(self, step):
        return {
            f"{sense}_{self.label}": consequence(
                step.predicted(sense), step.candidates(sense), step.same_object, **self.settings
            )
            for sense in step.senses
        }
