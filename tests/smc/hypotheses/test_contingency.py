"""Transitions in, scored hypotheses of every action out, and a policy that asks for them."""

import numpy as np
import pytest

pytest.importorskip("torch")

from smc import Transitions
from smc.hypotheses import AmbiguousContingency, MultiHypothesisRegressor
from smc.policies import AmbiguousOutcome

REGRESSOR = MultiHypothesisRegressor(2, hidden=(16,), n_epochs=60, learning_rate=0.02, random_state=0)


def pushes(n=600):
    """A push with number 2 moves by 1 or, in a quarter of the steps, back by 1; the others do nothing."""
    rng = np.random.default_rng(0)
    place, push = rng.uniform(0, 3, (n, 1)), rng.integers(3, size=n)
    change = np.where(push == 2, np.where(rng.random(n) < 0.75, 1, -1), 0)[:, None]
    return place, push, place + change


def test_discrete_actions_and_the_policy():
    place, push, moved = pushes()
    steps = Transitions(
        {"touch": place, "eye": np.zeros((600, 2, 2))}, push, {"touch": moved, "eye": np.ones((600, 2, 2))}
    )
    model = AmbiguousContingency(REGRESSOR, modality="touch").fit(steps)
    hypotheses, scores = model.predict([[1.0]], [2])
    order = hypotheses[0, :, 0].argsort()
    assert hypotheses[0, order, 0] == pytest.approx([-1, 1], abs=0.2)
    assert scores[0, order] == pytest.approx([0.25, 0.75], abs=0.15)
    every = model.outcomes({"touch": place[:4]})
    assert every[0].shape == (4, 3, 2, 1) and every[1].shape == (4, 3, 2)
    assert np.array_equal(every[0][:, 2], model.predict(place[:4], np.full(4, 2))[0])
    policy = AmbiguousOutcome(model.outcomes, model.n_actions_, resolution=model.resolution_)
    assert policy({"touch": place[:4]}, np.random.default_rng(0)).tolist() == [2] * 4


def test_vectors_of_actions_and_pictures():
    place, push, moved = pushes(60)
    steps = Transitions({"eye": place[:, None]}, np.eye(3)[push], {"eye": moved[:, None]})
    model = AmbiguousContingency(MultiHypothesisRegressor(2, n_epochs=1, random_state=0)).fit(steps)
    hypotheses, scores = model.outcomes(place[:5, None], actions=np.eye(3)[:2])
    assert hypotheses.shape == (5, 2, 2, 1) and scores.shape == (5, 2, 2) and model.n_actions_ == 0
    with pytest.raises(ValueError, match="actions must be given where they are vectors"):
        model.outcomes(place)


def test_refusals():
    place, push, moved = pushes(60)
    model = AmbiguousContingency(MultiHypothesisRegressor(2, n_epochs=1, random_state=0))
    with pytest.raises(TypeError, match=r"transitions must be smc\.Transitions"):
        model.fit(place)
    with pytest.raises(TypeError, match="estimator must be a MultiHypothesisRegressor, got int"):
        AmbiguousContingency(3).fit(Transitions({"eye": place}, push, {"eye": moved}))
    with pytest.raises(ValueError, match="numbers of actions from 0, got -1"):
        model.fit(Transitions({"eye": place}, push - 1, {"eye": moved}))
    model.fit(Transitions({"eye": place}, push, {"eye": moved}))
    with pytest.raises(ValueError, match=r"action must be in 0\.\.2"):
        model.predict([[0.0]], [3])
    with pytest.raises(TypeError, match="action must hold numbers"):
        model.predict([[0.0]], [0.5])
    with pytest.raises(ValueError, match=r"action must have shape \(1,\)"):
        model.predict([[0.0]], [0, 1])
    with pytest.raises(ValueError, match="X must have 1 columns"):
        model.predict([[0.0, 1.0]], [0])
