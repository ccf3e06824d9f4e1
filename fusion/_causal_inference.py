"""Bayesian causal inference: do two senses tell of one thing or of two?"""

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError

from fusion._causal.checks import (
    as_condition,
    as_levels,
    as_precision,
    as_responses,
    as_stimuli,
    check_constant,
    check_replaced_noise,
    check_settings,
    differing,
)
from fusion._causal.fitting import (
    carry_over,
    constant_noise,
    draw_folds,
    draw_starts,
    leave_folds_out,
    leave_one_out,
    maximise,
    standard_errors,
    starts_from_constant_noise,
    warn_if_degenerate,
)
from fusion._causal.layout import make_layout, plausible
from fusion._causal.likelihood import Likelihood
from fusion._causal.observer import observe, on_scale, random_responses, reports
from fusion._causal.parameters import STRATEGIES, noise_of
from fusion._causal.predictive import leave_one_out_posterior
from topology._validation import check_choice, check_generator, check_integer


class CausalInference(BaseEstimator):
    """Observer of two senses who weighs whether their signals have one cause; fitted by maximum likelihood.

    Each sense measures its stimulus with Gaussian noise; causes come from a Gaussian prior; one cause is behind both
    measurements with probability `p_common`. Response probabilities are integrated numerically, without simulation, so
    that the likelihood is smooth and has exact derivatives.

    Parameters
    ----------
    strategy : str, default="averaging"
        How an estimate is made. "averaging": of the estimates under one and two causes, weighted by their posterior.
        "selection": the one of the likelier structure. "matching": structures drawn with their posterior.
        "forced_fusion": always one cause. "segregation": always two. "fixed_criterion": one cause if the measurements
        differ by less than a criterion. "stochastic_fusion": one cause with probability `p_common`, whatever was
        measured.
    response : {"localisation", "discrimination", "unity"}, default="localisation"
        Where a stimulus is (in units of the stimuli), whether it is right (1) or left (-1) of 0, or whether both have
        one cause (1 same, 0 different). Judgements of unity exist for the strategies that judge: all but forced fusion
        and segregation; averaging and selection then both answer by the likelier structure.
    levels : array-like or None, default=None
        Localisation on a discrete scale: the allowed responses, each standing for the estimates nearest to it (counts
        of flashes). None: a continuous scale.
    p_common, prior_mean, prior_sigma, criterion, motor_sigma, lapse : float or None
        Held fixed if a number, fitted if None. By default all are fitted except motor noise and lapses, which are 0.
        `motor_sigma` is added to estimates; `lapse` is the probability of a random response.
    sigma : array-like of shape (n_modalities,) or None, default=None
        Noise SD of each sense; NaN entries, or None, are fitted. Given precisions replace it where nothing is fitted.
    varying : tuple of int or None, default=None
        Senses whose noise depends on the condition. None: all.
    noise : {"constant", "eccentricity"}, default="constant"
        With eccentricity the variance grows as sigma**2 (1 + w**2 s**2).
    eccentricity : array-like of shape (n_modalities,) or None, default=None
        w of each sense; NaN entries, or None, are fitted.
    period : float or None, default=None
        Full circle in units of the stimuli where these are directions: then s**2 becomes
        2 (period / 2 pi)**2 (1 - cos(2 pi s / period)).
    precision_scale : float or None, default=1.0
        Where `fit` is given precisions: the factor by which they are multiplied; None: fitted.
    bounds : dict or None, default=None
        Overrides the limits of parameters: {"prior_sigma": (1, 100), ...}. Only values that a parameter can have: SDs
        above 0, probabilities of a common cause between 0 and 1.
    n_starts : int, default=6
        Starts of the optimiser, from a Sobol' sequence; all but those far behind are followed to an optimum. With
        eccentricity two more, from the best constant noise.
    random_state : int, Generator or None, default=0
        Scrambles the starts.

    Attributes
    ----------
    p_common_ : float, or ndarray of shape (n_conditions,) for stochastic fusion with several conditions
    sigma_, eccentricity_ : ndarray of shape (n_modalities,) or, with conditions, (n_conditions, n_modalities)
    prior_mean_, prior_sigma_, criterion_, motor_sigma_, lapse_, precision_scale_ : float
        NaN where the model has no such parameter.
    standard_errors_ : dict of str to float
        Of each fitted parameter, from the curvature of the log-likelihood; NaN at a bound or where it is flat. Where
        trials have two answers also from how slopes vary over trials (sandwich), see Notes.
    log_likelihood_, aic_, bic_ : float
    n_parameters_, n_responses_ : int
    conditions_ : ndarray of shape (n_conditions,)

    Notes
    -----
    Exactly two senses with at most one stimulus each: several sounds or several sights in a trial, of which some belong
    together, are beyond it. Where only one sense is present every strategy gives its own estimate. The observer knows
    its own noise, also where that grows with eccentricity; a heteroscedastic likelihood is not inverted by it. It tells
    right from left by the sign of its estimate, not by the probability that the stimulus is to the right.

    Two answers of one trial come from the same measurements, but the likelihood multiplies their probabilities, as is
    usual: a composite likelihood. Standard errors allow for that; `aic_`, `bic_` and `leave_one_out` count the answers
    as independent and so overstate differences, up to twofold under forced fusion. To compare strategies leave out
    whole trials (`cross_val_log_likelihood`), or ask once per trial.

    References
    ----------
    Koerding et al. (2007), PLoS ONE 2:e943. Wozny, Beierholm & Shams (2010), PLoS Comput Biol 6:e1000871 (strategies).
    Acerbi, Dokka, Angelaki & Ma (2018), PLoS Comput Biol 14:e1006110 (fixed criterion, stochastic fusion).
    """

    def __init__(
        self,
        strategy="averaging",
        *,
        response="localisation",
        levels=None,
        p_common=None,
        sigma=None,
        prior_mean=None,
        prior_sigma=None,
        criterion=None,
        motor_sigma=0.0,
        lapse=0.0,
        varying=None,
        noise="constant",
        eccentricity=None,
        period=None,
        precision_scale=1.0,
        bounds=None,
        n_starts=6,
        random_state=0,
    ):
        self.strategy = strategy
        self.response = response
        self.levels = levels
        self.p_common = p_common
        self.sigma = sigma
        self.prior_mean = prior_mean
        self.prior_sigma = prior_sigma
        self.criterion = criterion
        self.motor_sigma = motor_sigma
        self.lapse = lapse
        self.varying = varying
        self.noise = noise
        self.eccentricity = eccentricity
        self.period = period
        self.precision_scale = precision_scale
        self.bounds = bounds
        self.n_starts = n_starts
        self.random_state = random_state

    def fit(self, stimuli, responses, *, condition=None, precision=None, constant=None):
        """Find the parameters under which the responses are likeliest.

        Parameters
        ----------
        stimuli : array-like of shape (n_trials, n_modalities)
            NaN = absent.
        responses : array-like of shape (n_trials, n_modalities), or (n_trials,) for unity
            NaN = not asked.
        condition : array-like of shape (n_trials,), optional
            Labels of conditions that differ in noise.
        precision : array-like of shape (n_trials, n_modalities), optional
            Inverse variance of each measurement, such as `LocalPrecision` gives; used in place of `sigma_`.
        constant : CausalInference, optional
            The same observer but with constant noise, fitted to the same trials: where its optimum is known, the search
            for one with eccentricity starts from there and does not find it again.

        Raises
        ------
        ValueError, TypeError
            Unknown strategy, shapes that disagree, infinite values, precisions that are not positive, trials in which
            nothing was asked or an absent sense was, responses off the scale.

        Warns
        -----
        RuntimeWarning
            At a degenerate optimum: a parameter at its bound, or a flat likelihood.
        """
        likelihood = self._prepare(stimuli, responses, condition, precision)
        layout = likelihood.layout
        if constant is not None:
            check_constant(constant, self, int(likelihood.counts.sum()))
        starts = self._draw_starts(layout)
        if np.isin(layout.eccentricity, layout.free).any():
            if constant is None:
                theta = constant_noise(likelihood, self._draw_starts)
            else:
                theta = carry_over(constant._layout, constant._theta, layout)
            near = starts_from_constant_noise(layout, theta, 1 / self._stimulus_range)
            starts = np.concatenate([starts, near])
        self._theta, self.log_likelihood_ = maximise(likelihood, starts)
        errors = standard_errors(likelihood, self._theta)
        self.standard_errors_ = {layout.parameters[i].name: float(errors[i]) for i in layout.free}
        self.n_parameters_, self.n_responses_ = len(layout.free), int(likelihood.counts.sum())
        self.aic_ = 2 * self.n_parameters_ - 2 * self.log_likelihood_
        self.bic_ = self.n_parameters_ * np.log(self.n_responses_) - 2 * self.log_likelihood_
        self._layout, self._likelihood, self._fitted_settings = layout, likelihood, self.get_params()
        self._publish()
        warn_if_degenerate(layout, self._theta, errors)
        return self

    def log_likelihood(self, stimuli=None, responses=None, *, condition=None, precision=None):
        """Log-likelihood of each trial, (n_trials,); without arguments the sum over those that were fitted."""
        self._check_fitted()
        if stimuli is None:
            return self.log_likelihood_
        return self._prepare(stimuli, responses, condition, precision, fitted=True).per_trial(
            self._theta, len(np.asarray(stimuli))
        )

    def cross_val_log_likelihood(self, stimuli, responses, *, condition=None, precision=None, cv=10, random_state=0):
        """Log-likelihood of each trial under parameters fitted without its fold, (n_trials,).

        `cv` is the number of folds, drawn at random within conditions; each fit starts at the optimum of all trials.
        With "loo" each answer is left out alone, and the move of the optimum is computed to first order, without
        refitting.
        """
        stimuli, responses = np.asarray(stimuli, dtype=float), np.asarray(responses, dtype=float)
        whole = clone(self).fit(stimuli, responses, condition=condition, precision=precision)
        likelihood = whole._likelihood
        if isinstance(cv, str):
            check_choice("cv", cv, ("loo",))
            scores = leave_one_out(likelihood, whole._theta)
            return np.bincount(likelihood.answer_rows, scores[likelihood.answer_cells], minlength=len(stimuli))
        if check_integer("cv", cv, 2) > len(stimuli):
            raise ValueError(f"cv must be at most the number of trials ({len(stimuli)}), got {cv}")
        folds = draw_folds(len(stimuli), condition, cv, check_generator(random_state))
        return leave_folds_out(likelihood, whole._theta, folds)

    def leave_one_out(self, *, max_draws=2048, random_state=0):
        """Log predictive density of each fitted trial given all others, (n_trials,), without refitting.

        Averaged over the posterior of the parameters under a prior that is uniform within their bounds (noise, prior
        SD, criterion and precision scale: uniform in their logarithm), by importance sampling from at most `max_draws`
        draws, in rounds of 256. Unlike `cross_val_log_likelihood` it needs no optimum in the interior.

        References
        ----------
        Vehtari, Gelman & Gabry (2017), Stat Comput 27:1413.

        Warns
        -----
        RuntimeWarning
            If fewer than 10 draws count, so that the sum may be off by more than 1; if a draw is likelier than the fit,
            which then missed the optimum. (If none is, the sum is below `log_likelihood_`.)
        """
        self._check_fitted()
        likelihood = self._likelihood
        max_draws = check_integer("max_draws", max_draws, 1)
        scores = leave_one_out_posterior(likelihood, self._theta, max_draws, random_state)
        return np.bincount(likelihood.answer_rows, scores[likelihood.answer_cells], minlength=likelihood.n_trials)

    def predict(self, stimuli, *, condition=None, precision=None):
        """What the observer says if its measurements are the stimuli themselves.

        Returns
        -------
        ndarray of shape (n_trials, n_modalities)
            Estimates (localisation) or their signs, NaN for absent senses; for unity (n_trials,), 1 = same. Of random
            strategies the likelier answer; for the estimates of matching and stochastic fusion the mean.
        """
        stimuli, noise, p_common, settings = self._observed(stimuli, condition, precision)
        observed = observe(self.strategy, stimuli, noise, p_common, *settings)
        if self.response == "unity":
            return (observed.share_common > 0.5).astype(int)
        return on_scale(observed.mean_estimate(), self.response, self.levels)

    def common_cause_proba(self, stimuli, *, condition=None, precision=None):
        """Probability (n_trials,) with which the strategy takes measurements at these places to have one cause.

        The posterior of a common cause for the Bayesian strategies; 0 or 1 for the others, `p_common_` for stochastic
        fusion. Where one sense is absent it is the prior.
        """
        stimuli, noise, p_common, settings = self._observed(stimuli, condition, precision)
        return observe(self.strategy, stimuli, noise, p_common, *settings).posterior

    def simulate(self, stimuli, random_state=None, *, condition=None, precision=None):
        """Responses to noisy measurements of the stimuli, shaped as `fit` takes them.

        Works without a fit if every parameter of the strategy was given, `eccentricity` included where noise grows.
        """
        rng = check_generator(random_state)
        stimuli, noise, p_common, settings = self._observed(stimuli, condition, precision)
        measured = stimuli + noise * rng.standard_normal(stimuli.shape)
        observed = observe(self.strategy, measured, noise, p_common, *settings)
        common = rng.random(len(stimuli)) < observed.share_common
        lapsed = rng.random(stimuli.shape) < self.lapse_
        if self.response == "unity":
            return np.where(lapsed[:, 0], rng.integers(0, 2, len(stimuli)), common.astype(int))
        estimates = reports(observed, common) + self.motor_sigma_ * rng.standard_normal(stimuli.shape)
        said = on_scale(estimates, self.response, self.levels)
        scale = getattr(self, "response_range_", None)
        if self.response == "localisation" and self.levels is None and scale is None and self.lapse_ > 0:
            raise ValueError("simulating lapses on a continuous scale needs the range of responses that fit learns")
        random = random_responses(stimuli.shape, self.response, self.levels, scale or (0.0, 1.0), rng)
        return np.where(np.isnan(said), np.nan, np.where(lapsed, random, said))

    def summary(self):
        """Table of the fit as text: parameters with standard errors, log-likelihood, AIC, BIC."""
        self._check_fitted()
        lines = [f"{self.strategy}, {self.response}: {self.n_responses_} responses, {self.n_parameters_} parameters"]
        for index, parameter in enumerate(self._layout.parameters):
            error = self.standard_errors_.get(parameter.name)
            note = "fixed" if error is None else f"SE {error:.3g}" if np.isfinite(error) else "SE unknown"
            lines.append(f"{parameter.name:<18} {self._theta[index]:>10.4g}  {note}")
        lines.append(f"log-likelihood {self.log_likelihood_:.2f}, AIC {self.aic_:.2f}, BIC {self.bic_:.2f}")
        return "\n".join(lines)

    # --- preparation --------------------------------------------------------------------------------------------

    def _prepare(self, stimuli, responses, condition, precision, fitted=False):
        check_settings(self)
        if fitted:
            self._check_unchanged(precision)
        elif precision is not None:
            check_replaced_noise(self)
        stimuli = as_stimuli(stimuli)
        levels = None if self.levels is None else as_levels(self.levels)
        responses = as_responses(responses, stimuli, self.response, levels)
        precision = as_precision(precision, stimuli)
        labels, codes = as_condition(condition, len(stimuli), self.conditions_ if fitted else None)
        if not fitted:
            self.conditions_ = labels
            self._has_conditions = condition is not None
            self._stimulus_range = float(np.nanmax(stimuli) - np.nanmin(stimuli)) or 1.0
            self._stimulus_middle = float(np.nanmean(stimuli))
            self._uses_precision = precision is not None
            if self.response == "localisation" and levels is None:
                self.response_range_ = (float(np.nanmin(responses)), float(np.nanmax(responses)))
                if self.response_range_[0] == self.response_range_[1]:
                    raise ValueError("responses must vary: all are the same")
            self._layout = make_layout(
                self, self.conditions_, self._stimulus_range, self._stimulus_middle, self._uses_precision
            )
        return Likelihood(
            STRATEGIES.index(self.strategy), self.response, stimuli, responses, codes, precision, self._layout, levels,
            getattr(self, "response_range_", None), self.period,
        )  # fmt: skip

    def _draw_starts(self, layout):
        ranges = [plausible(layout.parameters[i], self._stimulus_range, self._stimulus_middle) for i in layout.free]
        return draw_starts(layout, ranges, check_integer("n_starts", self.n_starts, 1), self.random_state)

    def _publish(self):
        """Fitted values under their public names."""

        def values(index):
            return self._theta[index] if index.min() >= 0 else np.full(index.shape, np.nan)

        layout = self._layout
        sigma, eccentricity, p_common = map(values, (layout.sigma, layout.eccentricity, layout.p_common))
        self.sigma_, self.eccentricity_ = (a if self._has_conditions else a[0] for a in (sigma, eccentricity))
        same = len(set(p_common)) == 1 or np.isnan(p_common).all()
        self.p_common_ = float(p_common[0]) if same else p_common
        for name, index in (
            ("prior_mean_", layout.prior_mean),
            ("prior_sigma_", layout.prior_sigma),
            ("criterion_", layout.criterion),
            ("motor_sigma_", layout.motor),
            ("lapse_", layout.lapse),
            ("precision_scale_", layout.precision_scale),
        ):
            setattr(self, name, float(self._theta[index]) if index >= 0 else np.nan)

    # --- the observer ---------------------------------------------------------------------------------------------

    def _observed(self, stimuli, condition, precision):
        """Checked stimuli, their noise, p_common of each trial, and (prior mean, prior SD, criterion)."""
        check_settings(self)
        stimuli = as_stimuli(stimuli)
        precision = as_precision(precision, stimuli)
        if hasattr(self, "log_likelihood_"):
            self._check_unchanged(precision)
        else:
            self._use_given(precision, condition)
        _, codes = as_condition(condition, len(stimuli), self.conditions_)
        layout = self._layout
        noise = noise_of(self._theta, layout, codes, stimuli, precision, self.period)
        p_common = self._theta[layout.p_common[codes]] if layout.p_common.min() >= 0 else np.full(len(codes), np.nan)
        return stimuli, noise, p_common, (self.prior_mean_, self.prior_sigma_, self.criterion_)

    def _use_given(self, precision, condition):
        """Without a fit, the parameters of the constructor, if they are all there."""
        self.conditions_ = np.array([0]) if condition is None else np.unique(condition)
        self._has_conditions = condition is not None
        self._uses_precision = precision is not None
        layout = make_layout(self, self.conditions_, 1.0, 0.0, self._uses_precision)
        missing = [layout.parameters[i].name for i in layout.free]
        if missing:
            raise NotFittedError(f"call fit first, or give {', '.join(missing)}")
        self._layout = layout
        self._theta = layout.fixed_values()
        self._publish()

    def _check_unchanged(self, precision):
        """Refuse to use what was fitted under other settings, or without precisions where they are given now."""
        changed = differing(self._fitted_settings, self.get_params(), ("bounds", "n_starts", "random_state"))
        if changed:
            raise ValueError(f"{', '.join(changed)} changed since fit; call fit again")
        if self._uses_precision and precision is None:
            raise ValueError("precision must be given, as it was in fit")
        if precision is not None and not self._uses_precision:
            raise ValueError("precision must not be given: it was not in fit, which found sigma_ instead")

    def _check_fitted(self):
        if not hasattr(self, "log_likelihood_"):
            raise NotFittedError("this CausalInference is not fitted yet; call fit first")
