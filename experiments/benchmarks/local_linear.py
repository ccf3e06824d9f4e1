"""How well `LocalLinearContingency` foresees what a turn of an object changes, and its own error, beside scikit-learn.

Sixty bundled objects are turned at random; other turns of the same objects test. The sense is raw (depth, 12 x 12) or
the embedding of an encoder that was trained on those turns. Ours learns step by step (training="online"); peers are its
batch training, k nearest neighbours and a Gaussian process, which gets 800 steps, for its time grows with their cube.
Neighbours and the weight of the action among their coordinates are chosen by cross-validation, the process's kernel by
its likelihood. Surprise is the mean of -log density per output, under a Gaussian of the predicted variance.
"""

import time

import numpy as np
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from smc import LocalLinearContingency, Transitions
from smc.worlds import Camera, ObjectBank, pose_matrix, render

N_OBJECTS, N_TRAIN, N_TEST, N_PROCESS = 60, 4000, 1500, 800
TURN = 0.5  # largest turn in yaw and pitch, radians
NEIGHBOURS, WEIGHTS = (5, 10, 20), (1.0, 3.0, 10.0)
ENCODER_STEPS = 60
FARTHEST = 0.55  # depth in place of the background's, metres


def rows() -> list[dict]:
    senses = {"raw depth": raw_steps()}
    try:
        import torch  # noqa: F401
    except ImportError:
        pass
    else:
        senses["embedding"] = embedded_steps()
    measured: list[dict] = []
    for sense, steps in tqdm(senses.items(), desc="local linear", delay=2, leave=False, disable=None):
        train, test = steps[:N_TRAIN], steps[N_TRAIN:]
        n_features = train.observation["eye"].shape[1]
        found = {name: method(train, test) for name, method in METHODS.items()}
        for place, (what, unit, better) in enumerate(MEASURES):
            values = {name: float(figures[place]) for name, figures in found.items()}
            measured.append(
                {"table": "local_linear", "row": f"{sense}, {n_features} features: {what}", "unit": unit}
                | {"ours": values.pop("online"), "peers": values, "limit": None, "better": better}
            )
    return measured


MEASURES = (
    ("error, share of the changes' variance", "1 - R2", "lower"),
    ("surprise at new steps", "exp(nats)", "lower"),
    ("time to learn", "ms/step", "lower"),
)


def turns(size):
    """Images, depths, turns and objects of pairs of views."""
    rng = np.random.default_rng(0)
    bank = ObjectBank.bundled()
    bank = bank.subset(rng.permutation(len(bank))[:N_OBJECTS])
    n = N_TRAIN + N_TEST
    objects, action = rng.integers(N_OBJECTS, size=n), rng.uniform(-TURN, TURN, (n, 2))
    pose = rng.uniform(-1, 1, (n, 2)) * (np.pi, np.pi / 6)
    seen = [render(bank.packed, objects, pose_matrix(*p.T), Camera(size)) for p in (pose, pose + action)]
    return seen, action, objects


def raw_steps():
    seen, action, objects = turns(12)
    depth = [np.minimum(s.depth, FARTHEST).reshape(len(action), -1).astype(float) for s in seen]
    return Transitions({"eye": depth[0]}, action, {"eye": depth[1]}, objects)


def embedded_steps():
    from smc.encoders import ConvEncoder, embed, pretrain

    seen, action, objects = turns(32)
    images = [s.image for s in seen]
    steps = Transitions({"eye": images[0]}, action.astype(np.float32), {"eye": images[1]}, objects)
    trained = pretrain(steps[:N_TRAIN], {"eye": ConvEncoder()}, n_steps=ENCODER_STEPS, threads=1)
    embedded = [embed(trained["eye"], image, "backbone").astype(float) for image in images]
    return Transitions({"eye": embedded[0]}, action, {"eye": embedded[1]}, objects)


def _timed(learn):
    start = time.process_time()
    learned = learn()
    return learned, 1e3 * (time.process_time() - start) / N_TRAIN


def _contingencies(training):
    def method(train, test):
        # Folds over single steps: the test turns the same objects.
        alike = Transitions(train.observation, train.action, train.next_observation)
        LocalLinearContingency(training=training, random_state=0).fit(alike[:100])  # compiles
        model, seconds = _timed(lambda: LocalLinearContingency(training=training, random_state=0).fit(alike))
        return *_figures(*model.predict(test.observation["eye"], test.action), test), seconds

    return method


def _neighbours(train, test):
    scaler = StandardScaler().fit(train.observation["eye"])
    turn_scale = TURN / np.sqrt(3) / np.sqrt(train.observation["eye"].shape[1])

    def inputs(steps, weight):
        return np.hstack([scaler.transform(steps.observation["eye"]), weight * steps.action / turn_scale])

    def choose():
        choices = [(k, weight) for k in NEIGHBOURS for weight in WEIGHTS]
        score = [cross_val_score(KNeighborsRegressor(k), inputs(train, w), _change(train)).mean() for k, w in choices]
        k, weight = choices[int(np.argmax(score))]
        return KNeighborsRegressor(k).fit(inputs(train, weight), _change(train)), weight

    (model, weight), seconds = _timed(choose)
    near = _change(train)[model.kneighbors(inputs(test, weight), return_distance=False)]
    k, variance = near.shape[1], near.var(axis=1, ddof=1)
    # Neighbours that agree by chance do not make an outcome certain: ten more of the usual spread, as ours are given.
    variance = (k * variance + 10 * variance.mean(axis=0)) / (k + 10)
    return *_figures(near.mean(axis=1), variance, test), seconds


def _process(train, test):
    part = train[:N_PROCESS]

    def inputs(steps):
        return np.hstack([steps.observation["eye"], steps.action])

    def learn():
        scaler = StandardScaler().fit(inputs(part))
        kernel = RBF(np.sqrt(inputs(part).shape[1])) + WhiteKernel(0.1)
        process = GaussianProcessRegressor(kernel, normalize_y=True, random_state=0)
        return scaler, process.fit(scaler.transform(inputs(part)), _change(part))

    (scaler, process), seconds = _timed(learn)
    mean, deviation = process.predict(scaler.transform(inputs(test)), return_std=True)
    return *_figures(mean, deviation**2, test), seconds * N_TRAIN / N_PROCESS


METHODS = {
    "online": _contingencies("online"),
    "batch training": _contingencies("batch"),
    "k-NN": _neighbours,
    "Gaussian process": _process,
}


def _change(steps):
    return steps.next_observation["eye"] - steps.observation["eye"]


def _figures(change, variance, test):
    """Share of variance missed, and exp of the mean surprise per output in units of the change's deviation."""
    truth = _change(test)
    moving = truth.std(axis=0) > 1e-9
    error, scale = (change - truth)[:, moving], truth[:, moving].std(axis=0)
    variance = np.maximum(variance[:, moving], 1e-6 * scale**2)
    surprise = 0.5 * (np.log(2 * np.pi * variance / scale**2) + error**2 / variance).mean()
    return (error**2).sum() / ((truth - truth.mean(axis=0)) ** 2).sum(), np.exp(surprise)
