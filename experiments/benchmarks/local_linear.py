"""How well `LocalLinearContingency` foresees what a turn of an object changes, and its own error, beside scikit-learn.

Sixty bundled objects are turned at random; other turns of the same objects test. The sense is raw (depth, 12 x 12) or
the embedding of an encoder that was trained on those turns. Ours learns step by step (training="online"); peers are its
batch training, k nearest neighbours and a Gaussian process, which gets 800 steps, for its time grows with their cube.
Neighbours and the weight of the action among their coordinates are chosen by cross-validation, the process's kernel by
its likelihood. All figures are means over five draws of objects and turns, except times: the first draw's, on which
the peers are tuned.

Surprise is the mean of -log density per output, under a Gaussian of the predicted variance. Calibration compares single
outputs of single steps: squared error over variance (sum over sum), the slope of log squared error on log variance (10
bins of equal count), their rank correlation, and how often intervals of a Gaussian hold the change. The last is no
property of a variance: where standardised errors have a kurtosis far above 3, as at the edges that depth jumps at, most
are small, and intervals for half of the changes hold more. "Constant" is ours with the variance of each output that
fits best in hindsight; what it has by construction is left out.
"""

import time

import numpy as np
from scipy.stats import kurtosis, spearmanr
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, WhiteKernel
from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsRegressor
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from smc import LocalLinearContingency, Transitions
from smc.worlds import Camera, ObjectBank, pose_matrix, render

N_DRAWS, N_OBJECTS, N_TRAIN, N_TEST, N_PROCESS = 5, 60, 4000, 1500, 800
TURN = 0.5  # largest turn in yaw and pitch, radians
NEIGHBOURS, WEIGHTS = (5, 10, 20), (1.0, 3.0, 10.0)
ENCODER_STEPS = 60
FARTHEST = 0.55  # depth in place of the background's, metres

# Name, unit, which is better, and what is right, from which the mean distance is shown; the note then has the figure.
MEASURES = (
    ("error, share of the changes' variance", "1 - R2", "lower", None),
    ("surprise at new steps", "exp(nats)", "lower", None),
    ("rank correlation of variance and squared error", "Spearman", "higher", None),
    ("squared error / variance", "from 1", "lower", 1.0),
    ("slope of log squared error on log variance", "from 1", "lower", 1.0),
    ("90 % interval", "from 0.9", "lower", 0.9),
    ("50 % interval", "from 0.5", "lower", 0.5),
    ("kurtosis of standardised errors", "Gaussian: 3", "lower", None),
)
KNOWN_OF_CONSTANT = 3  # the first measures


def rows() -> list[dict]:
    senses = {"raw depth": raw_steps}
    try:
        import torch  # noqa: F401
    except ImportError:
        pass
    else:
        senses["embedding"] = embedded_steps
    measured: list[dict] = []
    for sense, draw in senses.items():
        figures, seconds, n_features = _measure(draw, sense)
        for place, (what, unit, better, right) in enumerate(MEASURES):
            draws = {name: table[:, place] for name, table in figures.items() if place < table.shape[1]}
            note = ", ".join(f"{name} {x.mean():.3g} +- {x.std(ddof=1):.2g}" for name, x in draws.items())
            values = {name: float((x if right is None else abs(x - right)).mean()) for name, x in draws.items()}
            measured.append(_row(f"{sense}, {n_features} features: {what}", unit, values, better) | {"note": note})
        measured.append(_row(f"{sense}, {n_features} features: time to learn", "ms/step", seconds, "lower"))
    return measured


def _row(what, unit, values, better):
    peers = {name: value for name, value in values.items() if name != "online"}
    row = {"table": "local_linear", "row": what, "unit": unit, "ours": values["online"], "peers": peers}
    return row | {"limit": None, "better": better}


def _measure(draw, sense):
    """Figures (n_draws, n_measures) and ms per step of each method, and the number of features."""
    figures = {name: [] for name in (*METHODS, "constant")}
    seconds, tuned = {}, {}
    for seed in tqdm(range(N_DRAWS), desc=f"local linear, {sense}", delay=2, leave=False, disable=None):
        steps = draw(seed)
        train, test = steps[:N_TRAIN], steps[N_TRAIN:]
        for name, learn in METHODS.items():
            if seed == 0:
                learn(train[:100], None)  # compiles
            start = time.process_time()
            predict, tuned[name] = learn(train, tuned.get(name))
            seconds.setdefault(name, 1e3 * (time.process_time() - start) / N_TRAIN)
            change, variance = predict(test)
            figures[name].append(_figures(change, variance, test))
            if name == "online":
                constant = np.broadcast_to(((change - _change(test)) ** 2).mean(axis=0), change.shape)
                figures["constant"].append(_figures(change, constant, test)[:KNOWN_OF_CONSTANT])
    seconds["Gaussian process"] *= N_TRAIN / N_PROCESS
    return {name: np.array(table) for name, table in figures.items()}, seconds, train.observation["eye"].shape[1]


