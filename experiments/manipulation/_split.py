"""Which objects the agent grows up with, which it is asked about, and which settle design choices."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np

SPLIT_FILE = "data/manipulation_split.csv"
SHARE_HANDLED = 0.6  # of the familiar objects; the rest carries the maps, so that their typical is that of new objects


@dataclass(frozen=True)
class Objects:
    """Index arrays into the bank; no group of near-duplicates is in two of them."""

    handled: np.ndarray  # the encoders learn from them
    mapped: np.ndarray  # maps, reliabilities and contingencies are fitted on them
    tested: np.ndarray  # never met before the test

    @property
    def known(self):
        """What can carry a label."""
        return np.concatenate([self.handled, self.mapped])


def parts_of(bank) -> np.ndarray:
    """'familiar', 'development' or 'confirmation' for every object, from the committed split."""
    with files("experiments").joinpath(SPLIT_FILE).open() as file:
        part = {row["id"]: row["part"] for row in csv.DictReader(file)}
    return np.array([part[i] for i in bank.ids])


def draw_objects(bank, split: str, seed: int, per_class: int | None = None, n_classes: int | None = None) -> Objects:
    """The objects of one life, at most `per_class` tested and as many familiar ones of each of the first classes.

    A development life never meets a confirmation object; a confirmation life grows up with the development objects.
    """
    part = parts_of(bank)
    part[~np.isin(bank.classes, bank.class_names[:n_classes])] = "left out"
    grown_up_with = {"familiar"} if split == "development" else {"familiar", "development"}
    familiar = first_of_each_class(bank, np.flatnonzero(np.isin(part, list(grown_up_with))), per_class)
    tested = first_of_each_class(bank, np.flatnonzero(part == split), per_class)
    handled = choose_groups(bank, familiar, SHARE_HANDLED, np.random.default_rng([seed, 0]))
    return Objects(handled=handled, mapped=np.setdiff1d(familiar, handled), tested=tested)


def first_of_each_class(bank, objects, n) -> np.ndarray:
    return np.sort(np.concatenate([objects[bank.classes[objects] == name][:n] for name in bank.class_names]))


def choose_groups(bank, objects, share, rng) -> np.ndarray:
    """About `share` of the objects of every class, whole groups only."""
    chosen = []
    for name in bank.class_names:
        members = objects[bank.classes[objects] == name]
        taken = 0
        for group in rng.permutation(np.unique(bank.groups[members])):
            block = members[bank.groups[members] == group]
            if taken + len(block) / 2 <= share * len(members):
                chosen.append(block)
                taken += len(block)
    return np.sort(np.concatenate(chosen))


def draw_labelled(bank, objects, per_class: int | None, rng) -> np.ndarray:
    """`per_class` objects of each class (None: all) that carry a label."""
    if per_class is None:
        return objects
    return np.concatenate(
        [rng.permutation(objects[bank.classes[objects] == name])[:per_class] for name in bank.class_names]
    )
