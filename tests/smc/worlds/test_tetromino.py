import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import smc.worlds
from smc import Transitions
from smc.worlds import TetrominoPatch, TetrominoStates


@pytest.mark.parametrize("options", [{}, {"pieces": "T"}, {"render_mode": "rgb_array"}, {"render_mode": "ansi"}])
def test_the_checker_finds_nothing(options):
    check_env(gymnasium.make("mesmrise/TetrominoPatch-v0", **options).unwrapped)


def test_two_pieces_have_the_known_numbers_of_states_and_looks():
    world = TetrominoStates()
    assert (world.n_states, world.n_observations) == (144, 48)
    assert (TetrominoStates("LS").n_states, TetrominoStates("LS").n_observations) == (144, 52)  # the mirrored J


@pytest.mark.parametrize("pieces", ["JS", "IJLOSTZ"])
def test_each_piece_is_seen_in_every_position_that_shows_a_cell(pieces):
    world = TetrominoStates(pieces)
    assert world.patches.any(axis=(1, 2)).all() and world.patches.sum(axis=(1, 2)).max() == 4
    for number in range(len(pieces)):
        own = world.states[:, 0] == number
        assert world.start_probabilities[own].sum() == pytest.approx(1 / len(pieces))
        for turns in range(4):
            turned = world.patches[own & (world.states[:, 3] == turns)]
            # Each of the four cells passes each of the nine places once.
            np.testing.assert_array_equal(turned.sum(axis=0), 4)


def test_patches_equal_in_number_are_equal():
    world = TetrominoStates("JST")
    flat = world.patches.reshape(-1, 9)
    same = (flat[:, None] == flat[None]).all(axis=-1)
    np.testing.assert_array_equal(same, world.observations[:, None] == world.observations)


def test_actions_move_what_is_seen_and_turn_clockwise():
    world = TetrominoPatch("J")
    center = np.flatnonzero((world.table.states[:, 1:] == (1, 1, 0)).all(axis=1))[0]
    start, _ = world.reset(options={"state": center})
    assert start.tolist() == [[1, 0, 0], [1, 1, 1], [0, 0, 0]]
    seen = {}
    for action, name in enumerate(("up", "left", "right", "down", "turn")):
        world.reset(options={"state": center})
        seen[name] = world.step(action)[0].tolist()
    assert seen == {
        "up": [[1, 1, 1], [0, 0, 0], [0, 0, 0]],
        "left": [[0, 0, 0], [1, 1, 0], [0, 0, 0]],
        "right": [[0, 1, 0], [0, 1, 1], [0, 0, 0]],
        "down": [[0, 0, 0], [1, 0, 0], [1, 1, 1]],
        "turn": [[0, 1, 1], [0, 1, 0], [0, 1, 0]],
    }


def test_four_turns_lead_back_and_what_would_vanish_stays():
    world = TetrominoStates()
    middle = np.flatnonzero((world.states[:, 1] == 1) & (world.states[:, 2] == 1))
    path = world.walk(middle, np.full((len(middle), 4), 4))
    np.testing.assert_array_equal(path[:, 4], middle)
    assert (path[:, 1:4] != middle[:, None]).all()
    # Pushed up for ever, every piece ends where one more step would hide it.
    ends = world.walk(np.arange(144), np.zeros((144, 8), int))[:, -1]
    np.testing.assert_array_equal(world.following[ends, 0], ends)
    assert world.patches[ends][:, 1:].sum() == 0 and world.patches[ends][:, 0].any(axis=1).all()


def test_the_batch_goes_where_the_environment_goes():
    env, rng = TetrominoPatch("IJLOSTZ"), np.random.default_rng(0)
    start, actions = env.table.sample(20, rng), rng.integers(0, 5, (20, 30))
    path = env.table.walk(start, actions)
    for i in range(20):
        env.reset(options={"state": start[i]})
        for t in range(30):
            patch, reward, terminated, truncated, info = env.step(actions[i, t])
            np.testing.assert_array_equal(patch, env.table.patches[path[i, t + 1]])
            np.testing.assert_array_equal(info["state"], env.table.states[path[i, t + 1]])
            assert not (reward or terminated or truncated)


