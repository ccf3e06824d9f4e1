"""Files of regressors with several hypotheses."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from smc.hypotheses._schedules import Annealed
from topology import assignment, storage

KIND, VERSION = "MultiHypothesisRegressor", 1
SCALES = {
    "x_mean": ("f", ("features",)),
    "x_scale": ("f", ("features",)),
    "y_mean": ("f", ("outputs",)),
    "y_scale": ("f", ()),
    "bandwidth": ("f", ()),
}


def save_regressor(path, model):
    parameters = {
        name: value.item() if isinstance(value, np.generic) else value for name, value in model.get_params().items()
    }
    parameters["assignment"] = _assignment_to_json(model.assignment)
    parameters["hidden"] = [int(width) for width in model.hidden]
    seed = parameters["random_state"]
    parameters["random_state"] = int(seed) if isinstance(seed, (int, np.integer)) else None
    metadata = {"parameters": parameters, "flat": model._flat}
    if hasattr(model, "feature_names_in_"):
        metadata["feature_names"] = model.feature_names_in_.tolist()
    arrays = {
        "x_mean": model._x_mean,
        "x_scale": model._x_scale,
        "y_mean": model._y_mean,
        "y_scale": np.array(model._y_scale),
        "bandwidth": np.array(model.bandwidth_),
        **{name: tensor.numpy() for name, tensor in _tensors(model).items()},
    }
    storage.save(path, arrays, kind=KIND, version=VERSION, metadata=metadata)


def load_regressor(cls, path):
    arrays, metadata = storage.load(path, kind=KIND, version=VERSION)
    try:
        parameters = dict(metadata["parameters"])
        parameters["assignment"] = _assignment_from_json(parameters["assignment"])
        parameters["hidden"] = tuple(parameters["hidden"])
        model = cls(**parameters)
        model._check_parameters()
        sizes = storage.check(path, arrays, _schema(model))
        model.n_features_in_, model.n_outputs_ = sizes["features"], sizes["outputs"]
        if sizes["rows"] != model.n_hypotheses * (model.n_outputs_ + 1):
            raise ValueError("weights that do not fit the hypotheses")
        model._build(0)
        model._flat = bool(metadata["flat"])
        names = metadata.get("feature_names")
        if names is not None:
            if len(names) != model.n_features_in_ or not all(isinstance(name, str) for name in names):
                raise ValueError("feature names that do not fit the features")
            model.feature_names_in_ = np.asarray(names, dtype=object)
    except storage.CorruptFileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise storage.CorruptFileError(f"{path}: not a regressor with several hypotheses ({error})") from error
    if min(arrays["x_scale"].min(), arrays["y_scale"], arrays["bandwidth"]) <= 0:
        raise storage.CorruptFileError(f"{path}: scales and bandwidth must be positive")
    model._x_mean, model._x_scale, model._y_mean = arrays["x_mean"], arrays["x_scale"], arrays["y_mean"]
    model._y_scale, model.bandwidth_ = float(arrays["y_scale"]), float(arrays["bandwidth"])
    model.trunk_.double().eval()
    model.head_.double()
    for name, tensor in _tensors(model).items():
        tensor.copy_(torch.from_numpy(arrays[name]))
    return model


def _tensors(model):
    parts = (("trunk", model.trunk_), ("head", model.head_))
    return {f"{part}.{name}": tensor for part, module in parts for name, tensor in module.state_dict().items()}


def _schema(model):
    """Scales, and the weights of linear layers of the model's widths; every second part of the trunk is one."""
    schema = dict(SCALES)
    widths = ["features", *model.hidden]
    for i, (n_in, n_out) in enumerate(pairwise(widths)):
        schema |= {f"trunk.{2 * i}.weight": ("f", (n_out, n_in)), f"trunk.{2 * i}.bias": ("f", (n_out,))}
    schema |= {"head.linear.weight": ("f", ("rows", widths[-1])), "head.linear.bias": ("f", ("rows",))}
    return schema


def _assignment_to_json(rule):
    if isinstance(rule, str):
        return rule
    name = getattr(getattr(rule, "rule", None), "__name__", None)
    if not isinstance(rule, Annealed) or rule.rule is not getattr(assignment, str(name), None):
        raise TypeError(
            "assignment must be a name, or an Annealed of a rule of topology.assignment, to be stored in a file; "
            f"got {rule!r}"
        )
    return {"rule": name, "start": rule.start, "end": rule.end, "decay": rule.decay}


def _assignment_from_json(stored):
    if isinstance(stored, str):
        return stored
    name = stored["rule"]
    if name not in assignment.__all__:
        raise ValueError(f"unknown rule {name!r}")
    return Annealed(getattr(assignment, name), stored["start"], stored["end"], stored["decay"])
