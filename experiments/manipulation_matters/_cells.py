"""What is varied: one thing at a time, around one way of handling."""

from __future__ import annotations

from dataclasses import dataclass

SPEEDS = (15, 30, 60, 90, 180, 360)  # degrees per step at most


@dataclass(frozen=True)
class Cell:
    """One way to handle objects, and what the learner is told of it."""

    changes: tuple[str, ...] = ("rotation", "background")  # what differs between the two frames of a step
    path: str = "smooth"  # how an object turns: "smooth", "teleport", "steered" or "yoked"
    speed: int = 60  # degrees per step at most, of smooth turns
    knowledge: str = (
        "given"  # the action is "given" to a predictor, "predicted" from two frames, "withheld", "shuffled"
    )


EVERYTHING = ("rotation", "translation", "zoom", "background", "light")
BASE = "smooth 60"
CELLS = {
    BASE: Cell(),
    "nothing": Cell(()),
    "background": Cell(("background",)),
    "rotation": Cell(("rotation",)),
    "zoom": Cell(("zoom",)),
    "translation": Cell(("translation",)),
    "light": Cell(("light",)),
    "all": Cell(EVERYTHING),
    "augmentation": Cell(("augmentation",)),
    "teleport": Cell(path="teleport"),
    "steered": Cell(path="steered"),
    "yoked": Cell(path="yoked"),
    **{f"smooth {speed}": Cell(speed=speed) for speed in SPEEDS if speed != Cell.speed},
    "predicted": Cell(knowledge="predicted"),
    "withheld": Cell(knowledge="withheld"),
    "shuffled": Cell(knowledge="shuffled"),
}
RANDOM = "random encoder"
ROWS = (*CELLS, RANDOM)  # the untrained control last

# Factor -> its levels as the page names them, and the cell of each.
FACTORS = {
    "trajectory": {
        "static": "background",
        "teleport": "teleport",
        "smooth": BASE,
        "steered": "steered",
        "yoked": "yoked",
    },
    "turn per step, degrees": {str(speed): f"smooth {speed}" for speed in SPEEDS},
    "what changes": {
        "nothing": "nothing",
        "crop, flip,\ncolour": "augmentation",
        "light": "light",
        "translation": "translation",
        "zoom": "zoom",
        "background": "background",
        "rotation": "rotation",
        "rotation,\nbackground": BASE,
        "all": "all",
    },
    "action is": {"given": BASE, "predicted": "predicted", "withheld": "withheld", "shuffled": "shuffled"},
}
