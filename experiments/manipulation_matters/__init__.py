"""What should an agent do with objects to learn what they are? One response curve per factor (Aubret et al. 2023).

Finding     Successive frames of a handled object are made to agree, and the action tells the one from the other.
            What differs between them decides what is learned: turning objects teaches what they are, moving on to
            another room teaches to leave the room out, and being told the action teaches what it does.
Prediction  (1) Smooth turns beat a static object in linear and 5-label accuracy on unseen objects. (2) So does turning
            with a change of room beat turning alone. (3) The action given beats the action withheld and a shuffled one
            in action R2 and same-object retrieval. All cells see as many images of the same objects; single frames are
            distributed alike, only what belongs together differs.
Controls    Static, nothing changes, pictures augmented only, random encoder, shuffled action; turns chosen by another
            agent's learning progress (yoked).
Citation    Aubret, Ernst, Teuliere & Triesch (2023), Time to augment self-supervised visual representation learning,
            ICLR; Oudeyer, Kaplan & Hafner (2007), IEEE Transactions on Evolutionary Computation 11.
Cost        20 minutes of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._held import CLASSES, make_objects
from experiments._runner import experiment

from ._cells import BASE, CELLS, RANDOM, ROWS, SPEEDS
from ._claims import verdict
from ._page import figure, table


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    image_size: int = 24  # pixels
    n_classes: int = len(CLASSES)  # families of objects
    n_objects: int = 40  # per class, to learn from
    n_test_objects: int = 16  # per class, never met
    n_steps: int = 150
    batch_size: int = 64  # objects per step, three images of each
    width: int = 16  # channels of the encoder's first block
    learning_rate: float = 4e-3  # peak
    n_views: int = 6  # of each object, for probes and tests
    n_labels: int = 5  # labelled objects per class, where labels are few
    n_probe_steps: int = 200  # of the probe that reads the turn from two views


SMOKE = Config(
    16, n_classes=3, n_objects=2, n_test_objects=1, n_steps=1, batch_size=4, width=2, n_views=3, n_probe_steps=1
)
QUICK = Config(n_objects=6, n_test_objects=4, n_steps=5, n_probe_steps=10)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """All cells of one seed: measures (n_cells, n_test_objects), and the turns that learning progress chose."""
    from tqdm import tqdm

    from ._measures import examine, make_exam
    from ._training import train

    classes = CLASSES[: config.n_classes]
    bank, others = (
        make_objects(n, 2 * seed + i, classes) for i, n in enumerate((config.n_objects, config.n_test_objects))
    )
    exam = make_exam(bank, others, config, seed)
    found: dict = {}
    chosen: dict = {}
    for name in tqdm(ROWS, desc="ways to handle", unit="way", disable=None, leave=False):
        module, chosen[name] = train(bank, CELLS.get(name), config, seed, chosen.get("steered"))
        found[name] = examine(module, exam, config)
    results = {key: np.stack([found[name][key] for name in ROWS]) for key in found[BASE]}
    shares = [np.bincount(row, minlength=len(SPEEDS)) / len(row) for row in chosen["steered"]]
    return results | {"chosen": np.array(shares), "chance": np.array(1 / len(classes))}


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
__all__ = ["CELLS", "RANDOM", "Config", "main", "run", "verdict"]
