"""What every tried setting of the methods of `action_views` reaches on objects and rooms of development.

    python -m experiments.data.tune_action_views

writes action_views_tuning.csv. Each method has three tries of 150 steps, SimCLR five; what decides is the mean
accuracy of the linear probe in training rooms and in validation rooms, which no table shows.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments._table import to_csv
from experiments.action_views._config import Config
from experiments.action_views._data import draw_poses, live, make_objects, view
from experiments.action_views._methods import TRIED, main_methods
from experiments.action_views._train import train
from smc.encoders import embed
from smc.encoders.metrics import linear_probe

SEED = 100
CONFIG = replace(Config(), n_steps=150)
ROOM_KINDS = ("training", "validation")


def tune():
    """A row per method and try."""
    objects = make_objects(CONFIG, SEED)
    rng = np.random.default_rng(SEED)

    def look(rows, kind, n):
        rows = np.repeat(rows, CONFIG.n_views)
        return view(objects, rows, draw_poses(rng, rows.shape), kind, CONFIG, (SEED, n))

    learned = look(rng.choice(objects.familiar, 20 * 14, replace=False), "training", 50)
    tests = {kind: look(objects.unseen, kind, 51 + i) for i, kind in enumerate(ROOM_KINDS)}
    experience = {fresh: live(objects, CONFIG, SEED, fresh_rooms=fresh) for fresh in (True, False)}
    tries = [(m, setting) for m in main_methods() if m.objective for setting in TRIED.get(m.name, TRIED["others"])]
    rows = []
    for method, setting in tqdm(tries, desc="tuning", unit="training", delay=2, disable=None, leave=False):
        (again,) = (m for m in main_methods({method.name: setting}) if m.name == method.name)
        module = train(again, experience[again.fresh_rooms], CONFIG, SEED)["image"]
        X, label = embed(module, learned.image), objects.label[learned.object]
        accuracy = {
            kind: linear_probe(X, label, embed(module, views.image), objects.label[views.object]).mean()
            for kind, views in tests.items()
        }
        names = ("learning rate", "temperature", "tint")
        rows.append({"method": method.name} | dict(zip(names, setting, strict=False)) | accuracy)
    return rows


if __name__ == "__main__":
    Path(__file__).with_name("action_views_tuning.csv").write_text(to_csv(tune()))
