"""Plans are what an exhaustive search over the predictor would choose."""

from itertools import product

import numpy as np
import pytest

pytest.importorskip("torch")

from smc.encoders import ConvEncoder, EquivarianceModule, embed, plan

RNG = np.random.default_rng(0)
X, GOAL = RNG.random((2, 5, 16, 16, 3)).astype(np.float32)
CANDIDATES = RNG.normal(size=(4, 2))


@pytest.fixture(scope="module")
def module():
    return EquivarianceModule(ConvEncoder(4, 16, 8), 2, dim=6, hidden=8).eval()


def test_a_wide_beam_finds_what_exhaustive_search_finds(module):
    found = plan(module, X, GOAL, CANDIDATES, n_steps=2, beam=16)
    wanted = embed(module, GOAL, "equivariance")
    sequences = np.array(list(product(CANDIDATES, repeat=2)))
    for i in range(len(X)):
        ends = module.rollout(np.repeat(X[i : i + 1], len(sequences), axis=0), sequences)[:, -1]
        np.testing.assert_allclose(found[i], sequences[np.argmax(ends @ wanted[i])], rtol=1e-6)


def test_plans_do_not_depend_on_the_batch(module):
    together = plan(module, X, GOAL, CANDIDATES, n_steps=3, beam=2)
    alone = np.concatenate(
        [plan(module, X[i : i + 1], GOAL[i : i + 1], CANDIDATES, n_steps=3, beam=2) for i in range(5)]
    )
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"goal": GOAL[:3]}, "as many views"),
        ({"candidates": np.zeros((3, 5))}, "candidates must have shape"),
        ({"candidates": np.zeros(2)}, "candidates must have shape"),
        ({"candidates": np.full((2, 2), np.nan)}, "finite"),
        ({"n_steps": 0}, "n_steps"),
        ({"beam": 0}, "beam"),
        ({"X": X[:, :8]}, "images"),
    ],
)
def test_bad_arguments_are_named(module, change, message):
    with pytest.raises(ValueError, match=message):
        plan(**{"module": module, "X": X, "goal": GOAL, "candidates": CANDIDATES, "n_steps": 2, **change})
