import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from sklearn.utils.estimator_checks import check_estimator

from experiments._senses import Ears, Retina
from fusion import LocalPrecision, Precision, Reliability, fuse_gaussians
from fusion._local_readout import LocalReadout
from fusion._precision_calibration import gaussian_negative_log_likelihood, precision_calibration

RETINA, EARS = Retina(blur_range=(3.0, 50.0)), Ears()


def draw_positions(rng, n):
    """Positions in degrees, uniform over +-45."""
    return rng.uniform(-45.0, 45.0, n)


@pytest.fixture(scope="module")
def vision():
    """Learned and test samples of the retina, blur 3 to 50 degrees."""
    rng = np.random.default_rng(0)
    y, y_test = draw_positions(rng, 20_000), draw_positions(rng, 10_000)
    X, X_test = (RETINA.experience(t, rng) for t in (y, y_test))
    return LocalPrecision(random_state=0).fit(X, y), X_test, y_test


@pytest.fixture(scope="module")
def audition():
    rng = np.random.default_rng(1)
    y, y_test = draw_positions(rng, 20_000), draw_positions(rng, 10_000)
    X, X_test = (EARS.experience(t, rng) for t in (y, y_test))
    return LocalPrecision(random_state=1).fit(X, y), X_test, y_test


@pytest.fixture(scope="module")
def small():
    rng = np.random.default_rng(2)
    y = draw_positions(rng, 2000)
    return RETINA.experience(y, rng), y


def nll(model, X, y):
    return gaussian_negative_log_likelihood((y - model.predict(X)) ** 2, 1 / model.precision(X))


def test_vision_knows_how_blurred_it_is(vision):
    found = precision_calibration(*vision)
    likelihood = found.negative_log_likelihood
    assert likelihood["predicted"] <= 2.75 and likelihood["constant"] > 3.2  # 2.63 if blur and photons were known
    assert 0.8 < found.slope < 1.25
    np.testing.assert_allclose(np.log(found.predicted), np.log(found.measured), atol=0.5)


def test_standard_deviation_beside_the_estimate(vision):
    model, X, _ = vision
    estimates, deviations = model.predict(X, return_std=True)
    np.testing.assert_array_equal(estimates, model.predict(X))
    np.testing.assert_allclose(deviations**-2, model.precision(X))


def test_audition_knows_how_soft_it_is(audition):
    likelihood = precision_calibration(*audition).negative_log_likelihood
    assert likelihood["predicted"] <= 3.14 and likelihood["predicted"] < likelihood["constant"] - 0.03


@pytest.mark.parametrize("blur", [4.0, 10.0, 18.0, 30.0])
def test_fused_weights_are_near_optimal(vision, audition, blur):
    rng = np.random.default_rng(int(blur))
    y = rng.uniform(-18, 18, 4000)
    conflict = rng.choice([-10.0, 0.0, 10.0], len(y))
    seen = RETINA.sense(y + conflict / 2, rng, blur=blur, photons=50.0)
    heard = EARS.sense(y - conflict / 2, rng, level=20.0)
    means = [vision[0].predict(seen), audition[0].predict(heard)]
    fused, _ = fuse_gaussians(means, [vision[0].precision(seen), audition[0].precision(heard)])

    def line(target, *columns):
        design = np.column_stack([np.ones(len(y)), *columns])
        slopes = np.linalg.lstsq(design, target, rcond=None)[0]
        return slopes[1:], np.std(target - design @ slopes)

    (slope_v,), sigma_v = line(means[0], y + conflict / 2)
    (slope_a,), sigma_a = line(means[1], y - conflict / 2)
    optimum = (sigma_a / slope_a) ** 2 / ((sigma_v / slope_v) ** 2 + (sigma_a / slope_a) ** 2)
    (by_vision, by_audition), _ = line(fused, y + conflict / 2, y - conflict / 2)
    assert by_vision / (by_vision + by_audition) == pytest.approx(optimum, abs=0.07)


def test_noise_of_the_labels_is_taken_out(small):
    """Labels with 5 degrees of noise: naive precision says that everything is at least that uncertain."""
    rng = np.random.default_rng(3)
    y, y_test = draw_positions(rng, 8000), draw_positions(rng, 4000)
    X, X_test = (RETINA.experience(t, rng) for t in (y, y_test))
    noisy = y + 5 * rng.standard_normal(len(y))
    naive = LocalPrecision(random_state=0).fit(X, noisy)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        told = LocalPrecision(random_state=0).fit(X, noisy, target_variance=25.0)
        per_sample = LocalPrecision(random_state=0).fit(X, noisy, target_variance=np.full(len(y), 25.0))
    assert nll(told, X_test, y_test) < nll(naive, X_test, y_test) - 0.2
    np.testing.assert_array_equal(per_sample.precision(X_test), told.precision(X_test))
    assert (1 / naive.precision(X_test)).min() > 15 > 5 > (1 / told.precision(X_test)).min()


