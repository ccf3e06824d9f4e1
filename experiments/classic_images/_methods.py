"""What is compared, as published for each where the budget allows it, and the settings that were tried and chosen.

Heads are two layers with batch normalisation between (VICReg publishes three). EquiMod as published: linear predictor,
temperature 0.2, negatives of other pictures; it predicts from one augmented look to the other instead of from the
picture itself, and is tried at the setting that its base method was given, with as many tries of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

BASES = ("SimCLR", "BYOL", "VICReg")
WITH = " + EquiMod"
FLOORS, CEILING = ("raw pixels", "random encoder"), "supervised"
TRAINED = (*(base + extra for base in BASES for extra in ("", WITH)), CEILING)
METHODS = (*FLOORS, *TRAINED)

EQUIMOD_TEMPERATURE = 0.2
LEARNING_RATES = (2e-3, 4e-3, 8e-3)
OWN = {  # the values tried of what each method has to itself
    "SimCLR": ("temperature", (0.5, 0.2)),
    "BYOL": ("momentum", (0.99, 0.9)),
    "VICReg": ("weight of the covariance", (1.0, 4.0)),
    CEILING: ("temperature", (0.1, 0.2)),
}


@dataclass(frozen=True)
class Setting:
    """What was tuned of a method.

    Attributes
    ----------
    learning_rate : float
    own : float
        See `OWN`.
    weight : float
        Of EquiMod's loss.
    branch : {"own", "shared"}
        What EquiMod's head reads, see `smc.encoders.EquivarianceModule`.
    """

    learning_rate: float = 4e-3
    own: float = 0.5
    weight: float = 0.0
    branch: str = "shared"


# Best of six tries by linear accuracy on a development seed, see experiments/data/classic_images_digits_tuning.csv.
SIMCLR, BYOL, VICREG = Setting(4e-3, 0.2), Setting(4e-3, 0.9), Setting(2e-3, 4.0)
CHOSEN = {
    "SimCLR": SIMCLR,
    "SimCLR + EquiMod": replace(SIMCLR, weight=1.0, branch="own"),
    "BYOL": BYOL,
    "BYOL + EquiMod": replace(BYOL, weight=1.0, branch="own"),
    "VICReg": VICREG,
    "VICReg + EquiMod": replace(VICREG, weight=0.1, branch="shared"),
    CEILING: Setting(8e-3, 0.2),
}


def tries(method, of_base=None) -> list[Setting]:
    """Six settings of a method; those of EquiMod differ from the one chosen for its base method."""
    if method.endswith(WITH):
        return [
            replace(of_base, weight=weight, branch=branch)
            for weight, branch in product((0.1, 0.3, 1.0), ("own", "shared"))
        ]
    return [Setting(rate, own) for rate, own in product(LEARNING_RATES, OWN[method][1])]


def objective(method, setting):
    """What a method is trained for."""
    from smc.encoders.objectives import BYOL, EquiMod, NTXent, TimeContrast, VICReg, WeightedSum

    agree = {
        "SimCLR": lambda: NTXent(setting.own),
        "BYOL": lambda: BYOL(setting.own, normalisation="batch"),
        "VICReg": lambda: VICReg(covariance=setting.own),
        CEILING: lambda: TimeContrast(setting.own),  # with classes as objects: supervised contrast
    }[method.removesuffix(WITH)]()
    if not method.endswith(WITH):
        return agree
    foretell = EquiMod(EQUIMOD_TEMPERATURE, same_object_negatives=False)
    return WeightedSum((agree, 1.0), (foretell, setting.weight))


def heads(setting):
    return {"dim": 128, "branch": setting.branch, "predictor": "linear", "normalisation": "batch"}
