"""The instruments of the experiments in small worlds measure what is known, and their verdicts can fail."""

import networkx as nx
import numpy as np
import pytest

from experiments import (
    active_vs_yoked,
    baby_mobile,
    dimension_of_space,
    inverted_goggles,
    objects_as_subgraphs,
    prediction_trees,
    sensory_substitution,
    space_from_prediction,
)
from smc.worlds import CorridorStates, RoomStates

# --- inverted_goggles ----------------------------------------------------------------------------------------------

FIRST = np.array([0, 400, 800, 1200, 1600])


def wrong_steps(*adapted, n_agents=5, before=0.0):
    """Agents that err with probability `before`, and always for so many steps after each change of goggles."""
    rng = np.random.default_rng(0)
    wrong = rng.random((n_agents, FIRST[-1])) < before
    for t, n in zip(FIRST[1:], adapted):
        wrong[:, t : t + n] = True
    return wrong


def test_steps_until_adapted_are_those_of_the_errors():
    before, after, steps = inverted_goggles.measures(wrong_steps(200, 30, 400), FIRST, 0.2)
    np.testing.assert_allclose(before, [[0.0, 0.0, 0.0]] * 5)
    np.testing.assert_allclose(after, [[1.0, 30 / 50, 1.0]] * 5)
    np.testing.assert_array_equal(steps, [[200 - 10, 30 - 10, 400]] * 5)


def test_a_reached_target_gives_way_to_another_and_others_stay():
    world, rng = inverted_goggles.ReachStates(4), np.random.default_rng(0)
    every = np.arange(len(world.states))
    after = inverted_goggles.new_targets(world, every, rng)
    reached = inverted_goggles.distance_left(world, every) == 0
    np.testing.assert_array_equal(world.states[after][:, :2], world.states[:, :2])
    np.testing.assert_array_equal(after[~reached], every[~reached])
    assert (inverted_goggles.distance_left(world, after) > 0).all()


def goggle_results(**changes):
    made = {
        "two memories": wrong_steps(300, 200, 100, before=0.03),
        "one memory": wrong_steps(150, 150, 150, before=0.03),
        "never forgets": wrong_steps(400, 0, 400, before=0.03),
        "shuffled actions": np.random.default_rng(1).random((5, FIRST[-1])) < 0.5,
    }
    results = {f"wrong {name}": np.stack([wrong] * 5) for name, wrong in (made | changes).items()}
    return results | {"starts": np.stack([FIRST] * 5), "criterion": np.full(5, 0.2), "swept": np.ones((5, 1))}


def test_verdict_on_goggles():
    assert inverted_goggles.verdict(goggle_results()).status == "PASS"
    four_of_five = np.where(np.arange(5)[:, None] < 4, wrong_steps(300, 200, 100), wrong_steps(100, 200, 300))
    for changes in (
        {"two memories": four_of_five},  # the mean would do, not the interval
        {"two memories": wrong_steps(100, 200, 300)},  # no savings
        {"two memories": wrong_steps(300, 0, 100)},  # no aftereffect
        {"never forgets": wrong_steps(200, 200, 400)},
        {"shuffled actions": wrong_steps(300, 300, 300)},
    ):
        assert inverted_goggles.verdict(goggle_results(**changes)).status == "FAIL"


# --- baby_mobile ---------------------------------------------------------------------------------------------------

PHASES = np.array([0, 12, 36, 48])


def rates(times, n_agents=40, seed=0):
    """Movements per minute, with the ribbon `times` as many of the tied limb."""
    rate = np.random.default_rng(seed).normal(10, 0.5, (n_agents, PHASES[-1], 4))
    rate[:, 12:36, baby_mobile.TIED] *= times
    return rate


def test_ratio_and_differentiation_see_the_limb_on_the_ribbon():
    assert baby_mobile.ratio(rates(3.0), PHASES) == pytest.approx(3.0, abs=0.05)
    assert (
        baby_mobile.differentiation(rates(1.5), PHASES) < 1e-6 < 0.01 < baby_mobile.differentiation(rates(1.0), PHASES)
    )
    assert baby_mobile.burst(rates(3.0), PHASES).mean() == 0.0 and baby_mobile.burst(rates(0.3), PHASES).all()


def test_bins_count_movements_per_minute():
    moved = np.zeros((1, 40, 4), bool)
    moved[0, :5, 2] = True  # five movements in the first ten seconds
    np.testing.assert_allclose(baby_mobile.in_bins(moved)[0, :, 2], [30.0, 0.0])


