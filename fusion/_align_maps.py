"""Which place on one map is which on another, told by their shapes alone."""

from dataclasses import dataclass

import numpy as np

from fusion._neural_field_space import field_space
from topology._validation import check_matrix, check_real

MAX_ITERATIONS = 200
MAX_PIVOTS = 100_000  # of the linear programme in every iteration
N_ANCHORS = 6  # nodes of each map that are tried as one another's counterparts
N_STARTS = 3  # of the couplings that these suggest


@dataclass(frozen=True, eq=False)
class MapAlignment:
    """Result of `align_maps`.

    Attributes
    ----------
    coupling : ndarray of shape (n_nodes_a, n_nodes_b), mass that nodes share; sums to `mass`
    distortion : float
        Gromov-Wasserstein objective: squared differences of distances between coupled pairs, mean distance 1; with a
        `cost`, blended with its mean.
    """

    coupling: np.ndarray
    distortion: float

    @property
    def matched_a(self):
        """Share of the mass of each node of a that has a counterpart, (n_nodes_a,)."""
        return self.coupling.sum(axis=1) * len(self.coupling)

    @property
    def matched_b(self):
        """Share of the mass of each node of b that has a counterpart, (n_nodes_b,)."""
        return self.coupling.sum(axis=0) * self.coupling.shape[1]


def align_maps(a, b, mass=1.0, *, cost=None, cost_weight=0.5, rescale=True):
    """Align two maps without pairs of samples, by (partial, fused) Gromov-Wasserstein transport.

    Nodes are coupled so that distances along one map match distances along the other. All nodes of a map have equal
    mass. The problem has local optima, so several starts are tried and the best end is kept: nodes go together whose
    distances to all others are distributed alike (Memoli 2011) and which are equally far from a pair of far-out nodes
    that is taken to correspond.

    Parameters
    ----------
    a, b : fitted map, networkx graph or array-like of shape (n_nodes, n_dims), connected
        As for `NeuralField`; distances run along edges where there are some.
    mass : float in (0, 1], default=1
        Share of the mass to couple; below 1 for maps that are related in part.
    cost : array-like of shape (n_nodes_a, n_nodes_b), default=None
        What is known beforehand of how badly nodes go together (labels, a shared feature), at least 0. Needed where a
        map looks like its mirror image.
    cost_weight : float in [0, 1], default=0.5
        Share of `cost`, brought to mean 1, in the objective.
    rescale : bool, default=True
        Bring both maps to a mean distance of 1, for senses of different units; else both are divided by one number.

    Returns
    -------
    alignment : MapAlignment

    Raises
    ------
    ImportError
        POT is absent (extra `transport`).

    References
    ----------
    Memoli (2011), Found. Comput. Math. 11:417; Vayer et al. (2019), ICML (fused); Chapel et al. (2020), NeurIPS
    (partial).
    """
    mass = check_real("mass", mass, 0, 1, open_low=True)
    cost_weight = check_real("cost_weight", cost_weight, 0, 1)
    distances_a, distances_b = _distances(a), _distances(b)
    scale_a, scale_b = _mean_distance(distances_a, "a"), _mean_distance(distances_b, "b")
    if not rescale:
        scale_a = scale_b = max(scale_a, scale_b)
    distances_a, distances_b = distances_a / scale_a, distances_b / scale_b
    shape = (len(distances_a), len(distances_b))
    cost, cost_weight = (np.zeros(shape), 0.0) if cost is None else (_check_cost(cost, shape), cost_weight)
    try:
        import ot
    except ImportError:
        raise ImportError("align_maps needs POT: pip install 'mesmrise[transport]'") from None
    uniform_a, uniform_b = np.full(shape[0], 1 / shape[0]), np.full(shape[1], 1 / shape[1])
    problem = {
        "M": cost,
        "C1": distances_a,
        "C2": distances_b,
        "p": uniform_a,
        "q": uniform_b,
        "alpha": 1 - cost_weight,
    }
    starts = _starts(ot, problem, mass)
    return min((_transport(ot, problem, mass, start) for start in starts), key=lambda end: end.distortion)


