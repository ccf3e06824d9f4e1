"""One to three sounds in a room, what four microphones record of them, and what is read from the recordings."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from ._room import SPEED_OF_SOUND, transfer

RATE = 16_000  # Hz
N_SAMPLES, FRAME = 2048, 512  # of a recording (128 ms), and of the frames over which correlations are averaged
BAND = (300.0, 7000.0)  # Hz
MICROPHONES = 0.04 * np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]])  # metres: a square in the horizontal
PAIRS = np.array(list(combinations(range(len(MICROPHONES)), 2)))
LAGS = np.arange(-5.5, 5.6, 0.5)  # samples; sound crosses the square in 5.3
MOST_SOURCES = 3
LEAST_ANGLE = np.radians(20)  # between two sources
CHUNK = 50  # recordings at a time, which fit the cache
SIZES = {"seen": ((4.5, 6.5), (4.5, 6.5), (2.5, 3.0)), "unseen": ((6.5, 9.0), (6.5, 9.0), (3.0, 4.0))}  # metres
ABSORPTION = {"seen": (0.5, 0.8), "unseen": (0.25, 0.5)}  # share of the energy that a wall takes


@dataclass(frozen=True)
class Rooms:
    """Size (n, 3), reflection of the walls (n,) and place of the array (n, 3)."""

    size: np.ndarray
    reflection: np.ndarray
    array: np.ndarray


@dataclass(frozen=True)
class Recordings:
    """Features (n, n_pairs * n_lags), directions (n, 3) in radians, and which of them there are, (n, 3)."""

    features: np.ndarray
    angles: np.ndarray
    present: np.ndarray

    @property
    def directions(self):
        """Unit vectors (n, 3, 2)."""
        return np.stack([np.cos(self.angles), np.sin(self.angles)], axis=2).astype(np.float32)


def draw_rooms(kind, n, rng):
    """Rooms of a kind; those not seen in training are larger and more reverberant."""
    size = np.column_stack([rng.uniform(*limits, n) for limits in SIZES[kind]])
    reflection = np.sqrt(1 - rng.uniform(*ABSORPTION[kind], n))
    array = size / 2 + rng.uniform(-0.3, 0.3, (n, 3))
    array[:, 2] = rng.uniform(1.0, 1.4, n)
    return Rooms(size, reflection, array)


def record(rooms, n, order, rng):
    """n recordings, each in one of the rooms."""
    chunks = [_record(rooms, min(CHUNK, n - start), order, rng) for start in range(0, n, CHUNK)]
    return Recordings(*(np.concatenate([getattr(c, name) for c in chunks]) for name in Recordings.__annotations__))


def _record(rooms, n, order, rng):
    room = rng.integers(len(rooms.size), size=n)
    present = np.arange(MOST_SOURCES) < rng.integers(1, MOST_SOURCES + 1, n)[:, None]
    angles = draw_angles(n, rng)
    spectra = np.zeros((n, len(MICROPHONES), N_SAMPLES // 2 + 1), dtype=complex)
    for s in range(MOST_SOURCES):
        rows = np.flatnonzero(present[:, s])
        where = room[rows]
        away = rng.uniform(1.0, 1.8, len(rows))
        place = rooms.array[where] + np.column_stack(
            [away * np.cos(angles[rows, s]), away * np.sin(angles[rows, s]), rng.uniform(-0.3, 0.5, len(rows))]
        )
        response = transfer(
            place, rooms.array[where][:, None] + MICROPHONES, rooms.size[where], rooms.reflection[where], order,
            spectra.shape[2], RATE / N_SAMPLES,
        )  # fmt: skip
        spectra[rows] += response * draw_sounds(len(rows), rng)[:, None]
    signals = np.fft.irfft(spectra)
    level = np.sqrt((signals**2).mean(axis=(1, 2), keepdims=True))
    noise = level * 10 ** (-rng.uniform(5, 20, (n, 1, 1)) / 20)
    return Recordings(correlations(signals + noise * rng.standard_normal(signals.shape)), angles, present)


def draw_angles(n, rng):
    """Directions (n, MOST_SOURCES), anywhere on the circle but no two closer than LEAST_ANGLE."""
    free = np.sort(rng.uniform(0, 2 * np.pi - MOST_SOURCES * LEAST_ANGLE, (n, MOST_SOURCES)), axis=1)
    angles = free + LEAST_ANGLE * np.arange(MOST_SOURCES) + rng.uniform(0, 2 * np.pi, (n, 1))
    return rng.permuted(angles, axis=1) % (2 * np.pi)


def draw_sounds(n, rng):
    """Spectra (n, N_SAMPLES // 2 + 1) of bursts like syllables: noise with three resonances, swelling and fading."""
    time = np.linspace(0, 1, N_SAMPLES)
    swell = np.exp(-0.5 * ((time - rng.uniform(0.1, 0.9, (n, 1))) / rng.uniform(0.15, 0.5, (n, 1))) ** 2)
    frequency = np.fft.rfftfreq(N_SAMPLES, 1 / RATE)
    center, width = rng.uniform(300, 5000, (n, 3, 1)), rng.uniform(200, 800, (n, 3, 1))
    color = 0.1 + np.exp(-0.5 * ((frequency - center) / width) ** 2).sum(axis=1)
    spectra = np.fft.rfft(swell * rng.standard_normal((n, N_SAMPLES))) * color
    level = 10 ** (rng.uniform(-3, 3, (n, 1)) / 20)
    return level * spectra / np.sqrt((np.abs(spectra) ** 2).mean(axis=1, keepdims=True))


def correlations(signals):
    """Generalised cross-correlation with phase transform of every pair at LAGS, (n, n_pairs * n_lags).

    Knapp & Carter (1976), IEEE Trans. Acoust. Speech Signal Process. 24:320. Phases count alike in every frame and
    frequency, so that a source that is the loudest somewhere leaves its trace there.
    """
    frames = np.lib.stride_tricks.sliding_window_view(signals, FRAME, axis=2)[:, :, :: FRAME // 2]
    spectra = np.fft.rfft(frames * np.hanning(FRAME))
    frequency = np.fft.rfftfreq(FRAME, 1 / RATE)
    used = (frequency >= BAND[0]) & (frequency <= BAND[1])
    phases = spectra[..., used]
    phases = phases / np.maximum(np.abs(phases), np.finfo(float).tiny)
    cross = (phases[:, PAIRS[:, 0]] * phases[:, PAIRS[:, 1]].conj()).mean(axis=2)
    turns = 2 * np.pi * frequency[used][:, None] * LAGS / RATE
    at_lags = cross.real @ np.cos(turns) - cross.imag @ np.sin(turns)
    return (at_lags / used.sum()).reshape(len(signals), -1).astype(np.float32)


def expected_lags(angles):
    """Lag of every pair for sounds from far away in the plane of the array, (..., n_pairs), in samples."""
    towards = np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=-1)
    between = MICROPHONES[PAIRS[:, 0]] - MICROPHONES[PAIRS[:, 1]]
    return -towards @ between.T * RATE / SPEED_OF_SOUND


def symmetries():
    """The eight ways to turn and mirror the square: columns of features, sign and offset of the angles.

    Recordings whose microphones are renamed so are those of a turned or mirrored scene: eight for the price of one.
    """
    found = []
    for sign in (1, -1):
        for quarter in range(4):
            turned = quarter * np.pi / 2 + sign * np.arctan2(MICROPHONES[:, 1], MICROPHONES[:, 0])
            places = np.column_stack([np.cos(turned), np.sin(turned)])
            # The microphone that is where i stood hears what i heard.
            heard = np.argmax(MICROPHONES[:, :2] @ places.T, axis=1)
            found.append((_renamed_columns(heard), sign, quarter * np.pi / 2))
    return found


def _renamed_columns(heard):
    columns = np.arange(len(PAIRS) * len(LAGS)).reshape(len(PAIRS), len(LAGS))
    number = {tuple(pair): p for p, pair in enumerate(PAIRS.tolist())}
    renamed = []
    for a, b in heard[PAIRS].tolist():
        renamed.append(columns[number[a, b]] if a < b else columns[number[b, a]][::-1])
    return np.concatenate(renamed)
