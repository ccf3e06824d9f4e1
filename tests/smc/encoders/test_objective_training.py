"""Any objective with any encoder and any set of senses; what some of them must learn; resume and refusals of all."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from arrows import arrow_views, turn_arrows, turn_arrows_in_episodes  # noqa: E402

from smc import Transitions  # noqa: E402
from smc.encoders import ConvEncoder, PointEncoder, ResNetEncoder, embed, pretrain  # noqa: E402
from smc.encoders.objectives import (  # noqa: E402
    BYOL,
    JEPA,
    ActionDecoder,
    BarlowTwins,
    CrossModal,
    CrossModalConsequence,
    EquiMod,
    NTXent,
    Objective,
    TimeContrast,
    VICReg,
    WeightedSum,
    WorldModel,
)

TINY = {"batch_size": 8, "threads": 1, "n_points": 12}
WITHIN_A_SENSE = [
    NTXent(),
    TimeContrast(),
    VICReg(),
    BarlowTwins(),
    BYOL(),
    EquiMod(),
    EquiMod(same_object_negatives=False),
    JEPA(n_directions=8),
    JEPA(n_directions=8, stop_gradient=True),
    ActionDecoder(),
    WorldModel(2),
]
ACROSS = [CrossModal(), CrossModalConsequence(), WeightedSum((TimeContrast(), 1.0), (CrossModal(), 0.5))]
ENCODERS = {
    "image": [ConvEncoder(4, 16, 16), ResNetEncoder(4, 16, 16)],
    "points": [PointEncoder((8, 8, 16), 16)],
}


@pytest.fixture(scope="module")
def few():
    return turn_arrows_in_episodes(6, 4, seed=0)


def weights(trained):
    parts = {**trained, "objective": trained.objective}
    return {f"{m}.{k}": v.numpy().copy() for m, part in parts.items() for k, v in part.state_dict().items()}


def same_bits(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[k], b[k]) for k in a)


def identify(objective):
    return str(objective.describe())


@pytest.mark.parametrize("objective", WITHIN_A_SENSE + ACROSS, ids=identify)
def test_every_objective_goes_with_every_encoder_and_set_of_senses_and_resumes(objective, few, tmp_path):
    both = {"image": ENCODERS["image"][1], "points": ENCODERS["points"][0]}
    single = [] if objective in ACROSS else [{m: e} for m, encoders in ENCODERS.items() for e in encoders]
    for i, encoders in enumerate([*single, both]):
        arguments = {**TINY, "objective": objective, "n_steps": 3, "precision": "fp32"}
        whole = pretrain(few, encoders, **arguments)
        assert all(np.isfinite(values).all() for values in whole.history.values())
        path = tmp_path / f"{i}.safetensors"
        pretrain(few, encoders, checkpoint=path, callback=lambda state, step: step == 1, **arguments)
        resumed = pretrain(few, encoders, checkpoint=path, **arguments)
        assert same_bits(weights(whole), weights(resumed)) and same_bits(whole.history, resumed.history)
    assert not list(objective.parameters())  # a copy was trained


@pytest.mark.parametrize("objective", WITHIN_A_SENSE, ids=identify)
def test_training_lessens_what_it_is_for(objective):
    steps = turn_arrows_in_episodes(40, 4, seed=1)
    trained = pretrain(
        steps,
        {"points": PointEncoder((16, 32, 32), 32)},
        objective=objective,
        n_steps=40,
        batch_size=32,
        n_points=20,
        threads=1,
        precision="fp32",
    )
    total = trained.history["total"]
    assert total[-5:].mean() < total[:5].mean()


def test_world_model_of_one_action_is_equimod(few):
    arguments = {**TINY, "n_steps": 2}
    encoders = {"points": ENCODERS["points"][0]}
    one = pretrain(few, encoders, objective=WorldModel(1), **arguments)
    other = pretrain(few, encoders, objective=EquiMod(), **arguments)
    assert same_bits(weights(one), weights(other))


def test_default_objective_is_the_sum_it_is_said_to_be(few):
    encoders = {"points": ENCODERS["points"][0]}
    default = pretrain(few, encoders, n_steps=3, equivariance_weight=0.5, **TINY)
    told = WeightedSum((TimeContrast(), 1.0), (EquiMod(), 0.5))
    trained = pretrain(few, encoders, n_steps=3, objective=told, **TINY)
    np.testing.assert_array_equal(default.history["total"], trained.history["total"])
    np.testing.assert_array_equal(
        trained.history["total"],
        np.float32(trained.history["points_time_contrast"])
        + np.float32(0.5) * np.float32(trained.history["points_equimod"]),
    )


def test_rollouts_foresee_several_turns_and_begin_as_predictions_do():
    trained = pretrain(
        turn_arrows_in_episodes(60, 6, seed=1),
        {"points": PointEncoder((16, 32, 64), 32)},
        objective=WeightedSum((TimeContrast(), 1.0), (WorldModel(2), 1.0)),
        n_steps=150,
        batch_size=64,
        n_points=20,
        threads=1,
    )
    angle, seen = arrow_views(40, 6, seed=2)
    X = seen["points"]
    turns = np.diff(angle[:, :3], axis=1)[..., None]
    foreseen = trained["points"].rollout(X[:, 0], turns)
    np.testing.assert_array_equal(foreseen[:, 0], trained["points"].predict(X[:, 0], turns[:, 0]))
    views = embed(trained["points"], X.reshape(-1, 20, 3), "equivariance").reshape(40, 6, -1)
    for k in range(2):
        similarity = np.einsum("od,ovd->ov", foreseen[:, k], views)
        assert np.mean(similarity.argmax(axis=1) == k + 1) > 0.45  # chance is 1/6
    with pytest.raises(ValueError, match="actions must have shape"):
        trained["points"].rollout(X[:, 0], turns[:, 0])


def test_action_decoder_reads_turns_of_unseen_arrows():
    train, unseen = turn_arrows(60, 12, seed=1), turn_arrows(30, 4, seed=2)
    trained = pretrain(
        train,
        {"points": PointEncoder((16, 32, 64), 32)},
        objective=ActionDecoder(),
        n_steps=150,
        batch_size=64,
        n_points=20,
        threads=1,
    )
    read = trained.objective.decode(
        "points", trained["points"], unseen.observation["points"], unseen.next_observation["points"]
    )
    assert 1 - np.mean((read - unseen.action) ** 2) / unseen.action.var() > 0.7


def test_senses_may_have_any_name(few):
    clouds, after = few.observation["points"], few.next_observation["points"]
    steps = Transitions(
        {"left.hand": clouds, "keys": clouds}, few.action, {"left.hand": after, "keys": after}, few.group
    )
    encoders = {sense: ENCODERS["points"][0] for sense in steps.observation}
    trained = pretrain(steps, encoders, objective=WeightedSum((BYOL(), 1), (ActionDecoder(), 1)), n_steps=1, **TINY)
    assert trained.objective.parts[1].decode("keys", trained["keys"], clouds, after).shape == (len(few), 1)


def test_target_of_byol_follows_slowly(few):
    still = pretrain(few, {"points": ENCODERS["points"][0]}, objective=BYOL(0.0), n_steps=3, **TINY)
    slow = pretrain(few, {"points": ENCODERS["points"][0]}, objective=BYOL(0.9), n_steps=3, **TINY)
    np.testing.assert_array_equal(still.history["points_byol"][0], slow.history["points_byol"][0])
    assert still.history["points_byol"][2] != slow.history["points_byol"][2]


def test_normalised_heads_resume_with_their_moments(few, tmp_path):
    objective = WeightedSum((BYOL(0.9, normalisation="batch"), 1), (EquiMod(), 1))
    arguments = {**TINY, "objective": objective, "heads": {"normalisation": "batch"}, "n_steps": 4}
    encoders = {"points": ENCODERS["points"][0]}  # whose trunk has no moments
    whole = pretrain(few, encoders, **arguments)
    path = tmp_path / "training.safetensors"
    pretrain(few, encoders, checkpoint=path, callback=lambda state, step: step == 2, **arguments)
    resumed = pretrain(few, encoders, checkpoint=path, **arguments)
    assert same_bits(weights(whole), weights(resumed)) and same_bits(whole.history, resumed.history)
    moments = [name for name in weights(whole) if name.endswith("running_mean")]
    assert len(moments) == 3 and all(weights(whole)[name].any() for name in moments)
    plain = arguments | {"heads": None}
    with pytest.raises(ValueError, match="training with other architectures;"):
        pretrain(few, encoders, checkpoint=path, **plain)


def test_chains_join_steps_that_follow_each_other_in_any_order(few):
    from smc.encoders._sources import RecordedSteps

    shuffled = few[np.random.default_rng(0).permutation(len(few))]
    source = RecordedSteps(shuffled, shuffled.action, ("points",), 12, 0, 3, False)
    assert len(source._chains) == 6 * 2  # of four turns, the first and the second begin three in a row
    sample = source(0)
    frames = sample.frames["points"].reshape(4, 12, 20, 3)
    assert sample.actions.shape == (3, 12, 1)
    for k in range(3):
        for o in range(12):
            rows = np.flatnonzero((shuffled.observation["points"] == frames[k, o]).all(axis=(1, 2)))
            assert shuffled.action[rows[0]] == sample.actions[k, o]
            np.testing.assert_array_equal(shuffled.next_observation["points"][rows[0]], frames[k + 1, o])


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: NTXent(0), ValueError, "temperature must be above 0"),
        (lambda: TimeContrast(label=""), ValueError, "label must be a non-empty str"),
        (lambda: VICReg(variance=-1), ValueError, "variance must be at least 0"),
        (lambda: BarlowTwins("much"), ValueError, "redundancy must be a finite number"),
        (lambda: BYOL(1.0), ValueError, "momentum must be below 1"),
        (lambda: BYOL(normalisation="layer"), ValueError, "normalisation must be one of 'none', 'batch'"),
        (lambda: JEPA(n_directions=0), ValueError, "n_directions must be a positive integer"),
        (lambda: EquiMod(same_object_negatives="no"), TypeError, "same_object_negatives must be True or False"),
        (lambda: WorldModel(0), ValueError, "n_actions must be a positive integer"),
        (lambda: WeightedSum(), ValueError, "parts must hold at least one pair"),
        (lambda: WeightedSum(NTXent()), TypeError, "parts must be pairs"),
        (lambda: WeightedSum((NTXent(), -1)), ValueError, "weight must be at least 0"),
        (lambda: WeightedSum((BYOL(0.9), 1), (BYOL(0.8), 1)), ValueError, "parts must share one momentum"),
    ],
)
def test_refused_settings(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_refused_uses(few, tmp_path):
    encoders = {"points": ENCODERS["points"][0]}
    arguments = {**TINY, "n_steps": 1}
    with pytest.raises(TypeError, match="objective must be an Objective"):
        pretrain(few, encoders, objective=torch.nn.MSELoss(), **arguments)
    with pytest.raises(ValueError, match="CrossModal needs at least 2 senses"):
        pretrain(few, encoders, objective=CrossModal(), **arguments)
    with pytest.raises(ValueError, match=r"two parts have losses called \['points_nt_xent'\]"):
        pretrain(few, encoders, objective=WeightedSum((NTXent(), 1), (NTXent(0.1), 1)), **arguments)
    with pytest.raises(ValueError, match="hold no 5 steps of one group in a row"):
        pretrain(few, encoders, objective=WorldModel(5), **arguments)
    alone = Transitions(few.observation, few.action, few.next_observation, np.arange(len(few)))
    with pytest.raises(ValueError, match="in a row"):
        pretrain(alone, encoders, objective=WorldModel(2), **arguments)
    path = tmp_path / "training.safetensors"
    pretrain(few, encoders, objective=NTXent(0.5), checkpoint=path, **arguments)
    with pytest.raises(ValueError, match="training with other objective;"):
        pretrain(few, encoders, objective=NTXent(0.4), checkpoint=path, **arguments)
    with pytest.raises(NotImplementedError):
        pretrain(few, encoders, objective=Objective("none"), **arguments)
