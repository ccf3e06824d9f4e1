import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from slow_contingencies import SlowContingencies

from smc import ContingencyModel, Transitions
from smc.plotting import plot_contingencies
from smc.worlds import GridWorld
from topology import History, storage

STEPS = st.lists(st.tuples(st.integers(-2, 2), st.integers(0, 2), st.integers(-2, 2)), min_size=1, max_size=30)


EPISODES = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 1)), min_size=2, max_size=12), min_size=1, max_size=4
)
LIMITS = st.fixed_dictionaries(
    {
        "order": st.integers(0, 4),
        "alpha": st.sampled_from([0.3, 1.0, 5.0]),
        "forgetting": st.sampled_from([0.0, 0.0, 0.1, 0.9]),
        "min_parent": st.integers(0, 3),
        "max_contexts": st.sampled_from([None, None, 10, 13, 20]),
    }
)


def slow_model(steps, order, alpha=1.0, **limits):
    slow = SlowContingencies(order, alpha, **limits)
    for o, a, outcome in steps:
        slow.learn(o, a, [], outcome)
    return slow


def outcomes_of(steps, target):
    return [(o, a, n - o if target == "change" else n) for o, a, n in steps]


def unrolled(episodes):
    """Steps (episode, observation, action, pairs before, next observation) of episodes of (observation, action)."""
    for number, episode in enumerate(episodes):
        for t in range(len(episode) - 1):
            yield number, *episode[t], episode[:t], episode[t + 1][0]


def history_of(past):
    return (np.array([o for o, _ in past], int), np.array([a for _, a in past], int)) if past else None


def columns(steps):
    return np.transpose(steps)


def room(n=3000, seed=0, **options):
    return Transitions.from_env(GridWorld(**options), None, n, seed)


# --- probabilities -------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(EPISODES, LIMITS, st.sampled_from(["change", "next"]), st.integers(0, 2), st.integers(0, 2))
def test_every_number_is_that_of_a_dictionary(episodes, limits, target, observation, action):
    steps = list(unrolled(episodes))
    slow, model = SlowContingencies(**limits), ContingencyModel(target=target, **limits)
    for _, o, a, past, following in steps:
        outcome = following - o if target == "change" else following
        if model.__dict__.get("_tree"):
            p = slow.probability(o, a, past, outcome)
            assert model.surprise(o, a, following, history=history_of(past)) == pytest.approx(-np.log(p))
        slow.learn(o, a, past, outcome)
        model.update(o, a, following, history=history_of(past))
    past = episodes[0][-3:]
    expected = [slow.probability(observation, action, past, c) for c in model.outcomes_.tolist()]
    found = model.predict_proba(observation, action, history=history_of(past))
    np.testing.assert_allclose(found, expected)
    predicted = model.predict(observation, action, history=history_of(past))
    outcome = predicted - observation if target == "change" else predicted
    equal = np.flatnonzero(np.array(expected) > max(expected) * (1 - 1e-12))
    assert outcome == model.outcomes_[equal[0]]
    assert model.n_steps_ == len(steps)
    assert model.n_contexts_ == sum(len(context) == limits["order"] + 1 for context in slow.counts)


@settings(max_examples=60)
@given(EPISODES, LIMITS)
def test_whole_episodes_give_the_counts_of_single_steps(episodes, limits):
    group, o, a, past, following = zip(*unrolled(episodes))
    steps = Transitions({"o": np.array(o)}, np.array(a), {"o": np.array(following)}, group=np.array(group))
    streamed, surprises = ContingencyModel(**limits), []
    for step in zip(o, a, following, past):
        if surprises or streamed.__dict__.get("_tree"):
            surprises.append(streamed.surprise(*step[:3], history=history_of(step[3])))
        streamed.update(*step[:3], history=history_of(step[3]))
    batch, online = ContingencyModel(**limits).fit(steps), ContingencyModel(**limits)
    surprise, right = online.prequential(steps)
    np.testing.assert_allclose(surprise[1:], surprises)
    assert surprise[0] == right[0] == 0.0  # the only outcome, but not yet known
    queries = np.repeat(np.arange(3), 2), np.tile(np.arange(2), 3)
    before = tuple(np.tile(part, (6, 1)) for part in history_of(episodes[-1][:2]))
    for model in (batch, online):
        np.testing.assert_array_equal(
            model.predict_proba(*queries, history=before), streamed.predict_proba(*queries, history=before)
        )
        assert model.n_contexts_ == streamed.n_contexts_


