"""Metrics on embeddings whose knowledge is known, their nulls, refusals."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from arrows import arrow_views, turn_arrows  # noqa: E402

from smc.encoders import ConvEncoder, EquivarianceModule, PointEncoder, embed, metrics, pretrain  # noqa: E402
from smc.encoders.metrics._views import ordered_pairs  # noqa: E402
from smc.encoders.objectives import ActionDecoder  # noqa: E402


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def turns(angle):
    """Actions (n_objects, n_views, n_views, 1) between angles (n_objects, n_views)."""
    return (angle[:, None] - angle[:, :, None])[..., None]


def test_retrieval_counts_ranks_among_the_other_views():
    rng = np.random.default_rng(0)
    views = unit(rng.normal(size=(5, 6, 4)))
    predicted = unit(rng.normal(size=(5, 30, 4)))
    i, j = ordered_pairs(6)
    found = metrics.retrieval(predicted, views, i, j)
    for o in range(5):
        ranks = []
        for p in range(30):
            others = [v for v in range(6) if v != i[p]]
            order = sorted(others, key=lambda v: -predicted[o, p] @ views[o, v])
            ranks.append(1 + order.index(j[p]))
        assert found.hit_at_1[o] == pytest.approx(np.mean(np.equal(ranks, 1)))
        assert found.reciprocal_rank[o] == pytest.approx(np.mean(1 / np.array(ranks)))


def test_collapsed_embedding_is_at_chance_and_perfect_prediction_at_one():
    i, j = ordered_pairs(8)
    collapsed = np.ones((3, 8, 4)) / 2
    found = metrics.retrieval(collapsed[:, i], collapsed, i, j)
    guess = metrics.chance(8)
    np.testing.assert_allclose(found.hit_at_1, guess.hit_at_1)
    np.testing.assert_allclose(found.reciprocal_rank, guess.reciprocal_rank)
    assert guess.hit_at_1 == pytest.approx(1 / 7) and guess.reciprocal_rank == pytest.approx(0.3704, abs=1e-4)
    views = unit(np.random.default_rng(0).normal(size=(3, 8, 4)))
    assert (metrics.retrieval(views[:, j], views, i, j).hit_at_1 == 1).all()


def test_gain_is_zero_where_nothing_changes():
    rng = np.random.default_rng(0)
    y, after = unit(rng.normal(size=(2, 7, 4)))
    np.testing.assert_allclose(metrics.equivariance_gain(y, y, y), 0, atol=1e-12)
    np.testing.assert_allclose(metrics.equivariance_gain(after, after, y), 1 - (after * y).sum(1))


def test_known_embeddings_are_not_computed_again():
    module = EquivarianceModule(ConvEncoder(4, 16, 8), 2)
    rng = np.random.default_rng(0)
    X, pose = rng.random((3, 4, 16, 16, 3)), rng.normal(size=(3, 4, 2))
    action = pose[:, None] - pose[:, :, None]
    known = embed(module, X.reshape(-1, 16, 16, 3), "equivariance")
    again = metrics.consequences(module, np.zeros_like(X), action, embeddings=known)
    for a, b in zip(metrics.consequences(module, X, action), again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_shuffled_action_gains_as_much_where_actions_have_no_consequence():
    module = EquivarianceModule(ConvEncoder(4, 16, 8), 2)
    rng = np.random.default_rng(0)
    still = np.repeat(rng.integers(0, 256, (40, 1, 16, 16, 3), dtype=np.uint8), 4, axis=1)
    noisy = (still // 2 + rng.integers(0, 128, still.shape)).astype(np.uint8)
    found = metrics.consequences(module, noisy, rng.normal(size=(40, 4, 4, 2)))
    difference = found.gain - found.shuffled_gain
    assert found.gain.mean() < -0.01  # an untrained prediction errs
    assert abs(difference.mean()) < 3 * difference.std() / np.sqrt(40)


@pytest.mark.parametrize("probe", ["mlp", "linear"])
def test_probe_reads_actions_from_features_that_hold_them_only(probe):
    rng = np.random.default_rng(0)
    angle, test_angle = rng.uniform(-1, 1, (60, 5)), rng.uniform(-1, 1, (30, 5))

    def features(angle, told):
        noise = rng.normal(size=(*angle.shape, 4))
        return np.concatenate([angle[..., None] * told + 0.1 * noise[..., :1], noise[..., 1:]], axis=-1)

    r2 = [
        metrics.action_r2(
            features(angle, told), turns(angle), features(test_angle, told), turns(test_angle), probe=probe
        )
        for told in (1, 0)
    ]
    assert r2[0].shape == (30,)
    assert r2[0].mean() > 0.6 and r2[1].mean() < 0.1


def test_linear_and_few_label_probes():
    rng = np.random.default_rng(0)
    labels, test_labels = np.repeat(np.arange(3), 40), np.repeat(np.arange(3), 20)
    group = np.arange(120) // 4
    X, T = (3 * np.eye(3)[y] + rng.normal(size=(len(y), 3)) for y in (labels, test_labels))
    correct = metrics.linear_probe(X, labels, T, test_labels)
    assert correct.shape == (60,) and correct.mean() > 0.9
    few = metrics.few_label_probe(X, labels, T, test_labels, n_labels=5, n_draws=4, group=group)
    assert few.shape == (4, 60) and 0.7 < few.mean() <= correct.mean() + 0.05
    again = metrics.few_label_probe(X, labels, T, test_labels, n_labels=5, n_draws=4, group=group)
    np.testing.assert_array_equal(few, again)
    useless = metrics.linear_probe(rng.normal(size=X.shape), labels, T, test_labels)
    assert useless.mean() < 0.6


def test_report_tells_a_trained_module_from_its_nulls():
    train = turn_arrows(60, 12, seed=1)
    arguments = {"n_steps": 100, "batch_size": 64, "n_points": 20, "threads": 1}
    encoders = {"points": PointEncoder((16, 32, 64), 32)}
    modules = {
        "trained": pretrain(train, encoders, **arguments)["points"],
        "random encoder": EquivarianceModule(PointEncoder((16, 32, 64), 32), 1),
    }
    ceiling = pretrain(train, encoders, objective=ActionDecoder(), **arguments), "points"
    (angle, seen), (test_angle, test_seen) = arrow_views(40, 5, seed=2), arrow_views(30, 5, seed=3)
    views = seen["points"], turns(angle), test_seen["points"], turns(test_angle)
    rows = {row.pop("row"): row for row in metrics.action_report(modules, *views, ceiling=ceiling, n_steps=100)}
    assert list(rows) == [
        *(f"{name}{null}" for name in modules for null in ("", ", identity", ", shuffled action")),
        "chance",
        "supervised ceiling",
    ]
    assert rows["chance"]["hit_at_1"] == 0.25
    nulls = [name for name in rows if "," in name or name in ("random encoder", "chance")]
    assert rows["trained"]["hit_at_1"] > 0.45 > max(rows[name]["hit_at_1"] for name in nulls)
    assert rows["trained"]["mrr"] > max(rows[name]["mrr"] for name in nulls)
    assert rows["trained"]["gain"] > 0.1 > rows["random encoder"]["gain"]
    assert rows["supervised ceiling"]["action_r2"] > 0.5 and rows["trained"]["action_r2"] > 0.5


@pytest.mark.parametrize(
    "make, error, message",
    [
        (lambda: metrics.consequences(torch.nn.Identity(), 0, 0), TypeError, "must be an EquivarianceModule"),
        (
            lambda: metrics.consequences(
                EquivarianceModule(PointEncoder((4, 4, 4), 4), 1), np.zeros((2, 2, 5, 3)), np.zeros((2, 2, 2, 1))
            ),
            ValueError,
            "n_views >= 3",
        ),
        (
            lambda: metrics.action_r2(np.zeros((2, 3, 4)), np.zeros((2, 3, 1)), 0, 0),
            ValueError,
            r"action of features must have shape \(2, 3, 3, d\)",
        ),
        (lambda: metrics.action_r2(0, 0, 0, 0, probe="deep"), ValueError, "probe must be"),
        (lambda: metrics.linear_probe(np.ones((2, 1)), [0, 0], np.ones((1, 1)), [0]), ValueError, "at least 2 classes"),
        (lambda: metrics.linear_probe(np.ones((2, 1)), [0], np.ones((1, 1)), [0]), ValueError, "labels must have"),
        (
            lambda: metrics.few_label_probe(np.ones((3, 1)), [0, 0, 1], np.ones((1, 1)), [0], n_labels=2),
            ValueError,
            "n_labels=2 is more than class 1 has",
        ),
    ],
)
def test_refusals(make, error, message):
    with pytest.raises(error, match=message):
        make()
