"""Doing what another agent did, whatever it leads to."""

from __future__ import annotations

import numpy as np

from smc.policies._policy import n_agents


class YokedReplay:
    """Recorded actions, step by step, whatever the agents observe: the passive twin of an active agent.

    Parameters
    ----------
    action : array (n_steps, n) of integers, or (n_steps, n, d)
        What each of n agents does at each step.
    repeat : bool, default=False
        After the last step begin with the first again.

    References
    ----------
    Held, R. & Hein, A. (1963). Movement-produced stimulation in the development of visually guided behavior. Journal of
    Comparative and Physiological Psychology 56.
    """

    def __init__(self, action, *, repeat=False):
        action = np.asarray(action)
        if action.dtype.kind not in "iuf" or action.ndim not in (2, 3) or action.size == 0:
            raise ValueError(
                "action must hold numbers of shape (n_steps, n) or (n_steps, n, d), of n agents; "
                f"got {action.dtype} {action.shape}"
            )
        if not np.isfinite(action).all():
            raise ValueError("action must be finite; got NaN or infinity")
        self.action = action
        self.repeat = bool(repeat)
        self.reset()

    def __call__(self, observation, rng, allowed=None):
        """The recorded actions (n,) or (n, d) of this step.

        Raises
        ------
        ValueError
            If all steps were done, others observe than so many agents, or `allowed` (n, n_actions) excludes the action
            of an agent.
        """
        n = self.action.shape[1]
        if observation is not None and n_agents(observation) != n:
            raise ValueError(f"observation must be that of the {n} recorded agents; got {n_agents(observation)}")
        if self._step == len(self.action):
            if not self.repeat:
                raise ValueError(f"the recorded {len(self.action)} steps are over; reset the policy, or repeat them")
            self._step = 0
        action = self.action[self._step]
        if allowed is not None:
            self._check_allowed(np.asarray(allowed), action)
        self._step += 1
        return action

    def learn(self, observation, action, next_observation):
        """Nothing: what it leads to makes no difference."""

    def _check_allowed(self, allowed, action):
        if action.ndim != 1 or action.dtype.kind not in "iu":
            raise ValueError("allowed asks for recorded numbers of actions (n_steps, n); the recorded ones are vectors")
        if allowed.ndim != 2 or len(allowed) != len(action):
            raise ValueError(f"allowed must have shape ({len(action)}, n_actions); got {allowed.shape}")
        n_actions = allowed.shape[1]
        if not (0 <= action.min() and action.max() < n_actions):
            raise ValueError(f"allowed has {n_actions} actions; the recorded ones are {action.min()}..{action.max()}")
        if not np.take_along_axis(allowed, action[:, None], axis=1).all():
            raise ValueError(f"allowed excludes a recorded action of step {self._step}")

    def reset(self):
        """Go back to the first step."""
        self._step = 0
