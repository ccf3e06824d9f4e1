import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator

from smc import LocalLinearContingency, Transitions
from smc._cells import Cells, apply_linear_maps, fit_linear_maps
from smc._kernels.ratios import N_BINS, correct_ratios, count_ratios
from smc._ratios import CENTERS, isotonic_log_means
from smc._ridge import RIDGES, CrossValidatedRidge, Features
from topology import GrowingNeuralGas

N_FEATURES = 32


def torus(n, seed, turn=0.5, noise=0.05, noise_next=None):
    """Two angles on a bent torus in 32 dimensions, turned by the action; `noise_next(angles)` scales its noise."""
    mixing = np.random.default_rng(0)
    first, second = mixing.normal(size=(4, 64)), mixing.normal(size=(64, N_FEATURES)) / 8

    def sense(angles):
        return np.tanh(np.hstack([np.cos(angles), np.sin(angles)]) @ first) @ second

    rng = np.random.default_rng(seed)
    angles, action = rng.uniform(-np.pi, np.pi, (n, 2)), rng.uniform(-turn, turn, (n, 2))
    scale = noise if noise_next is None else noise_next(angles)[:, None]
    seen = sense(angles) + noise * rng.normal(size=(n, N_FEATURES))
    return Transitions({"eye": seen}, action, {"eye": sense(angles + action) + scale * rng.normal(size=seen.shape)})


def change_of(steps):
    return steps.next_observation["eye"] - steps.observation["eye"]


def squared_errors(model, steps):
    change, variance = model.predict(steps.observation["eye"], steps.action)
    return (change - change_of(steps)) ** 2, variance


def shuffled(steps):
    action = np.random.default_rng(0).permutation(steps.action)
    return Transitions(steps.observation, action, steps.next_observation)


def sines(action):
    return np.hstack([np.sin(action), np.cos(action)])


@pytest.fixture(scope="module")
def learned():
    return LocalLinearContingency(random_state=0).fit(torus(4000, 1))


@pytest.fixture(scope="module")
def new_steps():
    return torus(4000, 2)


# --- what it is good for -------------------------------------------------------------------------------------------


def test_it_predicts_what_an_action_changes(learned, new_steps):
    floor = 2 * 0.05**2 * N_FEATURES * len(new_steps) / ((change_of(new_steps)) ** 2).sum()
    assert 0.85 < learned.score(new_steps) < 1 - floor  # noise on both sides of the change cannot be foreseen
    assert LocalLinearContingency(random_state=0).fit(shuffled(torus(4000, 1))).score(new_steps) < 0.15
    error, _ = squared_errors(learned, new_steps)
    total = ((change_of(new_steps) - change_of(new_steps).mean(axis=0)) ** 2).sum()
    assert learned.score(new_steps) == pytest.approx(1 - error.sum() / total)


def test_the_cells_of_the_map_help(learned, new_steps):
    alone = LocalLinearContingency(FrozenEstimator(GrowingNeuralGas(2, random_state=0).fit(np.eye(32))), random_state=0)
    alone.fit(torus(4000, 1))
    assert np.isfinite(learned.local_ridge_)
    assert squared_errors(learned, new_steps)[0].mean() < 0.97 * squared_errors(alone, new_steps)[0].mean()


def test_sines_and_cosines_suit_large_turns():
    steps, new = torus(3000, 1, turn=np.pi), torus(3000, 2, turn=np.pi)
    plain, turning = (LocalLinearContingency(action_features=f, random_state=0).fit(steps) for f in (None, sines))
    assert turning.score(new) > 0.93 > plain.score(new)


def test_the_variance_is_the_expected_squared_error(learned, new_steps):
    error, variance = squared_errors(learned, new_steps)
    assert error.mean() == pytest.approx(variance.mean(), rel=0.1)
    np.testing.assert_allclose(error.mean(axis=0), variance.mean(axis=0), rtol=0.2)
    # Also where it is small and where it is large.
    order = np.argsort(variance.sum(axis=1))
    deciles = np.array([(error[rows].mean(), variance[rows].mean()) for rows in np.array_split(order, 10)])
    np.testing.assert_allclose(deciles[:, 0], deciles[:, 1], rtol=0.2)
    assert deciles[-1, 1] > 1.5 * deciles[0, 1]