def test_starts_are_uniform_over_pieces_then_states():
    world = TetrominoStates("IO")
    drawn = world.states[world.sample(20_000, np.random.default_rng(0)), 0]
    assert drawn.mean() == pytest.approx(0.5, abs=0.015)
    assert (world.states[:, 0] == 0).sum() != (world.states[:, 0] == 1).sum()


def test_the_least_error_is_that_of_all_histories():
    """By its definition, over dictionaries, for one small world."""
    world = TetrominoStates("T")
    states, actions, probabilities = world.episodes(2)
    assert len(states) == world.n_states * 25 and probabilities.sum() == pytest.approx(1.0)
    for see_actions in (True, False):
        found = world.bayes_error(2, see_actions=see_actions)
        for step in range(2):
            mass = {}
            for path, acts, p in zip(world.observations[states].tolist(), actions.tolist(), probabilities):
                known = (*path[: step + 1], *(acts[: step + 1] if see_actions else ()))
                outcomes = mass.setdefault(known, {})
                outcomes[path[step + 1]] = outcomes.get(path[step + 1], 0.0) + p
            assert found[step] == pytest.approx(1.0 - sum(max(outcomes.values()) for outcomes in mass.values()))


def test_two_pieces_have_the_known_least_errors():
    """Figures of an enumeration by other means."""
    np.testing.assert_allclose(TetrominoStates().bayes_error(4), [0.2167, 0.1300, 0.0916, 0.0672], atol=5e-5)


def test_steps_can_be_recorded():
    steps = Transitions.from_env(gymnasium.make("mesmrise/TetrominoPatch-v0"), None, 100, seed=0)
    assert steps.observation["observation"].shape == (100, 3, 3)


def test_pictures_show_the_patch():
    text = TetrominoPatch("O", render_mode="ansi")
    text.reset(options={"state": np.flatnonzero((text.table.states[:, 1:] == (0, 1, 0)).all(axis=1))[0]})
    assert text.render() == "##.\n##.\n..."
    image = TetrominoPatch("O", render_mode="rgb_array")
    image.reset(options={"state": text._state})
    pixels = image.render()
    assert pixels.dtype == np.uint8 and pixels.shape == (72, 72, 3)
    assert pixels[12, 12].tolist() == pixels[36, 36].tolist() != pixels[60, 12].tolist()
    assert TetrominoPatch().render() is None


@pytest.mark.parametrize("pieces", ["", "JJ", "X", "jS"])
def test_unknown_pieces_are_refused(pieces):
    with pytest.raises(ValueError, match="pieces must be one or more distinct letters of IJLOSTZ"):
        TetrominoStates(pieces)


def test_bad_input_is_refused():
    world, env = TetrominoStates(), TetrominoPatch()
    for start, actions, error, message in [
        ([0.5], [[0]], TypeError, "must be integers"),
        ([0], [0], ValueError, r"actions \(n, n_steps\)"),
        ([0, 1], [[0]], ValueError, "start must have shape"),
        ([144], [[0]], ValueError, r"start must be in 0\.\.143; got 144\.\.144"),
        ([0], [[5]], ValueError, r"actions must be in 0\.\.4"),
    ]:
        with pytest.raises(error, match=message):
            world.walk(start, actions)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="action must be an integer from 0 to 4"):
        env.step(5)
    with pytest.raises(ValueError, match=r"options\['state'\] must be an integer in 0\.\.143"):
        env.reset(options={"state": 144})
    with pytest.raises(ValueError, match="render_mode must be None or one of"):
        TetrominoPatch(render_mode="human")
    assert "TetrominoPatch" in dir(smc.worlds)
