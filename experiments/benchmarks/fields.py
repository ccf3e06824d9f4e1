"""Neural fields: one step on irregular nodes beside a Fourier field on a grid, and a network beside scikit-neuromsi.

One thread, float32. Fields: jittered positions on a torus in shuffled order, 32 neighbours on average, either all
active (logistic output) or silent outside one bump (ramp; links from silent regions are not read). The peer is the same
ramp step on a regular grid by scipy's Fourier transform, the limit one pass over all links (weights, indices and
potentials read once by a bare inner product). Network: that of Cuppini et al. (2017) at the default time step of
scikit-neuromsi, 10,000 Euler steps; the row states by how much the activities of the two differ at most at the end.

Weights on a learned map: two cues 8 apart, of five ratios of sigma, at 41 places of a map of 250 units, against the
share of the precision of the first.
"""

import time

import numpy as np
from scipy import fft
from tqdm import tqdm

from fusion import AudiovisualNetwork, LateralKernel, NeuralField
from topology import GrowingNeuralGas
from topology._nearest import one_blas_thread

SIDES = (32, 100, 320)
N_NEIGHBORS = 32
N_STEPS = {32: 2000, 100: 200, 320: 20}
N_REPETITIONS = 7
N_TRIALS = 128
SIGMA_SEEN, SIGMA_HEARD = np.array([2.0, 4.0, 6.0, 9.0, 14.0]), 6.0
PLACES, DISPARITY = np.linspace(-30, 30, 41), 8.0
CLOSE = 0.05  # of the optimal weight
N_SHOWN = 4  # trials of which every repetition of the peer runs one


def rows() -> list[dict]:
    with one_blas_thread():
        return [row for side in SIDES for row in _field_rows(side)] + [_batch_row(100, 64)] + _network_rows() + _weight_rows()


def _row(name, unit, ours, peers, limit=None, better="lower") -> dict:
    peers = {"peers": peers, "limit": limit, "better": better}
    return {"table": "fields", "row": name, "unit": unit, "ours": ours} | peers


def _field_rows(side) -> list[dict]:
    n_steps, name = N_STEPS[side], f"field, {side**2} nodes, {N_NEIGHBORS} neighbours"
    active, bump = _field(side, activation="sigmoid", slope=8.0), _field(side)
    peers = {"scipy FFT on a grid": _time_fourier(side, n_steps)}
    return [
        _row(f"{name}, all active", "CPU us/step", _time_steps(active, side, n_steps), {}, _time_links(active)),
        _row(f"{name}, one bump", "CPU us/step", _time_steps(bump, side, n_steps), peers),
    ]


def _batch_row(side, n_trials) -> dict:
    field = _field(side, activation="sigmoid", slope=8.0)
    ours = _time_steps(field, side, 20, n_trials) / n_trials
    return _row(f"field, {side**2} nodes, {n_trials} trials at once, all active", "CPU us/step and trial", ours, {})


def _time_steps(field, side, n_steps, n_trials=1) -> float:
    """CPU us per step."""
    stimulus = field.encode(np.random.default_rng(0).uniform(0, side, (n_trials, 2)), width=3.0)
    stimulus = stimulus[0] if n_trials == 1 else stimulus
    return 1e6 * _best_time(lambda: field.run(stimulus, n_steps)) / n_steps


def _field(side, **options) -> NeuralField:
    rng = np.random.default_rng(0)
    positions = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2)
    positions = rng.permutation(positions + rng.uniform(-0.3, 0.3, positions.shape))
    radius = np.sqrt((N_NEIGHBORS + 1) / np.pi)
    return NeuralField(positions, period=side, kernel=LateralKernel(radius / 2.5, reach=2.5), **options)


