"""Write classic_images_digits_tuning.csv: how every setting of `classic_images` that was tried does.

    python experiments/data/tune_classic_images.py

Six settings for each method (with EquiMod: of weight and branch, at the best of its base method). Linear accuracy (%)
on pictures that are kept apart for it, none of them of the test. The best setting of each method stands in `CHOSEN` in
`experiments/classic_images/_methods.py`. A minute of processor time.
"""

from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from experiments._table import to_csv
from experiments.classic_images import Config, pictures, split
from experiments.classic_images._methods import TRAINED, WITH, Setting, tries
from experiments.classic_images._training import embedding, learn
from smc.encoders.metrics import linear_probe

SEED, N_VALIDATION, CONFIG = 100, 290, Config()


def accuracy(method, setting) -> float:
    """Linear accuracy (%) of a method on pictures kept apart from those to learn from."""
    images, labels = pictures(n_test=CONFIG.n_test)[0]
    seen, apart = split(labels, CONFIG.n_train, N_VALIDATION, SEED)
    module, _ = learn(CONFIG, SEED, method, setting, (images[seen], labels[seen]))
    features = embedding(module)
    return 100 * linear_probe(features(images[seen]), labels[seen], features(images[apart]), labels[apart]).mean()


def tune() -> list[dict]:
    best, rows = {}, []
    for method in TRAINED:
        for setting in tqdm(tries(method, best.get(method.removesuffix(WITH))), desc=method):
            found = round(float(accuracy(method, setting)), 2)
            rows.append({"method": method, **asdict(setting), "accuracy": found})
        best[method] = best_of(method, rows)
    return rows


def best_of(method, rows) -> Setting:
    """The setting of a method with the highest accuracy, of equals the first."""
    row = max((row for row in rows if row["method"] == method), key=lambda row: row["accuracy"])
    return Setting(**{name: row[name] for name in asdict(Setting())})


if __name__ == "__main__":
    Path(__file__).with_name("classic_images_digits_tuning.csv").write_text(to_csv(tune()))
