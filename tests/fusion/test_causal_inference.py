import json
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import slow_causal as slow
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from fusion import CausalInference

GOLDEN = json.loads((Path(__file__).parents[1] / "golden" / "causal_peers.json").read_text("utf-8"))
TRUE = {"p_common": 0.4, "sigma": (2.0, 7.0), "prior_mean": 0.5, "prior_sigma": 12.0}
PLACES = np.stack(np.meshgrid([-10.0, -5, 0, 5, 10], [-10.0, -5, 0, 5, 10]), axis=-1).reshape(-1, 2)


def trials(strategy="averaging", n_repeats=16, seed=0, **settings):
    stimuli = np.repeat(PLACES, n_repeats, axis=0)
    single = np.tile(PLACES, (4, 1))
    single[np.arange(100), np.arange(100) % 2] = np.nan
    stimuli = np.concatenate([stimuli, single])
    return stimuli, CausalInference(strategy, **TRUE | settings).simulate(stimuli, seed)


@pytest.mark.parametrize("strategy", ["averaging", "selection", "matching"])
def test_recovers_the_parameters_within_its_standard_errors(strategy):
    stimuli, responses = trials(strategy, n_repeats=6)
    model = CausalInference(strategy, n_starts=1).fit(stimuli, responses)
    found = [model.p_common_, *model.sigma_, model.prior_mean_, model.prior_sigma_]
    errors = [model.standard_errors_[k] for k in ("p_common", "sigma[0]", "sigma[1]", "prior_mean", "prior_sigma")]
    truth = [0.4, 2.0, 7.0, 0.5, 12.0]
    assert (abs(np.subtract(found, truth)) < 4 * np.array(errors)).all()
    assert model.sigma_.shape == (2,) and max(errors) < 4


def test_the_strategy_that_answered_is_the_likeliest():
    stimuli, responses = trials("fixed_criterion", n_repeats=8, criterion=8.0)
    scores = {}
    for strategy in ("averaging", "fixed_criterion", "forced_fusion", "segregation"):
        scores[strategy] = CausalInference(strategy, n_starts=1).fit(stimuli, responses).aic_
    assert min(scores, key=scores.get) == "fixed_criterion"


def test_noise_differs_between_conditions():
    stimuli = np.repeat(PLACES, 8, axis=0)
    condition = np.array(["dim", "bright"])[np.arange(len(stimuli)) % 2]
    noise = np.where((condition == "dim")[:, None], (6.0, 7.0), (1.5, 7.0))
    simulated = CausalInference(p_common=0.5, prior_mean=0.0, prior_sigma=12.0)
    responses = simulated.simulate(stimuli, 1, precision=noise**-2.0)
    model = CausalInference(varying=(0,), prior_mean=0.0, n_starts=1).fit(stimuli, responses, condition=condition)
    assert list(model.conditions_) == ["bright", "dim"]
    np.testing.assert_allclose(model.sigma_, [[1.5, 7.0], [6.0, 7.0]], rtol=0.2)
    assert model.sigma_[0, 1] == model.sigma_[1, 1]
    with pytest.raises(ValueError, match="condition must be given"):
        model.predict(stimuli)


def test_precision_stands_in_for_sigma():
    stimuli, responses = trials(n_repeats=4)
    precision = np.broadcast_to(np.array([2.0, 7.0]) ** -2, stimuli.shape)
    given = CausalInference(n_starts=1).fit(stimuli, responses, precision=precision)
    held = CausalInference(sigma=(2.0, 7.0), n_starts=1).fit(stimuli, responses)
    assert given.log_likelihood_ == pytest.approx(held.log_likelihood_, abs=1e-5)
    assert np.isnan(given.sigma_).all()
    proba = given.common_cause_proba(stimuli, precision=precision)
    np.testing.assert_allclose(proba, held.common_cause_proba(stimuli), atol=1e-3)
    with pytest.raises(ValueError, match="precision must be given"):
        given.common_cause_proba(stimuli)


@pytest.mark.parametrize("response", ["discrimination", "unity"])
def test_recovers_binary_answers(response):
    stimuli = np.repeat(PLACES, 60, axis=0)
    truth = CausalInference("fixed_criterion", response=response, sigma=(2.0, 4.0), criterion=7.0, lapse=0.04,
                            prior_mean=0.0, prior_sigma=30.0)  # fmt: skip
    said = truth.simulate(stimuli, 3)
    model = clone(truth).set_params(criterion=None, lapse=None).fit(stimuli, said)
    assert model.criterion_ == pytest.approx(7.0, abs=4 * model.standard_errors_["criterion"])
    assert model.lapse_ == pytest.approx(0.04, abs=0.03)
    assert model.predict(stimuli).shape == said.shape


