import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fusion import fuse_gaussians

finite = st.floats(-1e3, 1e3)
positive = st.floats(1e-3, 1e3)


def fuse_on_grid(means, precisions):
    """Slow and obvious: multiply the densities on a grid, take mean and inverse variance."""
    x = np.linspace(-40, 40, 400_001)
    log_density = sum(-0.5 * p * (x - m) ** 2 for m, p in zip(means, precisions))
    density = np.exp(log_density - log_density.max())
    density /= density.sum()
    mean = (density * x).sum()
    return mean, 1 / (density * (x - mean) ** 2).sum()


def test_product_of_densities():
    means, precisions = [3.0, -2.0, 1.0], [0.5, 1.5, 0.2]
    np.testing.assert_allclose(fuse_gaussians(means, precisions), fuse_on_grid(means, precisions), rtol=1e-6)


def test_vision_and_touch_weigh_by_inverse_variance():
    sigma_v, sigma_h = 2.0, 6.0
    mean, precision = fuse_gaussians([4.0, -4.0], [sigma_v**-2, sigma_h**-2])
    weight = sigma_h**2 / (sigma_v**2 + sigma_h**2)
    assert mean == pytest.approx(weight * 4 - (1 - weight) * 4)
    assert precision**-0.5 == pytest.approx(sigma_v * sigma_h / np.hypot(sigma_v, sigma_h))


@settings(max_examples=40)
@given(
    means=hnp.arrays(float, (3, 4), elements=finite),
    precisions=hnp.arrays(float, (3, 4), elements=positive),
    scale=st.sampled_from([-4.0, 0.5, 8.0]),
    shift=st.floats(-10, 10),
)
def test_scalar_invariants(means, precisions, scale, shift):
    mean, precision = fuse_gaussians(means, precisions)
    assert (mean >= means.min(axis=0) - 1e-9).all() and (mean <= means.max(axis=0) + 1e-9).all()
    np.testing.assert_allclose(precision, precisions.sum(axis=0))
    moved = fuse_gaussians(scale * means + shift, precisions / scale**2)
    np.testing.assert_allclose(moved[0], scale * mean + shift, rtol=1e-9, atol=1e-6)
    np.testing.assert_allclose(moved[1], precision / scale**2)
    np.testing.assert_allclose(fuse_gaussians(means[::-1], precisions[::-1])[0], mean, rtol=1e-9, atol=1e-9)
    first = fuse_gaussians(means[:2], precisions[:2])
    in_two_steps = fuse_gaussians([first[0], means[2]], [first[1], precisions[2]])
    np.testing.assert_allclose(in_two_steps[0], mean, rtol=1e-7, atol=1e-7)
    matrices = precisions[..., None] * np.eye(4)[None]
    np.testing.assert_allclose(fuse_gaussians(means, matrices)[0], mean, rtol=1e-7, atol=1e-7)


@settings(max_examples=25)
@given(st.integers(0, 2**31))
def test_full_covariance_is_affine_covariant(seed):
    rng = np.random.default_rng(seed)
    means, roots = rng.normal(size=(3, 5, 2)), rng.normal(size=(3, 5, 2, 4))
    precisions = roots @ np.swapaxes(roots, -1, -2)
    mean, precision = fuse_gaussians(means, precisions)
    np.testing.assert_allclose(precision, precisions.sum(axis=0))
    for i in range(5):  # slow and obvious
        total = sum(precisions[c, i] @ means[c, i] for c in range(3))
        np.testing.assert_allclose(mean[i], np.linalg.inv(precisions[:, i].sum(axis=0)) @ total, rtol=1e-5, atol=1e-7)
    units = np.diag([1e3, 1e-3])  # metres beside kilometres must not look singular
    inverse = np.linalg.inv(units)
    moved, _ = fuse_gaussians(means @ units, inverse @ precisions @ inverse)
    np.testing.assert_allclose(moved, mean @ units, rtol=1e-6, atol=1e-6)


def test_one_precision_per_cue_and_repeated_axes():
    means = np.arange(6.0).reshape(2, 3)
    expected = fuse_gaussians(means, [[1.0] * 3, [3.0] * 3])
    np.testing.assert_array_equal(fuse_gaussians(means, [1.0, 3.0]), expected)
    np.testing.assert_array_equal(fuse_gaussians(means, [[1.0], [3.0]]), expected)


def test_zero_precision_ignores_a_cue():
    mean, precision = fuse_gaussians([[1.0, 5.0], [2.0, 7.0]], [[0.0, 2.0], [3.0, 0.0]])
    np.testing.assert_array_equal(mean, [2, 5])
    np.testing.assert_array_equal(precision, [3, 2])