def test_it_knows_where_it_is_unsure():
    def noise(angles):
        return np.where(np.cos(angles[:, 0]) > 0, 0.4, 0.05)

    model = LocalLinearContingency(action_features=sines, random_state=0).fit(torus(3000, 1, np.pi, noise_next=noise))
    error, variance = squared_errors(model, torus(3000, 2, np.pi, noise_next=noise))
    error, variance = error.mean(axis=1), variance.mean(axis=1)
    order = np.array_split(np.argsort(variance), 5)
    assert error[order[-1]].mean() > 4 * error[order[0]].mean()
    for rows in order:
        assert error[rows].mean() == pytest.approx(variance[rows].mean(), rel=0.25)


@pytest.mark.parametrize("training", ["batch", "online"])
def test_the_variance_is_calibrated_where_noise_has_heavy_tails_and_depends_on_place_and_output(training):
    quiet = np.geomspace(0.05, 1.0, N_FEATURES)

    def steps(n, seed):
        rng = np.random.default_rng(seed)
        angles = rng.uniform(-np.pi, np.pi, (n, 2))
        place = np.hstack([np.cos(angles), np.sin(angles)])
        seen = place @ np.random.default_rng(0).normal(size=(4, N_FEATURES))
        # Each output is loud on a half of the circle of its own; the tails are those of Student's t with 5 degrees.
        loud = np.cos(angles[:, :1] - np.linspace(0, 2 * np.pi, N_FEATURES)) > 0
        scale = quiet * np.where(loud, 1.0, 0.2) * np.where(np.sin(angles[:, 1:]) > 0, 2.0, 0.5)
        return Transitions(
            {"eye": seen}, rng.normal(size=(n, 1)), {"eye": seen + scale * rng.standard_t(5, seen.shape)}
        )

    ratios, slopes, covered = [], [], []
    for seed in range(3):
        model = LocalLinearContingency(training=training, random_state=0).fit(steps(3000, seed))
        error, variance = (values.ravel() for values in squared_errors(model, steps(2000, 10 + seed)))
        deciles = np.array_split(np.argsort(variance), 10)
        found, foreseen = (np.log([values[rows].mean() for rows in deciles]) for values in (error, variance))
        ratios.append(error.sum() / variance.sum())
        slopes.append(np.polyfit(foreseen, found, 1)[0])
        covered.append((error < 1.645**2 * variance).mean())
    assert 0.9 < np.mean(ratios) < 1.1 and 0.9 < np.mean(slopes) < 1.1 and 0.87 < np.mean(covered) < 0.93


def test_the_variance_holds_for_new_groups():
    """Each object changes in its own way: what was learned by heart flatters, unless whole objects are left out."""

    def objects(first, seed):
        rng = np.random.default_rng(seed)
        of = first + np.repeat(np.arange(30), 40)
        looks, way = np.random.default_rng(0).normal(size=(2, 60, 16))
        seen, action = looks[of] + 0.1 * rng.normal(size=(len(of), 16)), rng.uniform(-1, 1, (len(of), 1))
        return Transitions({"eye": seen}, action, {"eye": seen + way[of] * action}, of)

    known, new = objects(0, 1), objects(30, 2)
    by_heart = Transitions(known.observation, known.action, known.next_observation)
    ratio = {}
    for name, steps in (("groups", known), ("steps", by_heart)):
        error, variance = squared_errors(LocalLinearContingency(random_state=0).fit(steps), new)
        ratio[name] = error.mean() / variance.mean()
    assert 0.7 < ratio["groups"] < 1.4 and ratio["steps"] > 3