def test_predictions_are_those_of_the_blackboard():
    x = np.random.default_rng(0).normal(0, 10, (50, 2))
    arguments = (TRUE["sigma"], TRUE["prior_mean"], TRUE["prior_sigma"])
    posterior = slow.posterior_common(x, *arguments, TRUE["p_common"])
    fused, separate = slow.fused_and_separate(x, *arguments)
    model = CausalInference(**TRUE)
    np.testing.assert_allclose(model.common_cause_proba(x), posterior, rtol=1e-9)
    averaged = posterior[:, None] * fused[:, None] + (1 - posterior[:, None]) * separate
    np.testing.assert_allclose(model.predict(x), averaged, rtol=1e-9)


def test_likelihood_of_a_continuous_scale_integrates_to_one():
    grid = np.linspace(-60, 60, 1201)
    stimuli = np.tile([3.0, -8.0], (len(grid), 1))
    for strategy in ("averaging", "selection", "matching"):
        stimulus, responses = trials(strategy, n_repeats=1)
        model = CausalInference(strategy, **TRUE).fit(stimulus, responses)
        density = np.exp(model.log_likelihood(stimuli, np.column_stack([np.full(len(grid), np.nan), grid])))
        assert np.trapezoid(density, grid) == pytest.approx(1, abs=3e-3)


@pytest.mark.parametrize("case", GOLDEN["distributions"], ids=lambda c: f"{c['peer']}-{c['strategy']}")
def test_distributions_equal_those_of_peers(case):
    """Within 4.5 Monte-Carlo standard errors of the shares that the peers simulated."""
    levels, n = np.array(case["levels"]), case["n_simulated"]
    model = CausalInference(case["strategy"], levels=levels, **GOLDEN["parameters"])
    for stimuli, asked, shares in zip(case["stimuli"], case["asked"], case["shares"]):
        rows = np.tile([np.nan if s is None else s for s in stimuli], (len(levels), 1))
        responses = np.full(rows.shape, np.nan)
        responses[:, asked] = levels
        p = np.exp(model.fit(rows, responses).log_likelihood(rows, responses))
        np.testing.assert_array_less(abs(p - shares), 4.5 * np.sqrt(p * (1 - p) / n) + 1e-7)


def test_fit_is_at_least_as_likely_as_that_of_a_peer():
    golden = GOLDEN["fit"]
    table = np.array(golden["trials"], dtype=float)
    model = CausalInference(levels=golden["levels"], lapse=golden["lapse"]).fit(table[:, :2], table[:, 2:])
    assert model.log_likelihood_ > golden["log_likelihood"] - golden["monte_carlo_error"]
    at_peer = CausalInference(levels=golden["levels"], lapse=golden["lapse"], **golden["parameters"])
    at_peer.fit(table[:, :2], table[:, 2:])
    assert at_peer.log_likelihood_ == pytest.approx(golden["log_likelihood"], abs=3 * golden["monte_carlo_error"])


def test_cross_validation_scores_every_trial():
    stimuli, responses = trials(n_repeats=3)
    model = CausalInference(prior_mean=0.5, n_starts=1)
    scores = model.cross_val_log_likelihood(stimuli, responses, cv=4)
    again = model.cross_val_log_likelihood(stimuli, responses, cv=4)
    np.testing.assert_array_equal(scores, again)
    assert scores.shape == (len(stimuli),) and not hasattr(model, "sigma_")
    assert 0 < model.fit(stimuli, responses).log_likelihood_ - scores.sum() < 25


def test_leaving_one_out_without_refitting_equals_refitting():
    stimuli, responses = trials(n_repeats=1)
    stimuli, responses = stimuli[:40], responses[:40]
    model = CausalInference(**TRUE | {"p_common": None, "sigma": (np.nan, 7.0)}, n_starts=1)
    quick = model.cross_val_log_likelihood(stimuli, responses, cv="loo").sum()
    slow_sum = model.cross_val_log_likelihood(stimuli, responses, cv=40).sum()
    assert quick == pytest.approx(slow_sum, abs=0.5)
    assert quick < model.fit(stimuli, responses).log_likelihood_ - 0.5


