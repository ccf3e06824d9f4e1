"""Psychophysical procedures on any agent: a callable (stimulus, rng) -> estimate, or the same for many stimuli."""

import numpy as np

from topology._validation import check_generator, check_integer


def two_interval_choice(agent, standard, comparisons, n_trials=100, *, batched=False, random_state=None):
    """Two-interval forced choice: which of two stimuli is larger? The order of the intervals is drawn at random.

    Parameters
    ----------
    agent : callable (stimulus, rng) -> float
        Estimates what is asked from one presentation; rng is the only randomness it may use.
    standard : object
        Stimulus of one interval, in every trial; anything the agent takes, such as a pair of conflicting cues.
    comparisons : sequence
        Stimuli of the other interval.
    n_trials : int, default=100
        Trials per comparison.
    batched : bool, default=False
        The agent takes an array (n, ...) of n stimuli, all presentations of the first or the second interval, and
        returns n estimates, or (n, n_observers): what several observers make of the same presentations.
    random_state : int, Generator or None

    Returns
    -------
    chosen : ndarray of bool, shape (n_comparisons, n_trials) or (n_comparisons, n_trials, n_observers)
        Whether the comparison was judged larger; equal estimates are decided by a fair coin. Ready for
        ``Psychometric().fit(x, chosen.sum(axis=1), n)``.

    Raises
    ------
    ValueError
        An estimate that is not finite, or not one per stimulus.
    """
    rng = _check(agent, comparisons, "comparisons", n_trials, random_state)
    if batched:
        return _choose_batched(agent, standard, comparisons, n_trials, rng)
    chosen = np.empty((len(comparisons), n_trials), dtype=bool)
    for i, comparison in enumerate(comparisons):
        for j in range(n_trials):
            if rng.random() < 0.5:
                first, second = _estimate(agent, standard, rng), _estimate(agent, comparison, rng)
                gap = second - first
            else:
                first, second = _estimate(agent, comparison, rng), _estimate(agent, standard, rng)
                gap = first - second
            chosen[i, j] = gap > 0 or (gap == 0 and rng.random() < 0.5)
    return chosen


def localise(agent, stimuli, n_trials=100, *, batched=False, random_state=None):
    """Localisation: the agent's estimate of each stimulus, repeatedly, in random order.

    Parameters
    ----------
    agent, n_trials, batched, random_state : as for `two_interval_choice`
    stimuli : sequence

    Returns
    -------
    estimates : ndarray of shape (n_stimuli, n_trials) or (n_stimuli, n_trials, n_observers)
    """
    rng = _check(agent, stimuli, "stimuli", n_trials, random_state)
    order = rng.permutation(len(stimuli) * n_trials)
    if batched:
        drawn = _estimates(agent, np.asarray(stimuli)[order // n_trials], rng)
        estimates = np.empty_like(drawn)
        estimates[order] = drawn
    else:
        estimates = np.empty(len(order))
        for trial in order:
            estimates[trial] = _estimate(agent, stimuli[trial // n_trials], rng)
    return estimates.reshape(len(stimuli), n_trials, *estimates.shape[1:])


def _choose_batched(agent, standard, comparisons, n_trials, rng):
    comparisons = np.repeat(np.asarray(comparisons), n_trials, axis=0)
    standards = np.broadcast_to(np.asarray(standard), comparisons.shape)
    standard_first = rng.random(len(comparisons)) < 0.5
    swap = standard_first.reshape(-1, *(1,) * (comparisons.ndim - 1))
    first = _estimates(agent, np.where(swap, standards, comparisons), rng)
    second = _estimates(agent, np.where(swap, comparisons, standards), rng)
    gap = np.where(standard_first, (second - first).T, (first - second).T).T
    chosen = (gap > 0) | ((gap == 0) & (rng.random(gap.shape) < 0.5))
    return chosen.reshape(-1, n_trials, *gap.shape[1:])


def _check(agent, stimuli, name, n_trials, random_state):
    if not callable(agent):
        raise TypeError(f"agent must be a callable (stimulus, rng) -> estimate; got {agent!r}")
    if not hasattr(stimuli, "__len__") or not len(stimuli):
        raise ValueError(f"{name} must be a sequence of at least one stimulus")
    check_integer("n_trials", n_trials, 1)
    return check_generator(random_state)


def _estimate(agent, stimulus, rng):
    estimate = np.asarray(agent(stimulus, rng), dtype=float)
    if estimate.size != 1 or not np.isfinite(estimate).all():
        raise ValueError(f"agent must return one finite number; got {estimate} for stimulus {stimulus!r}")
    return float(estimate.reshape(()))


def _estimates(agent, stimuli, rng):
    estimates = np.asarray(agent(stimuli, rng), dtype=float)
    if estimates.ndim not in (1, 2) or len(estimates) != len(stimuli) or not np.isfinite(estimates).all():
        raise ValueError(
            f"agent must return one finite number per stimulus, shape ({len(stimuli)},) or ({len(stimuli)}, "
            f"n_observers); got shape {estimates.shape}"
        )
    return estimates
