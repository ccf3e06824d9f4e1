"""Write classic_images_digits_tuning.csv or ..._fashion_tuning.csv: how every setting that was tried does.

    python experiments/data/tune_classic_images.py
    python experiments/data/tune_classic_images.py F/train-images-idx3-ubyte.gz F/t10k-images-idx3-ubyte.gz

Six settings for each method of `classic_images` (with EquiMod: of weight and branch, at the best of its base method).
Linear accuracy (%) on pictures that are kept apart for it, none of them of the test; the mean of the development
seeds. The best setting of each method stands in `CHOSEN` in `experiments/classic_images/_methods.py`. Two minutes of
processor time for the digits, COST_FASHION for Fashion-MNIST.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
from tqdm import tqdm

from experiments._table import to_csv
from experiments.classic_images import Config, pictures, split
from experiments.classic_images._methods import TRAINED, WITH, Setting, tries
from experiments.classic_images._training import embedding, learn
from smc.encoders.metrics import linear_probe


def accuracy(config, n_validation, seed, method, setting) -> float:
    """Linear accuracy (%) of a method on pictures kept apart from those to learn from."""
    images, labels = pictures(config.data, config.test_data, config.n_test)[0]
    seen, apart = split(labels, config.n_train, n_validation, seed)
    module, _ = learn(config, seed, method, setting, (images[seen], labels[seen]))
    features = embedding(module)
    return 100 * linear_probe(features(images[seen]), labels[seen], features(images[apart]), labels[apart]).mean()


def tune(config, n_validation, seeds) -> list[dict]:
    best, rows = {}, []
    for method in TRAINED:
        for setting in tqdm(tries(method, best.get(method.removesuffix(WITH))), desc=method):
            found = np.mean([accuracy(config, n_validation, seed, method, setting) for seed in seeds])
            rows.append({"method": method, **asdict(setting), "accuracy": round(float(found), 2)})
        best[method] = best_of(method, rows)
    return rows


def best_of(method, rows) -> Setting:
    """The setting of a method with the highest accuracy, of equals the first."""
    row = max((row for row in rows if row["method"] == method), key=lambda row: row["accuracy"])
    return Setting(**{name: row[name] for name in asdict(Setting())})


if __name__ == "__main__":
    if paths := sys.argv[1:]:
        config = Config(*paths, n_train=10_000, n_test=3_000, n_steps=200, flip=0.5)
        name, rows = "fashion", tune(config, 2_000, (100,))
    else:
        name, rows = "digits", tune(Config(), 290, (100,))
    Path(__file__).with_name(f"classic_images_{name}_tuning.csv").write_text(to_csv(rows))
