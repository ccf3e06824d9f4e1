"""Losses against what lightly computes, and against sums written out."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from smc.encoders import objectives  # noqa: E402

GOLDEN = Path(__file__).parents[2] / "golden"


def golden_inputs():
    spec = importlib.util.spec_from_file_location("make_losses", GOLDEN / "make_losses.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    return script


def unit(x):
    return torch.nn.functional.normalize(x, dim=1)


def shown(before, after, predicted=None):
    """Step of one sense "s" whose predictor says `predicted`, whatever it is asked."""
    embedded = {"s": torch.cat([before, after])}
    predictor = SimpleNamespace(advance=lambda y, action: predicted)
    actions, group = torch.zeros(1, len(before), 1), torch.arange(len(before))
    return objectives.Step(embedded, embedded, embedded, actions, group, {"s": predictor}, (0, 0))


def jepa_prediction(predicted, after, _):
    step = shown(torch.zeros_like(after), after, predicted)
    return objectives.JEPA(stop_gradient=True).terms(step)["s_jepa_prediction"]


LOSSES = {
    "nt_xent_0.1": lambda a, b, _: objectives.nt_xent(unit(a), unit(b), 0.1),
    "nt_xent_0.5": lambda a, b, _: objectives.nt_xent(unit(a), unit(b)),
    "vicreg": lambda a, b, _: objectives.vicreg(a, b),
    "vicreg_other": lambda a, b, _: objectives.vicreg(a, b, 3.0, 2.0, 0.5),
    "barlow_twins": lambda a, b, _: objectives.barlow_twins(a, b),
    "negative_cosine": lambda a, b, _: objectives.negative_cosine(a, b),
    "sigreg": lambda a, b, directions: objectives.sigreg(torch.cat([a, b]), directions),
    "lewm_prediction": jepa_prediction,
}


@pytest.mark.parametrize("name", LOSSES)
def test_values_and_gradients_equal_those_of_lightly(name):
    script = golden_inputs()
    with np.load(GOLDEN / "losses.npz") as golden:
        given = {k: torch.from_numpy(v) for k, v in script.inputs(int(golden["seed"])).items()}
        a, b = (given[k].clone().requires_grad_() for k in ("a", "b"))
        value = LOSSES[name](a, b, given["directions"])
        value.backward()
        assert value.item() == pytest.approx(float(golden[f"{name}.value"]), rel=1e-5, abs=1e-5)
        for k, x in (("a", a), ("b", b)):
            gradient = torch.zeros_like(x) if x.grad is None else x.grad
            np.testing.assert_allclose(gradient.numpy(), golden[f"{name}.gradient_{k}"], rtol=1e-4, atol=1e-5)


def test_every_stored_loss_is_compared():
    with np.load(GOLDEN / "losses.npz") as golden:
        assert {name.rsplit(".", 1)[0] for name in golden if name != "seed"} == set(LOSSES)


def test_objectives_hand_the_two_frames_to_their_losses():
    a, b = (torch.randn(9, 5, generator=torch.Generator().manual_seed(i)) for i in range(2))
    step = shown(a, b, predicted=a)
    expected = [
        (objectives.NTXent(0.3), objectives.nt_xent(unit(a), unit(b), 0.3)),
        (objectives.VICReg(2.0, 3.0, 4.0), objectives.vicreg(a, b, 2.0, 3.0, 4.0)),
        (objectives.BarlowTwins(0.1), objectives.barlow_twins(a, b, 0.1)),
    ]
    byol = objectives.BYOL()
    byol.prepare(("s",), 5, 1, 4, 0)
    foreseen = [byol.predict["s"](x) for x in (a, b)]
    crossed = objectives.negative_cosine(foreseen[0], b), objectives.negative_cosine(foreseen[1], a)
    for objective, loss in [*expected, (byol, sum(crossed) / 2)]:
        assert objective(step).total.item() == pytest.approx(loss.item(), rel=1e-6)
    jepa = objectives.JEPA(0.25, 16)(step)
    prediction, sigreg = jepa.terms["s_jepa_prediction"], jepa.terms["s_jepa_sigreg"]
    assert prediction.item() == pytest.approx((a - b).square().mean().item())
    assert jepa.total.item() == pytest.approx((prediction + 0.25 * sigreg).item())


@pytest.mark.parametrize("stop_gradient", [True, False])
def test_jepa_stops_the_gradient_of_its_target_only_where_told(stop_gradient):
    a, b = (torch.randn(6, 4, generator=torch.Generator().manual_seed(i)).requires_grad_() for i in range(2))
    step = shown(torch.zeros(6, 4), b, predicted=a)
    objectives.JEPA(0.0, stop_gradient=stop_gradient)(step).total.backward()
    assert a.grad.any() and bool(b.grad.any()) != stop_gradient


def test_sigreg_is_small_for_a_normal_cloud_and_large_for_a_collapsed_one():
    rng = torch.Generator().manual_seed(0)
    directions = torch.randn(8, 32, generator=rng)
    directions /= directions.norm(dim=0)
    normal = torch.randn(500, 8, generator=rng)
    assert objectives.sigreg(normal, directions) < 3
    assert objectives.sigreg(0.1 * normal, directions) > 50
    assert objectives.sigreg(normal + 2, directions) > 50


def test_other_object_negatives_alone_leave_out_the_term_within_the_object():
    rng = np.random.default_rng(0)
    predicted, targets = (unit(torch.from_numpy(rng.normal(size=(n, 5)))) for n in (4, 8))
    same = torch.arange(4)[:, None] == torch.arange(4).repeat(2)
    everything = objectives.consequence(predicted, targets, same)
    among_all = objectives.consequence(predicted, targets, same, same_object_negatives=False)
    within = objectives.consequence(predicted, targets, torch.ones_like(same), same_object_negatives=True) / 2
    assert among_all.item() == pytest.approx(within.item()) and everything > among_all
