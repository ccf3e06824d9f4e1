"""A map of both senses, and the field on it."""

import networkx as nx
import numpy as np
from sklearn.decomposition import PCA

from fusion import LateralKernel, NeuralField
from topology import GrowingNeuralGas

FILMED, FILMED_PRECISION = (6.0, -6.0), (3.0, 1.0)  # where one sees and hears in the animation, and how precisely
SHARES = np.array(FILMED_PRECISION) / sum(FILMED_PRECISION)


class JointMap:
    """A gas on what both senses answer, and a field on its graph.

    A unit stands for the mean place of the events that it won: its position on the field. Lengths of the field's edges
    are in degrees, so that units that differ only in features without position lie at one place.
    """

    def __init__(self, events, y, n_irrelevant, config, rng):
        self._config, self._n_irrelevant = config, n_irrelevant
        self._components = {sense: PCA(config.n_components, random_state=0).fit(X) for sense, X in events.items()}
        X = self._features(events, rng)
        self._map = GrowingNeuralGas(config.n_units, random_state=int(rng.integers(2**31))).fit(X)
        winners = self._map.predict(X)
        won = np.bincount(winners, minlength=self._map.n_units_)
        self._place = np.bincount(winners, y, minlength=len(won)) / np.maximum(won, 1)
        self._field = NeuralField(self._graph(won), kernel=LateralKernel(config.kernel_width))

    def merge(self, estimates, precision, widths=None):
        """Percept (n_trials,) from estimates (2, n_trials) in degrees; NaN where the field stays silent."""
        widths = np.full(estimates.shape, self._config.input_width) if widths is None else widths
        difference = estimates[..., None] - self._field.positions_[:, 0]
        cues = np.exp(-(difference**2) / (2 * widths[..., None] ** 2))
        return self._field.run(cues, self._config.n_steps, precision=precision).decode()[:, 0]

    def nearest(self, trials, rng):
        """Place of the nearest unit of the map, without a field."""
        return self._place[self._map.predict(self._features(trials, rng))]

    def film(self, config):
        """Activity (n_frames, n_points) over places of the field while it merges two cues, for the animation."""
        x = np.linspace(-45, 45, 181)
        smooth = np.exp(-((x[:, None] - self._field.positions_[:, 0]) ** 2) / (2 * 1.5**2)) * self._field.volumes_
        smooth /= smooth.sum(axis=1, keepdims=True)
        frames = []
        cues = self._field.encode([[FILMED[0]], [FILMED[1]]], width=config.input_width)
        self._field.run(
            cues, 25, precision=FILMED_PRECISION, callback=lambda field, step: frames.append(smooth @ field.activity_)
        )
        return {"film_place": x, "film_activity": np.stack(frames), "film_input": smooth @ (SHARES @ cues)}

    def _features(self, events, rng):
        n = len(next(iter(events.values())))
        parts = [rng.standard_normal((n, self._n_irrelevant))]
        for sense, components in self._components.items():
            parts.append(components.transform(events[sense]) / np.sqrt(components.explained_variance_.mean()))
        return np.hstack(parts)

    def _graph(self, won):
        graph = self._map.to_networkx()
        nx.set_node_attributes(graph, {unit: [place] for unit, place in enumerate(self._place)}, "position")
        graph.remove_nodes_from(np.flatnonzero(won == 0).tolist())
        return graph.subgraph(max(nx.connected_components(graph), key=len))
