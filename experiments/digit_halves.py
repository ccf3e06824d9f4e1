"""The halves of a handwritten digit as two senses: trust the one that is not degraded.

Finding     Weights from the density of each sense on its own clean samples recover most of what a degraded sense
            costs, without labels of quality and without having seen any degradation. Weights per sample beat fixed
            ones where they follow the loss of each sense (Zhang et al. 2023, ICML).
Prediction  Pooled over all degradations of either half, PrecisionFusion beats each half alone, concatenation, the
            product and the mean of the experts, and constant discounting; it costs at most half a point on clean
            digits; permuted weights lose the gain. The gain comes from strong degradations: where a half is still
            worth reading, density distrusts it too much.
Controls    Permuted weights (floor), constant discounting (what discounting does without reliability), and an oracle
            that keeps or drops the degraded half, whichever is better for the condition (ceiling of such choices).
Cost        15 s of processor time for 5 seeds. Data: the digits that come with scikit-learn.
"""

from dataclasses import dataclass

import numpy as np
from sklearn.datasets import load_digits
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import NearestNeighbors

from experiments._figures import interval_line
from experiments._reliability_calibration import calibrate, calibration_rows, draw_calibration
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from fusion import DensityReliability, PrecisionFusion

SENSES = {"left": np.flatnonzero(np.arange(64) % 8 < 4), "right": np.flatnonzero(np.arange(64) % 8 >= 4)}
KINDS = ("noise", "dead pixels", "shuffled")
METHODS = {
    "left": "left half alone",
    "right": "right half alone",
    "concat": "concatenation",
    "product": "product of experts",
    "mean": "mean probability",
    "constant": "constant discount",
    "fusion": "PrecisionFusion",
    "permuted": "permuted weights",
    "oracle": "oracle, keeps or drops",
}
DRAWN = {
    "oracle": ("#5A5A5A", ":"),
    "fusion": ("#0072B2", "-"),
    "constant": ("#009E73", "--"),
    "mean": ("#CC79A7", "--"),
    "product": ("#E69F00", "--"),
    "concat": ("#D55E00", "--"),
    "permuted": ("#56B4E9", ":"),
}
BASELINES = ("left", "right", "concat", "product", "mean", "constant")


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_train: int = 900
    n_test: int = 890
    noise: tuple[float, ...] = (2.0, 4.0, 8.0)  # standard deviation, in grey levels of 16
    share: tuple[float, ...] = (0.25, 0.5, 1.0)  # of the pixels of a half that are dead (all at mid-grey) or shuffled
    C: float = 1.0  # inverse penalty of the logistic experts, pixels in units of 16
    discount: float = 0.5  # the constant reliability


