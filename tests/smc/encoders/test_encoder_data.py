"""What can be learned from beside transitions: pictures, folders, environments; use in pipelines; curves; refusals."""

import gzip
import math

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

torch = pytest.importorskip("torch")

from arrows import draw, turn_arrows  # noqa: E402

from smc import Transitions  # noqa: E402
from smc.encoders import (  # noqa: E402
    Action,
    AugmentedImages,
    ConvEncoder,
    EncoderTransformer,
    EquivarianceModule,
    ImageAugmentation,
    LearningCurves,
    PointEncoder,
    ResNetEncoder,
    embed,
    load_images,
    pretrain,
)
from smc.encoders.objectives import NTXent, WorldModel  # noqa: E402

TINY = {"n_steps": 4, "batch_size": 8, "threads": 1}
PIXELS = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)


def arrows(n, seed):
    rng = np.random.default_rng(seed)
    return draw(rng.uniform(-0.4, 0.4, n), rng.uniform(0.5, 0.9, n), rng.uniform(0.3, 1, (n, 3)))["image"]


def test_augmentation_draws_crops_that_stay_within_the_picture():
    action = ImageAugmentation(largest_zoom=math.log(3)).draw(500, np.random.default_rng(0))
    assert isinstance(action, Action) and action.active() == ("zoom", "crop", "flip", "color")
    assert (np.abs(action.crop) <= np.exp(action.zoom)[:, None] - 1 + 1e-12).all()
    assert 0.4 < action.flip.mean() < 0.6 and not action.has_consequence("points").any()
    still = ImageAugmentation(0, 0, 0, 0).draw(5, np.random.default_rng(0))
    assert not still.has_consequence("image").any()


def test_action_between_looks_leads_from_the_first_to_the_second():
    augmentation = ImageAugmentation(largest_zoom=0.2)
    pictures = AugmentedImages(
        np.repeat(np.linspace(0.3, 0.5, 32)[None, :, None, None], 32, axis=2) * np.ones((4, 1, 1, 3)), augmentation
    )
    frames, action = pictures.look(np.arange(4), np.random.default_rng(1))
    assert frames.shape == (8, 32, 32, 3) and action.shape == (4, 7)
    led = Action.from_vector(action, ("zoom", "crop", "flip", "color")).apply(frames[:4], "image")
    inside = slice(8, 24)
    np.testing.assert_allclose(led[:, inside, inside], frames[4:, inside, inside], atol=5e-3)


@pytest.mark.parametrize("action", ["true", "shuffled", "none"])
def test_pictures_are_learned_from_and_resumed(action, tmp_path):
    arguments = {**TINY, "action": action}
    encoders = {"image": ResNetEncoder(4, 16, 16)}
    whole = pretrain(AugmentedImages(PIXELS), encoders, **arguments)
    assert whole["image"].action_dim == 7 and np.isfinite(whole.history["total"]).all()
    path = tmp_path / "training.safetensors"
    pretrain(AugmentedImages(PIXELS), encoders, checkpoint=path, callback=lambda state, step: step == 2, **arguments)
    resumed = pretrain(AugmentedImages(PIXELS), encoders, checkpoint=path, **arguments)
    np.testing.assert_array_equal(embed(whole["image"], PIXELS), embed(resumed["image"], PIXELS))


def test_simclr_on_pictures_knows_them_again_in_another_look():
    images, unseen = arrows(200, seed=0), arrows(24, seed=1)
    augmentation = ImageAugmentation(largest_zoom=0.4, tint=0.0)
    trained = pretrain(
        AugmentedImages(images, augmentation),
        {"image": ConvEncoder(8, 16, 32)},
        objective=NTXent(),
        n_steps=60,
        batch_size=64,
        threads=1,
    )
    rng = np.random.default_rng(2)
    looks = [augmentation.draw(24, rng).apply(unseen, "image") for _ in range(2)]
    found = {}
    for name, module in (("trained", trained["image"]), ("random", EquivarianceModule(ConvEncoder(8, 16, 32), 7))):
        a, b = (embed(module, x, "invariance") for x in looks)
        found[name] = np.mean((a @ b.T).argmax(axis=1) == np.arange(24))
    assert found["trained"] > max(0.4, found["random"])


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + b"".join(int(n).to_bytes(4, "big") for n in array.shape)
    content = header + array.tobytes()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)


