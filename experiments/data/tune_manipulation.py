"""Write manipulation_tuning.csv: how every setting that was tried does on development objects and degradations.

    python experiments/data/tune_manipulation.py

Five values for each method that has a setting, the other settings at their first guess. Accuracy (%) is the mean of
clean views and of views with one sense degraded, the two counting alike, over 1, 5 and all labels per class. The best
value of each, of equals the first, stands in `experiments/manipulation/_settings.py`. About 20 minutes on one core.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments._table import to_csv
from experiments.manipulation import Config
from experiments.manipulation._life import Life
from experiments.manipulation._methods import SENSES
from experiments.manipulation._recognition import METHODS
from experiments.manipulation._settings import TRIED, Settings

SEEDS = (100, 101)
CONFIG = Config(split="development", n_threads=1, n_draws=2)


def accuracies(life, settings) -> np.ndarray:
    """Accuracy of every method (n_methods,), in %."""
    correct, *_ = life.recognise(life.reliabilities(settings), settings)
    kinds = np.array([c.kind for c in life.listed])
    by_kind = [correct[:, :, kinds == kind].mean((1, 2, 3, 4)) for kind in ("clean", *SENSES)]
    return 100 * (by_kind[0] / 2 + (by_kind[1] + by_kind[2]) / 4)


def tune(lives) -> list[dict]:
    first = Settings(**{field: values[0] for field, (_, values) in TRIED.items()})
    at_first = np.mean([accuracies(life, first) for life in lives], axis=0)
    rows = []
    for field, (method, values) in tqdm(TRIED.items(), desc="settings"):
        for value in values:
            changed = replace(first, **{field: value})
            found = at_first if changed == first else np.mean([accuracies(life, changed) for life in lives], axis=0)
            accuracy = round(float(found[METHODS.index(method)]), 2)
            rows.append({"method": method, "setting": field, "value": str(value), "accuracy": accuracy})
    return rows


if __name__ == "__main__":
    lives = [Life(CONFIG, seed, actions=("true",)) for seed in SEEDS]
    for life in lives:
        life.gather()
    Path(__file__).with_name("manipulation_tuning.csv").write_text(to_csv(tune(lives)))
