import numpy as np
import pytest
from sklearn.frozen import FrozenEstimator
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.neighbors import KNeighborsRegressor

from smc import LocalLinearContingency, Transitions
from smc._cells import Cells
from smc._ratios import CENTERS
from smc._recursive import RecursiveRules
from smc._ridge import Features
from topology import GrowingNeuralGas
from topology.storage import CorruptFileError

MIXING = np.random.default_rng(0).normal(size=(4, 8)), np.random.default_rng(1).normal(size=(8, 8))
MOVES = np.array([[0.4, 0.0], [-0.4, 0.0], [0.0, 0.4]])


def ring(n, seed, *, discrete=False, noise=0.05, sign=1.0):
    """Two angles seen by 8 sensors, turned by the action; `noise` may depend on the angles."""

    def sense(angles):
        return np.tanh(np.hstack([np.cos(angles), np.sin(angles)]) @ MIXING[0]) @ MIXING[1] / 2

    rng = np.random.default_rng(seed)
    angles = rng.uniform(-np.pi, np.pi, (n, 2))
    action = rng.integers(3, size=n) if discrete else rng.uniform(-0.5, 0.5, (n, 2))
    turn = sign * (MOVES[action] if discrete else action)
    seen = sense(angles) + 0.05 * rng.normal(size=(n, 8))
    scale = noise(angles)[:, None] if callable(noise) else noise
    return Transitions({"eye": seen}, action, {"eye": sense(angles + turn) + scale * rng.normal(size=seen.shape)})


def change_of(steps):
    return steps.next_observation["eye"] - steps.observation["eye"]


def online(**parameters):
    return LocalLinearContingency(training="online", random_state=0, **parameters)


def squared_errors(model, steps):
    change, variance = model.predict(steps.observation["eye"], steps.action)
    return (change - change_of(steps)) ** 2, variance


# --- recursive least squares ---------------------------------------------------------------------------------------


def rules_and_steps(n=60, n_actions=2, forgetting=0.0, ridge=0.7):
    rng = np.random.default_rng(3)
    X, phi, change = rng.normal(size=(n, 3)), rng.normal(size=(n, 2)), rng.normal(size=(n, 4))
    cells = Cells(rng.normal(size=(5, 3)), np.array([[0, 1]]), X)
    rules = RecursiveRules(cells, Features(X, phi, 2), 4, n_actions, ridge, forgetting)
    return rules, (X, phi, rng.integers(n_actions, size=n), change)


def solve(inputs, targets, weights, ridge):
    gram = inputs.T @ (weights[:, None] * inputs) + ridge * np.eye(inputs.shape[1])
    return np.linalg.solve(gram, inputs.T @ (weights[:, None] * targets)), gram


@pytest.mark.parametrize("forgetting", [0.0, 0.02])
def test_the_shared_regression_is_that_of_all_steps(forgetting):
    rules, steps = rules_and_steps(forgetting=forgetting)
    rules.update(*steps)
    action, _, _, inputs, _ = rules._read(*steps[:3])
    for number in (0, 1):
        rows = action == number
        gram, cross = 0.7 * np.eye(inputs.shape[1]), 0.0
        for z, y in zip(inputs[rows], steps[3][rows]):
            # Nothing is forgotten while no more is known than before the first step.
            keep = max(1 - forgetting, min(1, 0.7 * np.trace(np.linalg.inv(gram)) / len(gram)))
            gram, cross = keep * gram + np.outer(z, z), keep * cross + np.outer(z, y)
        maps = np.linalg.solve(gram, cross)
        if forgetting == 0:
            np.testing.assert_allclose(maps, solve(inputs[rows], steps[3][rows], np.ones(rows.sum()), 0.7)[0])
        np.testing.assert_allclose(rules.rules.shared_maps[number], maps, atol=1e-10)
        np.testing.assert_allclose(rules.rules.shared_covariance[number], np.linalg.inv(gram), atol=1e-10)


def test_the_cells_regress_what_the_shared_regression_could_not_foresee():
    rules, steps = rules_and_steps()
    rules.update(*steps)
    action, near, shares, shared, inputs = rules._read(*steps[:3])
    left, trust = np.empty_like(steps[3]), np.empty(len(action))
    for row in range(len(action)):
        past = np.flatnonzero(action[:row] == action[row])
        maps, gram = solve(shared[past], steps[3][past], np.ones(len(past)), 0.7)
        left[row] = steps[3][row] - shared[row] @ maps
        trust[row] = 1 / (1 + shared[row] @ np.linalg.solve(gram, shared[row]))
    for cell in range(10):
        share = np.where(near == cell, shares, 0.0).sum(axis=1)
        maps, gram = solve(inputs, left, share * trust, 0.7)
        np.testing.assert_allclose(rules.rules.maps[cell], maps, atol=1e-9)
        np.testing.assert_allclose(rules.rules.covariance[cell], np.linalg.inv(gram), atol=1e-9)
        # The noise: the least penalised sum of squares.
        squares = (share * trust) @ (left - inputs @ maps) ** 2 + 0.7 * (maps**2).sum(axis=0)
        np.testing.assert_allclose(rules.rules.squares[cell], squares, atol=1e-9)
        assert rules.rules.mass[cell] == pytest.approx(share.sum())
    totals = np.append(rules.rules.squares.sum(axis=0), rules.rules.mass.sum())
    np.testing.assert_allclose(rules.rules.totals, totals)