def _time_fourier(side, n_steps) -> float:
    """CPU us per step of the same equation on a grid."""
    axis = np.minimum(np.arange(side), side - np.arange(side))
    kernel = np.exp(-(axis[:, None] ** 2 + axis**2) / (2 * 1.3**2)).astype(np.float32)
    transformed = fft.rfft2(4 * kernel / kernel.sum())
    stimulus = np.roll(kernel, (side // 2, side // 2), (0, 1)) - np.float32(0.3)
    inhibition = np.float32(0.6 / kernel.sum())

    def run():
        u = np.full_like(kernel, -0.3)
        for _ in range(n_steps):
            f = np.clip(2 * u, 0, 1)
            u += np.float32(0.2) * (
                stimulus - u + fft.irfft2(transformed * fft.rfft2(f), s=f.shape) - inhibition * f.sum()
            )

    return 1e6 * _best_time(run) / n_steps


def _time_links(field) -> float:
    """CPU us to read as many bytes as the links and potentials have, once."""
    weights, sources, _ = field._links.arrays
    stream = np.zeros((weights.nbytes + sources.nbytes) // 4 + 4 * field._links.size, np.float32)
    n = max(1, 2_000_000 // stream.size)
    return 1e6 * _best_time(lambda: [stream @ stream for _ in range(n)]) / n


def _weight_rows() -> list[dict]:
    """How well the weights hold in the mean over places, and at each of them."""
    gaps = _weights_on_a_map() - SIGMA_HEARD**2 / (SIGMA_SEEN**2 + SIGMA_HEARD**2)
    name = "field on a learned map, weight of a cue"
    return [
        _row(f"{name}: mean over places, farthest from optimal", "share", float(abs(gaps.mean(axis=0)).max()), {}),
        _row(f"{name}: SD over places, largest", "share", float(gaps.std(axis=0).max()), {}),
        _row(f"{name}: places within {CLOSE}", "share", float(np.mean(abs(gaps) <= CLOSE)), {}, better="higher"),
    ]


def _weights_on_a_map():
    """Share of the seen cue in the percept (n_places, n_ratios)."""
    X = np.random.default_rng(1).uniform([-60, -3], [60, 3], (4000, 2))
    field = NeuralField(GrowingNeuralGas(250, n_epochs=15, random_state=0).fit(X), kernel=LateralKernel(6.0))
    middle, n = np.repeat(PLACES, len(SIGMA_SEEN)), len(PLACES)
    cues = np.stack([field.encode(np.c_[middle + side, 0 * middle], width=8.0) for side in (DISPARITY / 2, -DISPARITY / 2)])
    precision = np.stack([np.tile(SIGMA_SEEN**-2, n), np.full(len(middle), SIGMA_HEARD**-2)])
    percepts = field.run(cues, 150, precision=precision).decode()[:, 0]
    return ((percepts - middle) / DISPARITY + 0.5).reshape(n, -1)


def _network_rows() -> list[dict]:
    rng = np.random.default_rng(0)
    auditory, visual = rng.integers(40, 140, (2, N_TRIALS))
    network = AudiovisualNetwork()
    peer_time, peer_activities = _run_peer(auditory, visual)
    name = "audio-visual network, 3 x 180 neurons, 10000 steps of .01 ms"
    if peer_activities is not None:
        ours = np.stack(network.run(auditory[:N_SHOWN], visual[:N_SHOWN]))
        name += f", differs by {np.abs(ours - peer_activities).max():.0e}"
    times = {n: _best_time(lambda n=n: network.run(auditory[:n], visual[:n]), 3) / n for n in (1, N_TRIALS)}
    return [
        _row(f"{name}, {n} at once", "CPU ms/trial", 1e3 * seconds, {"scikit-neuromsi": peer_time})
        for n, seconds in times.items()
    ]


def _run_peer(auditory, visual):
    """CPU ms per trial of scikit-neuromsi and its final activities (3, N_SHOWN, 180), or None and None."""
    try:
        from skneuromsi.neural import Cuppini2017
    except ImportError:
        return None, None
    model, finals = Cuppini2017(), []

    def run():
        trial = len(finals) % N_SHOWN
        response = model.run(auditory_position=int(auditory[trial]), visual_position=int(visual[trial]))
        layers = response.to_xarray().sel(modes=["auditory", "visual", "multi"])
        finals.append(layers.isel(times=-1).squeeze().values)

    milliseconds = 1e3 * _best_time(run)
    return milliseconds, np.stack(finals[:N_SHOWN], axis=1)


def _best_time(work, n_repetitions=N_REPETITIONS) -> float:
    """Least process CPU time in seconds; the first call compiles and is not counted."""
    work()
    seconds = []
    for _ in tqdm(range(n_repetitions), desc="fields", delay=2, leave=False, disable=None):
        start = time.process_time()
        work()
        seconds.append(time.process_time() - start)
    return min(seconds)