def test_scale_of_the_sense_only_scales_the_prediction(new_steps):
    steps, factor = torus(800, 1), 1000.0
    scaled = Transitions(
        {"eye": factor * steps.observation["eye"]}, steps.action, {"eye": factor * steps.next_observation["eye"]}
    )
    X, action = new_steps.observation["eye"], new_steps.action
    gng = GrowingNeuralGas(10, random_state=0).fit(steps.observation["eye"])
    scaled_gng = clone(gng).fit(steps.observation["eye"])
    scaled_gng.prototypes_ = factor * scaled_gng.prototypes_
    change, variance = LocalLinearContingency(FrozenEstimator(gng), random_state=0).fit(steps).predict(X, action)
    large = LocalLinearContingency(FrozenEstimator(scaled_gng), random_state=0).fit(scaled).predict(factor * X, action)
    np.testing.assert_allclose(large[0], factor * change, rtol=1e-6, atol=1e-6 * factor)
    np.testing.assert_allclose(large[1], factor**2 * variance, rtol=1e-6)


def test_the_same_seed_gives_the_same_bits():
    steps = torus(600, 1)
    first, same = (
        LocalLinearContingency(random_state=3).fit(steps).predict(np.zeros((2, 32)), np.ones((2, 2))) for _ in "ab"
    )
    np.testing.assert_array_equal(first, same)


def test_actions_far_outside_keep_a_finite_variance(learned):
    _, variance = learned.predict(np.zeros((1, 32)), [[1e3, -1e3]])
    assert np.isfinite(variance).all() and (variance > 0).all()


def test_a_change_without_noise_or_without_change_has_almost_no_variance():
    rng = np.random.default_rng(0)
    X, action = rng.normal(size=(200, 3)), rng.normal(size=(200, 1))
    X[:, 2] = 1.0
    after = X + np.array([[1.0, 0.0, 0.0]]) * action
    model = LocalLinearContingency(random_state=0).fit(Transitions({"eye": X}, action, {"eye": after}))
    change, variance = model.predict(X, action)
    np.testing.assert_allclose(change, after - X, atol=1e-2)
    assert (variance > 0).all() and variance.max() < 1e-3
    still = LocalLinearContingency(random_state=0).fit(Transitions({"eye": X}, action, {"eye": X}))
    assert (still.predict(X, action)[0] == 0).all() and still.predict(X, action)[1].max() < 1e-6
    with pytest.raises(ValueError, match="changes that differ"):
        still.score(Transitions({"eye": X}, action, {"eye": X}))


# --- the map -------------------------------------------------------------------------------------------------------


def test_a_frozen_map_is_kept_and_names_the_units(new_steps):
    X = new_steps.observation["eye"]
    gng = GrowingNeuralGas(20, random_state=0).fit(X)
    before = gng.prototypes_.copy()
    model = LocalLinearContingency(FrozenEstimator(gng), random_state=0).fit(new_steps)
    np.testing.assert_array_equal(model.estimator_.prototypes_, before)
    distances = ((X[:50, None] - before) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(model.units(X[:50]), distances.argmin(axis=1))
    assert model.noise_variance_.shape == (len(before), N_FEATURES)


def test_discrete_actions_work_as_one_hot_features():
    rng = np.random.default_rng(0)
    X, action = rng.normal(size=(400, 2)), rng.integers(0, 3, 400)
    moves = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
    steps = Transitions({"eye": X}, action, {"eye": X + moves[action]})
    model = LocalLinearContingency(action_features=lambda a: np.eye(3)[a], random_state=0).fit(steps)
    np.testing.assert_allclose(model.predict(np.zeros((3, 2)), np.arange(3))[0], moves, atol=0.02)
    with pytest.raises(ValueError, match="code them by action_features"):
        LocalLinearContingency().fit(steps)


# --- parts, against their definition -------------------------------------------------------------------------------


@pytest.fixture
def ladder():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 3))
    prototypes = rng.normal(size=(6, 3))
    return Cells(prototypes, np.array([[0, 1], [1, 2], [4, 5]]), X), X, prototypes