def test_errors_are_counted_before_a_step_is_learned(monkeypatch):
    rules, steps = rules_and_steps()
    levels, outputs = [], []
    for row in range(60):
        X, phi, action, change = (part[row : row + 1] for part in steps)
        if row > 0:
            totals = rules.rules.totals
            overall = totals[:-1] / totals[-1]
            with monkeypatch.context() as without:
                without.setattr("smc._recursive.isotonic_log_means", lambda sums: CENTERS)
                foreseen, variance = rules.predict(X, phi, action)
            expected = (variance / overall)[0]
            # One error more, of the step's own size, in the overall variance.
            squares = (change - foreseen)[0] ** 2
            found = squares * totals[-1] / (totals[:-1] + squares)
            levels.append((expected.mean(), found.mean(), 1.0))
            outputs += [
                (e / expected.mean(), f / found.mean(), found.mean() / expected.mean()) for e, f in zip(expected, found)
            ]
        rules.update(X, phi, action, change)
    for sums, counted, per_step in zip(rules.rules.found, (levels, outputs), (1, 4)):
        counted = np.array(counted)
        position = np.interp(np.log(counted[:, 0]), CENTERS, np.arange(len(CENTERS)))
        shares = np.maximum(1 - abs(position[:, None] - np.arange(len(CENTERS))), 0)
        weights = counted[:, 2] * np.repeat(0.999 ** np.arange(59)[::-1], per_step)
        np.testing.assert_allclose(
            sums, shares.T @ np.column_stack([weights, weights * counted[:, 1]]), rtol=1e-6, atol=1e-6
        )


def test_what_is_no_longer_met_is_not_forgotten_without_limit():
    rules, (X, phi, action, change) = rules_and_steps(forgetting=0.2)
    for _ in range(50):
        rules.update(X[:1].repeat(60, axis=0), phi[:1].repeat(60, axis=0), action, change)
    for covariance in (rules.rules.shared_covariance, rules.rules.covariance):
        trace = np.trace(covariance, axis1=1, axis2=2)
        assert np.isfinite(covariance).all() and (trace <= covariance.shape[1] / 0.7 * (1 + 1e-9)).all()


@pytest.mark.parametrize("discrete", [False, True])
def test_steps_in_portions_give_the_same(discrete):
    steps = ring(600, 1, discrete=discrete)
    gng = FrozenEstimator(GrowingNeuralGas(8, random_state=0).fit(steps.observation["eye"]))
    first = online(estimator=gng).fit(steps[:200])
    for start, end in ((200, 201), (201, 450), (450, 600)):
        first.partial_fit(steps[start:end])
    again = online(estimator=gng).partial_fit(steps[:200]).partial_fit(steps[200:])
    X, action = steps.observation["eye"], steps.action
    for one, other in zip(first.predict(X, action), again.predict(X, action)):
        np.testing.assert_allclose(one, other, rtol=1e-6)


# --- what it is good for -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("discrete", [False, True])
def test_it_foresees_more_than_neighbours_and_its_own_error_better_than_a_gaussian_process(discrete):
    steps, new = (ring(n, seed, discrete=discrete, noise=noisy_half) for n, seed in ((2000, 1), (1000, 2)))
    code = (lambda a: np.eye(3)[a]) if discrete else (lambda a: 2 * a)

    def inputs(s):
        return np.hstack([s.observation["eye"], code(s.action)])

    error, variance = squared_errors(online().fit(steps), new)
    neighbours = KNeighborsRegressor(10).fit(inputs(steps), change_of(steps))
    near = change_of(steps)[neighbours.kneighbors(inputs(new), return_distance=False)]
    process = GaussianProcessRegressor(RBF(1.0) + WhiteKernel(0.1), normalize_y=True)
    mean, deviation = process.fit(inputs(steps)[:300], change_of(steps)[:300]).predict(inputs(new), return_std=True)
    if not discrete:  # neighbours with other actions tell nothing of this one
        assert error.mean() < 0.95 * ((near.mean(axis=1) - change_of(new)) ** 2).mean()
    rivals = [(near.mean(axis=1), near.var(axis=1, ddof=1) * 1.1), (mean, deviation**2)]
    for rival, spread in rivals:
        assert surprise(error, variance) < surprise((rival - change_of(new)) ** 2, spread)


