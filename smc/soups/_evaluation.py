"""What averaged networks are worth, beside the average of what the networks are worth."""

from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from smc.soups._interpolation import check_states, check_weights, soup
from topology._validation import check_integer, check_real


class LinearModeGap(NamedTuple):
    """Rewards of soups minus the same average of the rewards of their ingredients.

    Attributes
    ----------
    gap : ndarray (n_soups, n_objectives)
        Below 0: the soup is worse than the chord, the networks are not linearly connected.
    rewards : ndarray (n_soups, n_objectives)
    weights : ndarray (n_soups, n_states)
    """

    gap: np.ndarray
    rewards: np.ndarray
    weights: np.ndarray


def linear_mode_gap(states, evaluate, weights=None):
    """Test linear mode connectivity: R(sum w_i theta_i) - sum w_i R(theta_i), for every objective.

    Parameters
    ----------
    states : sequence of dict of str to array
        See `soup`.
    evaluate : callable (state) -> float or sequence of float (n_objectives,)
        More is better; losses go in with a minus. Make it deterministic, so that gaps are no noise.
    weights : array-like (n_soups, n_states), optional
        Rows on the simplex. None: 11 steps from the first to the second of two states.

    Returns
    -------
    LinearModeGap

    Raises
    ------
    ValueError
        As `soup`; rewards that are not finite.

    References
    ----------
    Frankle et al. (2020), Linear mode connectivity and the lottery ticket hypothesis, ICML. Rame et al. (2023),
    Rewarded soups, NeurIPS (hypothesis 1).
    """
    states = check_states(states)
    if weights is None:
        if len(states) != 2:
            raise ValueError(f"weights may be left out for 2 states only, got {len(states)} states")
        share = np.linspace(0, 1, 11)
        weights = np.column_stack([1 - share, share])
    weights = np.array([check_weights(f"weights[{i}]", row, len(states)) for i, row in enumerate(weights)])
    if len(weights) == 0:
        raise ValueError("weights must hold at least one row")
    ends = np.array([_rewards(evaluate, state) for state in states])
    rows = tqdm(weights, desc="soups", delay=2, disable=None, leave=False)
    rewards = np.array([_rewards(evaluate, soup(states, row)) for row in rows])
    return LinearModeGap(rewards - weights @ ends, rewards, weights)


def vector_returns(env, policy, *, n_episodes, seed, discount=1.0):
    """Mean return of each objective of a gymnasium environment whose reward is a vector.

    Parameters
    ----------
    env : gymnasium.Env
        `step` gives a reward of shape (n_objectives,), as in MO-Gymnasium; a number counts as one objective.
    policy : callable (observation) -> action
    n_episodes : int
        Episode i starts from `env.reset(seed=seed + i)`, so that policies are compared on the same episodes.
    seed : int
    discount : float in [0, 1], default=1.0

    Returns
    -------
    returns : ndarray (n_objectives,)
    """
    n_episodes, seed = check_integer("n_episodes", n_episodes, 1), check_integer("seed", seed, 0)
    discount = check_real("discount", discount, 0, 1)
    returns = [_return(env, policy, seed + i, discount) for i in range(n_episodes)]
    return np.mean(returns, axis=0)


def _return(env, policy, seed, discount):
    observation, _ = env.reset(seed=seed)
    total, weight, over = 0.0, 1.0, False
    while not over:
        observation, reward, terminated, truncated, _ = env.step(policy(observation))
        total = total + weight * np.atleast_1d(np.asarray(reward, dtype=np.float64))
        weight *= discount
        over = terminated or truncated
    return total


def _rewards(evaluate, state):
    rewards = np.atleast_1d(np.asarray(evaluate(state), dtype=np.float64))
    if rewards.ndim != 1 or not np.isfinite(rewards).all():
        raise ValueError(f"evaluate must give finite numbers, one per objective, got {rewards}")
    return rewards