def test_shares_fall_as_a_gaussian_of_the_extra_distance(ladder):
    cells, X, prototypes = ladder
    shares = cells.shares(X).toarray()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0)
    assert ((shares > 0).sum(axis=1) <= 4).all()
    d2 = ((X[:, None] - prototypes) ** 2).sum(axis=-1)
    np.testing.assert_array_equal(shares.argmax(axis=1), d2.argmin(axis=1))
    variances = np.linalg.eigvalsh(np.cov(X.T))
    width2 = np.median(d2.min(axis=1)) / (variances.sum() ** 2 / (variances**2).sum())
    best, second = np.sort(d2[0])[:2]
    share = np.sort(shares[0])[::-1]
    assert share[1] / share[0] == pytest.approx(np.exp((best - second) / (2 * width2)))


def test_pooling_adds_the_mean_of_the_neighbours(ladder):
    cells, *_ = ladder
    pooled = cells.pool(np.array([1.0, 10.0, 3.0, 7.0, 5.0, 2.0]))
    np.testing.assert_allclose(pooled, [11.0, 12.0, 13.0, 7.0, 7.0, 7.0])


def test_linear_maps_are_weighted_ridge_regressions(ladder):
    cells, X, _ = ladder
    rng = np.random.default_rng(1)
    inputs, targets = rng.normal(size=(60, 2)), rng.normal(size=(60, 3))
    shares = cells.shares(X)
    maps, none = fit_linear_maps(cells, shares, inputs, targets, [0.5, np.inf])
    assert (none == 0).all()
    grams = [inputs.T @ (weight[:, None] * inputs) for weight in shares.toarray().T]
    crosses = [inputs.T @ (weight[:, None] * targets) for weight in shares.toarray().T]
    gram, cross = grams[1] + (grams[0] + grams[2]) / 2, crosses[1] + (crosses[0] + crosses[2]) / 2
    np.testing.assert_allclose(maps[2:4], np.linalg.solve(gram + 0.5 * np.eye(2), cross))
    outputs = np.einsum("nk,kio,ni->no", shares.toarray(), maps.reshape(6, 2, 3), inputs)
    np.testing.assert_allclose(apply_linear_maps(maps, shares, inputs), outputs)


def test_the_ridge_with_the_least_left_out_error_is_chosen():
    rng = np.random.default_rng(0)
    F, folds = rng.normal(size=(90, 20)), np.arange(90) % 3
    Y = F[:, :2] + 2 * rng.normal(size=(90, 2))
    ridge = CrossValidatedRidge(F, Y, folds, 3)
    F0, Y0 = F - F.mean(axis=0), Y - Y.mean(axis=0)
    errors = []
    for penalty in RIDGES:
        solve = [
            np.linalg.solve(F0[folds != f].T @ F0[folds != f] + penalty * np.eye(20), F0[folds != f].T @ Y0[folds != f])
            for f in range(3)
        ]
        errors.append(sum(((Y0[folds == f] - F0[folds == f] @ solve[f]) ** 2).sum() for f in range(3)))
        if penalty == ridge.ridge:
            left_out = solve
    assert ridge.ridge == RIDGES[np.argmin(errors)]
    np.testing.assert_allclose(ridge.predict(F, without_fold=1), F0 @ left_out[1] + Y.mean(axis=0))


def test_features_do_not_depend_on_units_of_measurement():
    rng = np.random.default_rng(0)
    X, phi = rng.normal(size=(50, 4)), rng.normal(size=(50, 2))
    scale = np.array([1.0, 10.0, 1e-3, 1e4])
    features, standardised = Features(X, phi, 3)(X, phi)
    other, _ = Features(X * scale + 5, 7 * phi - 1, 3)(X * scale + 5, 7 * phi - 1)
    np.testing.assert_allclose(features, other, atol=1e-8)
    assert features.shape == (50, 4 + 2 + 6) and standardised.std(axis=0) == pytest.approx(1.0)


