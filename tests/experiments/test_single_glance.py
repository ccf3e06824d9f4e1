"""What is made of revealed objects for single glances, and its verdict."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from experiments import action_views
from experiments.action_views import SMOKE, _comparison, _data, _glance, _methods, _pasting
from smc.worlds import changed

CONFIG = replace(SMOKE, table="glance")


@pytest.fixture(scope="module")
def objects():
    return _data.make_objects(CONFIG, 3)


@pytest.fixture(scope="module")
def experience(objects):
    return _data.live(objects, CONFIG, 3)


def test_found_objects_stand_on_other_grounds(experience):
    views = experience.before
    on = _pasting.pasted(experience, 0).before
    figure = changed(views.image, views.empty)
    np.testing.assert_array_equal(on.image[~figure], on.empty[~figure])
    assert (on.empty != views.empty).any(axis=(1, 2, 3)).all()
    # What is left of an object differs from what was seen by one gain per channel, as far as it is not too bright.
    for k in range(len(views)):
        seen, shown = (x[k][figure[k]].astype(float) for x in (views.image, on.image))
        plain = (seen > 60) & (shown < 255)
        gain = np.where(plain, shown, np.nan) / np.where(plain, seen, np.nan)
        spread = np.nanmax(gain, axis=0) - np.nanmin(gain, axis=0) if plain.any(axis=0).all() else np.zeros(3)
        assert spread.max() < 1 / 60 + 1e-9


def test_the_controls_do_not_know_the_object(experience):
    views = experience.before
    figure = changed(views.image, views.empty)
    found, shuffled, blended = (_pasting.pasted(experience, 0, how).before for how in ("found", "shuffled", "blended"))
    np.testing.assert_array_equal(found.empty, shuffled.empty)  # the same grounds
    kept = (shuffled.image != shuffled.empty).any(axis=-1)
    assert kept.mean() == pytest.approx((found.image != found.empty).any(axis=-1).mean(), abs=0.1)
    assert kept[figure].mean() < 0.9 * (found.image != found.empty).any(axis=-1)[figure].mean()
    # Behind a veil the whole frame can be made out.
    likeness = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(views.image, blended.image, strict=True)]
    assert np.median(likeness) > 0.5


def test_the_network_finds_what_putting_away_reveals(objects):
    config = replace(CONFIG, n_steps=30, batch_size=32)
    network = _glance.found_figure(_data.live(objects, config, 3), config, 3)
    views = _data.view(objects, objects.unseen, np.zeros((len(objects.unseen), 2)), "training", config, 5)
    figure, told = changed(views.image, views.empty), network.predict_proba(views.image)
    assert told[figure].mean() > 2 * told[~figure].mean()


def test_looks_change_images_alone(objects):
    gallery = _data.exhibit(objects, CONFIG, 3)
    seen = gallery.looked_at(lambda images: 255 - images)
    for a, b in ((gallery.probe, seen.probe), (gallery.rooms, seen.rooms), (gallery.tests["both"], seen.tests["both"])):
        np.testing.assert_array_equal(b.image, 255 - a.image)
        np.testing.assert_array_equal(b.empty, a.empty)


def test_revealed_views_are_a_sense(experience):
    told = experience.transitions(senses=("image", "revealed"))
    np.testing.assert_array_equal(told.observation["revealed"], experience.before.sensed(revealed=True)["image"])
    np.testing.assert_array_equal(told.observation["image"], experience.before.image)


def test_designs_differ_in_what_they_name():
    by_name = {d.method.name: replace(d, method=replace(d.method, name="", objective=None)) for d in _glance.designs()}
    contrast, longer = by_name[_methods.BASELINE], by_name[_glance.LONGER]
    assert replace(longer, n_times=1) == contrast == replace(by_name["pasted"], ground=None)
    control, design = by_name[_glance.GLANCE_CONTROL], by_name[_glance.GLANCE]
    shuffled = by_name[_glance.GLANCE_SHUFFLED]
    assert design == control == replace(shuffled, method=replace(shuffled.method, action="true"))
    assert replace(control, ground=None, covered=False) == by_name["+ cloud"]
    assert replace(by_name[_glance.UNINFORMED], ground="found") == by_name["pasted + cloud"]


def glanced(gain=0.3, over_uninformed=0.2, price=0.0):
    """Results of three seeds in which the design gains `gain` over all others but those that it is compared with."""
    rng = np.random.default_rng(0)
    names = [d.method.name for d in _glance.designs()]
    better = dict.fromkeys(names, 0.1) | {"random encoder": 0.0, _glance.UNINFORMED: 0.1 + gain - over_uninformed}
    better |= {_glance.GLANCE: 0.1 + gain, _glance.GLANCE_CONTROL: 0.1 + gain + price}
    shape = (3, len(names), len(_comparison.TESTS), 20)
    known = 0.3 + np.array(list(better.values()))[:, None, None] + 0.01 * rng.normal(size=shape)
    results = {key: known.copy() for key in ("linear", "r2", "hit")}
    results["few"] = np.repeat(results["linear"][:, :, None], 3, axis=2)
    return results | {"row": np.array([names] * 3), "table": np.array(["glance"] * 3)}


def test_the_verdict_on_glances_follows_the_numbers():
    assert action_views.verdict(glanced()).status == "PASS"
    for worse in ({"gain": 0.02, "over_uninformed": 0.02}, {"over_uninformed": 0.0}):
        assert action_views.verdict(glanced(**worse)).status == "FAIL"
    dear = action_views.verdict(glanced(price=0.1))
    assert dear.status == "PASS" and "FAIL  unknown backgrounds, linear - without action" in dear.measured
