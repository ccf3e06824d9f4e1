"""A scikit-learn estimator that keeps both branches of an ambiguous outcome."""

import numpy as np
import pytest

pytest.importorskip("torch")

from sklearn.utils.estimator_checks import parametrize_with_checks

from smc.hypotheses import Annealed, MultiHypothesisRegressor
from topology import assignment, storage
from topology.storage import CorruptFileError

QUICK = {"n_epochs": 30, "learning_rate": 0.02, "hidden": (16,), "batch_size": 32, "random_state": 0}
LARGER = QUICK | {"batch_size": 64, "learning_rate": 0.05}


@parametrize_with_checks([MultiHypothesisRegressor(3, **QUICK)])
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def branches(n_samples=2000, seed=0):
    """y = x with probability 0.75, else -x."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 1.5, n_samples)
    sign = np.where(rng.random(n_samples) < 0.75, 1, -1)
    return x[:, None], 10 * sign * x + 0.1 * rng.normal(size=n_samples)


def test_branches_are_kept_with_their_probabilities():
    X, y = branches()
    model = MultiHypothesisRegressor(2, **LARGER).fit(X, y)
    hypotheses, scores = model.predict_hypotheses([[0.6], [1.4]])
    order = hypotheses[:, :, 0].argsort(axis=1)
    assert np.take_along_axis(hypotheses[:, :, 0], order, 1) == pytest.approx(np.array([[-6, 6], [-14, 14]]), abs=1.0)
    assert np.take_along_axis(scores, order, 1) == pytest.approx(np.array([[0.25, 0.75]] * 2), abs=0.1)
    assert model.predict([[1.0]]) == pytest.approx(5, abs=1.5)  # the mean, where nothing ever is
    assert 0.02 < model.bandwidth_ < 1
    density = model.predict_density([1.0])
    assert density.score_samples([[10.0]]) > density.score_samples([[0.0]]) + 5


@pytest.mark.parametrize("n_samples, seed", [(10, 0), (20, 2)])
def test_few_samples_leave_every_hypothesis_some_mass(n_samples, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(0.5, 1.5, n_samples)
    y = 10 * np.where(rng.random(n_samples) < 0.75, 1, -1) * x
    _, scores = MultiHypothesisRegressor(3, random_state=seed).fit(x[:, None], y).predict_hypotheses([[1.0]])
    assert 0.02 < scores.min() and scores.max() < 0.95


def test_sets_of_targets():
    X, _ = branches()
    both = np.stack([10 * X, -10 * X], axis=1)
    both[::2, 1] = np.nan  # half of them lack the second target
    model = MultiHypothesisRegressor(2, **LARGER).fit(X, both)
    hypotheses, scores = model.predict_hypotheses([[1.0]])
    order = hypotheses[0, :, 0].argsort()
    assert hypotheses[0, order, 0] == pytest.approx([-10, 10], abs=1)
    assert scores[0, order] == pytest.approx([0.5, 1.0], abs=0.1)
    assert model.predict([[1.0]]).shape == (1, 1)


def test_units_of_the_targets_do_not_matter():
    X, y = branches(200)
    hypotheses, scores = MultiHypothesisRegressor(3, **QUICK).fit(X, y).predict_hypotheses(X)
    in_other_units = MultiHypothesisRegressor(3, **QUICK).fit(X, 100 * y + 7).predict_hypotheses(X)
    assert np.allclose(100 * hypotheses + 7, in_other_units[0], atol=1) and np.allclose(
        scores, in_other_units[1], atol=0.01
    )


def test_callback_sees_and_stops():
    X, y = branches(200)
    seen = []

    def callback(state, step):
        seen.append((step, state.progress, state.predict_hypotheses(X)[0].shape))
        return len(seen) == 2

    MultiHypothesisRegressor(3, **QUICK).fit(X, y, callback=callback)
    assert seen == [(6, 6 / 180, (200, 3, 1)), (12, 12 / 180, (200, 3, 1))]


@pytest.mark.parametrize(
    "parameters, message",
    [
        ({"n_hypotheses": 0}, "n_hypotheses"),
        ({"calibration_fraction": 1.0}, "calibration_fraction"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"hidden": (8, 0)}, r"hidden\[1\]"),
        ({"assignment": "hard"}, "assignment"),
    ],
)
def test_bad_parameters(parameters, message):
    with pytest.raises(ValueError, match=message):
        MultiHypothesisRegressor(**parameters).fit(*branches(20))


def test_bad_target_sets():
    X, _ = branches(20)
    sets = np.zeros((20, 2, 2))
    sets[3] = np.nan
    with pytest.raises(ValueError, match="at least one target for every sample"):
        MultiHypothesisRegressor(2, **QUICK).fit(X, sets)
    sets[3] = [[0, np.nan], [0, 0]]
    with pytest.raises(ValueError, match="NaN throughout"):
        MultiHypothesisRegressor(2, **QUICK).fit(X, sets)


@pytest.mark.parametrize("name, scales", [("y", (1, 1e160)), ("X", (1e200, 1))])
def test_numbers_too_large_to_scale(name, scales):
    X, y = branches(20)
    with pytest.raises(ValueError, match=f"{name} must not exceed"):
        MultiHypothesisRegressor(2, **QUICK).fit(scales[0] * X, scales[1] * y)


def test_refused_before_any_training():
    with pytest.raises(TypeError, match="hidden must be a tuple of widths"):
        MultiHypothesisRegressor(2, hidden=16).fit(*branches(20))
    with pytest.raises(TypeError, match="callback must be None or callable"):
        MultiHypothesisRegressor(2, **QUICK).fit(*branches(20), callback=3)


def test_density_of_one_input():
    X, y = branches(50)
    model = MultiHypothesisRegressor(2, **QUICK | {"n_epochs": 1}).fit(X, y)
    assert model.predict_density(X[:1]).bandwidth == model.predict_density(X[0]).bandwidth == model.bandwidth_
    with pytest.raises(ValueError, match="bandwidth must be in"):
        model.predict_density(X[0], bandwidth=0.0)
    with pytest.raises(ValueError, match=r"x must be one input of shape \(1,\), got shape \(2, 1\)"):
        model.predict_density(X[:2])


ANNEALED = Annealed(assignment.relaxed, 0.5, 0.01)


@pytest.mark.parametrize("rule", ["boltzmann", ANNEALED])
@pytest.mark.parametrize("flat", [True, False])
def test_files_give_the_same_bits(tmp_path, rule, flat):
    X, y = branches(100)
    y = y if flat else np.column_stack([y, X])
    model = MultiHypothesisRegressor(3, rule, **QUICK | {"n_epochs": np.int64(2), "hidden": (8, 5)}).fit(X, y)
    model.save(tmp_path / "model")
    again = MultiHypothesisRegressor.load(tmp_path / "model")
    for a, b in zip(model.predict_hypotheses(X), again.predict_hypotheses(X)):
        assert a.tobytes() == b.tobytes()
    assert model.predict(X).tobytes() == again.predict(X).tobytes() and again.bandwidth_ == model.bandwidth_
    parameters = again.get_params()
    assert repr(parameters.pop("assignment")) == repr(rule) and parameters.items() <= model.get_params().items()
    assert again.fit(X, y).predict(X).tobytes() == model.predict(X).tobytes()


def test_files_keep_feature_names(tmp_path):
    pandas = pytest.importorskip("pandas")
    X, y = branches(50)
    table = pandas.DataFrame(X, columns=["push"])
    MultiHypothesisRegressor(2, **QUICK | {"n_epochs": 1}).fit(table, y).save(tmp_path / "model")
    assert MultiHypothesisRegressor.load(tmp_path / "model").feature_names_in_.tolist() == ["push"]


def test_rules_of_ones_own_are_not_stored(tmp_path):
    model = MultiHypothesisRegressor(2, assignment.winner_take_all, **QUICK | {"n_epochs": 1}).fit(*branches(50))
    with pytest.raises(TypeError, match="assignment must be a name"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_damaged_files_are_refused(tmp_path):
    MultiHypothesisRegressor(2, **QUICK | {"n_epochs": 1}).fit(*branches(50)).save(tmp_path / "model")
    content = (tmp_path / "model").read_bytes()
    rng = np.random.default_rng(0)
    for position in [*rng.integers(0, len(content), 60), *range(0, 200, 7)]:
        damaged = bytearray(content)
        damaged[position] ^= 1 << rng.integers(8)
        (tmp_path / "damaged").write_bytes(damaged)
        with pytest.raises(CorruptFileError):
            MultiHypothesisRegressor.load(tmp_path / "damaged")


@pytest.mark.parametrize(
    "change",
    [
        lambda arrays, metadata: arrays.pop("trunk.0.bias"),
        lambda arrays, metadata: arrays.update(
            {"head.linear.weight": np.zeros((3, 16)), "head.linear.bias": np.ones(3)}
        ),
        lambda arrays, metadata: arrays.update({"bandwidth": np.array(-1.0)}),
        lambda arrays, metadata: arrays.update({"x_mean": np.array([np.nan])}),
        lambda arrays, metadata: metadata["parameters"].update({"n_hypotheses": 3}),
        lambda arrays, metadata: metadata["parameters"].update({"assignment": {"rule": "open"}}),
        lambda arrays, metadata: metadata["parameters"].update({"hidden": [4]}),
        lambda arrays, metadata: metadata["parameters"].update({"rejection": "none"}),
        lambda arrays, metadata: metadata.update({"feature_names": ["a", "b"]}),
        lambda arrays, metadata: metadata.clear(),
    ],
)
def test_files_that_cannot_be_are_refused(tmp_path, change):
    MultiHypothesisRegressor(2, **QUICK | {"n_epochs": 1}).fit(*branches(50)).save(tmp_path / "model")
    arrays, metadata = storage.load(tmp_path / "model", kind="MultiHypothesisRegressor")
    change(arrays, metadata)
    storage.save(tmp_path / "model", arrays, kind="MultiHypothesisRegressor", metadata=metadata)
    with pytest.raises(CorruptFileError):
        MultiHypothesisRegressor.load(tmp_path / "model")
