"""The audio-visual network of Cuppini et al. (2017): two rings of sense, one that infers the causes."""

from functools import partial
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from fusion._field_kernels import ROWS
from fusion._ring_kernels import evolve_rings
from topology._validation import check_integer, check_matrix, check_real, read_only

# Constants of scikit-neuromsi 1.0.2 (Paredes et al. 2025, 10.1007/s12021-025-09738-1), degrees and milliseconds.
SLOPE, THRESHOLD = 0.3, 20.0
TAU_AUDITORY, TAU_VISUAL, TAU_MULTISENSORY = 3.0, 15.0, 1.0
UNISENSORY = {"excitation": 5.0, "excitation_width": 3.0, "inhibition": 4.0, "inhibition_width": 120.0}
MULTISENSORY = {"excitation": 3.0, "excitation_width": 2.0, "inhibition": 2.6, "inhibition_width": 10.0}
CROSS_MODAL_WIDTH, FEEDFORWARD_WIDTH = 5.0, 0.5
BATCH = 128  # trials whose products are computed together
CHUNK = 500  # steps between two looks at the progress bar


class Activities(NamedTuple):
    """Activity of every neuron in [0, 1], (n_trials, n_neurons) per layer."""

    auditory: np.ndarray
    visual: np.ndarray
    multisensory: np.ndarray


class AudiovisualNetwork:
    """Network that localises a sound and a flash and tells whether they have one cause.

    After Cuppini et al. (2017), Eur. J. Neurosci. 46:2481.

    Neurons on three rings: an auditory and a visual one, which excite each other where they agree, and a multisensory
    one fed by both, on which one bump says one cause and two say two. Euler steps, float32.

    Parameters
    ----------
    n_neurons : int, default=180
        Neurons per ring, one per degree.
    cross_modal_weight : float, default=1.4
        Peak of the excitation between the auditory and the visual ring.
    feedforward_weight : float, default=18
        Peak of the excitation of the multisensory ring.
    time_step : float, default=0.01
        In ms, at most the shortest time constant, 1 ms.

    Examples
    --------
    >>> from fusion import AudiovisualNetwork
    >>> network = AudiovisualNetwork(time_step=0.1)
    >>> activities = network.run([90.0, 50.0], [90.0, 130.0])
    >>> network.count_causes(activities).tolist()
    [1, 2]
    """

    def __init__(self, n_neurons=180, *, cross_modal_weight=1.4, feedforward_weight=18.0, time_step=0.01):
        self.n_neurons = check_integer("n_neurons", n_neurons, 3)
        self.cross_modal_weight = check_real("cross_modal_weight", cross_modal_weight, 0)
        self.feedforward_weight = check_real("feedforward_weight", feedforward_weight, 0)
        self.time_step = check_real("time_step", time_step, 0, TAU_MULTISENSORY, open_low=True)
        lateral = self._mexican_hat(**UNISENSORY)
        cross = self.cross_modal_weight * self._gaussian(CROSS_MODAL_WIDTH)
        # Both senses share their synapses, so sum and difference of the two rings evolve by one matrix each.
        within = self._mexican_hat(**MULTISENSORY)
        upward = self.feedforward_weight * self._gaussian(FEEDFORWARD_WIDTH)
        # The slope of the logistic function is taken into the synapses, as it is into the inputs.
        synapses = (0.5 * (lateral + cross), 0.5 * (lateral - cross), within, upward)
        self._synapses = [(SLOPE * matrix).astype(np.float32) for matrix in synapses]

    def run(
        self,
        auditory_position,
        visual_position,
        duration=100.0,
        *,
        auditory_intensity=28.0,
        visual_intensity=27.0,
        auditory_width=32.0,
        visual_width=4.0,
        callback=None,
    ):
        """Present a sound and a flash in every trial, from silence on.

        Parameters
        ----------
        auditory_position, visual_position : array-like of shape (n_trials,)
            Degrees, in [0, n_neurons].
        duration : float, default=100
            Of stimuli and run, ms; rounded to whole steps.
        auditory_intensity, visual_intensity, auditory_width, visual_width : float or array-like of shape (n_trials,)
            Height, at least 0, and standard deviation, degrees, of the Gaussian inputs. Intensity 0: no stimulus.
        callback : callable(state, step), optional
            Called after every step with `Activities`; all trials are then one batch. Returning True ends the run.

        Returns
        -------
        activities : Activities

        Raises
        ------
        ValueError
            Values out of range, numbers of trials that differ.
        """
        n_steps = round(check_real("duration", duration, self.time_step) / self.time_step)
        auditory = self._check_trials("auditory", auditory_position)
        visual = self._check_trials("visual", visual_position)
        if len(auditory) != len(visual):
            raise ValueError(
                f"visual_position must hold {len(auditory)} trials, as auditory_position, got {len(visual)}"
            )
        inputs = np.stack(
            [
                self._stimulus("auditory", auditory, auditory_intensity, auditory_width),
                self._stimulus("visual", visual, visual_intensity, visual_width),
            ]
        )
        size = len(auditory) if callback is not None else BATCH
        batches = range(0, len(auditory), size)
        with tqdm(total=len(batches) * n_steps, unit="step", delay=2, disable=None, leave=False) as bar:
            parts = [self._run_batch(inputs[:, :, b : b + size], n_steps, callback, bar) for b in batches]
        return Activities(*(np.concatenate(layer, axis=1).T for layer in zip(*parts)))

    def count_causes(self, activities, *, threshold=0.15):
        """Number of bumps on the multisensory ring whose peak exceeds `threshold`, (n_trials,)."""
        check_real("threshold", threshold, 0, 1)
        multisensory = check_matrix("activities", activities.multisensory, n_columns=self.n_neurons)
        rises = multisensory > np.roll(multisensory, 1, axis=1)
        falls = multisensory >= np.roll(multisensory, -1, axis=1)
        return (rises & falls & (multisensory > threshold)).sum(axis=1)

    def _run_batch(self, inputs, n_steps, callback, bar):
        """Final activities (3, n_neurons, n_trials) of some trials at once, from inputs (2, n_neurons, n_trials)."""
        drive = np.full((3, *inputs.shape[1:]), -SLOPE * THRESHOLD, np.float32)
        drive[:2] += SLOPE * inputs
        rates = self.time_step / np.array([TAU_AUDITORY, TAU_VISUAL, TAU_MULTISENSORY])
        activity = np.zeros_like(drive)
        prepare = _alone if inputs.shape[2] == 1 else _side_by_side
        evolve = prepare(self._synapses, drive, activity, rates.astype(np.float32))
        chunk = CHUNK if callback is None else 1
        for start in range(0, n_steps, chunk):
            taken = min(chunk, n_steps - start)
            evolve(taken)
            bar.update(taken)
            if callback is not None:
                state = Activities(*(read_only(layer.T) for layer in activity))
                if callback(state, start + taken) is True:
                    break
        return activity

    def _distances(self, position):
        """Degrees from every neuron around the ring to positions (n,): (n_neurons, n)."""
        straight = abs(np.arange(self.n_neurons)[:, None] - position)
        return np.where(straight <= self.n_neurons / 2, straight, self.n_neurons - straight)

    def _gaussian(self, width):
        return np.exp(-(self._distances(np.arange(self.n_neurons)) ** 2) / (2 * width**2))

    def _mexican_hat(self, excitation, excitation_width, inhibition, inhibition_width):
        """Synapses (n_neurons, n_neurons) within a ring; a neuron has none on itself."""
        synapses = excitation * self._gaussian(excitation_width) - inhibition * self._gaussian(inhibition_width)
        np.fill_diagonal(synapses, 0.0)
        return synapses

    def _stimulus(self, sense, position, intensity, width):
        intensity, width = np.asarray(intensity, dtype=float), np.asarray(width, dtype=float)
        for name, values in (("intensity", intensity), ("width", width)):
            if values.shape not in ((), position.shape) or not np.isfinite(values).all():
                raise ValueError(f"{sense}_{name} must be finite, one number or one per trial, got {values.shape}")
        if (intensity < 0).any() or (width <= 0).any():
            raise ValueError(f"{sense}_intensity must not be negative and {sense}_width must be positive")
        return intensity * np.exp(-(self._distances(position) ** 2) / (2 * width**2))

    def _check_trials(self, sense, position):
        position = check_matrix(f"{sense}_position", np.atleast_2d(position)).astype(float)
        if len(position) != 1:
            raise ValueError(f"{sense}_position must have shape (n_trials,), got {position.shape}")
        if (position < 0).any() or (position > self.n_neurons).any():
            raise ValueError(f"{sense}_position must lie in [0, {self.n_neurons}] degrees")
        return position[0]


