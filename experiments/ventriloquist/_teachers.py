"""Where the y of experience comes from, if not from an oracle, and noise that leaves no trace in one glance."""

import warnings

import numpy as np

from experiments._senses import Agent, Ears
from fusion import LocalPrecision, precision_calibration

TEACHERS = {
    "exact": "exact",
    "noisy": "noisy teacher, taken as exact",
    "told": "noisy teacher, its variance told",
    "too much": "the same, 20 % too much told",
    "other": "each sense taught by the other",
    "third": "the same, with a third sense",
    "twice": "noisy teacher, second glance",
}
TRACES = {
    "none": "one difference, one sound",
    "mismatch": "two differences, one sound",
    "two sounds": "one difference, two sounds",
}
N_EXACT = 1000  # pairs that start each sense where the senses teach each other
N_TIME = 25  # channels of the time difference
HIDDEN = (0.4, 2.0)  # factors of the jitter


def learn_from_teachers(sensors, y_range, n_samples, teacher_noise, levels, rng):
    """What becomes of the weight of vision when y is not exact.

    The third sense H reports y with Gaussian noise of SD teacher_noise.

    Returns
    -------
    dict of arrays
        "teacher_weight" (n_teachers, n_levels): mean share of the precision that vision has, at each level.
        "teacher_nll" (n_teachers, 2): negative log-likelihood of new y under the estimates of each sense.
    """
    y = rng.uniform(-y_range, y_range, n_samples)
    drawn = {name: sensor.conditions(n_samples, rng) for name, sensor in sensors.items()}
    glances = {name: [sensor.sense(y, rng, **drawn[name]) for _ in range(2)] for name, sensor in sensors.items()}
    third = y + teacher_noise * rng.standard_normal(n_samples)
    tests = [
        {
            name: sensor.sense(rng.uniform(-y_range / 4, y_range / 4, 1000), rng, **level[name])
            for name, sensor in sensors.items()
        }
        for level in levels
    ]
    y_new = rng.uniform(-y_range, y_range, n_samples // 4)
    new = {name: sensor.experience(y_new, rng) for name, sensor in sensors.items()}

    def fit(name, target, **options):
        model = LocalPrecision(random_state=int(rng.integers(2**31)))
        with warnings.catch_warnings():  # that a told variance accounts for all of the error somewhere
            warnings.simplefilter("ignore", RuntimeWarning)
            return model.fit(glances[name][0], target, **options)

    first, second = sensors
    started = Agent(random_state=int(rng.integers(2**31)))
    for name in sensors:
        started.learn(name, glances[name][0][:N_EXACT], y[:N_EXACT])
    seen_once = {name: both[0] for name, both in glances.items()}
    said = dict(zip(sensors, started.perceive(seen_once)[0]))
    # A teacher that is drawn to its prior would pass that on: it speaks without.
    plain, claimed = (dict(zip(sensors, values)) for values in started.perceive(seen_once, without_prior=True))
    taught = {
        "exact": {name: fit(name, y) for name in sensors},
        "noisy": {name: fit(name, third) for name in sensors},
        "told": {name: fit(name, third, target_variance=teacher_noise**2) for name in sensors},
        "too much": {name: fit(name, third, target_variance=1.2 * teacher_noise**2) for name in sensors},
        "other": {first: fit(first, said[second]), second: fit(second, said[first])},
        "third": {
            name: fit(
                name,
                plain[other],
                target_variance=variance_by_third(plain[other], plain[name], third, claimed[other]),
            )
            for name, other in ((first, second), (second, first))
        },
        "twice": {name: fit(name, third, X_again=glances[name][1]) for name in sensors},
    }
    weight, nll = np.empty((len(TEACHERS), len(levels))), np.empty((len(TEACHERS), 2))
    for i, models in enumerate(taught[teacher] for teacher in TEACHERS):
        for j, samples in enumerate(tests):
            precision = {name: models[name].precision(X) for name, X in samples.items()}
            weight[i, j] = np.mean(precision[first] / (precision[first] + precision[second]))
        nll[i] = [
            precision_calibration(models[name], new[name], y_new).negative_log_likelihood["predicted"]
            for name in sensors
        ]
    return {"teacher_weight": weight, "teacher_nll": nll}


def variance_by_third(teacher, pupil, third, claimed, n_bins=20):
    """Variance of what a teacher says, (n_samples,), from three senses whose errors are independent.

    E[(teacher - pupil)(teacher - third)] is the variance of the teacher alone; averaged over samples for which the
    teacher claims about the same variance.
    """
    edges = np.quantile(claimed, np.linspace(0, 1, n_bins + 1)[1:-1])
    member = np.searchsorted(edges, claimed)
    products = np.bincount(member, (teacher - pupil) * (teacher - third), minlength=n_bins)
    return np.maximum(products / np.maximum(np.bincount(member, minlength=n_bins), 1), 0)[member]


def learn_hidden_jitter(level, y_range, n_samples, rng):
    """Sounds of one level whose jitter is small or large at random: what a single sense can learn of it.

    Returns
    -------
    dict of arrays
        "hidden_nll" (n_traces, 3): of learned precision, of a constant and of the truth (told the jitter).
        "hidden_rank" (n_traces,): rank correlation of learned and true variance.
    """
    ears, nll, rank = Ears(hidden_jitter=HIDDEN), [], []
    y = rng.uniform(-y_range, y_range, 2 * n_samples)
    jitter = rng.choice(HIDDEN, len(y))
    sounds = [ears.sense(y, rng, level=level, jitter=jitter) for _ in range(2)]
    known, new = slice(None, n_samples), slice(n_samples, None)
    for X in (sounds[0][:, :N_TIME], sounds[0], np.hstack([sound[:, :N_TIME] for sound in sounds])):
        model = LocalPrecision(random_state=int(rng.integers(2**31))).fit(X[known], y[known])
        squared_error = (y[new] - model.predict(X[new])) ** 2
        truth = np.select(
            [jitter[new] == factor for factor in HIDDEN],
            [squared_error[jitter[new] == factor].mean() for factor in HIDDEN],
        )
        found = precision_calibration(model, X[new], y[new], true_variance=truth)
        nll.append([found.negative_log_likelihood[kind] for kind in ("predicted", "constant", "true variance")])
        rank.append(found.rank_correlation["true variance"])
    return {"hidden_nll": np.array(nll), "hidden_rank": np.array(rank)}
