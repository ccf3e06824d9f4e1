import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

import torch

import experiments
from experiments._verdict import paired_bootstrap
from experiments.unreliable_senses import SMOKE, Config, _claims, figure, table, verdict
from experiments.unreliable_senses._claims import pooled, share_of_gain
from experiments.unreliable_senses._methods import CHOSEN, METHODS, TRIED
from experiments.unreliable_senses._networks import Network, PastLosses, _dempster, _evidential_loss, _ranking_loss
from experiments.unreliable_senses._senses import SEEN, UNSEEN, VIEWS, conditions, corrupt, load_digits
from experiments.unreliable_senses._trial import SWAP_METHODS, best_of, permuted, test_senses

DATA = Path(experiments.__file__).parent / "data"
test_senses.__test__ = False  # a part of the experiment, named like a test


# --- data -------------------------------------------------------------------------------------------


def test_the_data_are_what_their_text_says():
    assert (DATA / "mfeat.npz").stat().st_size < 3e6
    with np.load(DATA / "mfeat.npz", allow_pickle=False) as file:
        shapes = {name: file[name].shape for name in file.files}
        assert shapes == {
            "fou": (2000, 76), "fac": (2000, 216), "kar": (2000, 64), "pix": (2000, 240), "zer": (2000, 47),
            "mor": (2000, 6), "digit": (2000,),
        }  # fmt: skip
        assert (np.bincount(file["digit"]) == 200).all() and file["pix"].max() == 6
        for a, b in [(605, 774), (1148, 1172), (1237, 1271), (1265, 1272), (1448, 1521), (1892, 1999)]:
            assert all((file[view][a] == file[view][b]).all() for view in shapes)
        np.testing.assert_allclose(file["kar"][0, :4], [-10.297, -11.667, 11.561, -2.0813], rtol=1e-6)
    assert "CC BY 4.0" in (DATA / "mfeat.txt").read_text()


def test_no_twin_of_a_training_digit_is_tested():
    digits = load_digits(1000, 990, 3, VIEWS)
    train, test = (np.hstack([part[v] for v in VIEWS]) for part in (digits.train, digits.test))
    assert len(np.unique(np.vstack([train, test]), axis=0)) == 1990
    np.testing.assert_allclose(digits.train["fou"].std(axis=0), 1)
    assert not (digits.test["kar"] == load_digits(1000, 990, 4, VIEWS).test["kar"]).all()


def test_corruptions():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 50))
    assert abs((corrupt(X, "noise", 2.0, rng) - X).std() - 2) < 0.05
    np.testing.assert_array_equal(corrupt(X, "offset", 4.0, rng), X + 4)
    assert (corrupt(X, "blank", 1.0, rng) == 0).all()
    spikes = corrupt(X, "spikes", 0.3, rng)
    assert ((spikes != X).sum(axis=1) == 15).all() and set(np.unique(spikes[spikes != X])) == {-4.0, 4.0}
    shuffled = corrupt(X, "shuffled", 0.3, rng)
    np.testing.assert_array_equal(np.sort(shuffled), np.sort(X))
    assert 10 < (shuffled != X).sum(axis=1).mean() <= 15
    swapped = corrupt(X, "swap", 1.0, rng)
    np.testing.assert_array_equal(np.sort(swapped[:, 0]), np.sort(X[:, 0]))
    assert (swapped != X).all(axis=1).mean() > 0.9


def test_conditions_and_splits():
    listed = conditions(Config())
    assert {c.kind for c in listed} == {"clean", *SEEN, *UNSEEN, "swap"}
    assert len(listed) == 1 + 2 * (4 + 1 + 3 + 3 + 3 + 1) and listed[0].kind == "clean"


# --- methods ----------------------------------------------------------------------------------------


def test_every_method_had_the_same_number_of_settings_and_has_its_best():
    with open(DATA / "mfeat_tuning.csv") as file:
        rows = list(csv.DictReader(file))
    assert list(CHOSEN) == list(TRIED)
    for name, tried in TRIED.items():
        found = [row for row in rows if row["method"] == name]
        assert [row["setting"] for row in found] == [str(setting) for setting in tried] and len(found) == 4
        assert str(CHOSEN[name]) == max(found, key=lambda row: float(row["accuracy"]))["setting"]


