"""The figure: each subject's log-likelihoods beside the mean, and the published ones or the parameters recovered."""

import numpy as np

from experiments._figures import PALETTE
from experiments._senses._page import draw_calibration

from ._fits import PARAMETERS
from ._models import BASE, MODELS, PLAIN, PUBLISHED, STOCHASTIC_MINUS_FIXED
from ._tables import contest, judged, people, published, stochastic_minus_fixed

TITLES = {"unity": "one heading or two?", "inertial": "felt heading left or right?"}


def figure(results):
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 4, figsize=(19, 4.8), width_ratios=(1, 1, 0.8, 0.8))
    for ax, task in zip(axes, MODELS):
        if judged(results, task).any():
            draw_models(ax, results, task)
        else:
            ax.axis("off")
    drawn = next(ax for ax in axes if ax.axison)
    fig.legend(*drawn.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    if published(results):
        draw_published(axes[2], results)
    elif people(results):
        axes[2].axis("off")
    else:
        draw_recovery(axes[2], results)
    draw_calibration(axes[3], results, 0, "calibration: the map's headings", "deg")
    return fig


def draw_models(ax, results, task):
    names = list(MODELS[task])
    left_out = results[f"{task}_left_out"][0]
    gain = left_out - left_out[:, [names.index(BASE[task])]]
    places = np.arange(len(names))
    for i, row in enumerate(gain):
        ax.plot(row, places, "o", color=PALETTE[7], alpha=0.4, markersize=4, label=None if i else "one subject")
    known = np.isfinite(gain)
    mean = np.where(known, gain, 0).sum(axis=0) / np.where(known.any(axis=0), known.sum(axis=0), np.nan)
    ax.plot(mean, places, "D", color=PALETTE[0], markersize=7, label="mean of the subjects")
    if published(results):
        theirs = [PUBLISHED[task].get(name, np.nan) for name in names]
        ax.plot(theirs, places, "x", color=PALETTE[3], markersize=9, markeredgewidth=2, label="published mean")
    ax.axvline(0, color="black", linewidth=0.8)
    ax.set_xscale("symlog", linthresh=20)
    ax.set_yticks(places, names)
    ax.invert_yaxis()
    ax.set_title(TITLES[task])
    ax.set_xlabel(f"leave-one-out log-likelihood minus that of\n{BASE[task]} (nats)")


def draw_published(ax, results):
    found = stochastic_minus_fixed(results)
    pairs = np.array([(STOCHASTIC_MINUS_FIXED[name], value) for name, value in found.items()])
    ends = (-300, -60)
    ax.plot(ends, ends, color="black", linewidth=0.8)
    ax.plot(*pairs.T, "o", color=PALETTE[0])
    ax.set_xlim(ends)
    ax.set_ylim(ends)
    ax.set_aspect("equal")
    ax.set_title("stochastic fusion minus\nfixed criterion, by subject")
    ax.set_xlabel("published (nats)")
    ax.set_ylabel("measured (nats)")


def draw_recovery(ax, results):
    for task, marker in zip(MODELS, ("o", "s")):
        truth = contest(results, task)[1]
        columns = np.array([list(MODELS[task]).index(name) for name in PLAIN[task]])[truth]
        found, errors = np.moveaxis(results[f"{task}_estimates"][0][np.arange(len(truth)), columns], 1, 0)
        for i, name in enumerate(PARAMETERS[:-1]):
            known = np.isfinite(errors[:, i])
            label = name if task == "inertial" else None
            ax.errorbar(results["parameters"][0][known, i], found[known, i], 2 * errors[known, i], fmt=marker,
                        color=PALETTE[i], markersize=4, linewidth=1, label=label)  # fmt: skip
    ends = (2, 60)
    ax.plot(ends, ends, color="black", linewidth=0.8)
    ax.set(xscale="log", yscale="log", xlim=ends, ylim=ends)
    ticks = (2, 5, 10, 20, 50)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_ticks(ticks, [str(tick) for tick in ticks])
        axis.set_ticks([], minor=True)
    ax.set_title("parameters recovered\n(bars: 2 standard errors)")
    ax.set_xlabel("true (degrees)")
    ax.set_ylabel("found (degrees)")
    ax.legend(loc="upper left", fontsize=8)
