"""Frames per second of the rasteriser and of the environment made of it; steps per second of the worlds of few states.

One thread, process CPU time, total frames over total seconds (not a mean of rates), best of 7 sweeps; each object is
seen from 12 sides by the default camera. No peer is timed: none draws the same meshes with the same outputs. In the
worlds of few states 1,000 agents walk at random; what they see is one more look into a table, not timed, save for the
rigid structures, where it is part of the step.
"""

import time

import numba
import numpy as np
from tqdm import tqdm

from smc.worlds import (
    Camera,
    CorridorStates,
    ManipulateObjectVector,
    MobileStates,
    ObjectBank,
    ReachStates,
    RigidStructures,
    RoomStates,
    TetrominoStates,
    pose_matrix,
    render,
)

N_SWEEPS = 7
N_POSES = 12
N_POINTS = 256
N_ENVIRONMENTS = 64
N_AGENTS, N_STEPS = 1000, 1000


def rows() -> list[dict]:
    n_threads = numba.get_num_threads()
    numba.set_num_threads(1)
    try:
        return _rows(ObjectBank.bundled())
    finally:
        numba.set_num_threads(n_threads)


def _rows(bank) -> list[dict]:
    meshes = bank.packed
    what = f"RGB + depth + ids + {N_POINTS} points, {len(bank)} objects of {len(meshes.faces) / len(bank):.0f} faces"
    frames = {f"{size}x{size} {what}": _frames_per_second(meshes, Camera(size)) for size in (32, 64)}
    steps = {f"ManipulateObjectVector, {N_ENVIRONMENTS} environments, 64x64": _steps_per_second(bank)}
    return [
        {"table": "worlds", "row": f"{name}, 1 thread", "unit": unit, "ours": value}
        | {"peers": {}, "limit": None, "better": "higher"}
        for unit, values in (("frames/s", frames), ("steps/s", steps), ("agent-steps/s", _agent_steps()))
        for name, value in values.items()
    ]


def _frames_per_second(meshes, camera) -> float:
    rng = np.random.default_rng(0)
    poses = pose_matrix(rng.uniform(-np.pi, np.pi, N_POSES), rng.uniform(-np.pi / 6, np.pi / 6, N_POSES))

    def sweep():
        for number in range(meshes.n_meshes):
            render(meshes, np.full(N_POSES, number), poses, camera, n_points=N_POINTS)

    return meshes.n_meshes * N_POSES / _best_time(sweep)


def _steps_per_second(bank) -> float:
    """Random actions, restarts, camera noise and backgrounds included."""
    env = ManipulateObjectVector(N_ENVIRONMENTS, bank)
    env.action_space.seed(0)
    env.reset(seed=0)
    actions = [env.action_space.sample() for _ in range(20)]

    def run():
        for action in actions:
            env.step(action)

    return N_ENVIRONMENTS * len(actions) / _best_time(run)


def _agent_steps() -> dict[str, float]:
    """Agent-steps per second in each world of few states."""
    rng = np.random.default_rng(0)
    tables = {
        "tetromino behind a patch": TetrominoStates(),
        "room with touch": RoomStates(),
        "reaching through goggles": ReachStates(),
        "corridor": CorridorStates(),
        "mobile and limbs": MobileStates(),
    }
    speeds = {}
    for name, table in tables.items():
        start, actions = table.sample(N_AGENTS, rng), rng.integers(0, len(table.actions), (N_AGENTS, N_STEPS))
        speeds[name] = actions.size / _best_time(lambda t=table, s=start, a=actions: t.walk(s, a))
    structures, actions = RigidStructures(), rng.integers(0, 8, (N_AGENTS, N_STEPS))
    seeds = rng.integers(2**64, size=N_AGENTS, dtype=np.uint64)
    state, clock = structures.begin(N_AGENTS, seeds), np.zeros(N_AGENTS, np.int64)
    seconds = _best_time(lambda: structures.advance(state, clock, seeds, actions))
    return {f"{name}, {N_AGENTS:,} agents": speed for name, speed in speeds.items()} | {
        f"structures that move together, {N_AGENTS:,} agents": actions.size / seconds
    }


def _best_time(work) -> float:
    """CPU seconds of the fastest of several runs; one more before them compiles."""
    work()
    seconds = []
    for _ in tqdm(range(N_SWEEPS), desc="worlds", delay=2, leave=False, disable=None):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)
