"""Steps per second that a contingency model predicts and then counts.

One thread, process CPU time, best of 7. Ours is `ContingencyModel.prequential`: arrays in; each step's surprise and
whether it was the most probable outcome, with back-off to all shorter contexts, before it is counted. The dictionary
does less: it predicts the most frequent outcome of the longest context it knows, without probabilities, and gets its
keys ready made. predictris, if it can be imported, explores and learns in its own copy of the world, so that its rate
includes the world's; else its published time per step is shown (CSV files of its repository: 0.2 ms at depth 1, 0.6 ms
at depth 2; none for depth 3).
"""

import time
from collections import Counter

import numpy as np
from tqdm import tqdm

from smc import ContingencyModel, Transitions
from smc.worlds import TetrominoStates

N_STEPS = 1_000_000
N_PEER_STEPS, N_PREDICTRIS_STEPS = 50_000, 2_000
N_REPETITIONS = 7
N_PLACES, N_ACTIONS, N_CHANGES = 6_000, 5, 16
EPISODE = 10
PREDICTRIS_SECONDS = {1: 0.2e-3, 2: 0.6e-3}


def rows() -> list[dict]:
    jobs = [("flat", flat_steps(slip), 1) for slip in (0.0, 0.1)]
    jobs += [("tetromino", tetromino_steps(), depth) for depth in (1, 2, 3)]
    names = [f"30,000 contexts, 16 changes, {kind}" for kind in ("deterministic", "10 % slips")]
    names += [f"tetromino world (J, S), depth {depth}" for depth in (1, 2, 3)]
    measured = []
    for name, (world, steps, depth) in zip(names, tqdm(jobs, desc="contingency", delay=2, leave=False, disable=None)):
        peers = {"dictionary": _time_dictionary(steps, depth)}
        if world == "tetromino":
            peers |= _time_predictris(depth)
        measured.append(_row(f"predict + count, {name}", _time_model(steps, depth), peers))
    return measured


def flat_steps(slip):
    """Random steps among places; what an action changes depends on the place, or on chance where it slips."""
    rng = np.random.default_rng(0)
    place, action = rng.integers(0, N_PLACES, N_STEPS), rng.integers(0, N_ACTIONS, N_STEPS)
    change = rng.integers(0, N_CHANGES, (N_PLACES, N_ACTIONS))[place, action]
    slips = rng.random(N_STEPS) < slip
    change[slips] = rng.integers(0, N_CHANGES, slips.sum())
    return Transitions({"place": place}, action, {"place": place + change})


def tetromino_steps():
    rng = np.random.default_rng(0)
    world = TetrominoStates()
    actions = rng.integers(0, 5, (N_STEPS // EPISODE, EPISODE))
    seen = world.observations[world.walk(world.sample(len(actions), rng), actions)]
    episode = np.repeat(np.arange(len(actions)), EPISODE)
    return Transitions({"patch": seen[:, :-1].ravel()}, actions.ravel(), {"patch": seen[:, 1:].ravel()}, group=episode)


def _time_model(steps, depth):
    model = ContingencyModel(depth).fit(steps)
    return len(steps) / _best_time(lambda: model.prequential(steps))


def _time_dictionary(steps, depth):
    (before,), (after,) = steps.observation.values(), steps.next_observation.values()
    contexts, outcomes = _contexts(steps, before, depth), (after - before).tolist()[:N_PEER_STEPS]
    tables = [{} for _ in range(depth + 1)]

    def learn():
        right = 0
        for context, outcome in zip(contexts, outcomes):
            for d in range(len(context), 0, -1):
                known = tables[d - 1].get(context[:d])
                if known is not None:
                    right += max(known, key=known.get) == outcome
                    break
            for d in range(1, len(context) + 1):
                tables[d - 1].setdefault(context[:d], Counter())[outcome] += 1
        return right

    return N_PEER_STEPS / _best_time(learn)


def _contexts(steps, before, depth):
    """Tuples (action, observation, and the pairs before, the newest first) of the first steps."""
    contexts, past = [], ()
    for t, pair in enumerate(zip(steps.action.tolist()[:N_PEER_STEPS], before.tolist())):
        if steps.group is not None and t % EPISODE == 0:
            past = ()
        contexts.append((*pair, *past))
        past = (pair, *past)[: depth - 1]
    return contexts


def _time_predictris(depth):
    try:
        from predictris.tetris import TetrisEnvironment
    except ImportError:
        published = PREDICTRIS_SECONDS.get(depth)
        return {"predictris (published)": 1.0 / published} if published else {"predictris": None}
    env = TetrisEnvironment()
    agent = env.build_agent(depth=depth)

    def learn():
        for _ in range(N_PREDICTRIS_STEPS // EPISODE):
            env.random_init(["J", "S"])
            agent.init_episode("random", "all", learn=True)
            for _ in range(EPISODE):
                agent.update(learn=True)

    return {"predictris": N_PREDICTRIS_STEPS / _best_time(learn)}


def _row(name, ours, peers, unit="steps/s"):
    return {
        "table": "contingency",
        "row": name,
        "unit": unit,
        "ours": ours,
        "peers": peers,
        "limit": None,
        "better": "higher",
    }


def _best_time(work):
    """CPU seconds of the fastest of several runs; one more before them compiles."""
    work()
    seconds = []
    for _ in range(N_REPETITIONS):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)
