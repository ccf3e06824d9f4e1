"""How well do a map's cells tell the density? Codebooks beside kernels and neighbours (Silverman 1986).

Finding     A kernel estimate keeps every sample, and with few samples it fails as dimensions grow. A map that has seen
            many samples keeps their masses in few cells; mass / volume needs a volume, which many dimensions hide.
Citation    Silverman (1986), Density Estimation for Statistics and Data Analysis (kernel and nearest-neighbour
            estimates, and what dimensions cost them); Loftsgaarden and Quesenberry (1965), Ann. Math. Stat. 36:1049
            (nearest neighbours).
Prediction  With equally many stored numbers, Gaussians on the units of a GNG (CodebookDensity) are nearer to the true
            log density than scikit-learn's KernelDensity and a k-nearest-neighbour estimate in 2 to 16 dimensions.
            Estimates by volume (cell, nearest neighbours) fall behind the Gaussians from 4 dimensions on; in 16 the
            cell's error is at least 0.8 times that of a constant.
Controls    A constant (no estimate), k-means in place of GNG, SOM and neural gas (does the density come from the map
            or from its cells?), a KernelDensity that keeps all samples. Every method chooses among five settings, on a
            development density of the same dimension; the densities of the test are others.
Cost        8 minutes of processor time for 10 seeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, logsumexp
from sklearn.cluster import KMeans
from sklearn.neighbors import KernelDensity, NearestNeighbors

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from topology import CodebookDensity, GrowingNeuralGas, NeuralGas, SelfOrganizingMap

DRAWN = {
    "GNG, kernel": (PALETTE[0], "-"),
    "neural gas, kernel": (PALETTE[2], "-"),
    "SOM, kernel": (PALETTE[5], "-"),
    "k-means, kernel": (PALETTE[7], "--"),
    "GNG, cell": (PALETTE[3], "-"),
    "k-NN": (PALETTE[4], "-"),
    "KDE": (PALETTE[1], "-"),
    "KDE, all samples": ("black", ":"),
}
MAPS = ("GNG, kernel", "neural gas, kernel", "SOM, kernel", "k-means, kernel", "GNG, cell")
NORMALISED = [name for name in DRAWN if name not in ("GNG, cell", "k-NN")]


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    dimensions: tuple[int, ...] = (1, 2, 4, 8, 16)
    n_units: int = 200
    n_train: int = 10_000
    n_test: int = 1000
    n_components: int = 4  # Gaussians of a density
    bend: float = 0.3  # how much a density is bent


SMOKE = Config((1, 2), n_units=20, n_train=300, n_test=100)
QUICK = Config((1, 4, 16), n_units=60, n_train=3000)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Errors (n_dimensions,) of every method on one test density per dimension."""
    results = {"dimension": np.array(config.dimensions), "constant": np.empty(len(config.dimensions))}
    for name in DRAWN:
        results |= {f"{measure}_{name}": np.empty(len(config.dimensions)) for measure in ("rmse", "slope", "gap")}
        results[f"chosen_{name}"] = np.empty(len(config.dimensions), int)
    for i, dimension in enumerate(config.dimensions):
        development, test = (draw_data(config, dimension, np.random.default_rng((seed, part))) for part in (1, 0))
        results["constant"][i] = test[2].std()
        for name, candidates in methods(config, dimension, seed).items():
            errors = [judge(fit, development, config, name)[0] for fit in candidates]
            chosen = int(np.argmin(errors))
            measured = judge(candidates[chosen], test, config, name)
            results[f"chosen_{name}"][i] = chosen
            for measure, value in zip(("rmse", "slope", "gap"), measured):
                results[f"{measure}_{name}"][i] = value
    return results