def _starts(ot, problem, mass):
    """Couplings to start from, the least distorted of those that the pairs of anchors suggest."""
    a, b = problem["C1"], problem["C2"]
    alike = _profile_costs(a, b) + (1 - problem["alpha"]) * problem["M"]
    couplings = [
        _linear_transport(ot, alike + (a[i][:, None] - b[j]) ** 2, problem["p"], problem["q"], mass)
        for i in _far_out(a)
        for j in _far_out(b)
    ]
    return sorted(couplings, key=lambda coupling: _objective(problem, coupling))[:N_STARTS]


def _linear_transport(ot, costs, p, q, mass):
    if mass < 1:
        # Less by a hair: POT refuses a start whose rows exceed their mass by rounding.
        return (1 - 1e-9) * ot.partial.partial_wasserstein(p, q, costs, m=mass, numItermax=MAX_PIVOTS)
    return ot.emd(p, q, costs, numItermax=MAX_PIVOTS)


def _transport(ot, problem, mass, start):
    if mass < 1:
        coupling = _partial_transport(ot, problem, mass, start)
    else:
        coupling = ot.gromov.fused_gromov_wasserstein(
            **problem, G0=start, symmetric=True, max_iter=MAX_ITERATIONS, numItermaxEmd=MAX_PIVOTS
        )
    return MapAlignment(coupling, float(_objective(problem, coupling)))


def _partial_transport(ot, problem, mass, start):
    """Coupling of the given mass.

    POT forbids more mass by a penalty in proportion to the largest linear cost, none at all where there is no cost.
    A constant cost of every coupled mass brings it back and changes no optimum, as the mass is fixed. It also bounds
    iterations and pivots by one number; the iterations end by their tolerance.
    """
    alpha = problem["alpha"]
    charged = problem | {"M": ((1 - alpha) * problem["M"] + 1) / (2 - alpha), "alpha": alpha / 2}
    return ot.gromov.partial_fused_gromov_wasserstein(
        **charged, m=mass, G0=start, symmetric=True, numItermax=MAX_PIVOTS, tol=1e-7, warn=False
    )


def _objective(problem, coupling):
    """Sum over i, j, k, l of coupling_ik coupling_jl (a_ij - b_kl)**2, blended with the mean cost."""
    a, b = problem["C1"], problem["C2"]
    mass_a, mass_b = coupling.sum(axis=1), coupling.sum(axis=0)
    squares = mass_a @ a**2 @ mass_a + mass_b @ b**2 @ mass_b
    distortion = squares - 2 * ((a @ coupling @ b) * coupling).sum()
    return problem["alpha"] * distortion + (1 - problem["alpha"]) * (coupling * problem["M"]).sum()


def _far_out(distances):
    """Nodes far from all nodes named before them, the most remote first."""
    chosen = [int(distances.sum(axis=1).argmax())]
    while len(chosen) < min(N_ANCHORS, len(distances)):
        chosen.append(int(distances[chosen].min(axis=0).argmax()))
    return chosen


def _profile_costs(distances_a, distances_b, n_quantiles=20):
    """Squared differences (n_a, n_b) between the distributions of every node's distances to the others."""
    levels = (np.arange(n_quantiles) + 0.5) / n_quantiles
    profiles_a, profiles_b = (np.quantile(d, levels, axis=1).T for d in (distances_a, distances_b))
    return ((profiles_a[:, None] - profiles_b) ** 2).mean(axis=-1)


def _distances(graph_or_positions):
    space = field_space(graph_or_positions)
    return space.distances(np.arange(len(space)))


def _mean_distance(distances, name):
    mean = distances.mean()
    if mean == 0:
        raise ValueError(f"{name} has no extent: all its nodes are at one place")
    return mean


def _check_cost(cost, shape):
    cost = check_matrix("cost", cost).astype(float)
    if cost.shape != shape or (cost < 0).any():
        raise ValueError(f"cost must hold numbers of at least 0 in shape {shape}, got shape {cost.shape}")
    return cost / cost.mean() if cost.any() else cost