def _alone(synapses, drive, activity, rates):
    """evolve(n_steps) for a single trial, which changes `activity`; a product with a matrix would wait for memory."""
    profiles, firsts = zip(*(_profile(matrix[0]) for matrix in synapses))
    return partial(evolve_rings, profiles, np.array(firsts), drive[..., 0], activity[..., 0], rates)


def _profile(synapses):
    """The entries of a row of synapses that are not 0, filled up to a multiple of ROWS, and the offset of the first."""
    n = len(synapses)
    centred = np.roll(synapses, n // 2)
    reached = np.flatnonzero(centred)
    low, high = (reached[0], reached[-1] + 1) if len(reached) else (0, 1)
    profile = np.zeros(-(-(high - low) // ROWS) * ROWS, synapses.dtype)
    profile[: high - low] = centred[low:high]
    return profile, (low - n // 2) % n


def _side_by_side(synapses, drive, activity, rates):
    """evolve(n_steps) for several trials, which changes `activity`."""
    sums, differences, within, upward = synapses
    synapses, rates = (sums, differences, np.hstack([within, upward])), rates[:, None, None]
    n_neurons, n_trials = activity.shape[1:]
    work = [np.empty((rows, n_trials), np.float32) for rows in (3 * n_neurons, 2 * n_neurons, n_neurons, n_neurons)]

    def evolve(n_steps):
        for _ in range(n_steps):
            _step(activity, drive, synapses, rates, work)

    return evolve


def _step(activity, drive, synapses, rates, work):
    """One Euler step of all rings, (3, n_neurons, n_trials) in place; `work` is overwritten."""
    sums, differences, multisensory = synapses
    net, joint, difference, by_sum = work
    n_neurons = activity.shape[1]
    net = net.reshape(activity.shape)
    joint[:n_neurons] = activity[2]  # above the sum of the two senses, which feeds it
    np.add(activity[0], activity[1], out=joint[n_neurons:])
    np.subtract(activity[0], activity[1], out=difference)
    np.matmul(sums, joint[n_neurons:], out=by_sum)
    np.matmul(differences, difference, out=net[2])
    np.add(by_sum, net[2], out=net[0])
    np.subtract(by_sum, net[2], out=net[1])
    np.matmul(multisensory, joint, out=net[2])
    net += drive
    # activity += rate (1 / (1 + exp(-net)) - activity)
    np.negative(net, out=net)
    with np.errstate(over="ignore"):  # strong inhibition: 1 / (1 + inf) is the 0 that it should be
        np.exp(net, out=net)
    net += 1
    np.reciprocal(net, out=net)
    net -= activity
    net *= rates
    activity += net
