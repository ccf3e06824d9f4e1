"""What encoders may be trained for: one small module each, any of them with any encoder and any set of senses.

Objectives of agreement (`NTXent`, `TimeContrast`, `VICReg`, `BarlowTwins`, `BYOL`, `CrossModal`) act on the invariance
head, those of action (`EquiMod`, `WorldModel`, `JEPA`, `ActionDecoder`, `CrossModalConsequence`) on the equivariance
head and the predictor. `WeightedSum` joins them; the functions are the bare losses.
"""

from smc.encoders.objectives._action_decoder import ActionDecoder
from smc.encoders.objectives._barlow_twins import BarlowTwins, barlow_twins
from smc.encoders.objectives._byol import BYOL, negative_cosine
from smc.encoders.objectives._cross_modal import CrossModal, CrossModalConsequence, cross_modal_agreement
from smc.encoders.objectives._default import action_structured
from smc.encoders.objectives._equimod import EquiMod, consequence
from smc.encoders.objectives._interface import Loss, Objective, Step, WeightedSum
from smc.encoders.objectives._jepa import JEPA, sigreg
from smc.encoders.objectives._nt_xent import NTXent, multi_positive_nt_xent, nt_xent
from smc.encoders.objectives._time_contrast import TimeContrast
from smc.encoders.objectives._vicreg import VICReg, vicreg
from smc.encoders.objectives._world_model import WorldModel

__all__ = [
    "BYOL",
    "JEPA",
    "ActionDecoder",
    "BarlowTwins",
    "CrossModal",
    "CrossModalConsequence",
    "EquiMod",
    "Loss",
    "NTXent",
    "Objective",
    "Step",
    "TimeContrast",
    "VICReg",
    "WeightedSum",
    "WorldModel",
    "action_structured",
    "barlow_twins",
    "consequence",
    "cross_modal_agreement",
    "multi_positive_nt_xent",
    "negative_cosine",
    "nt_xent",
    "sigreg",
    "vicreg",
]
