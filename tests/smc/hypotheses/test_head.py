"""Losses against sums written out, what hypotheses and scores converge to, and refusals."""

from functools import partial

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from smc.hypotheses import Annealed, MultiHypothesisHead, Prediction, calibration_error  # noqa: E402
from topology import assignment  # noqa: E402

POSITIONS = np.arange(4.0)[:, None]


def example(seed=0, n_rows=5, n_hypotheses=4, n_outputs=2, n_targets=3):
    rng = np.random.default_rng(seed)
    hypotheses, logits = rng.normal(size=(n_rows, n_hypotheses, n_outputs)), rng.normal(size=(n_rows, n_hypotheses))
    targets = rng.normal(size=(n_rows, n_targets, n_outputs))
    mask = rng.random((n_rows, n_targets)) < 0.5
    mask[:, 0] = True
    return hypotheses, logits, targets, mask


def written_out(hypotheses, logits, targets, mask, rule, distance):
    """Loss of the hypotheses and of the scores, target by target."""
    total, n_targets, cross_entropy = 0.0, 0, 0.0
    for f, logit, some, present in zip(hypotheses, logits, targets, mask):
        hit = np.zeros(len(f))
        for y in some[present]:
            d = ((f - y) ** 2).sum(axis=1)
            if distance == "euclidean":
                d = np.sqrt(d + 1e-3)
            total += float(rule(d[None])[0] @ d)
            n_targets += 1
            hit[d.argmin()] = 1
        score = 1 / (1 + np.exp(-logit))
        cross_entropy -= (hit * np.log(score) + (1 - hit) * np.log(1 - score)).mean()
    return total / n_targets, cross_entropy / len(hypotheses)


RULES = {
    "winner_take_all": assignment.winner_take_all,
    "relaxed": partial(assignment.relaxed, epsilon=0.2),
    "top_n": partial(assignment.top_n, n=2),
    "boltzmann": partial(assignment.boltzmann, temperature=0.7),
    "neural_gas": partial(assignment.neural_gas, radius=1.3),
    "lattice": partial(assignment.lattice, positions=POSITIONS, radius=0.8),
}


@pytest.mark.parametrize("distance", ["squared", "euclidean"])
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_loss_of_target_sets_under_every_assignment(rule, distance):
    hypotheses, logits, targets, mask = example()
    head = MultiHypothesisHead(4, rule, n_features=3, n_outputs=2, distance=distance, score_weight=0.5)
    prediction = Prediction(torch.from_numpy(hypotheses), torch.from_numpy(logits))
    loss = head.loss(prediction, torch.from_numpy(targets), torch.from_numpy(mask))
    hypothesis, score = written_out(hypotheses, logits, targets, mask, rule, distance)
    assert loss.hypothesis.item() == pytest.approx(hypothesis)
    assert loss.score.item() == pytest.approx(score)
    assert loss.total.item() == pytest.approx(hypothesis + 0.5 * score)


def test_a_single_target_is_a_set_of_one():
    hypotheses, logits, targets, _ = example(1)
    head = MultiHypothesisHead(4, n_features=3, n_outputs=2)
    prediction = Prediction(torch.from_numpy(hypotheses), torch.from_numpy(logits))
    one = torch.from_numpy(targets[:, 0])
    assert head.loss(prediction, one) == head.loss(prediction, one[:, None])


def test_no_gradient_passes_through_the_assignment():
    hypotheses, logits, targets, _ = example(2)
    tensor = torch.from_numpy(hypotheses).requires_grad_()
    head = MultiHypothesisHead(4, RULES["boltzmann"], n_features=3, n_outputs=2, score_weight=0.0)
    y = torch.from_numpy(targets[:, 0])
    head.loss(Prediction(tensor, torch.from_numpy(logits)), y).total.backward()
    difference = hypotheses - targets[:, :1]
    weights = RULES["boltzmann"]((difference**2).sum(axis=2))
    assert np.allclose(tensor.grad.numpy(), 2 * weights[..., None] * difference / len(difference))


