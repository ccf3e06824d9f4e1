"""The methods of each table; those of the main table had three tries each for their settings, SimCLR five."""

from __future__ import annotations

from smc.encoders import ImageAugmentation
from smc.encoders.objectives import (
    JEPA,
    ActionDecoder,
    CrossModal,
    EquiMod,
    NTXent,
    TimeContrast,
    VICReg,
    WeightedSum,
)

from ._train import Method

# Method -> (learning rate, temperature), and of SimCLR the tint of its crops, where others than the default were best;
# experiments/data/action_views_tuning.csv holds what every try reached.
TUNED = {
    "SimCLR": (4e-3, 0.2, 0.8),
    "VICReg": (2e-3, None),
    "time contrast, one room": (4e-3, 0.5),
    "time contrast": (8e-3, 0.2),
    "+ EquiMod": (8e-3, 0.2),
    "+ EquiMod, same object": (8e-3, 0.2),
    "+ EquiMod, shuffled action": (8e-3, 0.2),
    "+ action decoder": (8e-3, 0.2),
}
DEFAULT = (4e-3, 0.2)
TRIED = {
    "SimCLR": ((*DEFAULT, 0.2), (8e-3, 0.2, 0.2), (4e-3, 0.5, 0.2), (4e-3, 0.1, 0.2), (*DEFAULT, 0.8)),
    "VICReg": ((4e-3, None), (2e-3, None), (8e-3, None)),  # it has no temperature
    "others": (DEFAULT, (8e-3, 0.2), (4e-3, 0.5)),
}
EQUIVARIANCE_WEIGHT = 0.3
# Time contrast in one room is no baseline but a control: there the room stands for the object.
BASELINES = ("SimCLR", "VICReg", "time contrast", "image")
BASELINE, PREDICTOR, SHUFFLED, CONTROL = ACTION_METHODS = (
    "time contrast",
    "+ EquiMod, same object",
    "+ EquiMod, shuffled action",
    "+ action decoder",
)

ACTING_CONTROL, ACTING, ACTING_SHUFFLED = (
    "+ reveal + cloud",
    "+ reveal + cloud + EquiMod",
    "+ reveal + cloud + shuffled action",
)


def tuned(name):
    return TUNED.get(name, DEFAULT)


def method(name, make, settings, **options):
    """Method whose objective is `make(temperature)`."""
    learning_rate, temperature = settings
    return Method(name, lambda: make(temperature), learning_rate=learning_rate, **options)


def simclr(settings):
    """Two crops of one image, one tinted against the other, agree."""
    *others, tint = settings
    crops = ImageAugmentation(brightness=max(0.4, tint), tint=tint)
    return method("SimCLR", NTXent, others, augmentation=crops)


def beside(objective, weight=1.0):
    """Time contrast beside another objective."""
    return lambda temperature: WeightedSum((TimeContrast(temperature), 1.0), (objective(), weight))


PARTS = (TimeContrast, 1.0), (CrossModal, 1.0), (EquiMod, EQUIVARIANCE_WEIGHT)  # of several senses


def joined(*parts):
    """Weighted sum of objectives at their default temperatures."""
    return lambda t: WeightedSum(*((make(), weight) for make, weight in parts))


def main_methods(settings=TUNED):
    """The nine trainings of the main table, by settings that may differ from `DEFAULT`, and the random encoder."""

    def chosen(name, make, **options):
        return method(name, make, settings.get(name, DEFAULT), **options)

    return (
        Method("random encoder", None),
        simclr(settings.get("SimCLR", (*DEFAULT, 0.2))),
        chosen("VICReg", lambda t: VICReg()),
        chosen("time contrast, one room", TimeContrast, fresh_rooms=False),
        chosen("time contrast", TimeContrast),
        chosen("+ cloud", beside(CrossModal), senses=("image", "points")),
        chosen("+ EquiMod", beside(lambda: EquiMod(same_object_negatives=False), 1.0)),
        chosen("+ EquiMod, same object", beside(EquiMod, EQUIVARIANCE_WEIGHT)),
        chosen("+ EquiMod, shuffled action", beside(EquiMod, EQUIVARIANCE_WEIGHT), action="shuffled"),
        chosen("+ action decoder", beside(ActionDecoder)),
    )


def ablations():
    """Variants of time contrast + EquiMod with same-object negatives, one thing changed in each."""
    settings = tuned("+ EquiMod, same object")

    def variant(name, objective=EquiMod, weight=EQUIVARIANCE_WEIGHT, **options):
        return method(name, beside(objective, weight), settings, **options)

    return (
        variant("reference"),
        variant("shuffled action", action="shuffled"),
        variant("no action", action="none"),
        variant("linear predictor", heads={"predictor": "linear"}),
        variant("shared branch", heads={"branch": "shared"}),
        variant("weight 0", weight=0.0),
        variant("weight 1", weight=1.0),
        variant("weight 3", weight=3.0),
        variant("other-object negatives", lambda: EquiMod(same_object_negatives=False)),
        method("predictor alone", lambda t: EquiMod(), settings),
        method("JEPA", lambda t: JEPA(), settings),
    )


def multimodal():
    """Image and cloud: alone, across, across and within, and with the consequences of actions in each sense."""
    both = ("image", "points")
    settings = tuned("+ cloud")
    within, across, consequences = PARTS
    return (
        Method("random encoder", None, senses=both),
        method("image", TimeContrast, settings),
        method("cloud", TimeContrast, settings, senses=("points",)),
        method("Cross", lambda t: CrossModal(t), settings, senses=both),
        method("Cross + Self", joined(within, across), settings, senses=both),
        method("Cross + Self + action", joined(within, across, consequences), settings, senses=both),
        method(
            "Cross + Self + shuffled action",
            joined(within, across, consequences),
            settings,
            senses=both,
            action="shuffled",
        ),
    )


def acting():
    """What an agent gains that puts the object away for a moment and keeps what changed, in training and in tests.

    Those with clouds share the settings of "+ cloud", so that the last three differ in the consequences alone.
    """
    within, across, consequences = PARTS

    def with_cloud(name, *parts, **options):
        settings, both = tuned("+ cloud"), ("image", "points")
        return method(name, joined(within, across, *parts), settings, senses=both, revealed=True, **options)

    return (
        Method("random encoder", None),
        method(BASELINE, TimeContrast, tuned(BASELINE)),
        method("+ reveal", TimeContrast, tuned(BASELINE), revealed=True),
        with_cloud(ACTING_CONTROL),
        with_cloud(ACTING, consequences),
        with_cloud(ACTING_SHUFFLED, consequences, action="shuffled"),
    )


def bundled_methods():
    """Those methods of the main table that the claims need."""
    needed = ("random encoder", "+ cloud", *ACTION_METHODS)
    return tuple(m for m in main_methods() if m.name in needed)
