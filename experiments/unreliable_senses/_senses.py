"""The digits as views, and what can go wrong with a view."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import train_test_split

VIEWS = ("fou", "kar")
SEEN = ("noise", "blank")  # what networks that are trained with corruption are trained with
UNSEEN = ("offset", "shuffled", "spikes")
SPIKE = 4.0  # height of a spike, in standard deviations


@dataclass(frozen=True)
class Condition:
    """One corruption of one view."""

    kind: str = "clean"
    view: str = ""
    level: float = 0.0


@dataclass(frozen=True)
class Digits:
    """Features (n, d) of every view in standard deviations of the training digits, and the digits (n,)."""

    train: dict[str, np.ndarray]
    test: dict[str, np.ndarray]
    y_train: np.ndarray
    y_test: np.ndarray
    tested: np.ndarray  # which digits of the file


def load_digits(n_train, n_test, seed, views) -> Digits:
    """A split of the digits, each pattern once."""
    with np.load(Path(__file__).parents[1] / "data" / "mfeat.npz", allow_pickle=False) as file:
        _, once = np.unique(file["kar"], axis=0, return_index=True)
        y = file["digit"].astype(int)
        X = {view: file[view].astype(float) for view in views}
    train, test = train_test_split(
        np.sort(once), train_size=n_train, test_size=n_test, stratify=y[np.sort(once)], random_state=seed
    )
    center = {view: X[view][train].mean(axis=0) for view in views}
    scale = {view: X[view][train].std(axis=0) for view in views}
    scale = {view: np.where(s > 0, s, 1.0) for view, s in scale.items()}
    train_views, test_views = (
        {view: (X[view][rows] - center[view]) / scale[view] for view in views} for rows in (train, test)
    )
    return Digits(train_views, test_views, y[train], y[test], test)


def conditions(config) -> list[Condition]:
    """Clean first, then every kind and level for each of the two views."""
    levels = {"noise": config.noise, "blank": (1.0,), "offset": config.offset}
    levels |= {kind: config.share for kind in ("shuffled", "spikes")} | {"swap": (1.0,)}
    return [Condition()] + [Condition(kind, view, x) for kind in levels for view in VIEWS for x in levels[kind]]


def corrupt(X, kind, level, rng):
    """Samples (n, d) of one view as they arrive.

    Levels: of "noise" and "offset" in standard deviations of a feature; of "shuffled" and "spikes" the share of the
    features that change places within the sample, or jump to +-4 standard deviations. "blank" shows the mean, "swap"
    the view of another digit.
    """
    if kind == "noise":
        return X + level * rng.standard_normal(X.shape)
    if kind == "blank":
        return np.zeros_like(X)
    if kind == "swap":
        return rng.permutation(X)
    if kind == "offset":
        return X + level
    hit = rng.permuted(np.tile(np.arange(X.shape[1]) < round(level * X.shape[1]), (len(X), 1)), axis=1)
    X = X.copy()
    if kind == "spikes":
        X[hit] = rng.choice([-SPIKE, SPIKE], size=hit.sum())
    if kind == "shuffled":
        for row, chosen in zip(X, hit, strict=True):
            row[chosen] = rng.permutation(row[chosen])
    return X


def sense(digits: Digits, condition: Condition, rng) -> dict[str, np.ndarray]:
    """Both views of the test digits under a condition."""
    views = {view: digits.test[view] for view in VIEWS}
    if condition.view:
        views[condition.view] = corrupt(views[condition.view], condition.kind, condition.level, rng)
    return views
