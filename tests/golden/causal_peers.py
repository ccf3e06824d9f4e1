"""Writes causal_peers.json: what bcitoolbox 0.3.0 and scikit-neuromsi 1.0.2 simulate and fit.

Run with both installed: python tests/golden/causal_peers.py. The trials are drawn here, 225 in 15 conditions of an
audiovisual counting task.
"""

import json
from pathlib import Path

import bcitoolbox as btb
import numpy as np
from bcitoolbox.engine import simulate_conditions
from skneuromsi.bayesian import Kording2007

PARAMETERS = {"p_common": 0.45, "sigma": [1.3, 0.4], "prior_mean": 1.8, "prior_sigma": 1.9}
LEVELS = np.arange(4.0)
N_SIMULATED = 200_000


def bcitoolbox(strategy, stimuli, seed):
    out = simulate_conditions(
        np.array([stimuli], dtype=float), PARAMETERS["p_common"], PARAMETERS["sigma"], [PARAMETERS["prior_mean"]],
        [PARAMETERS["prior_sigma"]], strategy=strategy, n_sim=N_SIMULATED, seed=seed,
    )  # fmt: skip
    return [shares(estimates) for estimates in out["estimates"][0, :, :, 0].T]


def shares(estimates):
    nearest = abs(estimates[:, None] - LEVELS).argmin(axis=1)
    return (np.bincount(nearest, minlength=4) / len(nearest)).tolist()


def neuromsi(strategy, stimuli, seed):
    """From its histogram of estimates on whole numbers; the outer levels stand for all beyond them."""
    model = Kording2007(n=N_SIMULATED, seed=seed, position_range=(-20, 24), position_res=1)
    kept = {}
    original = model.multisensory_estimator

    def keep(*args, **kwargs):
        kept.update(original(*args, **kwargs))
        return kept

    model.multisensory_estimator = keep
    model.run(
        auditory_position=stimuli[0], visual_position=stimuli[1], auditory_sigma=PARAMETERS["sigma"][0],
        visual_sigma=PARAMETERS["sigma"][1], p_common=PARAMETERS["p_common"], prior_mu=PARAMETERS["prior_mean"],
        prior_sigma=PARAMETERS["prior_sigma"], strategy=strategy,
    )  # fmt: skip
    return [[p[:21].sum(), p[21], p[22], p[23:].sum()] for p in (kept["auditory"], kept["visual"])]


def distributions():
    stimuli = [[1.0, 3.0], [3.0, 1.0], [2.0, 2.0]]
    for peer, simulate in (("bcitoolbox", bcitoolbox), ("scikit-neuromsi", neuromsi)):
        for strategy in ("averaging", "selection", "matching"):
            cases = [(s, asked) for s in stimuli for asked in range(2)]
            yield {
                "peer": peer, "strategy": strategy, "levels": LEVELS.tolist(), "n_simulated": N_SIMULATED,
                "stimuli": [s for s, _ in cases], "asked": [asked for _, asked in cases],
                "shares": [simulate(strategy, s, i)[asked] for i, (s, asked) in enumerate(cases)],
            }  # fmt: skip


def fit():
    rng = np.random.default_rng(0)
    counts = [(a, b) for a in range(4) for b in range(4) if a + b > 0]
    table = []
    for a, b in counts * 15:
        stimuli = np.array([[a or np.nan, b or np.nan]])
        out = simulate_conditions(
            stimuli, PARAMETERS["p_common"], PARAMETERS["sigma"], [PARAMETERS["prior_mean"]],
            [PARAMETERS["prior_sigma"]], n_sim=1, rng=rng,
        )  # fmt: skip
        said = abs(np.nan_to_num(out["estimates"][0, 0, :, 0])[:, None] - LEVELS).argmin(axis=1)
        table.append([a or None, b or None, *(int(s) if present else None for s, present in zip(said, (a, b)))])
    array = np.array(table, dtype=float)
    data = btb.Data.from_arrays(array[:, :2], array[:, 2:])
    model = btb.Model.from_data(data)
    model.set_response("discrete", levels=LEVELS)
    found = model.fit(data)
    values = dict(found.values)
    sigmas = [values[f"sigma_{name}"] for name in model.modalities]
    return {
        "trials": table, "levels": LEVELS.tolist(), "lapse": 0.001, "log_likelihood": found.log_likelihood,
        # Of the log-likelihood, from 10,000 simulations per condition.
        "monte_carlo_error": 0.6,
        "parameters": {"p_common": values["p_common"], "sigma": sigmas, "prior_mean": values["mu_prior"],
                       "prior_sigma": values["sigma_prior"]},
    }  # fmt: skip


if __name__ == "__main__":
    content = {"parameters": PARAMETERS, "distributions": list(distributions()), "fit": fit()}
    Path(__file__).with_suffix(".json").write_text(json.dumps(content) + "\n", encoding="utf-8")