@settings(max_examples=40)
@given(STEPS, st.integers(0, 1), st.sampled_from(["change", "next"]), st.sampled_from([0.3, 1.0, 5.0]))
def test_probabilities_and_surprise_follow_the_definition(steps, order, target, alpha):
    model = ContingencyModel(order, target, alpha=alpha).update(*columns(steps))
    slow = slow_model(outcomes_of(steps, target), order, alpha)
    queries = [(o, a) for o in (-2, 0, 2, 9) for a in (0, 1, 7)]
    table = model.predict_proba(*columns(queries))
    np.testing.assert_allclose(table.sum(axis=1), 1.0)
    for (o, a), row in zip(queries, table):
        np.testing.assert_allclose(row, [slow.probability(o, a, [], c) for c in model.outcomes_.tolist()])
        np.testing.assert_array_equal(row, model.predict_proba(o, a))
        for following in (o, 1, 40):
            outcome = following - o if target == "change" else following
            p = slow.probability(o, a, [], outcome)
            assert model.surprise(o, a, following) == pytest.approx(-np.log(p))


@settings(max_examples=40)
@given(EPISODES, st.integers(2, 4), st.randoms(use_true_random=False))
def test_the_order_of_steps_changes_nothing_where_nothing_is_left_out(episodes, order, random):
    steps = list(unrolled(episodes))
    models = ContingencyModel(order), ContingencyModel(order)
    for model, chosen in zip(models, (steps, random.sample(steps, len(steps)))):
        for _, o, a, past, following in chosen:
            model.update(o, a, following, history=history_of(past))
    for _, o, a, past, _ in steps:
        first, second = (model.predict_proba(o, a, history=history_of(past)) for model in models)
        np.testing.assert_array_equal(first, second)


@settings(max_examples=25)
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


def test_longer_contexts_tell_apart_what_looks_the_same():
    """On a ring of places that show 0, 0, 1, one step back tells which 0 it is."""
    place = np.arange(301) % 3
    seen = (place == 2).astype(int)
    steps = Transitions({"eye": seen[:-1]}, np.zeros(300, int), {"eye": seen[1:]}, group=np.zeros(300, int))
    right = [ContingencyModel(order).prequential(steps)[1][20:].mean() for order in (1, 2, 3)]
    assert right[0] < 0.7 and right[1:] == [1.0, 1.0]


def test_what_is_forgotten_makes_way_for_what_holds_now():
    before, after = np.zeros(100, int), np.ones(10, int)
    lasting, forgetting = ContingencyModel(target="next"), ContingencyModel(target="next", forgetting=0.2)
    for model in (lasting, forgetting):
        model.update(before, before, before).update(after * 0, after * 0, after)
    assert lasting.predict(0, 0) == 0 and forgetting.predict(0, 0) == 1
    total = (1 - 0.8**110) / 0.2  # of the weights of all steps
    fading = (1 - 0.8**10) / 0.2
    p = (fading + (fading + 0.5) / (total + 1)) / (total + 1)
    assert forgetting.predict_proba(0, 0)[1] == pytest.approx(p)
    # Counts keep their proportions when their unit is changed on the way.
    o = np.zeros(5000, int)
    long = ContingencyModel(target="next", forgetting=0.5).update(o, o, np.arange(5000) % 2)
    assert long.predict_proba(0, 0)[1] == pytest.approx((4 / 3 + (4 / 3 + 0.5) / 3) / 3)


def test_a_full_table_keeps_what_was_met_last():
    rng = np.random.default_rng(0)
    model = ContingencyModel(1, "next", max_contexts=40)
    for n in range(60):
        places = rng.integers(0, 10, 50) + n
        model.update(places, places * 0, places)
        assert model.n_contexts_ < 40
    assert (model.predict(places, places * 0) == places).all()
    assert model.surprise(places[0], 0, places[0]) < 0.5 < 3.0 < model.surprise(2, 0, 2)


