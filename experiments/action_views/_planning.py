"""Bringing a held object to the pose of a goal view: by the learned predictor, and by what needs none."""

from __future__ import annotations

import numpy as np

from experiments._figures import PALETTE
from experiments._verdict import Verdict, paired_bootstrap
from smc.encoders import embed, plan
from smc.worlds import pose_matrix

from ._data import PITCH, YAW, draw_poses, exhibit, live, make_objects, view
from ._methods import PREDICTOR, SHUFFLED, main_methods
from ._train import train

KINDS = ("training", "background")
PLANNERS = ("random", "nearest stored view", "learned, shuffled action", "learned", "true simulator")
LARGEST_TURN = np.radians(20)  # in one action, about either axis
TURNS = LARGEST_TURN * np.stack(np.meshgrid([-1, -0.5, 0, 0.5, 1], [-1, -0.5, 0, 0.5, 1]), -1).reshape(-1, 2)
AHEAD = 3  # actions in a plan, of which the first is done


def pursue(config, seed) -> dict[str, np.ndarray]:
    """Angles (n_kinds, n_planners, n_turns + 1, n_objects) in degrees that are left to the goal after each turn."""
    objects = make_objects(config, seed)
    experience, gallery = live(objects, config, seed), exhibit(objects, config, seed)
    methods = {m.name: m for m in main_methods()}
    modules = {name: train(methods[name], experience, config, seed)["image"] for name in (PREDICTOR, SHUFFLED)}
    rng = np.random.default_rng((seed, 60))
    start, goal = draw_poses(rng, (2, len(objects.unseen)))
    left = np.array(
        [
            [journey(planner, modules, objects, gallery, kind, start, goal, config, seed) for planner in PLANNERS]
            for kind in KINDS
        ]
    )
    return {"table": np.array("planning"), "left": left}


def journey(planner, modules, objects, gallery, kind, start, goal, config, seed):
    """One try per unseen object: it is held in one room; the goal was seen in another of the same kind."""
    rng = np.random.default_rng((seed, 61))
    room = rng.integers(2**62, size=len(start))

    def see(pose):
        return view(objects, objects.unseen, pose, kind, config, (seed, 62), room=room).image

    module = modules[SHUFFLED if planner == "learned, shuffled action" else PREDICTOR]
    wanted = view(objects, objects.unseen, goal, kind, config, (seed, 63)).image
    pose, left = start, [angle(start, goal)]
    for _ in range(config.n_turns):
        now = see(pose)
        if planner == "random":
            turn = TURNS[rng.integers(len(TURNS), size=len(pose))]
        elif planner == "nearest stored view":
            remembered = [nearest_pose(module, gallery.probe, frames) for frames in (wanted, now)]
            turn = np.clip(remembered[0] - remembered[1], -LARGEST_TURN, LARGEST_TURN)
        elif planner == "true simulator":
            outcomes = [see(within_reach(pose + turn)) for turn in TURNS]
            turn = TURNS[best_outcome(module, outcomes, wanted)]
        else:
            turn = plan(module, now, wanted, TURNS, n_steps=AHEAD)[:, 0]
        pose = within_reach(pose + turn)
        left.append(angle(pose, goal))
    return np.array(left)


def nearest_pose(module, stored, frames):
    """Pose (n, 2) of that stored view of a familiar object whose embedding is nearest."""
    known, seen = (embed(module, x, "equivariance") for x in (stored.image, frames))
    return stored.pose[np.argmax(seen @ known.T, axis=1)]


def best_outcome(module, outcomes, wanted):
    """Number (n,) of the outcome that looks most like the goal to the encoder."""
    goal = embed(module, wanted, "equivariance")
    return np.argmax([(embed(module, x, "equivariance") * goal).sum(axis=1) for x in outcomes], axis=0)


def within_reach(pose):
    return np.clip(pose, (-YAW, -PITCH), (YAW, PITCH))


def angle(pose, goal):
    """Angle (n,) in degrees of the turn from one pose to the other."""
    a, b = (pose_matrix(p[:, 0], p[:, 1])[..., :3] for p in (pose, goal))
    cosine = ((a * b).sum(axis=(1, 2)) - 1) / 2
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def table(results):
    rows = []
    for k, kind in enumerate(KINDS):
        for p, planner in enumerate(PLANNERS):
            left = results["left"][:, k, p]
            mean = left.mean(axis=(0, 2))
            row = {"rooms": kind, "planner": planner, "degrees at first": float(mean[0])}
            row |= {f"after {n}": float(mean[n]) for n in range(1, len(mean))}
            rows.append(row | {"within 15 degrees": float((left[:, -1] < 15).mean())})
    return rows


def verdict(results) -> Verdict:
    lines, passed = [], True
    ours = PLANNERS.index("learned")
    for k, kind in enumerate(KINDS):
        for other in ("random", "nearest stored view", "learned, shuffled action", "true simulator"):
            theirs = results["left"][:, k, PLANNERS.index(other), -1]
            gain = paired_bootstrap(theirs, results["left"][:, k, ours, -1])
            if other == "true simulator":
                lines.append(f"      {kind} rooms, true simulator - learned: {gain:+.1f} degrees (no rule)")
                continue
            good = gain.low > 0
            passed &= good or kind != "training"
            lines.append(f"{'PASS' if good else 'FAIL'}  {kind} rooms, {other} - learned: {gain:+.1f} degrees")
    return Verdict(
        status="PASS" if passed else "FAIL",
        rule="in training rooms fewer degrees are left by the learned predictor than by each planner without the\n"
        "simulator (intervals above 0); unknown backgrounds are reported",
        measured="\n".join(lines),
    )


def figure(results):
    import matplotlib.pyplot as plt

    from experiments._figures import interval_line

    page, axes = plt.subplots(1, len(KINDS), figsize=(9, 3.8), sharey=True)
    for k, (ax, kind) in enumerate(zip(axes, KINDS, strict=True)):
        for p, planner in enumerate(PLANNERS):
            left = results["left"][:, k, p].mean(axis=2)
            interval_line(ax, np.arange(left.shape[1]), left, label=planner, color=PALETTE[p])
        ax.set(title=f"Rooms: {kind if kind == 'training' else 'unknown background'}", xlabel="turns made")
    axes[0].set(ylabel="angle left to the goal (degrees)", ylim=(0, None))
    axes[1].legend(fontsize=8)
    return page