def test_leaving_one_out_averages_over_the_posterior():
    """Exact for coins: of n + 1 tosses under a uniform prior, the share of the others plus one of each side."""
    said = np.repeat([1.0, 0.0, 1.0, 0.0], [31, 9, 0, 14])
    condition = np.repeat(["near", "near", "far", "far"], [31, 9, 0, 14])
    model = CausalInference("stochastic_fusion", response="unity", sigma=(1.0, 1.0), n_starts=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # one share is at its bound
        model.fit(np.zeros((len(said), 2)), said, condition=condition)
    exact = 31 * np.log(31 / 41) + 9 * np.log(9 / 41) + 14 * np.log(14 / 15)
    assert model.leave_one_out().sum() == pytest.approx(exact, abs=0.1)
    np.testing.assert_array_equal(model.leave_one_out(), model.leave_one_out())


def test_scale_of_given_precisions_is_found():
    stimuli = np.repeat(PLACES, 12, axis=0)
    precision = np.random.default_rng(0).uniform(0.02, 0.3, stimuli.shape)
    settings = {"p_common": 0.4, "prior_mean": 0.0, "prior_sigma": 12.0}
    responses = CausalInference(**settings, precision_scale=3.0).simulate(stimuli, 5, precision=precision)
    model = CausalInference(**settings, precision_scale=None, n_starts=1).fit(stimuli, responses, precision=precision)
    assert model.precision_scale_ == pytest.approx(3.0, abs=3 * model.standard_errors_["precision_scale"])
    assert model.standard_errors_["precision_scale"] < 0.5


def test_same_seed_same_fit_and_summary():
    stimuli, responses = trials(n_repeats=2)
    first, second = (CausalInference(prior_mean=0.0, n_starts=2).fit(stimuli, responses) for _ in range(2))
    np.testing.assert_array_equal(first._theta, second._theta)
    assert "prior_sigma" in first.summary() and "AIC" in first.summary()
    assert first.bic_ > first.aic_ and first.log_likelihood() == first.log_likelihood_


def test_finds_noise_that_grows_with_eccentricity():
    stimuli = np.repeat(PLACES * 4, 12, axis=0)
    noise = np.array([1.5, 4.0]) * np.sqrt(1 + np.array([0.1, 0.0]) ** 2 * stimuli**2)
    settings = {"prior_mean": 0.0, "prior_sigma": 30.0, "n_starts": 1}
    said = CausalInference("forced_fusion", **settings).simulate(stimuli, 2, precision=noise**-2)
    constant = CausalInference("forced_fusion", **settings).fit(stimuli, said)
    model = CausalInference("forced_fusion", noise="eccentricity", **settings).fit(stimuli, said)
    assert model.log_likelihood_ > constant.log_likelihood_ + 10
    assert model.eccentricity_[0] == pytest.approx(0.1, abs=4 * model.standard_errors_["eccentricity[0]"])
    assert model.eccentricity_[1] < 0.05


def test_search_leaves_noise_that_does_not_grow(monkeypatch):
    # The likelihood depends on the square of the growth alone: searched as it is, its slope vanishes where growth is 0.
    module = sys.modules["fusion._causal_inference"]
    draw = module.draw_starts

    def without_growth(layout, ranges, *arguments):
        starts = draw(layout, ranges, *arguments)
        for column, i in enumerate(layout.free):
            if i in layout.eccentricity:
                starts[:, column] = layout.parameters[i].to_search(layout.parameters[i].low)
        return starts

    monkeypatch.setattr(module, "draw_starts", without_growth)
    monkeypatch.setattr(module, "starts_from_constant_noise", lambda layout, *_: np.empty((0, len(layout.free))))
    stimuli = np.repeat(PLACES * 4, 12, axis=0)
    noise = np.array([1.5, 4.0]) * np.sqrt(1 + np.array([0.1, 0.0]) ** 2 * stimuli**2)
    settings = {"prior_mean": 0.0, "prior_sigma": 30.0, "n_starts": 1}
    said = CausalInference("forced_fusion", **settings).simulate(stimuli, 2, precision=noise**-2)
    model = CausalInference("forced_fusion", noise="eccentricity", **settings).fit(stimuli, said)
    assert model.eccentricity_[0] > 0.05


def test_known_constant_noise_is_not_sought_again(monkeypatch):
    module = sys.modules["fusion._causal_inference"]
    near = module.starts_from_constant_noise
    met = []
    monkeypatch.setattr(module, "starts_from_constant_noise", lambda *given: met.append(given[1]) or near(*given))
    stimuli, said = trials("forced_fusion", n_repeats=2)
    settings = {"prior_mean": 0.0, "prior_sigma": 30.0, "n_starts": 2}
    growing = CausalInference("forced_fusion", noise="eccentricity", **settings)
    constant = CausalInference("forced_fusion", **settings).fit(stimuli, said)
    sought = clone(growing).fit(stimuli, said)
    monkeypatch.setattr(module, "constant_noise", None)
    known = clone(growing).fit(stimuli, said, constant=constant)
    np.testing.assert_allclose(met[1], met[0], rtol=1e-4, atol=1e-8)
    assert known.log_likelihood_ == pytest.approx(sought.log_likelihood_, abs=1e-6)
    np.testing.assert_allclose(known.sigma_, sought.sigma_, rtol=1e-4)
    for other, error, message in [
        ("constant", TypeError, "constant must be a CausalInference"),
        (clone(constant), NotFittedError, "call fit first"),
        (sought, ValueError, "differs in its noise or its trials"),
        (clone(constant).set_params(n_starts=3).fit(stimuli, said), ValueError, "differs in n_starts"),
        (clone(constant).fit(stimuli[:60], said[:60]), ValueError, "differs in its noise or its trials"),
    ]:
        with pytest.raises(error, match=message):
            growing.fit(stimuli, said, constant=other)


def two_optima():
    """Left or right, averaged with a narrow prior: there is a second optimum, with a wide one, that always fuses."""
    places = np.arange(-40.0, 41, 20)
    stimuli = np.repeat(np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2), 60, axis=0)
    settings = {"response": "discrimination", "prior_mean": 0.0}
    observer = CausalInference(p_common=0.2, sigma=(8.0, 3.0), prior_sigma=1.5, **settings)
    said = observer.simulate(stimuli, 0)
    said[:, 1] = np.nan
    return stimuli, said, settings | {"bounds": {"prior_sigma": (1.0, 120.0)}, "n_starts": 4}


