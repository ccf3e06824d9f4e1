import numpy as np
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator

from fusion import HebbianAssociation
from topology import GrowingNeuralGas


@pytest.fixture(scope="module")
def senses():
    """One angle, seen as a circle and felt as a curve in three dimensions."""
    angle = np.random.default_rng(0).uniform(0, 2 * np.pi, 1500)
    felt = np.c_[2 * np.cos(angle) + 1, 1.3 * np.sin(angle), np.sin(2 * angle)]
    return angle, np.c_[np.cos(angle), np.sin(angle)], felt


@pytest.fixture(scope="module")
def association(senses):
    maps = [GrowingNeuralGas(50, n_epochs=8, random_state=seed) for seed in (0, 1)]
    return HebbianAssociation(*maps).fit(*senses[1:])


def test_each_sense_expects_the_other(senses, association):
    _, seen, felt = senses
    shuffled = np.random.default_rng(1).permutation(len(seen))
    control = HebbianAssociation(
        FrozenEstimator(association.estimator_a_), FrozenEstimator(association.estimator_b_)
    ).fit(seen, felt[shuffled])
    for X, other, source in ((seen, felt, "a"), (felt, seen, "b")):
        error = np.abs(association.expect(X, source=source, kind="mean") - other).mean()
        unrelated = np.abs(control.expect(X, source=source, kind="mean") - other).mean()
        assert error < 0.1 * unrelated


def test_links_are_the_shares_felt_together(senses, association):
    _, seen, felt = senses
    hard = HebbianAssociation(
        FrozenEstimator(association.estimator_a_), FrozenEstimator(association.estimator_b_), n_near=1
    ).fit(seen, felt)
    counts = np.zeros_like(hard.association_)
    for i, j in zip(association.estimator_a_.predict(seen), association.estimator_b_.predict(felt)):
        counts[i, j] += 1
    np.testing.assert_allclose(hard.association_, counts)
    np.testing.assert_allclose(association.association_.sum(), len(seen))


def test_expectations_are_distributions_and_the_two_ways_are_one_joint(senses, association):
    _, seen, felt = senses
    units = association.expect(seen, kind="units")
    assert units.shape == (len(seen), 50) and (units >= 0).all()
    np.testing.assert_allclose(units.sum(axis=1), 1)
    mirrored = HebbianAssociation(
        FrozenEstimator(association.estimator_b_), FrozenEstimator(association.estimator_a_)
    ).fit(felt, seen)
    np.testing.assert_allclose(mirrored.association_, association.association_.T)
    np.testing.assert_allclose(mirrored.expect(seen, source="b"), units)


def test_a_unit_that_was_never_active_expects_the_usual():
    corner = KMeans(3, n_init=1, init=np.array([[0.0], [1.0], [50.0]])).fit([[0.0], [1.0], [50.0]])
    X = np.repeat([[0.0], [1.0]], 10, axis=0)
    for smoothing in (0.0, 1.0):
        association = HebbianAssociation(FrozenEstimator(corner), KMeans(2, n_init=1), n_near=1, smoothing=smoothing)
        np.testing.assert_allclose(association.fit(X, X).expect([[50.0]]), [[0.5, 0.5]])


@pytest.mark.parametrize("source", ["a", "b"])
def test_few_labels_are_transferred(senses, association, source):
    angle, seen, felt = senses
    labels = np.array(["north", "west", "south"])[(angle // (2 * np.pi / 3)).astype(int)]
    known = np.random.default_rng(2).choice(len(angle), 40, replace=False)
    X, other = (seen, felt) if source == "a" else (felt, seen)
    unit_labels = association.transfer_labels(X[known], labels[known], source=source)
    judge = association.estimator_b_ if source == "a" else association.estimator_a_
    assert (unit_labels[judge.predict(other)] == labels).mean() > 0.9


def test_clones_leave_the_templates_alone(senses):
    template = KMeans(5, n_init=1, random_state=0)
    first = HebbianAssociation(template, template).fit(*senses[1:])
    again = clone(first).fit(*senses[1:])
    assert not hasattr(template, "cluster_centers_")
    np.testing.assert_array_equal(first.association_, again.association_)


def test_bad_input(senses, association):
    _, seen, felt = senses
    for arguments, words in (
        ((seen[:10], felt[:9]), "inconsistent numbers of samples"),
        ((seen[:1], felt[:1]), "X_a must have at least 2 row"),
        ((np.full((5, 2), np.nan), felt[:5]), "X_a must be finite"),
    ):
        with pytest.raises(ValueError, match=words):
            HebbianAssociation().fit(*arguments)
    with pytest.raises(ValueError, match="source must be one of"):
        association.expect(seen, source="c")
    with pytest.raises(ValueError, match="kind must be one of"):
        association.expect(seen, kind="samples")
    with pytest.raises(ValueError, match="X must have 2 columns"):
        association.expect(felt)
    with pytest.raises(ValueError, match="n_near"):
        HebbianAssociation(n_near=0).fit(seen, felt)
    with pytest.raises(ValueError, match="as its fitted map"):
        HebbianAssociation(FrozenEstimator(association.estimator_b_)).fit(seen, felt)
