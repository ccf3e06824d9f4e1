"""What averaged networks are worth, beside the average of what the networks are worth."""

import copy
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from smc.soups._interpolation import check_states, check_weights, soup
from topology._validation import check_integer, check_matrix, check_real


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
        Rows on the simplex, not by layer. None: 11 steps from the first to the second of two states.

    Returns
    -------
    LinearModeGap

    Raises
    ------
    TypeError, ValueError
        As `soup`; rewards that are not finite or differ in number.

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
    weights = check_matrix("weights", weights).astype(np.float64)
    weights = np.array([check_weights(f"weights[{i}]", row, len(states)) for i, row in enumerate(weights)])
    ends = _evaluated(evaluate, states)
    rows = tqdm(weights, desc="soups", delay=2, disable=None, leave=False)
    rewards = _evaluated(evaluate, (soup(states, row) for row in rows), ends.shape[1])
    return LinearModeGap(rewards - weights @ ends, rewards, weights)


def module_rewards(module, losses):
    """Rewards of the states of a torch module: minus each loss of the module with the weights of the state.

    With the functions of `smc.encoders.objectives` as losses, what encoders are trained for becomes what their soups
    are worth.

    Parameters
    ----------
    module : torch.nn.Module
        Copied; the copy is in evaluation mode.
    losses : sequence of callable (module) -> Tensor () or float
        Losses on data that stay the same, one per objective.

    Returns
    -------
    evaluate : callable (state) -> ndarray (n_objectives,)
        For `linear_mode_gap`.

    Examples
    --------
    >>> import torch
    >>> from smc.encoders.objectives import nt_xent, vicreg
    >>> first, second = torch.randn(2, 16, 8)  # two views of 16 things
    >>> of_views = lambda loss: lambda module: loss(module(first), module(second))
    >>> evaluate = module_rewards(torch.nn.Linear(8, 4), [of_views(nt_xent), of_views(vicreg)])
    >>> ends = [torch.nn.Linear(8, 4).state_dict() for _ in range(2)]
    >>> linear_mode_gap(ends, evaluate).rewards.shape
    (11, 2)
    """
    import torch

    losses = list(losses)
    if not losses or not all(map(callable, losses)):
        raise TypeError(f"losses must be one or more callables (module) -> loss, got {losses!r}")
    module = copy.deepcopy(module).eval()

    def evaluate(state):
        module.load_state_dict(state)
        with torch.no_grad():
            return -np.array([float(loss(module)) for loss in losses])

    return evaluate


def vector_returns(env, policy, *, n_episodes, seed, discount=1.0, max_steps=100_000):
    """Mean return of each objective of a gymnasium environment whose reward is a vector.

    Parameters
    ----------
    env : gymnasium.Env
        `step` gives a reward of shape (n_objectives,), as in MO-Gymnasium; a number counts as one objective. Make it
        with ``gymnasium.make(..., disable_env_checker=True)``, since the checker warns of rewards that are vectors.
        Vector environments are refused: they have room for one number per environment.
    policy : callable (observation) -> action
    n_episodes : int
        Episode i starts from `env.reset(seed=seed + i)`, so that policies are compared on the same episodes.
    seed : int
    discount : float in [0, 1], default=1.0
    max_steps : int, default=100_000
        An episode that is longer is an error; `gymnasium.wrappers.TimeLimit` ends episodes earlier.

    Returns
    -------
    returns : ndarray (n_objectives,)

    Raises
    ------
    TypeError
        `env` is no single environment.
    ValueError
        An episode without end, or rewards that are not finite or change their number.
    """
    n_episodes, seed = check_integer("n_episodes", n_episodes, 1), check_integer("seed", seed, 0)
    discount, max_steps = check_real("discount", discount, 0, 1), check_integer("max_steps", max_steps, 1)
    if hasattr(env, "num_envs") or not (hasattr(env, "reset") and hasattr(env, "step")):
        raise TypeError(f"env must be a single gymnasium.Env, not a vector environment; got {type(env).__name__}")
    episodes = tqdm(range(n_episodes), desc="episodes", delay=2, disable=None, leave=False)
    return np.mean([_return(env, policy, seed + i, discount, max_steps) for i in episodes], axis=0)


def _return(env, policy, seed, discount, max_steps):
    observation, _ = env.reset(seed=seed)
    total, weight = None, 1.0
    for _ in range(max_steps):
        observation, reward, terminated, truncated, _ = env.step(policy(observation))
        reward = _as_rewards("env", reward)
        if total is not None and len(reward) != len(total):
            raise ValueError(f"env must give as many rewards in every step, got {len(total)} and {len(reward)}")
        total = weight * reward + (0.0 if total is None else total)
        weight *= discount
        if terminated or truncated:
            return total
    raise ValueError(f"env must end its episodes within max_steps={max_steps}; wrap it in a gymnasium TimeLimit")


def _evaluated(evaluate, states, n_objectives=None):
    rewards = []
    for state in states:
        rewards.append(_as_rewards("evaluate", evaluate(state)))
        n_objectives = n_objectives or len(rewards[0])
        if len(rewards[-1]) != n_objectives:
            raise ValueError(
                f"evaluate must give as many rewards for every state, got {n_objectives} and {len(rewards[-1])}"
            )
    return np.array(rewards)


def _as_rewards(name, rewards):
    rewards = np.atleast_1d(np.asarray(rewards, dtype=np.float64))
    if rewards.ndim != 1 or not len(rewards) or not np.isfinite(rewards).all():
        raise ValueError(f"{name} must give finite numbers, one per objective, got {rewards}")
    return rewards
