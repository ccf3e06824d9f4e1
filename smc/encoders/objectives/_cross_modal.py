"""Several senses: their frames of an object agree, and what one predicts singles out what the other sensed."""

from itertools import combinations, permutations

from smc.encoders._checks import check_number
from smc.encoders.objectives._equimod import consequence
from smc.encoders.objectives._interface import Objective
from smc.encoders.objectives._nt_xent import mean_log_share
from topology._validation import check_flag


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
    return (mean_log_share(logits, same) + mean_log_share(logits.T, same)) / 2


class CrossModal(Objective):
    """Frames of an object agree in all senses, pair by pair.

    Alone it keeps only what the senses share; a within-sense objective beside it (Cross+Self) keeps the rest.

    Parameters
    ----------
    temperature : float, default=0.2
    label : str, default="cross_modal"
        Name of its loss, the sum over pairs of senses.
    """

    def __init__(self, temperature=0.2, *, label="cross_modal"):
        check_number("temperature", temperature)
        super().__init__(label, temperature=float(temperature))

    def prepare(self, senses, dim, action_dim, hidden, seed):
        _check_several(self, senses)

    def terms(self, step):
        pairs = combinations(step.senses, 2)
        temperature = self.settings["temperature"]
        return {
            self.label: sum(
                cross_modal_agreement(step.unit_z(a), step.unit_z(b), step.groups, temperature) for a, b in pairs
            )
        }


class CrossModalConsequence(Objective):
    """What is predicted from one sense singles out what followed in the other; the action is shared.

    Parameters
    ----------
    temperature : float, default=0.1
    same_object_negatives : bool, default=True
        See `consequence`.
    label : str, default="cross_modal_consequence"
        Name of its loss, the sum over ordered pairs of senses.
    """

    def __init__(self, temperature=0.1, *, same_object_negatives=True, label="cross_modal_consequence"):
        check_number("temperature", temperature)
        check_flag("same_object_negatives", same_object_negatives)
        super().__init__(label, temperature=float(temperature), same_object_negatives=bool(same_object_negatives))

    def prepare(self, senses, dim, action_dim, hidden, seed):
        _check_several(self, senses)

    def terms(self, step):
        return {
            self.label: sum(
                consequence(step.predicted(a), step.candidates(b), step.same_object, **self.settings)
                for a, b in permutations(step.senses, 2)
            )
        }


def _check_several(objective, senses):
    if len(senses) < 2:
        raise ValueError(f"objective {type(objective).__name__} needs at least 2 senses, got {list(senses)}")
