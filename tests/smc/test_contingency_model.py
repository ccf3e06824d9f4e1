import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from smc import ContingencyModel, Transitions
from smc.plotting import plot_contingencies
from smc.worlds import GridWorld
from topology import storage

STEPS = st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(-2, 2)), min_size=1, max_size=30)


def slow_probability(steps, order, target, alpha, observation, action, outcome):
    """The back-off by its definition, over a list of all steps."""
    steps = [(o, a, n - o if target == "change" else n) for o, a, n in steps]
    outcomes = {c for _, _, c in steps} | {outcome}
    p = 1 / len(outcomes)
    same_action = [c for o, a, c in steps if a == action]
    same_both = [c for o, a, c in steps if a == action and o == observation]
    for seen in (same_action, same_both)[: order + 1]:
        p = (seen.count(outcome) + alpha * p) / (len(seen) + alpha)
    return p


def columns(steps):
    return np.transpose(steps)


def room(n=3000, seed=0, **options):
    return Transitions.from_env(GridWorld(**options), None, n, seed)


# --- probabilities -------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 1), st.sampled_from(["change", "next"]), st.sampled_from([0.3, 1.0, 5.0]))
def test_probabilities_and_surprise_follow_the_definition(steps, order, target, alpha):
    model = ContingencyModel(order, target, alpha=alpha).update(*columns(steps))
    queries = [(o, a) for o in (-2, 0, 2, 9) for a in (0, 1, 7)]
    table = model.predict_proba(*columns(queries))
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    for (o, a), row in zip(queries, table):
        expected = [slow_probability(steps, order, target, alpha, o, a, c) for c in model.outcomes_.tolist()]
        np.testing.assert_allclose(row, expected)
        np.testing.assert_array_equal(row, model.predict_proba(o, a))
        for following in (o, 1, 40):
            outcome = following - o if target == "change" else following
            p = slow_probability(steps, order, target, alpha, o, a, outcome)
            assert model.surprise(o, a, following) == pytest.approx(-np.log(p))


@settings(max_examples=25, deadline=None)
@given(STEPS, st.randoms(use_true_random=False), st.sampled_from(["change", "next"]))
def test_order_and_size_of_batches_do_not_matter(steps, random, target):
    whole = ContingencyModel(target=target).update(*columns(steps))
    shuffled = random.sample(steps, len(steps))
    single = ContingencyModel(target=target)
    for step in shuffled:
        single.update(*step)
    np.testing.assert_array_equal(whole.outcomes_, single.outcomes_)
    o, a = np.repeat(np.arange(-3, 4), 4), np.tile(np.arange(4), 7)
    np.testing.assert_array_equal(whole.predict_proba(o, a), single.predict_proba(o, a))
    assert whole.n_steps_ == single.n_steps_ == len(steps) and whole.n_contexts_ == single.n_contexts_