class BentMixture:
    """Gaussians of unequal axes, bent like bananas; bending y_2 += b y_1**2 keeps volumes, so the density is known."""

    def __init__(self, dimension, n_components, bend, rng):
        self.weights = rng.dirichlet(np.full(n_components, 4.0))
        self.means = rng.normal(0, 2, (n_components, dimension))
        self.axes = np.linalg.qr(rng.normal(size=(n_components, dimension, dimension)))[0]
        self.scales = np.exp(rng.uniform(np.log(0.3), 0, (n_components, dimension)))
        self.bend = bend

    def sample(self, n_samples, rng):
        component = rng.choice(len(self.weights), n_samples, p=self.weights)
        noise = self.scales[component] * rng.normal(size=(n_samples, self.means.shape[1]))
        return self._bent(self.means[component] + np.einsum("nij,nj->ni", self.axes[component], noise), self.bend)

    def log_density(self, X):
        straight = self._bent(X, -self.bend)
        terms = []
        for weight, mean, axes, scales in zip(self.weights, self.means, self.axes, self.scales):
            scores = (straight - mean) @ axes / scales
            constant = np.log(weight) - np.log(scales).sum() - 0.5 * len(mean) * np.log(2 * np.pi)
            terms.append(constant - 0.5 * (scores**2).sum(axis=1))
        return logsumexp(terms, axis=0)

    @staticmethod
    def _bent(X, bend):
        X = X.copy()
        odd = X[:, 1::2]
        odd += bend * X[:, ::2][:, : odd.shape[1]] ** 2
        return X


def draw_data(config, dimension, rng):
    """Training samples, test samples and the log density of the latter."""
    density = BentMixture(dimension, config.n_components, config.bend, rng)
    X, X_test = density.sample(config.n_train, rng), density.sample(config.n_test, rng)
    return X, X_test, density.log_density(X_test)


