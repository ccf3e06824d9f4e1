"""The audio-visual network against scikit-neuromsi (tests/golden/make_cuppini2017.py) and its own symmetries."""

from pathlib import Path

import numpy as np
import pytest

from fusion import AudiovisualNetwork

GOLDEN = Path(__file__).parents[1] / "golden" / "cuppini2017.npz"


def test_equals_scikit_neuromsi_at_the_same_time_step():
    golden = np.load(GOLDEN)
    network, steps, kept = AudiovisualNetwork(), golden["steps"].tolist(), []

    def keep(state, step):
        if step in steps:
            kept.append([layer.copy() for layer in state])

    final = network.run(golden["auditory_position"], golden["visual_position"], callback=keep)
    for k, layer in enumerate(("auditory", "visual", "multi")):
        for moment, activities in enumerate(kept):
            np.testing.assert_allclose(activities[k], golden[layer][:, moment], atol=5e-5)
    np.testing.assert_array_equal(network.count_causes(final), golden["causes"])


def test_a_longer_step_ends_in_the_same_state():
    golden = np.load(GOLDEN)
    final = AudiovisualNetwork(time_step=0.1).run(golden["auditory_position"], golden["visual_position"])
    np.testing.assert_allclose(final.multisensory, golden["multi"][:, -1], atol=5e-3)


def test_a_ring_has_no_preferred_place_or_direction():
    network = AudiovisualNetwork(60, time_step=0.1)
    final = network.run([20.0, 30.0, 40.0], [25.0, 35.0, 35.0], 20.0)
    for layer in final:
        np.testing.assert_allclose(layer[1], np.roll(layer[0], 10), atol=1e-4)
        np.testing.assert_allclose(layer[2], np.roll(layer[0][::-1], 1), atol=1e-4)


def test_trials_do_not_depend_on_the_batch(monkeypatch):
    positions = np.random.default_rng(0).uniform(0, 90, (2, 7))
    network = AudiovisualNetwork(90, time_step=0.1)
    together = network.run(*positions, 5.0)
    monkeypatch.setattr("fusion._neural_field_audiovisual.BATCH", 2)
    for whole, parts in zip(together, network.run(*positions, 5.0)):
        np.testing.assert_allclose(parts, whole, atol=1e-5)


@pytest.mark.parametrize(("n_neurons", "feedforward_weight"), [(61, 18.0), (60, 0.0)])
def test_one_trial_alone_equals_one_of_several(n_neurons, feedforward_weight):
    network = AudiovisualNetwork(n_neurons, feedforward_weight=feedforward_weight, time_step=0.1)
    several = network.run([7.0, 40.0], [50.0, 43.0], 20.0)
    for layer, alone in zip(several, network.run([40.0], [43.0], 20.0)):
        np.testing.assert_allclose(alone[0], layer[1], atol=1e-5)
    assert several.auditory[1].max() > 0.3


def test_a_silent_sense_adds_nothing_and_a_callback_stops():
    network = AudiovisualNetwork(90, time_step=0.1)
    heard = network.run([45.0], [10.0], 30.0, visual_intensity=0.0)
    assert heard.auditory[0].argmax() == 45 and heard.visual[0].max() < 0.1
    seen = []
    network.run([45.0], [10.0], 30.0, callback=lambda state, step: seen.append(step) or step == 3)
    assert seen == [1, 2, 3]


def test_strong_inhibition_does_not_overflow():
    final = AudiovisualNetwork(180, time_step=0.5).run([90.0], [90.0], 20.0, auditory_intensity=2000.0)
    assert all(np.isfinite(layer).all() for layer in final)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([1.0], [1.0, 2.0]), {}, "visual_position must hold 1 trials"),
        (([np.nan], [1.0]), {}, "auditory_position must be finite"),
        (([1.0], [200.0]), {}, r"visual_position must lie in \[0, 180\]"),
        (([1.0], [1.0]), {"duration": 0.0}, "duration"),
        (([1.0], [1.0]), {"auditory_intensity": -1.0}, "auditory_intensity must not be negative"),
        (([1.0], [1.0]), {"visual_width": 0.0}, "visual_width must be positive"),
        (([1.0], [1.0]), {"visual_width": [1.0, 2.0]}, "visual_width must be finite, one number or one per trial"),
    ],
)
def test_bad_trials(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        AudiovisualNetwork().run(*arguments, **options)


def test_bad_parameters():
    with pytest.raises(ValueError, match="time_step"):
        AudiovisualNetwork(time_step=1.5)
    with pytest.raises(ValueError, match="n_neurons"):
        AudiovisualNetwork(2)
