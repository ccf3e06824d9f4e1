"""Does an encoder keep how often things are seen? Density and precision on learned manifolds (Wang & Isola 2020).

Finding     Contrastive learning spreads embeddings evenly over a sphere. A density read off the embedding is then no
            longer that of the world: p(e) = p(yaw) / |de / dyaw|, and what is frequent is stretched. Reliability that
            rests on density needs a head from which it can still be read.
Citation    Wang and Isola (2020), ICML (alignment and uniformity of contrastive embeddings). How much density each head
            keeps is our question; we know of no published numbers.
Prediction  (1) With NT-Xent at temperatures 0.1 and 0.2 the slope of estimated on true log density is lower at the
            invariance head than at the early layer "mid". (2) Without noise, at least half of what the slope of these
            invariance heads lacks to 1 is the stretch: it comes back when the density is multiplied by the speed of the
            embedding. (3) Precision learned from errors (LocalPrecision) goes with the true decoding precision in every
            head, and better than density does. (Judged by rank correlation alone: whether its level is right, as the
            calibrations of other experiments print it, is not asked here.)
Answer      The head with the highest slope, averaged over the trained objectives, against the default of `embed`.
Controls    Pixels, a random encoder, density by nearest neighbours, density and precision of another object, noise-free
            views (what the noise costs), speed by finite differences (what the stretch costs).
Cost        6 minutes of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from experiments.density_on_manifolds._learning import CELLS, RAW, embeddings
from experiments.density_on_manifolds._measures import MEASURES, measure
from experiments.density_on_manifolds._page import by_head, figure, of_cell, table
from experiments.density_on_manifolds._world import Experience

ERASING = ("NT-Xent 0.1", "NT-Xent 0.2")
DEFAULT = "backbone"  # of `embed`
LEAST_RANK = 0.6  # correlation of learned with true precision


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line. Chosen on seeds 100 and 101."""

    n_objects: int = 4
    n_views: int = 1200  # of each object
    n_grid: int = 72  # yaws at which density and errors are looked at, a multiple of 3
    n_glances: int = 5  # at each of them
    noise: tuple[float, float] = (0.005, 0.05)  # standard deviation of a pixel at the clearest and the noisiest yaw
    size: int = 32  # pixels
    width: int = 16  # channels of the first block of the encoder
    n_units: int = 80  # of the map of each object
    n_steps: int = 200  # of every training
    batch_size: int = 64


SMOKE = Config(2, n_views=100, n_grid=12, n_glances=2, width=8, n_units=12, n_steps=2, batch_size=16)
QUICK = Config(3, n_views=600, n_glances=3, n_units=60, n_steps=60)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """One agent: every measure (n_cells,), and log densities (n_cells, n_grid) of its first object."""
    experience = Experience(config, seed)
    results = {name: np.empty(len(CELLS)) for name in MEASURES}
    curves = np.empty((len(CELLS), config.n_grid))
    for cell, embedded in embeddings(experience, config, seed):
        i = CELLS.index(cell)
        values, found = measure(embedded, experience, config, seed)
        curves[i] = found[0]
        for name, value in values.items():
            results[name][i] = value
    first = slice(config.n_grid)
    return results | {"curve": curves, "yaw": experience.test_yaw[first], "truth": experience.log_density[0]}


def verdict(results) -> Verdict:
    erased = {m: paired_bootstrap(*(of_cell(results, "slope", m, h) for h in ("invariance", "mid"))) for m in ERASING}
    clean, corrected = (
        np.stack([of_cell(results, name, m, "invariance") for m in ERASING])
        for name in ("slope_clean", "slope_corrected")
    )
    share = paired_bootstrap((corrected - clean).mean(axis=0) / (1 - clean).mean(axis=0))
    ranks = [paired_bootstrap(rank) for rank in results["rank_precision"].T]
    lead = paired_bootstrap(results["rank_precision"].mean(axis=1), results["rank_density"].mean(axis=1))
    heads = {head: by_head(results, "slope", head) for head in ("mid", "backbone", "invariance")}
    best = max(heads, key=lambda head: heads[head].mean())
    checks = {
        "erasure": all(interval.high < 0 for interval in erased.values()),
        "stretch": share.mean >= 0.5,
        "precision": min(rank.low for rank in ranks) >= LEAST_RANK and lead.low > 0,
    }
    if best == DEFAULT:
        answer = f'"{best}", the default of embed'
    else:
        ahead = paired_bootstrap(heads[best], heads[DEFAULT])
        answer = f'"{best}", ahead of the default "{DEFAULT}" by {ahead:.2f}'
    structured = {
        head: paired_bootstrap(of_cell(results, "slope", "EquiMod", head)) for head in (*heads, "equivariance")
    }
    pixels = paired_bootstrap(of_cell(results, "slope", *RAW))
    return Verdict(
        status="PASS" if all(checks.values()) else "FAIL",
        rule=f"(1) {' and '.join(ERASING)}: slope at the invariance head minus that at mid, intervals below 0;\n"
        "(2) of what their noise-free slope lacks to 1 at the invariance head, the speed of the embedding gives back\n"
        f"at least half; (3) rank correlation of learned with true precision at least {LEAST_RANK} for all objectives\n"
        "and heads (intervals), on average above that of density (interval)",
        measured="invariance minus mid: "
        + ", ".join(f"{name} {interval:.2f}" for name, interval in erased.items())
        + f"\nshare of the stretch {share:.2f}; lowest rank correlation of precision "
        + f"{min(ranks, key=lambda rank: rank.low):.2f}, minus that of density {lead:.2f}"
        + "\nslope, mean over objectives: "
        + ", ".join(f"{head} {paired_bootstrap(values):.2f}" for head, values in heads.items())
        + f"; pixels {pixels:.2f}\nslope with EquiMod: "
        + ", ".join(f"{head} {interval:.2f}" for head, interval in structured.items())
        + f"\nhead that carries density best: {answer};\n"
        + f'with EquiMod, the default design of pretrain: "{max(structured, key=lambda head: structured[head].mean)}"'
        + f"\nfailed: {', '.join(name for name, ok in checks.items() if not ok) or 'none'}",
        published="none that we know of; contrastive embeddings tend to be uniform on the sphere (shape)",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)
