"""The state of one training: modules, optimiser, step, losses so far; one step, and a file to go on from."""

import copy
import hashlib
import math
from pathlib import Path

import numpy as np
import torch

from smc.encoders._arrays import as_tensor, from_arrays, optimiser_from_arrays, optimiser_to_arrays, to_arrays
from smc.encoders._point_network import PointEncoder
from smc.encoders.objectives import Step
from topology import storage

KIND = "PretrainingCheckpoint"
WEIGHT_DECAY = 1e-4
WARM_UP = 0.25  # share of the steps in which the learning rate rises, from FIRST_RATE of its peak
FIRST_RATE = 0.04


class Trainer:
    """Everything a training consists of.

    Parameters
    ----------
    modules : dict of str to EquivarianceModule
    objective : Objective
        Prepared for the modules.
    source : callable
        See `_sources`.
    settings : dict
        Arguments of `pretrain` that shape its outcome.
    ranks : Ranks
    """

    def __init__(self, modules, objective, source, settings, ranks):
        self.modules, self.objective = modules, objective
        self.step = 0
        self._ranks = ranks
        self._source = source
        self._settings = settings
        # With a momentum: slowly moving copies, which no gradient reaches.
        moving = {} if objective.momentum is None else modules
        self._targets = {sense: copy.deepcopy(module).requires_grad_(False) for sense, module in moving.items()}
        # Each once: predictors may share their embedding of the action.
        self._parameters = list(dict.fromkeys(p for part in (*modules.values(), objective) for p in part.parameters()))
        self._optimiser = torch.optim.AdamW(self._parameters, weight_decay=WEIGHT_DECAY, fused=True)
        self._losses = []
        self._identity = settings | {
            "objective": objective.describe(),
            "threads": torch.get_num_threads(),
            "processes": ranks.size,
            "torch": torch.__version__,
            "senses": list(modules),
            "architectures": {sense: module.describe() for sense, module in modules.items()},
            "encoders": {sense: _digest(to_arrays(module.encoder).values()) for sense, module in modules.items()},
            "transitions": _digest(source.arrays()),
        }

    def advance(self):
        """Make one step and return its losses, as floats by name.

        Raises
        ------
        FloatingPointError
            If a loss is not finite. The weights are those before the step.
        """
        rate = one_cycle(self.step, self._settings["n_steps"], self._settings["learning_rate"])
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        loss = self.objective(self._show())
        if not torch.isfinite(loss.total):
            wrong = [name for name, term in loss.terms.items() if not torch.isfinite(term)]
            where = ", ".join(wrong) or "their sum"
            raise FloatingPointError(f"the loss of step {self.step + 1} is not finite ({where}); lower learning_rate")
        self._optimiser.zero_grad()
        loss.total.backward()
        self._ranks.average_gradients(self._parameters)
        self._optimiser.step()
        self._move_targets()
        self.step += 1
        losses = {name: term.item() for name, term in loss.terms.items()}
        self._losses.append(losses | {"total": loss.total.item(), "learning_rate": rate})
        return self._losses[-1]

    def check_weights(self):
        """Refuse weights that the last step made NaN or infinite."""
        for sense, module in self.modules.items():
            for name, parameter in module.named_parameters():
                if not torch.isfinite(parameter).all():
                    raise FloatingPointError(
                        f"step {self.step} made {name} of {sense!r} NaN or infinite; lower learning_rate"
                    )

    def history(self):
        """Losses of the steps made, dict of str to ndarray (n_steps,) of float64."""
        return {name: np.array([row[name] for row in self._losses]) for name in self._losses[0]}

    def check_ranks(self):
        """Refuse processes that do not train the same."""
        self._ranks.check_same(self._identity | {"the step of the checkpoint": self.step})

    def save(self, path):
        """Write all that the next step depends on; batches follow from seed and step and need no generator state."""
        arrays = {f"history.{name}": values for name, values in self.history().items()}
        for name, part in self._parts():
            arrays |= {f"{name}.{key}": array for key, array in to_arrays(part).items()}
        arrays |= {f"optimiser.{name}": array for name, array in optimiser_to_arrays(self._optimiser).items()}
        storage.save(path, arrays, kind=KIND, metadata={"step": self.step, "identity": self._identity})

    def resume(self, path):
        """Go on from a file written by `save`, if there is one."""
        if not Path(path).exists():
            return
        arrays, metadata = storage.load(path, kind=KIND)
        other = metadata["identity"]
        differing = sorted(name for name in self._identity if self._identity[name] != other.get(name))
        if differing:
            raise ValueError(f"checkpoint {path} is of a training with other {', '.join(differing)}; choose a new file")
        for name, part in self._parts():
            from_arrays(part, _below(arrays, name), path)
        optimiser_from_arrays(self._optimiser, _below(arrays, "optimiser"), path)
        history = _below(arrays, "history")
        self.step = metadata["step"]
        self._losses = [dict(zip(history, row)) for row in zip(*(values.tolist() for values in history.values()))]

    def _parts(self):
        """Everything that has weights, by its name in a file."""
        for i, module in enumerate(self.modules.values()):
            yield f"module{i}", module
        for i, target in enumerate(self._targets.values()):
            yield f"target{i}", target
        yield "objective", self.objective

    def _show(self):
        """`Step` that the objective judges."""
        sample = self._source(self.step, self._ranks.share)
        n_frames = len(sample.actions) + 1
        z, y, target_z = {}, {}, {}
        for sense, module in self.modules.items():
            frames = self._frames(sample, sense)
            heads = module.raw_heads(self._last_map(module, frames))
            z[sense], y[sense] = (self._ranks.gather(head, n_frames) for head in heads)
            if sense in self._targets:
                target = self._targets[sense]
                with torch.no_grad():
                    own = target.raw_heads(self._last_map(target, frames))[0]
                    target_z[sense] = self._ranks.gather(own, n_frames)
        return Step(
            z,
            y,
            target_z,
            torch.from_numpy(sample.actions),
            torch.from_numpy(sample.group),
            {sense: module.predictor for sense, module in self.modules.items()},
            (self._settings["seed"], self.step),
        )

    def _frames(self, sample, sense):
        encoder, frames = self.modules[sense].encoder, sample.frames[sense]
        if isinstance(encoder, PointEncoder):
            rng = np.random.default_rng((self._settings["seed"], self.step, 1))
            frames = frames[:, rng.permutation(frames.shape[1])[: self._settings["n_points"]]]
        return as_tensor(encoder.check_input(frames))

    def _last_map(self, module, frames):
        with torch.autocast("cpu", torch.bfloat16, enabled=self._settings["bf16"]):
            return module.encoder.maps(frames)[1]

    @torch.no_grad()
    def _move_targets(self):
        for sense, target in self._targets.items():
            for slow, fast in zip(target.parameters(), self.modules[sense].parameters()):
                slow.lerp_(fast, 1 - self.objective.momentum)


def one_cycle(step, n_steps, peak):
    """Learning rate of a step: a cosine rise to the peak, then a cosine fall to zero (Smith & Topin 2019)."""
    warm_up = WARM_UP * n_steps
    if step < warm_up:
        return peak * (FIRST_RATE + (1 - FIRST_RATE) * (1 - math.cos(math.pi * step / warm_up)) / 2)
    return peak * (1 + math.cos(math.pi * (step - warm_up) / (n_steps - warm_up))) / 2


def _digest(arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(f"{array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _below(arrays, prefix):
    return {name[len(prefix) + 1 :]: array for name, array in arrays.items() if name.startswith(f"{prefix}.")}
