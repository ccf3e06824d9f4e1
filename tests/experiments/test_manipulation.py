"""The arithmetic of the main experiment; its whole course is run by the smoke test of all experiments."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from experiments.manipulation import Config, _action, _floors, _looking, _methods, _recognition, _settings, _split
from fusion import PrecisionFusion
from smc.worlds import ObjectBank

rng = np.random.default_rng(0)


def probabilities(*shape):
    p = rng.random(shape)
    return p / p.sum(-1, keepdims=True)


def test_views_needed_counts_to_the_first_view_after_which_all_are_right():
    correct = np.array([[1, 1, 1], [0, 1, 1], [1, 0, 1], [1, 1, 0], [0, 0, 0]], np.uint8)
    assert _looking.views_needed(correct).tolist() == [1, 2, 3, 4, 4]


def test_practice_is_judged_by_experts_that_have_not_met_the_object():
    labels = np.arange(12) % 3
    labelled = np.arange(11, -1, -1)
    met = []

    class Recogniser:
        def fit(self, objects):
            met.append(set(objects.tolist()))
            return self

        def judge(self, survey):
            assert not met[-1] & set(survey.object.tolist())
            return np.repeat(survey.object, 2).reshape(-1, 2, 1)

    turned = _looking.Survey({"image": np.zeros((12, 2, 1))}, np.zeros((2, 2)), np.arange(12))
    practice = _looking.practise(Recogniser(), turned, labelled, labels, np.random.default_rng(0))
    judged = practice.evidence[:, 0, 0]
    assert sorted(judged) == list(range(12)) and len(met) == _looking.N_FOLDS
    np.testing.assert_array_equal(practice.label, labels[judged])


def episodes(n_objects, *, shared, seed):
    """Features that tell the pose of every object alike (shared), or of each object in its own way."""
    rng = np.random.default_rng(seed)
    poses = rng.uniform(-1, 1, (n_objects, 8, 2))
    code = np.broadcast_to(np.random.default_rng(9).normal(size=(2, 32)), (n_objects, 2, 32))
    code = code if shared else rng.normal(size=(n_objects, 2, 32))
    return np.einsum("ofp,opd->ofd", poses, code) + rng.normal(size=(n_objects, 1, 32)), poses


@pytest.mark.parametrize("shared", [True, False])
def test_turns_are_read_from_what_objects_share_and_not_learned_by_heart(shared):
    known, tested = (episodes(n, shared=shared, seed=n) for n in (40, 41))
    r2 = _action.turn_r2(*known, *tested, Config(n_probe_steps=150), 0).mean()
    assert r2 > 0.7 if shared else -0.1 < r2 < 0.1


def test_settings_are_the_best_that_were_tried():
    path = Path(_settings.__file__).parents[1] / "data" / "manipulation_tuning.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    for field, (method, values) in _settings.TRIED.items():
        tried = [row for row in rows if row["setting"] == field]
        assert [row["value"] for row in tried] == [str(value) for value in values]
        assert {row["method"] for row in tried} == {method}
        best = max(tried, key=lambda row: float(row["accuracy"]))  # of equals the first
        assert best["value"] == str(getattr(_settings.SETTINGS, field))


def test_discounting_here_is_that_of_precision_fusion():
    from sklearn.linear_model import LogisticRegression

    X, y = rng.normal(size=(60, 4)), np.arange(60) % 3
    parts = [("a", slice(0, 2), LogisticRegression(), 0.3), ("b", slice(2, 4), LogisticRegression(), 0.8)]
    fused = PrecisionFusion(parts).fit(X, y)
    P = np.stack([fused.experts_[n].predict_proba(X[:, c]) for n, c in (("a", slice(0, 2)), ("b", slice(2, 4)))])
    scores = _methods.discounted(P, np.array([[0.3], [0.8]]) * np.ones((2, 60)))
    np.testing.assert_allclose(softmax(scores, axis=-1), fused.predict_proba(X), atol=1e-12)


def test_a_weight_of_zero_silences_a_sense_and_of_one_gives_the_product():
    P = probabilities(2, 5, 3)
    alone = _methods.discounted(P, np.array([[1.0], [0.0]]) * np.ones((2, 5)))
    np.testing.assert_array_equal(alone.argmax(-1), P[0].argmax(-1))
    np.testing.assert_allclose(_methods.discounted(P, np.ones((2, 5))), _methods.powered(P, np.ones((2, 5))))


def test_confidence_is_one_for_a_certain_expert_and_zero_for_an_uninformed_one():
    assert _methods.normalised_confidence(np.array([[1.0, 0, 0], [1 / 3, 1 / 3, 1 / 3]])) == pytest.approx([1, 0])


def test_the_oracle_is_the_best_of_either_sense_and_both():
    truth = np.zeros(20, int)
    right, wrong = np.tile([0.9, 0.1], (20, 1)), np.tile([0.2, 0.8], (20, 1))
    names = ("image alone", "points alone", "product of experts")
    scores = dict(zip(names, (wrong, right, wrong), strict=True))
    judged = [(scores, np.stack([wrong, right]), np.ones((2, 20)))]
    (chosen,) = _recognition.with_controls(judged, np.arange(20), truth, rng)
    assert (chosen["oracle"].argmax(-1) == truth).all()


def test_permuted_weights_are_the_same_weights_in_another_order():
    P, r = probabilities(2, 50, 3), rng.random((2, 50))
    scores = {name: P[0] for name in ("image alone", "points alone", "product of experts")}
    (chosen,) = _recognition.with_controls([(scores, P, r)], np.arange(50), np.zeros(50, int), rng)
    assert not np.allclose(chosen["permuted weights"], _methods.discounted(P, r))
    constant = np.full_like(r, 0.4)
    (chosen,) = _recognition.with_controls([(scores, P, constant)], np.arange(50), np.zeros(50, int), rng)
    np.testing.assert_allclose(chosen["permuted weights"], _methods.discounted(P, constant))
    np.testing.assert_allclose(chosen["condition-mean weights"], _methods.discounted(P, constant))


@pytest.mark.parametrize("kind", ["concat", "gate"])
def test_trained_fusions_learn_a_separable_problem(kind):
    y = np.arange(200) % 2
    X = [rng.normal(y[:, None] * 4, 1, (200, 3)), rng.normal(y[:, None] * 4, 1, (200, 2))]
    fused = _methods.TrainedFusion(kind, seed=0).fit(X, y)
    assert (fused.log_proba(X).argmax(-1) == y).mean() > 0.95
    np.testing.assert_allclose(np.exp(fused.log_proba(X)).sum(-1), 1, atol=1e-5)


def test_cloud_shape_does_not_depend_on_where_the_object_is_held():
    cloud = rng.normal(scale=0.03, size=(3, 64, 3))
    moved = cloud + np.array([0.1, 0, 0.4])
    np.testing.assert_allclose(_floors.cloud_shape(moved), _floors.cloud_shape(cloud), atol=1e-9)


@pytest.mark.parametrize("split", ["development", "confirmation"])
def test_no_group_of_near_duplicates_is_on_two_sides(split):
    bank = ObjectBank.bundled()
    objects = _split.draw_objects(bank, split, seed=3)
    sides = [set(bank.groups[part]) for part in (objects.handled, objects.mapped, objects.tested)]
    assert not (sides[0] & sides[1] or sides[0] & sides[2] or sides[1] & sides[2])
    assert all(set(bank.classes[part]) == set(bank.class_names) for part in (objects.known, objects.tested))


def test_a_development_life_never_meets_a_confirmation_object():
    bank = ObjectBank.bundled()
    part = _split.parts_of(bank)
    objects = _split.draw_objects(bank, "development", seed=0)
    assert not np.isin(part[np.concatenate([objects.known, objects.tested])], ["confirmation"]).any()
    assert (part[_split.draw_objects(bank, "confirmation", seed=0).tested] == "confirmation").all()
