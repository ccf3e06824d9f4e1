"""A mobile above a cradle, tied to one of four limbs."""

from __future__ import annotations

import numpy as np

from smc.worlds._seeds import check_count
from smc.worlds._state_table import StateTable
from topology._validation import check_choice

LIMBS = ("left arm", "right arm", "left leg", "right leg")
RESPONSES = ("graded", "binary")


class MobileStates(StateTable):
    """Swing of a mobile and posture of four limbs.

    An action is a number from 0 to 15 whose bits say which limbs move. When the limb on the ribbon moves, the mobile
    swings more by one (``graded``) or as much as it can (``binary``); else it comes to rest by one per step. The senses
    are ``mobile``, its swing (1,), and ``limbs`` (4,), which of them have just moved.

    Parameters
    ----------
    limb : {"left arm", "right arm", "left leg", "right leg"} or None, default="right arm"
        The limb on the ribbon; None for no ribbon: then the mobile does not move by itself.
    response : {"graded", "binary"}, default="graded"
    n_swings : int, default=3
        Largest swing.

    Attributes
    ----------
    states : ndarray (n_states, 2) of int64
        Swing, and the last action. Without a ribbon only those of a mobile at rest.
    """

    def __init__(self, limb: str | None = "right arm", response: str = "graded", n_swings: int = 3):
        if limb is not None:
            check_choice("limb", limb, LIMBS)
        check_choice("response", response, RESPONSES)
        check_count(n_swings, "n_swings", 1, 100)
        self.limb, self.response = limb, response
        n_actions = 2 ** len(LIMBS)
        action = np.arange(n_actions)
        moves = np.zeros(n_actions, bool) if limb is None else (action >> LIMBS.index(limb)) & 1 == 1
        states, following = [], []
        # A swing and a last action that contradict each other cannot be reached, so states are listed from rest.
        place = {(0, 0): 0}
        frontier = [(0, 0)]
        while frontier:
            state = frontier.pop(0)
            swing = state[0]
            more = np.full(n_actions, n_swings if response == "binary" else min(swing + 1, n_swings))
            after = [(int(s), int(a)) for s, a in zip(np.where(moves, more, max(swing - 1, 0)), action)]
            for new in after:
                if new not in place:
                    place[new] = len(place)
                    frontier.append(new)
            states.append(state)
            following.append([place[new] for new in after])
        states = np.array(states)
        senses = {
            "mobile": states[:, :1].astype(np.int8),
            "limbs": ((states[:, 1:] >> np.arange(len(LIMBS))) & 1).astype(np.int8),
        }
        at_rest = np.zeros(len(states))
        at_rest[0] = 1.0
        names = ["+".join(name for i, name in enumerate(LIMBS) if a >> i & 1) or "none" for a in range(n_actions)]
        super().__init__(states, names, np.array(following), senses, at_rest)