def noisy_half(angles):
    return np.where(np.cos(angles[:, 0]) > 0, 0.3, 0.05)


def surprise(error, variance):
    return 0.5 * (np.log(2 * np.pi * variance) + error / variance).mean()


@pytest.mark.parametrize("discrete", [False, True])
def test_the_variance_is_calibrated(discrete):
    model = online().fit(ring(4000, 1, discrete=discrete, noise=noisy_half))
    error, variance = squared_errors(model, ring(4000, 2, discrete=discrete, noise=noisy_half))
    assert error.mean() == pytest.approx(variance.mean(), rel=0.15)
    for share, sigma in ((0.5, 0.674), (0.9, 1.645)):
        assert (error < sigma**2 * variance).mean() == pytest.approx(share, abs=0.08)
    deciles = np.array_split(np.argsort(variance.sum(axis=1)), 10)
    found, foreseen = (np.log([x[rows].mean() for rows in deciles]) for x in (error, variance))
    assert np.polyfit(foreseen, found, 1)[0] == pytest.approx(1.0, abs=0.25)
    assert foreseen[-1] - foreseen[0] > 1
    np.testing.assert_allclose(found[[0, -1]], foreseen[[0, -1]], atol=0.2)


def test_a_sensor_that_almost_never_moves_is_not_believed_beyond_measure():
    def with_sensor(steps, moved):
        odd = moved.astype(float)[:, None]
        before, after = (np.hstack([part["eye"], odd]) for part in (steps.observation, steps.next_observation))
        return Transitions({"eye": before}, steps.action, {"eye": after})

    # It moved once, when the action was small: what it would tell of large ones is a guess.
    steps, new = ring(2000, 1, noise=noisy_half), ring(1000, 2, noise=noisy_half)
    size = np.linalg.norm(steps.action, axis=1)
    model = online().fit(with_sensor(steps, size == np.sort(size)[20]))
    alike, odd = (squared_errors(model, with_sensor(new, np.full(1000, moved))) for moved in (False, True))
    assert odd[0].mean() < 1.6 * alike[0].mean()
    assert odd[1].mean() < 60.0 * alike[1].mean()


def test_shuffled_actions_teach_nothing_about_actions():
    steps, new = ring(1500, 1), ring(1000, 2)
    action = np.random.default_rng(0).permutation(steps.action)
    model = online().fit(Transitions(steps.observation, action, steps.next_observation))
    assert model.score(new) < 0.2 < 0.7 < online().fit(steps).score(new)


def test_forgetting_follows_a_world_that_changes():
    old, changed, new = ring(1500, 1), ring(1500, 2, sign=-1.0), ring(500, 3, sign=-1.0)
    scores = {rate: online(forgetting=rate).fit(old).partial_fit(changed).score(new) for rate in (0.0, 0.01)}
    assert scores[0.01] > 0.7 and scores[0.01] > scores[0.0] + 0.15


# --- files ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["batch", "online", "discrete", "function"])
def test_a_file_holds_all_that_was_learned(kind, tmp_path):
    steps = ring(300, 1, discrete=kind == "discrete")
    function = np.sin if kind == "function" else None
    training = "online" if kind in ("online", "discrete") else "batch"
    model = LocalLinearContingency(training=training, action_features=function, random_state=0).fit(steps)
    model.save(tmp_path / "model")
    again = LocalLinearContingency.load(tmp_path / "model", action_features=function)
    assert again.ridge_ == model.ridge_ and again.local_ridge_ == model.local_ridge_
    np.testing.assert_array_equal(again.noise_variance_, model.noise_variance_)
    if training == "online":
        for learner in (model, again):
            learner.partial_fit(ring(50, 2, discrete=kind == "discrete"))
    X = steps.observation["eye"]
    for one, other in zip(model.predict(X, steps.action), again.predict(X, steps.action)):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model.units(X), again.units(X))


def test_files_are_refused_with_reason(tmp_path):
    model = online(action_features=np.sin).fit(ring(100, 1))
    model.save(tmp_path / "model")
    with pytest.raises(ValueError, match="action_features must be the function"):
        LocalLinearContingency.load(tmp_path / "model")
    online().fit(ring(100, 1)).save(tmp_path / "plain")
    with pytest.raises(ValueError, match="action_features must be None"):
        LocalLinearContingency.load(tmp_path / "plain", action_features=np.sin)
    whole = (tmp_path / "plain").read_bytes()
    (tmp_path / "cut").write_bytes(whole[:-8])
    with pytest.raises(CorruptFileError, match="cut"):
        LocalLinearContingency.load(tmp_path / "cut")
    with pytest.raises(FileNotFoundError):
        LocalLinearContingency.load(tmp_path / "nowhere")


