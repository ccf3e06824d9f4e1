"""One seed of a table: every method learns from the same experience and is measured on the same views."""

from __future__ import annotations

import numpy as np
from tqdm import tqdm

from smc.encoders import Pretrained
from smc.encoders.metrics import decoded_r2

from ._data import bundled_objects, exhibit, live, make_objects
from ._measure import SENSE_TESTS, between, measure
from ._methods import CONTROL, ablations, acting, bundled_methods, main_methods, multimodal
from ._train import train

TESTS = ("training", "background", "light", "both", "orientation", "points")
METHODS = {
    "main": main_methods,
    "bundled": bundled_methods,
    "ablations": ablations,
    "multimodal": multimodal,
    "acting": acting,
}


def compare(config, seed) -> dict[str, np.ndarray]:
    """What `measure` says of each method and sense, stacked; NaN in tests that a sense does not take.

    "row" (n_rows,) names method and sense; "loss" (n_rows, n_steps) is what was minimised.
    """
    objects = (bundled_objects if config.table == "bundled" else make_objects)(config, seed)
    gallery = exhibit(objects, config, seed)
    experience = {}
    rows, names, losses, ceiling = [], [], [], None
    methods = METHODS[config.table]()
    for method in tqdm(methods, desc="methods", unit="method", delay=2, disable=None, leave=False):
        fresh = method.fresh_rooms
        if fresh not in experience:
            experience = {fresh: live(objects, config, seed, fresh_rooms=fresh)}
        trained = train(method, experience[fresh], config, seed)
        for sense in method.senses if config.table == "multimodal" else ("image",):
            found = measure(trained[sense], gallery, config, seed, sense=sense, revealed=method.revealed)
            rows.append({key: spread_out(key, value, sense) for key, value in found.items()})
            names.append(f"{method.name}: {sense}" if len(method.senses) > 1 and sense == "points" else method.name)
            losses.append(minimised(trained, config))
        if method.name == CONTROL:
            ceiling = decoded(trained, gallery)
    stacked = {key: np.stack([row[key] for row in rows]) for key in rows[0]}
    stacked |= {"table": np.array(config.table), "row": np.array(names), "loss": np.stack(losses)}
    return stacked if ceiling is None else stacked | {"ceiling": ceiling}


def minimised(trained, config):
    """Loss (n_steps,) of a training, NaN of none."""
    return getattr(trained, "history", {}).get("total", np.full(config.n_steps, np.nan))


def spread_out(key, value, sense):
    """Results of a sense's tests (..., n_tests, n_objects) in their places among all tests."""
    if key in ("families", "rooms"):
        return value
    out = np.full((*value.shape[:-2], len(TESTS), value.shape[-1]), np.nan)
    out[..., [TESTS.index(name) for name in SENSE_TESTS[sense]], :] = value
    return out


def decoded(trained, gallery):
    """R2 (n_objects,) of what the action decoder itself, beside time contrast in training, reads in training rooms."""
    _, decoder = trained.objective.parts
    views = gallery.tests["training"]
    X, pose = (x.reshape(-1, gallery.n_views, *x.shape[1:]) for x in (views.image, views.pose))
    return decoded_r2(Pretrained(dict(trained), trained.history, decoder), "image", X, between(pose))
