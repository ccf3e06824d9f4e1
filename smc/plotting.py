"""Drawings of what was learned about actions. Matplotlib is loaded when something is drawn (extra ``plot``)."""

from __future__ import annotations

from itertools import cycle

import networkx as nx
import numpy as np
from scipy.spatial.distance import pdist

COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC3D61", "#8F6BC7", "#56B4E9", "#8C6D31", "#6B7280")
FRAME = "#3B4252"
UP = np.array([0.0, 1.0])
NODE = 0.27  # half the side of a node, in median lengths of an edge
CROWDED_NODE = 0.25  # and at most so much, in distances between the two nearest nodes
BEND = 0.16  # curvature of an edge, so that the way back lies beside the way there
BAR = 0.7  # half the length of the bar of an action without effect, in halves of a node
WIDTH = 3.0  # points, at probability 1
MISFIT = 0.25  # share of squared displacement that may remain where actions count as displacements
NODE_INCHES = 0.26  # of a new figure, per half of a node
LEGEND_INCHES, MIN_INCHES, MAX_INCHES = 0.6, (4.5, 1.5), 14.0


def plot_contingencies(model, ax=None, *, actions=None, positions=None, min_probability=0.05):
    """Draw the graph of a contingency model: which observation each action leads to.

    A node is an observation, as a small picture if it is two-dimensional; a coloured arrow is an action, as wide as the
    outcome is probable; a bar at a node's side is an action that changes nothing there.

    Unless `positions` are given, distances follow the number of steps between observations (Kamada & Kawai 1989).
    Where actions are displacements, as in a room, they are straightened, the first action points up and the second to
    the right.

    Parameters
    ----------
    model : ContingencyModel
        Of order 1, with at most some hundred observations.
    ax : matplotlib Axes, optional
        Default: a new figure.
    actions : sequence or dict of str, optional
        Name of each action for the legend: ``actions[number]``. Default: the numbers.
    positions : dict, optional
        (x, y) for each node of ``model.to_networkx()``.
    min_probability : float, default=0.05
        Less probable outcomes are left out.

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib.pyplot as plt

    graph = model.to_networkx()
    numbers = sorted({action for _, _, action in graph.edges(data="action")})
    names = _names(numbers, actions)
    if positions is None:
        positions = _lay_out(graph, numbers)
    elif set(graph) - set(positions):
        raise ValueError(f"positions must hold every observation; {min(set(graph) - set(positions))} is missing")
    size = _node_size(graph, positions)
    low = np.min(list(positions.values()), axis=0) - 2.0 * size
    high = np.max(list(positions.values()), axis=0) + 2.0 * size
    if ax is None:
        width, height = np.clip(NODE_INCHES * (high - low) / size, MIN_INCHES, MAX_INCHES)
        _, ax = plt.subplots(figsize=(width, height + LEGEND_INCHES), layout="constrained")
    frames = _draw_nodes(ax, graph, positions, size)
    directions = _directions(graph, positions, numbers)
    color = dict(zip(numbers, cycle(COLORS)))
    # The most probable last, so that the others pass below.
    for start, end, edge in sorted(graph.edges(data=True), key=lambda edge: edge[2]["probability"]):
        action, width = edge["action"], WIDTH * edge["probability"]
        if edge["probability"] < min_probability:
            continue
        if start == end:
            side = directions[action] if action in directions else _free_side(graph, positions, start)
            _draw_bar(ax, positions[start], side, size, color[action], width)
        else:
            _draw_arrow(ax, positions[start], positions[end], frames[start], frames[end], color[action], width)
    for number in numbers:
        ax.plot([], [], color=color[number], linewidth=WIDTH, label=names[number])
    # After the pictures, which would set limits of their own.
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
    ax.axis("off")
    ax.legend(
        title="action",
        ncols=len(numbers),
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        frameon=False,
        handlelength=1.4,
    )
    return ax


def _names(numbers, actions):
    try:
        return {number: str(number if actions is None else actions[number]) for number in numbers}
    except (IndexError, KeyError, TypeError):
        raise ValueError(
            f"actions must name each of the actions {numbers}, by position or as a dict; got {actions!r}"
        ) from None


# --- where things are ----------------------------------------------------------------------------------------------


def _lay_out(graph, actions):
    """Positions by the number of steps between nodes, straightened if actions are displacements, turned upright."""
    simple = nx.Graph((start, end) for start, end in graph.edges() if start != end)
    simple.add_nodes_from(graph)
    steps = dict(nx.all_pairs_shortest_path_length(simple))
    apart = 1 + max(max(row.values()) for row in steps.values())  # between unconnected parts
    distance = {a: {b: steps[a].get(b, apart) for b in graph} for a in graph}
    positions = nx.kamada_kawai_layout(simple, dist=distance)
    positions = _straighten(graph, positions, _displacements(graph, positions, actions))
    directions = list(_directions(graph, positions, actions).values())
    x, y = directions[0] if directions else UP
    turn = np.array([[y, -x], [x, y]])
    if len(directions) > 1 and (turn @ directions[1])[0] < 0:
        turn[0] *= -1
    return {node: turn @ position for node, position in positions.items()}


def _straighten(graph, positions, displacements):
    """Least-squares positions at which every action displaces by its mean, if there are nearly such positions."""
    nodes = {node: i for i, node in enumerate(graph)}
    edges = [edge for edge in graph.edges(data=True) if edge[0] != edge[1]]
    directed = edges and all(displacements[edge["action"]].any() for _, _, edge in edges)
    if not (directed and nx.is_weakly_connected(graph)):
        return positions
    incidence = np.zeros((len(edges), len(nodes)))
    for row, (start, end, _) in zip(incidence, edges):
        row[nodes[end]], row[nodes[start]] = 1.0, -1.0
    moves = np.array([displacements[edge["action"]] for _, _, edge in edges])
    weights = np.array([edge["probability"] ** 2 for _, _, edge in edges])[:, None]
    solution = np.linalg.lstsq(incidence * np.sqrt(weights), moves * np.sqrt(weights), rcond=None)[0]
    misfit = (weights * (incidence @ solution - moves) ** 2).sum() / (weights * moves**2).sum()
    crowded = pdist(solution).min() < 0.5 * np.median(np.hypot(*moves.T))
    return positions if crowded or misfit > MISFIT else dict(zip(nodes, solution))


def _displacements(graph, positions, actions):
    """Mean displacement of each action where it displaces, mostly of the most probable outcomes; 0 if it has none."""
    moves = {action: [np.zeros(4)] for action in actions}
    for start, end, edge in graph.edges(data=True):
        if start != end:
            move = np.subtract(positions[end], positions[start])
            moves[edge["action"]].append(edge["probability"] ** 2 * np.r_[move, np.hypot(*move), 1.0])
    sums = {action: np.sum(rows, axis=0) for action, rows in moves.items()}
    # Moves that cancel out, as on a ring, are no direction.
    return {
        action: move[:2] / move[3] if np.hypot(*move[:2]) > 0.5 * move[2] else np.zeros(2)
        for action, move in sums.items()
    }


def _directions(graph, positions, actions):
    """Unit vector of the displacement of each action that has one."""
    moves = _displacements(graph, positions, actions)
    return {action: move / np.hypot(*move) for action, move in moves.items() if move.any()}


def _node_size(graph, positions):
    """Half the side of a node that leaves room for the arrows, and between any two nodes."""
    edges = [np.subtract(positions[end], positions[start]) for start, end in graph.edges() if start != end]
    if not edges:
        return NODE
    places = np.array([positions[node] for node in graph])
    return min(NODE * np.median(np.hypot(*np.transpose(edges))), CROWDED_NODE * pdist(places).min())


# --- what is drawn -------------------------------------------------------------------------------------------------


def _draw_nodes(ax, graph, positions, size):
    """Draw the observations; return their frames, at which the arrows end."""
    from matplotlib.patches import Rectangle

    shape = graph.graph["observation_shape"]
    pictured = len(shape) == 2
    largest = max(1, max(np.max(node) for node in graph))
    frames = {}
    for node in graph:
        x, y = positions[node]
        frame = Rectangle((x - size, y - size), 2 * size, 2 * size, facecolor="white", edgecolor=FRAME, zorder=3)
        frames[node] = ax.add_patch(frame)
        if pictured:
            box = (x - size, x + size, y - size, y + size)
            image = np.reshape(node, shape)
            ax.imshow(image, cmap="Greys", vmin=0, vmax=1.25 * largest, extent=box, zorder=4, aspect="equal")
            frame.set_zorder(5)
            frame.set_facecolor("none")
        else:
            ax.text(x, y, str(node), ha="center", va="center", fontsize=8, zorder=4)
    return frames


def _draw_arrow(ax, start, end, start_frame, end_frame, color, width):
    from matplotlib.patches import FancyArrowPatch

    arrow = FancyArrowPatch(
        start, end, patchA=start_frame, patchB=end_frame, shrinkA=1, shrinkB=1, connectionstyle=f"arc3,rad={BEND}",
        arrowstyle="-|>", mutation_scale=9, color=color, linewidth=width, zorder=2, joinstyle="miter", capstyle="butt",
    )  # fmt: skip
    ax.add_patch(arrow)


def _free_side(graph, positions, node):
    """Unit vector away from the node's neighbours."""
    others = [positions[other] for other in {*graph.successors(node), *graph.predecessors(node)} - {node}]
    away = positions[node] - np.mean(others, axis=0) if others else UP
    return away / max(np.hypot(*away), 1e-9)


def _draw_bar(ax, position, direction, size, color, width):
    """A bar across the direction of the action, just outside the node."""
    center = position + 1.3 * size * direction / np.abs(direction).max()
    across = BAR * size * np.array([-direction[1], direction[0]])
    ax.plot(*np.transpose([center - across, center + across]), color=color, linewidth=width, zorder=2)
