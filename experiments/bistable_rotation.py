"""A turn whose outcome hangs on what cannot be seen: several hypotheses keep both branches (Letzelter et al. 2023).

Finding     A view shows the cosine of an angle; its sign is hidden, so that one action leads to one of two next views.
            A single prediction lies between them, where nothing ever is. Scored hypotheses keep both, with their
            probabilities; so does a mixture density network (MDN), which on image-like outcomes blurs them. Images are
            bumps on a line here; rendered objects, unseen in training, turn either way in `ambiguous_outcomes`.
Prediction  On images, P(+) by the scores of rMCL lies within .07 of the truth on average, and its worse branch is
            missed by at most half as much as by the MDN. On scalars the MDN is expected to be as good or better.
Controls    One prediction with squared error (must fail both), MDN with as many components, annealed hypotheses.
Citation    Letzelter et al. (2023), NeurIPS; Perera et al. (2024), NeurIPS (annealed); Bishop (1994) (MDN).
Cost        1 minute of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from experiments._branches import build, judge, train
from experiments._figures import PALETTE
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap

P_PLUS = 0.7  # probability of the hidden sign to be positive
TURNS = (0.2, 0.8)  # radians
N_PIXELS, BUMP = 64, 2.285  # pixels; standard deviation of the bump, whose squared norm is 4.05
SEPARATION = 0.5  # least difference of the cosines of two branches that P(+) is read from
OUTCOMES = ("scalar", "image")
MODELS = {"one prediction": "MSE", "MDN": "MDN", "rMCL": "winner_take_all", "aMCL": "boltzmann"}
MOST_ERROR, MOST_SHARE = 0.07, 0.5


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_hypotheses: int = 5
    width: tuple[int, int] = (64, 128)  # of the two hidden layers, for scalars and for images
    n_steps: tuple[int, int] = (1200, 800)
    batch_size: int = 256
    learning_rate: float = 3e-3  # of Adam, falling to 0 along a cosine
    n_test: int = 1000


SMOKE = Config(2, (8, 8), (10, 10), 16, n_test=50)
QUICK = Config(n_steps=(600, 500))


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Error of the worse branch and of P(+), by model and kind of outcome; predictions for one view and turn."""
    results: dict[str, np.ndarray] = {}
    for i, outcome in enumerate(OUTCOMES):
        rng = np.random.default_rng((seed, i))
        test = draw(config.n_test, outcome, rng)
        example = episode(np.array([np.pi / 2]), np.array([0.6]), outcome)
        for name, kind in MODELS.items():
            model = learn(config, seed, i, kind)
            places, mass = model.predict(test["inputs"])
            found = judge(places, mass, test["branches"], P_PLUS, test["apart"])
            results |= {f"{key}_{outcome}_{name}": np.array(value) for key, value in found.items()}
            places, mass = model.predict(example["inputs"])
            results |= {f"places_{outcome}_{name}": places[0], f"mass_{outcome}_{name}": mass[0]}
        results[f"branches_{outcome}"] = example["branches"][0]
    return results


def draw(n, outcome, rng):
    return episode(rng.uniform(0, np.pi, n), rng.uniform(*TURNS, n), outcome)


def episode(angle, turn, outcome):
    """What is seen and done (n, d_in), and the next views of both signs, (n, 2, d)."""
    cosines = np.cos(np.stack([angle + turn, turn - angle], axis=1))
    if outcome == "scalar":
        seen, branches = np.cos(angle)[:, None], cosines[:, :, None]
    else:
        seen, branches = picture(np.cos(angle)), picture(cosines)
    return {
        "inputs": np.column_stack([seen, turn]).astype(np.float32),
        "branches": branches.astype(np.float32),
        "apart": np.abs(cosines[:, 0] - cosines[:, 1]) > SEPARATION,
    }


def picture(cosine):
    """A bump on a line of pixels, where the cosine is."""
    center = (N_PIXELS - 1) * (0.5 + 0.4 * cosine[..., None])
    return np.exp(-0.5 * ((np.arange(N_PIXELS) - center) / BUMP) ** 2)