def test_arrays_are_symbols_like_numbers():
    rng = np.random.default_rng(0)
    o, a, n = rng.integers(0, 4, 200), rng.integers(0, 3, 200), rng.integers(0, 4, 200)
    digits = lambda numbers: np.stack([numbers // 2, numbers % 2], axis=-1).astype(np.uint8)  # noqa: E731
    numbers = ContingencyModel(target="next").update(o, a, n)
    arrays = ContingencyModel(target="next").update(digits(o), a[:, None], digits(n))
    np.testing.assert_array_equal(arrays.outcomes_, digits(numbers.outcomes_))
    np.testing.assert_array_equal(arrays.predict_proba(digits(o), a), numbers.predict_proba(o, a))
    assert arrays.surprise((1, 0), 2, (0, 1)) == numbers.surprise(2, 2, 1)


def test_changes_of_small_integers_do_not_wrap_around():
    model = ContingencyModel().update(np.array([[1, 0]], np.uint8), [0], np.array([[0, 0]], np.uint8))
    np.testing.assert_array_equal(model.outcomes_, [[-1, 0]])
    np.testing.assert_array_equal(model.predict(np.array([[1, 1]], np.uint8), [0]), [[0, 1]])


# --- what it is good for -------------------------------------------------------------------------------------------


def test_change_transfers_to_places_never_seen_and_next_does_not():
    def positions(n, seed, rows):
        """Steps within a wide room, from places in the given rows."""
        rng = np.random.default_rng(seed)
        before = np.stack([rng.choice(rows, n), rng.integers(1, 30, n)], axis=1)
        action = rng.integers(0, 4, n)
        return before, action, before + np.array([(-1, 0), (0, 1), (1, 0), (0, -1)])[action]

    known, unseen = positions(2000, 0, np.arange(0, 10)), positions(500, 1, np.arange(20, 30))
    change = ContingencyModel(target="change").update(*known)
    following = ContingencyModel(target="next").update(*known)
    assert (change.predict(*unseen[:2]) == unseen[2]).all()
    assert (following.predict(*unseen[:2]) == unseen[2]).all(axis=1).mean() < 0.01
    assert change.surprise(*unseen).mean() < 0.1 < 3.0 < following.surprise(*unseen).mean()
    # Where the agent has been, both know.
    assert (following.predict(*known[:2]) == known[2]).all(axis=1).mean() > 0.95


def test_a_room_is_learned_and_shuffled_actions_are_not():
    steps = room()
    model = ContingencyModel(target="next").fit(steps)
    seen, action, following = steps.observation["observation"], steps.action, steps.next_observation["observation"]
    assert (model.predict(seen, action) == following).all()
    shuffled = ContingencyModel(target="next").update(seen, np.random.default_rng(0).permutation(action), following)
    assert (shuffled.predict(seen, action) == following).all(axis=(1, 2)).mean() < 0.6
    assert model.surprise(seen, action, following).mean() < 0.1 < shuffled.surprise(seen, action, following).mean()


def test_the_context_matters_where_the_action_alone_does_not_tell():
    steps = room()
    seen, action, following = steps.observation["observation"], steps.action, steps.next_observation["observation"]
    alone, in_context = (
        ContingencyModel(order).fit(steps).surprise(seen, action, following).mean() for order in (0, 1)
    )
    assert in_context < 0.1 < 1.0 < alone


# --- information gain ----------------------------------------------------------------------------------------------


def test_information_gain_is_the_expected_change_of_belief():
    model = ContingencyModel(order=0, target="next", alpha=2.0).update([0] * 7, [0] * 7, [1, 1, 1, 1, 2, 2, 3])
    alphas = np.array([4, 2, 1]) + 2.0 / 3
    rng = np.random.default_rng(0)
    beliefs = rng.dirichlet(alphas, 400_000)
    mean = alphas / alphas.sum()
    entropy = lambda p: -(p * np.log(np.maximum(p, 1e-300))).sum(axis=-1)  # noqa: E731
    expected = entropy(mean) - entropy(beliefs).mean()
    assert model.information_gain(0, 0) == pytest.approx(expected, abs=1e-3)


def test_information_gain_vanishes_with_experience_however_random_the_outcome():
    rng = np.random.default_rng(0)
    model, gains = ContingencyModel(target="next"), []
    for n in (1, 10, 100, 1000, 10_000):
        model.update(np.zeros(n, int), np.zeros(n, int), rng.integers(0, 2, n))
        if n > 1:
            gains.append(model.information_gain(0, 0))
    assert (np.diff(gains) < 0).all() and gains[-1] < 1e-4
    assert model.information_gain(0, 1) > 0.1  # an action never tried
    batch = model.information_gain([0, 0], [0, 1])
    np.testing.assert_array_equal(batch, [model.information_gain(0, 0), model.information_gain(0, 1)])


# --- graph, drawing, files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["change", "next"])
def test_the_graph_has_an_edge_per_outcome_with_its_probability(target):
    steps = room(slip=0.3)
    model = ContingencyModel(target=target).fit(steps)
    graph = model.to_networkx()
    assert len(graph) == 24 and graph.graph["observation_shape"] == (3, 3)
    assert sum(count for *_, count in graph.edges(data="count")) == len(steps)
    for start, end, edge in list(graph.edges(data=True))[::7]:
        seen, following = np.reshape(start, (3, 3)), np.reshape(end, (3, 3))
        assert edge["probability"] == pytest.approx(np.exp(-model.surprise(seen, edge["action"], following)))


def test_nodes_of_a_number_world_are_numbers():
    graph = ContingencyModel().update([0, 1], [1, 1], [1, 2]).to_networkx()
    assert set(graph) == {0, 1, 2} and graph[1][2][1]["count"] == 1
    with pytest.raises(ValueError, match="order must be 1"):
        ContingencyModel(order=0).update(0, 1, 1).to_networkx()


def test_the_drawing_of_a_room_looks_like_the_room():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import FancyArrowPatch, Rectangle

    world = GridWorld()
    model = ContingencyModel(target="next").fit(room())
    ax = plot_contingencies(model, actions=["up", "right", "down", "left"])
    frames = [patch for patch in ax.patches if isinstance(patch, Rectangle)]
    arrows = [patch for patch in ax.patches if isinstance(patch, FancyArrowPatch)]
    graph = model.to_networkx()
    assert len(frames) == len(ax.images) == 24
    assert len(arrows) == sum(start != end for start, end in graph.edges())
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["up", "right", "down", "left"]
    # Places on the page are places in the room: one scale, one corner.
    drawn = np.array([frame.get_center() for frame in frames])
    place = {tuple(world.reset(options={"position": cell})[0].ravel()): cell for cell in np.argwhere(~world.walls)}
    true = np.array([(column, -row) for row, column in (place[node] for node in graph)])
    fit = np.linalg.lstsq(np.c_[true, np.ones(24)], drawn, rcond=None)[0]
    assert np.abs(np.c_[true, np.ones(24)] @ fit - drawn).max() < 0.1 * fit[0, 0]
    assert fit[0, 0] > 0 and fit[1, 1] > 0
    plt.close("all")


def test_the_drawing_takes_axes_positions_and_any_symbols():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.patches import Rectangle

    _, ax = plt.subplots()
    ring = ContingencyModel(target="next").update(np.arange(12) % 6, np.arange(12) // 6, (np.arange(12) + 1) % 6)
    positions = {i: (np.cos(i), np.sin(i)) for i in range(6)}
    assert plot_contingencies(ring, ax, positions=positions) is ax
    assert {text.get_text() for text in ax.texts} == set("012345")
    plot_contingencies(ContingencyModel().update((3, 4), 0, (3, 4)))  # one place, no way out
    fork = plot_contingencies(
        ContingencyModel().update([0, 0, 8, 9], [0, 0, 0, 0], [1, 2, 9, 8])
    )  # two ways, two parts
    corners = np.array([patch.get_xy() for patch in fork.patches if isinstance(patch, Rectangle)])
    assert len(corners) == 5 and pdist(corners, "chebyshev").min() > fork.patches[0].get_width()
    with pytest.raises(ValueError, match="positions must hold every observation; 5 is missing"):
        plot_contingencies(ring, positions={i: (0, i) for i in range(5)})
    with pytest.raises(ValueError, match="actions must name each of the actions"):
        plot_contingencies(ring, actions=["on"])
    plt.close("all")


@pytest.mark.parametrize("model", [ContingencyModel(), ContingencyModel(0, "next", alpha=0.5, modality="observation")])
def test_a_saved_model_knows_the_same(model, tmp_path):
    steps = room(500)
    model.fit(steps).save(tmp_path / "model")
    loaded = ContingencyModel.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params() and loaded.n_steps_ == 500
    query = steps.observation["observation"], steps.action
    np.testing.assert_array_equal(loaded.predict_proba(*query), model.predict_proba(*query))
    loaded.partial_fit(steps)
    model.partial_fit(steps)
    np.testing.assert_array_equal(loaded.predict_proba(*query), model.predict_proba(*query))


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "model"
    ContingencyModel().update(0, 1, 1).save(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(storage.CorruptFileError):
        ContingencyModel.load(path)
    parameters = {"order": 1, "target": "change", "alpha": 1.0, "modality": None}
    good = {"parameters": parameters, "shape": [], "n_digits": 1}
    steps, counts = np.array([[1, 0, 1]]), np.array([1])
    for arrays, metadata in [
        ({"steps": steps, "counts": counts}, good | {"parameters": {"order": 5}}),
        ({"steps": steps, "counts": counts}, {"parameters": parameters}),
        ({"steps": steps[:, :2], "counts": counts}, good),
        ({"steps": steps, "counts": counts * 0}, good),
        ({"steps": steps[:0], "counts": counts[:0]}, good),
        ({"steps": steps}, good),
    ]:
        storage.save(path, arrays, kind="ContingencyModel", metadata=metadata)
        with pytest.raises(storage.CorruptFileError):
            ContingencyModel.load(path)
    storage.save(path, {"steps": steps, "counts": counts}, kind="ContingencyModel", metadata=good)
    assert ContingencyModel.load(path).n_steps_ == 1


# --- bad input -----------------------------------------------------------------------------------------------------


def test_parameters_are_checked_and_clonable():
    assert clone(ContingencyModel(0, "next", alpha=3.0)).get_params()["alpha"] == 3.0
    for model, message in [
        (ContingencyModel(order=2), "order must be 0 or 1"),
        (ContingencyModel(target="previous"), "target must be one of"),
        (ContingencyModel(alpha=0.0), "alpha must be"),
    ]:
        with pytest.raises(ValueError, match=message):
            model.update(0, 0, 0)


@pytest.mark.parametrize(
    "arguments, error, message",
    [
        (([0.5], [0], [1]), TypeError, "observation must hold whole numbers"),
        (([0], ["up"], [1]), TypeError, "action must hold whole numbers"),
        (([0, 1], [0], [1]), ValueError, "observation must have 1 steps"),
        (([0], [0], [1, 2]), ValueError, "next_observation must have 1 steps"),
        (([0], [0], [(1, 2)]), ValueError, "must have the shape of observation"),
        (([], [], []), TypeError, "whole numbers"),
        ((np.zeros((0, 2), int), np.zeros(0, int), np.zeros((0, 2), int)), ValueError, "must not be empty"),
        (([0], [[[0]]], [0]), ValueError, r"shape \(n,\) or \(n, d\)"),
        (([(1, 1)], [0], [(1, 1)]), ValueError, r"observation must have shape \(\) per step"),
        (([0], [[0, 1]], [0]), ValueError, "1 integers per step"),
    ],
)
def test_steps_that_do_not_fit_are_refused_and_change_nothing(arguments, error, message):
    model = ContingencyModel().update([0], [0], [1])
    with pytest.raises(error, match=message):
        model.update(*arguments)
    assert model.n_steps_ == 1 and model.predict_proba(0, 0) == [1.0]


def test_questions_before_learning_and_of_another_shape_are_refused():
    for ask in (ContingencyModel().predict_proba, ContingencyModel().predict, ContingencyModel().information_gain):
        with pytest.raises(NotFittedError):
            ask(0, 0)
    with pytest.raises(NotFittedError):
        ContingencyModel().save("nowhere")
    with pytest.raises(ValueError, match="next_observation must have shape"):
        ContingencyModel().update(0, 0, 0).surprise(0, 0, (1, 2))


def test_the_sense_must_be_named_if_there_are_several():
    eye = np.zeros((3, 2), int)
    steps = Transitions({"eye": eye, "touch": eye[:, 0]}, np.zeros(3, int), {"eye": eye, "touch": eye[:, 0]})
    with pytest.raises(ValueError, match=r"modality must be one of \['eye', 'touch'\]; got None"):
        ContingencyModel().fit(steps)
    assert ContingencyModel(modality="touch").fit(steps).outcomes_.tolist() == [0]
    with pytest.raises(TypeError, match=r"transitions must be smc\.Transitions"):
        ContingencyModel().fit(eye)


def test_fit_forgets_and_partial_fit_does_not():
    steps = room(200)
    model = ContingencyModel().fit(steps).fit(steps)
    assert model.n_steps_ == 200 and model.partial_fit(steps).n_steps_ == 400
