"""Sounds meet sights: which sight belongs to which sound, and where is what is seen?"""

from typing import NamedTuple

import numpy as np

from fusion import CausalInference, LocalPrecision, fuse_gaussians
from smc.hypotheses import assign_cause, fuse_hypotheses

from ._judging import between
from ._recordings import MOST_SOURCES

VISIBLE = 0.7  # probability of a source to be seen
P_COMMON = VISIBLE * (MOST_SOURCES + 1) / 2 / MOST_SOURCES  # share of the sights that have a sound
SIGHT_NOISE = np.radians((3, 20))  # standard deviations of sights, log-uniform; every sight knows its own
HEARD = 0.5  # score from which the pairings by distance take a hypothesis for a sound
LIMITS = np.radians(np.arange(2, 61, 2))
NONE = -1
# The density of this Gaussian at the cue is that of the uniform distribution on the circle: a sound that has nothing to
# do with the sight may be anywhere.
PRIOR_SIGMA = np.sqrt(2 * np.pi)


class Scenes(NamedTuple):
    """Recordings with three sights each, all (n, 3): where they are, the noisy cue, its precision, the source or NONE.

    `hypotheses` (n, K) and `scores` (n, K) are heard, `owner` (n, K) is the source nearest to each hypothesis.
    """

    places: np.ndarray
    cues: np.ndarray
    precision: np.ndarray
    source: np.ndarray
    hypotheses: np.ndarray
    scores: np.ndarray
    owner: np.ndarray


def draw_scenes(recordings, hypotheses, scores, rng):
    """Some sources are seen, the other sights are of silent things."""
    shape = recordings.angles.shape
    seen = recordings.present & (rng.random(shape) < VISIBLE)
    places = np.where(seen, recordings.angles, rng.uniform(0, 2 * np.pi, shape))
    noise = np.exp(rng.uniform(*np.log(SIGHT_NOISE), shape))
    away = between(hypotheses[:, :, None], recordings.angles[:, None])
    owner = np.where(recordings.present[:, None], away, np.inf).argmin(axis=2)
    source = np.where(seen, np.arange(shape[1]), NONE)
    cues = places + noise * rng.standard_normal(shape)
    return Scenes(places, cues, noise**-2.0, source, hypotheses.astype(float), scores.astype(float), owner)


class Hearing:
    """How precise each hypothesis is and how far apart a sight and its sound may be, from recordings kept apart."""

    def __init__(self, scenes, recordings, seed):
        away = recordings.angles[:, None] - scenes.hypotheses[:, :, None]
        errors = _wrapped(np.take_along_axis(away, scenes.owner[:, :, None], axis=2)[:, :, 0])
        # What wins no source has no error of its own.
        nearest = np.where(recordings.present[:, None], np.abs(_wrapped(away)), np.inf).argmin(axis=1)
        wins = np.zeros(errors.shape, dtype=bool)
        rows, sources = np.nonzero(recordings.present)
        wins[rows, nearest[rows, sources]] = True
        self._precision = LocalPrecision(random_state=seed).fit(_confidence(scenes.scores[wins]), errors[wins])
        found = [(pair_by_distance(scenes, limit)[0] == scenes.source).mean() for limit in LIMITS]
        self.limit = LIMITS[int(np.argmax(found))]

    def precision(self, scores):
        """Inverse variance (n, K) of the direction of a sound about its hypothesis, by how sure the hypothesis is."""
        return self._precision.precision(_confidence(scores.ravel())).reshape(scores.shape)


def observe(scenes, hearing):
    """Name of an observer -> the source that each sight is given to, or NONE, and where it is taken to be; (n, 3)."""
    precision = hearing.precision(scenes.scores)
    found = {
        "sight alone": (np.full_like(scenes.source, NONE), scenes.cues),
        "hearing alone": loudest(scenes),
        "nearest pairing": pair_by_distance(scenes, np.inf, precision),
        "nearest within a limit": pair_by_distance(scenes, hearing.limit, precision),
        "forced fusion": force(scenes, precision),
        "causal inference": infer(scenes, precision),
        "true pairing": pair_truly(scenes, precision),
    }
    other = scenes._replace(hypotheses=np.roll(scenes.hypotheses, 1, axis=0), scores=np.roll(scenes.scores, 1, axis=0))
    return found | {"causal, other scene": infer(other, np.roll(precision, 1, axis=0))}