def test_no_model_is_less_likely_than_one_that_it_contains():
    stimuli, said, settings = two_optima()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a criterion at its bound is forced fusion
        found = {
            (strategy, noise): CausalInference(strategy, noise=noise, **settings).fit(stimuli, said).log_likelihood_
            for strategy in ("averaging", "fixed_criterion", "forced_fusion")
            for noise in ("constant", "eccentricity")
        }
    for strategy in ("averaging", "fixed_criterion", "forced_fusion"):
        assert found[strategy, "eccentricity"] >= found[strategy, "constant"]
    for noise in ("constant", "eccentricity"):
        assert found["fixed_criterion", noise] >= found["forced_fusion", noise] - 0.01
        assert found["averaging", noise] >= found["forced_fusion", noise] - 0.5  # p_common stops short of 1
    assert found["averaging", "constant"] > found["forced_fusion", "constant"] + 20


def test_left_out_answers_are_less_likely_than_fitted_ones():
    stimuli, said, settings = two_optima()
    model = CausalInference(**settings).fit(stimuli, said)
    assert model.leave_one_out(max_draws=256).sum() < model.log_likelihood_
    settings = settings | {"prior_sigma": 1.5}  # leaving out to first order wants an interior optimum
    model = CausalInference(**settings).fit(stimuli, said)
    scores = CausalInference(**settings).cross_val_log_likelihood(stimuli, said, cv="loo")
    assert (scores <= model.log_likelihood(stimuli, said) + 1e-9).all()


def test_warns_where_the_fit_missed_the_optimum():
    stimuli, said, settings = two_optima()
    model = CausalInference(**settings).fit(stimuli, said)
    model._theta = model._theta + np.array([p.name == "sigma[0]" for p in model._layout.parameters])
    with pytest.warns(RuntimeWarning, match="not the optimum: a draw from the posterior is likelier by .*n_starts"):
        model.leave_one_out(max_draws=256)


def test_two_answers_of_one_trial_tell_no_more_than_one():
    """Forced fusion gives both senses the same answer; one of them alone is the reference."""
    stimuli, both = trials("forced_fusion", n_repeats=8)
    kept = ~np.isnan(stimuli).any(axis=1)
    stimuli, both = stimuli[kept], both[kept]
    one = both.copy()
    one[:, 1] = np.nan
    settings = {"sigma": (2.0, np.nan), "n_starts": 1}
    twice, once = (CausalInference("forced_fusion", **settings).fit(stimuli, said) for said in (both, one))
    np.testing.assert_allclose(twice.sigma_, once.sigma_, rtol=1e-3)
    for name, error in once.standard_errors_.items():
        assert twice.standard_errors_[name] == pytest.approx(error, rel=0.15)


