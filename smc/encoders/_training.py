"""Self-supervised training of encoders on what actions change."""

import copy
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from tqdm import tqdm

from smc.encoders._checks import check_number, check_positive_integer, check_seed
from smc.encoders._data import as_data, check_data, open_source
from smc.encoders._equivariance import EquivarianceModule
from smc.encoders._networks import ENCODERS
from smc.encoders._ranks import Ranks, synchronise_norms
from smc.encoders._runtime import torch_threads, wants_bf16
from smc.encoders._trainer import Trainer
from smc.encoders.objectives import Objective, action_structured
from topology._validation import check_flag

ACTIONS = ("true", "shuffled", "none")
HEAD_OPTIONS = ("dim", "hidden", "branch", "predictor", "normalisation")
CHECKPOINT_INTERVAL = 50
HIDDEN = 256  # hidden units of what an objective learns of its own


class Pretrained(Mapping):
    """Trained modules by modality, and how they got there.

    Attributes
    ----------
    objective : Objective
        What was trained for, with the parameters of its own that it learned.
    history : dict of str to ndarray (n_steps,) of float64
        Per step: the losses before weighting, ``<modality>_invariance`` and ``<modality>_equivariance``, with several
        modalities also ``cross_modal_invariance`` and ``cross_modal_equivariance``; ``total`` and ``learning_rate``.
        With another objective its own names.
    """

    def __init__(self, modules, history, objective):
        self._modules = modules
        self.history = history
        self.objective = objective

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
    objective=None,
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
    n_env_steps=2000,
    shared_action_code=False,
    heads=None,
):
    """Train encoders on transitions: what stays while an object is handled, and what an action changes.

    Started by ``torchrun --nproc-per-node N script.py``, or in a process group that is open, N processes share each
    batch and train one set of weights as one process would, up to rounding: `batch_size` is that of all of them, and
    negatives and the moments of batch normalisation are theirs together. All are given the same and return the same.

    By default two losses are added up over the modalities. *Invariance*: all frames of an object agree (time contrast,
    Aubret et al. 2023). *Equivariance*, times `equivariance_weight`: the embedding predicted from a frame and an action
    must single out the frame that followed, among all frames of the batch and among those of the same object (after
    Devillers & Lefort 2023). With several modalities both are asked for across senses as well, times
    `cross_modal_weight`: frames of an object agree in all senses, and what is predicted from one sense must single out
    what followed in the other.

    Parameters
    ----------
    transitions : smc.Transitions, AugmentedImages, gymnasium environment, source of steps or path-like
        Transitions: `action` (n, d) real; `group` the object of each transition (None: each its own object). Images
        must be shown in surroundings that differ between the frames of an object, or be cut out, lest surroundings
        stand for the object. Augmented images: each is looked at twice, the action leads from one look to the other. An
        environment: random actions are recorded first (`n_env_steps`), the episode is the object. A source of steps,
        for data that are made while they are learned from: ``source(step) -> Sample``, with `actions` (n, d) that show
        the scale of actions; `batch_size` is its own affair. A path: an image folder or file, see `load_images`,
        augmented with the defaults.
    encoders : dict of str to ConvEncoder, ResNetEncoder or PointEncoder
        Modality -> trunk. Copied; training starts from the copies' weights.
    objective : smc.encoders.objectives.Objective, optional
        What to train for in place of the default. Copied. Weights and temperatures below shape the default only.
    action : {"true", "shuffled", "none"}, default="true"
        "shuffled" permutes the actions over the data once (those of a source of steps: in each step), "none" hides
        them; both are controls that share initial weights and batches with "true". A module trained without actions
        ignores them in `predict`.
    equivariance_weight, cross_modal_weight : float, default=0.3, 1.0
    temperature : float, default=0.2
        Of the invariance and cross-modal losses.
    equivariance_temperature : float, default=0.1
    n_steps : int, default=400
        Steps of AdamW under a one-cycle learning rate.
    batch_size : int, default=128
        Transitions per step, of half as many objects.
    learning_rate : float, default=4e-3
        Peak of the cycle.
    n_points : int, default=128
        Points of each cloud shown in a step, drawn anew for each; no cloud may have fewer.
    seed : int, default=0
        Initial weights of the heads, batches and subsets of points.
    checkpoint : path-like, optional
        File written every 50 steps and at the end. If it exists the training goes on from there, bit for bit as if it
        had never stopped; a finished one is returned at once. A source of steps must then depend on the step alone, as
        it must in several processes. Of these the first writes the file, and all must be able to read it.
    callback : callable, optional
        ``callback(state, step)`` after each step; `state` maps the names of `Pretrained.history` to the step's values
        and "modules" to the modules. Returning True stops early. `LearningCurves` draws them.
        Of several processes only the first calls it.
    threads : int, optional
        Torch threads of the training (default: as many as set); the old number is put back. Results agree to the last
        bit at equal `threads` only.
    precision : {"auto", "bf16", "fp32"}, default="auto"
        Number format of the trunks; "auto" is bf16 where the processor has it. Heads and losses are fp32.
    n_env_steps : int, default=2000
        Steps recorded in an environment.
    shared_action_code : bool, default=False
        Whether the predictors of all modalities read one embedding of the action, which each of them teaches.
    heads : dict, optional
        Arguments of `EquivarianceModule` beyond its encoder, size of actions and seed: dim, hidden, branch, predictor,
        normalisation.

    Returns
    -------
    Pretrained
        Mapping modality -> EquivarianceModule, in evaluation mode.

    Raises
    ------
    ValueError, TypeError
        For unfit arguments, a checkpoint of another training, or processes that were given different things.
    FloatingPointError
        If a loss or a weight stops being finite; says which and in which step. The checkpoint keeps a good state.
    topology.storage.CorruptFileError
        For a damaged checkpoint.
    """
    _check_encoders(encoders)
    check_seed(seed)
    if objective is not None and not isinstance(objective, Objective):
        raise TypeError(f"objective must be an Objective, got {type(objective).__name__}")
    if action not in ACTIONS:
        raise ValueError(f"action must be one of {ACTIONS}, got {action!r}")
    heads = {} if heads is None else dict(heads)
    if not set(heads) <= set(HEAD_OPTIONS):
        raise ValueError(f"heads must have keys among {HEAD_OPTIONS}, got {sorted(heads)}")
    sizes = {"n_steps": n_steps, "batch_size": batch_size, "n_points": n_points}
    for name, value in (sizes | {"n_env_steps": n_env_steps}).items():
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
    check_flag("shared_action_code", shared_action_code)
    if objective is None:
        objective = action_structured(
            len(encoders),
            **weights,
            temperature=temperature,
            equivariance_temperature=equivariance_temperature,
        )
    settings = {name: int(value) for name, value in (sizes | {"seed": seed}).items()}
    settings |= {"learning_rate": float(learning_rate), "action": action, "bf16": wants_bf16(precision)}
    settings |= {"shared_action_code": bool(shared_action_code)}
    data = as_data(transitions, n_env_steps, seed)
    check_data(data, encoders, objective, n_points)
    ranks = Ranks.of_this_process()
    ranks.check_batch(batch_size)
    with torch_threads(threads):
        source = open_source(data, tuple(encoders), settings, objective.n_actions)
        modules = _build_modules(encoders, source.actions, action, seed, shared_action_code, heads or {})
        objective = copy.deepcopy(objective)
        module = next(iter(modules.values()))
        objective.prepare(tuple(modules), module.dim, module.action_dim, HIDDEN, int(seed))
        if ranks.size > 1:
            for module in modules.values():
                synchronise_norms(module)
        trainer = Trainer(modules, objective.train(), source, settings, ranks)
        if checkpoint is not None:
            trainer.resume(checkpoint)
        trainer.check_ranks()
        _run(trainer, n_steps, checkpoint, callback, ranks)
    for part in (*modules.values(), objective):
        synchronise_norms(part, False)
        part.eval()
    return Pretrained(modules, trainer.history(), objective)