def combine_slowly(alpha_1, alpha_2):
    """Dempster's rule, mass by mass: belief in each class, and the rest for all of them."""
    n = len(alpha_1)
    (b1, u1), (b2, u2) = (((a - 1) / a.sum(), n / a.sum()) for a in (alpha_1, alpha_2))
    joint, agreed = np.zeros(n), 0.0
    for i in range(n):
        for j in range(n):
            if i == j:
                joint[i] += b1[i] * b2[j]
                agreed += b1[i] * b2[j]
        joint[i] += b1[i] * u2 + u1 * b2[i]
        agreed += b1[i] * u2 + u1 * b2[i]
    agreed += u1 * u2
    belief, doubt = joint / agreed, u1 * u2 / agreed
    return belief * n / doubt + 1


def test_dempster():
    alphas = 1 + np.random.default_rng(0).exponential(3, size=(2, 6, 4))
    found = _dempster([torch.as_tensor(a) for a in alphas]).numpy()
    np.testing.assert_allclose(found, [combine_slowly(a, b) for a, b in zip(*alphas, strict=True)])


def test_evidence_for_the_wrong_class_is_punished():
    wanted = torch.tensor([[1, 0, 0]])
    right, none, wrong = (torch.tensor([a]) for a in ([9.0, 1, 1], [1.0, 1, 1], [1.0, 9, 1]))
    losses = [_evidential_loss(a, wanted, 1.0).item() for a in (right, none, wrong)]
    assert losses[0] < losses[1] < losses[2]
    assert _evidential_loss(wrong, wanted, 0.0).item() < losses[2]


@pytest.mark.parametrize("kind", ["concatenation", "gate", "evidence", "quality"])
def test_networks_learn_and_repeat(kind):
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=400)
    views = [3 * np.eye(3)[y] + rng.normal(size=(400, 3)) for _ in range(2)]
    fits = [Network(kind, augmented=True, n_steps=100, seed=1).fit(views, y).predict_proba(views) for _ in range(2)]
    np.testing.assert_array_equal(*fits)
    np.testing.assert_allclose(fits[0].sum(axis=1), 1, rtol=1e-5)
    assert (fits[0].argmax(axis=1) == y).mean() > 0.9


def test_energy_learns_to_rank_as_past_losses_do():
    past = torch.tensor([0.0, 0.5, 1.0])
    right, wrong = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([0.0, 1.0, 2.0])
    assert _ranking_loss(right, past) == 0 and _ranking_loss(right * 0.1, past) > 0  # the margin is not met
    assert _ranking_loss(wrong, past) > _ranking_loss(right * 0.1, past)
    losses = PastLosses(1, 4)
    losses.update(torch.tensor([0, 1, 1]), torch.tensor([[4.0, 1.0, 3.0]]))
    np.testing.assert_allclose(losses.update(torch.tensor([2, 0]), torch.tensor([[0.0, 2.0]])), [[0, 1]])
    np.testing.assert_allclose(losses.update(torch.tensor([1]), torch.tensor([[2.0]])), [[2 / 3]])


def test_a_gate_trained_with_noise_closes_to_noise():
    rng = np.random.default_rng(0)
    y = rng.integers(3, size=600)
    views = [2 * np.eye(3)[y] @ rng.normal(size=(3, 8)) + rng.normal(size=(600, 8)) for _ in range(2)]
    noisy = [views[0] + 10 * rng.normal(size=views[0].shape), views[1]]
    trained, naive = (
        Network("gate", augmented=a, n_steps=300).fit(views, y).predict_proba(noisy).argmax(axis=1) for a in (1, 0)
    )
    assert (trained == y).mean() > (naive == y).mean() + 0.1


def test_controls():
    options = np.array([[[1, 1, 0], [0, 0, 0]], [[1, 0, 0], [1, 0, 1]]], dtype=bool)
    np.testing.assert_array_equal(best_of(options), [[1, 1, 0], [1, 0, 1]])
    weights = np.arange(24.0).reshape(3, 4, 2)
    dealt = permuted(weights, np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(dealt.reshape(-1, 2), axis=0), weights.reshape(-1, 2))
    assert (dealt != weights).mean() > 0.5


