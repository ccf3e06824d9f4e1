import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import smc.worlds
from smc.worlds import GridWorld

CORRIDOR = ("#####", "#...#", "#####")


@pytest.mark.parametrize("options", [{}, {"slip": 0.3}, {"layout": CORRIDOR}])
def test_the_checker_finds_nothing(options):
    check_env(gymnasium.make("mesmrise/GridWorld-v0", **options).unwrapped)


def test_actions_step_up_right_down_left_and_walls_stop():
    world = GridWorld(("####", "#..#", "#..#", "####"))
    world.reset(options={"position": (2, 1)})
    expected = {0: (1, 1), 1: (1, 2), 2: (2, 2), 3: (2, 1)}
    for action, position in expected.items():
        for _ in range(2):  # the second time there is a wall
            *_, info = world.step(action)
            assert tuple(info["position"]) == position


def test_the_agent_sees_the_cells_around_it():
    world = GridWorld()
    rng = np.random.default_rng(0)
    world.reset(seed=0)
    for _ in range(100):
        patch, reward, terminated, truncated, info = world.step(int(rng.integers(4)))
        row, column = info["position"]
        np.testing.assert_array_equal(patch, world.walls[row - 1 : row + 2, column - 1 : column + 2])
        assert patch[1, 1] == 0 and not (reward or terminated or truncated)


def test_the_cells_of_the_default_room_all_look_different():
    world = GridWorld()
    cells = np.argwhere(~world.walls)
    seen = {world.reset(options={"position": cell})[0].tobytes() for cell in cells}
    assert len(seen) == len(cells) == 24


def test_slips_go_in_the_three_other_directions():
    world = GridWorld(("#####", "#...#", "#...#", "#...#", "#####"), slip=0.6)
    world.reset(seed=0)
    moves = []
    for _ in range(4000):
        world.reset(options={"position": (2, 2)})
        moves.append(tuple(world.step(0)[-1]["position"] - (2, 2)))
    share = {move: moves.count(move) / len(moves) for move in set(moves)}
    assert share[(-1, 0)] == pytest.approx(0.4, abs=0.03)
    for other in ((0, 1), (1, 0), (0, -1)):
        assert share[other] == pytest.approx(0.2, abs=0.03)


def test_two_worlds_with_the_same_seed_agree():
    worlds = [GridWorld(slip=0.4), GridWorld(slip=0.4)]
    starts = [world.reset(seed=5)[1]["position"].tolist() for world in worlds]
    assert starts[0] == starts[1]
    for action in [0, 1, 1, 2, 3, 0, 2, 1] * 6:
        first, second = (world.step(action)[-1]["position"].tolist() for world in worlds)
        assert first == second


def test_text_shows_the_agent():
    world = GridWorld(CORRIDOR, render_mode="ansi")
    world.reset(options={"position": (1, 2)})
    assert world.render() == "#####\n#.@.#\n#####"


def test_the_image_shows_the_agent_and_lights_what_it_sees():
    world = GridWorld(("#######", "#.....#", "#######"), render_mode="rgb_array")
    world.reset(options={"position": (1, 1)})
    image = world.render()
    height = image.shape[0] // 3
    assert image.dtype == np.uint8 and image.shape == (3 * height, 7 * height, 3)
    agent, seen, unseen = (image[height + height // 2, int((column + 0.5) * height)] for column in (1, 2, 4))
    assert agent[0] > agent[2] + 100  # red
    assert not np.array_equal(seen, unseen)
    assert GridWorld().render() is None


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"layout": "####"}, TypeError, "sequence of str"),
        ({"layout": []}, ValueError, "rows of equal length"),
        ({"layout": ["###", "#.#", "##"]}, ValueError, "rows of equal length"),
        ({"layout": ["###", "#o#", "###"]}, ValueError, "rows of equal length"),
        ({"layout": ["###", "..#", "###"]}, ValueError, "enclosed by walls"),
        ({"layout": ["###", "###"]}, ValueError, "at least one free cell"),
        ({"layout": ["#####", "#.#.#", "#####"]}, ValueError, r"\(1, 3\) cannot be reached"),
        ({"slip": 1.5}, ValueError, "slip must be a probability"),
        ({"slip": "often"}, ValueError, "slip must be a probability"),
        ({"render_mode": "human"}, ValueError, "render_mode"),
    ],
)
def test_bad_options_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        GridWorld(**options)


def test_bad_actions_and_starts_are_refused():
    world = GridWorld(CORRIDOR)
    world.reset(seed=0)
    with pytest.raises(ValueError, match="action must be 0"):
        world.step(4)
    for start in ((0, 0), (1, 9), 1):
        with pytest.raises(ValueError, match="free cell"):
            world.reset(options={"position": start})


def test_it_is_listed_among_the_worlds():
    assert smc.worlds.GridWorld is GridWorld and "GridWorld" in dir(smc.worlds)