def _run(trainer, n_steps, checkpoint, callback, ranks):
    view = MappingProxyType(trainer.modules)
    shown = {"desc": "learning from actions", "unit": "step", "disable": None if ranks.leads else True}
    with tqdm(total=n_steps, initial=trainer.step, **shown) as bar:
        saved = trainer.step
        try:
            while trainer.step < n_steps:
                losses = trainer.advance()
                bar.update()
                called = callback is not None and ranks.leads
                stop = ranks.leader_says(called and callback({**losses, "modules": view}, trainer.step) is True)
                last = stop or trainer.step == n_steps
                if last or trainer.step % CHECKPOINT_INTERVAL == 0:
                    trainer.check_weights()
                    if checkpoint is not None:
                        if ranks.leads:
                            trainer.save(checkpoint)
                        ranks.wait()
                        saved = trainer.step
                if stop:
                    return
        except FloatingPointError as error:
            if checkpoint is None or saved == 0:
                raise
            raise FloatingPointError(f"{error}; {checkpoint} keeps step {saved}, the last good one saved") from error


def _build_modules(encoders, actions, action, seed, shared_action_code, heads):
    """A module per modality, with the same initial weights whatever is done to the actions."""
    mean, deviation = actions.mean(axis=0), actions.std(axis=0)
    known = (deviation > 0) & (action != "none")
    gain = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=known)
    modules = {}
    for i, (modality, encoder) in enumerate(encoders.items()):
        module = EquivarianceModule(copy.deepcopy(encoder), actions.shape[1], **heads, seed=seed + i)
        module.predictor.scale_actions(mean, gain)
        if shared_action_code and modules:
            module.predictor.encode_action = next(iter(modules.values())).predictor.encode_action
        modules[modality] = module.train()
    return modules


def _check_encoders(encoders):
    if not isinstance(encoders, Mapping) or not encoders:
        raise TypeError("encoders must be a non-empty dict of modality to encoder")
    for modality, encoder in encoders.items():
        if not isinstance(encoder, tuple(ENCODERS.values())):
            raise TypeError(
                f"encoders[{modality!r}] must be one of {', '.join(ENCODERS)}, got {type(encoder).__name__}"
            )
