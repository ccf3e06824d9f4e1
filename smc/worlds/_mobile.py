"""An infant's limbs and a mobile tied to one of them."""

from __future__ import annotations

from smc.worlds._mobile_states import LIMBS, MobileStates
from smc.worlds._table_environment import TableEnvironment


class Mobile(TableEnvironment):
    """Mobile tied to a limb; registered as ``mesmrise/Mobile-v0``.

    Observations are a dict of ``mobile`` (1,), its swing, and ``limbs`` (4,), those that have just moved. An action is
    a number from 0 to 15 whose bits say which limbs move. An episode starts at rest.

    Parameters
    ----------
    limb, response, n_swings
        As in `MobileStates`.
    render_mode : {None, "ansi", "rgb_array"}, default=None
        Above, the swing; below, a mark per limb, ``o`` at rest, ``x`` moving.

    Examples
    --------
    >>> world = Mobile("left arm")
    >>> _ = world.reset(seed=0)
    >>> observation, *_ = world.step(0b0001)
    >>> observation["mobile"].tolist(), observation["limbs"].tolist()
    ([1], [1, 0, 0, 0])
    """

    colors = {".": (232, 234, 238), "=": (230, 159, 0), "o": (86, 101, 130), "x": (204, 78, 58)}

    def __init__(
        self,
        limb: str | None = "right arm",
        response: str = "graded",
        n_swings: int = 3,
        *,
        render_mode: str | None = None,
    ):
        super().__init__(MobileStates(limb, response, n_swings), render_mode)
        self.n_swings = n_swings

    def lines(self, state):
        width = max(self.n_swings, len(LIMBS))
        swing = "=" * int(self.table.senses["mobile"][state, 0])
        limbs = "".join("x" if moved else "o" for moved in self.table.senses["limbs"][state])
        return [swing.ljust(width, "."), limbs.ljust(width, ".")]
