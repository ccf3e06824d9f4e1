"""A neural field on a learned graph: senses push, near places help each other, one percept wins."""

import numpy as np
from tqdm import tqdm

from fusion._field_kernels import RAMP, RECTIFIED, SIGMOID, activate, evolve
from fusion._neural_field_bumps import find_bumps
from fusion._neural_field_kernel import DEFAULT_WIDTH, LateralKernel, TiledLinks, gaussian_links, relative_volumes
from fusion._neural_field_space import check_connected, field_space
from topology._validation import check_choice, check_integer, check_matrix, check_real, read_only

SHAPES = {"ramp": RAMP, "sigmoid": SIGMOID, "rectified": RECTIFIED}
CHUNK = 250  # steps between two looks at the progress bar
EXPLODED = 1e4  # times the largest potential that activities between 0 and 1 can cause


class NeuralField:
    """Neural field (Amari 1977, Biological Cybernetics 27:77) on positions, a grid or a learned graph.

    tau du_i/dt = -u_i + h + s_i + sum_j (A K(d_ij) - B) f(u_j) v_j, in Euler steps, float32. d is the distance along
    the edges of a graph, straight between bare positions; v is the volume that a node stands for, so that regions where
    a map has many units do not win by their number. The field starts at rest, u = h.

    Parameters
    ----------
    graph_or_positions : fitted map, networkx graph or array-like of shape (n_nodes, n_dims)
        A map with ``prototypes_`` and ``edges_``; a graph whose nodes carry ``position``; or the positions of a grid or
        cloud of nodes, (n_nodes,) in one dimension. Connected.
    kernel : LateralKernel, default=LateralKernel()
    period : float or array-like of shape (n_dims,), default=None
        Length after which a coordinate repeats (rings, tori); infinite for one that does not.
    volumes : array-like of shape (n_nodes,), default=None
        Volumes of the cells of the nodes, in any unit. None: from the
        positions, so that the kernel integrates to the same everywhere.
    activation : {"ramp", "sigmoid", "rectified"}, default="ramp"
        f(u): `slope` u clipped to [0, 1]; logistic function of `slope` u; or `slope` u clipped to [0, inf), which may
        explode.
    slope : float > 0, default=2
    resting_level : float, default=-0.3
        h, the potential without input.
    time_constant, time_step : float > 0, default=1 and 0.2
        tau and the length of an Euler step, in one unit; a step is at most tau.

    Attributes
    ----------
    positions_ : ndarray of shape (n_nodes, n_dims)
    volumes_ : ndarray of shape (n_nodes,), in units of the volume under the Gaussian of the kernel
    width_ : float, of the kernel
    potential_, activity_ : ndarray of shape (n_nodes,) or (n_trials, n_nodes), float32, after `run`
    n_steps_ : int, steps since rest

    Raises
    ------
    ValueError
        Parameters out of range, positions that are not finite, a graph or kernel that leaves parts unconnected.

    Notes
    -----
    Precision enters as gain: of several cues of one common width the more precise pushes harder. A blurred cue that is
    encoded by a wider push of equal height wins instead, as it pushes more nodes.

    On the uneven nodes of a learned map a bump creeps toward places where the nodes happen to hold it better, at random
    over places: with 3.5 spacings per kernel width by .06 of a width after 4 time constants and .2 after 30. Reading
    early, more units or a gentler slope keep it where the cues are. Weights of cues near each other are therefore
    those of their precisions in the mean over places (within .02), not at each: on 250 units, cues 8 apart, kernel of
    width 6, they have an SD of .16 over places, and 28 % lie within .05 (``mesmrise benchmarks fields``).

    Examples
    --------
    >>> import numpy as np
    >>> from fusion import NeuralField
    >>> field = NeuralField(np.arange(-60.0, 60.5, 0.5))
    >>> cues = field.encode([[2.0], [-2.0]], width=8.0)
    >>> seen_and_heard = field.run(cues, 150, precision=[4.0, 1.0]).decode()
    >>> bool(0.5 < seen_and_heard[0] < 2.0), len(field.bumps())
    (True, 1)
    """

    def __init__(
        self,
        graph_or_positions,
        *,
        kernel=None,
        period=None,
        volumes=None,
        activation="ramp",
        slope=2.0,
        resting_level=-0.3,
        time_constant=1.0,
        time_step=0.2,
    ):
        self.kernel = LateralKernel() if kernel is None else kernel
        if not isinstance(self.kernel, LateralKernel):
            raise TypeError(f"kernel must be a LateralKernel, got {kernel!r}")
        self.activation = check_choice("activation", activation, tuple(SHAPES))
        self.slope = check_real("slope", slope, 0, open_low=True)
        self.resting_level = check_real("resting_level", resting_level, -np.inf)
        self.time_constant = check_real("time_constant", time_constant, 0, open_low=True)
        self.time_step = check_real("time_step", time_step, 0, self.time_constant, open_low=True)
        self._space = field_space(graph_or_positions, period)
        self.positions_ = read_only(self._space.positions)
        self._connect(volumes)

    def run(self, stimulus, n_steps, *, precision=None, callback=None, resume=False):
        """Let the field evolve.

        Parameters
        ----------
        stimulus : array-like of shape (n_nodes,) or (n_trials, n_nodes)
            Input s, constant over the run. With `precision` one input per cue, (n_cues, n_nodes) or
            (n_cues, n_trials, n_nodes).
        n_steps : int
        precision : array-like of shape (n_cues,) or (n_cues, n_trials), default=None
            Inverse variance of each cue, as `LocalPrecision` estimates it. Cues are added with a gain equal to their
            share of the precision; 0 leaves a cue out.
        callback : callable(state, step), optional
            Called after every step with this field (read ``potential_``, ``activity_``) and the number of steps since
            rest, as `topology.History` is; returning True ends the run.
        resume : bool, default=False
            Go on from the last state instead of from rest, with as many trials.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            NaN or infinity, shapes that do not fit, negative precision, trials in which all precisions are 0.
        FloatingPointError
            If the potentials explode, naming the step.
        """
        n_steps = check_integer("n_steps", n_steps, 1)
        stimulus = self._check_stimulus(stimulus) if precision is None else self._weigh_cues(stimulus, precision)
        self._n_trials = self._prepare(stimulus, resume)
        drive = self._links.place(np.atleast_2d(stimulus) + self.resting_level)
        limit = EXPLODED * self._largest_input(stimulus)
        chunk = CHUNK if callback is None else 1
        with tqdm(total=n_steps, desc="field", unit="step", delay=2, disable=None, leave=False) as bar:
            for start in range(0, n_steps, chunk):
                taken = min(chunk, n_steps - start)
                self._evolve(drive, taken, limit)
                bar.update(taken)
                if callback is not None:
                    self._publish()
                    if callback(self, self.n_steps_) is True:
                        break
        self._publish()
        return self

    def decode(self, *, kind="position"):
        """Where the strongest bump of each trial is.

        Parameters
        ----------
        kind : {"position", "node"}, default="position"
            "position": centre of mass in the coordinates of the nodes, weighted by activity and volume; around the
            period where there is one (population vector). "node": the node at the centre of mass in the distances of
            the field, which stays on a curved map.

        Returns
        -------
        decoded : ndarray of shape (n_dims,) or (n_trials, n_dims), or of int () or (n_trials,)
            NaN, or -1, where nothing is active.
        """
        check_choice("kind", kind, ("position", "node"))
        bumps = [found[0] if found else None for found in self._all_bumps()]
        if kind == "node":
            decoded = np.array([-1 if bump is None else bump.node for bump in bumps])
        else:
            nowhere = np.full(self.positions_.shape[1], np.nan)
            decoded = np.array([nowhere if bump is None else bump.position for bump in bumps])
        return decoded[0] if self.activity_.ndim == 1 else decoded

    def bumps(self):
        """Connected regions of active nodes (activity of at least half the trial's largest), strongest first.

        Returns
        -------
        bumps : list of Bump, or for several trials list of lists
            Each with ``nodes``, ``mass`` (activity integrated over the region, in units of the volume under the
            Gaussian), ``peak`` (largest activity), ``position`` (n_dims,) and ``node``, the node at its centre.
        """
        found = self._all_bumps()
        return found[0] if self.activity_.ndim == 1 else found

    def encode(self, points, *, width=None):
        """Gaussian input of height 1 around points of the field's coordinates.

        Parameters
        ----------
        points : array-like of shape (n_points, n_dims)
        width : float, default=None
            Standard deviation, in the unit of the positions; None takes the kernel's. Give all cues the same: their
            precision enters as gain.

        Returns
        -------
        stimulus : ndarray of shape (n_points, n_nodes)
        """
        points = check_matrix("points", points, n_columns=self.positions_.shape[1])
        width = self.width_ if width is None else check_real("width", width, 0, open_low=True)
        squared = (self._space.difference(points[:, None], self.positions_) ** 2).sum(axis=-1)
        return np.exp(-squared / (2 * width**2))

    def _connect(self, volumes):
        width = self.kernel.width
        self.width_ = DEFAULT_WIDTH * self._space.spacing() if width is None else float(width)
        if self.width_ <= 0:
            raise ValueError(
                "graph_or_positions has no extent: at least half of the nodes share their place with another"
            )
        links = gaussian_links(self._space, self.width_, self.kernel.reach)
        check_connected(links, f"the field under a kernel that reaches {self.kernel.reach * self.width_:.3g}")
        if volumes is not None:
            volumes = self._check_volumes(volumes)
        volumes = relative_volumes(links, volumes)
        self.volumes_ = read_only(volumes)
        weights = links.multiply(self.kernel.excitation * volumes[None, :])
        self._total_excitation = float(weights.sum(axis=1).max())
        self._links = TiledLinks(weights, self.positions_)
        self._placed_volumes = self._links.place(volumes)

    def _evolve(self, drive, n_steps, limit):
        taken = evolve(
            self._links.arrays,
            self._placed_volumes,
            drive,
            self._potential,
            self._activity,
            np.float32(self.kernel.inhibition),
            np.float32(self.time_step / self.time_constant),
            SHAPES[self.activation],
            np.float32(self.slope),
            np.float32(limit),
            n_steps,
        )
        if taken <= n_steps:
            step = self.n_steps_ + taken
            self._forget()
            raise FloatingPointError(
                f"the field exploded at step {step}: a potential exceeded {limit:.3g}; lower the kernel's excitation "
                'or the slope, or take activation="ramp" or "sigmoid"'
            )
        self.n_steps_ += n_steps

    def _prepare(self, stimulus, resume):
        """Columns of potentials and activities at rest, or where the last run ended."""
        n_trials = len(np.atleast_2d(stimulus))
        if resume:
            if not hasattr(self, "activity_"):
                raise ValueError("resume=True needs a field that has run before")
            if len(np.atleast_2d(self.activity_)) != n_trials:
                raise ValueError(
                    f"stimulus must have as many trials as the run to resume, "
                    f"{len(np.atleast_2d(self.activity_))}, got {n_trials}"
                )
        else:
            self._potential = np.full((self._links.size, n_trials), self.resting_level, np.float32)
            self._activity = np.empty_like(self._potential)
            activate(self._potential, self._activity, SHAPES[self.activation], np.float32(self.slope))
            self.n_steps_ = 0
        self._single = np.ndim(stimulus) == 1
        return n_trials

    def _publish(self):
        potential, activity = self._links.collect(self._potential), self._links.collect(self._activity)
        self.potential_ = read_only(potential[0] if self._single else potential)
        self.activity_ = read_only(activity[0] if self._single else activity)

    def _forget(self):
        for name in ("potential_", "activity_", "n_steps_"):
            self.__dict__.pop(name, None)

    def _largest_input(self, stimulus):
        reachable = self._total_excitation + self.kernel.inhibition * self.volumes_.sum()
        return float(abs(self.resting_level) + np.abs(stimulus).max() + reachable)

    def _all_bumps(self):
        if not hasattr(self, "activity_"):
            raise ValueError("the field has not run yet; call run(stimulus, n_steps) first")
        if not hasattr(self, "_adjacency"):
            self._adjacency = self._space.adjacency(self.kernel.reach * self.width_)
        return [find_bumps(self._space, self._adjacency, a, self.volumes_) for a in np.atleast_2d(self.activity_)]

    def _check_stimulus(self, stimulus):
        stimulus = np.asarray(stimulus)
        if stimulus.ndim not in (1, 2) or stimulus.shape[-1] != len(self.positions_) or stimulus.shape[0] == 0:
            raise ValueError(
                f"stimulus must have shape ({len(self.positions_)},) or (n_trials, {len(self.positions_)}), "
                f"got {stimulus.shape}"
            )
        return check_matrix("stimulus", np.atleast_2d(stimulus)).reshape(stimulus.shape)

    def _weigh_cues(self, cues, precision):
        """Sum of the cues (n_nodes,) or (n_trials, n_nodes), each with its share of the precision."""
        cues, precision = np.asarray(cues, dtype=float), np.asarray(precision, dtype=float)
        if cues.ndim not in (2, 3) or precision.shape != cues.shape[:-1]:
            allowed = "(n_cues, n_nodes) and (n_cues,), or (n_cues, n_trials, n_nodes) and (n_cues, n_trials)"
            raise ValueError(
                f"stimulus and precision must have shapes {allowed}, got {cues.shape} and {precision.shape}"
            )
        if not (np.isfinite(precision).all() and (precision >= 0).all()):
            raise ValueError("precision must be finite and not negative; 0 leaves a cue out")
        largest = precision.max(axis=0)
        if (largest == 0).any():
            raise ValueError("precision must be positive for at least one cue of every trial")
        gain = precision / largest
        return self._check_stimulus(((gain / gain.sum(axis=0))[..., None] * cues).sum(axis=0))

    def _check_volumes(self, volumes):
        volumes = np.asarray(volumes, dtype=float)
        if volumes.shape != (len(self.positions_),) or not (np.isfinite(volumes).all() and (volumes > 0).all()):
            raise ValueError(f"volumes must be {len(self.positions_)} positive numbers, one per node")
        return volumes