def learn(config, seed, i, kind):
    """A model of one kind of outcome, from fresh samples."""
    rng = np.random.default_rng((seed, i, 1))
    n_outputs = (1, N_PIXELS)[i]

    def fresh():
        batch = draw(config.batch_size, OUTCOMES[i], rng)
        sign = (rng.random(config.batch_size) > P_PLUS).astype(int)
        return batch["inputs"], batch["branches"][np.arange(len(sign)), sign]

    model = build(kind, n_outputs + 1, n_outputs, config.width[i], config.n_hypotheses, seed)
    return train(model, fresh, config.n_steps[i], config.learning_rate)


def table(results):
    return {
        f"{outcome} outcomes": [
            {
                "model": name,
                "squared error of the worse branch": results[f"branch_{outcome}_{name}"].mean(),
                f"P(+), true {P_PLUS:g}": results[f"plus_{outcome}_{name}"].mean(),
                "mean error of P(+)": results[f"error_{outcome}_{name}"].mean(),
            }
            for name in MODELS
        ]
        for outcome in OUTCOMES
    }


def figure(results):
    """Predicted images of the first seed, error of the worse branch, error of P(+)."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(11.5, 6.4))
    top, bottom = fig.subfigures(2, 1)
    pixels = np.arange(N_PIXELS)
    for ax, (name, color) in zip(top.subplots(1, len(MODELS), sharey=True), zip(MODELS, PALETTE)):
        for branch in results["branches_image"][0]:
            ax.fill_between(pixels, branch, color="#DDDDDD", zorder=0)
        mass = results[f"mass_image_{name}"][0]
        for row, share in zip(results[f"places_image_{name}"][0], mass / mass.sum()):
            ax.plot(pixels, row, color=color, alpha=min(1.0, 0.15 + share), linewidth=0.6 + 2.4 * share)
        ax.set(title=f"{name}; width: its share", xlabel="pixel")
    top.axes[0].set_ylabel("next view (grey: both outcomes)")
    titles = {"branch": "squared error of the worse branch", "error": "mean error of P(+)"}
    axes = bottom.subplots(1, 4)
    for ax, (outcome, key) in zip(axes, [(outcome, key) for key in titles for outcome in OUTCOMES]):
        for x, (name, color) in enumerate(zip(MODELS, PALETTE)):
            values = results[f"{key}_{outcome}_{name}"]
            ax.bar(x, values.mean(), color=color)
            ax.plot(np.full(len(values), x), values, ".", color="black", markersize=4)
        ax.set_xticks(range(len(MODELS)), ["one", *list(MODELS)[1:]])
        ax.grid(axis="x", visible=False)
        ax.set_title(f"{titles[key]},\n{outcome}s", fontsize=9)
        if (outcome, key) == ("scalar", "branch"):
            ax.set_yscale("log")
            ax.yaxis.set_major_formatter("{x:g}")
            ax.yaxis.set_minor_formatter("")
    return fig


def verdict(results) -> Verdict:
    def interval(key, name, other=None, factor=1.0, outcome="image"):
        b = 0.0 if other is None else factor * results[f"{key}_{outcome}_{other}"]
        return paired_bootstrap(results[f"{key}_{outcome}_{name}"], b)

    error = interval("error", "rMCL")
    excess = interval("branch", "rMCL", "MDN", MOST_SHARE)
    shares = {
        f"{name}, {outcome}s": results[f"branch_{outcome}_{name}"].mean() / results[f"branch_{outcome}_MDN"].mean()
        for outcome in OUTCOMES
        for name in ("rMCL", "aMCL")
    }
    passed = error.mean <= MOST_ERROR and excess.high < 0
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule=f"images: mean error of P(+) of rMCL at most {MOST_ERROR}; squared error of its worse branch minus "
        f"{MOST_SHARE:g} x that of the MDN:\ninterval below 0",
        measured=f"error of P(+) {error:.3f}; excess over half the MDN's branch error {excess:.3f}\n"
        + "worse branch in units of the MDN's: "
        + ", ".join(f"{name} {share:.2g}" for name, share in shares.items()),
        published="none for this task",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