def test_a_second_glance_needs_no_exact_teacher(small):
    """Both glances differ by the noise of the sense alone; 5 degrees of noise in the labels leave no trace in that."""
    rng = np.random.default_rng(3)
    y, y_test = draw_positions(rng, 8000), draw_positions(rng, 4000)
    blur, photons = np.exp(rng.uniform(np.log(3), np.log(30), 8000)), 50.0
    X, again = (RETINA.sense(y, rng, blur=blur, photons=photons) for _ in range(2))
    X_test = RETINA.sense(y_test, rng, blur=10.0, photons=photons)
    noisy = y + 5 * rng.standard_normal(len(y))
    naive = LocalPrecision(random_state=0).fit(X, noisy)
    twice = LocalPrecision(random_state=0).fit(X, noisy, X_again=again)
    np.testing.assert_allclose(twice.predict(X_test), naive.predict(X_test), atol=4)
    for model in (twice, clone(twice).fit(X[:4000], noisy[:4000], X_again=again[:4000])):
        if model is not twice:
            model.partial_fit(X[4000:], noisy[4000:], X_again=again[4000:])
        found = np.mean((y_test - model.predict(X_test)) ** 2)
        assert np.median(1 / model.precision(X_test)) == pytest.approx(found, rel=0.5)
        assert np.median(1 / naive.precision(X_test)) > 4 * found
    with pytest.raises(ValueError, match="X_again must hold a second glance at each of the 8000 samples; got 10"):
        LocalPrecision().fit(X, noisy, X_again=again[:10])


def test_too_much_label_noise_is_bounded_and_warned_of(small):
    X, y = small
    noisy = y + 5 * np.random.default_rng(4).standard_normal(len(y))
    with pytest.warns(RuntimeWarning, match="target_variance accounts for all of the error"):
        model = LocalPrecision(random_state=0).fit(X, noisy, target_variance=30.0)
    assert nll(model, X, y) < 3.5  # finite, and no worse than a constant
    with pytest.warns(RuntimeWarning, match="target_variance"):
        hopeless = LocalPrecision(random_state=0).fit(X, noisy, target_variance=1e4)
    assert np.isfinite(hopeless.precision(X)).all()


