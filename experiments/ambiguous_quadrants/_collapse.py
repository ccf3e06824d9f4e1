"""Who survives a bad start? Every assignment, from the usual start and with all hypotheses but one far away."""

import numpy as np
import torch

from smc.hypotheses import Annealed
from topology.assignment import boltzmann

from ._models import Hypotheses
from ._toy import draw_sets, earth_movers_distance

TEMPERATURES = (0.6, 0.002)  # of the exponential annealing, in squares of the targets' unit
ASSIGNMENTS = {
    "hard winner-take-all": "winner_take_all",
    "relaxed, .05": "relaxed",
    "top-n, K/4 to 1": "top_n",
    "annealed, linear": "boltzmann",
    "annealed, exponential": Annealed(boltzmann, *TEMPERATURES),
    "neural-gas rank": "neural_gas",
}
STARTS = ("usual", "far")
FILMED = ("hard winner-take-all", "neural-gas rank")
FILM_T = 0.2
N_TEST = 5000


def collapse_test(config, seed):
    """EMD, squared distance to the nearest hypothesis and dead hypotheses, (n_starts, n_assignments); and the film."""
    shape = (len(STARTS), len(ASSIGNMENTS))
    found = {name: np.empty(shape) for name in ("emd", "oracle", "dead")}
    frames = np.unique((np.linspace(0, 1, config.n_frames) ** 2 * (config.small_steps - 1)).astype(int))
    films = []
    for i, start in enumerate(STARTS):
        for j, (name, assignment) in enumerate(ASSIGNMENTS.items()):
            film = []

            def watch(step, model, film=film):
                if step in frames:
                    places, scores = model.points(FILM_T)
                    film.append(np.column_stack([places, scores]))

            filmed = start == "far" and name in FILMED
            model = Hypotheses(
                config, seed, config.small_width, config.small_steps, assignment=assignment,
                far=config.far if start == "far" else 0.0, watch=watch if filmed else None,
            )  # fmt: skip
            for key, value in measure(model, config, seed).items():
                found[key][i, j] = value
            if filmed:
                films.append(film)
    return {f"collapse_{key}": values for key, values in found.items()} | {
        "film": np.array(films),
        "film_steps": frames,
    }


def measure(model, config, seed):
    """A hypothesis is dead if it wins none of N_TEST targets."""
    rng = np.random.default_rng((seed, 5))
    t, targets, present = map(torch.from_numpy, draw_sets(N_TEST, rng))
    distances, _ = model.head.distances(model.predict(t), targets, present)
    wins = np.bincount(distances.argmin(dim=1).numpy(), minlength=config.n_hypotheses)
    emd = np.mean([earth_movers_distance(model.points(t), t, config.n_true, rng) for t in config.t_shown])
    return {"emd": emd, "oracle": distances.min(dim=1).values.mean().item(), "dead": (wins == 0).sum()}