def methods(config, dimension, seed):
    """Five settings of every method, as functions of samples that give a function of test samples."""
    n = config.n_units
    slow = {"learning_rate": 0.05, "neighbor_learning_rate": 0.0006, "max_age": 100}
    gng = [
        GrowingNeuralGas(n, random_state=seed, **setting)
        for setting in (
            {"preset": "1995"},
            {"preset": "1997"},
            {"error_decay": "auto"},
            {"error_decay": "auto", **slow},
            {"error_decay": "auto", "insertion_interval": 1000, **slow},
        )
    ]
    shape = (1, n) if dimension == 1 else (n // 10, 10)
    som = [SelfOrganizingMap(shape, radius=(None, radius), n_epochs=20) for radius in (0.2, 0.3, 0.5, 0.7, 1.0)]
    gas = [NeuralGas(n, n_epochs=n_epochs, random_state=seed) for n_epochs in (3, 5, 10, 20, 30)]
    kmeans = [KMeans(n, n_init=1, max_iter=steps, random_state=seed) for steps in (1, 3, 10, 30, 300)]
    maps = dict(zip(MAPS, (gng, gas, som, kmeans, gng)))
    widths, neighbors = (0.2, 0.35, 0.5, 0.7, 1.0), (2, 4, 8, 16, 32)
    return {
        **{name: [codebook(est, name.split(", ")[1]) for est in found] for name, found in maps.items()},
        "k-NN": [nearest_neighbors(k) for k in neighbors],
        "KDE": [kernels(width) for width in widths],
        "KDE, all samples": [kernels(width) for width in widths],
    }


def codebook(estimator, kind):
    return lambda X: CodebookDensity(estimator, kind=kind).fit(X).score_samples


def kernels(width):
    """Bandwidth in units of Scott's for the mean standard deviation of the features."""

    def fit(X):
        bandwidth = width * X.std(axis=0).mean() * len(X) ** (-1 / (X.shape[1] + 4))
        return KernelDensity(bandwidth=bandwidth).fit(X).score_samples

    return fit


def nearest_neighbors(k):
    """k / (n V) with V the volume of the ball that reaches to the k-th nearest sample."""

    def fit(X):
        d, index = X.shape[1], NearestNeighbors(n_neighbors=k).fit(X)
        constant = np.log(k / len(X)) - 0.5 * d * np.log(np.pi) + gammaln(0.5 * d + 1)
        return lambda X_test: constant - d * np.log(index.kneighbors(X_test)[0][:, -1])

    return fit


def judge(fit, data, config, name):
    """Error of the log density without its constant part, slope on the true one, likelihood missed per sample."""
    X, X_test, truth = data
    if name not in (*MAPS, "KDE, all samples"):
        # A unit keeps its place, its mass and its width.
        X = X[: config.n_units * (X.shape[1] + 2) // X.shape[1]]
    found = fit(X)(X_test)
    slope = np.cov(found, truth)[0, 1] / truth.var(ddof=1)
    return (found - truth).std(), slope, (truth - found).mean()


def table(results):
    """Error of the log density (nats), its slope, and missed likelihood (nats per sample), by dimension."""
    dimensions = results["dimension"][0]

    def row(name, values):
        return {"method": name, **{f"{d}-D": values[:, i].mean() for i, d in enumerate(dimensions)}}

    return {
        "error of the log density (nats)": [row("constant", results["constant"])]
        + [row(name, results[f"rmse_{name}"]) for name in DRAWN],
        "slope on the true log density": [row(name, results[f"slope_{name}"]) for name in DRAWN],
        "held-out log-likelihood missed (nats per sample)": [row(n, results[f"gap_{n}"]) for n in NORMALISED],
    }


def figure(results):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(12, 4.4))
    d = results["dimension"][0]
    for name, (colour, dash) in DRAWN.items():
        options = {"color": colour, "linestyle": dash}
        interval_line(axes[0], d, results[f"rmse_{name}"] / results["constant"], name, **options)
        interval_line(axes[1], d, results[f"slope_{name}"], name, **options)
        if name in NORMALISED:
            interval_line(axes[2], d, results[f"gap_{name}"] / d, name, **options)
    axes[0].axhline(1, color="black", linewidth=0.8)
    axes[0].annotate("no estimate", (d[0], 1), (0, 3), textcoords="offset points", fontsize=8)
    axes[1].axhline(1, color="black", linewidth=0.8)
    axes[0].set(ylabel="error of the log density, share of a constant's", ylim=(0, None))
    axes[1].set(ylabel="slope on the true log density", ylim=(0, None))
    axes[2].set(ylabel="held-out log-likelihood missed\n(nats per sample and dimension)", ylim=(0, None))
    for ax in axes:
        ax.set_xscale("log", base=2)
        ax.set(xlabel="dimension", xticks=d, xticklabels=d)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig


def verdict(results) -> Verdict:
    dimensions = results["dimension"][0]

    def worse_by(name, i):
        return paired_bootstrap(results[f"rmse_{name}"][:, i], results["rmse_GNG, kernel"][:, i])

    leads = {(name, d): worse_by(name, i) for i, d in enumerate(dimensions) if d >= 2 for name in ("KDE", "k-NN")}
    volumes = {
        (name, d): worse_by(name, i) for i, d in enumerate(dimensions) if d >= 4 for name in ("GNG, cell", "k-NN")
    }
    lost = (results["rmse_GNG, cell"] / results["constant"])[:, -1].mean()
    passed = all(gap.low > 0 for gap in (*leads.values(), *volumes.values())) and lost >= 0.8
    gaps = [f"{name} - GNG kernel, {d}-D: {gap:.2f}" for (name, d), gap in (leads | volumes).items()]
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="error of the log density minus that of GNG's kernels, intervals above 0: KDE and k-NN of equal memory\n"
        "from 2 dimensions on, cells of GNG from 4 on; cells in the highest dimension >= 0.8 times that of a constant",
        measured="\n".join(gaps) + f"\ncells, {dimensions[-1]}-D: {lost:.2f} of a constant's error",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=10)

if __name__ == "__main__":
    raise SystemExit(main())