def loudest(scenes):
    best = scenes.scores.argmax(axis=1)[:, None]
    answer = np.broadcast_to(_pick(scenes.owner, best), scenes.cues.shape)
    return answer, np.broadcast_to(_pick(scenes.hypotheses, best), scenes.cues.shape)


def pair_by_distance(scenes, limit, precision=None):
    """Every sight with the nearest hypothesis that is heard, unless that is further than the limit."""
    away = np.abs(_relative(scenes))
    heard = scenes.scores >= np.minimum(HEARD, scenes.scores.max(axis=1, keepdims=True))
    away = np.where(heard[:, None], away, np.inf)
    nearest = away.argmin(axis=2)
    paired = away.min(axis=2) <= limit
    answer = np.where(paired, _pick(scenes.owner, nearest), NONE)
    return answer, None if precision is None else np.where(paired, fuse(scenes, precision, nearest), scenes.cues)


def pair_truly(scenes, precision):
    """With the hypothesis that is nearest to the true direction; silent sights are left alone."""
    nearest = between(scenes.hypotheses[:, None], scenes.places[:, :, None]).argmin(axis=2)
    return scenes.source, np.where(scenes.source != NONE, fuse(scenes, precision, nearest), scenes.cues)


def fuse(scenes, precision, chosen):
    """Directions of the sights fused with one hypothesis each, (n, 3)."""
    offset = np.take_along_axis(_relative(scenes), chosen[:, :, None], axis=2)[:, :, 0]
    trust = np.stack([_pick(precision, chosen), scenes.precision])
    return scenes.cues + fuse_gaussians(np.stack([offset, np.zeros_like(offset)]), trust)[0]


def force(scenes, precision):
    """One of the hypotheses has the cause of the sight, whichever it is."""
    relative, scores, precision = _by_sight(scenes, precision)
    cue = np.zeros((len(relative), 1))
    fused = fuse_hypotheses(relative[:, :, None], scores, precision[:, :, None], cue, scenes.precision.reshape(-1, 1))
    shift = (fused.weights * fused.means[:, :, 0]).sum(axis=1)
    return _answer(scenes, fused.weights), scenes.cues + shift.reshape(scenes.cues.shape)


def infer(scenes, precision):
    """One of the hypotheses, or none, has the cause of the sight; the estimate is averaged over all cases."""
    relative, scores, precision = _by_sight(scenes, precision)
    observer = CausalInference(p_common=P_COMMON, sigma=(1.0, 1.0), prior_mean=0.0, prior_sigma=PRIOR_SIGMA)
    found = assign_cause(observer, relative, scores, precision, np.zeros(len(relative)), scenes.precision.ravel())
    shift = (found.posterior * found.means).sum(axis=1)
    return _answer(scenes, found.posterior), scenes.cues + shift.reshape(scenes.cues.shape)


def judge(scenes, found):
    """`right`: share of the sights given to their source, or to none; `sounding`, `silent`, `all`: RMSE in degrees."""
    answer, places = found
    squares = np.degrees(between(places, scenes.places)) ** 2
    sounding = scenes.source != NONE
    return {
        "right": (answer == scenes.source).mean(),
        "sounding": np.sqrt(squares[sounding].mean()),
        "silent": np.sqrt(squares[~sounding].mean()),
        "all": np.sqrt(squares.mean()),
    }


def _answer(scenes, weights):
    """The source of the likeliest hypothesis, NONE for a column after the last one."""
    owner = np.column_stack([scenes.owner, np.full(len(scenes.owner), NONE)])
    return _pick(owner, weights.argmax(axis=1).reshape(scenes.cues.shape))


def _by_sight(scenes, precision):
    """A row per sight: hypotheses relative to its cue, their scores and precisions."""
    relative = _relative(scenes)
    repeated = (np.repeat(a, relative.shape[1], axis=0) for a in (scenes.scores, precision))
    return relative.reshape(-1, relative.shape[2]), *repeated


def _relative(scenes):
    """Angles from every sight to every hypothesis (n, 3, K), within half a turn."""
    return _wrapped(scenes.hypotheses[:, None] - scenes.cues[:, :, None])


def _wrapped(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def _pick(values, columns):
    """values (n, K) at columns (n, m)."""
    return np.take_along_axis(values, columns, axis=1)


def _confidence(scores):
    """Log odds of scores (n,) as one feature (n, 1), cut where a score of single precision has no more digits."""
    scores = np.clip(scores, 1e-6, 1 - 1e-6)
    return np.log(scores / (1 - scores)).reshape(-1, 1)
