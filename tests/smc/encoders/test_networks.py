"""The two trunks: borders, shapes, and what they must not confuse."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from smc.encoders import ConvEncoder, PointEncoder, ResNetEncoder, embed  # noqa: E402
from smc.encoders._point_network import _PointMaximum  # noqa: E402
from smc.encoders._runtime import evaluating  # noqa: E402

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
CLOUDS = RNG.normal((0, 0, 0.5), 0.05, (5, 60, 3)).astype(np.float32)


def test_shapes():
    assert embed(ConvEncoder(8, 16, 20), IMAGES[:, :16, :16]).shape == (5, 20)
    assert embed(ConvEncoder(8), IMAGES, "mid").shape == (5, 32)
    assert embed(ResNetEncoder(8, 16, 20), IMAGES[:, :16, :16], ("mid", "backbone")).shape == (5, 32 + 20)
    assert embed(ResNetEncoder(4, 64, 12), np.tile(IMAGES, (1, 2, 2, 1))).shape == (5, 12)
    assert embed(PointEncoder((8, 16, 32), 12), CLOUDS).shape == (5, 12)
    assert embed(PointEncoder((8, 16, 32), 12), CLOUDS, "mid").shape == (5, 32)


def test_default_sizes():
    assert sum(p.numel() for p in PointEncoder().parameters()) < 80_000
    assert sum(p.numel() for p in ConvEncoder().parameters()) < 250_000
    assert sum(p.numel() for p in ResNetEncoder().parameters()) < 250_000


@pytest.mark.parametrize(
    "encoder, X", [(ConvEncoder(8), IMAGES), (ResNetEncoder(8), IMAGES), (PointEncoder((8, 16, 32)), CLOUDS)]
)
def test_mid_is_mean_and_standard_deviation_over_positions(encoder, X):
    with evaluating(encoder):
        early = encoder.maps(torch.from_numpy(X))[0].numpy()
    expected = np.concatenate([early.mean(axis=2), early.std(axis=2)], axis=1)
    np.testing.assert_allclose(embed(encoder, X, "mid"), expected, rtol=1e-4, atol=1e-5)


def test_residual_block_adds_its_change_to_what_came_in():
    block = ResNetEncoder(8).blocks[0].eval()
    x = torch.rand(2, 8, 6, 6)
    with torch.no_grad():
        for convolution in (block.first, block.second):
            convolution.weight.zero_()
        assert torch.equal(block(x), x)


@pytest.mark.parametrize("kind", [ConvEncoder, ResNetEncoder])
def test_float_images_equal_bytes(kind):
    encoder = kind(8)
    np.testing.assert_allclose(embed(encoder, IMAGES), embed(encoder, IMAGES / 255.0), atol=1e-5)


@pytest.mark.parametrize("kind", [ConvEncoder, ResNetEncoder])
def test_images_keep_their_places(kind):
    shifted = np.roll(IMAGES, 8, axis=2)
    encoder = kind(8)
    assert not np.allclose(embed(encoder, IMAGES), embed(encoder, shifted), atol=1e-2)


def test_read_only_and_reversed_arrays_are_taken_as_they_are():
    frozen = IMAGES.copy()
    frozen.setflags(write=False)
    encoder = ConvEncoder(8)
    reference = embed(encoder, IMAGES)
    np.testing.assert_array_equal(embed(encoder, frozen), reference)
    np.testing.assert_array_equal(embed(encoder, frozen[::-1]), embed(encoder, IMAGES[::-1].copy()))


def test_clouds_are_sets_and_have_no_place():
    encoder = PointEncoder((8, 16, 32))
    reference = embed(encoder, CLOUDS)
    np.testing.assert_allclose(embed(encoder, CLOUDS[:, ::-1].copy()), reference, atol=1e-5)
    np.testing.assert_allclose(embed(encoder, CLOUDS + np.float32([0.1, 0, 0.3])), reference, atol=1e-4)
    assert not np.allclose(embed(encoder, 2 * CLOUDS), reference, atol=1e-2)


def test_scale_is_the_unit_of_length():
    near, far = PointEncoder((8, 16, 32)), PointEncoder((8, 16, 32), scale=1.0)
    np.testing.assert_allclose(embed(near, CLOUDS), embed(far, 10 * CLOUDS), atol=1e-4)


def test_invisible_object_gives_finite_embedding_and_gradient():
    encoder = PointEncoder((8, 16, 32))
    loss = sum(part.square().sum() for part in encoder.layers(torch.zeros(2, 30, 3)).values())
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in encoder.parameters())


def test_point_maximum_has_the_values_and_gradient_of_the_built_in():
    x = torch.randn(4, 7, 5, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weight = torch.arange(20.0).view(4, 5)
    ours = _PointMaximum.apply(x)
    reference = x.max(dim=1).values
    assert torch.equal(ours, reference)
    gradient, expected = (torch.autograd.grad((out * weight).sum(), x)[0] for out in (ours, reference))
    assert torch.equal(gradient, expected)


def test_weights_come_from_the_seed_and_leave_the_global_generator_alone():
    state = torch.get_rng_state()
    first, same, other = ConvEncoder(8, seed=3), ConvEncoder(8, seed=3), ConvEncoder(8, seed=4)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(first.project.weight, same.project.weight)
    assert not torch.equal(first.project.weight, other.project.weight)


def test_embedding_does_not_depend_on_the_batches_and_keeps_the_mode():
    encoder = ConvEncoder(8).train()
    np.testing.assert_allclose(embed(encoder, IMAGES, batch_size=2), embed(encoder, IMAGES), atol=1e-5)
    assert encoder.training and encoder.norms[0].training
    assert encoder.norms[0].num_batches_tracked == 0


@pytest.mark.parametrize(
    "kind, arguments, message",
    [
        (ConvEncoder, {"width": 0}, "width must be a positive integer"),
        (ConvEncoder, {"size": 20}, "size must be a multiple of 8"),
        (ResNetEncoder, {"size": 12}, "size must be a multiple of 8"),
        (ResNetEncoder, {"width": -1}, "width must be a positive integer"),
        (ConvEncoder, {"dim": 1.5}, "dim must be a positive integer"),
        (ConvEncoder, {"seed": -1}, "seed must be a non-negative integer"),
        (PointEncoder, {"widths": (8, 16)}, "widths must name at least 3"),
        (PointEncoder, {"widths": (8, 16, -1)}, "widths must be a positive integer"),
        (PointEncoder, {"scale": 0}, "scale must be above 0"),
    ],
)
def test_refused_settings(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(**arguments)


@pytest.mark.parametrize(
    "encoder, X, error, message",
    [
        (ConvEncoder(8), IMAGES[0], ValueError, r"X must hold images \(n >= 1, 32, 32, 3\), got shape"),
        (ConvEncoder(8), IMAGES[:0], ValueError, "X must hold images"),
        (ConvEncoder(8), IMAGES[:, :16], ValueError, "X must hold images"),
        (ConvEncoder(8), IMAGES.astype(int), TypeError, "X must be uint8"),
        (ConvEncoder(8), IMAGES.astype(float), ValueError, r"X must lie in \[0, 1\]"),
        (ConvEncoder(8), np.full((1, 32, 32, 3), np.nan), ValueError, "neither NaN"),
        (PointEncoder(), CLOUDS[0], ValueError, "X must hold point clouds"),
        (PointEncoder(), CLOUDS[:, :0], ValueError, "X must hold point clouds"),
        (PointEncoder(), CLOUDS.astype(int), TypeError, "X must be float"),
        (PointEncoder(), CLOUDS * np.inf, ValueError, "X must be finite"),
    ],
)
def test_refused_input(encoder, X, error, message):
    with np.errstate(invalid="ignore"), pytest.raises(error, match=message):
        embed(encoder, X)


def test_refused_heads_and_encoders():
    encoder = ConvEncoder(8)
    for head in ("invariance", "top", (), ("mid", "mid")):
        with pytest.raises(ValueError, match="head must be one of"):
            embed(encoder, IMAGES, head)
    with pytest.raises(TypeError, match="encoder must be an EquivarianceModule"):
        embed(torch.nn.Identity(), IMAGES)
    with pytest.raises(ValueError, match="batch_size must be"):
        embed(encoder, IMAGES, batch_size=0)
