"""Whether reliability was deserved: held against how often the expert of the sense is right."""

import numpy as np
from scipy.stats import spearmanr

from experiments._figures import PALETTE, interval_line
from fusion._combination import RULES

N_BINS = 10
LEAST_COUNT = 20  # samples of a bin that is drawn
CONSTANTS = np.linspace(0, 1, 21)  # weights that the best constant is chosen from
NUMBERS = (
    "slope",
    "rank correlation, right",
    "NLL, reliability",
    "NLL, condition known",
    "NLL, nearest neighbours",
    "NLL, constant",
    "accuracy, clean",
    "chance",
)


def calibrate(senses, y, rule="discount"):
    """Calibration of the reliability of each sense, as arrays.

    Parameters
    ----------
    senses : list of tuple (reliability, neighbours, probabilities)
        Of each sense: its reliability and that by nearest neighbours (n_conditions, n_samples), and the class
        probabilities (n_conditions, n_samples, n_classes) of its expert. The first condition is clean.
    y : ndarray of int, shape (n_samples,)
        Columns of the true classes.
    rule : {"discount", "product"}
        How the weight enters the probabilities; see `fusion.PrecisionFusion`.

    Returns
    -------
    dict of arrays
        "reliability_bins" (n_senses, 3, 10): mean reliability, accuracy and count, in bins of width 0.1; NaN in empty
        ones. "reliability_numbers" (n_senses, len(NUMBERS)): the slope is that of the expert's skill, the share of its
        clean accuracy above chance, on reliability, 1 being right; NLL is what the true class costs under the weighted
        probabilities, in nats, of the reliability itself, of the best constant for each condition and for all of them
        (both in hindsight), and of the nearest neighbours.
    """
    y = np.asarray(y)
    found = [_bins(r, P.argmax(axis=-1) == y) for r, _, P in senses]
    numbers = [_numbers(*sense, y, rule) for sense in senses]
    return {"reliability_bins": np.array(found), "reliability_numbers": np.array(numbers)}


def _bins(reliability, right):
    member = np.digitize(reliability, np.linspace(0, 1, N_BINS + 1)[1:-1]).ravel()
    counts = np.bincount(member, minlength=N_BINS)
    sums = [np.bincount(member, values.ravel(), N_BINS) for values in (reliability, right)]
    means = np.divide(sums, counts, out=np.full((2, N_BINS), np.nan), where=counts > 0)
    return [*means, counts]


def _numbers(reliability, neighbours, probabilities, y, rule):
    right = probabilities.argmax(axis=-1) == y
    clean, chance = right[0].mean(), 1 / probabilities.shape[-1]
    varies = np.ptp(reliability) > 0
    slope, rank = np.nan, np.nan
    if varies and clean > chance:
        slope = np.polyfit(reliability.ravel(), (right.ravel() - chance) / (clean - chance), 1)[0]
    if varies and right.any() and not right.all():
        rank = spearmanr(reliability.ravel(), right.ravel()).statistic
    cost = np.array([_cost(np.full(right.shape, r), probabilities, y, rule).mean(axis=1) for r in CONSTANTS])
    return (
        slope,
        rank,
        _cost(reliability, probabilities, y, rule).mean(),
        cost.min(axis=0).mean(),
        _cost(neighbours, probabilities, y, rule).mean(),
        cost.mean(axis=1).min(),
        clean,
        chance,
    )


def _cost(weights, probabilities, y, rule):
    """Negative log-probability (n_conditions, n_samples) of the true class under an expert with these weights."""
    flat = RULES[rule](probabilities.reshape(1, -1, probabilities.shape[-1]), weights.reshape(1, -1))
    weighted = flat.reshape(probabilities.shape)
    return -np.log(np.take_along_axis(weighted, np.broadcast_to(y[:, None], (*weights.shape, 1)), axis=-1)[..., 0])


def calibration_rows(results, names):
    """One row per sense: means over seeds of the numbers of its calibration."""
    means = results["reliability_numbers"].mean(axis=0)
    return [{"sense": name} | dict(zip(NUMBERS, map(float, row))) for name, row in zip(names, means, strict=True)]


def draw_calibration(ax, results, names):
    """Accuracy of each expert against the reliability of its sense, beside what discounting supposes."""
    for i, row in enumerate(calibration_rows(results, names)):
        reliability, accuracy, counts = np.moveaxis(results["reliability_bins"][:, i], 1, 0)
        drawn = (counts >= LEAST_COUNT).any(axis=0)
        x = np.nansum(reliability * counts, axis=0)[drawn] / counts.sum(axis=0)[drawn]
        shown = np.where(counts >= LEAST_COUNT, 100 * accuracy, np.nan)[:, drawn]
        label = (
            f"{row['sense']}: slope {row['slope']:.2f}, rank {row['rank correlation, right']:.2f}, NLL "
            f"{row['NLL, reliability']:.2f}\n(condition known {row['NLL, condition known']:.2f}, k-NN "
            f"{row['NLL, nearest neighbours']:.2f}, constant {row['NLL, constant']:.2f})"
        )
        interval_line(ax, x, shown, label, color=PALETTE[i])
        ax.plot([0, 1], [100 * row["chance"], 100 * row["accuracy, clean"]], ":", color=PALETTE[i], linewidth=1.2)
    ax.plot([], [], "k:", linewidth=1.2, label="what discounting supposes")
    ax.set(xlim=(-0.02, 1.02), ylim=(0, 102), xlabel="reliability of the sense", ylabel="its expert is right (%)")
    ax.set_title("Was trust deserved?")
    ax.legend(fontsize=8)
