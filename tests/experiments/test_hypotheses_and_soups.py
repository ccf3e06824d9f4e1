"""The instruments of the experiments on hypotheses and soups read what is known, and their verdicts can fail."""

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("ot")
pytest.importorskip("moocore")

from experiments import _branches, ambiguous_quadrants, bistable_rotation, soup_arm
from experiments.ambiguous_quadrants import _collapse, _models, _page, _toy
from experiments.soup_arm import _arm, _measures


def test_quadrants_are_as_probable_as_they_should_be():
    for t in (0.0, 0.3, 1.0):
        y = _toy.draw_targets(np.full(20_000, t), np.random.default_rng(0))
        assert np.abs(y).max() <= 1
        same_sign = (y[:, 0] > 0) == (y[:, 1] > 0)
        assert same_sign.mean() == pytest.approx(1 - t, abs=0.01)
        assert (y[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.02)
    t, targets, present = _toy.draw_sets(20_000, np.random.default_rng(0))
    outer = np.abs(1 - 2 * t[:, 0]) > 0.8
    assert present[:, 0].all() and present[outer, 1].mean() == pytest.approx(0.9, abs=0.02)
    assert targets.dtype == np.float32


def test_distance_between_point_and_quadrants():
    rng = np.random.default_rng(0)
    center = _toy.earth_movers_distance(([[0.0, 0.0]], [2.0]), 0.0, 2000, rng)
    expected = np.linalg.norm(np.random.default_rng(1).random((100_000, 2)), axis=1).mean()
    assert center == pytest.approx(expected, abs=0.03)
    truth = _toy.draw_targets(np.full(500, 0.5), rng)
    assert _toy.earth_movers_distance((truth, np.ones(500)), 0.5, 500, rng) < 0.15


def test_hypotheses_start_where_they_are_sent():
    config = ambiguous_quadrants.Config(n_hypotheses=6, batch_size=4)
    model = _models.Hypotheses(config, 0, 8, 0, assignment="winner_take_all", far=3.0)
    places, _ = model.points(0.5)
    assert np.linalg.norm(places[1:], axis=1).min() > 2 > np.linalg.norm(places[0])
    found = _collapse.measure(model, config, 0)
    assert found["dead"] >= 4 and found["oracle"] > 0.3


def test_the_codebook_reads_the_toy():
    config = ambiguous_quadrants.Config(n_units=60, n_codebook_samples=3000)
    codebook = _models.JointCodebook(config, 0)
    rng = np.random.default_rng(0)
    assert all(_toy.earth_movers_distance(codebook.points(t), t, 1000, rng) < 0.25 for t in (0.0, 0.5, 1.0))


def test_borders_lie_halfway():
    points = np.random.default_rng(0).random((8, 2))
    segments = _page.borders(points)
    assert len(segments) > 8
    for ends in segments:
        middle = ends.mean(axis=0)
        nearest = np.sort(((points - middle) ** 2).sum(axis=1))
        assert nearest[0] == pytest.approx(nearest[1])


def quadrants(n_seeds=3, emd=0.17, gain=0.04, hard=18.0, annealed=0.3):
    dead = np.full((n_seeds, 2, len(_collapse.ASSIGNMENTS)), annealed)
    dead[:, 1, 0] = hard
    noise = 0.001 * np.arange(n_seeds)[:, None]
    return {
        "emd_rMCL": emd + noise + np.zeros((n_seeds, 4)),
        "t_shown": np.tile([0.0, 0.5, 1.0], (n_seeds, 1)),
        "shown_rMCL": np.full((n_seeds, 3), 0.16),
        "shown_sMCL": 0.16 + gain + noise * [1.0, 1.0, 0.5],
        "collapse_dead": dead,
    }


def test_verdict_on_quadrants():
    assert ambiguous_quadrants.verdict(quadrants()).status == "PASS"
    for change in ({"emd": 0.18}, {"gain": 0.015}, {"hard": 12.0}, {"annealed": 1.5}):
        assert ambiguous_quadrants.verdict(quadrants(**change)).status == "FAIL"


def test_the_arm_moves_its_hand():
    torch = pytest.importorskip("torch")
    postures = torch.tensor([[0.0, 0.0], [np.pi / 2, -np.pi / 2]])
    assert np.allclose(_arm.Arm.hands(postures).numpy(), [[1.0, 0.0], [0.5, 0.5]], atol=1e-6)
    arm = _arm.Arm(soup_arm.Config(horizon=4, n_test=50), 0)
    postures, targets = arm.test
    assert 0.2 <= targets.norm(dim=1).min() and targets.norm(dim=1).max() <= 0.95
    still = arm.rewards(lambda x: torch.zeros(len(x), 2), postures, targets)
    assert still[0] == pytest.approx(-10 * (arm.hands(postures) - targets).norm(dim=1).mean().item(), rel=1e-4)
    assert still[1] == 0 and still[2] == pytest.approx(postures[:, 1].sin().mean().item(), abs=1e-6)
    assert arm.rewards(lambda x: torch.full((len(x), 2), 2.0), postures, targets)[1] == -8


def arm_results(n_seeds=3, bulge=1.0, unshared=-1.0, elbows=-1.0, morl=0.5):
    """Fronts from (0, 1) to (1, 0) that bulge outwards by so much."""
    share = np.linspace(0, 1, 11)

    def front(s, height):
        out = height * s * (1 - s)
        return np.stack([s + out, 1 - s + out, 0 * s], axis=1)

    def repeated(array):
        return np.stack([array * (1 + 0.01 * seed) for seed in range(n_seeds)])

    results = {"share": np.tile(share, (n_seeds, 1)), "start": np.zeros((n_seeds, 2))}
    for name, height in zip(_measures.MIXED, (bulge, unshared, elbows)):
        points = front(share, height)
        results |= {f"rewards_{name}": repeated(points), f"gap_{name}": repeated(points - front(share, 0))}
    return results | {f"rewards_MORL {n}": repeated(front(np.linspace(0, 1, n), morl)) for n in (3, 5)}


def test_verdict_on_soups():
    assert soup_arm.verdict(arm_results()).status == "PASS"
    for change in ({"bulge": -0.1}, {"unshared": 0.5}, {"elbows": 0.5}, {"morl": 6.0}):
        assert soup_arm.verdict(arm_results(**change)).status == "FAIL"


def test_fronts_with_equal_numbers_of_points():
    rows = _measures.measures(arm_results(morl=1.0))
    assert rows["soup, 3 shares"]["hypervolume"] == pytest.approx(rows["MORL, 3 preferences"]["hypervolume"])
    assert rows["soup, 11 shares"]["per training"] == pytest.approx(rows["soup, 11 shares"]["hypervolume"] / 2)
    assert (rows["MORL, 5 preferences"]["dominated by the soup"] == 0).all()


def test_two_next_views():
    both = bistable_rotation.episode(np.array([0.0, np.pi / 2]), np.array([0.5, 0.5]), "scalar")
    assert np.allclose(both["branches"][:, :, 0], [[np.cos(0.5)] * 2, [-np.sin(0.5), np.sin(0.5)]], atol=1e-6)
    assert both["apart"].tolist() == [False, True]
    bump = bistable_rotation.picture(np.array([0.0]))
    assert (bump**2).sum() == pytest.approx(4.05, abs=0.01) and bump.argmax() in (31, 32)


def test_branches_and_their_probabilities_are_judged():
    test = bistable_rotation.draw(200, "scalar", np.random.default_rng(0))
    judge, apart = _branches.judge, test["apart"]
    known = judge(test["branches"], np.tile([0.7, 0.3], (200, 1)), test["branches"], 0.7, apart)
    assert known == pytest.approx({"branch": 0, "plus": 0.7, "error": 0})
    middle = test["branches"].mean(axis=1, keepdims=True)
    half = ((test["branches"][:, 0] - test["branches"][:, 1]) ** 2).mean() / 4
    found = judge(middle, np.ones((200, 1)), test["branches"], 0.7, apart)
    assert found["branch"] == pytest.approx(half, rel=1e-3)


def turns(n_seeds=3, error=0.05, branch=0.4):
    results = {
        f"{key}_{outcome}_{name}": np.ones(n_seeds)
        for key in ("branch", "error", "plus")
        for outcome in bistable_rotation.OUTCOMES
        for name in bistable_rotation.MODELS
    }
    return results | {"error_image_rMCL": np.full(n_seeds, error), "branch_image_rMCL": np.full(n_seeds, branch)}


def test_verdict_on_turns():
    assert bistable_rotation.verdict(turns()).status == "PASS"
    assert bistable_rotation.verdict(turns(error=0.08)).status == "FAIL"
    assert bistable_rotation.verdict(turns(branch=0.55)).status == "FAIL"