def test_a_direction_that_one_matrix_ignores():
    mean, _ = fuse_gaussians([[1.0, 9.0], [5.0, 2.0]], [np.diag([1.0, 0.0]), np.diag([1.0, 4.0])])
    np.testing.assert_allclose(mean, [3, 2])


def test_prior_is_one_more_cue():
    prior = fuse_gaussians([[1.0, 2.0]], [[1.0, 1.0]], prior=(0.0, 3.0))
    np.testing.assert_allclose(prior, fuse_gaussians([[1.0, 2.0], [0.0, 0.0]], [[1.0, 1.0], [3.0, 3.0]]))
    only_prior = fuse_gaussians([7.0], [0.0], prior=(2.0, 0.5))
    np.testing.assert_array_equal(only_prior, (2.0, 0.5))
    full = fuse_gaussians([[1.0, 2.0]], [np.zeros((2, 2))], prior=([3.0, 4.0], np.eye(2)))
    np.testing.assert_allclose(full[0], [3, 4])


def test_infinite_precision_wins():
    mean, precision = fuse_gaussians([[1.0, 2.0], [5.0, 6.0], [1.0, 0.0]], [[np.inf, 1.0], [9.0, 1.0], [np.inf, 2.0]])
    np.testing.assert_allclose(mean, [1, 2])
    np.testing.assert_array_equal(precision, [np.inf, 4])


def test_a_fixed_coordinate_informs_those_that_covary():
    covary = np.array([[2.0, -1.0], [-1.0, 2.0]])
    mean, precision = fuse_gaussians([[0.0, 0.0], [4.0, 0.0]], [covary, np.diag([np.inf, 0.0])])
    nearly, _ = fuse_gaussians([[0.0, 0.0], [4.0, 0.0]], [covary, np.diag([1e12, 0.0])])
    np.testing.assert_allclose(mean, nearly, rtol=1e-6)
    np.testing.assert_allclose(mean, [4, 2])
    assert precision[0, 0] == np.inf and precision[1, 1] == 2


def test_huge_and_tiny_precisions_do_not_overflow():
    for size in (1e-300, 1e300):
        mean, _ = fuse_gaussians([1.0, 3.0], [size, size])
        assert mean == 2


@pytest.mark.parametrize(
    ("means", "precisions", "prior", "message"),
    [
        ([1.0, 2.0], [0.0, 0.0], None, "all 0"),
        ([1.0, 2.0], [0.0, 0.0], (0.0, 0.0), "all 0"),
        ([1.0, 2.0], [1.0, -1.0], None, "not be negative"),
        ([1.0, 2.0], [np.inf, np.inf], None, "disagree"),
        ([1.0, 2.0], [np.inf, 1.0], (0.0, np.inf), "disagree"),
        ([np.nan, 2.0], [0.0, 1.0], None, "means must be finite"),
        ([np.inf, 2.0], [1.0, 1.0], None, "means must be finite"),
        ([1.0, 2.0], [np.nan, 1.0], None, "NaN"),
        ([], [], None, "at least one cue"),
        (1.0, 1.0, None, "at least one cue"),
        ([1.0, 2.0], [1.0, 1.0, 1.0], None, "do not fit means"),
        ([[1.0, 2.0]], np.ones((1, 2, 3)), None, "do not fit means"),
        ([1.0, 2.0], [1.0, 1.0], (np.nan, 1.0), "prior mean"),
        ([1.0, 2.0], [1.0, 1.0], ([1.0, 2.0], 1.0), "prior must be"),
        ([[1.0, 2.0]], [np.eye(2)], (0.0, 1.0), "prior must be"),
        ([[1.0, 2.0]], [[[1.0, 2.0], [2.0, 1.0]]], None, "negative eigenvalue"),
        ([[1.0, 2.0]], [[[-1.0, 0.0], [0.0, 1.0]]], None, "negative diagonal"),
        ([[1.0, 2.0]], [[[1.0, 0.5], [0.0, 1.0]]], None, "symmetric"),
        ([[1.0, 2.0]], [[[1.0, np.inf], [np.inf, 1.0]]], None, "only on the diagonal"),
        ([[1.0, 2.0]], [[[1.0, 1.0], [1.0, 1.0]]], None, "singular"),
        ([[1.0, 2.0]], [np.zeros((2, 2))], None, "singular"),
    ],
)
def test_refusals(means, precisions, prior, message):
    with pytest.raises(ValueError, match=message):
        fuse_gaussians(means, precisions, prior)


@pytest.mark.parametrize("arguments", [(["a"], [1.0]), ([1.0], None, (1,)), ([1.0], [1.0], 3.0), ([1.0], [object()])])
def test_wrong_types(arguments):
    with pytest.raises((TypeError, ValueError)):
        fuse_gaussians(*arguments)
