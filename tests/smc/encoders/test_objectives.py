"""Contrastive losses against sums written out."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

from smc.encoders._batches import ObjectBatches  # noqa: E402
from smc.encoders.objectives import consequence, cross_modal_agreement, multi_positive_nt_xent  # noqa: E402


def unit_vectors(rng, n, d=6):
    x = rng.normal(size=(n, d))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def share(logits, i, j):
    return np.exp(logits[j]) / np.exp(logits[[k for k in range(len(logits)) if k != i]]).sum()


@settings(max_examples=20)
@given(st.integers(0, 10_000), st.integers(2, 5), st.floats(0.1, 1.0))
def test_multi_positive_nt_xent_is_the_mean_log_share_of_the_positives(seed, n_objects, temperature):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(n_objects), 3)
    z = unit_vectors(rng, len(groups))
    expected = []
    for i in range(len(z)):
        logits = z @ z[i] / temperature
        positives = [j for j in range(len(z)) if groups[j] == groups[i] and j != i]
        expected.append(-np.mean([np.log(share(logits, i, j)) for j in positives]))
    ours = multi_positive_nt_xent(torch.from_numpy(z), torch.from_numpy(groups), temperature)
    assert ours.item() == pytest.approx(np.mean(expected))


def test_consequence_singles_out_a_target_among_all_and_among_those_of_its_object():
    rng = np.random.default_rng(1)
    predicted, targets = unit_vectors(rng, 4), unit_vectors(rng, 7)
    groups = np.array([0, 0, 1, 2, 1, 0, 2])
    same = groups[:4, None] == groups
    shares = np.exp(predicted @ targets.T / 0.1)
    hits = shares[np.arange(4), np.arange(4)]
    expected = -np.log(hits / shares.sum(axis=1)).mean() - np.log(hits / (shares * same).sum(axis=1)).mean()
    ours = consequence(*map(torch.from_numpy, (predicted, targets, same)), 0.1)
    assert ours.item() == pytest.approx(expected)


def test_cross_modal_agreement_is_symmetric_and_has_all_frames_of_the_object_as_positives():
    rng = np.random.default_rng(2)
    groups = np.array([0, 0, 1, 1, 1])
    a, b = unit_vectors(rng, 5), unit_vectors(rng, 5)
    terms = []
    for x, y in ((a, b), (b, a)):
        shares = np.exp(x @ y.T / 0.2)
        shares /= shares.sum(axis=1, keepdims=True)
        terms.append(-np.mean([np.log(shares[i, groups == groups[i]]).mean() for i in range(5)]))
    tensors = torch.from_numpy(a), torch.from_numpy(b)
    ours = cross_modal_agreement(*tensors, torch.from_numpy(groups), 0.2).item()
    assert ours == pytest.approx(np.mean(terms))
    assert cross_modal_agreement(*tensors[::-1], torch.from_numpy(groups), 0.2).item() == pytest.approx(ours)


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=12),
    st.integers(1, 40),
    st.integers(0, 1000),
)
def test_batches_spread_over_objects(counts, batch_size, seed):
    group = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts)) + 7
    batches = ObjectBatches(group, len(group), batch_size, seed)
    rows = batches(5)
    assert len(rows) == batch_size
    drawn = np.bincount(batches.labels[rows], minlength=len(counts))
    n_objects = min(len(counts), max(1, batch_size // 2))
    assert (drawn > 0).sum() == n_objects
    assert drawn[drawn > 0].max() - drawn[drawn > 0].min() <= 1
    for k, count in enumerate(counts):
        taken = rows[batches.labels[rows] == k]
        if drawn[k] <= count:
            assert len(np.unique(taken)) == drawn[k]
    np.testing.assert_array_equal(rows, batches(5))


def test_batches_of_ungrouped_transitions_hold_each_once():
    rows = ObjectBatches(None, 50, 20, seed=0)(0)
    assert len(np.unique(rows)) == 20


def test_batches_change_with_step_and_seed():
    group = np.repeat(np.arange(30), 4)
    first = ObjectBatches(group, 120, 16, seed=0)
    assert not np.array_equal(first(0), first(1))
    assert not np.array_equal(first(0), ObjectBatches(group, 120, 16, seed=1)(0))