# --- claims -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def results():
    """Two seeds in which every method is right as often as is written here."""
    rng = np.random.default_rng(0)
    listed = conditions(replace(Config(), noise=(1.0, 5.0), offset=(2.0,), share=(0.3,)))
    n_test, kind = 300, np.array([c.kind for c in listed])
    rate = dict.fromkeys(METHODS, 0.5) | {"PrecisionFusion": 0.78, "oracle": 0.8, "k-NN reliability": 0.78}
    rate |= {"GMM reliability": 0.775}
    shared = rng.uniform(size=(2, 1, len(listed), n_test))
    correct = shared < np.array([rate[m] for m in METHODS])[None, :, None, None]
    correct[:, :, kind == "clean"] = shared[:, :, kind == "clean"] < 0.9
    swap = rng.uniform(size=(2, 1, 4, n_test)) < np.array([0.7, 0.8, 0.85, 0.88, 0.9])[None, :, None, None]
    return {
        "correct": correct,
        "swap_correct": swap,
        "weights": rng.uniform(size=(2, len(listed), n_test, 2)).astype(np.float32),
        "expert_correct": rng.uniform(size=(2, len(listed), n_test, 2)) < 0.7,
        "reliability_bins": np.tile([[0.5], [0.7], [300]], (2, 2, 1, 10)),
        "reliability_numbers": np.tile(np.linspace(0.1, 0.8, 8), (2, 2, 1)),
        "floats": np.tile([100, 600, 50], (2, 1)),
        "objects": np.tile(np.arange(n_test), (2, 1)),
        **{name: np.tile(np.array([getattr(c, name) for c in listed]), (2, 1)) for name in ("kind", "view", "level")},
    }


def changed(results, method, rate=None, **arrays):
    correct = results["correct"].copy()
    if rate is not None:
        correct[:, METHODS.index(method)] = np.random.default_rng(1).uniform(size=correct.shape[2:]) < rate
    return {**results, "correct": correct, **arrays}


def test_the_rule_can_pass_and_every_part_of_it_can_fail(results, monkeypatch):
    monkeypatch.setattr(_claims, "paired_bootstrap", partial(paired_bootstrap, n_draws=200))
    assert len(SWAP_METHODS) == results["swap_correct"].shape[1]
    np.testing.assert_allclose(share_of_gain(results, "PrecisionFusion", [*SEEN, *UNSEEN]), 0.28 / 0.3, atol=0.02)
    assert pooled(results, "oracle", ["noise"])[0].shape == (2, 4 * 300)
    assert verdict(results).status == "PASS"
    swap = results["swap_correct"].copy()
    swap[:, 3] = swap[:, 1]
    for part, broken in {
        "minus k-NN": changed(results, "k-NN reliability", 0.85),
        "minus GMM": changed(results, "GMM reliability", 0.85),
        "minus permuted": changed(results, "permuted weights", 0.85),
        "minus trained gate": changed(results, "trained gate", 0.85),
        "mildest noise": changed(results, "energy", 0.99),
        "clean, minus": changed(results, "product of experts", 0.99),
        "share of": changed(results, "oracle", 0.95),
        "numbers stored": changed(results, "", floats=np.tile([100, 300, 50], (2, 1))),
        "swapped": changed(results, "", swap_correct=swap),
    }.items():
        outcome = verdict(broken)
        assert outcome.status == "FAIL"
        assert any(line.startswith("MISSED") and part in line for line in outcome.measured.splitlines())


def test_figure_and_table(results, monkeypatch):
    drawn = figure(results)
    assert len(drawn.axes) == 10
    import matplotlib.pyplot as plt

    plt.close(drawn)
    monkeypatch.setattr(_claims, "N_DRAWS", 200)
    tables = list(table(results).values())
    lead = {row["method"]: row for row in tables[1]}
    assert lead["oracle"]["gain"] == "100.0 [100.0, 100.0]" and lead["product of experts"]["gain"].startswith(
        "0.0 [0.0"
    )
    assert lead["GMM reliability"]["PrecisionFusion minus it"].startswith("+0.6 [+0.3")
    rows = tables[0]
    assert [row["method"] for row in rows] == list(METHODS) and rows[-1]["gain"] == 100
    assert [row["slope"] for row in list(table(results).values())[-1]] == [0.1, 0.1]


def test_one_small_trial_repeats():
    small = replace(SMOKE, n_train=160, n_test=30, noise=(5.0,), offset=(2.0,), share=(1.0,), n_steps=2)
    first, again = test_senses(small, 0), test_senses(small, 0)
    for key, value in first.items():
        np.testing.assert_array_equal(value, again[key])
    assert first["correct"].shape == (len(METHODS), 1 + 2 * 6, 30)
    assert first["weights"].shape == (13, 30, 2)
