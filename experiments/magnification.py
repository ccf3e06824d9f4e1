"""How densely do maps place their units? The magnification exponent of SOM, neural gas, GNG (Fritzke 1995).

Finding     Unit density follows data density to a power. Vector quantisation and neural gas: d / (d + 2) in d
            dimensions. A chain (1-D SOM): from 1/3 without neighbourhood to 2/3 with a wide one. For GNG we know of no
            published exponent.
Citation    Villmann and Claussen (2006), Neural Computation 18:446 (neural gas); Ritter and Schulten (1986), Biological
            Cybernetics 54:99, and Dersch and Tavan (1995), IEEE TNN 6:230: (1 + 12 R) / (3 + 18 R) with R the second
            moment of the neighbourhood (1-D SOM); Fritzke (1995), NIPS 7:625 (GNG).
Prediction  k-means, neural gas and chain lie on their laws. A GNG that inserts where the accumulated error is largest
            has the exponent of a quantiser, d / (d + 2), only if its error is a fair sample: memory of many samples
            per unit, and enough of them between insertions. The shorter the memory, the lower the exponent: insertion
            then follows single large distances, which makes cells equal in size.
Controls    k-means shows that the instrument reads d / (d + 2) where that is the truth. Every setting of GNG sees fresh
            samples only and settles equally long.
Cost        5 minutes of processor time for 10 seeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from sklearn.cluster import KMeans

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from topology import GrowingNeuralGas, NeuralGas, SelfOrganizingMap

STEEPNESS = 4.0  # the data density falls as exp(-4 x) along the first side of the unit cube
FAIR_MEMORY = 50.0  # samples per unit: that of error_decay="auto"


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    dimensions: tuple[int, ...] = (1, 2, 3)
    n_units: tuple[int, ...] = (100, 400, 600)  # for each dimension
    kmeans_samples: int = 50  # per unit
    gas_samples: int = 400  # per unit, each presented once
    memory: tuple[float, ...] = (0.5, 2.0, 10.0, 50.0, 200.0)  # of the errors of GNG, samples per unit
    interval: tuple[int, ...] = (100, 300, 1000)  # samples between insertions
    settling: int = 500  # samples per unit after the last insertion
    learning_rate: float = 0.05
    neighbor_learning_rate: float = 0.0006
    max_age: int = 100
    chain_units: int = 50
    chain_samples: int = 2_000_000
    radius: tuple[float, ...] = (0.0, 0.5, 1.0, 2.0)  # of the chain's Gaussian neighbourhood, units


SMOKE = Config((1, 2), (20, 40), memory=(2.0, 50.0), interval=(100,), settling=20, chain_samples=5000, radius=(1.0,))
QUICK = Config((1, 2), (100, 400), memory=(0.5, 5.0, 50.0), interval=(100, 1000), chain_samples=300_000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Exponents of one set of maps."""
    rng = np.random.default_rng(seed)
    results: dict[str, list[float]] = {
        name: [] for name in ("k-means", "neural gas", "gng", "preset 1995", "preset 1997")
    }
    for d, n in zip(config.dimensions, config.n_units, strict=True):
        X = draw(config.kmeans_samples * n, d, rng)
        kmeans = KMeans(n, n_init=1, tol=0, random_state=seed).fit(X)
        results["k-means"].append(exponent(kmeans.cluster_centers_))
        gas = NeuralGas(n, training="online", n_epochs=1, random_state=seed)
        results["neural gas"].append(exponent(gas.fit(draw(config.gas_samples * n, d, rng)).prototypes_))
        rates = {"learning_rate": config.learning_rate, "neighbor_learning_rate": config.neighbor_learning_rate}
        for interval in config.interval:
            for memory in config.memory:
                gng = GrowingNeuralGas(
                    n, insertion_interval=interval, error_decay=1 - 1 / (memory * n), max_age=config.max_age,
                    random_state=seed, **rates,
                )  # fmt: skip
                results["gng"].append(exponent(grow(gng, interval, config.settling, d, rng)))
        for preset, interval in (("1995", 100), ("1997", 300)):
            gng = GrowingNeuralGas(n, preset=preset, random_state=seed)
            results[f"preset {preset}"].append(exponent(grow(gng, interval, config.settling, d, rng)))
    shape = (len(config.dimensions), len(config.interval), len(config.memory))
    return {name: np.reshape(values, shape if name == "gng" else -1) for name, values in results.items()} | {
        "chain": np.array([exponent(chain(config, radius, seed, rng)) for radius in config.radius]),
        "dimension": np.array(config.dimensions),
        "memory": np.array(config.memory),
        "interval": np.array(config.interval),
        "radius": np.array(config.radius),
    }