@pytest.mark.parametrize("scale_x", [1.0, 0.125, 1000.0])
@pytest.mark.parametrize("scale_y", [1.0, 16.0, np.pi / 180])
def test_units(small, scale_x, scale_y):
    X, y = small
    reference = LocalPrecision(KMeans(40, n_init=1, random_state=0), random_state=0).fit(X, y, target_variance=0.5)
    scaled = clone(reference).fit(scale_x * X, scale_y * y, target_variance=0.5 * scale_y**2)
    np.testing.assert_allclose(scaled.predict(scale_x * X), scale_y * reference.predict(X), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(scaled.precision(scale_x * X), reference.precision(X) / scale_y**2, rtol=1e-4)
    np.testing.assert_allclose(scaled.recalibration_, reference.recalibration_, atol=1e-4)


def test_units_of_the_default_map(small):
    X, y = small
    reference = LocalPrecision(random_state=0).fit(X, y)
    scaled = LocalPrecision(random_state=0).fit(8 * X, 4 * y)  # powers of 2 leave every bit of the mantissa
    np.testing.assert_array_equal(scaled.precision(8 * X), reference.precision(X) / 16)


def test_shift_of_the_origin(small):
    X, y = small
    reference = LocalPrecision(KMeans(40, n_init=1, random_state=0), random_state=0).fit(X, y)
    moved = clone(reference).fit(X + 100, y - 360)
    np.testing.assert_allclose(moved.predict(X + 100), reference.predict(X) - 360, atol=1e-4)
    np.testing.assert_allclose(moved.precision(X + 100), reference.precision(X), rtol=1e-4)


def test_same_seed_same_bits(small):
    X, y = small
    first, second = (LocalPrecision(random_state=5).fit(X, y).precision(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_partial_fit_goes_on_where_fit_ended():
    rng = np.random.default_rng(6)
    y, y_test = draw_positions(rng, 9000), draw_positions(rng, 4000)
    X, X_test = (RETINA.experience(t, rng) for t in (y, y_test))
    model = LocalPrecision(random_state=0).partial_fit(X[:3000], y[:3000])
    np.testing.assert_array_equal(
        model.precision(X_test), LocalPrecision(random_state=0).fit(X[:3000], y[:3000]).precision(X_test)
    )
    before = nll(model, X_test, y_test)
    for start in range(3000, 9000, 1500):
        model.partial_fit(X[start : start + 1500], y[start : start + 1500])
    assert model.n_samples_seen_ == 9000
    assert nll(model, X_test, y_test) < before - 0.03


def test_learning_in_batches_is_exact(small, monkeypatch):
    """On a frozen map the read-out is that of all samples at once, with the weights that they had when they came."""
    added = []

    class Spy(LocalReadout):
        def add(self, *sample):
            added.append(sample[:-1])
            super().add(*sample)

    monkeypatch.setattr("fusion._local_precision.LocalReadout", Spy)
    X, y = small
    model = LocalPrecision(random_state=0).fit(X[:800], y[:800])
    del added[0]  # the first pass of `fit`, whose weights are replaced
    for rows in (slice(800, 1300), slice(1300, 2000)):
        model.partial_fit(X[rows], y[rows])
    Z, target, weights, cells, shares = (np.concatenate(parts) for parts in zip(*added))
    assert len(Z) == 2000 and np.ptp(weights) > 0
    once = LocalReadout(model._cells, 1, ridge=1.0)
    once.add(Z, target, weights, cells, shares, np.zeros(2000, dtype=np.intp))
    expected = y[:800].mean() + y[:800].std() * once.predict(Z, cells, shares, once.solve())
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-9, atol=1e-9)


def test_a_sense_that_improves_is_trusted_more_if_old_errors_fade():
    """The improvement leaves no trace in X: only the errors tell."""
    rng = np.random.default_rng(7)

    def glance(n, jitter):
        y = draw_positions(rng, n)
        return EARS.sense(y + jitter * rng.standard_normal(n), rng, level=1000.0), y

    models = {memory: LocalPrecision(memory=memory, random_state=0).fit(*glance(4000, 10.0)) for memory in (1000, None)}
    for _ in range(6):
        X, y = glance(500, 2.0)
        for model in models.values():
            model.partial_fit(X, y)
    X, y = glance(2000, 2.0)
    claimed = {memory: np.median(1 / model.precision(X)) for memory, model in models.items()}
    found = np.mean((y - models[1000].predict(X)) ** 2)
    assert claimed[1000] < 3 * found < 4 * found < claimed[None]


def test_precision_is_not_density():
    """The frequent region is the imprecise one: precision must follow the errors."""
    rng = np.random.default_rng(8)
    frequent = rng.random(4000) < 0.9
    y = rng.normal(size=4000)
    noise = np.where(frequent, 1.0, 0.05)
    X = np.column_stack([y + noise * rng.standard_normal(4000), np.where(frequent, 0.0, 8.0)])
    X[:, 1] += 0.1 * rng.standard_normal(4000)
    model = LocalPrecision(random_state=0).fit(X, y)
    assert np.median(model.precision(X[~frequent])) > 20 * np.median(model.precision(X[frequent]))


def test_a_flat_codebook_serves_as_well(small):
    X, y = small
    model = LocalPrecision(KMeans(60, n_init=1, random_state=0), random_state=0).fit(X, y)
    assert nll(model, X, y) < 2.9


def test_scikit_learn_contract():
    check_estimator(LocalPrecision(random_state=0), on_skip=None)


def test_kind_of_trust(vision):
    assert isinstance(vision[0], Precision) and not isinstance(vision[0], Reliability)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"n_components": 0}, "n_components must be"),
        ({"n_components": 2.5}, "n_components must be"),
        ({"memory": 0}, "memory must be"),
        ({"memory": "long"}, "memory must be"),
    ],
)
def test_bad_parameters(small, parameters, message):
    with pytest.raises(ValueError, match=message):
        LocalPrecision(**parameters).fit(*small)


def test_bad_data(small):
    X, y = small[0][:100], small[1][:100]
    for variance, message in [(-1.0, "not negative"), (np.nan, "finite"), ([1.0, 2.0], r"shape \(100,\)")]:
        with pytest.raises(ValueError, match=message):
            LocalPrecision().fit(X, y, target_variance=variance)
    with pytest.raises(TypeError, match="y must hold real numbers"):
        LocalPrecision().fit(X, np.full(len(X), "left"))
    with pytest.raises(ValueError, match="y must vary"):
        LocalPrecision().fit(X, np.full(100, 3.7))
    with pytest.raises(ValueError, match="X must vary"):
        LocalPrecision().fit(np.full((100, 3), 0.1), y)
    with pytest.raises(ValueError, match="1d array"):
        LocalPrecision().fit(X, np.column_stack([y, y]))
    with pytest.raises(TypeError, match="needs an estimator with prototypes_"):
        LocalPrecision(GaussianMixture(2)).fit(X, y)
    with pytest.raises(NotFittedError):
        LocalPrecision().precision(X)
    model = LocalPrecision(random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="features"):
        model.precision(X[:, :5])
    with pytest.raises(ValueError, match="NaN"):
        model.precision(np.full_like(X, np.nan))