@pytest.mark.parametrize("n_labels", [1, 2])
def test_binary_version_of_cifar(tmp_path, n_labels):
    images = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    labels = np.array([[9, 4, 0], [90, 4, 50]][:n_labels], np.uint8).T  # the last one is the class
    records = np.hstack([labels, np.moveaxis(images, 3, 1).reshape(3, -1)])
    (tmp_path / "data_batch_1.bin").write_bytes(records.tobytes())
    read = load_images(tmp_path / "data_batch_1.bin")
    np.testing.assert_array_equal(read.images, images)
    np.testing.assert_array_equal(read.labels, labels[:, -1])
    (tmp_path / "data_batch_1.bin").write_bytes(records.tobytes()[:-1])
    with pytest.raises(ValueError, match="records of 3073 or 3074 bytes, got"):
        load_images(tmp_path / "data_batch_1.bin")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_idx_files_with_labels_beside_them(tmp_path, suffix):
    grey, labels = PIXELS[..., 0], np.arange(10, dtype=np.uint8) % 3
    write_idx(tmp_path / f"train-images-idx3-ubyte{suffix}", grey)
    write_idx(tmp_path / f"train-labels-idx1-ubyte{suffix}", labels)
    read = load_images(tmp_path / f"train-images-idx3-ubyte{suffix}")
    assert read.images.shape == (10, 16, 16, 3)
    for channel in range(3):
        np.testing.assert_array_equal(read.images[..., channel], grey)
    np.testing.assert_array_equal(read.labels, labels)


def test_arrays_and_folders_of_classes(tmp_path):
    pillow = pytest.importorskip("PIL.Image")
    np.savez(tmp_path / "data.npz", images=PIXELS, labels=np.arange(10))
    np.testing.assert_array_equal(load_images(tmp_path / "data.npz").labels, np.arange(10))
    np.save(tmp_path / "data.npy", PIXELS)
    assert load_images(tmp_path / "data.npy").labels is None
    for name in ("cat", "dog"):
        (tmp_path / "classes" / name).mkdir(parents=True)
    pillow.fromarray(PIXELS[0]).save(tmp_path / "classes" / "cat" / "one.png")
    np.save(tmp_path / "classes" / "dog" / "several.npy", PIXELS[1:4])
    (tmp_path / "classes" / "dog" / "notes.txt").write_text("no picture")
    read = load_images(tmp_path / "classes")
    np.testing.assert_array_equal(read.images, PIXELS[:4])
    np.testing.assert_array_equal(read.labels, [0, 1, 1, 1])
    assert read.class_names == ("cat", "dog")
    trained = pretrain(tmp_path / "classes", {"image": ConvEncoder(4, 16, 16)}, **TINY)
    assert np.isfinite(trained.history["total"]).all()


def test_files_that_are_no_images_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such folder or file"):
        load_images(tmp_path / "nothing")
    with pytest.raises(ValueError, match="one folder per class, got none"):
        load_images(tmp_path)
    (tmp_path / "cat").mkdir()
    with pytest.raises(ValueError, match="holds no image"):
        load_images(tmp_path)
    np.save(tmp_path / "cat" / "a.npy", PIXELS[0])
    np.save(tmp_path / "cat" / "b.npy", PIXELS[0, :8])
    with pytest.raises(ValueError, match=r"of one size, but .*a.npy is 16 x 16 and .*b.npy is 8 x 16"):
        load_images(tmp_path)
    (tmp_path / "cat" / "a.png").write_bytes(b"no picture")
    (tmp_path / "cat" / "b.npy").unlink()
    with pytest.raises(ValueError, match=r"a.png is no readable picture"):
        load_images(tmp_path)
    np.save(tmp_path / "float.npy", PIXELS / 255)
    with pytest.raises(ValueError, match="must hold uint8 images"):
        load_images(tmp_path / "float.npy")
    np.savez(tmp_path / "unnamed.npz", pictures=PIXELS)
    with pytest.raises(ValueError, match="array named images"):
        load_images(tmp_path / "unnamed.npz")
    np.savez(tmp_path / "labels.npz", images=PIXELS, labels=np.arange(3))
    with pytest.raises(ValueError, match="one integer label per image"):
        load_images(tmp_path / "labels.npz")
    write_idx(tmp_path / "images-idx3-ubyte", PIXELS[..., 0])
    whole = (tmp_path / "images-idx3-ubyte").read_bytes()
    for content, message in ((whole[:-1], "is cut off"), (whole[:6], "is cut off"), (b"text", "no npy, npz or IDX")):
        (tmp_path / "images-idx3-ubyte").write_bytes(content)
        with pytest.raises(ValueError, match=message):
            load_images(tmp_path / "images-idx3-ubyte")