def draw(n_samples, dimension, rng):
    """Rows of the unit cube, exponential along the first axis, uniform along the others."""
    X = rng.random((n_samples, dimension))
    X[:, 0] = -np.log1p(X[:, 0] * np.expm1(-STEEPNESS)) / STEEPNESS
    return X


def grow(gng, interval, settling, dimension, rng):
    n_samples = gng.max_units * (interval + settling)
    return gng.partial_fit(draw(n_samples, dimension, rng)).prototypes_


def chain(config, radius, seed, rng):
    """A 1-D SOM that has seen fresh samples for so long that its units no longer move in one direction."""
    X = draw(config.chain_samples, 1, rng)
    som = SelfOrganizingMap(
        (1, config.chain_units), training="online", learning_rate=(0.1, 0.01), radius=(radius, radius), n_epochs=1,
        shuffle=False, random_state=seed,
    )  # fmt: skip
    return som.fit(X).prototypes_


def exponent(prototypes):
    """Power mu for which units spread as exp(-mu STEEPNESS x) along the first axis.

    The mean position of the units equals that of the density; both are weighted by sin(pi x) along every side, because
    units near a border are placed by the border.
    """
    x = np.linspace(0, 1, 1001)
    weights = np.sin(np.pi * np.clip(prototypes, 0, 1)).prod(axis=1)
    found = np.average(prototypes[:, 0], weights=weights)

    def excess(rate):
        return np.average(x, weights=np.sin(np.pi * x) * np.exp(-rate * x)) - found

    return brentq(excess, -60, 60) / STEEPNESS


def chain_law(radius):
    """Dersch and Tavan (1995) for a Gaussian neighbourhood on whole steps."""
    steps = np.arange(-200, 201)
    h = np.exp(-0.5 * (steps / max(radius, 1e-3)) ** 2)
    second_moment = (h * steps**2).sum() / h.sum()
    return (1 + 12 * second_moment) / (3 + 18 * second_moment)


def laws(results):
    """Measured exponents (n_seeds,) of what has a published law, with that law and the error allowed."""
    for i, d in enumerate(results["dimension"][0]):
        for name in ("k-means", "neural gas"):
            yield f"{name}, {d}-D", results[name][:, i], d / (d + 2), 0.05
    for i, radius in enumerate(results["radius"][0]):
        yield f"1-D SOM, radius {radius:g}", results["chain"][:, i], chain_law(radius), 0.03


def table(results):
    known = [
        {"map": name, "exponent": spelled(values, ".3f"), "law": round(law, 3)}
        for name, values, law, _ in laws(results)
    ]
    grown = []
    for i, d in enumerate(results["dimension"][0]):
        for j, interval in enumerate(results["interval"][0]):
            cells = {
                f"memory {memory:g} n": spelled(results["gng"][:, i, j, k], ".2f")
                for k, memory in enumerate(results["memory"][0])
            }
            grown.append({"GNG": f"{d}-D, interval {interval}", **cells})
        for preset in ("preset 1995", "preset 1997"):
            grown.append({"GNG": f"{d}-D, {preset}", "as it is": spelled(results[preset][:, i], ".2f")})
    return {"exponents with a published law": known, "GNG by the memory of its errors (n units)": grown}


def spelled(values, form):
    """Mean over seeds with its interval, if there is one."""
    return format(paired_bootstrap(values), form) if len(values) > 1 else format(values[0], form)


