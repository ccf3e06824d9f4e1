"""Rooms, recordings, models and pairings of sound_sources against slow references; its verdict can fail."""

import numpy as np
import pytest
from scipy.stats import vonmises

pytest.importorskip("torch")
pytest.importorskip("ot")

import torch

from experiments import sound_sources
from experiments.sound_sources import _judging, _models, _recordings, _room, _sights

CONFIG = sound_sources.Config(n_hypotheses=4, n_bins=12, width=8)


def mirrored_images(source, size, order):
    """Place -> number of reflections, by reflecting at one wall after the other."""
    images = {tuple(np.round(source, 9)): 0}
    for reflections in range(1, order + 1):
        for place, before in list(images.items()):
            if before != reflections - 1:
                continue
            for axis in range(3):
                for wall in (0.0, size[axis]):
                    image = np.array(place)
                    image[axis] = 2 * wall - image[axis]
                    images.setdefault(tuple(np.round(image, 9)), reflections)
    return images


@pytest.mark.parametrize("order", [0, 1, 2])
def test_rooms_answer_like_mirrored_sources(order):
    rng = np.random.default_rng(order)
    size, source, microphone = np.array([3.0, 4.1, 2.6]), rng.uniform(0.5, 2, 3), rng.uniform(0.5, 2, 3)
    n, spacing = 70, 31.0
    found = _room.transfer(
        source[None], microphone[None, None], size[None], np.array([0.6]), order, n, spacing
    )  # fmt: skip
    frequency, expected = spacing * np.arange(n), np.zeros(n, dtype=complex)
    images = mirrored_images(source, size, order)
    assert len(images) == [1, 7, 25][order]
    for place, reflections in images.items():
        distance = np.linalg.norm(np.array(place) - microphone)
        expected += 0.6**reflections / distance * np.exp(-2j * np.pi * frequency * distance / _room.SPEED_OF_SOUND)
    assert np.allclose(found[0, 0], expected)


def one_source(n=40):
    """Recordings of the first source alone, in rooms whose walls take everything."""
    rng = np.random.default_rng(0)
    rooms = _recordings.draw_rooms("seen", 2, rng)
    rooms = _recordings.Rooms(rooms.size, np.zeros(2), rooms.array)
    recordings = _recordings.record(rooms, 3 * n, 0, rng)
    alone = recordings.present.sum(axis=1) == 1
    return recordings.features[alone], recordings.angles[alone, 0]


def test_correlations_peak_where_the_geometry_says():
    features, angles = one_source()
    peaks = _recordings.LAGS[features.reshape(-1, len(_recordings.PAIRS), len(_recordings.LAGS)).argmax(axis=2)]
    assert np.abs(peaks - _recordings.expected_lags(angles)).mean() < 0.3
    for columns, sign, offset in _recordings.symmetries():
        turned = features[:, columns].reshape(-1, len(_recordings.PAIRS), len(_recordings.LAGS)).argmax(axis=2)
        expected = _recordings.expected_lags(sign * angles + offset)
        assert np.abs(_recordings.LAGS[turned] - expected).mean() < 0.3


def test_renaming_microphones_is_renaming_columns():
    rng = np.random.default_rng(1)
    signals = rng.standard_normal((2, 4, 1024))
    features = _recordings.correlations(signals)
    heard = np.array([2, 0, 3, 1])
    assert np.allclose(
        _recordings.correlations(signals[:, heard]), features[:, _recordings._renamed_columns(heard)], atol=1e-6
    )


def test_sources_keep_their_distance():
    angles = _recordings.draw_angles(2000, np.random.default_rng(0))
    apart = _judging.between(angles, np.roll(angles, 1, axis=1))
    assert np.degrees(apart.min()) == pytest.approx(20, abs=1)
    assert np.abs(np.exp(1j * angles).mean(axis=0)).max() < 0.05


