"""One network for every preference: weights averaged in proportion to what each objective is worth."""

from smc.soups._evaluation import LinearModeGap, linear_mode_gap, module_rewards, vector_returns
from smc.soups._fronts import dominated_share, hypervolume, pareto_front, sparsity
from smc.soups._interpolation import recompute_batch_norm, soup

__all__ = [
    "LinearModeGap",
    "dominated_share",
    "hypervolume",
    "linear_mode_gap",
    "module_rewards",
    "pareto_front",
    "recompute_batch_norm",
    "soup",
    "sparsity",
    "vector_returns",
]