def test_an_environment_is_acted_in_first():
    gymnasium = pytest.importorskip("gymnasium")

    class Arrow(gymnasium.Env):
        observation_space = gymnasium.spaces.Dict({"points": gymnasium.spaces.Box(-1, 1, (20, 3), np.float32)})
        action_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)

        def reset(self, *, seed=None, options=None):
            super().reset(seed=seed)
            self.angle, self.length, self.n = 0.0, self.np_random.uniform(0.5, 0.9), 0
            return self.look(), {}

        def step(self, action):
            self.angle, self.n = self.angle + float(action[0]), self.n + 1
            return self.look(), 0.0, False, self.n == 5, {}

        def look(self):
            seen = draw(np.array([self.angle]), np.array([self.length]), np.ones((1, 3)))
            return {"points": seen["points"][0]}

    encoders = {"points": PointEncoder((8, 8, 16), 16)}
    arguments = {**TINY, "n_points": 20, "objective": WorldModel(3)}
    acted = pretrain(Arrow(), encoders, n_env_steps=60, **arguments)
    recorded = pretrain(Transitions.from_env(Arrow(), None, 60, 0), encoders, **arguments)
    np.testing.assert_array_equal(acted.history["total"], recorded.history["total"])


def test_refused_data():
    few = turn_arrows(6, 2, seed=0)
    image, points = {"image": ConvEncoder(4, 16, 16)}, {"points": PointEncoder((8, 8, 16), 16)}
    for data, encoders, change, error, message in [
        (
            PIXELS,
            image,
            {},
            TypeError,
            "transitions must be smc.Transitions, AugmentedImages, an environment, a source",
        ),
        (AugmentedImages(PIXELS), points, {}, ValueError, "of the sense 'image' of the images alone"),
        (AugmentedImages(PIXELS[:, :8]), image, {}, ValueError, "images must hold images"),
        (AugmentedImages(PIXELS), image, {"objective": WorldModel(2)}, ValueError, "the objective needs 2 actions"),
        (few, points, {"n_points": 21}, ValueError, "has clouds of 20 points, fewer than n_points=21"),
        (few, image, {"n_env_steps": 0}, ValueError, "n_env_steps must be a positive integer"),
    ]:
        with pytest.raises(error, match=message):
            pretrain(data, encoders, **TINY, **change)
    for arguments, error, message in [
        ({"images": PIXELS[0]}, ValueError, "images must have shape"),
        ({"images": PIXELS, "augmentation": "strong"}, TypeError, "augmentation must be an ImageAugmentation"),
        ({"images": PIXELS, "group": [0]}, ValueError, "group must have shape"),
    ]:
        with pytest.raises(error, match=message):
            AugmentedImages(**arguments)
    with pytest.raises(ValueError, match="flip must be a probability"):
        ImageAugmentation(flip=1.5)


def test_encoder_in_a_pipeline():
    images = np.concatenate([arrows(30, seed=0), arrows(30, seed=1)[:, ::-1, ::-1]])
    y = np.repeat([0, 1], 30)
    encoder = ConvEncoder(4, 16, 8)
    step = EncoderTransformer(encoder, ("mid", "backbone"))
    assert clone(step).encoder is encoder
    np.testing.assert_array_equal(step.fit_transform(images), embed(encoder, images, ("mid", "backbone")))
    assert list(step.get_feature_names_out()[:2]) == ["embedding0", "embedding1"] and step.n_features_out_ == 24
    read = make_pipeline(step, StandardScaler(), LogisticRegression())
    assert cross_val_score(read, images, y, cv=3).mean() > 0.8
    flat = np.column_stack([np.zeros(60), images.reshape(60, -1).astype(np.float32) / 255])
    pick = make_column_transformer((EncoderTransformer(encoder, shape=(16, 16, 3)), slice(1, None)))
    np.testing.assert_allclose(pick.fit_transform(flat), embed(encoder, images), atol=1e-5)
    with pytest.raises(ValueError, match=r"X must have shape \(n, 768\)"):
        EncoderTransformer(encoder, shape=(16, 16, 3)).transform(images)


def test_curves_are_drawn_while_learning(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "curves.png"
    sizes = []
    curves = LearningCurves(path, every=2)

    def watch(state, step):
        curves(state, step)
        sizes.append(path.stat().st_size if path.exists() else 0)

    trained = pretrain(AugmentedImages(PIXELS), {"image": ConvEncoder(4, 16, 16)}, callback=watch, **TINY)
    assert sizes[0] == 0 and all(sizes[1:]) and list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(curves.losses["total"], trained.history["total"])
    assert len(curves.draw().lines) == len(curves.losses) + 1
    with pytest.raises(ValueError, match="path must lie in a folder"):
        LearningCurves(tmp_path / "nowhere" / "curves.png")