def recordings(angles, present):
    return _recordings.Recordings(np.zeros((len(angles), 1)), np.array(angles, dtype=float), np.array(present))


def test_distances_on_the_circle():
    truth = recordings([[0.1, np.pi, 0.0]] * 2, [[True, False, False], [True, True, False]])
    angles, mass = np.array([[2 * np.pi - 0.1, 0.1 + np.pi]] * 2), np.array([[3.0, 1.0], [1.0, 1.0]])
    found = np.radians(_judging.earth_movers_distance(angles, mass, truth))
    assert found == pytest.approx([0.75 * 0.2 + 0.25 * np.pi, 0.5 * 0.2 + 0.5 * 0.1])
    assert np.radians(_judging.oracle_error(angles, mass, truth, 2)) == pytest.approx([0.2, 0.15])
    assert _judging.by_number(np.array([1.0, 2.0, 4.0]), recordings(np.zeros((3, 3)), np.tri(3, dtype=bool))).tolist() \
        == [1, 2, 4]  # fmt: skip


def test_the_oracle_takes_peaks_of_a_histogram():
    centers = np.radians([[0.0, 90.0, 180.0, 270.0]])
    mass = np.array([[0.4, 0.3, 0.2, 0.1]])
    truth = recordings([[np.pi / 2, 0, 0]], [[True, False, False]])
    assert _judging.oracle_error(centers, mass, truth, 1)[0] == pytest.approx(90)
    assert _judging.oracle_error(centers, mass, truth, 4)[0] == pytest.approx(0)


def test_mixture_and_histogram_have_the_densities_they_claim():
    x, angles = torch.randn(5, 6), np.random.default_rng(0).uniform(-np.pi, np.pi, (5, 3))
    y = torch.from_numpy(np.stack([np.cos(angles), np.sin(angles)], axis=2)).float()
    present = torch.tensor([[True, True, False]] * 5)
    mixture, histogram = (_models.build(name, 6, CONFIG, 0) for name in ("MDN", "histogram"))
    with torch.no_grad():
        _, concentration, _ = mixture.parts(x)
        places, mass = mixture.predict(x.numpy())
        log_density = np.log(
            (mass[:, None] * vonmises.pdf(angles[:, :2, None], concentration[:, None].numpy(), places[:, None])).sum(2)
        )
        assert mixture.loss(x, y, present, 0).item() == pytest.approx(-log_density.mean(), rel=1e-4)
        centers, mass = histogram.predict(x.numpy())
        nearest = _judging.between(angles[:, :2, None], centers[:, None]).argmin(axis=2)
        expected = -np.log(np.take_along_axis(mass, nearest, axis=1)).mean()
        assert histogram.loss(x, y, present, 0).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", sound_sources.MODELS)
def test_models_predict_masses_on_directions(name):
    model = _models.build(name.removesuffix(", calibrated"), 6, CONFIG, 0)
    angles, mass = model.predict(np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32))
    assert angles.shape == mass.shape == (5, {"one direction": 1, "histogram": 12}.get(name, 4))
    assert mass.min() >= 0 and (mass.sum(axis=1) > 0).all()
    assert (name in ("sMCL", "ensemble")) <= (np.ptp(mass) == 0)


def test_turned_targets_follow_turned_features():
    angle = np.array([0.3, -2.0])
    for symmetry in _recordings.symmetries():
        _, turn = _models._turn(*symmetry)
        vectors = torch.from_numpy(np.column_stack([np.cos(angle), np.sin(angle)])).float() @ turn
        expected = symmetry[1] * angle + symmetry[2]
        assert np.allclose(vectors.numpy(), np.column_stack([np.cos(expected), np.sin(expected)]), atol=1e-6)


