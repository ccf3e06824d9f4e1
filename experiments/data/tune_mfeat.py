"""Write mfeat_tuning.csv: how every setting that was tried in `unreliable_senses` does on development seeds.

    python experiments/data/tune_mfeat.py

Four settings for each method that has any. Accuracy (%) is the mean of clean views and of views with noise or blank,
the two counting alike; the other corruptions are not looked at. The best setting of each method stands in `CHOSEN` in
`experiments/unreliable_senses/_methods.py`. A minute of processor time.
"""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments._table import to_csv
from experiments.unreliable_senses import Config
from experiments.unreliable_senses._methods import TRIED, Methods
from experiments.unreliable_senses._senses import SEEN, VIEWS, conditions, load_digits, sense

SEEDS = (100, 101)


def tune(seeds) -> list[dict]:
    config = Config()
    listed = [c for c in conditions(config) if c.kind in ("clean", *SEEN)]
    clean = np.array([c.kind == "clean" for c in listed])
    found = {(name, i): [] for name, tried in TRIED.items() for i in range(len(tried))}
    for seed in tqdm(seeds, desc="seeds"):
        rng = np.random.default_rng(seed)
        digits = load_digits(config.n_train, config.n_test, seed, VIEWS)
        seen = [sense(digits, condition, rng) for condition in listed]
        methods = Methods(digits.train, digits.y_train, seed)
        for (name, i), accuracies in found.items():
            recognise = methods.make(name, TRIED[name][i])
            right = np.array([(recognise(views).argmax(axis=1) == digits.y_test).mean() for views in seen])
            accuracies.append(100 * (right[clean].mean() + right[~clean].mean()) / 2)
    return [
        {"method": name, "setting": str(TRIED[name][i]), "accuracy": round(float(np.mean(accuracies)), 2)}
        for (name, i), accuracies in found.items()
    ]


if __name__ == "__main__":
    Path(__file__).with_name("mfeat_tuning.csv").write_text(to_csv(tune(SEEDS)))
