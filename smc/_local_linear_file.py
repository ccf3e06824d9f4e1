"""Files of local linear contingencies."""

from __future__ import annotations

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import pairwise_distances_argmin

from smc._batch_rules import BatchRules
from smc._cells import Cells
from smc._contingency_file import plain_parameters
from smc._kernels.ratios import N_BINS
from smc._kernels.recursive import Rules
from smc._noise import CellNoise
from smc._recursive import RecursiveRules
from smc._ridge import CrossValidatedRidge, Features, LimitedFeatures
from topology import storage

KIND, VERSION = "LocalLinearContingency", 2
SCHEMA = {
    "prototypes": ("f", ("units", "features")),
    "edges": ("iu", ("edges", 2)),
    "width2": ("f", ()),
    "features._center": ("f", ("features",)),
    "features._scale": ("f", ("features",)),
    "features._phi_center": ("f", ("phi",)),
    "features._phi_scale": ("f", ("phi",)),
    "features._axes": ("f", ("features", "components")),
}
BATCH = {
    "ridge._F_mean": ("f", ("shared",)),
    "ridge._Y_mean": ("f", ("features",)),
    "ridge._weights": ("f", ("shared", "features")),
    "maps": ("f", ("local", "features")),
    "noise.variance": ("f", ("units", "features")),
    "noise._overall": ("f", ("features",)),
    "noise._weights": ("f", ("factors",)),
    "noise._range": ("f", (2,)),
    "noise._log_means": ("f", (2, N_BINS)),
}
RECURSIVE = {
    "shared_covariance": ("f", ("actions", "shared", "shared")),
    "shared_maps": ("f", ("actions", "shared", "features")),
    "covariance": ("f", ("cells", "local", "local")),
    "maps": ("f", ("cells", "local", "features")),
    "squares": ("f", ("cells", "features")),
    "mass": ("f", ("cells",)),
    "totals": ("f", ("totals",)),
    "factor_covariance": ("f", ("factors", "factors")),
    "factor_weights": ("f", ("factors",)),
    "found": ("f", (2, N_BINS, 2)),
}


class StoredMap(BaseEstimator):
    """The map of a model that was read from a file."""

    def __init__(self, prototypes, edges):
        self.prototypes = prototypes
        self.edges = edges
        self.prototypes_, self.edges_ = prototypes, edges

    def fit(self, X, y=None):
        raise ValueError("a map that was read from a file cannot learn; give the model another estimator")

    def predict(self, X):
        """Nearest unit (n,) of each observation."""
        return pairwise_distances_argmin(np.asarray(X, dtype=float), self.prototypes_)


def save_rules(path, model):
    rules = model._rules
    arrays = {
        "prototypes": np.asarray(model.estimator_.prototypes_, dtype=float),
        "edges": np.asarray(model.estimator_.edges_, dtype=np.int64).reshape(-1, 2),
        "width2": np.array(rules.cells.width2, dtype=float),
        **_state("features", rules.features),
    }
    parameters = {key: value for key, value in model.get_params(deep=False).items() if key != "estimator"}
    has_function = parameters.pop("action_features") is not None
    seed = parameters["random_state"]
    parameters["random_state"] = int(seed) if isinstance(seed, (int, np.integer)) else None
    metadata = {
        "parameters": plain_parameters(parameters),
        "has_action_features": has_function,
        "action_shape": list(model._n_action),
        "n_actions": model._n_actions,
    }
    if model.training == "batch":
        arrays |= {**_state("ridge", rules._ridge), "maps": rules._maps, **_state("noise", rules._noise)}
        local = rules.local_ridge if np.isfinite(rules.local_ridge) else None
        metadata |= {"ridge": rules.ridge, "local_ridge": local}
    else:
        arrays |= rules.rules._asdict()
        metadata |= {"ridge": rules.ridge}
    storage.save(path, arrays, kind=KIND, version=VERSION, metadata=metadata)


def load_rules(cls, path, action_features):
    arrays, metadata = storage.load(path, kind=KIND, version=VERSION)
    try:
        model = cls(action_features=action_features, **metadata["parameters"])
        model._check_parameters()
        is_batch = model.training == "batch"
        sizes = storage.check(path, arrays, SCHEMA | (BATCH if is_batch else RECURSIVE))
        edges = arrays["edges"]
        if edges.size and not 0 <= edges.min() <= edges.max() < sizes["units"]:
            raise ValueError("edges between units that are not there")
        model.n_features_in_ = sizes["features"]
        model._n_action = tuple(int(size) for size in metadata["action_shape"])
        model._n_actions = int(metadata["n_actions"])
        cells = Cells.restore(arrays["prototypes"], edges, arrays["width2"])
        features = _restored(Features if is_batch else LimitedFeatures, "features", arrays)
        model._rules = (_batch if is_batch else _recursive)(arrays, metadata, cells, features, model)
    except storage.CorruptFileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise storage.CorruptFileError(f"{path}: not a local linear contingency ({error})") from error
    if metadata["has_action_features"] != (action_features is not None):
        raise ValueError(
            "action_features must be the function that the model was fitted with"
            if metadata["has_action_features"]
            else "action_features must be None: the model was fitted without"
        )
    model.estimator_ = StoredMap(arrays["prototypes"], edges)
    model.estimator = FrozenEstimator(model.estimator_)
    return model


def _batch(arrays, metadata, cells, features, model):
    rules = BatchRules.__new__(BatchRules)
    rules.cells, rules.features, rules._maps = cells, features, arrays["maps"]
    rules._ridge = _restored(CrossValidatedRidge, "ridge", arrays)
    rules._noise = _restored(CellNoise, "noise", arrays)
    rules.ridge = float(metadata["ridge"])
    rules.local_ridge = np.inf if metadata["local_ridge"] is None else float(metadata["local_ridge"])
    n_local = 1 + features.n_action_features
    fits = (
        len(rules._ridge._weights) == features.n_features
        and len(rules._maps) == cells.n_units * n_local
        and len(rules._noise._weights) == 1 + n_local
    )
    if not fits:
        raise ValueError("regressions that do not fit the observations, the actions and the units")
    return rules


def _recursive(arrays, metadata, cells, features, model):
    n_actions, n_outputs = max(model._n_actions, 1), model.n_features_in_
    ridge = float(metadata["ridge"])
    rules = RecursiveRules(cells, features, n_outputs, n_actions, ridge, model.forgetting)
    stored = Rules(**{name: np.ascontiguousarray(arrays[name], dtype=float) for name in Rules._fields})
    fits = all(empty.shape == full.shape for empty, full in zip(rules.rules, stored))
    rules.rules = stored
    if not fits:
        raise ValueError("regressions that do not fit the observations, the actions and the units")
    return rules


def _state(name, part):
    return {f"{name}.{field}": np.asarray(getattr(part, field)) for field in part.STATE}


def _restored(kind, name, arrays):
    part = kind.__new__(kind)
    for field in kind.STATE:
        setattr(part, field, arrays[f"{name}.{field}"])
    return part
