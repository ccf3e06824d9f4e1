"""Fitting a causal observer to 225 trials of an audiovisual counting task, beside bcitoolbox.

Five parameters, 15 conditions, responses 0 to 3. Both start from their own defaults; bcitoolbox simulates 10,000 trials
per condition and step (its default). Its fit is timed once, ours is the minimum of 7.
"""

import time

import numpy as np

from fusion import CausalInference

N_REPETITIONS = 7
LEVELS = (0.0, 1.0, 2.0, 3.0)
LAPSE = 0.001  # what bcitoolbox mixes in to keep likelihoods finite


def rows() -> list[dict]:
    stimuli, responses = _trials()
    model = CausalInference(levels=LEVELS, lapse=LAPSE)
    seconds = []
    for _ in range(N_REPETITIONS + 1):  # the first one compiles
        start = time.process_time()
        model.fit(stimuli, responses)
        seconds.append(time.process_time() - start)
    peer_seconds, peer_likelihood = _fit_bcitoolbox(stimuli, responses)
    fitted = {"table": "causal", "limit": None}
    return [
        fitted | {
            "row": "fit of 225 trials", "unit": "CPU s", "ours": min(seconds[1:]),
            "peers": {"bcitoolbox": peer_seconds}, "better": "lower",
        },
        fitted | {
            "row": "deviance of that fit", "unit": "-2 log-likelihood", "ours": -2 * model.log_likelihood_,
            "peers": {"bcitoolbox": None if peer_likelihood is None else -2 * peer_likelihood}, "better": "lower",
        },
    ]  # fmt: skip


def _trials():
    pairs = np.array([(a, b) for a in range(4) for b in range(4) if a + b > 0], dtype=float)
    stimuli = np.tile(np.where(pairs > 0, pairs, np.nan), (15, 1))
    observer = CausalInference(levels=LEVELS, p_common=0.45, sigma=(1.3, 0.4), prior_mean=1.8, prior_sigma=1.9)
    return stimuli, observer.simulate(stimuli, 0)


def _fit_bcitoolbox(stimuli, responses):
    """CPU seconds and log-likelihood, or None twice where it is not installed."""
    try:
        import bcitoolbox
    except ImportError:
        return None, None
    data = bcitoolbox.Data.from_arrays(stimuli, responses)
    model = bcitoolbox.Model.from_data(data)
    model.set_response("discrete", levels=LEVELS)
    start = time.process_time()
    found = model.fit(data)
    return time.process_time() - start, found.log_likelihood
