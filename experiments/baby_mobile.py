"""A mobile tied to an infant's limb: the limb that moves it is moved more (after Rovee & Rovee 1969).

Finding     An agent that learns what each limb does to a mobile, and likes to see it move, moves the limb on the ribbon
            more, and that limb alone; not when the mobile moves as often without its doing.
Citation    Rovee & Rovee 1969, Journal of Experimental Child Psychology 8: kicks two to three times as frequent; Kelso
            & Fuchs 2016, Biological Cybernetics 110: three to four times; Tcaci Popescu et al. 2021: the arm on the
            ribbon more than the other, within a minute.
Prediction  While the mobile hangs on a limb, once the first surprise is over (second half of that time), the limb moves
            2 to 5 times as often as before; less than 1.3 times if the mobile replays another agent's (in the first
            minute it too arouses: all limbs then move more, whoever moves the mobile); the limb on the ribbon moves
            more than the others (p < .01 over 40 agents).
Controls    Yoked (the same motion, not by one's doing); actions shuffled (each agent is told another's movements); no
            ribbon. What a limb does hardly depends on the swing before, so a learner without context would be no
            control. What no source gives is swept: liking, forgetting, movements at rest.
Cost        2 min of processor time for 5 seeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit
from scipy.stats import wilcoxon

from experiments._figures import PALETTE, interval_line
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import ContingencyModel
from smc.worlds import MobileStates

LIMB, N_LIMBS = "right arm", 4  # on the ribbon
TIED = 1  # its number
STEP, BIN = 0.5, 10.0  # seconds
CONDITIONS = ("contingent", "binary", "yoked", "shuffled actions", "no ribbon")
LOW, HIGH, YOKED, P = 2.0, 5.0, 1.3, 0.01


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    n_agents: int = 40
    minutes: tuple[float, float, float] = (2.0, 4.0, 2.0)  # baseline, with ribbon, extinction
    liking: float = 3.0  # log odds of a movement, per full swing that it is expected to add
    at_rest: float = 0.1  # probability of a movement per step of half a second, without expectations
    forgetting: float = 0.002  # share of the counts per step
    arousal: float = 1.0  # log odds per nat of surprise beyond the expected
    calming: float = 0.1  # share of the arousal that a step takes away
    alpha: float = 4.0  # weight of the expectation without regard to the swing, in steps
    likings: tuple[float, ...] = (2.0, 3.0, 4.0)  # swept
    forgettings: tuple[float, ...] = (0.001, 0.005)
    at_rests: tuple[float, ...] = (0.05, 0.15)


SMOKE = Config(n_agents=10, minutes=(0.5, 0.5, 0.5), likings=(3.0,), forgettings=(0.002,), at_rests=(0.1,))
QUICK = Config(likings=(3.0,), forgettings=(0.002,), at_rests=(0.1,))


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Movements of every limb in bins of ten seconds (n_agents, n_bins, 4), and summaries over the sweep."""
    results = {}
    moved, swings = live(config, seed, "contingent")
    given = {"contingent": moved, "yoked": live(config, seed, "yoked", replay=swings)[0]}
    for condition in CONDITIONS:
        moved = given[condition] if condition in given else live(config, seed, condition)[0]
        results[f"rate {condition}"] = in_bins(moved)
    swept = np.empty((len(config.likings), len(config.forgettings), len(config.at_rests)))
    for place in np.ndindex(swept.shape):
        options = {
            "liking": config.likings[place[0]],
            "forgetting": config.forgettings[place[1]],
            "at_rest": config.at_rests[place[2]],
        }
        moved, swings = live(config, seed, "contingent", **options)
        yoked, _ = live(config, seed, "yoked", replay=swings, **options)
        swept[place] = holds(in_bins(moved), in_bins(yoked), phases(config))
    return results | {"swept": swept, "phases": phases(config)}


def phases(config):
    """First bin of each phase, and the end of the last."""
    return np.cumsum([0, *(round(minutes * 60 / BIN) for minutes in config.minutes)])


