"""A network learns which pixels are figure, keeps it in a file, and refuses what it cannot learn from."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from smc.encoders import FigureNetwork, learn_figure  # noqa: E402
from smc.worlds import changed, reveal  # noqa: E402
from topology.storage import CorruptFileError, save  # noqa: E402


def squares(n, seed):
    """Bright squares on dark noise, and the noise alone."""
    rng = np.random.default_rng(seed)
    empty = rng.integers(0, 100, (n, 16, 16, 3), dtype=np.uint8)
    images = empty.copy()
    for image, (i, j) in zip(images, rng.integers(0, 10, (n, 2))):
        image[i : i + 6, j : j + 6] += 150
    return images, empty


IMAGES, EMPTY = squares(200, 0)
FIGURE = changed(IMAGES, EMPTY)
SHORT = {"width": 4, "n_steps": 2, "batch_size": 8, "threads": 1}


@pytest.fixture(scope="module")
def network():
    return learn_figure(IMAGES, FIGURE, width=4, n_steps=120, batch_size=32, threads=1)


def test_it_covers_what_a_reveal_would(network):
    images, empty = squares(50, 1)
    figure = changed(images, empty)
    told = network.predict_proba(images)
    assert told.shape == figure.shape and told.dtype == np.float32 and told.min() >= 0 and told.max() <= 1
    assert ((told > 0.5) == figure).mean() > 0.97
    shown = network.cover(images)
    assert shown.dtype == np.uint8
    expected = 128 + told[..., None] * (images.astype(float) - 128)
    assert np.abs(shown - expected).max() <= 0.501
    revealed = reveal(images, empty).astype(float)
    assert np.abs(shown - revealed).mean() < 0.2 * np.abs(images - revealed).mean()


def test_an_image_is_covered_by_itself(network):
    together = network.cover(IMAGES[:20])
    alone = np.concatenate([network.cover(IMAGES[k : k + 1]) for k in range(20)])
    assert np.abs(together.astype(int) - alone).max() <= 1


def test_same_seed_same_network():
    first, again, other = (learn_figure(IMAGES, FIGURE, seed=seed, **SHORT).cover(IMAGES[:5]) for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_callback_sees_and_stops():
    losses = []

    def watch(state, step):
        losses.append(state["loss"])
        return step == 3

    learn_figure(IMAGES, FIGURE, callback=watch, **SHORT | {"n_steps": 30})
    assert len(losses) == 3 and np.isfinite(losses).all()


def test_a_file_keeps_it(network, tmp_path):
    network.save(tmp_path / "figure.safetensors")
    again = FigureNetwork.load(tmp_path / "figure.safetensors")
    np.testing.assert_array_equal(again.cover(IMAGES[:5]), network.cover(IMAGES[:5]))
    save(tmp_path / "other", {"x": np.zeros(1)}, kind="FigureNetwork", metadata={"depth": 3})
    with pytest.raises(CorruptFileError, match="settings that fit no network"):
        FigureNetwork.load(tmp_path / "other")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"images": IMAGES / 255}, "images is float64"),
        ({"images": IMAGES[:, :12, :12]}, "multiple of 16"),
        ({"images": IMAGES[:0]}, "images is uint8"),
        ({"figure": FIGURE[:3]}, "figure is bool"),
        ({"figure": FIGURE.astype(int)}, "figure is int"),
        ({"n_steps": 0}, "n_steps must be"),
        ({"batch_size": 1.5}, "batch_size must be"),
        ({"learning_rate": np.nan}, "learning_rate must be"),
        ({"seed": -1}, "seed must be"),
        ({"threads": 0}, "threads must be"),
        ({"width": 0}, "width must be"),
    ],
)
def test_bad_input_is_refused_by_name(changes, message):
    with pytest.raises(ValueError, match=message):
        learn_figure(**{"images": IMAGES, "figure": FIGURE} | SHORT | changes)


def test_a_loss_that_is_not_finite_stops():
    with pytest.raises(FloatingPointError, match="loss of step"):
        learn_figure(IMAGES, FIGURE, learning_rate=1e30, **SHORT | {"n_steps": 20})
