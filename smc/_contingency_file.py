"""Files of contingency models."""

from __future__ import annotations

import numpy as np

from topology import storage
from topology._validation import check_integer

VERSION = 2


def save_model(path, model):
    contexts, cells, counts, _ = model._tree.to_rows()
    arrays = {"contexts": contexts, "cells": cells, "counts": counts}
    arrays |= {name: symbols.rows for name, symbols in _tables(model).items()}
    metadata = {
        "parameters": plain_parameters(model._parameters),
        "shape": list(model._shape),
        "n_steps": model.n_steps_,
    }
    storage.save(path, arrays, kind="ContingencyModel", version=VERSION, metadata=metadata)


def plain_parameters(parameters):
    """Parameters as files hold them: numbers of numpy as those of Python."""
    return {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}


def load_model(cls, path):
    arrays, metadata = storage.load(path, kind="ContingencyModel", version=VERSION)
    schema = {name: ("i", (name, name + " width")) for name in ("actions", "observations", "outcomes")}
    schema |= {"contexts": ("i", ("contexts", 5)), "cells": ("i", ("cells",)), "counts": ("f", ("cells",))}
    sizes = storage.check(path, arrays, schema)
    arrays = {name: array.astype(float if name == "counts" else np.int64) for name, array in arrays.items()}
    try:
        model = cls(**metadata["parameters"])
        model._check_parameters()
        model._start(tuple(metadata["shape"]), sizes["actions width"])
        for name, symbols in _tables(model).items():
            if arrays[name].shape[1] != symbols.rows.shape[1]:
                raise ValueError(f"{name} do not have the shape of an observation")
            if len(np.unique(symbols.add(arrays[name]))) < sizes[name]:
                raise ValueError(f"two of the {name} are the same")
        if not model._symbols.has(arrays["contexts"][:, 1]):
            raise ValueError("contexts of unknown actions or observations")
        tables = (arrays[name] for name in ("contexts", "cells", "counts"))
        model._tree.restore(*tables, check_integer("n_steps", metadata["n_steps"], 1), sizes["outcomes"])
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise storage.CorruptFileError(f"{path}: not a contingency model ({error})") from error
    return model


def _tables(model):
    return {
        "actions": model._symbols.actions,
        "observations": model._symbols.observations,
        "outcomes": model._outcomes,
    }
