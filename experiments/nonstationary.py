"""Which maps follow data that jump or drift? GNG, GNG-U and GWR on a moving ring (Fritzke 1997).

Finding     Growing neural gas keeps units that never win again, so that few are left where the data are now; removing
            the least useful unit (GNG-U) frees them.
Citation    Fritzke (1997), ICANN, 613 (GNG-U); Fritzke (1995), NIPS 7:625 (GNG); Marsland, Shapiro and Nehmzow (2002),
            Neural Networks 15:1041 (GWR).
Prediction  After every jump of a ring to a place out of reach, GNG-U comes back to 1.25 times the error of a map
            trained there afresh; GNG of the same size does not before the next jump. On a drifting ring the mean error
            of GNG-U is the lower one. GWR makes units wherever they are required and leaves the old ones behind: it
            follows with room for all places, not with the units that one place needs.
Controls    A map that stops learning before the first jump (no adaptation) and one trained afresh on the present ring
            (floor), both GNG of the same size; error is measured on held-out samples of the present ring.
Cost        30 s of processor time for 10 seeds.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from topology import GrowingNeuralGas, GrowWhenRequired

SCENARIOS = ("jump", "drift")
MAPS = ("GNG", "GNG-U", "GWR", "GWR with room")
COLOURS = {
    "GNG": PALETTE[1],
    "GNG-U": PALETTE[0],
    "GWR": PALETTE[2],
    "GWR with room": PALETTE[5],
    "frozen": PALETTE[7],
}
PLACES = np.array([[0.0, 0.0], [4.0, 0.0], [2.0, 3.5]])  # centres of the jumping ring, whose outer radius is 1
ORBIT = 2.0  # radius of the circle on which the drifting ring travels once
ROOM = 4  # times the units of the others: one share for each place, and one to spare
RECOVERED = 1.25  # times the error of a map trained afresh


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    max_units: int = 50
    n_phase: int = 20_000  # samples between jumps; the drift takes as long as all phases together
    chunk: int = 500  # samples between two measurements
    n_test: int = 2000  # held-out samples per measurement
    activity_threshold: float = 0.8  # of GWR; then about 50 units cover the ring
    length_scale: float = 1.0  # of GWR, units of the data


SMOKE = Config(max_units=10, n_phase=1000, n_test=100)
QUICK = Config(n_phase=5000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Errors (n_checks,) of every map on both streams, and its units and edges at every check."""
    rng = np.random.default_rng(seed)
    n_checks = len(PLACES) * (config.n_phase // config.chunk)
    floor = GrowingNeuralGas(config.max_units, random_state=seed).fit(ring(np.zeros((10_000, 2)), rng))
    results = {"floor": floor.quantization_error(ring(np.zeros((10 * config.n_test, 2)), rng))}
    for scenario in SCENARIOS:
        maps = {
            "GNG": GrowingNeuralGas(config.max_units, random_state=seed),
            "GNG-U": GrowingNeuralGas(config.max_units, criterion="utility", random_state=seed),
            "GWR": when_required(config, config.max_units, seed),
            "GWR with room": when_required(config, ROOM * config.max_units, seed),
            "frozen": GrowingNeuralGas(config.max_units, random_state=seed),
        }  # fmt: skip
        films = {name: Film(n_checks, maps[name].max_units) for name in MAPS}
        errors = {name: np.empty(n_checks) for name in maps}
        for check in range(n_checks):
            centers = path(scenario, (check * config.chunk + np.arange(config.chunk)) / (config.chunk * n_checks))
            X, X_test = ring(centers, rng), ring(np.repeat(centers[-1:], config.n_test, axis=0), rng)
            for name, est in maps.items():
                if name != "frozen" or check < n_checks // len(PLACES):
                    est.partial_fit(X)
                errors[name][check] = est.quantization_error(X_test)
                if name in films:
                    films[name].add(check, est)
        results |= {f"error_{scenario}_{name}": error for name, error in errors.items()}
        for name, film in films.items():
            results |= {f"units_{scenario}_{name}": film.units, f"links_{scenario}_{name}": film.links}
    return results | {"n_samples": config.chunk * np.arange(1, n_checks + 1), "n_phase": config.n_phase}


def when_required(config, max_units, seed):
    return GrowWhenRequired(
        max_units, activity_threshold=config.activity_threshold, length_scale=config.length_scale, random_state=seed
    )


def path(scenario, time):
    """Centres (n, 2) of the ring at times (n,) in [0, 1)."""
    if scenario == "jump":
        return PLACES[(time * len(PLACES)).astype(int)]
    return ORBIT * np.stack([np.cos(2 * np.pi * time), np.sin(2 * np.pi * time)], axis=1)


def ring(centers, rng):
    """One sample around every centre, uniform between the radii 0.5 and 1."""
    radius, angle = np.sqrt(rng.uniform(0.25, 1, len(centers))), rng.uniform(0, 2 * np.pi, len(centers))
    return centers + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


class Film:
    """Units and edges of a growing map in arrays of fixed size; eight possible edges share a byte."""

    def __init__(self, n_checks, max_units):
        self.units = np.full((n_checks, max_units, 2), np.nan)
        self.links = np.zeros((n_checks, max_units, -(-max_units // 8)), np.uint8)

    def add(self, check, est):
        self.units[check, : est.n_units_] = est.prototypes_
        joined = np.zeros((self.units.shape[1],) * 2, bool)
        joined[tuple(est.edges_.T)] = True
        self.links[check] = np.packbits(joined, axis=1)


def relative(results, scenario, name):
    """Error over that of a map trained afresh (n_seeds, n_checks)."""
    return results[f"error_{scenario}_{name}"] / results["floor"][:, None]


def after_jumps(results, name):
    """Relative errors (n_seeds, n_jumps, n_checks of a phase) after every jump."""
    errors = relative(results, "jump", name)
    return errors.reshape(len(errors), len(PLACES), -1)[:, 1:]


def recovery(results, name):
    """Samples (n_seeds, n_jumps) until the error has come back; infinite if the next jump comes first."""
    back = after_jumps(results, name) <= RECOVERED
    samples = results["n_samples"][0][: back.shape[-1]]
    return np.where(back.any(axis=-1), samples[back.argmax(axis=-1)], np.inf)


def drift_error(results, name):
    """Mean relative error (n_seeds,) on the drifting ring once the map is grown: from a third of the way on."""
    errors = relative(results, "drift", name)
    return errors[:, errors.shape[1] // len(PLACES) :].mean(axis=1)


def table(results):
    rows = []
    for name in COLOURS:
        samples = recovery(results, name)
        followed = np.isfinite(samples)
        rows.append(
            {
                "map": name,
                "jumps followed": float(followed.mean()),
                "samples to follow": samples[followed].mean() if followed.any() else None,
                "error before the next jump": after_jumps(results, name)[..., -1].mean(),
                "error on the drift": drift_error(results, name).mean(),
            }
        )
    return rows


def figure(results):
    """Error over time on both streams, relative to a map trained afresh."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 2, figsize=(10, 4), sharey=True)
    thousands = results["n_samples"][0] / 1000
    for ax, scenario in zip(axes, SCENARIOS):
        for name, colour in COLOURS.items():
            interval_line(ax, thousands, relative(results, scenario, name), name, color=colour, marker="")
        ax.axhline(1, color="black", linewidth=0.8, linestyle=":", label="trained afresh")
        ax.set(title=f"a ring that {scenario}s", xlabel="thousand samples presented", yscale="log", ylim=(0.9, 45))
    ticks = [1, 1.25, 2, 4, 10, 30]
    axes[0].set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes[0].minorticks_off()
    axes[0].set_ylabel("held-out quantization error,\ntimes that of a map trained afresh")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    return fig


def film(scenario, results, file):
    """The maps of the first seed as they learn, on the ring where it is then."""
    import matplotlib.pyplot as plt
    from matplotlib.animation import FuncAnimation, PillowWriter
    from matplotlib.collections import LineCollection

    n_checks = len(results["n_samples"][0])
    places = path(scenario, np.maximum(np.arange(1, n_checks + 1) / n_checks - 1e-9, 0))
    low, high = places.min(axis=0) - 1.2, places.max(axis=0) + 1.2
    fig, axes = plt.subplots(1, len(MAPS), figsize=(9, 3.2), layout="none")
    fig.subplots_adjust(0.01, 0.02, 0.99, 0.84, wspace=0.02)
    drawn = []
    for ax, name in zip(axes, MAPS):
        discs = [ax.add_patch(plt.Circle((0, 0), *disc)) for disc in ((1.0,), (0.5,))]
        discs[0].set_color("#D5DCE2"), discs[1].set_color("white")
        edges = ax.add_collection(LineCollection([], color="#5A5A5A", linewidth=0.8))
        (units,) = ax.plot([], [], ".", color=COLOURS[name], markersize=6)
        ax.set(title=name, aspect="equal", xticks=[], yticks=[], xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        ax.spines[:].set_visible(False)
        drawn.append(
            (results[f"units_{scenario}_{name}"][0], results[f"links_{scenario}_{name}"][0], discs, edges, units)
        )

    def draw(check):
        fig.suptitle(f"{results['n_samples'][0][check]:,} samples presented", fontsize=10)
        for positions, links, discs, edges, units in drawn:
            for disc in discs:
                disc.center = places[check]
            joined = np.argwhere(np.unpackbits(links[check], axis=1))
            edges.set_segments(positions[check][joined])
            units.set_data(*positions[check].T)

    shown = np.unique(np.linspace(0, n_checks - 1, 60).astype(int))
    FuncAnimation(fig, draw, shown).save(file, PillowWriter(fps=10), dpi=80)
    plt.close(fig)


def verdict(results) -> Verdict:
    followed = {name: np.isfinite(recovery(results, name)) for name in MAPS}
    gain = {
        "before the next jump": paired_bootstrap(
            *(after_jumps(results, name)[..., -1].mean(axis=1) for name in ("GNG", "GNG-U"))
        ),
        "on the drift": paired_bootstrap(*(drift_error(results, name) for name in ("GNG", "GNG-U"))),
    }
    follow = followed["GNG-U"].all() and followed["GWR with room"].all()
    stay = not followed["GNG"].any() and not followed["GWR"].any()
    passed = follow and stay and all(g.low > 0 for g in gain.values())
    jumps = [f"jumps followed by {name}: {f.sum()} of {f.size}" for name, f in followed.items()]
    gains = [f"relative error {where}, GNG minus GNG-U: {g:.2f}" for where, g in gain.items()]
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"after every jump GNG-U and GWR with {ROOM} times the units come back to {RECOVERED} times the error\n"
        "of a map trained afresh; GNG and GWR of one size with GNG-U never do;\n"
        "error before the next jump and mean error on the drift: GNG minus GNG-U above 0, intervals",
        measured="\n".join(jumps + gains),
        published="GNG-U follows a jump that GNG does not (shape)",
    )


main = experiment(
    Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=10,
    artefacts={f"{scenario}.gif": partial(film, scenario) for scenario in SCENARIOS},
)  # fmt: skip

if __name__ == "__main__":
    raise SystemExit(main())
