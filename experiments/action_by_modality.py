"""What does an action change, and for which sense? Predictors learn it, exactly where there is something to learn.

Finding     An agent turns, moves, lights and films objects, changes rooms and loses points of its depth sensor. One
            predictor per sense, all reading one code of the action, learns which actions change what its sense
            delivers: the contingency that tells a sense, and what it can be trusted with.
Prediction  The true action adds to the gain of the prediction over "nothing has changed" (eqgain, Devillers & Lefort
            2023), against a shuffled action of the same kind, wherever it has consequences for the sense; where it has
            none (zoom, light and room for the cloud, lost points for the image) it adds nothing. By itself eqgain is no
            such test: where nothing changes every error of a prediction makes it negative. It is printed beside.
Controls    Shuffled action; identity, whose gain is 0; chance in retrieval; for turned clouds the exact outcome, which
            is the input turned. A moved cloud is an open case: the encoder centres it, but a camera sees other parts.
Citation    Devillers & Lefort (2023), EquiMod, ICLR; O'Regan & Noe (2001), BBS 24:939.
Cost        5 minutes of processor time for 5 seeds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from experiments._figures import PALETTE
from experiments._held import action_between, between_views, draw_scene, make_objects, sense
from experiments._runner import experiment
from experiments._verdict import Verdict, paired_bootstrap
from smc import Action

SENSES = ("image", "points")
# Kind of action -> what it changes of a scene, and whether that has consequences for image and cloud (None: open).
KINDS = {
    "rotation": ("angles", (True, True)),
    "translation": ("place", (True, None)),
    "zoom": ("zoom", (True, False)),
    "light": ("light", (True, False)),
    "background": ("room", (True, False)),
    "drop-out": ("lost", (False, True)),
}
ROTATION = slice(0, 3)  # columns of an action
N_SHOWN = 4096  # actions that tell their scale


@dataclass(frozen=True)
class Config:
    """What can be varied; every field is a flag of the command line."""

    image_size: int = 24  # pixels
    n_points: int = 128
    n_objects: int = 40  # per class, to learn from
    n_test_objects: int = 16  # per class, never met
    n_steps: int = 250
    batch_size: int = 64  # objects per step, two actions on each
    width: int = 16  # channels of the image encoder's first block
    point_widths: tuple[int, ...] = (32, 64, 128)
    learning_rate: float = 4e-3  # peak
    n_views: int = 6  # of each test object, which differ by one kind of action


SMOKE = Config(16, 16, 2, 1, 2, 8, 2, (4, 8, 8), n_views=3)
QUICK = Config(n_objects=10, n_test_objects=5, n_steps=30)


class Practice:
    """Source of steps for `pretrain`: two actions on each object, each of one kind.

    Parameters
    ----------
    bank : ObjectBank
    config : Config
    seed : int
    """

    def __init__(self, bank, config, seed):
        self.bank, self.config, self.seed = bank, config, seed
        rng = np.random.default_rng((seed, 0))
        self.actions = described(*self._act(rng.integers(len(bank), size=N_SHOWN), rng))

    def __call__(self, step):
        from smc.encoders import Sample

        rng = np.random.default_rng((self.seed, 1, step))
        objects = np.repeat(rng.permutation(len(self.bank))[: self.config.batch_size], 2)
        scenes = self._act(objects, rng)
        sides = [sensed(self.bank, scene, self.config, rng) for scene in scenes]
        frames = {name: np.concatenate([side[name] for side in sides]) for name in SENSES}
        return Sample(frames, described(*scenes)[None], objects)

    def _act(self, objects, rng):
        """Scenes before and after one action each."""
        before, elsewhere = draw_scene(objects, rng), draw_scene(objects, rng)
        kind = rng.integers(len(KINDS), size=len(objects))
        changes = {}
        for number, (part, _) in enumerate(KINDS.values()):
            old, new = getattr(before, part), getattr(elsewhere, part)
            done = (kind == number).reshape(-1, *[1] * (old.ndim - 1))
            changes[part] = np.where(done, new, old)
        return before, replace(before, **changes)


def sensed(bank, scene, config, rng):
    return sense(bank, scene, rng, size=config.image_size, n_points=config.n_points)


def described(before, after):
    """What predictors are told (n, d): the action, and by how much the share of lost points grows."""
    return np.column_stack([action_between(before, after).vector(), after.lost - before.lost]).astype(np.float32)


def run(config: Config, seed: int) -> dict[str, np.ndarray]:
    """Measures (n_kinds, n_senses, n_test_objects) of one seed, and frames before and after each kind of action."""
    from smc.encoders import metrics

    bank, others = (make_objects(n, 2 * seed + i) for i, n in enumerate((config.n_objects, config.n_test_objects)))
    modules = train(bank, config, seed)
    rng = np.random.default_rng((seed, 2))
    found: dict[str, list] = {name: [] for name in ("gain", "shuffled", "hit", "pictures", "clouds")}
    for kind in KINDS:
        scenes = views_apart(others, kind, config.n_views, rng)
        action = between_views(scenes, config.n_views, described)
        senses = {
            name: x.reshape(len(others), config.n_views, *x.shape[1:])
            for name, x in sensed(others, scenes, config, rng).items()
        }
        judged = [metrics.consequences(modules[name], senses[name], action, random_state=seed) for name in SENSES]
        found["gain"].append([j.gain for j in judged])
        found["shuffled"].append([j.shuffled_gain for j in judged])
        found["hit"].append([j.prediction.hit_at_1 for j in judged])
        found["pictures"].append(senses["image"][0, :2])
        found["clouds"].append(senses["points"][0, :2])
        if kind == "rotation":
            exact = exact_gain(modules["points"], senses["points"][:, 0], action[:, 0, 1])
    return {name: np.array(value) for name, value in found.items()} | {
        "exact": exact,
        "n_views": np.array(config.n_views),
    }


def train(bank, config, seed):
    from smc.encoders import ConvEncoder, PointEncoder, pretrain
    from smc.encoders.objectives import EquiMod

    encoders = {
        "image": ConvEncoder(config.width, config.image_size, seed=seed),
        "points": PointEncoder(config.point_widths, seed=seed),
    }
    return pretrain(
        Practice(bank, config, seed),
        encoders,
        objective=EquiMod(),
        n_steps=config.n_steps,
        learning_rate=config.learning_rate,
        n_points=config.n_points,
        seed=seed,
        shared_action_code=True,
    )


def views_apart(bank, kind, n_views, rng):
    """Scenes (n_objects * n_views,) of which those of an object differ by one kind of action alone."""
    part = KINDS[kind][0]
    scenes = draw_scene(np.repeat(np.arange(len(bank)), n_views), rng)
    fixed = np.repeat(np.arange(0, len(scenes), n_views), n_views)
    # Two rooms for each object: were all different, no action would be told from another.
    rooms = fixed + np.arange(len(scenes)) % 2
    return replace(scenes[fixed], **{part: getattr(scenes, part)[rooms if kind == "background" else slice(None)]})


def exact_gain(module, clouds, action):
    """`equivariance_gain` (n,) of predicted turns, the true outcome being the input turned: no camera between."""
    from smc.encoders import embed, metrics

    turned = Action(rotation=action[:, ROTATION]).apply(clouds, "points")
    before, after = (embed(module, x, "equivariance") for x in (clouds, turned))
    return metrics.equivariance_gain(module.predict(clouds, action), after, before)


def cells():
    """Kind and sense of each cell, its place in the arrays, and whether the action has consequences there."""
    for i, (kind, (_, truths)) in enumerate(KINDS.items()):
        for j, (name, truth) in enumerate(zip(SENSES, truths)):
            yield kind, name, (slice(None), i, j), truth


def intervals(results):
    """Cell -> intervals of the gain, and of what the true action adds to a shuffled one."""
    return {
        (kind, name): (
            paired_bootstrap(results["gain"][place]),
            paired_bootstrap(results["gain"][place], results["shuffled"][place]),
        )
        for kind, name, place, _ in cells()
    }


def table(results):
    found = intervals(results)
    rows = []
    for kind, name, place, truth in cells():
        gain, added = found[kind, name]
        rows.append(
            {
                "action": kind,
                "sense": name,
                "consequence": {True: "yes", False: "no", None: "open"}[truth],
                "eqgain": gain.mean,
                "low": gain.low,
                "high": gain.high,
                "true minus shuffled": added.mean,
                "its low": added.low,
                "its high": added.high,
                "H@1": results["hit"][place].mean(),
            }
        )
    return rows


def figure(results):
    """One frame before and after each action; what the true action adds, eqgain and retrieval, by action and sense."""
    import matplotlib.pyplot as plt

    fig = plt.figure(figsize=(13, 7.2))
    top, bottom = fig.subfigures(2, 1, height_ratios=(1, 1.6))
    axes = top.subplots(2, 2 * len(KINDS))
    for i, kind in enumerate(KINDS):
        for side in range(2):
            ax = axes[:, 2 * i + side]
            ax[0].imshow(results["pictures"][0, i, side])
            cloud = results["clouds"][0, i, side]
            ax[1].scatter(cloud[:, 0], cloud[:, 1], s=2, c=-cloud[:, 2], cmap="viridis")
            ax[1].set(xlim=(-0.15, 0.15), ylim=(0.15, -0.15), aspect="equal")
            for one in ax:
                one.set(xticks=[], yticks=[])
                one.grid(False)
                one.spines[:].set_visible(True)
            ax[0].set_title(f"{kind}\nbefore" if side == 0 else "\nafter", fontsize=9)
    for row, name in zip(axes, SENSES):
        row[0].set_ylabel(name)
    found, x = intervals(results), np.arange(len(KINDS))
    added, gain, hit = bottom.subplots(1, 3)
    for j, (name, color) in enumerate(zip(SENSES, PALETTE)):
        place = x + (j - 0.5) * 0.25
        for ax, which in ((gain, 0), (added, 1)):
            for one, kind in zip(place, KINDS):
                interval = found[kind, name][which]
                truth = KINDS[kind][1][j]
                marker = {True: "o", False: "s", None: "D"}[truth]
                error = [[interval.mean - interval.low], [interval.high - interval.mean]]
                face = color if truth else "white"
                ax.errorbar(one, interval.mean, error, color=color, marker=marker, markerfacecolor=face, capsize=2)
        values = results["hit"][:, :, j].mean(axis=2)
        hit.plot(np.tile(place, (len(values), 1)), values, ".", color=color)
        hit.plot(place, values.mean(axis=0), "_", color=color, markersize=14, label=name)
    hit.axhline(1 / (results["n_views"][0] - 1), color="#5A5A5A", linewidth=1, linestyle=":")
    titles = {added: "eqgain, true minus shuffled action", gain: "eqgain", hit: "H@1 (dotted: chance)"}
    for ax, title in titles.items():
        ax.set_title(title)
        ax.set_xticks(x, list(KINDS), fontsize=8, rotation=20)
        ax.grid(axis="x", visible=False)
    for ax in (added, gain):
        ax.axhline(0, color="black", linewidth=0.8)
        ax.set_yscale("symlog", linthresh=0.001)
        ticks = [-0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 1]
        ax.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.set_ylim(-0.1, 1)
    added.set_xlabel("filled: has consequences; square: has none; diamond: open", fontsize=8)
    hit.legend()
    return fig


def verdict(results) -> Verdict:
    found = intervals(results)
    judged = [(kind, name, truth) for kind, name, _, truth in cells() if truth is not None]

    def against_the_rule(which):
        return [f"{kind} x {name}" for kind, name, truth in judged if not fits(found[kind, name][which], truth)]

    def listed(truth):
        return "; ".join(f"{kind} x {name} {found[kind, name][1]:+.4f}" for kind, name, t in judged if t is truth)

    wrong, wrong_alone = against_the_rule(1), against_the_rule(0)
    return Verdict(
        status="FAIL" if wrong else "PASS",
        rule="eqgain with the true minus with a shuffled action of the same kind: interval above 0 in each cell where\n"
        "the action has consequences for the sense, containing 0 in each where it has none",
        measured=f"with consequences: {listed(True)}\nwithout: {listed(False)}\n"
        f"moved cloud, open: {found['translation', 'points'][1]:+.4f}\n"
        f"turned clouds against the exact outcome: eqgain {paired_bootstrap(results['exact']):+.3f}\n"
        f"failed: {', '.join(wrong) or 'none'}\neqgain by itself would fail the rule in {len(wrong_alone)} of "
        f"{len(judged)} cells: {', '.join(wrong_alone) or 'none'}",
        published="none by sense",
    )


def fits(interval, truth):
    """Whether an interval says what is true: above 0 with consequences, around 0 without."""
    return interval.low > 0 if truth else interval.low <= 0 <= interval.high


main = experiment(Config, run, figure, verdict, smoke=SMOKE, quick=QUICK, table=table, default_seeds=5)

if __name__ == "__main__":
    raise SystemExit(main())
