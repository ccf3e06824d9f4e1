"""Learning from actions on drawings of turned bars: what is learned, controls, resume, files, refusals."""

import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from arrows import turn_arrows  # noqa: E402

from smc import Transitions  # noqa: E402
from smc.encoders import (  # noqa: E402
    ConvEncoder,
    EquivarianceModule,
    PointEncoder,
    ResNetEncoder,
    bf16_supported,
    embed,
    pretrain,
)
from topology.storage import CorruptFileError, save  # noqa: E402

TINY = {"n_steps": 6, "batch_size": 8, "threads": 1, "n_points": 12}


def encoders():
    return {"image": ConvEncoder(8, 16, 32), "points": PointEncoder((16, 32, 64), 32)}


def weights(trained):
    return {f"{m}.{k}": v.numpy().copy() for m in trained for k, v in trained[m].state_dict().items()}


def same_bits(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


@pytest.fixture(scope="module")
def few():
    return turn_arrows(6, 4, seed=0)


def retrieval(module, modality, transitions):
    """Share of transitions whose predicted embedding is nearest to the true next frame among those of its object."""
    predicted = module.predict(transitions.observation[modality], transitions.action)
    seen = embed(module, transitions.next_observation[modality], "equivariance")
    similarity = np.where(transitions.group[:, None] == transitions.group, predicted @ seen.T, -2)
    return np.mean(similarity.argmax(axis=1) == np.arange(len(seen)))


def test_true_actions_tell_where_a_turn_leads_and_shuffled_ones_do_not():
    train, unseen = turn_arrows(60, 12, seed=1), turn_arrows(40, 6, seed=2)
    hits = {}
    for action in ("true", "shuffled"):
        trained = pretrain(train, encoders(), action=action, n_steps=100, batch_size=64, n_points=20, threads=1)
        hits[action] = [retrieval(trained[modality], modality, unseen) for modality in trained]
    assert min(hits["true"]) > 0.4  # chance is 1/6
    assert max(hits["shuffled"]) < 0.3


def test_losses_fall_and_are_recorded(few):
    seen = []
    trained = pretrain(few, encoders(), callback=lambda state, step: seen.append((step, dict(state))), **TINY)
    assert [step for step, _ in seen] == [1, 2, 3, 4, 5, 6]
    assert set(seen[0][1]["modules"]) == {"image", "points"}
    names = {f"{m}_{head}" for m in ("image", "points") for head in ("invariance", "equivariance")}
    names |= {"cross_modal_invariance", "cross_modal_equivariance", "total", "learning_rate"}
    assert set(trained.history) == names
    np.testing.assert_array_equal(trained.history["total"], [state["total"] for _, state in seen])
    assert trained.history["total"][-1] < trained.history["total"][0]
    assert not any(module.training for module in trained.values())


def test_one_modality_has_no_cross_modal_loss(few):
    trained = pretrain(few, {"points": encoders()["points"]}, **TINY)
    assert list(trained) == ["points"] and not any(name.startswith("cross_modal") for name in trained.history)


def test_without_groups_each_transition_is_its_own_object(few):
    ungrouped = Transitions(few.observation, few.action, few.next_observation)
    assert np.isfinite(pretrain(ungrouped, encoders(), **TINY).history["total"]).all()


def test_same_seed_same_bits_and_nothing_global_moves(few):
    given = encoders()
    before = weights({"image": given["image"]})
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, second = (weights(pretrain(few, given, seed=2, **TINY)) for _ in range(2))
    assert same_bits(first, second)
    assert not same_bits(first, weights(pretrain(few, given, seed=3, **TINY)))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert same_bits(before, weights({"image": given["image"]}))


def test_variants_share_initial_weights_and_batches(few):
    first_losses, scales = {}, {}
    for action in ("true", "shuffled", "none"):
        trained = pretrain(few, encoders(), action=action, equivariance_weight=0.0, **TINY)
        first_losses[action] = trained.history["image_invariance"]
        scales[action] = trained["image"].predictor.action_gain
    assert torch.equal(scales["true"], scales["shuffled"]) and not scales["none"].any()
    np.testing.assert_array_equal(first_losses["true"], first_losses["shuffled"])
    np.testing.assert_array_equal(first_losses["true"], first_losses["none"])


def test_module_trained_without_actions_ignores_them(few):
    trained = pretrain(few, encoders(), action="none", **TINY)
    clouds = few.observation["points"]
    with_action = trained["points"].predict(clouds, few.action)
    np.testing.assert_array_equal(with_action, trained["points"].predict(clouds, 0 * few.action))


def test_resumed_training_equals_uninterrupted_bit_for_bit(few, tmp_path):
    whole = pretrain(few, encoders(), **TINY)
    path = tmp_path / "training.safetensors"
    stopped = pretrain(few, encoders(), checkpoint=path, callback=lambda state, step: step == 2, **TINY)
    assert len(stopped.history["total"]) == 2
    resumed = pretrain(few, encoders(), checkpoint=path, **TINY)
    assert same_bits(weights(whole), weights(resumed))
    assert same_bits(whole.history, resumed.history)
    finished = pretrain(few, encoders(), checkpoint=path, callback=lambda state, step: pytest.fail("ran"), **TINY)
    assert same_bits(weights(whole), weights(finished))
    assert list(tmp_path.iterdir()) == [path]


def test_checkpoints_of_other_trainings_and_damaged_ones_are_refused(few, tmp_path):
    path = tmp_path / "training.safetensors"
    pretrain(few, encoders(), checkpoint=path, **TINY)
    with pytest.raises(ValueError, match="training with other learning_rate, seed;"):
        pretrain(few, encoders(), checkpoint=path, seed=1, learning_rate=1e-3, **TINY)
    with pytest.raises(ValueError, match="training with other transitions"):
        pretrain(turn_arrows(6, 4, seed=9), encoders(), checkpoint=path, **TINY)
    payload = bytearray(path.read_bytes())
    payload[len(payload) // 2] ^= 1
    path.write_bytes(payload)
    with pytest.raises(CorruptFileError):
        pretrain(few, encoders(), checkpoint=path, **TINY)


def test_embed_concatenates_heads_in_order(few):
    module = EquivarianceModule(ConvEncoder(8, 16, 32), 1)
    images = few.observation["image"]
    heads = ("invariance", "mid", "equivariance", "backbone")
    joined, columns = embed(module, images, heads), module.columns(heads)
    assert list(columns) == list(heads) and joined.dtype == np.float32
    for head in heads:
        np.testing.assert_array_equal(joined[:, columns[head]], embed(module, images, head))
    np.testing.assert_allclose(np.linalg.norm(joined[:, columns["invariance"]], axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(joined[:, columns["equivariance"]], axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(joined[:, columns["backbone"]], embed(module.encoder, images, "backbone"))


@pytest.mark.parametrize(
    "encoder", [ConvEncoder(8, 16, 32), ResNetEncoder(8, 16, 32), PointEncoder((16, 32, 64), 32, scale=0.2)]
)
def test_saved_module_comes_back(encoder, few, tmp_path):
    module = EquivarianceModule(encoder, 1, dim=16, hidden=24, seed=5)
    module.predictor.scale_actions([0.5], [2.0])
    module.save(tmp_path / "module.safetensors")
    back = EquivarianceModule.load(tmp_path / "module.safetensors")
    X = few.observation["points" if isinstance(encoder, PointEncoder) else "image"]
    np.testing.assert_array_equal(module.predict(X, few.action), back.predict(X, few.action))
    assert not back.training and back.encoder.settings == encoder.settings


def test_heads_may_share_the_backbone_and_predict_linearly(few, tmp_path):
    heads = {"branch": "shared", "predictor": "linear", "dim": 16}
    module = pretrain(few, {"image": ConvEncoder(8, 16, 32)}, heads=heads, **TINY)["image"]
    X = few.observation["image"]
    with torch.no_grad():
        backbone = torch.from_numpy(embed(module, X))
        y = torch.nn.functional.normalize(module.equivariance(backbone), dim=1)
        codes = torch.randn(3, 2 * 16)
        change = [module.predictor.change(c).numpy() for c in (codes[0], codes[1], (codes[0] + codes[1]) / 2)]
    np.testing.assert_allclose(embed(module, X, "equivariance"), y, atol=1e-5)
    np.testing.assert_allclose((change[0] + change[1]) / 2, change[2], atol=1e-5)
    module.save(tmp_path / "module.safetensors")
    back = EquivarianceModule.load(tmp_path / "module.safetensors")
    np.testing.assert_array_equal(module.predict(X, few.action), back.predict(X, few.action))


def test_heads_may_be_normalised_over_the_batch(few, tmp_path):
    module = EquivarianceModule(ConvEncoder(8, 16, 32), 1, normalisation="batch", seed=3)
    rectified = []
    module.train().invariance[-1].register_forward_pre_hook(lambda _, given: rectified.append(given[0]))
    maps = torch.randn(50, module.encoder.n_features, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        module.raw_heads(maps)
        linear = module.invariance[0](module.encoder.project(maps))
    normal = (linear - linear.mean(0)) / (linear.var(0, correction=0) + 1e-5).sqrt()
    np.testing.assert_allclose(rectified[0], normal.relu(), atol=1e-4)
    module.eval().save(tmp_path / "module.safetensors")  # with moments
    back = EquivarianceModule.load(tmp_path / "module.safetensors")
    X = few.observation["image"]
    for head in ("invariance", "equivariance"):
        np.testing.assert_array_equal(embed(module, X, head), embed(back, X, head))


def test_damaged_or_foreign_module_files_are_refused(tmp_path):
    path = tmp_path / "module.safetensors"
    module = EquivarianceModule(PointEncoder((4, 4, 4), 4), 2, dim=4, hidden=4)
    module.save(path)
    arrays = {name: tensor.numpy() for name, tensor in module.state_dict().items()}
    encoder = {"kind": "PointEncoder", **module.encoder.settings}
    good = {"encoder": encoder, "module": module.settings}
    cases = [
        ({**arrays, "extra": np.zeros(2)}, good, "missing or unknown arrays"),
        ({**arrays, "branch.bias": np.zeros(3, np.float32)}, good, "branch.bias is"),
        ({**arrays, "branch.bias": np.full(4, np.nan, np.float32)}, good, "NaN"),
        (arrays, {**good, "encoder": {**encoder, "kind": "Other"}}, "settings that fit no module"),
        (arrays, {**good, "module": {"action_dim": 0}}, "settings that fit no module"),
    ]
    for content, metadata, message in cases:
        save(path, content, kind="EquivarianceModule", metadata=metadata)
        with pytest.raises(CorruptFileError, match=message):
            EquivarianceModule.load(path)
    save(path, arrays, kind="Other", metadata=good)
    with pytest.raises(CorruptFileError, match="expected kind"):
        EquivarianceModule.load(path)


@pytest.mark.parametrize(
    "change, error, message",
    [
        ({"action": "false"}, ValueError, "action must be one of"),
        ({"n_steps": 0}, ValueError, "n_steps must be a positive integer"),
        ({"batch_size": 2.5}, ValueError, "batch_size must be a positive integer"),
        ({"n_points": 0}, ValueError, "n_points must be a positive integer"),
        ({"equivariance_weight": -1}, ValueError, "equivariance_weight must be at least 0"),
        ({"cross_modal_weight": np.nan}, ValueError, "cross_modal_weight must be a finite number"),
        ({"temperature": 0}, ValueError, "temperature must be above 0"),
        ({"learning_rate": "fast"}, ValueError, "learning_rate must be a finite number"),
        ({"seed": None}, ValueError, "seed must be a non-negative integer"),
        ({"threads": 0}, ValueError, "threads must be a positive integer"),
        ({"precision": "fp16"}, ValueError, "precision must be one of"),
        ({"heads": {"depth": 3}}, ValueError, "heads must have keys among"),
        ({"heads": {"branch": "none"}}, ValueError, "branch must be one of"),
        ({"heads": {"normalisation": "layer"}}, ValueError, "normalisation must be one of 'none', 'batch'"),
        ({"heads": {"predictor": "deep"}}, ValueError, "kind of predictor must be one of"),
        ({"encoders": {}}, TypeError, "encoders must be a non-empty dict"),
        ({"encoders": {"image": torch.nn.Identity()}}, TypeError, r"encoders\['image'\] must be one of ConvEncoder"),
        ({"encoders": {"touch": PointEncoder()}}, ValueError, "encoders names 'touch', but transitions sense"),
        ({"encoders": {"image": ConvEncoder()}}, ValueError, r"transitions.observation\['image'\] must hold images"),
    ],
)
def test_refused_arguments(few, change, error, message):
    threads = torch.get_num_threads()
    with pytest.raises(error, match=message):
        pretrain(few, **{"encoders": encoders(), **TINY, **change})
    assert torch.get_num_threads() == threads


def test_divergence_is_named(few):
    with pytest.raises(
        FloatingPointError, match=r"loss of step 2 is not finite \(image_invariance.*lower learning_rate"
    ):
        pretrain(few, encoders(), **TINY, learning_rate=1e30)


@pytest.mark.parametrize(
    "spoilt, message", [(3, r"loss of step 4 is not finite \(points_"), (4, "step 4 made .* of 'points'")]
)
def test_divergence_leaves_the_last_good_checkpoint(few, tmp_path, monkeypatch, spoilt, message):
    monkeypatch.setattr("smc.encoders._training.CHECKPOINT_INTERVAL", 2)
    path = tmp_path / "training.safetensors"

    def spoil(state, step):
        if step == spoilt:
            torch.nn.init.constant_(state["modules"]["points"].branch.weight, torch.nan)

    with pytest.raises(FloatingPointError, match=f"{message}.*training.safetensors keeps step 2"):
        pretrain(few, encoders(), checkpoint=path, callback=spoil, **TINY)
    resumed = pretrain(few, encoders(), checkpoint=path, **TINY)
    assert same_bits(weights(resumed), weights(pretrain(few, encoders(), **TINY)))


def test_checkpoint_of_another_architecture_is_refused(few, tmp_path):
    path = tmp_path / "training.safetensors"
    pretrain(few, encoders(), checkpoint=path, **TINY)
    with pytest.raises(ValueError, match="training with other senses"):
        pretrain(few, dict(reversed(encoders().items())), checkpoint=path, **TINY)
    path.unlink()
    pretrain(few, {"image": ConvEncoder(8, 16, 32)}, checkpoint=path, **TINY)
    for other in (ConvEncoder(4, 16, 32), ResNetEncoder(8, 16, 32)):
        with pytest.raises(ValueError, match="training with other architectures, encoders;"):
            pretrain(few, {"image": other}, checkpoint=path, **TINY)


def test_numbers_may_be_numpy_scalars(few, tmp_path):
    arguments = {**TINY, "n_steps": np.int64(2), "seed": np.int64(1), "learning_rate": np.float32(1e-3)}
    pretrain(few, encoders(), **arguments, checkpoint=tmp_path / "training.safetensors")


def test_refused_actions(few):
    module = EquivarianceModule(PointEncoder((4, 4, 4), 4), 1)
    clouds = few.observation["points"]
    for action, message in ((few.action[:-1], "must have shape"), (few.action * np.nan, "must be finite")):
        with pytest.raises(ValueError, match=message):
            module.predict(clouds, action)
    with pytest.raises(TypeError, match="action must be numeric"):
        module.predict(clouds, few.action.astype(str))
    discrete = SimpleNamespace(observation=few.observation, next_observation=few.next_observation, action=few.group)
    with pytest.raises(ValueError, match=r"np.eye\(n_actions\)"):
        pretrain(discrete, encoders(), **TINY)
    with pytest.raises(TypeError, match="encoder must be one of"):
        EquivarianceModule(torch.nn.Identity(), 1)
    with pytest.raises(ValueError, match="action_dim must be"):
        EquivarianceModule(PointEncoder(), 0)


def test_precisions_agree_roughly(few):
    full, half = (pretrain(few, encoders(), **TINY, precision=p).history["total"] for p in ("fp32", "bf16"))
    np.testing.assert_allclose(half, full, rtol=0.05)
    assert not np.array_equal(half, full)
    assert isinstance(bf16_supported(), bool)


def test_import_without_torch_names_the_extra():
    code = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoTorch())
try:
    import smc.encoders
except ImportError as error:
    print(error)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "extra 'deep'" in out and out.count("\n") == 1