def test_the_contrast_is_what_the_action_adds():
    """Action 1 moves on; action 0 and 2 leave things as they are, but at place 5 all of them move."""
    rng = np.random.default_rng(0)
    o, a = rng.integers(0, 6, 3000), rng.integers(0, 3, 3000)
    moved = o + ((a == 1) | (o == 5))
    for target in ("change", "next"):
        model = ContingencyModel(target=target).update(o, a, moved)
        contrast = model.contrast([0, 0, 0, 5], [1, 0, 2, 1])
        np.testing.assert_allclose(contrast, [1.0, -0.5, -0.5, 0.0], atol=0.05)
        assert model.contrast(0, 1) == contrast[0]
        change = [1.0 - np.exp(-model.surprise(0, action, 0)) for action in range(3)]
        assert contrast[0] == pytest.approx(change[1] - (change[0] + change[2]) / 2)
    with pytest.raises(ValueError, match="only one action was ever met"):
        ContingencyModel().update(0, 0, 1).contrast(0, 0)


def test_learning_can_be_watched_and_stopped():
    steps = room(10_000, slip=0.2)
    history = History(store=("n_steps", "n_contexts", "surprise"))
    watched = ContingencyModel().fit(steps, callback=history)
    record = history.to_dict()
    assert record["n_steps"].tolist() == [4096, 8192, 10_000]
    assert record["surprise"][0] > record["surprise"][1] > 0
    expected = ContingencyModel().prequential(steps)[0]
    np.testing.assert_allclose(record["surprise"][1], expected[4096:8192].mean())
    np.testing.assert_array_equal(watched.outcomes_, ContingencyModel().fit(steps).outcomes_)
    stopped = ContingencyModel().fit(steps, callback=lambda state, step: True)
    part = ContingencyModel().fit(steps[:4096])
    assert stopped.n_steps_ == 4096
    query = steps.observation["observation"][:50], steps.action[:50]
    np.testing.assert_array_equal(stopped.predict_proba(*query), part.predict_proba(*query))


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


@pytest.mark.parametrize(
    "model",
    [
        ContingencyModel(),
        ContingencyModel(0, "next", alpha=0.5, modality="observation"),
        ContingencyModel(3, forgetting=0.01, min_parent=1, max_contexts=200),
    ],
)
def test_a_saved_model_knows_the_same(model, tmp_path):
    steps = room(500)
    model.fit(steps).save(tmp_path / "model")
    loaded = ContingencyModel.load(tmp_path / "model")
    assert loaded.get_params() == model.get_params() and loaded.n_steps_ == 500
    query = steps.observation["observation"], steps.action
    np.testing.assert_allclose(loaded.predict_proba(*query), model.predict_proba(*query), rtol=1e-12)
    loaded.partial_fit(steps)
    model.partial_fit(steps)
    np.testing.assert_allclose(loaded.predict_proba(*query), model.predict_proba(*query), rtol=1e-12)


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "model"
    ContingencyModel().update(0, 1, 1).save(path)
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)
    with pytest.raises(storage.CorruptFileError):
        ContingencyModel.load(path)
    o, zeros = np.arange(5), np.zeros(5, int)
    model = ContingencyModel(2).fit(Transitions({"o": o}, zeros, {"o": o + 1}, group=zeros))
    model.save(path)
    good, metadata = storage.load(path, kind="ContingencyModel", version=2)

    def damaged(name, change):
        arrays = {key: array.copy() for key, array in good.items()}
        arrays[name] = change(arrays[name])
        return arrays

    def with_entry(row, column, value):
        def change(array):
            array[row, column] = value
            return array

        return change

    def twice(array):
        return np.concatenate([array, array[-1:]])

    for arrays, header in [
        (good, metadata | {"parameters": metadata["parameters"] | {"order": 5}}),
        (good, metadata | {"parameters": metadata["parameters"] | {"order": 1}}),  # less than the contexts have
        (good, metadata | {"parameters": metadata["parameters"] | {"max_contexts": 3}}),
        (good, {"parameters": metadata["parameters"]}),
        (good, metadata | {"n_steps": 1}),  # before the last one was counted
        (damaged("counts", lambda counts: -counts), metadata),
        (damaged("counts", lambda counts: counts[:-1]), metadata),
        (damaged("cells", lambda cells: cells + 9), metadata),
        (damaged("outcomes", twice), metadata),
        (damaged("contexts", twice), metadata),
        (damaged("contexts", with_entry(0, 0, 2)), metadata),  # its own descendant
        (damaged("contexts", with_entry(0, 4, 0)), metadata),
        (damaged("contexts", with_entry(1, 1, 77)), metadata),  # an observation that there is not
        (damaged("observations", lambda rows: np.hstack([rows, rows])), metadata),
        ({name: array for name, array in good.items() if name != "cells"}, metadata),
    ]:
        storage.save(path, arrays, kind="ContingencyModel", version=2, metadata=header)
        with pytest.raises(storage.CorruptFileError):
            ContingencyModel.load(path)
    storage.save(path, good, kind="ContingencyModel", version=2, metadata=metadata)
    assert ContingencyModel.load(path).n_steps_ == 5


