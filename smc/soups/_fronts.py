"""Trade-offs between objectives: what is worth keeping, and how much it covers. More is better in every objective."""

import numpy as np

from topology._validation import check_choice, check_matrix


def pareto_front(rewards, *, reference=None, worse="error"):
    """Points that no other point dominates.

    A point dominates another if it is at least as good in every objective and better in one. Equal points do not
    dominate each other, so copies are all kept.

    Parameters
    ----------
    rewards : array-like (n_points, n_objectives)
    reference : array-like (n_objectives,), optional
        What counts as nothing; see `hypervolume`. None: any point may be on the front.
    worse : {"error", "ignore"}, default="error"
        What to do with points that do not reach the reference in every objective.

    Returns
    -------
    on_front : ndarray (n_points,) of bool

    Raises
    ------
    ValueError
        NaN or infinity, a reference of another dimension, or points worse than the reference.
    """
    check_choice("worse", worse, ("error", "ignore"))
    rewards = check_matrix("rewards", rewards).astype(np.float64)
    kept = np.ones(len(rewards), dtype=bool) if reference is None else _reaching(rewards, reference, worse)[1]
    on_front = np.zeros(len(rewards), dtype=bool)
    on_front[kept] = ~_dominated(rewards[kept], rewards[kept])
    return on_front


def hypervolume(rewards, *, reference, worse="error"):
    """Volume between a reference point and the front, by moocore (extra ``pareto``).

    Depends on the reference, which has to be printed with it, and on how dense the points lie.

    Parameters
    ----------
    rewards : array-like (n_points, n_objectives)
    reference : array-like (n_objectives,)
    worse : {"error", "ignore"}, default="error"
        What to do with points that do not reach the reference in every objective. Ignored ones contribute nothing.

    Returns
    -------
    volume : float

    Raises
    ------
    ValueError
        As `pareto_front`.
    ImportError
        moocore is missing.

    References
    ----------
    Zitzler and Thiele (1998), PPSN V. Fonseca, Paquete and Lopez-Ibanez (2006), IEEE CEC (the algorithm).
    """
    rewards = check_matrix("rewards", rewards).astype(np.float64)
    reference, kept = _reaching(rewards, reference, worse)
    try:
        import moocore
    except ImportError as error:
        raise ImportError("hypervolume needs moocore: install the extra 'pareto'") from error
    if rewards.shape[1] == 1:  # moocore begins with two objectives
        return float(np.max(rewards[kept] - reference, initial=0.0))
    return float(moocore.hypervolume(rewards[kept], ref=reference, maximise=True)) if kept.any() else 0.0


def dominated_share(rewards, others):
    """Share of `rewards` that some point of `others` dominates.

    Parameters
    ----------
    rewards : array-like (n_points, n_objectives)
    others : array-like (n_others, n_objectives)

    Returns
    -------
    share : float in [0, 1]
    """
    rewards = check_matrix("rewards", rewards).astype(np.float64)
    others = check_matrix("others", others, n_columns=rewards.shape[1]).astype(np.float64)
    return float(_dominated(rewards, others).mean())


def sparsity(rewards):
    """Mean squared gap between neighbours on the front, summed over objectives; lower is denser, 0 for one point.

    Parameters
    ----------
    rewards : array-like (n_points, n_objectives)
        Dominated points are left out, and copies count once.

    Returns
    -------
    sparsity : float, in squares of the rewards

    References
    ----------
    Xu et al. (2020), Prediction-guided multi-objective reinforcement learning for continuous robot control, ICML.
    """
    rewards = check_matrix("rewards", rewards).astype(np.float64)
    front = np.sort(np.unique(rewards[pareto_front(rewards)], axis=0), axis=0)
    return float((np.diff(front, axis=0) ** 2).sum() / max(len(front) - 1, 1))


def _dominated(rewards, others):
    """Whether some other point dominates each, (n_points,)."""
    at_least = (others[None] >= rewards[:, None]).all(axis=2)
    better = (others[None] > rewards[:, None]).any(axis=2)
    return (at_least & better).any(axis=1)


def _reaching(rewards, reference, worse):
    """The checked reference, and which points reach it."""
    check_choice("worse", worse, ("error", "ignore"))
    reference = np.asarray(reference, dtype=np.float64)
    if reference.shape != rewards.shape[1:] or not np.isfinite(reference).all():
        raise ValueError(f"reference must hold {rewards.shape[1]} finite numbers, one per objective, got {reference}")
    kept = (rewards >= reference).all(axis=1)
    if worse == "error" and not kept.all():
        rows = ", ".join(map(str, np.flatnonzero(~kept)[:5]))
        raise ValueError(
            f"rewards must reach the reference {reference.tolist()} in every objective, rows {rows} do not; "
            "choose a lower reference, or worse='ignore'"
        )
    return reference, kept