def test_given_growth_of_noise_is_simulated_and_found_again():
    stimuli = np.repeat(PLACES * 4, 12, axis=0)
    given = CausalInference("forced_fusion", sigma=(1.5, 4.0), prior_mean=0.0, prior_sigma=30.0, noise="eccentricity",
                            eccentricity=(0.1, 0.0), n_starts=1)  # fmt: skip
    noise = np.array([1.5, 4.0]) * np.sqrt(1 + np.array([0.1, 0.0]) ** 2 * stimuli**2)
    told = CausalInference("forced_fusion", prior_mean=0.0, prior_sigma=30.0)
    said = given.simulate(stimuli, 2)
    np.testing.assert_allclose(said, told.simulate(stimuli, 2, precision=noise**-2), rtol=1e-9)
    said[:, 1] = np.nan
    model = clone(given).set_params(sigma=None, eccentricity=(np.nan, 0.0)).fit(stimuli, said)
    for name, truth in (("sigma[0]", 1.5), ("sigma[1]", 4.0), ("eccentricity[0]", 0.1)):
        found = dict(zip([p.name for p in model._layout.parameters], model._theta))[name]
        assert found == pytest.approx(truth, abs=3 * model.standard_errors_[name])
    assert "eccentricity[1]" not in model.standard_errors_ and model.eccentricity_[1] == 0


def test_what_was_fitted_is_used_as_it_was_fitted():
    stimuli, responses = trials(n_repeats=1)
    precision = np.ones_like(stimuli)
    model = CausalInference(**TRUE, lapse=0.05).fit(stimuli, responses)
    for method in (model.predict, model.common_cause_proba, model.simulate):
        with pytest.raises(ValueError, match="precision must not be given"):
            method(stimuli, precision=precision)
    model.set_params(strategy="matching", bounds={"lapse": (0.0, 0.1)})
    for method in (model.predict, model.common_cause_proba, model.simulate):
        with pytest.raises(ValueError, match="strategy changed since fit"):
            method(stimuli)
    with pytest.raises(ValueError, match="strategy changed since fit"):
        model.log_likelihood(stimuli, responses)


def test_warns_of_lapses_at_their_upper_bound():
    stimuli, responses = trials(n_repeats=1)
    settings = TRUE | {"prior_mean": None, "lapse": None, "bounds": {"lapse": (0.0, 0.1)}, "n_starts": 1}
    random = np.where(np.isnan(responses), np.nan, np.random.default_rng(0).uniform(-30, 30, responses.shape))
    with pytest.warns(RuntimeWarning, match="lapse ended at a bound"):
        CausalInference(**settings).fit(stimuli, random)
    CausalInference(**settings).fit(stimuli, responses)  # none at all is an ordinary finding


def test_warns_where_the_responses_do_not_determine_a_parameter():
    stimuli = np.repeat(PLACES, 20, axis=0)
    said = CausalInference("fixed_criterion", response="unity", sigma=(2.0, 4.0), criterion=7.0).simulate(stimuli, 0)
    with pytest.warns(RuntimeWarning, match="degenerate optimum"):
        CausalInference("fixed_criterion", response="unity", n_starts=1).fit(stimuli, said)


def test_continuous_lapses_stay_in_the_range_of_the_responses():
    stimuli, responses = trials(n_repeats=2)
    model = CausalInference(**TRUE, lapse=0.5).fit(stimuli, responses)
    assert model.simulate(stimuli, 0).shape == responses.shape
    with pytest.raises(ValueError, match="range of responses"):
        CausalInference(**TRUE, lapse=0.5).simulate(stimuli, 0)


GOOD = (np.array([[0.0, 1.0], [2.0, 3.0]]), np.array([[0.0, 1.0], [2.0, np.nan]]))


