"""Single images of unknown rooms: what acting in familiar rooms can teach an encoder that may not act in the test.

In its own rooms the agent puts objects away, which shows what is the object. That knowledge is used in training only:
objects are laid on other grounds (`_pasting`), revealed views are a sense of their own, or a network learns to cover
the ground of single images (`_covering`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from tqdm import tqdm

from smc.encoders.objectives import TimeContrast

from ._comparison import minimised, spread_out
from ._covering import cover, taught
from ._data import exhibit, live, make_objects
from ._measure import CLASS_TESTS, class_knowledge, embedded, measure
from ._methods import BASELINE, PARTS, joined, method, tuned
from ._pasting import pasted
from ._train import Method, train

BLENDED, ELSEWHERE = "blended + cloud", "elsewhere + cloud"
GLANCE_CONTROL, GLANCE, GLANCE_SHUFFLED = (
    "pasted, covered + cloud",
    "pasted, covered + cloud + EquiMod",
    "pasted, covered + cloud + shuffled action",
)


@dataclass(frozen=True)
class Design:
    """A method, and what is made of the experience before.

    Attributes
    ----------
    method : Method
    ground : {None, "found", "elsewhere", "blended"}
        Onto mosaics, see `pasted`; None leaves frames as they were.
    covered : bool
        Whether a network is taught what is ground and covers it, in training and in tests.
    """

    method: Method
    ground: str | None = None
    covered: bool = False

    def lesson(self, experience, config, seed):
        """Experience to learn from, and the look at images (None: as they are) that goes with it."""
        if self.ground is not None:
            experience = pasted(experience, seed, self.ground)
        if not self.covered:
            return experience, None
        look = partial(cover, taught(experience, config, seed))
        before, after = (replace(v, image=look(v.image)) for v in (experience.before, experience.after))
        return replace(experience, before=before, after=after), look


def designs():
    """All that was tried, beside its controls; the first two look at frames as they are."""
    within, across, consequences = PARTS
    cloud, all_parts = joined(within, across), joined(within, across, consequences)

    def design(name, objective=TimeContrast, senses=("image",), action="true", **options):
        settings = tuned(BASELINE)
        return Design(method(name, objective, settings, senses=senses, action=action), **options)

    both, shown = ("image", "points"), ("image", "revealed")
    covered = {"ground": "found", "covered": True}
    return (
        Design(Method("random encoder", None)),
        design(BASELINE),
        design("+ cloud", cloud, both),
        design(BLENDED, cloud, both, ground="blended"),
        design(ELSEWHERE, cloud, both, ground="elsewhere"),
        design("beside revealed", cloud, shown),
        design("pasted", ground="found"),
        design("pasted, beside revealed", cloud, shown, ground="found"),
        design("pasted + cloud", cloud, both, ground="found"),
        design("pasted + cloud + EquiMod", all_parts, both, ground="found"),
        design("covered + cloud", cloud, both, covered=True),
        design(GLANCE_CONTROL, cloud, both, **covered),
        design(GLANCE, all_parts, both, **covered),
        design(GLANCE_SHUFFLED, all_parts, both, action="shuffled", **covered),
    )


def compare(config, seed) -> dict[str, np.ndarray]:
    """What `_comparison.compare` yields, and per design what a single image was worth with its ground masked.

    linear_masked (n_rows, n_tests, n_objects), few_masked (n_rows, n_heads, n_tests, n_objects): of probes that learn
    from revealed views and are tested on them; seconds (n_rows,): processor time of all trainings of a design.
    """
    objects = make_objects(config, seed)
    gallery, experience = exhibit(objects, config, seed), live(objects, config, seed)
    rows = []
    for design in tqdm(designs(), desc="designs", unit="design", delay=2, disable=None, leave=False):
        start = time.process_time()
        lesson, look = design.lesson(experience, config, seed)
        trained = train(design.method, lesson, config, seed)
        seconds = time.process_time() - start
        module = trained["image"]
        seen = gallery if look is None else gallery.looked_at(look)
        masked = class_knowledge(embedded(module, gallery, revealed=True)[1], CLASS_TESTS, gallery, config, seed)
        found = measure(module, seen, config, seed)
        found |= {f"{key}_masked": masked[key] for key in ("linear", "few")}
        row = {key: spread_out(key, value, "image") for key, value in found.items()}
        rows.append(row | {"seconds": seconds, "loss": minimised(trained, config)})
    return {"table": np.array("glance"), "row": np.array([d.method.name for d in designs()])} | {
        key: np.stack([row[key] for row in rows]) for key in rows[0]
    }
