"""The design that `pretrain` follows unless told otherwise."""

from smc.encoders.objectives._cross_modal import CrossModal, CrossModalConsequence
from smc.encoders.objectives._equimod import EquiMod
from smc.encoders.objectives._interface import WeightedSum
from smc.encoders.objectives._time_contrast import TimeContrast


def action_structured(
    n_senses,
    *,
    equivariance_weight=0.3,
    cross_modal_weight=1.0,
    temperature=0.2,
    equivariance_temperature=0.1,
):
    """Time contrast and EquiMod in each sense and, with several senses, the same across them; see `pretrain`."""
    agree = TimeContrast(temperature, label="invariance"), 1.0
    foretell = EquiMod(equivariance_temperature, label="equivariance"), equivariance_weight
    if n_senses == 1:
        return WeightedSum(agree, foretell)
    across = WeightedSum(
        (CrossModal(temperature, label="cross_modal_invariance"), 1.0),
        (CrossModalConsequence(equivariance_temperature, label="cross_modal_equivariance"), equivariance_weight),
    )
    return WeightedSum(agree, foretell, (across, cross_modal_weight))
