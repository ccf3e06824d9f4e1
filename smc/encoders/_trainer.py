"""The state of one training: modules, optimiser, step, losses so far; one step, and a file to go on from."""

import hashlib
import math
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import torch

from smc.encoders._arrays import as_tensor, from_arrays, optimiser_from_arrays, optimiser_to_arrays, to_arrays
from smc.encoders._batches import ObjectBatches
from smc.encoders._networks import PointEncoder
from smc.encoders._objectives import consequence, cross_modal_agreement, object_agreement
from topology import storage

KIND = "PretrainingCheckpoint"
WEIGHT_DECAY = 1e-4
WARM_UP = 0.25  # share of the steps in which the learning rate rises, from FIRST_RATE of its peak
FIRST_RATE = 0.04
SAMPLED_FRAMES = 64  # frames whose bytes stand for the data in a checkpoint's identity


class Trainer:
    """Everything a training consists of.

    Parameters
    ----------
    modules : dict of str to EquivarianceModule
    transitions : smc.Transitions
    actions : ndarray (n, d) of float32
        What the predictors are told, row by row of `transitions`.
    settings : dict
        Arguments of `pretrain` that shape its outcome.
    """

    def __init__(self, modules, transitions, actions, settings):
        self.modules = modules
        self.step = 0
        self._transitions = transitions
        self._actions = actions
        self._settings = settings
        parameters = [p for module in modules.values() for p in module.parameters()]
        self._optimiser = torch.optim.AdamW(parameters, weight_decay=WEIGHT_DECAY, fused=True)
        self._batches = ObjectBatches(transitions.group, len(transitions), settings["batch_size"], settings["seed"])
        self._losses = []
        self._identity = settings | {
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
            "encoders": {modality: _digest(to_arrays(module.encoder).values()) for modality, module in modules.items()},
            "transitions": _digest(self._sample_data()),
        }

    def advance(self):
        """Make one step and return its losses, as floats by name."""
        rate = one_cycle(self.step, self._settings["n_steps"], self._settings["learning_rate"])
        for group in self._optimiser.param_groups:
            group["lr"] = rate
        losses = self._measure()
        if not torch.isfinite(losses["total"]):
            raise FloatingPointError(f"the loss of step {self.step + 1} is not finite; lower learning_rate")
        self._optimiser.zero_grad()
        losses["total"].backward()
        self._optimiser.step()
        self.step += 1
        self._losses.append({name: loss.item() for name, loss in losses.items()} | {"learning_rate": rate})
        return self._losses[-1]

    def history(self):
        """Losses of the steps made, dict of str to ndarray (n_steps,) of float64."""
        return {name: np.array([row[name] for row in self._losses]) for name in self._losses[0]}

    def save(self, path):
        """Write all that the next step depends on; batches follow from seed and step and need no generator state."""
        arrays = {f"history.{name}": values for name, values in self.history().items()}
        for i, module in enumerate(self.modules.values()):
            arrays |= {f"module{i}.{name}": array for name, array in to_arrays(module).items()}
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
        for i, module in enumerate(self.modules.values()):
            from_arrays(module, _below(arrays, f"module{i}"), path)
        optimiser_from_arrays(self._optimiser, _below(arrays, "optimiser"), path)
        history = _below(arrays, "history")
        self.step = metadata["step"]
        self._losses = [dict(zip(history, row)) for row in zip(*(values.tolist() for values in history.values()))]

    def _measure(self):
        """Losses of the step by name, "total" among them."""
        settings, n = self._settings, self._settings["batch_size"]
        rows = self._batches(self.step)
        groups = torch.from_numpy(self._batches.labels[rows]).repeat(2)
        same_object = groups[:n, None] == groups
        actions = torch.from_numpy(self._actions[rows])
        invariance, predicted, candidates = {}, {}, {}
        for modality, module in self.modules.items():
            invariance[modality], y = self._embed(modality, module, rows)
            predicted[modality] = module.predictor(y[:n], actions)
            # The frames acted upon are candidates too: "nothing has changed" must lose against the true consequence.
            candidates[modality] = torch.cat([y[n:], y[:n]])

        def agree(a, b):
            return cross_modal_agreement(invariance[a], invariance[b], groups, settings["temperature"])

        def foretell(a, b):
            return consequence(predicted[a], candidates[b], same_object, settings["equivariance_temperature"])

        stays = {f"{a}_invariance": object_agreement(z, groups, settings["temperature"]) for a, z in invariance.items()}
        changes = {f"{a}_equivariance": foretell(a, a) for a in invariance}
        total = sum(stays.values()) + settings["equivariance_weight"] * sum(changes.values())
        if len(invariance) == 1:
            return stays | changes | {"total": total}
        across = {
            "cross_modal_invariance": sum(agree(a, b) for a, b in combinations(invariance, 2)),
            "cross_modal_equivariance": sum(foretell(a, b) for a, b in permutations(invariance, 2)),
        }
        weights = (1.0, settings["equivariance_weight"])
        total = total + settings["cross_modal_weight"] * sum(w * x for w, x in zip(weights, across.values()))
        return stays | changes | across | {"total": total}

    def _embed(self, modality, module, rows):
        """z and y of the frames before, then after the actions: each (2 * batch_size, dim)."""
        before, after = self._transitions.observation[modality], self._transitions.next_observation[modality]
        frames = np.concatenate([before[rows], after[rows]])
        if isinstance(module.encoder, PointEncoder):
            rng = np.random.default_rng((self._settings["seed"], self.step, 1))
            frames = frames[:, rng.permutation(frames.shape[1])[: self._settings["n_points"]]]
        frames = as_tensor(module.encoder.check_input(frames))
        with torch.autocast("cpu", torch.bfloat16, enabled=self._settings["bf16"]):
            last_map = module.encoder.maps(frames)[1]
        return module.heads(last_map)

    def _sample_data(self):
        """Arrays that tell one set of transitions from another without reading all of it."""
        rows = np.linspace(0, len(self._actions) - 1, min(len(self._actions), SAMPLED_FRAMES)).astype(int)
        senses = (self._transitions.observation, self._transitions.next_observation)
        frames = [sense[modality][rows] for modality in self.modules for sense in senses]
        return [self._actions, self._batches.labels, *frames]


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