def test_one_rejected_loser():
    hypotheses, logits, targets, mask = example(3, n_rows=400)
    head = MultiHypothesisHead(4, n_features=3, n_outputs=2, rejection="one")
    tensor = torch.from_numpy(logits).requires_grad_()
    prediction = Prediction(torch.from_numpy(hypotheses), tensor)
    head.loss(prediction, torch.from_numpy(targets), torch.from_numpy(mask)).score.backward()
    hits = head.hits(prediction, torch.from_numpy(targets), torch.from_numpy(mask)).numpy()
    taught = tensor.grad.numpy() != 0
    assert taught[hits].all()
    losers = taught & ~hits
    assert (losers.sum(axis=1) == 1).all()
    assert (losers.sum(axis=0) > 50).all()  # any of them


def train(head, draw, n_steps=300, rate=0.03):
    """The head on constant features, as K free points."""
    optimiser = torch.optim.Adam(head.parameters(), rate)
    for step in range(n_steps):
        y = draw(64)
        loss = head.loss(head(torch.ones(len(y), 1)), y, progress=step / n_steps).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return head(torch.ones(1, 1))


def two_places(seed=0):
    """70 % at 1, 30 % at -1, with a little noise."""
    rng = np.random.default_rng(seed)
    return lambda n: torch.from_numpy(
        (np.where(rng.random((n, 1)) < 0.7, 1, -1) + 0.05 * rng.normal(size=(n, 1))).astype(np.float32)
    )


def test_hypotheses_are_cell_means_and_scores_cell_probabilities():
    prediction = train(MultiHypothesisHead(2, "winner_take_all", n_features=1), two_places())
    order = prediction.hypotheses[0, :, 0].argsort()
    assert prediction.hypotheses[0, order, 0].tolist() == pytest.approx([-1, 1], abs=0.05)
    assert prediction.scores[0, order].tolist() == pytest.approx([0.3, 0.7], abs=0.08)


THREE_NEAREST = Annealed(assignment.top_n, 3, 1, "linear")
# Fewest and most that are left behind of five that start far away.
LEFT = {"winner_take_all": (5, 5), THREE_NEAREST: (3, 3), "relaxed": (0, 0), "boltzmann": (0, 1), "neural_gas": (0, 1)}


@pytest.mark.parametrize("rule", LEFT, ids=str)
def test_sharing_targets_rescues_hypotheses_that_start_far_away(rule):
    head = MultiHypothesisHead(6, rule, n_features=1, score_weight=0.0)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias[:6] = torch.tensor([0.0, 2.5, 2.6, 2.7, 2.8, 2.9])
    rng = np.random.default_rng(0)
    spread = train(head, lambda n: torch.from_numpy(rng.uniform(-1, 1, (n, 1)).astype(np.float32)), rate=0.1)
    fewest, most = LEFT[rule]
    assert fewest <= (spread.hypotheses.abs() > 1.2).sum() <= most


def test_calibration_undoes_the_odds_of_one_rejected_loser():
    head = MultiHypothesisHead(6, n_features=1, rejection="one")
    draw = two_places()
    train(head, draw)
    y, ones = draw(4000), torch.ones(4000, 1)
    before = calibration_error(head(ones).scores.detach().numpy(), head.hits(head(ones), y).numpy())
    head.calibrate_scores(ones, y)
    y = draw(4000)
    after = calibration_error(head(ones).scores.detach().numpy(), head.hits(head(ones), y).numpy())
    assert after < 0.5 * before


def test_few_outcomes_make_no_score_sure():
    """Two samples whose scores are right: the plain fit has a slope without end."""
    head = MultiHypothesisHead(3, n_features=1)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.copy_(torch.tensor([-1.0, 0.0, 1.0, -1.0, 0.0, 1.0]))
    head.calibrate_scores(torch.zeros(2, 1), torch.tensor([[1.1], [0.9]]))
    scores = head(torch.zeros(1, 1)).scores[0].tolist()
    # Platt (1999): targets of 2 hits and 4 misses.
    assert scores[2] == pytest.approx(3 / 4, abs=0.1) and np.mean(scores[:2]) == pytest.approx(1 / 6, abs=0.05)