def live(config, seed, condition, *, replay=None, liking=None, forgetting=None, at_rest=None):
    """Let agents move their limbs; which moved (n_agents, n_steps, 4), and the swing they saw (n_agents, n_steps + 1).

    All agents share one model but no context: an action is the number of the agent, of the limb, and whether it moved.
    """
    liking = config.liking if liking is None else liking
    forgetting = config.forgetting if forgetting is None else forgetting
    at_rest = config.at_rest if at_rest is None else at_rest
    rng = np.random.default_rng([seed, CONDITIONS.index(condition)])
    world = MobileStates(LIMB, "binary" if condition == "binary" else "graded")
    n, (_, first, last, end) = config.n_agents, phases(config) * round(BIN / STEP)
    of = np.stack(np.meshgrid(np.arange(n), np.arange(N_LIMBS), indexing="ij"), axis=-1).reshape(-1, 2)
    resting, moving = (np.hstack([of, np.full((len(of), 1), whether)]) for whether in (0, 1))
    kept = (1.0 - forgetting) ** (1.0 / len(of))  # as the steps of all agents and limbs fade the counts of each
    model = ContingencyModel(1, "next", alpha=config.alpha, forgetting=1.0 - kept)
    state, swing = np.zeros(n, np.int64), np.zeros((n, end + 1), np.int64)
    moved, arousal = np.empty((n, end, N_LIMBS), bool), np.zeros((n, 1))
    most = world.senses["mobile"].max()
    for t in range(end):
        seen = np.repeat(swing[:, t], N_LIMBS)
        drive = np.zeros((n, N_LIMBS))
        if t:
            chances = [model.predict_proba(seen, action).reshape(n, N_LIMBS, -1) for action in (resting, moving)]
            drive = (chances[1] - chances[0]) @ (model.outcomes_ / most)
        moved[:, t] = rng.random((n, N_LIMBS)) < expit(logit(at_rest) + liking * drive + config.arousal * arousal)
        state = world.following[state, moved[:, t] @ (1 << np.arange(N_LIMBS))]
        if not first <= t < last or condition == "no ribbon":
            state[:] = 0  # no ribbon: the mobile hangs still
        swing[:, t + 1] = world.senses["mobile"][state, 0] if replay is None else replay[:, t + 1]
        told = moved[rng.permutation(n), t] if condition == "shuffled actions" else moved[:, t]
        action, after = np.where(told.reshape(-1, 1), moving, resting), np.repeat(swing[:, t + 1], N_LIMBS)
        if t:
            surprise = model.surprise(seen, action, after).reshape(n, N_LIMBS)
            chance = np.where(told[..., None], chances[1], chances[0])
            unexpected = surprise + (chance * np.log(chance)).sum(axis=-1)  # beyond the entropy
            arousal = (1.0 - config.calming) * arousal + config.calming * unexpected.mean(axis=1, keepdims=True)
        model.update(seen, action, after)
    return moved, swing


