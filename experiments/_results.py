"""The folder of one experiment at one config: results/<name>/<config-hash>/."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from experiments._environment import MUST_MATCH
from topology.storage import CorruptFileError, write_atomically


class RefusedError(RuntimeError):
    """The folder holds results that must not be mixed with the ones asked for."""


class ResultsFolder:
    """Files of one config; whatever is in it was written whole.

    Parameters
    ----------
    out : Path
        Folder of all results.
    name : str
        The experiment.
    config : dataclass
        Its JSON names the folder, so that another config is another folder.
    """

    def __init__(self, out: Path, name: str, config):
        self.config = json.dumps({"experiment": name, "config": asdict(config)}, indent=2, default=str) + "\n"
        self.path = Path(out) / name / hashlib.sha256(self.config.encode()).hexdigest()[:12]

    def open(self, environment: dict) -> None:
        """Create the folder, or check that it was made with the same config, torch version and thread count."""
        self.path.mkdir(parents=True, exist_ok=True)
        for stray in self.path.glob(".*.part"):  # left by a killed run
            stray.unlink()
        stored = self.path / "config.json"
        if stored.exists() and stored.read_bytes() != self.config.encode():
            raise CorruptFileError(f"{stored} is damaged: it is not the config that names its folder")
        if self.finished_seeds():
            self._refuse_another(environment)
        else:
            self.write_text("config.json", self.config)
            self.write_json("environment.json", environment)

    def _refuse_another(self, environment):
        before = self.read_json("environment.json")
        for name in MUST_MATCH:
            if before.get(name) != environment[name]:
                raise RefusedError(
                    f"the seeds in {self.path} were made with {name} {before.get(name)}, this run has {name} "
                    f"{environment[name]}; they must not be mixed. Use another --out, or remove the folder."
                )

    def finished_seeds(self) -> list[int]:
        """Seeds whose results are stored, in order."""
        matches = (re.fullmatch(r"seed-(\d+)\.npz", path.name) for path in self.path.glob("seed-*.npz"))
        return sorted(int(match[1]) for match in matches if match)

    def seed_path(self, seed: int) -> Path:
        return self.path / f"seed-{seed}.npz"

    def save_seed(self, seed: int, arrays: dict) -> None:
        """Store the arrays of one seed with the hash of their content."""
        arrays = {str(key): np.asarray(value) for key, value in arrays.items()}
        for key, array in arrays.items():
            if array.dtype.hasobject:
                raise TypeError(f"run() gave {key!r} as Python objects; it must be an array of numbers or texts")
        content = io.BytesIO()
        np.savez(content, **arrays, sha256=np.array(_content_hash(arrays)))
        write_atomically(self.seed_path(seed), content.getvalue())

    def load_seed(self, seed: int) -> dict[str, np.ndarray]:
        """Arrays of one seed; CorruptFileError if the file is not what was stored."""
        path = self.seed_path(seed)
        try:
            with open(path, "rb") as content, np.load(content, allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            intact = str(arrays.pop("sha256")) == _content_hash(arrays)
        except FileNotFoundError:
            raise
        except Exception as error:  # a damaged zip file raises almost anything
            reason = type(error).__name__
            raise CorruptFileError(f"{path} is damaged ({reason}); remove it to run seed {seed} again") from error
        if not intact:
            raise CorruptFileError(f"{path} is damaged (its hash differs); remove it to run seed {seed} again")
        return arrays

    def load(self, seeds) -> dict[str, np.ndarray]:
        """Arrays of all `seeds`, stacked: key -> (n_seeds, ...)."""
        loaded = [self.load_seed(seed) for seed in seeds]
        shapes = [{key: array.shape for key, array in arrays.items()} for arrays in loaded]
        for seed, shape in zip(seeds, shapes, strict=True):
            if shape != shapes[0]:
                raise ValueError(
                    f"run() must give every seed the same shapes; got {shapes[0]}, for seed {seed} {shape}"
                )
        return {key: np.stack([arrays[key] for arrays in loaded]) for key in loaded[0]}

    def read_json(self, name: str) -> dict:
        path = self.path / name
        try:
            content = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise CorruptFileError(f"{path} is missing or damaged; remove {self.path} to start anew") from error
        if not isinstance(content, dict):
            raise CorruptFileError(f"{path} is damaged: it must hold a JSON object")
        return content

    def write_json(self, name: str, content: dict) -> None:
        self.write_text(name, json.dumps(content, indent=2) + "\n")

    def write_text(self, name: str, text: str) -> None:
        write_atomically(self.path / name, text.encode())

    def write_through(self, name: str, write: Callable[[Path], None]) -> None:
        """Store the file that `write(path)` makes."""
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder) / name)
            write_atomically(self.path / name, (Path(folder) / name).read_bytes())


def _content_hash(arrays: dict) -> str:
    digest = hashlib.sha256()
    for key in sorted(arrays):
        array = np.ascontiguousarray(arrays[key])
        digest.update(f"{key}:{array.dtype.str}:{arrays[key].shape};".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