def test_calibration_never_turns_the_scores_round():
    head = MultiHypothesisHead(3, n_features=1)
    with torch.no_grad():
        head.linear.weight.zero_()
        head.linear.bias.copy_(torch.tensor([-1.0, 0.0, 1.0, 2.0, 0.0, -2.0]))
    before = head(torch.zeros(1, 1)).logits
    head.calibrate_scores(torch.zeros(1, 1), torch.tensor([[1.0]]))
    after = head(torch.zeros(1, 1)).logits
    assert torch.allclose(after - before, (after - before).mean())
    assert torch.sigmoid(after).sum().item() == pytest.approx(2 / 3 + 2 / 4, abs=1e-4)  # targets 2/3, and twice 1/4


def test_calibration_error_of_known_scores():
    scores = np.full((100, 2), 0.25)
    hits = np.zeros((100, 2), dtype=bool)
    assert calibration_error(scores, hits) == pytest.approx(0.25)
    hits[::2] = [True, False]
    hits[::2, 1] = False
    assert calibration_error(scores, hits, n_bins=1) == pytest.approx(0.0)
    with pytest.raises(ValueError, match="hits must be True or False"):
        calibration_error(scores, np.full(scores.shape, 7))


def test_schedules():
    distances = np.array([[0.0, 1.0, 2.0, 3.0]])
    falling = Annealed(assignment.top_n, 4, 1, "linear")
    assert (falling(0.0)(distances) > 0).sum() == 4 and (falling(1.0)(distances) > 0).sum() == 1
    middle = Annealed(assignment.boltzmann, 1.0, 0.01)(0.5)(distances)
    assert np.allclose(middle, assignment.boltzmann(distances, 0.1))


def test_same_seed_same_weights():
    first, second = (MultiHypothesisHead(3, n_features=4, seed=7).state_dict() for _ in range(2))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"n_hypotheses": 0}, "n_hypotheses must be at least 1"),
        ({"assignment": "winner"}, "assignment must be one of"),
        ({"distance": "cosine"}, "distance must be one of"),
        ({"rejection": "none"}, "rejection must be one of"),
        ({"score_weight": -1.0}, "score_weight must be in"),
        ({"n_outputs": 0}, "n_outputs must be at least 1"),
    ],
)
def test_bad_settings(arguments, message):
    with pytest.raises(ValueError, match=message):
        MultiHypothesisHead(**{"n_hypotheses": 3, "n_features": 2} | arguments)
    with pytest.raises(TypeError, match="assignment"):
        MultiHypothesisHead(3, 5, n_features=2)
    with pytest.raises(ValueError, match="does not suit 3 hypotheses: n must be at most"):
        MultiHypothesisHead(3, Annealed(assignment.top_n, 5, 1), n_features=2)
    with pytest.raises(ValueError, match="start"):
        Annealed(assignment.boltzmann, 0.0, 1.0)


def test_bad_targets():
    head = MultiHypothesisHead(3, n_features=2, n_outputs=2)
    prediction = head(torch.zeros(4, 2))
    targets = torch.zeros(4, 3, 2)
    mask = torch.ones(4, 3, dtype=torch.bool)
    mask[2] = False
    with pytest.raises(ValueError, match="at least one target in every row"):
        head.loss(prediction, targets, mask)
    with pytest.raises(ValueError, match="empty set"):
        head.loss(prediction, targets[:, :0])
    with pytest.raises(ValueError, match="targets must have shape"):
        head.loss(prediction, targets[:3])
    with pytest.raises(ValueError, match="mask must be bool"):
        head.loss(prediction, targets, mask.float())
    with pytest.raises(TypeError, match="targets must be a Tensor, got ndarray"):
        head.loss(prediction, targets.numpy())
    with pytest.raises(TypeError, match="mask must be a Tensor, got list"):
        head.loss(prediction, targets, mask.tolist())
    with pytest.raises(ValueError, match="finite"):
        head.loss(prediction, torch.full((4, 2), torch.nan))
