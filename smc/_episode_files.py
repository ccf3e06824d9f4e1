"""Recordings of episodes, one file each, read from disk as they are needed."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from tokenize import TokenError

import numpy as np
from tqdm import tqdm

from topology.storage import CorruptFileError

LOCAL_HEADER = struct.Struct("<26xHH")  # of a zip member, up to the lengths of its name and of what follows it


class EpisodeRows:
    """Rows of several arrays on end, of which only those asked for are read into memory.

    Parameters
    ----------
    parts : list of ndarray (n_i, ...)
        Of one dtype and one shape per row; may be mapped from files.
    """

    def __init__(self, parts):
        self.parts = parts
        self.starts = np.cumsum([0, *(len(part) for part in parts)])
        self.dtype = parts[0].dtype
        self.shape = (int(self.starts[-1]), *parts[0].shape[1:])

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return int(np.prod(self.shape))

    def __len__(self):
        return self.shape[0]

    def min(self):
        return np.min([part.min() for part in self.parts if part.size])

    def max(self):
        return np.max([part.max() for part in self.parts if part.size])

    def __getitem__(self, index):
        """Rows of a slice without steps as `EpisodeRows`; other rows, by number or mask, as an array in memory."""
        if isinstance(index, slice) and index.step in (None, 1):
            begin, end, _ = index.indices(len(self))
            cuts = [part[max(begin - start, 0) : max(end - start, 0)] for part, start in zip(self.parts, self.starts)]
            return EpisodeRows([cut for cut in cuts if len(cut)] or [self.parts[0][:0]])
        rows = np.arange(len(self))[index]
        if rows.ndim == 0:
            part = int(np.searchsorted(self.starts, rows, side="right")) - 1
            return np.array(self.parts[part][rows - self.starts[part]])
        out = np.empty((*rows.shape, *self.shape[1:]), self.dtype)
        of_part = np.searchsorted(self.starts, rows, side="right") - 1
        for part in np.unique(of_part):
            here = of_part == part
            out[here] = self.parts[part][rows[here] - self.starts[part]]
        return out

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("rows of several files cannot be one array without a copy")
        return np.concatenate(self.parts).astype(self.dtype if dtype is None else dtype, copy=False)


def read_episodes(path):
    """Steps of all episodes in a folder.

    Returns
    -------
    observation, next_observation : dict of str to EpisodeRows (n, ...)
    action : ndarray (n,) of integers or (n, d)
    group : ndarray (n,) of str
        Name of each step's file, without its suffix.
    """
    path = Path(path)
    if not path.is_dir():
        raise NotADirectoryError(f"{path} is not a folder of episodes")
    files = sorted(path.glob("*.npz"))
    if not files:
        raise ValueError(f"{path} holds no .npz file; save each episode with numpy.savez(file, action=..., sense=...)")
    episodes = []
    for file in tqdm(files, desc="reading episodes", unit=" files", delay=2, disable=None, leave=False):
        episode = _map_arrays(file)
        _check_episode(file, episode)
        if episodes:
            _check_alike(file, episode, files[0], episodes[0])
        episodes.append(episode)
    actions = [episode.pop("action") for episode in episodes]
    before = {name: EpisodeRows([episode[name][:-1] for episode in episodes]) for name in episodes[0]}
    after = {name: EpisodeRows([episode[name][1:] for episode in episodes]) for name in episodes[0]}
    group = np.repeat([file.stem for file in files], [len(action) for action in actions])
    return before, np.concatenate(actions), after, group


def _map_arrays(file):
    """Arrays of an .npz file by name, mapped from where they lie in it."""
    arrays = {}
    try:
        with zipfile.ZipFile(file) as archive, open(file, "rb") as stream:
            content = np.memmap(file, np.uint8, mode="r")
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if member.compress_type != zipfile.ZIP_STORED:
                    raise ValueError(f"{file}: {name!r} is compressed and cannot be mapped; write it with numpy.savez")
                stream.seek(member.header_offset)
                stream.seek(sum(LOCAL_HEADER.unpack(stream.read(LOCAL_HEADER.size))), 1)
                arrays[name] = _map_array(content, stream, member.header_offset)
    except (zipfile.BadZipFile, struct.error, EOFError, OSError, TokenError) as error:
        raise CorruptFileError(f"{file}: not a complete .npz file ({error})") from error
    except ValueError as error:
        if str(error).startswith(str(file)):
            raise
        raise CorruptFileError(f"{file}: not a complete .npz file ({error})") from error
    return arrays


def _map_array(content, stream, start):
    """The array whose header begins where the stream stands."""
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, is_fortran, dtype = read_header(stream)
    if dtype.hasobject:
        return np.empty(0, dtype)  # refused for its type, and never unpickled
    n_bytes = int(np.prod(shape)) * dtype.itemsize
    flat = content[stream.tell() : stream.tell() + n_bytes]
    if len(flat) < n_bytes:
        raise EOFError("the file ends within an array")
    return flat.view(dtype).reshape(shape, order="F" if is_fortran else "C")


def _check_episode(file, episode):
    if "action" not in episode:
        raise ValueError(f"{file}: an episode needs the array 'action'; it has {sorted(episode)}")
    if len(episode) == 1:
        raise ValueError(f"{file}: an episode needs at least one sense beside 'action'")
    for name, array in episode.items():
        if array.dtype.kind not in "biuf":
            raise TypeError(f"{file}: {name!r} must hold real numbers, integers or booleans; got {array.dtype}")
        if array.ndim == 0 or not array.size:
            raise ValueError(f"{file}: {name!r} must have at least one step and one value; got shape {array.shape}")
        if array.dtype.kind == "f" and not (np.isfinite(array.min()) and np.isfinite(array.max())):
            raise ValueError(f"{file}: {name!r} must be finite; it holds NaN or infinity")
    n_actions = len(episode["action"])
    for name, array in episode.items():
        if name != "action" and len(array) != n_actions + 1:
            raise ValueError(
                f"{file}: {name!r} has {len(array)} observations for {n_actions} actions; one more than actions is "
                "needed, from before the first to after the last"
            )


def _check_alike(file, episode, first_file, first):
    if episode.keys() != first.keys():
        raise ValueError(f"{file}: has arrays {sorted(episode)}, but {first_file.name} has {sorted(first)}")
    for name, array in episode.items():
        if array.shape[1:] != first[name].shape[1:] or array.dtype != first[name].dtype:
            raise ValueError(
                f"{file}: a step of {name!r} is {array.dtype} {array.shape[1:]}, but in {first_file.name} it is "
                f"{first[name].dtype} {first[name].shape[1:]}"
            )
