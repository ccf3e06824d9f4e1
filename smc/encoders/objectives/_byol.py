"""BYOL: a prediction from one frame meets the other as a slowly moving copy of the module embeds it."""

from torch.nn.functional import cosine_similarity

from smc.encoders._checks import check_number
from smc.encoders._layers import NORMALISATIONS
from smc.encoders.objectives._interface import HeadsBySense, Objective
from topology._validation import check_choice


def negative_cosine(predicted, target):
    """Minus the mean cosine of predictions and targets, Tensors (B, d); targets take no gradient.

    The loss of Grill et al. (2020, NeurIPS) is 2 plus twice this.
    """
    return -cosine_similarity(predicted, target.detach(), dim=1).mean()


class BYOL(Objective):
    """Each of two successive frames predicts the other's target embedding (Grill et al. 2020).

    Parameters
    ----------
    momentum : float, default=0.99
        Share of the old target in each step, in [0, 1).
    normalisation : {"none", "batch"}, default="none"
        Whether the hidden layer of what predicts is normalised over the batch, as published; for the heads it is an
        option of their own, ``pretrain(..., heads={"normalisation": "batch"})``. In several processes the batch is that
        of all of them.
    label : str, default="byol"
        Its losses are called ``<modality>_<label>``.
    """

    def __init__(self, momentum=0.99, *, normalisation="none", label="byol"):
        check_number("momentum", momentum, zero_allowed=True)
        if momentum >= 1:
            raise ValueError(f"momentum must be below 1, got {momentum!r}")
        check_choice("normalisation", normalisation, NORMALISATIONS)
        super().__init__(label, momentum=float(momentum), normalisation=normalisation)
        self.momentum = float(momentum)

    def prepare(self, senses, dim, action_dim, hidden, seed):
        self.predict = HeadsBySense(senses, dim, hidden, dim, seed, self.settings["normalisation"])

    def terms(self, step):
        terms = {}
        for sense in step.senses:
            first, second = step.successive(self.predict[sense](step.z[sense]))
            target_first, target_second = step.successive(step.target_z[sense])
            loss = (negative_cosine(first, target_second) + negative_cosine(second, target_first)) / 2
            terms[f"{sense}_{self.label}"] = loss
        return terms
