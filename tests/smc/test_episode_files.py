import tracemalloc

import numpy as np
import pytest

from smc import ContingencyModel, LocalLinearContingency, Transitions
from smc._episode_files import EpisodeRows
from topology.storage import CorruptFileError


def record(folder, lengths=(4, 2, 7), seed=0, **changes):
    """Write episodes of so many actions; returns what was written, by name."""
    rng, written = np.random.default_rng(seed), {}
    for number, n in enumerate(lengths):
        episode = {
            "eye": rng.normal(size=(n + 1, 3, 2)).astype(np.float32),
            "touch": rng.integers(0, 4, n + 1),
            "action": rng.normal(size=(n, 2)),
        }
        name = f"episode_{number}"
        np.savez(folder / name, **episode)
        written[name] = episode
    return written


def test_a_folder_holds_the_steps_of_its_episodes(tmp_path):
    written = record(tmp_path)
    steps = Transitions.from_folder(tmp_path)
    assert len(steps) == 13
    for name, episode in written.items():
        part = steps[steps.group == name]
        np.testing.assert_array_equal(part.action, episode["action"])
        for sense in ("eye", "touch"):
            np.testing.assert_array_equal(part.observation[sense], episode[sense][:-1])
            np.testing.assert_array_equal(part.next_observation[sense], episode[sense][1:])
    assert steps.observation["eye"].dtype == np.float32


@pytest.mark.parametrize(
    "index",
    [slice(None), slice(3, 9), slice(5, 5), slice(12, 2, -3), slice(-4, None), 6, -1, np.array([12, 0, 0, 5]), [3]],
)
def test_rows_are_those_of_one_array(index):
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=(n, 2)) for n in (4, 1, 8)]
    rows, whole = EpisodeRows(parts), np.concatenate(parts)
    np.testing.assert_array_equal(np.asarray(rows[index]), whole[index])
    assert rows[index].shape == whole[index].shape and rows.ndim == 2 and rows.size == whole.size
    np.testing.assert_array_equal(rows[whole[:, 0] > 0], whole[whole[:, 0] > 0])
    assert rows.min() == whole.min() and rows.max() == whole.max()
    with pytest.raises(IndexError):
        rows[13]
    with pytest.raises(ValueError, match="without a copy"):
        np.asarray(rows, copy=False)


def test_slices_of_steps_stay_on_disk(tmp_path):
    record(tmp_path)
    part = Transitions.from_folder(tmp_path)[3:9]
    assert isinstance(part.observation["eye"], EpisodeRows) and len(part) == 6
    np.testing.assert_array_equal(np.asarray(part[1:].observation["eye"]), np.asarray(part.observation["eye"])[1:])


def test_columns_of_fortran_order_are_read_as_they_are(tmp_path):
    eye = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    np.savez(tmp_path / "one", eye=eye, action=np.zeros((3, 1)))
    np.testing.assert_array_equal(np.asarray(Transitions.from_folder(tmp_path).next_observation["eye"]), eye[1:])


def test_recordings_are_never_read_into_memory_as_a_whole(tmp_path):
    for number in range(20):
        np.savez(tmp_path / f"{number:02d}", eye=np.full((101, 64, 64), number, np.uint8), action=np.zeros((100, 1)))
    steps = Transitions.from_folder(tmp_path)  # the first call imports
    tracemalloc.start()
    try:
        steps = Transitions.from_folder(tmp_path)
        batch = steps[np.arange(0, 2000, 50)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (batch.observation["eye"].reshape(40, -1)[:, 0] == np.arange(40) // 2).all()
    assert steps.observation["eye"].size > 8_000_000 and peak < 2_000_000


def test_models_learn_from_a_folder(tmp_path):
    rng = np.random.default_rng(0)
    for number in range(6):
        place, action = rng.integers(0, 5, 31), rng.normal(size=(30, 1))
        x = np.cumsum(np.vstack([[[0.0, 1.0]], np.hstack([action, -action])]), axis=0)
        np.savez(tmp_path / f"{number}", place=place, x=x, action=action)
    steps = Transitions.from_folder(tmp_path)
    assert LocalLinearContingency(modality="x", random_state=0).fit(steps).score(steps) > 0.99
    discrete = Transitions(steps.observation, np.arange(180) % 2, steps.next_observation, steps.group)
    assert ContingencyModel(2, modality="place").fit(discrete).n_steps_ == 180


# --- bad input -----------------------------------------------------------------------------------------------------

EYE, ACTION = np.zeros((4, 2)), np.zeros((3, 1))


@pytest.mark.parametrize(
    "arrays, error, message",
    [
        ({"eye": EYE}, ValueError, "needs the array 'action'; it has .'eye'."),
        ({"action": ACTION}, ValueError, "at least one sense beside 'action'"),
        ({"eye": EYE[:3], "action": ACTION}, ValueError, "'eye' has 3 observations for 3 actions"),
        ({"eye": EYE, "ear": EYE, "action": ACTION}, ValueError, r"has arrays \['action', 'ear', 'eye'\], but a.npz"),
        ({"eye": np.zeros((4, 3)), "action": ACTION}, ValueError, r"float64 \(3,\), but in a.npz it is float64 \(2,\)"),
        ({"eye": EYE.astype(int), "action": ACTION}, ValueError, "int64"),
        ({"eye": EYE, "action": np.zeros((3, 2))}, ValueError, "a step of 'action'"),
        ({"eye": EYE * np.nan, "action": ACTION}, ValueError, "'eye' must be finite"),
        ({"eye": np.array([None] * 4), "action": ACTION}, TypeError, "'eye' must hold real numbers"),
        ({"eye": np.array(["a"] * 4), "action": ACTION}, TypeError, "'eye' must hold real numbers"),
        ({"eye": EYE[:1], "action": ACTION[:0]}, ValueError, "'action' must have at least one step"),
    ],
)
def test_an_episode_that_does_not_fit_is_named(arrays, error, message, tmp_path):
    np.savez(tmp_path / "a", eye=EYE, action=ACTION)
    np.savez(tmp_path / "b", **arrays)
    with pytest.raises(error, match=message) as raised:
        Transitions.from_folder(tmp_path)
    assert "b.npz" in str(raised.value)


def test_files_that_cannot_be_mapped_are_named(tmp_path):
    np.savez(tmp_path / "a", eye=EYE, action=ACTION)
    np.savez_compressed(tmp_path / "b", eye=EYE, action=ACTION)
    with pytest.raises(ValueError, match=r"b\.npz: 'eye' is compressed"):
        Transitions.from_folder(tmp_path)
    whole = (tmp_path / "a.npz").read_bytes()
    for damaged in (b"", b"nothing of the kind", whole[:200], whole[:100] + b"?" * 20 + whole[120:]):
        (tmp_path / "b.npz").write_bytes(damaged)
        with pytest.raises(CorruptFileError, match=r"b\.npz: not a complete .npz file"):
            Transitions.from_folder(tmp_path)


def test_a_folder_without_episodes_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"holds no \.npz file"):
        Transitions.from_folder(tmp_path)
    with pytest.raises(NotADirectoryError):
        Transitions.from_folder(tmp_path / "nowhere")