@pytest.mark.parametrize(
    ("settings", "change", "message"),
    [
        ({"strategy": "guessing"}, {}, "strategy must be one of"),
        ({"response": "smell"}, {}, "response must be one of"),
        ({"strategy": "segregation", "response": "unity"}, {}, "no judgement of unity"),
        ({"sigma": (1.0, -1.0)}, {}, "sigma must hold 2 positive"),
        ({"p_common": 1.5}, {}, "p_common must be in"),
        ({"lapse": -0.1}, {}, "lapse must be in"),
        ({"varying": (2,)}, {}, "varying must name"),
        ({"bounds": {"depth": (0, 1)}}, {}, "bounds must be keyed"),
        ({"varying": 1}, {}, "varying must name"),
        ({"eccentricity": (0.1, 0.1)}, {}, "eccentricity must be None unless"),
        ({"noise": "eccentricity", "eccentricity": (-0.1, 0.1)}, {}, "eccentricity must hold 2 non-negative"),
        ({"bounds": {"sigma": (2, 1)}}, {}, "bounds of sigma"),
        ({"bounds": {"sigma": 5}}, {}, "bounds of sigma must be two finite numbers"),
        ({"bounds": {"sigma": (-3, 5)}}, {}, r"bounds of sigma must lie in \(0, inf\)"),
        ({"bounds": {"motor_sigma": (0, 5)}}, {}, "bounds of motor_sigma must lie in"),
        ({"bounds": {"p_common": (-1, 2)}}, {}, r"bounds of p_common must lie in \(0, 1\)"),
        ({"bounds": {"lapse": (-0.5, 0.2)}}, {}, r"bounds of lapse must lie in \[0, 1\]"),
        ({"noise": "eccentricity"}, {"precision": [[1.0, 1.0]] * 2}, "precision replaces .*: noise must"),
        ({"sigma": (1.0, 1.0), "varying": (0,)}, {"precision": [[1.0, 1.0]] * 2}, "sigma, varying must be left"),
        ({"levels": [1.0]}, {}, "levels must hold"),
        ({"levels": [5.0, 6.0]}, {}, "responses must be among"),
        ({"response": "discrimination"}, {}, "responses must be among -1, 1"),
        ({}, {"precision": [[1.0, 0.0], [1.0, 1.0]]}, "precision must be positive"),
        ({}, {"precision": [[1.0, np.nan], [1.0, 1.0]]}, "precision must be positive"),
        ({}, {"precision": [[1.0, 1.0]]}, "precision must have the shape"),
        ({}, {"condition": ["a"]}, "condition must have shape"),
        ({}, {"responses": [[0.0, 1.0]]}, "responses must have shape"),
        ({}, {"responses": [[0.0, 1.0], [np.nan, np.nan]]}, "nothing was asked in trial 1"),
        ({}, {"responses": [[0.0, np.inf], [1.0, 1.0]]}, "must not be infinite"),
        ({}, {"stimuli": [[0.0, 1.0], [2.0, np.inf]]}, "must not be infinite"),
        ({}, {"stimuli": [[np.nan, 1.0], [2.0, 3.0]]}, "absent"),
        ({}, {"stimuli": [[np.nan, np.nan], [2.0, 3.0]]}, "both senses are absent in trial 0"),
        ({}, {"stimuli": [[1.0, 2.0, 3.0]] * 2}, "two senses"),
        ({"response": "unity"}, {"responses": [1.0, np.nan]}, "nothing was asked in trial 1"),
    ],
)
def test_refuses_bad_input(settings, change, message):
    arguments = {"stimuli": GOOD[0], "responses": GOOD[1], **change}
    with pytest.raises(ValueError, match=message):
        CausalInference(**settings).fit(arguments.pop("stimuli"), arguments.pop("responses"), **arguments)


def test_asks_for_a_fit():
    with pytest.raises(NotFittedError, match="p_common"):
        CausalInference(sigma=(1.0, 1.0), prior_mean=0.0, prior_sigma=1.0).predict([[0.0, 1.0]])
    with pytest.raises(NotFittedError):
        CausalInference().summary()
    with pytest.raises(NotFittedError, match=r"give eccentricity\[0\]"):
        CausalInference(**TRUE, noise="eccentricity").simulate([[0.0, 1.0]])
    with pytest.raises(TypeError, match="bounds must be None or a dict"):
        CausalInference(bounds=[("sigma", (1, 2))]).fit(*GOOD)
    with pytest.raises(TypeError, match="stimuli must be"):
        CausalInference().fit([["a", "b"]], [[1.0, 2.0]])


def test_only_one_sense_leaves_nothing_to_infer():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        stimuli = np.column_stack([np.tile(np.linspace(-9, 9, 10), 10), np.full(100, np.nan)])
        responses = CausalInference(**TRUE).simulate(stimuli, 0)
        likelihoods = [CausalInference(s, **TRUE).fit(stimuli, responses).log_likelihood_
                       for s in ("averaging", "matching", "forced_fusion")]  # fmt: skip
    np.testing.assert_allclose(likelihoods, likelihoods[0])
