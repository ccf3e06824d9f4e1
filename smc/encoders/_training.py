"""Self-supervised training of encoders on what actions change."""

import copy
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from tqdm import tqdm

from smc.encoders._checks import check_action, check_number, check_positive_integer, check_seed
from smc.encoders._equivariance import EquivarianceModule
from smc.encoders._networks import ENCODERS
from smc.encoders._runtime import torch_threads, wants_bf16
from smc.encoders._trainer import Trainer

ACTIONS = ("true", "shuffled", "none")
CHECKPOINT_INTERVAL = 50


class Pretrained(Mapping):
    """Trained modules by modality, and how they got there.

    Attributes
    ----------
    history : dict of str to ndarray (n_steps,) of float64
        Per step: the losses before weighting, ``<modality>_invariance`` and ``<modality>_equivariance``, with several
        modalities also ``cross_modal_invariance`` and ``cross_modal_equivariance``; ``total`` and ``learning_rate``.
    """

    def __init__(self, modules, history):
        self._modules = modules
        self.history = history

    def __getitem__(self, modality):
        return self._modules[modality]

    def __iter__(self):
        return iter(self._modules)

    def __len__(self):
        return len(self._modules)

    def __repr__(self):
        return f"Pretrained({', '.join(self)}; {len(self.history['total'])} steps)"


def pretrain(
    transitions,
    encoders,
    *,
    action="true",
    n_steps=400,
    batch_size=128,
    equivariance_weight=0.3,
    cross_modal_weight=1.0,
    temperature=0.2,
    equivariance_temperature=0.1,
    learning_rate=4e-3,
    n_points=128,
    seed=0,
    checkpoint=None,
    callback=None,
    threads=None,
    precision="auto",
):
    """Train encoders on transitions: what stays while an object is handled, and what an action changes.

    Two losses are added up over the modalities. *Invariance*: all frames of an object agree (time contrast, Aubret et
    al. 2023). *Equivariance*, times `equivariance_weight`: the embedding predicted from a frame and an action must
    single out the frame that followed, among all frames of the batch and among those of the same object (after
    Devillers & Lefort 2023). With several modalities both are asked for across senses as well, times
    `cross_modal_weight`: frames of an object agree in all senses, and what is predicted from one sense must single out
    what followed in the other.

    Parameters
    ----------
    transitions : smc.Transitions
        `action` (n, d) real; `group` the object of each transition (None: each its own object). Images must be shown in
        surroundings that differ between the frames of an object, or be cut out, lest surroundings stand for the object.
    encoders : dict of str to ConvEncoder or PointEncoder
        Modality -> trunk. Copied; training starts from the copies' weights.
    action : {"true", "shuffled", "none"}, default="true"
        "shuffled" permutes the actions over the data once, "none" hides them; both are controls that share initial
        weights and batches with "true". A module trained without actions ignores them in `predict`.
    n_steps : int, default=400
        Steps of AdamW under a one-cycle learning rate.
    batch_size : int, default=128
        Transitions per step, of half as many objects.
    equivariance_weight, cross_modal_weight : float, default=0.3, 1.0
    temperature : float, default=0.2
        Of the invariance and cross-modal losses.
    equivariance_temperature : float, default=0.1
    learning_rate : float, default=4e-3
        Peak of the cycle.
    n_points : int, default=128
        Points of each cloud shown in a step, drawn anew for each.
    seed : int, default=0
        Initial weights of the heads, batches and subsets of points.
    checkpoint : path-like, optional
        File written every 50 steps and at the end. If it exists the training goes on from there, bit for bit as if it
        had never stopped; a finished one is returned at once.
    callback : callable, optional
        ``callback(state, step)`` after each step; `state` maps the names of `Pretrained.history` to the step's values
        and "modules" to the modules. Returning True stops early.
    threads : int, optional
        Torch threads of the training (default: as many as set); the old number is put back. Results agree to the last
        bit at equal `threads` only.
    precision : {"auto", "bf16", "fp32"}, default="auto"
        Number format of the trunks; "auto" is bf16 where the processor has it. Heads and losses are fp32.

    Returns
    -------
    Pretrained
        Mapping modality -> EquivarianceModule, in evaluation mode.

    Raises
    ------
    ValueError, TypeError
        For unfit arguments, or a checkpoint of another training.
    FloatingPointError
        If the loss diverges.
    topology.storage.CorruptFileError
        For a damaged checkpoint.
    """
    actions = _check_data(transitions, encoders)
    check_seed(seed)
    if action not in ACTIONS:
        raise ValueError(f"action must be one of {ACTIONS}, got {action!r}")
    sizes = {"n_steps": n_steps, "batch_size": batch_size, "n_points": n_points}
    for name, value in sizes.items():
        check_positive_integer(name, value)
    weights = {"equivariance_weight": equivariance_weight, "cross_modal_weight": cross_modal_weight}
    for name, value in weights.items():
        check_number(name, value, zero_allowed=True)
    scales = {
        "temperature": temperature,
        "equivariance_temperature": equivariance_temperature,
        "learning_rate": learning_rate,
    }
    for name, value in scales.items():
        check_number(name, value)
    with torch_threads(threads):
        settings = {name: int(value) for name, value in (sizes | {"seed": seed}).items()}
        settings |= {name: float(value) for name, value in (weights | scales).items()}
        settings |= {"action": action, "bf16": wants_bf16(precision)}
        modules = _build_modules(encoders, actions, action, seed)
        if action == "shuffled":
            actions = np.random.default_rng((seed, 1)).permutation(actions)
        trainer = Trainer(modules, transitions, actions, settings)
        if checkpoint is not None:
            trainer.resume(checkpoint)
        _run(trainer, n_steps, checkpoint, callback)
    for module in modules.values():
        module.eval()
    return Pretrained(modules, trainer.history())


