"""Classic pictures and their augmentations: does it help to predict what a crop or a tint does?

Finding     On CIFAR-10 EquiMod, which predicts how the embedding changes with the parameters of an augmentation, adds
            one to two points to the linear accuracy of SimCLR and BYOL (Devillers & Lefort 2023, ICLR).
Prediction  Pooled over SimCLR, BYOL and VICReg, linear accuracy on the backbone rises with EquiMod, and the predictor
            beats "nothing has changed" (gain above 0). Void if one of the three is not above a random encoder.
Controls    Raw pixels and a random encoder (floors); an encoder that is told all labels (ceiling: supervised contrast
            with the same budget, Khosla et al. 2020); labels of 1 % and 10 % of the training images beside all of them.
Budget      200 steps of 64 pictures looked at twice, the best of six settings for each method on digits that no test
            shows (experiments/data/tune_classic_images.py). The published figures are of ResNet-18 after 800 to 1000
            epochs.
Data        The digits that come with scikit-learn, a toy: 8 x 8 grey pixels, nearly solved by a linear reading of them.
            `--data` and `--test-data` take what `smc.encoders.load_images` reads: Fashion-MNIST (Debian's package
            dataset-fashion-mnist: .../train-images-idx3-ubyte.gz and .../t10k-images-idx3-ubyte.gz), CIFAR's binary
            version, a folder with a folder per class. Nothing was tuned on any of them.
Found       +1.2 points over 3 seeds, carried by BYOL (+3.0), which learns slowest in this budget; for SimCLR (-0.3) and
            VICReg (+0.8) the intervals hold 0. After 100 steps BYOL was not above a random encoder: hence 200.
Table       experiments/data/classic_images_digits_table.csv: mesmrise run classic_images --seeds 3
            experiments/data/classic_images_fashion_table.csv: the same with the two files of Fashion-MNIST and
            --n-train 10000 --n-test 3000 --flip 0.5 (there +0.3 points, its interval holds 0).
Cost        Two minutes of processor time for 3 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._runner import experiment

from ._claims import verdict
from ._data import pictures, pixels, split
from ._methods import BASES, CHOSEN, METHODS, TRAINED, WITH
from ._page import figure, table
from ._training import LABELS, Watch, check_points, consequence_gain, embedding, encoder, learn, read_classes


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    data: str = ""  # path of labelled images; empty: the digits that come with scikit-learn
    test_data: str = ""  # path of those to test on; empty: some of the former are set apart
    n_train: int = 1000
    n_test: int = 500
    n_steps: int = 200
    batch_size: int = 64
    width: int = 8  # channels of the first block of the encoder
    flip: float = 0.0  # probability of a mirror image: digits are not what they are when mirrored
    zoom: float = 0.5  # largest logarithm of the magnification
    first_seed: int = 10  # of the trainings; 0 to 2 judged a design of half as many steps


SMOKE = Config(n_train=200, n_test=60, n_steps=6, batch_size=16, width=4)
QUICK = Config(n_train=600, n_test=300, n_steps=60)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Right answers (n_methods, n_test) with all and with few labels, and what happened while learning."""
    seed += config.first_seed
    (images, labels), unseen = pictures(config.data, config.test_data, config.n_test)
    drawn, _ = split(labels, config.n_train, len(labels) - config.n_train, seed)
    seen = images[drawn], labels[drawn]
    modules, curves, losses = {}, [], []
    for method in TRAINED:
        watch = Watch(config, seen, unseen)
        modules[method], loss = learn(config, seed, method, CHOSEN[method], seen, watch)
        curves.append(watch.curve)
        losses.append(loss)
    features = {"raw pixels": pixels, "random encoder": embedding(encoder(config, images, seed))}
    features |= {method: embedding(module) for method, module in modules.items()}
    read = [read_classes(features[method], seen, unseen, seed) for method in METHODS]
    return {name: np.stack([right[name] for right in read]) for name in LABELS} | {
        "objects": np.arange(config.n_test),
        "curve": np.array(curves),
        "loss": np.stack(losses),
        "step": check_points(config),
        "gain": np.array([consequence_gain(modules[base + WITH], unseen[0], config, seed) for base in BASES]),
    }


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=3)

if __name__ == "__main__":
    raise SystemExit(main())
