"""Pictures of trust: the weight given to each sense, and whether it was deserved. Needs matplotlib (extra `plot`)."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from fusion._precision_calibration import PrecisionCalibration, equal_bins, precision_calibration
from topology._validation import check_integer

__all__ = ["plot_calibration", "plot_weights"]

# Distinct under the common colour-vision deficiencies (Okabe & Ito 2008).
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
INK = "#5A5A5A"
MAX_LEVELS = 12  # points along the axis; more distinct values are binned


def plot_weights(fusion, X, ax=None, *, along=None, label=None):
    """Draw the weight that a `PrecisionFusion` gives to each sense.

    Parameters
    ----------
    fusion : PrecisionFusion, fitted
    X : array, data frame or dict of samples, as for ``fusion.predict``
    ax : matplotlib Axes, optional
    along : array-like of shape (n_samples,), optional
        Something that varies between the samples, such as the strength of a degradation: mean weights against it, with
        bands from the 10th to the 90th percentile. More than 12 different values are put into 12 bins of equal count.
        None: every sample, sorted from those that trust the last sense most to those that trust the first.
    label : str, optional
        Label of the horizontal axis.

    Returns
    -------
    ax : matplotlib Axes
    """
    weights = fusion.weights(X)
    names = list(fusion.experts_)
    if along is None:
        return _plot_sorted(weights, names, _axes(ax), label)
    along = column_or_1d(np.asarray(along, dtype=float))
    if len(along) != len(weights) or not np.isfinite(along).all():
        raise ValueError(f"along must hold one finite number per sample of X ({len(weights)}); got {along.shape}")
    ax = _axes(ax)
    groups = _levels(along)
    x = np.array([along[rows].mean() for rows in groups])
    for weight, name, color in zip(weights.T, names, _colors(names)):
        low, mean, high = np.array([[*np.quantile(weight[g], [0.1, 0.9]), weight[g].mean()] for g in groups]).T[
            [0, 2, 1]
        ]
        ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=0)
        ax.plot(x, mean, color=color, marker="o", markersize=4, label=name)
    return _dress_weights(ax, label or "", markerscale=1)


def plot_calibration(trust, X=None, y=None, ax=None, *, n_bins=10):
    """Draw whether trust was deserved, in bins of equal count.

    Parameters
    ----------
    trust : Precision, PrecisionCalibration or PrecisionFusion
        A fitted `Precision` that also predicts, such as `LocalPrecision`, or the result of `precision_calibration`:
        mean squared error against the predicted variance, which should lie on the diagonal. A fitted
        `PrecisionFusion`: accuracy of each expert against the reliability of its sense, which should rise.
    X : samples, as for ``trust.predict``
        Not needed for a `PrecisionCalibration`, nor is y.
    y : array-like of shape (n_samples,)
        True values or class labels.
    ax : matplotlib Axes, optional
    n_bins : int, default=10

    Returns
    -------
    ax : matplotlib Axes
    """
    if isinstance(trust, PrecisionCalibration):
        return _plot_variance(trust, _axes(ax))
    check_integer("n_bins", n_bins, 1)
    if hasattr(trust, "precision") and hasattr(trust, "predict"):
        return _plot_variance(precision_calibration(trust, X, y, n_bins=n_bins), _axes(ax))
    if hasattr(trust, "weights") and hasattr(trust, "experts_"):
        return _plot_accuracy(trust, X, column_or_1d(y), _axes(ax), n_bins)
    raise TypeError(f"trust must have precision(X) and predict(X), or be a fitted PrecisionFusion; got {trust!r}")


def _plot_sorted(weights, names, ax, label):
    order = np.argsort(weights[:, 0] - weights[:, -1], kind="stable")
    size = float(np.clip(4000 / len(weights), 2, 20))
    for weight, name, color in zip(weights.T, names, _colors(names)):
        ax.scatter(np.arange(len(order)), weight[order], s=size, color=color, alpha=0.7, linewidth=0, label=name)
    ends = f"samples, from most trust in {names[-1]} to most trust in {names[0]}" if len(names) > 1 else "samples"
    return _dress_weights(ax, label or ends, markerscale=np.sqrt(30 / size))


def _dress_weights(ax, label, markerscale):
    ax.set(ylim=(-0.02, 1.02), ylabel="weight given (reliability)", xlabel=label)
    _legend_above(ax, markerscale=markerscale)
    return _clean(ax)


def _plot_variance(calibration, ax):
    x, found, spread = calibration.predicted, calibration.measured, calibration.standard_errors
    # A bar that reaches 0 has no place on a logarithmic axis; half the mean is as far as it is drawn.
    bars = [np.minimum(2 * spread, found / 2), 2 * spread]
    ends = np.array([min(x.min(), found.min()) / 1.5, max(x.max(), found.max()) * 1.5])
    ax.plot(ends, ends, color=INK, linestyle=":", label="as predicted")
    ax.errorbar(x, found, yerr=bars, color=COLORS[0], marker="o", markersize=4, label="measured, ± 2 standard errors")
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends, aspect="equal")
    for axis in (ax.xaxis, ax.yaxis):
        _label_decades(axis, ends)
    ax.set(xlabel="predicted variance (units of y²)", ylabel="mean squared error (units of y²)")
    _legend_above(ax)
    return _clean(ax)


def _label_decades(axis, ends):
    """Powers of 10, and 2 and 5 times these where the axis has few, written out."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axis.set_major_locator(LogLocator(subs=(1.0,) if ends[1] / ends[0] > 1e3 else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _plot_accuracy(fusion, X, y, ax, n_bins):
    probabilities, weights, present = fusion._consult(X)
    if len(y) != weights.shape[1]:
        raise ValueError(f"y must hold one label per sample of X ({weights.shape[1]}); got {len(y)}")
    names = list(fusion.experts_)
    for i, (name, color) in enumerate(zip(names, _colors(names))):
        weight, right = weights[i, present[i]], (fusion.classes_[probabilities[i].argmax(axis=1)] == y)[present[i]]
        groups = equal_bins(weight, n_bins)
        x = [weight[rows].mean() for rows in groups]
        accuracy = np.array([right[rows].mean() for rows in groups])
        bars = 2 * np.sqrt(accuracy * (1 - accuracy) / [len(rows) for rows in groups])
        ax.errorbar(x, accuracy, yerr=bars, color=color, marker="o", markersize=4, label=name)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    ax.set(xlabel="reliability of the sense", ylabel="accuracy of its expert, ± 2 standard errors")
    _legend_above(ax)
    return _clean(ax)


def _levels(values):
    """Rows of each level of `values`, in increasing order."""
    levels = np.unique(values)
    return (
        [np.flatnonzero(values == v) for v in levels] if len(levels) <= MAX_LEVELS else equal_bins(values, MAX_LEVELS)
    )


def _colors(names):
    return [COLORS[i % len(COLORS)] for i in range(len(names))]


def _axes(ax):
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    return plt.subplots(layout="constrained")[1]


def _legend_above(ax, **kwargs):
    n_entries = len(ax.get_legend_handles_labels()[1])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=min(n_entries, 4), frameon=False, **kwargs)


def _clean(ax):
    ax.spines[["top", "right"]].set_visible(False)
    return ax
