"""Worlds that are tables of states, and the rigid structures, which are too many for a table."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import smc.worlds
from smc import Transitions
from smc.worlds import CorridorStates, MobileStates, ReachStates, RigidStructures, RoomStates, StateTable

TABLES = {
    "TouchRoom": RoomStates(),
    "GogglesReach": ReachStates(),
    "Corridor": CorridorStates(),
    "Mobile": MobileStates(),
}
NAMES = [*TABLES, "MovingStructures"]


@pytest.mark.parametrize("mode", [None, "ansi", "rgb_array"])
@pytest.mark.parametrize("name", NAMES)
def test_the_checker_finds_nothing(name, mode):
    check_env(gymnasium.make(f"mesmrise/{name}-v0", render_mode=mode).unwrapped)


@pytest.mark.parametrize("name", NAMES)
def test_pictures_show_what_the_text_shows(name):
    text, image = (gymnasium.make(f"mesmrise/{name}-v0", render_mode=mode).unwrapped for mode in ("ansi", "rgb_array"))
    for env in (text, image):
        env.reset(seed=1)
    rows, pixels = text.render().split("\n"), image.render()
    assert pixels.dtype == np.uint8 and pixels.shape == (24 * len(rows), 24 * len(rows[0]), 3)
    for row, line in enumerate(rows):
        for column, character in enumerate(line):
            assert tuple(pixels[24 * row + 12, 24 * column + 12]) == text.colors[character]


@pytest.mark.parametrize("name", TABLES)
def test_the_batch_goes_where_the_environment_goes(name):
    table, env, rng = TABLES[name], gymnasium.make(f"mesmrise/{name}-v0").unwrapped, np.random.default_rng(0)
    start, actions = table.sample(10, rng), rng.integers(0, table.n_actions, (10, 30))
    path = table.walk(start, actions)
    for i in range(10):
        env.reset(options={"state": start[i]})
        for t in range(30):
            observation, reward, terminated, truncated, info = env.step(actions[i, t])
            for sense, values in table.senses.items():
                np.testing.assert_array_equal(observation[sense], values[path[i, t + 1]])
            np.testing.assert_array_equal(info["state"], table.states[path[i, t + 1]])
            assert not (reward or terminated or truncated)


@pytest.mark.parametrize("name", NAMES)
def test_steps_can_be_recorded(name):
    steps = Transitions.from_env(gymnasium.make(f"mesmrise/{name}-v0"), None, 50, seed=0)
    assert len(steps) == 50


@pytest.mark.parametrize("name", NAMES)
def test_bad_actions_starts_and_modes_are_refused(name):
    env = gymnasium.make(f"mesmrise/{name}-v0").unwrapped
    env.reset(seed=0)
    for action in (env.action_space.n, -1, 0.5):
        with pytest.raises(ValueError, match="action must be an integer from 0 to"):
            env.step(action)
    with pytest.raises(ValueError, match="render_mode must be None or one of"):
        type(env)(render_mode="human")
    if name in TABLES:
        with pytest.raises(ValueError, match=r"options\['state'\] must be an integer"):
            env.reset(options={"state": TABLES[name].n_states})
    assert name in dir(smc.worlds) and getattr(smc.worlds, name) is type(env)


def two_states(**changes):
    options = {
        "states": np.array([[0], [1]]),
        "actions": ("go",),
        "following": np.array([[1], [1]]),
        "senses": {"eye": np.array([0, 1])},
        "start_probabilities": np.array([1.0, 0.0]),
    }
    return StateTable(**{**options, **changes})


def test_a_table_of_ones_own():
    table = two_states()
    assert table.walk([0], [[0, 0]]).tolist() == [[0, 1, 1]]
    assert table.symbols("eye").tolist() == [0, 1]
    with pytest.raises(ValueError, match=r"sense must be one of \['eye'\]"):
        table.symbols("ear")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"following": np.array([[0], [0]])}, r"1 of 2 states cannot be reached from the start, such as \(1,\)"),
        ({"following": np.array([[1]])}, "following must have shape"),
        ({"following": np.array([[2], [0]])}, r"following must hold states 0\.\.1; got 0\.\.2"),
        ({"senses": {"eye": np.array([0])}}, r"senses\['eye'\] must have 2 rows"),
        ({"start_probabilities": np.array([1.0, 1.0])}, "start_probabilities must be 2 numbers"),
        ({"start_probabilities": np.array([2.0, -1.0])}, "start_probabilities must be 2 numbers"),
        ({"states": np.empty((0, 1), int)}, "states must have shape .* with at least one state"),
        ({"following": np.array([[1.7], [1.0]])}, "following must hold whole numbers; got float64"),
        ({"senses": {"eye": np.array([0.5, np.nan])}}, r"senses\['eye'\] must hold whole numbers; got float64"),
    ],
)
def test_bad_tables_are_refused(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        two_states(**changes)


def test_textures_need_a_seed():
    with pytest.raises(ValueError, match="random_state must be at least 0"):
        CorridorStates(random_state=-1)


# --- the rules of each world ---------------------------------------------------------------------------------------


def test_touch_is_what_sight_shows_beside_the_agent_and_range_counts_free_cells():
    room = RoomStates()
    sight, touch, free = (room.senses[name] for name in ("sight", "touch", "range"))
    np.testing.assert_array_equal(touch, sight[:, [0, 1, 2, 1], [1, 2, 1, 0]])
    for a in range(4):  # as many steps as the range sense says lead somewhere, and the next does not
        path = room.walk(np.arange(room.n_states), np.full((room.n_states, 10), a))
        np.testing.assert_array_equal((np.diff(path, axis=1) != 0).sum(axis=1), free[:, a])


def test_sight_tells_where_one_is_and_touch_does_not():
    room = RoomStates()
    assert len(set(room.symbols("sight"))) == room.n_states > len(set(room.symbols("touch")))


@pytest.mark.parametrize(
    "goggles, flips", [("none", ()), ("left-right", (1,)), ("up-down", (0,)), ("half turn", (0, 1))]
)
def test_goggles_turn_what_is_seen_and_not_what_is_done(goggles, flips):
    world, bare = ReachStates(5, goggles), ReachStates(5)
    np.testing.assert_array_equal(world.following, bare.following)
    for sense in ("hand", "target"):
        expected = bare.senses[sense].copy()
        for axis in flips:
            expected[:, axis] = 4 - expected[:, axis]
        np.testing.assert_array_equal(world.senses[sense], expected)


def test_the_hand_moves_and_the_target_stays():
    world = ReachStates(4)
    after = world.states[world.following]
    assert (after[..., 2:] == world.states[:, None, 2:]).all()
    inner = (world.states[:, 0] > 0) & (world.states[:, 1] > 0)
    np.testing.assert_array_equal(after[inner, 0, :2], world.states[inner, :2] - (1, 0))
    np.testing.assert_array_equal(after[inner, 3, :2], world.states[inner, :2] - (0, 1))


def test_corridor_looks_differ_and_four_turns_lead_back():
    world = CorridorStates()
    assert len(set(world.symbols("image"))) == world.n_states == 48
    every = np.arange(world.n_states)
    for turn in (2, 3):
        path = world.walk(every, np.full((48, 4), turn))
        np.testing.assert_array_equal(path[:, 4], every)
        assert (path[:, 1:4] != every[:, None]).all()
    east = np.flatnonzero((world.states == (0, 0)).all(axis=1))
    assert world.states[world.walk(east, np.zeros((1, 20), int))[0, -1]].tolist() == [11, 0]


def test_the_corridor_shows_its_ends_and_comes_nearer_by_a_step():
    world = CorridorStates()
    image = world.senses["image"].reshape(-1, 2, 3)
    for place, heading in ((2, 0), (6, 0), (6, 2)):
        here = np.flatnonzero((world.states == (place, heading)).all(axis=1))
        ahead = world.following[here, 0]
        np.testing.assert_array_equal(image[here][..., 1:], image[ahead][..., :-1])
    at_the_end = np.flatnonzero((world.states == (11, 0)).all(axis=1))
    assert image[at_the_end].tolist() == [[[9, 10, 10], [9, 10, 10]]]


@pytest.mark.parametrize("response, swing", [("graded", [1, 2, 3, 3]), ("binary", [3, 3, 3, 3])])
def test_the_mobile_swings_for_the_limb_on_the_ribbon_alone(response, swing):
    world = MobileStates("left leg", response)
    mobile = world.senses["mobile"][:, 0]
    assert mobile[world.walk([0], [[4, 5, 15, 4]])[0, 1:]].tolist() == swing
    assert mobile[world.walk([0], [[4, 11, 11, 0]])[0, -1]] == max(swing[0] - 3, 0)
    np.testing.assert_array_equal(world.senses["limbs"][world.following[0, 11]], [1, 1, 0, 1])
    assert (MobileStates(None).senses["mobile"] == 0).all()


# --- rigid structures ----------------------------------------------------------------------------------------------


def slow_look(world, state):
    """What the eye sees, by painting the whole field."""
    field = np.arange(world.field**2).reshape(world.field, world.field)
    for which in reversed(range(world.n_structures)):
        for cell in range(world.size**2):
            row, column = state[2 + 2 * which : 4 + 2 * which] + np.divmod(cell, world.size)
            field[row % world.field, column % world.field] = world.field**2 + which * world.size**2 + cell
    return field[tuple(state[:2])]


@pytest.mark.parametrize("overlap", [False, True])
def test_the_eye_sees_what_is_painted(overlap):
    world, rng = RigidStructures(3, 3, 8, p_move=0.5, overlap=overlap), np.random.default_rng(0)
    seeds = np.arange(5, dtype=np.uint64)
    state, clock = world.begin(5, seeds), np.zeros(5, np.int64)
    for _ in range(60):
        before, actions = state.copy(), rng.integers(0, 8, (5, 1))
        seen = world.advance(state, clock, seeds, actions)
        assert seen[:, 1].tolist() == [slow_look(world, row) for row in state]
        moved = np.abs(state[:, 2:] - before[:, 2:])
        assert (np.minimum(moved, 8 - moved).sum(axis=1) <= 1).all()  # one structure, one cell
    assert not overlap or any(world._meet(row[2:].reshape(-1, 2)) for row in state)
    assert overlap or not any(world._meet(row[2:].reshape(-1, 2)) for row in state)


def test_an_agent_sees_the_same_alone_and_in_a_batch_in_one_walk_and_in_two():
    world, rng = RigidStructures(), np.random.default_rng(1)
    actions, seeds = rng.integers(0, 8, (6, 200)), np.arange(6)
    seen = world.walk(actions, seeds)
    np.testing.assert_array_equal(world.walk(actions[4:5], seeds[4:5])[0], seen[4])
    keys = seeds.astype(np.uint64)
    state, clock = world.begin(6, keys), np.zeros(6, np.int64)
    parts = [world.advance(state, clock, keys, actions[:, rows]) for rows in (slice(0, 70), slice(70, 200))]
    np.testing.assert_array_equal(np.hstack([parts[0], parts[1][:, 1:]]), seen)


def test_structures_drift_as_often_as_stated():
    world = RigidStructures(1, p_move=0.2)
    keys = np.arange(200, dtype=np.uint64)
    state, clock = world.begin(200, keys), np.zeros(200, np.int64)
    moved = 0
    for _ in range(50):
        before = state.copy()
        world.advance(state, clock, keys, np.zeros((200, 1), int))
        moved += (state[:, 2:] != before[:, 2:]).any(axis=1).sum()
    assert moved / 10_000 == pytest.approx(0.2, abs=0.02)


def test_crowded_fields_are_filled():
    world = RigidStructures(16, 3, 12)
    (state,) = world.begin(1, 0)
    assert not world._meet(state[2:].reshape(-1, 2))


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: ReachStates(1), ValueError, r"size is 1; an integer in 2\.\.16"),
        (lambda: ReachStates(goggles="upside down"), ValueError, "goggles must be"),
        (lambda: CorridorStates(2), ValueError, r"length is 2; an integer in 3\.\.32"),
        (lambda: MobileStates("tail"), ValueError, "limb must be"),
        (lambda: MobileStates(response="loud"), ValueError, "response must be"),
        (lambda: RoomStates(("#####", "#.#.#", "#####")), ValueError, r"\(1, 3\) cannot be reached"),
        (lambda: RigidStructures(17), ValueError, "n_structures must be at most 16"),
        (lambda: RigidStructures(field=3), ValueError, r"field is 3; an integer in 4\.\.256"),
        (lambda: RigidStructures(p_move=2.0), ValueError, "p_move"),
        (lambda: RigidStructures(overlap="yes"), TypeError, "overlap must be True or False"),
        (lambda: RigidStructures().walk([[8]], 0), ValueError, r"actions must be in 0\.\.7"),
        (lambda: RigidStructures().walk([0], 0), ValueError, "actions must have shape"),
        (lambda: RigidStructures().walk([[0.5]], 0), TypeError, "actions must be integers"),
    ],
)
def test_bad_worlds_are_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()
