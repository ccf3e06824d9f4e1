"""Arrays and a JSON header in one file: written whole or not at all, and refused when a single bit has changed.

The file is a safetensors file, so other tools can read its arrays. The header names the kind of the content, its
schema version and the SHA-256 of everything else.
"""

import contextlib
import hashlib
import json
import os
import uuid

import numpy as np

__all__ = ["CorruptFileError", "load", "save", "write_atomically"]


class CorruptFileError(ValueError):
    """The file is damaged, is not of the expected kind, or holds values that cannot be."""


def save(path, arrays, *, kind, version=1, metadata=None):
    """Write named arrays and JSON-serialisable metadata.

    Parameters
    ----------
    path : str or path-like
        Replaced if it exists; the old content stays until the new one is complete on disk.
    arrays : dict of str to ndarray
        Real numbers or booleans, any shape.
    kind : str
        What the file holds, for example "GrowingNeuralGas"; `load` refuses another kind.
    version : int
        Version of the schema of this kind.
    metadata : dict, optional
        Anything that JSON can hold.

    Raises
    ------
    TypeError
        An array of objects, text or complex numbers, or metadata that JSON cannot hold.
    """
    from safetensors.numpy import save as to_bytes

    tensors = {}
    for name, array in arrays.items():
        array = np.asarray(array)
        if array.dtype.kind not in "fiub":
            raise TypeError(f"arrays[{name!r}] must hold real numbers or booleans, got dtype {array.dtype}")
        tensors[name] = np.ascontiguousarray(array).reshape(array.shape)
    header = {"kind": kind, "version": str(version), "metadata": json.dumps(metadata or {}, sort_keys=True)}
    header["sha256"] = _digest(tensors, header)
    write_atomically(path, to_bytes(tensors, header))


def load(path, *, kind, version=1):
    """Read what `save` wrote.

    Returns
    -------
    arrays : dict of str to ndarray
    metadata : dict

    Raises
    ------
    FileNotFoundError
        There is no such file.
    CorruptFileError
        Anything wrong with its content: truncated, changed, another kind or version.
    """
    from safetensors import SafetensorError, safe_open

    with open(path, "rb"):  # a missing or unreadable file is not a damaged one
        pass
    try:
        with safe_open(path, framework="np") as file:
            header = dict(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        expected = header.pop("sha256")
        # Nothing of the content is interpreted before it is known to be what was written.
        if _digest(arrays, header) != expected:
            raise ValueError("the content does not match its hash")
        found = header["kind"], header["version"]
        metadata = json.loads(header["metadata"])
    except (SafetensorError, KeyError, TypeError, ValueError, OSError, RecursionError) as error:
        raise CorruptFileError(f"{path}: not a complete file of kind {kind!r} ({error})") from error
    if found[0] != kind:
        raise CorruptFileError(f"{path}: expected kind {kind!r}, got {found[0]!r}")
    if found[1] != str(version):
        raise CorruptFileError(f"{path}: expected version {version} of {kind!r}, got {found[1]}")
    if not isinstance(metadata, dict):
        raise CorruptFileError(f"{path}: metadata must be an object, got {type(metadata).__name__}")
    return arrays, metadata


def check(path, arrays, schema):
    """Refuse arrays that do not fit a schema.

    Parameters
    ----------
    path : str or path-like
        Named in the error.
    arrays : dict of str to ndarray
    schema : dict of str to (kinds, shape)
        dtype kinds as in `numpy.dtype.kind` ("f", "iu", ...); the shape's entries are sizes or names, and a name
        must mean the same size everywhere.

    Returns
    -------
    sizes : dict of str to int
        The sizes that the names of the shapes turned out to have.
    """
    sizes = {}
    if set(arrays) != set(schema):
        raise CorruptFileError(f"{path}: expected arrays {sorted(schema)}, got {sorted(arrays)}")
    for name, (kinds, shape) in schema.items():
        array = arrays[name]
        if array.dtype.kind not in kinds:
            raise CorruptFileError(f"{path}: {name} has dtype {array.dtype}, expected kind {kinds!r}")
        fits = array.ndim == len(shape) and all(
            size == (sizes.setdefault(want, size) if isinstance(want, str) else want)
            for size, want in zip(array.shape, shape)
        )
        if not fits:
            raise CorruptFileError(f"{path}: {name} has shape {array.shape}, expected {shape} with {sizes}")
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise CorruptFileError(f"{path}: {name} holds NaN or infinity")
    return sizes


def write_atomically(path, payload):
    """Write bytes so that the file holds the old or the new content at any moment, even after a power cut."""
    path = os.path.abspath(os.fspath(path))
    temporary = os.path.join(os.path.dirname(path), f".{os.path.basename(path)}.{uuid.uuid4().hex}.part")
    try:
        with open(temporary, "xb") as file:
            file.write(payload)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def _digest(arrays, header):
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