def scene(cues=(0.05, 3.0, 1.5), precision=100.0):
    """Two sounds, at -0.05 (just below a full turn) and at 1.6; the first and the third sight may be theirs."""
    hypotheses = np.array([[2 * np.pi - 0.05, 1.6, 4.5]])
    return _sights.Scenes(
        places=np.array([[0.0, 3.0, 1.55]]), cues=np.array([cues]), precision=np.full((1, 3), precision),
        source=np.array([[0, _sights.NONE, 1]]), hypotheses=hypotheses, scores=np.array([[0.9, 0.9, 0.01]]),
        owner=np.array([[0, 1, 1]]),
    )  # fmt: skip


def test_pairing_by_distance():
    answer, places = _sights.pair_by_distance(scene(), 0.5, np.full((1, 3), 300.0))
    assert answer.tolist() == [[0, _sights.NONE, 1]]
    assert places[0] == pytest.approx([0.05 - 0.1 * 0.75, 3.0, 1.5 + 0.1 * 0.75])
    assert _sights.pair_by_distance(scene(), np.inf)[0].tolist() == [[0, 1, 1]]
    truly, places_truly = _sights.pair_truly(scene(), np.full((1, 3), 300.0))
    assert (truly == answer).all() and places_truly == pytest.approx(places)


def test_causal_inference_leaves_silent_sights_alone():
    precision = np.full((1, 3), 300.0)
    answer, places = _sights.infer(scene(), precision)
    forced_answer, forced = _sights.force(scene(), precision)
    assert answer.tolist() == [[0, _sights.NONE, 1]] and forced_answer.tolist() == [[0, 1, 1]]
    assert places[0, 1] == pytest.approx(3.0, abs=0.01) and abs(forced[0, 1] - 3.0) > 0.5
    assert places[0, 0] == pytest.approx(-0.025, abs=0.015) and forced[0, 0] == pytest.approx(-0.025, abs=0.001)
    judged = _sights.judge(scene(), (answer, places))
    assert judged["right"] == 1 and judged["all"] < _sights.judge(scene(), (forced_answer, forced))["all"]


def test_scenes_show_sources_and_silent_things():
    rng = np.random.default_rng(0)
    heard = recordings(_recordings.draw_angles(3000, rng), np.arange(3) < rng.integers(1, 4, 3000)[:, None])
    scenes = _sights.draw_scenes(heard, heard.angles, np.ones((3000, 3)), rng)
    paired = scenes.source != _sights.NONE
    assert heard.present[paired].all() and paired.mean() == pytest.approx(_sights.P_COMMON, abs=0.02)
    assert np.array_equal(scenes.places[paired], heard.angles[paired])
    noise = (scenes.cues - scenes.places) * np.sqrt(scenes.precision)
    assert noise.std() == pytest.approx(1, abs=0.03)
    assert np.array_equal(scenes.owner[heard.present], np.nonzero(heard.present)[1])


def results(n_seeds=3, gain=20.0, excess=0.5, chance=60.0, right=0.1, error=1.0):
    noise = 0.01 * np.arange(n_seeds)
    shaped = noise[:, None, None] + np.zeros((n_seeds, 2, 3))
    found = {f"{key}_{name}": 10 + shaped for key in ("emd", "oracle") for name in sound_sources.MODELS}
    found |= {"emd_sMCL": 10 + gain + 2 * shaped, "oracle_rMCL": 10 + excess + 2 * shaped}
    found |= {f"emd_{name}": chance + shaped for name in ("shuffled targets", "one direction")}
    for name in (*sound_sources.OTHER_RULES, "causal inference"):
        found |= {f"right_{name}": 0.7 + noise, f"all_{name}": 10 + noise}
    return found | {"right_causal inference": 0.7 + right + noise, "all_causal inference": 10 - error + noise}


def test_verdict():
    assert sound_sources.verdict(results()).status == "PASS"
    for change in ({"gain": -1.0}, {"excess": 1.1}, {"chance": 15.0}, {"right": -0.1}, {"error": -0.1}):
        assert sound_sources.verdict(results(**change)).status == "FAIL"