def test_a_copy_lives_its_own_life():
    steps = room(300)
    model = ContingencyModel().fit(steps)
    other = copy.deepcopy(model)
    query = steps.observation["observation"], steps.action
    before = model.predict_proba(*query)
    other.partial_fit(room(300, seed=1, slip=0.5))
    np.testing.assert_array_equal(model.predict_proba(*query), before)
    assert other.n_steps_ == 600 and np.abs(other.predict_proba(*query).sum(axis=1) - 1.0).max() < 1e-9


# --- bad input -----------------------------------------------------------------------------------------------------


def test_parameters_are_checked_and_clonable():
    assert clone(ContingencyModel(0, "next", alpha=3.0)).get_params()["alpha"] == 3.0
    for model, message in [
        (ContingencyModel(order=5), "order must be an integer from 0 to 4"),
        (ContingencyModel(order=True), "order must be an integer from 0 to 4"),
        (ContingencyModel(order=1.5), "order must be an integer from 0 to 4"),
        (ContingencyModel(order=1.0), "order must be an integer from 0 to 4"),
        (ContingencyModel(forgetting=-0.1), "forgetting must be in"),
        (ContingencyModel(forgetting=1.0), "forgetting must be in"),
        (ContingencyModel(min_parent=-1), "min_parent must be at least 0"),
        (ContingencyModel(order=3, max_contexts=7), "max_contexts must be at least 8"),
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
        (([], [], []), ValueError, "action must not be empty"),
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


def test_episodes_must_be_whole():
    o, a = np.array([0, 1, 2, 3]), np.zeros(4, int)
    with pytest.raises(ValueError, match="transitions must have a group"):
        ContingencyModel(2).fit(Transitions({"o": o}, a, {"o": o + 1}))
    torn = Transitions({"o": o}, a, {"o": o + 1}, group=np.zeros(4, int))[np.array([0, 2, 3])]
    with pytest.raises(ValueError, match="steps 0 and 1 follow each other in group 0, but"):
        ContingencyModel(2).fit(torn)
    apart = Transitions({"o": o}, a, {"o": o + 1}, group=np.array([0, 1, 2, 3]))
    assert ContingencyModel(2).fit(apart).n_contexts_ == 0  # each the first of its episode


@pytest.mark.parametrize(
    "history, error, message",
    [
        ([0], TypeError, "history must be a pair"),
        ((np.zeros((2, 1), int), np.zeros((2, 2), int)), ValueError, "history must hold observations of shape"),
        ((np.zeros((1, 1), int), np.zeros((1, 1), int)), ValueError, "with n = 2 steps"),
        ((np.zeros((2, 1)), np.zeros((2, 1), int)), TypeError, r"history\[0\] must hold whole numbers"),
        ((np.zeros((2, 1), int), np.zeros((2, 1, 2), int)), ValueError, "history must hold"),
        ((np.zeros(2, int), np.zeros(2, int)), ValueError, "history must hold"),
    ],
)
def test_histories_that_do_not_fit_are_refused_and_change_nothing(history, error, message):
    model = ContingencyModel(2).update([0, 1], [0, 0], [1, 2])
    for ask in (model.predict, lambda *step, history: model.update(*step, [1, 2], history=history)):
        with pytest.raises(error, match=message):
            ask([0, 1], [0, 0], history=history)
    assert model.n_steps_ == 2


def test_too_many_actions_are_refused():
    n = 5000
    model = ContingencyModel(0).update(0, 0, 0)
    with pytest.raises(ValueError, match="action must have at most 4096 distinct values; got 5000"):
        model.update(np.zeros(n, int), np.arange(n), np.zeros(n, int))
    assert model.n_steps_ == 1 and model.update(0, 1, 1).n_steps_ == 2


@pytest.mark.parametrize(
    "changed", [{"order": 0}, {"target": "next"}, {"alpha": 7.0}, {"forgetting": 0.5}, {"min_parent": 3}]
)
def test_counts_keep_the_parameters_they_were_made_with(changed, tmp_path):
    steps = room(200)
    model, changed_model = (ContingencyModel(1, "change", alpha=2.0).fit(steps) for _ in range(2))
    changed_model.set_params(**changed)
    seen, following = (side["observation"] for side in (steps.observation, steps.next_observation))
    for answer in ("predict", "predict_proba", "information_gain", "contrast"):
        expected = getattr(model, answer)(seen, steps.action)
        np.testing.assert_array_equal(getattr(changed_model, answer)(seen, steps.action), expected)
    expected = model.surprise(seen, steps.action, following)
    np.testing.assert_array_equal(changed_model.surprise(seen, steps.action, following), expected)
    assert list(changed_model.to_networkx().edges(data=True)) == list(model.to_networkx().edges(data=True))
    (name,) = changed
    for learn in (changed_model.partial_fit, changed_model.prequential):
        with pytest.raises(ValueError, match=f"{name} must stay"):
            learn(steps)
    with pytest.raises(ValueError, match=f"{name} must stay"):
        changed_model.update(seen[0], steps.action[0], following[0])
    changed_model.save(tmp_path / "model")
    restored = ContingencyModel.load(tmp_path / "model")
    assert restored.get_params() == model.get_params() and restored.n_steps_ == 200
    assert changed_model.fit(steps).n_steps_ == 200


def test_parameters_may_be_numbers_of_numpy(tmp_path):
    model = ContingencyModel(
        np.int64(1), alpha=np.float32(0.5), forgetting=np.float64(0.1), min_parent=np.int32(1), max_contexts=np.int64(9)
    ).update([0, 1, 2], [0, 1, 0], [1, 2, 0])
    model.save(tmp_path / "model")
    restored = ContingencyModel.load(tmp_path / "model").update(0, 1, 2)
    np.testing.assert_array_equal(restored.predict_proba(0, 0), model.update(0, 1, 2).predict_proba(0, 0))


def test_numbers_that_would_wrap_are_refused():
    large = np.uint64(2**64 - 2)
    with pytest.raises(ValueError, match="observation must be at most 9223372036854775807; got 18446744073709551614"):
        ContingencyModel(target="next").update(large, 0, 1)
    with pytest.raises(ValueError, match="action must be at most"):
        ContingencyModel().update(0, large, 1)
    with pytest.raises(ValueError, match=r"history\[1\] must be at most"):
        ContingencyModel(2).update(0, 0, 1, history=([0], np.array([large])))
    far = np.int64(2**62)
    with pytest.raises(ValueError, match=r"next_observation must lie within 2\*\*61 of 0 for target='change'"):
        ContingencyModel().update(0, 0, far)
    with pytest.raises(ValueError, match=r"observation must lie within 2\*\*61"):
        ContingencyModel().update(-far, 0, 1)
    assert ContingencyModel(target="next").update(-far, 0, far).predict(-far, 0) == far
    model = ContingencyModel().update(-(2**61), 0, 2**61)
    assert model.outcomes_.tolist() == [2**62] and model.predict(2**61, 0) == 3 * 2**61
    with pytest.raises(ValueError, match="observation must lie within"):
        model.predict(far, 0)


def test_ragged_and_empty_steps_are_named():
    for arguments, message in [
        (([], [], []), "action must not be empty"),
        (([[0], [1, 2]], [0, 1], [[0], [1]]), "observation must have as many values in every row"),
        (([0, 1], [[0], [1, 2]], [0, 1]), "action must have as many values in every row"),
    ]:
        with pytest.raises(ValueError, match=message):
            ContingencyModel().update(*arguments)
    with pytest.raises(ValueError, match=r"history\[0\] must have as many values"):
        ContingencyModel(2).update([0, 1], [0, 1], [0, 1], history=([[0], [1, 2]], [[0], [1]]))


def test_an_action_never_met_may_lead_to_any_outcome():
    model = ContingencyModel(target="next").update([0, 0, 1], [0, 1, 1], [1, 1, 0])
    np.testing.assert_allclose(model.predict_proba(0, 99), [0.5, 0.5])
    assert model.information_gain(0, 99) > model.information_gain(0, 1)
    assert model.surprise(0, 99, 1) == pytest.approx(np.log(2))