def test_verdict_on_the_mobile():
    def results(**changes):
        times = {"contingent": 3.0, "binary": 4.0, "yoked": 1.0, "shuffled_actions": 1.0, "no_ribbon": 1.0, **changes}
        made = {
            f"rate {name.replace('_', ' ')}": np.stack([rates(t, seed=s) for s in range(5)])
            for name, t in times.items()
        }
        return made | {"phases": np.stack([PHASES] * 5), "swept": np.ones((5, 1))}

    assert baby_mobile.verdict(results()).status == "PASS"
    for changes in ({"contingent": 1.5}, {"contingent": 6.0}, {"yoked": 1.6}, {"shuffled_actions": 1.6}):
        assert baby_mobile.verdict(results(**changes)).status == "FAIL"


# --- active_vs_yoked -----------------------------------------------------------------------------------------------


class Knowing:
    """A model that knows the corridor."""

    def __init__(self, world):
        self.state_of = {image.tobytes(): i for i, image in enumerate(world.senses["image"])}
        self.world = world

    def predict(self, image, action):
        states = [self.state_of[row.tobytes()] for row in image]
        return self.world.senses["image"][self.world.following[states, action[:, 1]]]

    def surprise(self, image, action, after):
        return (self.predict(image, action) != after).any(axis=1).astype(float)


def test_who_knows_the_corridor_chooses_and_predicts_without_error():
    world = CorridorStates(6, 0)
    model, rng = Knowing(world), np.random.default_rng(0)
    assert active_vs_yoked.right_choices(model, world, 2, rng).tolist() == [1.0, 1.0]
    assert active_vs_yoked.prediction_error(model, world, learner=1) == 0.0


def test_a_replayed_agent_does_what_the_other_did():
    world, rng = CorridorStates(6, 0), np.random.default_rng(0)
    done = rng.integers(0, 4, (30, 1))
    curve, again = active_vs_yoked.act(world, 3, active_vs_yoked.YokedReplay(done), np.array([15, 30]), rng)
    np.testing.assert_array_equal(again, done)
    assert 0.0 < curve[1] <= curve[0] < 1.0


def test_who_knows_nothing_chooses_by_chance():
    world, rng = CorridorStates(6, 0), np.random.default_rng(0)
    ignorant = Knowing(world)
    ignorant.surprise = lambda image, action, after: np.zeros(len(image))
    right = active_vs_yoked.right_choices(ignorant, world, 100, rng).mean()
    assert right == pytest.approx(active_vs_yoked.chance(world), abs=0.02)


def test_misread_commands_are_other_commands():
    rng = np.random.default_rng(0)
    commands = rng.integers(0, 4, (10, 500))
    assert (active_vs_yoked.read(commands, 0.2, rng) != commands).mean() == pytest.approx(0.2, abs=0.02)
    np.testing.assert_array_equal(active_vs_yoked.read(commands, 0.0, rng), commands)


def test_verdict_on_yoked_learners():
    def results(another=0.2, free=0.99, **changes):
        right = {
            "active": 0.99,
            "own": 0.25,
            "none": 0.25,
            "actor": 0.99,
            "shuffled": 0.25,
            "memoryless": 0.3,
        } | changes
        curves = {"own choice": 0.1, "another's choice": another, "random": 0.3}
        made = {f"bound {name}": x for name, x in zip(active_vs_yoked.LEARNERS, right.values(), strict=True)}
        made |= {"free own commands": free, "free no commands": free}
        results = {key: np.full((5, 10), value) for key, value in made.items()}
        results |= {f"curve {name}": np.full((5, 10, 2), error) for name, error in curves.items()}
        return results | {"chance": np.full(5, 0.3), "swept": np.ones((5, 1))}

    assert active_vs_yoked.verdict(results()).status == "PASS"
    for changes in (
        {"active": 0.8, "actor": 0.8, "free": 0.8},
        {"actor": 0.9},
        {"own": 0.7},
        {"none": 0.7},
        {"shuffled": 0.7},
        {"free": 0.9},
        {"another": 0.1},
    ):
        assert active_vs_yoked.verdict(results(**changes)).status == "FAIL"


# --- objects_as_subgraphs ------------------------------------------------------------------------------------------


def test_score_of_a_graph_of_two_parts():
    graph = nx.MultiDiGraph()
    for a, b in [(0, 1), (1, 2), (2, 0), (3, 4), (4, 5), (5, 3)]:
        graph.add_edge(a, b, key="on", probability=1.0)
        graph.add_edge(a, a, key="stay", probability=1.0)
    labels = np.array([0, 0, 0, 1, 1, 1])
    assert objects_as_subgraphs.scores(graph, labels, 0) == [1.0, 1.0]
    assert objects_as_subgraphs.scores(graph, np.array([0, 1, 0, 1, 0, 1]), 0)[0] < 0.2