SMOKE = Config(n_train=200, n_test=50, noise=(8.0,), share=(1.0,))
QUICK = Config(n_test=300)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One split of the digits: correct answers (n_conditions, n_test) of each method, and the weights given."""
    rng = np.random.default_rng(seed)
    X, y = load_digits(return_X_y=True)
    train, test = train_test_split(
        np.arange(len(y)), train_size=config.n_train, test_size=config.n_test, stratify=y, random_state=seed
    )
    conditions = [("clean", "none", 0.0)]
    conditions += [(kind, half, level) for kind in KINDS for half in SENSES for level in levels(config, kind)]
    seen = np.stack([degrade(X[test], *condition, rng) for condition in conditions])
    dropped = np.array([[half == sense for sense in SENSES] for _, half, _ in conditions])
    proba, weights, neighbours = recognise(config, seed, X[train], y[train], seen.reshape(-1, 64), dropped, rng)
    shape = (len(conditions), len(test))
    senses = [
        (weights[:, i].reshape(shape), neighbours[:, i].reshape(shape), proba[name].reshape(*shape, -1))
        for i, name in enumerate(SENSES)
    ]
    correct = {name: p.argmax(axis=1).reshape(shape) == y[test] for name, p in proba.items()}
    without, with_both = correct.pop("dropped"), correct["product"]
    better = without.mean(axis=1, keepdims=True) > with_both.mean(axis=1, keepdims=True)
    correct["oracle"] = np.where(better, without, with_both)
    given = weights.reshape(*shape, 2).mean(axis=1)
    return (
        {f"correct_{name}": right for name, right in correct.items()}
        | {
            "weight_degraded": np.where(dropped.any(axis=1), (given * dropped).sum(axis=1), given.mean(axis=1)),
            "weight_intact": np.where(dropped.any(axis=1), (given * ~dropped).sum(axis=1), given.mean(axis=1)),
            "objects": test,
            "kind": np.array([kind for kind, _, _ in conditions]),
            "level": np.array([level for _, _, level in conditions]),
        }
        | calibrate(senses, y[test])
    )


def levels(config, kind):
    return config.noise if kind == "noise" else config.share


def degrade(X, kind, half, level, rng):
    """Digits with one half degraded."""
    X = X.copy()
    if kind == "clean":
        return X
    part = X[:, SENSES[half]]
    if kind == "noise":
        part += level * rng.standard_normal(part.shape)
    hit = rng.permuted(np.tile(np.arange(part.shape[1]) < round(level * part.shape[1]), (len(X), 1)), axis=1)
    if kind == "dead pixels":
        part[hit] = 8.0
    if kind == "shuffled":
        for row, chosen in zip(part, hit):
            row[chosen] = rng.permutation(row[chosen])
    X[:, SENSES[half]] = part
    return X


class Given:
    """Weights that come from elsewhere."""

    def __init__(self, weights):
        self.weights = weights

    def reliability(self, X):
        return self.weights


def recognise(config, seed, X, y, X_test, dropped, rng):
    """Class probabilities of every method, and weights (n_samples, 2) by the maps and by nearest neighbours."""
    X, X_test = X / 16, X_test / 16

    def expert():
        return LogisticRegression(C=config.C, max_iter=500)

    def senses(reliabilities):
        return [(name, columns, expert(), r) for (name, columns), r in zip(SENSES.items(), reliabilities)]

    # Pixels share one unit, hence one scale.
    learned = [DensityReliability(scaling="common", random_state=seed) for _ in SENSES]
    fusion = PrecisionFusion(senses(learned)).fit(X, y)
    weights = fusion.weights(X_test)
    trained = {name: FrozenEstimator(part) for name, part in fusion.experts_.items()}

    def fuse(reliabilities, combine="discount"):
        modalities = [(name, SENSES[name], trained[name], r) for name, r in zip(SENSES, reliabilities)]
        return PrecisionFusion(modalities, combine=combine).fit(X, y).predict_proba(X_test)

    kept = np.repeat(~dropped, len(X_test) // len(dropped), axis=0).astype(float)
    proba = {name: trained[name].predict_proba(X_test[:, SENSES[name]]) for name in SENSES}
    proba["concat"] = expert().fit(X, y).predict_proba(X_test)
    proba["product"] = fuse([None, None], "product")
    proba["mean"] = fuse([None, None], "mean")
    proba["constant"] = fuse([config.discount] * 2)
    proba["fusion"] = fusion.predict_proba(X_test)
    proba["permuted"] = fuse([Given(w) for w in rng.permutation(weights).T])
    proba["dropped"] = fuse([Given(w) for w in kept.T])
    return proba, weights, neighbour_weights(seed, X, X_test)


def neighbour_weights(seed, X, X_test):
    """Reliability (n_samples, 2) of each half by its 10th nearest of all training digits."""
    told = []
    for columns in SENSES.values():
        density = NearestNeighbors(n_neighbors=10)
        stored = DensityReliability(density, score="distance", scaling="common", random_state=seed).fit(X[:, columns])
        told.append(stored.reliability(X_test[:, columns]))
    return np.stack(told, axis=1)


def pooled(results, method, degraded=True):
    """Correct answers and objects (n_seeds, n_trials), over all degraded conditions or over clean digits."""
    chosen = (results["kind"][0] != "clean") == degraded
    correct = results[f"correct_{method}"][:, chosen].astype(float)
    objects = np.broadcast_to(results["objects"][:, None], correct.shape)
    return correct.reshape(len(correct), -1), objects.reshape(len(correct), -1)


def table(results):
    """Accuracy in % by method and kind of degradation, averaged over halves and strengths."""
    kind = results["kind"][0]
    rows = []
    for method, label in METHODS.items():
        correct = 100 * results[f"correct_{method}"]
        by_kind = {k: correct[:, kind == k].mean() for k in ("clean", *KINDS)}
        rows.append({"method": label, **by_kind, "degraded": correct[:, kind != "clean"].mean()})
    return {
        "accuracy (%), mean over halves and strengths": rows,
        "calibration of the reliability, over all conditions": calibration_rows(results, SENSES),
    }


def figure(results):
    """Accuracy against strength for each degradation, the weights given, and whether they were deserved."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(10.5, 10.0))
    above, below = fig.add_gridspec(2, 1, height_ratios=(66, 34))
    axes = above.subgridspec(2, len(KINDS), height_ratios=(3, 2)).subplots(sharex="col", sharey="row")
    kind, level = results["kind"][0], results["level"][0]
    for column, name in enumerate(KINDS):
        strengths = np.unique(level[kind == name])
        x = np.arange(len(strengths) + 1)
        groups = [kind == "clean"] + [(kind == name) & (level == strength) for strength in strengths]

        def draw(ax, key, label, color, dash, scale=1.0, x=x, groups=groups):
            values = [scale * results[key][:, g].reshape(len(results[key]), -1).mean(axis=1) for g in groups]
            interval_line(ax, x, np.stack(values, axis=1), label, color=color, linestyle=dash)

        for method, (color, dash) in DRAWN.items():
            draw(axes[0, column], f"correct_{method}", METHODS[method], color, dash, scale=100)
        draw(axes[1, column], "weight_degraded", "degraded half", "#B8A500", "-")
        draw(axes[1, column], "weight_intact", "intact half", "black", "-")
        axes[0, column].set_title(name)
        axes[1, column].set_xticks(x, ["clean", *(f"{s:g}" for s in strengths)])
        unit = "SD of the noise (grey levels of 16)" if name == "noise" else "share of the pixels of the half"
        axes[1, column].set_xlabel(unit)
    axes[0, 0].set_ylabel("digits recognised (%)")
    axes[1, 0].set_ylabel("mean weight given")
    axes[1, 0].set_ylim(0, 1)
    axes[1, 0].legend(loc="center right")
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    deserved, legend = below.subgridspec(1, 2, width_ratios=(3, 2)).subplots()
    draw_calibration(deserved, results, [f"{name} half" for name in SENSES])
    deserved.get_legend().remove()
    legend.axis("off")
    legend.legend(*deserved.get_legend_handles_labels(), loc="center")
    return fig


def verdict(results) -> Verdict:
    fused, objects = pooled(results, "fusion")
    gains = {m: paired_bootstrap(fused, pooled(results, m)[0], objects) for m in (*BASELINES, "permuted", "oracle")}
    clean, clean_objects = pooled(results, "fusion", degraded=False)
    cost = paired_bootstrap(pooled(results, "product", degraded=False)[0], clean, clean_objects)
    passed = all(gains[m].low > 0 for m in (*BASELINES, "permuted")) and cost.mean <= 0.005
    points = [f"{METHODS[m]} {in_points(gain)}" for m, gain in gains.items()]
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="pooled over degradations, PrecisionFusion minus each baseline and minus permuted weights: intervals "
        "above 0;\nmean cost on clean digits, against the product of experts, at most half a point",
        measured="PrecisionFusion minus, in points:\n" + "\n".join(points) + f"\nclean cost {in_points(cost)}",
    )


def in_points(interval):
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]"


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
