"""Pictures of other teachers and of hidden noise."""

import numpy as np

from experiments._figures import PALETTE, interval_line
from experiments.ventriloquist._teachers import TEACHERS, TRACES

DASHES = ("-", ":", "-", "-.", ":", "-", "--")


def draw_teachers(ax, results, blurs, label):
    """Share of the precision that vision has, by blur and teacher."""
    ax.plot(blurs, results["optimal_weight"].mean(axis=0), "k--", linewidth=2.5, label="predicted by each sense alone")
    for i, name in enumerate(TEACHERS.values()):
        interval_line(ax, blurs, results["teacher_weight"][:, i], name, color=PALETTE[i], linestyle=DASHES[i])
    ax.set(title="where y comes from", xlabel=label, ylabel="share of precision of vision", ylim=(-0.05, 1.05))
    ax.set_xticks(blurs)
    ax.legend(fontsize=8.5, ncols=2)


def draw_hidden(ax, results):
    """Negative log-likelihood of y under learned, constant and true precision, by what the ear gets."""
    means = results["hidden_nll"].mean(axis=0)
    places = np.arange(len(TRACES))
    for column, (name, color, marker) in enumerate(
        (("learned", "#0072B2", "o"), ("constant", "#009E73", "^"), ("told the jitter", "#5A5A5A", "s"))
    ):
        ax.plot(means[:, column], places, marker, color=color, markersize=8, label=name)
    ranks = results["hidden_rank"].mean(axis=0)
    for place, name, rank in zip(places, TRACES.values(), ranks):
        ax.text(means.min(), place - 0.2, f"{name} (rank {rank:.2f})", fontsize=9)
    ax.set(title="jitter that the level does not tell", xlabel="negative log-likelihood (nats)", yticks=[])
    ax.set_ylim(len(TRACES) - 0.5, -0.9)
    ax.legend(fontsize=8.5, ncols=3, loc="upper center", columnspacing=1.0, handletextpad=0.2)