def test_structures_that_never_move_stand_in_the_same_places_for_all():
    config = objects_as_subgraphs.SMOKE
    seen, actions, world = objects_as_subgraphs.explore(config, 0, p_move=0.0, p_drawn=0.0)
    graph = objects_as_subgraphs.learn(seen, actions, world)
    certain = [p for *_, p in graph.edges(data="count")]
    pairs = {(a, key) for a, _, key in graph.edges(keys=True)}
    assert len(pairs) == len(certain)  # each action leads to one place from each


def test_a_drawn_gaze_goes_to_the_same_place_of_the_next_structure():
    world, rng = objects_as_subgraphs.RigidStructures(3, 2, 8, p_move=0.0), np.random.default_rng(0)
    seeds = rng.integers(2**64, size=30, dtype=np.uint64)
    state, actions = world.begin(30, seeds), rng.integers(0, 8, (30, 200))
    seen = objects_as_subgraphs.watch(world, state, seeds, actions, np.ones((30, 200), bool))
    before, after = seen[:, :-1], seen[:, 1:]
    on = world.labels[before] > 0
    assert on.any()
    np.testing.assert_array_equal(after[on] - 64, (before[on] - 64 + 4) % 12)
    state = world.begin(30, seeds)
    undrawn = objects_as_subgraphs.watch(world, state, seeds, actions, np.zeros((30, 200), bool))
    np.testing.assert_array_equal(undrawn, world.walk(actions, seeds))


def test_verdict_on_objects():
    def results(found=1.0, **changes):
        made = {"shuffled": 0.05, "never moving": 0.0, "succession alone": 0.3, "permuted labels": 0.0} | changes
        of = {key: np.full((5, 1, 2), value) for key, value in made.items()}
        return {
            "main": np.tile([1.0, found], (5, 1)),
            "shuffled": of["shuffled"],
            "shuffled_lengths": np.full((5, 1), 5000),
            "controls": np.concatenate([of[name] for name in objects_as_subgraphs.CONTROLS], axis=1),
            "undrawn": np.ones((5, 2, 2)),
            "swept": np.ones((5, 1, 2, 1, 1, 2)),
        }

    assert objects_as_subgraphs.verdict(results()).status == "PASS"
    for changes in ({"found": 0.5}, {"shuffled": 0.6}, {"never moving": 0.6}, {"succession alone": 0.6}):
        assert objects_as_subgraphs.verdict(results(**changes)).status == "FAIL"


# --- sensory_substitution ------------------------------------------------------------------------------------------


def test_a_law_learned_with_sight_is_that_of_the_room():
    room, rng = RoomStates(), np.random.default_rng(0)
    actions = rng.integers(0, 4, 3000)
    law = sensory_substitution.learn_law(room, actions, actions, rng)
    seen = room.symbols("sight")
    np.testing.assert_array_equal(law[seen], seen[room.following])


def test_with_the_law_every_place_need_be_felt_but_once():
    """On a ring of four places an agent feels each, then predicts all without error."""
    law = np.stack([(np.arange(4) + 1) % 4, (np.arange(4) - 1) % 4], axis=1)
    done = np.array([[0] * 8 + [1] * 8 + [0, 1] * 4])
    place = np.concatenate([[[0]], np.cumsum(np.where(done == 0, 1, -1), axis=1)], axis=1) % 4
    right = sensory_substitution.bind(law, np.array([5, 2, 0, 3])[place], done, 0.2)
    assert right[0, 8:].all() and not right[0, :3].all()


def test_steps_to_the_criterion():
    right = np.zeros((3, 100), bool)
    right[0, 30:] = True
    right[1] = True
    steps = sensory_substitution.steps_to(right, 0.9)
    assert steps.tolist() == [30 + 18, sensory_substitution.WINDOW, 100]


def test_verdict_on_substitution():
    def results(**changes):
        steps = {"law kept": 30, "from scratch": 120, "from scratch, depth 3": 150, "law shuffled": 300}
        steps = steps | {"law from shuffled actions": 300} | changes
        right = {name: np.tile(np.arange(300) >= n, (5, 4, 1)) for name, n in steps.items()}
        made = {f"{sense}: {name}": of for sense in sensory_substitution.SENSES for name, of in right.items()}
        return made | {"criterion": np.full(5, 0.9), "chance": np.full((5, 2), 0.2), "swept": np.full((5, 1, 2), 0.3)}

    assert sensory_substitution.verdict(results()).status == "PASS"
    for changes in ({"law kept": 80}, {"law shuffled": 60}, {"law from shuffled actions": 60}, {"from scratch": 50}):
        assert sensory_substitution.verdict(results(**changes)).status == "FAIL"