def figure(results):
    """The published laws on top, GNG by the memory of its errors below."""
    import matplotlib.pyplot as plt

    dimensions, radii = results["dimension"][0], results["radius"][0]
    fig = plt.figure(figsize=(11, 7))
    top, bottom = fig.subfigures(2, 1)
    left, right = top.subplots(1, 2)
    d = np.linspace(0.8, dimensions[-1] + 0.2, 50)
    left.plot(d, d / (d + 2), color="black", linewidth=1, label="law d / (d + 2)")
    for name, colour, shift in (("k-means", PALETTE[7], -0.05), ("neural gas", PALETTE[2], 0.05)):
        interval_points(left, dimensions + shift, results[name], name, colour)
    left.set(title="vector quantisers", xlabel="dimension d", ylabel="exponent", xticks=dimensions)
    r = np.linspace(0, radii[-1] + 0.2, 100)
    right.plot(r, [chain_law(radius) for radius in r], color="black", linewidth=1, label="law of Dersch and Tavan")
    interval_points(right, radii, results["chain"], "1-D SOM", PALETTE[3])
    right.set(title="a chain of units", xlabel="neighbourhood radius (units)")
    for i, ax in enumerate(bottom.subplots(1, len(dimensions), sharey=True, squeeze=False)[0]):
        law = dimensions[i] / (dimensions[i] + 2)
        ax.axhline(law, color="black", linewidth=1)
        ax.annotate("d / (d + 2)", (results["memory"][0][0], law), (0, 3), textcoords="offset points", fontsize=8)
        for j, interval in enumerate(results["interval"][0]):
            interval_line(ax, results["memory"][0], results["gng"][:, i, j], f"{interval}", color=PALETTE[j])
        ax.set(title=f"GNG, d = {dimensions[i]}", xscale="log", xlabel="memory of the errors (samples per unit)")
        ax.set_xticks(results["memory"][0], [f"{memory:g}" for memory in results["memory"][0]])
        ax.minorticks_off()
    bottom.axes[0].set_ylabel("exponent")
    bottom.axes[-1].legend(title="samples between\ninsertions", loc="lower right")
    for ax in (left, right):
        ax.legend(loc="lower right")
    return fig


def interval_points(ax, x, values, label, colour):
    """Means over seeds with their 95 % intervals."""
    intervals = [paired_bootstrap(column) for column in values.T]
    means = np.array([i.mean for i in intervals])
    ends = np.array([[i.mean - i.low, i.high - i.mean] for i in intervals]).T
    ax.errorbar(x, means, ends, fmt="o", capsize=3, color=colour, label=label)


def verdict(results) -> Verdict:
    wrong = [
        f"{name} {paired_bootstrap(values):.3f}, law {law:.3f}"
        for name, values, law, allowed in laws(results)
        if abs(values.mean() - law) > allowed
    ]
    memory, dimensions = results["memory"][0], results["dimension"][0]
    fair = int(np.argmin(np.abs(memory - FAIR_MEMORY)))
    rises = [
        paired_bootstrap(results["gng"][:, i, j, fair], results["gng"][:, i, j, 0])
        for i in range(len(dimensions))
        for j in range(len(results["interval"][0]))
    ]
    settled = {d: paired_bootstrap(results["gng"][:, i, -1, fair]) for i, d in enumerate(dimensions)}
    fits = [abs(found.mean - d / (d + 2)) <= 0.07 for d, found in settled.items()]
    passed = not wrong and all(rise.low > 0 for rise in rises) and all(fits)
    found = ", ".join(f"{d}-D {interval:.3f} ({d / (d + 2):.3f})" for d, interval in settled.items())
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="k-means and neural gas within 0.05 of d / (d + 2), 1-D SOM within 0.03 of its law;\n"
        f"GNG: exponent at a memory of {memory[fair]:g} samples per unit minus that at {memory[0]:g} above 0 for all\n"
        "dimensions and intervals; at the longer memory and the longest interval within 0.07 of d / (d + 2)",
        measured="off their laws: "
        + ("; ".join(wrong) or "none")
        + f"\nGNG, smallest rise with memory {min(rises, key=lambda rise: rise.low):.3f}"
        + f"\nGNG, long memory and interval (law): {found}",
        published="d / (d + 2); 1-D SOM 1/3 without neighbourhood, 2/3 with a wide one; GNG: we know of none",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=10)

if __name__ == "__main__":
    raise SystemExit(main())