def _run(trainer, n_steps, checkpoint, callback):
    view = MappingProxyType(trainer.modules)
    with tqdm(total=n_steps, initial=trainer.step, desc="learning from actions", unit="step", disable=None) as bar:
        while trainer.step < n_steps:
            losses = trainer.advance()
            bar.update()
            stop = callback is not None and callback({**losses, "modules": view}, trainer.step) is True
            last = stop or trainer.step == n_steps
            if checkpoint is not None and (last or trainer.step % CHECKPOINT_INTERVAL == 0):
                trainer.save(checkpoint)
            if stop:
                return


def _build_modules(encoders, actions, action, seed):
    """A module per modality, with the same initial weights whatever is done to the actions."""
    mean, deviation = actions.mean(axis=0), actions.std(axis=0)
    known = (deviation > 0) & (action != "none")
    gain = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=known)
    modules = {}
    for i, (modality, encoder) in enumerate(encoders.items()):
        module = EquivarianceModule(copy.deepcopy(encoder), actions.shape[1], seed=seed + i)
        module.predictor.scale_actions(mean, gain)
        modules[modality] = module.train()
    return modules


def _check_data(transitions, encoders):
    """Refuse what cannot be learned from; return the actions as float32."""
    if not isinstance(encoders, Mapping) or not encoders:
        raise TypeError("encoders must be a non-empty dict of modality to encoder")
    for modality, encoder in encoders.items():
        if not isinstance(encoder, tuple(ENCODERS.values())):
            raise TypeError(
                f"encoders[{modality!r}] must be one of {', '.join(ENCODERS)}, got {type(encoder).__name__}"
            )
        if modality not in transitions.observation:
            known = ", ".join(sorted(transitions.observation))
            raise ValueError(f"encoders names {modality!r}, but transitions sense {known} only")
        encoder.check_input(transitions.observation[modality], f"transitions.observation[{modality!r}]")
        encoder.check_input(transitions.next_observation[modality], f"transitions.next_observation[{modality!r}]")
    action = np.asarray(transitions.action)
    if action.ndim != 2:
        raise ValueError(
            f"transitions.action must be vectors (n, d), got shape {action.shape}; numbers k of discrete actions "
            "become vectors by np.eye(n_actions)[k]"
        )
    return check_action(action, len(transitions), action.shape[1], "transitions.action")