# --- space_from_prediction -----------------------------------------------------------------------------------------


def test_a_code_that_is_affine_in_the_position_has_no_error():
    motor, position = space_from_prediction.motor_states()
    np.testing.assert_allclose(2 * motor[:, :2] ** 3, position, atol=1e-9)
    code = position @ np.array([[1.0, 2.0, 0.5], [-1.0, 0.3, 2.0]]) + 3.0
    assert space_from_prediction.metric_error(code, position) == pytest.approx(0.0, abs=1e-9)
    assert space_from_prediction.topology_error(code, position) == pytest.approx(0.0, abs=1e-9)
    assert space_from_prediction.metric_error(motor, position) > 0.05
    assert space_from_prediction.topology_error(motor, position) > 0.3


def test_the_world_moves_as_each_regime_says():
    _, position = space_from_prediction.motor_states()
    rng = np.random.default_rng(0)
    place = np.arange(space_from_prediction.TORUS**2).reshape(space_from_prediction.TORUS, -1, 1)
    motors, sensed = space_from_prediction.transitions(position, place, (20, 50), rng)
    cells = np.stack(np.divmod(sensed[..., 0].astype(int), space_from_prediction.TORUS), axis=-1)
    world = (cells - position[motors]) % space_from_prediction.TORUS
    within = [(world[i, ..., 0, :] == world[i, ..., 1, :]).all(axis=-1).mean() for i in range(4)]
    assert within[0] < 0.05 and within[1] == within[2] == 1.0 and within[3] < 0.2
    assert (world[1] == 0).all() and len(np.unique(world[2].reshape(-1, 2), axis=0)) == 100


def test_verdict_on_space():
    def results(**changes):
        metric = {"MEM": 0.5, "MM": 0.2, "MME": 0.05, "shuffled": 0.5, "untrained": 0.3, "motor": 0.1, **changes}
        values = np.stack([list(metric.values())] * 5) * np.linspace(0.9, 1.1, 5)[:, None]
        return {"metric": values, "topology": values}

    assert space_from_prediction.verdict(results()).status == "PASS"
    for changes in ({"MME": 0.3}, {"MEM": 0.1}, {"shuffled": 0.1}):
        assert space_from_prediction.verdict(results(**changes)).status == "FAIL"


# --- dimension_of_space --------------------------------------------------------------------------------------------


def bodies(d=(6, 6, 7), parted=0, n_right=30):
    exact = np.tile(dimension_of_space.expected(), (30, 1, 1))
    exact[:n_right, :, 3] = d
    exact[n_right:, :, 3] += 1
    one = {"exact": exact, "parted": np.full((30, 3, 4), parted), "sampled": exact[:, :, None]}
    return one | {"swept": exact[:, :, None, None]}


def test_verdict_on_the_dimension_of_space():
    assert (
        dimension_of_space.verdict(bodies()).status == dimension_of_space.verdict(bodies(n_right=29)).status == "PASS"
    )
    for results in (bodies(d=(6, 6, 6)), bodies(n_right=28), bodies(parted=1)):
        assert dimension_of_space.verdict(results).status == "FAIL"


# --- prediction_trees ----------------------------------------------------------------------------------------------


def test_verdict_on_prediction_trees():
    floor = np.array([0.22, 0.13, 0.09, 0.07])

    def errors(excess=0.001):
        return np.tile([np.maximum(floor, floor[depth]) + excess for depth in range(4)], (5, 1, 1))

    def results(late=0.09, shuffled=0.5, **changes):
        made = {"error_next": errors(), "error_more": errors(), "late_next": np.full((5, 4, 4), late)} | changes
        made |= {"error_shuffled": np.full((5, 3, 4), shuffled), "error_swept": made["error_next"][:, None, :3]}
        floors = {"floor": floor, "floor_more": floor, "floor_unseen_actions": np.full(4, 0.45)}
        return made | {key: np.tile(value, (5, 1)) for key, value in floors.items()}

    assert prediction_trees.verdict(results()).status == "PASS"
    assert prediction_trees.sweep(results()) == (1, 1)
    flat = np.tile(floor[:1] * 0 + 0.07, (5, 4, 4))
    for changes in ({"late": 0.12}, {"shuffled": 0.4}, {"error_more": errors(0.02)}, {"error_next": flat}):
        assert prediction_trees.verdict(results(**changes)).status == "FAIL"
    assert prediction_trees.sweep(results(error_next=flat)) == (0, 1)
