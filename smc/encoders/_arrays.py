"""Arrays as tensors; tensors of modules and optimisers as named arrays, and back."""

import numpy as np
import torch

from topology.storage import CorruptFileError


def as_tensor(array):
    """Tensor on the memory of an array, or on a copy where torch could not write (read-only files, reversed views)."""
    return torch.from_numpy(np.require(array, requirements=("C", "W")))


def to_arrays(module):
    """Parameters and buffers of a module: dict of str to ndarray, views of its memory."""
    return {name: tensor.numpy() for name, tensor in module.state_dict().items()}


def from_arrays(module, arrays, path):
    """Copy the arrays of a file into the parameters and buffers of a module, all or none."""
    _fill(module.state_dict(), arrays, path)


def optimiser_to_arrays(optimiser):
    """Moments and step numbers of an optimiser that has made a step: dict of str to ndarray."""
    state = optimiser.state_dict()["state"]
    return {f"{i}.{name}": tensor.numpy() for i, moments in state.items() for name, tensor in moments.items()}


def optimiser_from_arrays(optimiser, arrays, path):
    """Give an AdamW optimiser that has made no step the moments and step numbers of a file."""
    parameters = [p for group in optimiser.param_groups for p in group["params"]]
    moved = {name.split(".")[0] for name in arrays}  # what the objective does not reach has no moments
    state = {
        i: {"step": torch.zeros(()), "exp_avg": torch.zeros_like(p), "exp_avg_sq": torch.zeros_like(p)}
        for i, p in enumerate(parameters)
        if str(i) in moved
    }
    _fill({f"{i}.{name}": tensor for i, moments in state.items() for name, tensor in moments.items()}, arrays, path)
    optimiser.load_state_dict({**optimiser.state_dict(), "state": state})


def _fill(tensors, arrays, path):
    if tensors.keys() != arrays.keys():
        wrong = sorted(tensors.keys() ^ arrays.keys())
        raise CorruptFileError(f"{path}: missing or unknown arrays: {', '.join(wrong[:5])}")
    views = {name: tensor.detach().numpy() for name, tensor in tensors.items()}
    for name, view in views.items():
        array = arrays[name]
        if array.shape != view.shape or array.dtype != view.dtype:
            expected = f"{view.dtype} {view.shape}"
            raise CorruptFileError(f"{path}: {name} is {array.dtype} {array.shape}, expected {expected}")
        if not np.isfinite(array).all():
            raise CorruptFileError(f"{path}: {name} holds NaN or infinity")
    for name, view in views.items():
        view[...] = arrays[name]