def test_a_file_with_parts_of_another_model_is_refused(tmp_path, monkeypatch):
    from topology import storage

    model = online().fit(ring(100, 1))
    model._rules.rules = model._rules.rules._replace(mass=np.zeros(3))
    model.save(tmp_path / "odd")
    with pytest.raises(CorruptFileError, match="odd: mass has shape"):
        LocalLinearContingency.load(tmp_path / "odd")
    model = online().fit(ring(100, 1))
    model._n_actions = 2
    model.save(tmp_path / "odd")
    with pytest.raises(CorruptFileError, match="do not fit the observations, the actions and the units"):
        LocalLinearContingency.load(tmp_path / "odd")
    storage.save(tmp_path / "old", {}, kind="LocalLinearContingency", version=1)
    with pytest.raises(CorruptFileError, match="old: expected version 2 of 'LocalLinearContingency', got 1"):
        LocalLinearContingency.load(tmp_path / "old")
    storage.save(tmp_path / "odd", {}, kind="LocalLinearContingency", version=2, metadata={"parameters": {}})
    with pytest.raises(CorruptFileError, match="odd"):
        LocalLinearContingency.load(tmp_path / "odd")


# --- bad input -----------------------------------------------------------------------------------------------------


def test_bad_parameters_and_steps_are_refused():
    steps, discrete = ring(100, 1), ring(100, 1, discrete=True)
    gaps = Transitions(discrete.observation, 2 * discrete.action, discrete.next_observation)
    unknown = Transitions(discrete.observation, discrete.action + 1, discrete.next_observation)
    negative = Transitions(discrete.observation, discrete.action - 1, discrete.next_observation)
    for learn, error, message in [
        (lambda: LocalLinearContingency(training="slow").fit(steps), ValueError, "training must be one of"),
        (lambda: LocalLinearContingency().partial_fit(steps), ValueError, "training must be 'online'"),
        (lambda: LocalLinearContingency(forgetting=0.1).fit(steps), ValueError, "forgetting must be 0 in batch"),
        (lambda: online(forgetting=-0.1).fit(steps), ValueError, r"forgetting must be in \[0"),
        (lambda: online(forgetting=1.0).fit(steps), ValueError, r"forgetting must be in \[0"),
        (lambda: online().partial_fit(steps[:19]), ValueError, "at least 5 \\* n_folds = 20 steps; got 19"),
        (lambda: online().fit(steps).partial_fit(discrete), ValueError, r"action must have shape \(100, 2\)"),
        (lambda: online().fit(gaps), ValueError, "every number from 0 to 4; 1 is missing"),
        (
            lambda: online().fit(discrete).partial_fit(unknown),
            ValueError,
            r"action must be in 0..2, as in fit; got 1..3",
        ),
        (lambda: online().fit(discrete).partial_fit(negative), ValueError, "got -1..1"),
        (lambda: online().fit(discrete).predict(np.zeros((2, 8)), [0.5, 1.0]), TypeError, "whole numbers"),
    ]:
        with pytest.raises(error, match=message):
            learn()


# --- callbacks -----------------------------------------------------------------------------------------------------


def test_a_callback_sees_online_learning_and_may_stop_it():
    steps, seen = ring(2500, 0), []

    def watch(state, step):
        assert step == state.n_steps and not state.noise_variance.flags.writeable
        seen.append((step, state.noise_variance.copy()))
        return step > 2000

    whole = online().fit(steps)
    watched = online().fit(steps, callback=lambda state, step: None)
    X, action = steps.observation["eye"], steps.action
    np.testing.assert_array_equal(np.stack(watched.predict(X, action)), np.stack(whole.predict(X, action)))
    stopped = online().partial_fit(steps, callback=watch)
    assert [step for step, _ in seen] == [1024, 2048]
    np.testing.assert_array_equal(seen[-1][1], stopped.noise_variance_)
    assert (stopped.noise_variance_ != whole.noise_variance_).any()


def test_a_callback_is_called_once_in_batch_training():
    seen = []
    model = LocalLinearContingency(random_state=0).fit(ring(300, 0), callback=lambda *told: seen.append(told))
    ((state, step),) = seen
    assert step == state.n_steps == 300
    np.testing.assert_array_equal(state.noise_variance, model.noise_variance_)


def test_parameters_may_be_numbers_of_numpy(tmp_path):
    model = LocalLinearContingency(n_components=np.int64(3), n_folds=np.int32(4), random_state=np.int64(0))
    model.fit(ring(300, 0)).save(tmp_path / "model")
    assert LocalLinearContingency.load(tmp_path / "model").n_components == 3
