"""Environments, recognition and measures of soup_environments; its verdict can fail."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("moocore")

from experiments import soup_environments
from experiments.soup_environments import _laboratory, _measures


@pytest.fixture(scope="module")
def lab():
    config = soup_environments.Config(
        n_objects=1, n_unfamiliar=1, n_views=2, n_test_views=3, width=4, n_pretraining=2, n_fine_tuning=2, batch_size=16
    )
    return _laboratory.Laboratory(config, 3)


def test_unfamiliar_objects_are_never_trained_on(lab):
    assert len(lab.familiar) == len(lab.unfamiliar) == 18 and not set(lab.familiar) & set(lab.unfamiliar)
    for name in (*_laboratory.SEEN, "start"):
        assert set(lab.transitions[name].group) == set(lab.familiar)
    assert set(lab.test_objects) == set(lab.unfamiliar)
    assert not any(np.array_equal(a, b) for i, a in enumerate(lab.test) for b in lab.test[:i])


def test_recognition_is_by_the_nearest_other_frame(lab):
    found = lab.recognise(None)
    for images, share in zip(lab.test, found):
        vectors = [image.ravel() / 255 - (image / 255).mean() for image in images]
        right = []
        for i, v in enumerate(vectors):
            cosines = [-2 if j == i else v @ w / np.linalg.norm(v) / np.linalg.norm(w) for j, w in enumerate(vectors)]
            right.append(lab.test_objects[np.argmax(cosines)] == lab.test_objects[i])
        assert share == pytest.approx(np.mean(right), abs=1 / len(images))
    assert lab.chance == pytest.approx(2 / 53)


def test_training_starts_from_the_state_and_statistics_are_measured_anew(lab):
    start = lab.untrained(0)
    again = lab.fine_tune(start, ["texture"])
    assert all((again[name] == value).all() for name, value in lab.fine_tune(start, ["texture"]).items())
    change = max(float((again[name] - value).abs().max()) for name, value in start.items() if "weight" in name)
    assert 0 < change < 0.2
    measured = lab.with_statistics(again)
    for name, value in again.items():
        same = bool((measured[name] == value).all())
        assert same == ("running" not in name and "num_batches" not in name), name


def test_shares_cover_the_simplex():
    shares = _measures.simplex(3)
    assert shares.shape == (10, 3) and np.allclose(shares.sum(axis=1), 1) and len(np.unique(shares, axis=0)) == 10


def results(n_seeds=3, soup=0.6, joint=0.6, gap=0.05, unshared=-0.2):
    noise = 0.002 * np.arange(n_seeds)[:, None]
    shares = _measures.simplex(3)
    names = ("untrained", "pretrained", "soup, averaged statistics", *map(_measures.EACH.format, _laboratory.SEEN))
    found = {f"recognition_{name}": 0.5 + noise + np.zeros((n_seeds, 4)) for name in names}
    found |= {"recognition_soup": soup + 2 * noise + np.zeros(4), "recognition_joint": joint + noise + np.zeros(4)}
    for name, height in (("soup", gap), ("unshared start", unshared)):
        gaps = height * (shares.max(axis=1) < 1)[:, None] + noise[:, None] + np.zeros((len(shares), 4))
        found |= {f"gap_{name}": gaps, f"rewards_{name}": 0.5 + gaps}
    return found | {"shares": np.tile(shares, (n_seeds, 1, 1)), "chance": np.full(n_seeds, 0.02)}


def test_measures():
    found = results()
    found["recognition_specialist, clutter"][0, 3] = 0.9
    assert _measures.best_specialist(found)[:, 3] == pytest.approx([0.9, 0.502, 0.504])
    anew, trained, unshared = _measures.gaps(found).values()
    assert _measures.worst_gap(found, anew) == pytest.approx(0.052)
    assert _measures.central_gap(found, unshared) == pytest.approx([-0.2, -0.198, -0.196])
    # A specialist of .9 in place of .5 lifts the chord of the first seed by its third.
    assert _measures.central_gap(found, trained) == pytest.approx([0.05 - 0.4 / 3, 0.05, 0.05])
    volume, dominated = _measures.volumes(found)["joint training"]
    assert volume == pytest.approx(np.mean([0.6**3, 0.602**3, 0.604**3])) and dominated == 0
    assert _measures.volumes(found)["soups"][1] == 1


def test_verdict():
    assert soup_environments.verdict(results()).status == "PASS"
    for change in ({"soup": 0.5, "joint": 0.5}, {"joint": 0.63}, {"gap": -0.03}, {"unshared": 0.01}):
        assert soup_environments.verdict(results(**change)).status == "FAIL"
    better_ends = results(soup=0.65)
    for name in _laboratory.SEEN:
        better_ends[f"recognition_{_measures.EACH.format(name)}"][:, 0] += 0.08
    verdict = soup_environments.verdict(better_ends)
    assert verdict.status == "FAIL" and verdict.measured.endswith("failed: connectivity")