def in_bins(moved):
    """Movements per minute (n_agents, n_bins, 4)."""
    n, n_steps, n_limbs = moved.shape
    per_bin = round(BIN / STEP)
    return moved.reshape(n, n_steps // per_bin, per_bin, n_limbs).mean(axis=2) * 60.0 / STEP


def activity(rate, phases):
    """Movements per minute of each limb (n_agents, 4): baseline, and the second half of the time with the ribbon."""
    _, first, last, _ = phases
    return rate[:, :first].mean(axis=1), rate[:, (first + last) // 2 : last].mean(axis=1)


def ratio(rate, phases):
    """How much more often the limb on the ribbon moves than before, over all agents."""
    before, during = activity(rate, phases)
    return during[:, TIED].mean() / before[:, TIED].mean()


def first_minute(rate, phases):
    """How much more often the limb moves than before, in the first minute with the ribbon, over all agents."""
    first = phases[1]
    return rate[:, first : first + round(60 / BIN), TIED].mean() / rate[:, :first, TIED].mean()


def differentiation(rate, phases):
    """p of the signed-rank test that the limb on the ribbon moves as often as the mean of the others."""
    _, during = activity(rate, phases)
    difference = during[:, TIED] - np.delete(during, TIED, axis=1).mean(axis=1)
    return wilcoxon(difference, alternative="greater").pvalue if difference.any() else 1.0


def burst(rate, phases):
    """Whether an agent moves the limb more in the first half minute of extinction than in the last of the ribbon."""
    _, _, last, _ = phases
    n_bins = round(30 / BIN)
    return rate[:, last : last + n_bins, TIED].mean(axis=1) > rate[:, last - n_bins : last, TIED].mean(axis=1)


def holds(contingent, yoked, phases):
    return (
        LOW <= ratio(contingent, phases) <= HIGH
        and ratio(yoked, phases) < YOKED
        and differentiation(contingent, phases) < P
    )


def by_seed(results, measure, condition):
    return np.array([measure(rate, results["phases"][0]) for rate in results[f"rate {condition}"]])


def table(results):
    """Movements per minute before and with the ribbon, and what follows, by condition."""
    rows = []
    for condition in CONDITIONS:
        before, during = np.mean(
            [activity(rate, results["phases"][0]) for rate in results[f"rate {condition}"]], axis=(0, 2)
        )
        rows.append(
            {
                "condition": condition,
                "before (1/min)": before[TIED],
                "limb on the ribbon": during[TIED],
                "other limbs": np.delete(during, TIED).mean(),
                "ratio": by_seed(results, ratio, condition).mean(),
                "ratio, first minute": by_seed(results, first_minute, condition).mean(),
                "largest p": by_seed(results, differentiation, condition).max(),
                "more at extinction (%)": 100 * by_seed(results, burst, condition).mean(),
            }
        )
    return rows


def figure(results):
    """Movements of the limb on the ribbon and of the others in bins of ten seconds, by condition."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, len(CONDITIONS), figsize=(15, 3.9), sharey=True)
    _, first, last, end = results["phases"][0]
    minutes = (np.arange(end) + 0.5) * BIN / 60
    for ax, condition in zip(axes, CONDITIONS):
        rate = results[f"rate {condition}"].mean(axis=1)
        ax.axvspan(first * BIN / 60, last * BIN / 60, color="#F0E9D8", zorder=0, label="with ribbon")
        others = np.delete(rate, TIED, axis=-1).mean(axis=-1)
        interval_line(ax, minutes, rate[..., TIED], f"{LIMB}, on the ribbon", color=PALETTE[3], marker="")
        interval_line(ax, minutes, others, "mean of the other limbs", color=PALETTE[0], marker="")
        ax.set(title=condition, xlabel="time (min)")
    axes[0].set_ylabel("movements per minute")
    axes[0].set_ylim(0, None)  # once all are drawn, as they share it
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig


def verdict(results) -> Verdict:
    ratios = {condition: paired_bootstrap(by_seed(results, ratio, condition)) for condition in CONDITIONS}
    p = by_seed(results, differentiation, "contingent")
    bursts = by_seed(results, burst, "contingent").mean()
    passed = (
        ratios["contingent"].low >= LOW
        and ratios["contingent"].high <= HIGH
        and max(ratios["yoked"].high, ratios["shuffled actions"].high) < YOKED
        and (p < P).all()
    )
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="in the second half of the time with the ribbon:\n"
        f"the limb on the ribbon moves {LOW:g} to {HIGH:g} times as often as before (interval), less than {YOKED} "
        f"times if yoked\nor with shuffled actions (intervals), and more than the other limbs (p < {P} in every seed)",
        measured="times as often as before: "
        + ", ".join(f"{name} {ratios[name]:.2f}" for name in CONDITIONS)
        + "\nin the first minute, surprise included: "
        + ", ".join(f"{name} {paired_bootstrap(by_seed(results, first_minute, name)):.2f}" for name in CONDITIONS)
        + f"\nlargest p against the other limbs {p.max():.1g}; {100 * bursts:.0f} % of the agents move more just after "
        f"the ribbon is cut than before\nall hold in {100 * results['swept'].mean():.0f} % of the sweep of liking, "
        "forgetting and movements at rest",
        published="kicks 2 to 3 times as frequent (Rovee & Rovee 1969), 3 to 4 times (Kelso & Fuchs 2016)",
    )


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