def turns(size, seed):
    """Images, depths, turns and objects of pairs of views."""
    rng = np.random.default_rng(seed)
    bank = ObjectBank.bundled()
    bank = bank.subset(rng.permutation(len(bank))[:N_OBJECTS])
    n = N_TRAIN + N_TEST
    objects, action = rng.integers(N_OBJECTS, size=n), rng.uniform(-TURN, TURN, (n, 2))
    pose = rng.uniform(-1, 1, (n, 2)) * (np.pi, np.pi / 6)
    seen = [render(bank.packed, objects, pose_matrix(*p.T), Camera(size)) for p in (pose, pose + action)]
    return seen, action, objects


def raw_steps(seed):
    seen, action, objects = turns(12, seed)
    depth = [np.minimum(s.depth, FARTHEST).reshape(len(action), -1).astype(float) for s in seen]
    return Transitions({"eye": depth[0]}, action, {"eye": depth[1]}, objects)


def embedded_steps(seed):
    from smc.encoders import ConvEncoder, embed, pretrain

    seen, action, objects = turns(32, seed)
    images = [s.image for s in seen]
    steps = Transitions({"eye": images[0]}, action.astype(np.float32), {"eye": images[1]}, objects)
    trained = pretrain(steps[:N_TRAIN], {"eye": ConvEncoder()}, n_steps=ENCODER_STEPS, threads=1)
    embedded = [embed(trained["eye"], image, "backbone").astype(float) for image in images]
    return Transitions({"eye": embedded[0]}, action, {"eye": embedded[1]}, objects)


# --- methods: learn from steps, and from what was tuned on the first draw (then None), to predict ---------------------


def _contingency(training):
    def learn(train, tuned):
        # Folds over single steps: the test turns the same objects.
        alike = Transitions(train.observation, train.action, train.next_observation)
        model = LocalLinearContingency(training=training, random_state=0).fit(alike)
        return lambda steps: model.predict(steps.observation["eye"], steps.action), None

    return learn


def _neighbours(train, tuned):
    scaler = StandardScaler().fit(train.observation["eye"])
    turn_scale = TURN / np.sqrt(3) / np.sqrt(train.observation["eye"].shape[1])

    def inputs(steps, weight):
        return np.hstack([scaler.transform(steps.observation["eye"]), weight * steps.action / turn_scale])

    if tuned is None:
        choices = [(k, weight) for k in NEIGHBOURS for weight in WEIGHTS]
        score = [cross_val_score(KNeighborsRegressor(k), inputs(train, w), _change(train)).mean() for k, w in choices]
        tuned = choices[int(np.argmax(score))]
    k, weight = tuned
    model = KNeighborsRegressor(k).fit(inputs(train, weight), _change(train))

    def predict(steps):
        near = _change(train)[model.kneighbors(inputs(steps, weight), return_distance=False)]
        variance = near.var(axis=1, ddof=1)
        # Neighbours that agree by chance do not make an outcome certain: ten more of the usual spread, as ours get.
        return near.mean(axis=1), (k * variance + 10 * variance.mean(axis=0)) / (k + 10)

    return predict, tuned


def _process(train, tuned):
    part = train[:N_PROCESS]

    def inputs(steps):
        return np.hstack([steps.observation["eye"], steps.action])

    scaler = StandardScaler().fit(inputs(part))
    kernel = RBF(np.sqrt(inputs(part).shape[1])) + WhiteKernel(0.1) if tuned is None else tuned
    optimizer = "fmin_l_bfgs_b" if tuned is None else None
    process = GaussianProcessRegressor(kernel, normalize_y=True, optimizer=optimizer, random_state=0)
    process.fit(scaler.transform(inputs(part)), _change(part))

    def predict(steps):
        mean, deviation = process.predict(scaler.transform(inputs(steps)), return_std=True)
        return mean, deviation**2

    return predict, process.kernel_


METHODS = {
    "online": _contingency("online"),
    "batch training": _contingency("batch"),
    "k-NN": _neighbours,
    "Gaussian process": _process,
}


def _change(steps):
    return steps.next_observation["eye"] - steps.observation["eye"]


def _figures(change, variance, test):
    """The measures; surprise in units of the change's deviation."""
    truth = _change(test)
    moving = truth.std(axis=0) > 1e-9
    error, scale = (change - truth)[:, moving], truth[:, moving].std(axis=0)
    variance = np.maximum(variance[:, moving], 1e-6 * scale**2)
    surprise = 0.5 * (np.log(2 * np.pi * variance / scale**2) + error**2 / variance).mean()
    missed = (error**2).sum() / ((truth - truth.mean(axis=0)) ** 2).sum()
    standardised = (error / np.sqrt(variance)).ravel()
    squared, variance = (error**2).ravel(), variance.ravel()
    bins = np.array_split(np.argsort(variance), 10)
    expected, found = (np.log([values[rows].mean() for rows in bins]) for values in (variance, squared))
    return (
        missed,
        np.exp(surprise),
        spearmanr(variance, squared).statistic,
        squared.sum() / variance.sum(),
        np.polyfit(expected, found, 1)[0],
        *((abs(standardised) < deviations).mean() for deviations in (1.645, 0.6745)),
        kurtosis(standardised, fisher=False),
    )