def test_ratios_are_counted_and_corrected_between_the_centres_of_bins():
    rng = np.random.default_rng(0)
    expected, found = np.exp(rng.normal(0, 3, 500)), rng.exponential(size=500)
    expected[:3] = [0.0, 1e-30, 1e30]
    sums = np.zeros((N_BINS, 2))
    count_ratios(expected, found, 0.5, sums)
    position = np.clip(np.interp(np.log(expected[1:]), CENTERS, np.arange(N_BINS)), 0, N_BINS - 1)
    shares = np.maximum(1 - abs(position[:, None] - np.arange(N_BINS)), 0)
    np.testing.assert_allclose(sums, 0.5 * shares.T @ np.column_stack([np.ones(499), found[1:]]), atol=1e-12)
    log_means = np.sort(rng.normal(size=N_BINS))
    corrected = expected.copy()
    correct_ratios(corrected, log_means)
    assert corrected[0] == 0.0
    np.testing.assert_allclose(corrected[1:], np.exp(np.interp(np.log(expected[1:]), CENTERS, log_means)))


def test_isotonic_means_find_a_monotone_law_and_are_right_without_evidence():
    np.testing.assert_allclose(isotonic_log_means(np.zeros((N_BINS, 2))), CENTERS)
    rng = np.random.default_rng(0)
    expected = np.exp(rng.uniform(-3, 3, 100_000))
    truth = np.minimum(expected**1.5, 4.0)
    sums = np.zeros((N_BINS, 2))
    count_ratios(expected, truth * rng.chisquare(1, len(expected)), 1.0, sums)
    log_means = isotonic_log_means(sums)
    assert (np.diff(log_means) >= 0).all()
    corrected = expected.copy()
    correct_ratios(corrected, log_means)
    inside = abs(np.log(expected)) < 2.5
    np.testing.assert_allclose(corrected[inside], truth[inside], rtol=0.15)


# --- bad input -----------------------------------------------------------------------------------------------------


def test_bad_parameters_are_refused():
    steps = torus(100, 1)
    for parameters, error, message in [
        ({"n_folds": 1}, ValueError, "n_folds must be at least 2"),
        ({"n_components": 0}, ValueError, "n_components must be at least 1"),
        ({"action_features": "sin"}, TypeError, "action_features must be None or callable"),
        ({"action_features": lambda action: action[:, 0]}, ValueError, r"of shape \(100, m\); got \(100,\)"),
        ({"action_features": lambda action: action * np.nan}, ValueError, "finite values"),
        ({"modality": "ear"}, ValueError, r"modality must be one of \['eye'\]; got 'ear'"),
    ]:
        with pytest.raises(error, match=message):
            LocalLinearContingency(**parameters).fit(steps)
    with pytest.raises(ValueError, match="at least 5 \\* n_folds = 20 steps; got 19"):
        LocalLinearContingency().fit(steps[:19])
    image = Transitions({"eye": np.zeros((40, 4, 4))}, np.zeros((40, 1)), {"eye": np.zeros((40, 4, 4))})
    with pytest.raises(ValueError, match="must be vectors"):
        LocalLinearContingency().fit(image)


def test_a_frozen_map_of_another_sense_is_refused():
    gng = FrozenEstimator(GrowingNeuralGas(3, random_state=0).fit(np.eye(5)))
    with pytest.raises(ValueError, match="a map of 5 features, the observations have 32"):
        LocalLinearContingency(gng).fit(torus(40, 1))


def test_bad_questions_are_refused(learned):
    X, action = np.zeros((2, 32)), np.zeros((2, 2))
    for question, message in [
        ((X[:, :5], action), "X must have 32 features, as in fit; got 5"),
        ((X, action[:1]), r"action must have shape \(2, 2\); got \(1, 2\)"),
        ((X, np.zeros((2, 3))), r"action must have shape \(2, 2\); got \(2, 3\)"),
        ((X * np.nan, action), "X contains NaN"),
        ((X, action + np.inf), "action contains infinity"),
        ((X[0], action), "Expected 2D array"),
    ]:
        with pytest.raises(ValueError, match=message):
            learned.predict(*question)
    with pytest.raises(NotFittedError):
        LocalLinearContingency().predict(X, action)


def test_it_clones_with_its_map():
    model = clone(LocalLinearContingency(GrowingNeuralGas(7), n_folds=3))
    assert model.get_params()["estimator__max_units"] == 7 and model.n_folds == 3
