"""Averages of networks, as dicts of arrays of any library."""

from collections.abc import Mapping

import numpy as np

SIMPLEX_TOLERANCE = 1e-6


def soup(states, weights=None):
    """Weighted average of the weights of several networks of one architecture.

    Parameters
    ----------
    states : sequence of dict of str to array
        torch state dicts or dicts of numpy arrays, with the same keys, shapes and types. Integers and booleans
        (counters) are not averaged: they come from the network with the largest weight.
    weights : sequence of float (n_states,), or dict of str to such sequences, optional
        On the simplex: at least 0, sum 1. A dict gives weights by layer: the longest key that is the name of an array,
        or its beginning up to a dot, decides, and "" stands for all others. None: equal weights.

    Returns
    -------
    state : dict of str to array
        New arrays, without a gradient. Running statistics of batch normalisation are averaged too, which is not what
        the averaged network would measure: see `recompute_batch_norm`.

    Raises
    ------
    TypeError
        Something that is not a dict of arrays, or arrays of another type or library.
    ValueError
        No state, other keys or shapes, or weights off the simplex.

    References
    ----------
    Rame et al. (2023), Rewarded soups, NeurIPS. Wortsman et al. (2022), Model soups, ICML.
    """
    states = check_states(states)
    if weights is None:
        weights = np.full(len(states), 1 / len(states))
    by_layer = weights if isinstance(weights, Mapping) else {"": weights}
    by_layer = {prefix: check_weights(_weights_name(prefix), w, len(states)) for prefix, w in by_layer.items()}
    idle = [prefix for prefix in by_layer if prefix and not any(_is_part(name, prefix) for name in states[0])]
    if idle:
        raise ValueError(f"weights name layers that no array belongs to: {', '.join(map(repr, idle))}")
    return {name: _average([state[name] for state in states], _find(by_layer, name)) for name in states[0]}


def recompute_batch_norm(model, batches):
    """Measure the running statistics of batch normalisation anew, by the plain average over batches.

    Parameters
    ----------
    model : torch module
        Changed in place; weights are left alone, and so is its training mode.
    batches : iterable of inputs of the model
        At least one.

    Returns
    -------
    model

    Raises
    ------
    ValueError
        No batch. Then, and whenever the model refuses a batch, its statistics are those it had before.
    """
    import torch

    layers = [layer for layer in model.modules() if hasattr(layer, "reset_running_stats") and layer.track_running_stats]
    modes = [(part, part.training) for part in model.modules()]
    momenta = [layer.momentum for layer in layers]
    statistics = [{name: buffer.clone() for name, buffer in layer.named_buffers(recurse=False)} for layer in layers]
    model.eval()
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None
        layer.train()
    n_batches = 0
    try:
        with torch.no_grad():
            for batch in batches:
                model(batch)
                n_batches += 1
        if n_batches == 0:
            raise ValueError("batches must hold at least one batch, got none")
    except BaseException:
        for layer, before in zip(layers, statistics):
            for name, buffer in before.items():
                getattr(layer, name).copy_(buffer)
        raise
    finally:
        for part, mode in modes:
            part.training = mode
        for layer, momentum in zip(layers, momenta):
            layer.momentum = momentum
    return model


def check_states(states):
    """Dicts of arrays with equal keys, shapes and types, as a list."""
    if isinstance(states, Mapping):
        raise TypeError("states must be a sequence of dicts, got one dict")
    states = list(states)
    if not states:
        raise ValueError("states must hold at least one dict of arrays, got none")
    for i, state in enumerate(states):
        if not isinstance(state, Mapping):
            raise TypeError(f"states[{i}] must be a dict of arrays, got {type(state).__name__}")
        other = sorted(state.keys() ^ states[0].keys())
        if other:
            raise ValueError(
                f"states[{i}] must have the keys of states[0], differs in {', '.join(map(repr, other[:5]))}"
            )
        for name, array in state.items():
            first = states[0][name]
            if not (hasattr(array, "shape") and hasattr(array, "dtype")):
                raise TypeError(f"states[{i}][{name!r}] must be an array, got {type(array).__name__}")
            if tuple(array.shape) != tuple(first.shape):
                expected, shape = tuple(first.shape), tuple(array.shape)
                raise ValueError(f"states[{i}][{name!r}] must have shape {expected} as in states[0], got {shape}")
            if (_library(array), array.dtype) != (_library(first), first.dtype):
                expected, kind = (f"{_library(a)} {a.dtype}" for a in (first, array))
                raise TypeError(f"states[{i}][{name!r}] must be {expected} as in states[0], got {kind}")
    return states


def check_weights(name, weights, n_states):
    """Weights on the simplex, as an array of float64."""
    weights = np.asarray(weights, dtype=np.float64)
    if weights.shape != (n_states,):
        raise ValueError(f"{name} must have shape ({n_states},), one per state, got {weights.shape}")
    if not (np.isfinite(weights).all() and weights.min() >= 0 and abs(weights.sum() - 1) <= SIMPLEX_TOLERANCE):
        raise ValueError(f"{name} must be on the simplex (at least 0, sum 1), got {weights.tolist()}")
    return weights


def _weights_name(prefix):
    return f"weights[{prefix!r}]" if prefix else "weights"


def _find(by_layer, name):
    matching = [prefix for prefix in by_layer if _is_part(name, prefix)]
    if not matching:
        raise ValueError(f"weights must cover every array, none for {name!r}; the key '' stands for all others")
    return by_layer[max(matching, key=len)]


def _is_part(name, prefix):
    """Whether an array is or belongs to what a key of the weights names: "layer1" does not name "layer10.bias"."""
    return prefix in ("", name) or name.startswith(prefix.removesuffix(".") + ".")


def _average(arrays, weights):
    if not _is_floating(arrays[0]):
        return _copied(arrays[int(weights.argmax())])
    # An end of the simplex is that network, bit by bit, whatever the others hold.
    used = [(float(w), array) for w, array in zip(weights, arrays) if w > 0]
    total = _copied(used[0][1])
    total *= used[0][0]
    for weight, array in used[1:]:
        total += weight * _detached(array)
    return total


def _copied(array):
    array = _detached(array)
    return array.clone() if hasattr(array, "clone") else array.copy()


def _detached(array):
    return array.detach() if hasattr(array, "detach") else array


def _is_floating(array):
    kind = getattr(array.dtype, "kind", None)
    return kind in ("f", "c") if kind else array.dtype.is_floating_point or array.dtype.is_complex


def _library(array):
    return type(array).__module__.partition(".")[0]
