"""Single images of unknown rooms: what acting in familiar rooms teaches an encoder that may not act in the test.

In its own rooms the agent puts objects away, which shows what is the object. That knowledge is used in training only:
objects are laid on other grounds (`_pasting`), revealed views are a sense of their own, or a network learns to cover
the ground of single images (`learn_figure`).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
from tqdm import tqdm

from smc.encoders import learn_figure
from smc.encoders.objectives import TimeContrast
from smc.worlds import changed

from ._comparison import minimised, spread_out
from ._data import exhibit, live, make_objects
from ._measure import CLASS_TESTS, class_knowledge, embedded, measure
from ._methods import BASELINE, PARTS, joined, method, tuned
from ._pasting import pasted
from ._train import Method, train

LONGER, UNINFORMED = "time contrast, twice as long", "blended + cloud"
GLANCE_CONTROL, GLANCE, GLANCE_SHUFFLED = (
    "pasted + mask + cloud",
    "pasted + mask + cloud + EquiMod",
    "pasted + mask + cloud + shuffled action",
)


@dataclass(frozen=True)
class Design:
    """A method, and what is made of the experience before.

    Attributes
    ----------
    method : Method
    ground : {None, "found", "shuffled", "blended"}
        Of mosaics, see `pasted`; None leaves frames as they were.
    covered : bool
        Whether a network is taught what is ground and covers it, in training and in tests.
    n_times : int
        How often the transitions are met.
    """

    method: Method
    ground: str | None = None
    covered: bool = False
    n_times: int = 1


def designs():
    """All that was tried, beside its controls.

    Those with grounds have the settings of time contrast, those with a mask the ones of "+ cloud": the better of the
    two in validation rooms, with objects of development seeds.
    """
    within, across, consequences = PARTS
    cloud, all_parts = joined(within, across), joined(within, across, consequences)
    images, clouds, revealed = ("image",), ("image", "points"), ("image", "revealed")

    def design(name, objective, senses, ground=None, *, action="true", **options):
        settings = tuned("+ cloud" if name == "+ cloud" or options.get("covered") else BASELINE)
        return Design(method(name, objective, settings, senses=senses, action=action), ground, **options)

    return (
        Design(Method("random encoder", None)),
        design(BASELINE, TimeContrast, images),
        design(LONGER, TimeContrast, images, n_times=2),
        design("+ cloud", cloud, clouds),
        design(UNINFORMED, cloud, clouds, "blended"),
        design("shuffled mask + cloud", cloud, clouds, "shuffled"),
        design("distilled", cloud, revealed),
        design("pasted", TimeContrast, images, "found"),
        design("pasted + distilled", cloud, revealed, "found"),
        design("pasted + cloud", cloud, clouds, "found"),
        design("pasted + cloud + EquiMod", all_parts, clouds, "found"),
        design("mask + cloud", cloud, clouds, covered=True),
        design(GLANCE_CONTROL, cloud, clouds, "found", covered=True),
        design(GLANCE, all_parts, clouds, "found", covered=True),
        design(GLANCE_SHUFFLED, all_parts, clouds, "found", action="shuffled", covered=True),
    )


def compare(config, seed) -> dict[str, np.ndarray]:
    """What `_comparison.compare` yields, and what images would be worth with their ground masked, and costs.

    linear_masked (n_rows, n_tests, n_objects), few_masked (n_rows, n_heads, n_tests, n_objects): of probes that learn
    from revealed views and are tested on them; seconds (n_rows,): processor time of all that a design learns from.
    """
    objects = make_objects(config, seed)
    gallery, experience = exhibit(objects, config, seed), live(objects, config, seed)
    lessons, rows = {}, []
    for design in tqdm(designs(), desc="designs", unit="design", delay=2, disable=None, leave=False):
        key = design.ground, design.covered
        if key not in lessons:
            lessons[key] = prepared(experience, *key, config, seed)
        lesson, look, preparation = lessons[key]
        start = time.process_time()
        trained = train(design.method, lesson, replace(config, n_steps=design.n_times * config.n_steps), seed)
        seconds = preparation + time.process_time() - start
        module, seen = trained["image"], gallery if look is None else gallery.looked_at(look)
        masked = class_knowledge(embedded(module, gallery, revealed=True)[1], CLASS_TESTS, gallery, config, seed)
        found = measure(module, seen, config, seed) | {f"{key}_masked": masked[key] for key in ("linear", "few")}
        row = {key: spread_out(key, value, "image") for key, value in found.items()}
        rows.append(row | {"seconds": seconds, "loss": minimised(trained, config)[:: design.n_times]})
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    return stacked | {"table": np.array(config.table), "row": np.array([d.method.name for d in designs()])}


def prepared(experience, ground, covered, config, seed):
    """Experience to learn from, the look at images (None: as they are) that goes with it, and seconds that it took."""
    start, look = time.process_time(), None
    if ground is not None:
        experience = pasted(experience, seed, ground)
    if covered:
        look = found_figure(experience, config, seed).cover
        before, after = (replace(v, image=look(v.image)) for v in (experience.before, experience.after))
        experience = replace(experience, before=before, after=after)
    return experience, look, time.process_time() - start


def found_figure(experience, config, seed):
    """A network that saw as many images as an encoder does, each with what putting the object away revealed."""
    sides = experience.before, experience.after
    images, empty = (np.concatenate([getattr(views, name) for views in sides]) for name in ("image", "empty"))
    return learn_figure(
        images,
        changed(images, empty),
        n_steps=config.n_steps,
        batch_size=2 * config.batch_size,
        seed=seed,
        threads=1,
    )
