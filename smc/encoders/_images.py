"""Labelled images from folders and files: npy, npz, IDX, CIFAR without further packages, others with pillow."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import NamedTuple

import numpy as np

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".ppm", ".pgm")
IDX_BYTES = 0x08  # code of unsigned bytes in the header of an IDX file
CIFAR_SHAPE = (3, 32, 32)  # of an image, colour by colour


class LabelledImages(NamedTuple):
    """Images of one size and what they show.

    Attributes
    ----------
    images : ndarray (n, height, width, 3) of uint8
    labels : ndarray (n,) of int or None
        Numbers of classes.
    class_names : tuple of str
        Name of each class; empty where none are known.
    """

    images: np.ndarray
    labels: np.ndarray | None
    class_names: tuple


def load_images(path) -> LabelledImages:
    """Read labelled images.

    Parameters
    ----------
    path : path-like
        A folder with one folder per class that holds pictures (pillow is needed) or npy files (one image, or a stack
        of images each); an npz file with `images` and, if wanted, `labels`; an npy file of images; an IDX file (MNIST,
        Fashion-MNIST; also compressed), whose labels are looked for beside it; a file of the binary version of CIFAR-10
        or CIFAR-100 (.bin). Grey images get three equal channels.

    Returns
    -------
    LabelledImages

    Raises
    ------
    FileNotFoundError
    ValueError
        If a file is no image, images differ in size (names two of them), or there is none.
    ImportError
        If pictures are to be read and pillow is missing.
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such folder or file")
    if path.is_dir():
        return _from_folder(path)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as content:
            if "images" not in content:
                raise ValueError(f"{path} must hold an array named images, got {sorted(content)}")
            images = _as_colour(content["images"], path)
            labels = _check_labels(content["labels"], len(images), path) if "labels" in content else None
        return LabelledImages(images, labels, ())
    if path.suffix == ".npy":
        return LabelledImages(_as_colour(np.load(path, allow_pickle=False), path), None, ())
    if path.suffix == ".bin":
        return LabelledImages(*_read_cifar(path), ())
    images = _as_colour(_read_idx(path), path)
    beside = path.with_name(path.name.replace("images-idx3", "labels-idx1"))
    known = beside != path and beside.exists()
    return LabelledImages(images, _check_labels(_read_idx(beside), len(images), beside) if known else None, ())


def _from_folder(folder):
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if not names:
        raise ValueError(f"{folder} must hold one folder per class, got none")
    stacks, labels, first = [], [], None
    for number, name in enumerate(names):
        for file in sorted((folder / name).iterdir()):
            if file.suffix.lower() not in (*PICTURES, ".npy"):
                continue
            stack = _as_colour(_read_file(file), file)
            first = first or (file, stack.shape[1:3])
            if stack.shape[1:3] != first[1]:
                raise ValueError(
                    f"images must be of one size, but {first[0]} is {first[1][0]} x {first[1][1]} "
                    f"and {file} is {stack.shape[1]} x {stack.shape[2]}"
                )
            stacks.append(stack)
            labels += [number] * len(stack)
    if not stacks:
        raise ValueError(f"{folder} holds no image ({', '.join(PICTURES)}, .npy) in any of its class folders")
    return LabelledImages(np.concatenate(stacks), np.array(labels), tuple(names))


def _read_file(file):
    if file.suffix == ".npy":
        return np.load(file, allow_pickle=False)
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(f"reading {file} needs pillow: install the extra 'plot'") from error
    try:
        with Image.open(file) as picture:
            return np.asarray(picture.convert("RGB"))
    except OSError as error:
        raise ValueError(f"{file} is no readable picture ({error})") from error


def _read_idx(path):
    """Array of unsigned bytes in the format of MNIST: 0, 0, type, number of axes, their sizes, values."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] != IDX_BYTES:
        raise ValueError(f"{path} is no npy, npz or IDX file of bytes")
    n_axes = content[3]
    shape = np.frombuffer(content, ">u4", n_axes, 4).astype(int) if len(content) >= 4 + 4 * n_axes else ()
    values = np.frombuffer(content, np.uint8, offset=min(4 + 4 * n_axes, len(content)))
    if len(shape) == 0 or len(values) != np.prod(shape):
        raise ValueError(f"{path} is cut off: its header announces {tuple(shape)}, {len(values)} bytes follow")
    return values.reshape(shape)


def _read_cifar(path):
    """Images and labels; a record is the label, in CIFAR-100 after that of its superclass, and the image."""
    content = np.frombuffer(path.read_bytes(), np.uint8)
    n_pixels = int(np.prod(CIFAR_SHAPE))
    fitting = [n for n in (1, 2) if len(content) and len(content) % (n + n_pixels) == 0]
    if not fitting:
        raise ValueError(
            f"{path} must hold records of {1 + n_pixels} or {2 + n_pixels} bytes, got {len(content)} bytes"
        )
    records = content.reshape(-1, fitting[0] + n_pixels)
    images = records[:, fitting[0] :].reshape(-1, *CIFAR_SHAPE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), records[:, fitting[0] - 1].astype(int)


def _as_colour(images, path):
    """Images (n, height, width, 3) of uint8 out of one or many, grey or coloured."""
    if images.dtype != np.uint8:
        raise ValueError(f"{path} must hold uint8 images, got {images.dtype}")
    if images.ndim == 2 or (images.ndim == 3 and images.shape[2] == 3):
        images = images[None]
    if images.ndim == 3:
        images = np.repeat(images[..., None], 3, axis=3)
    if images.ndim != 4 or images.shape[3] != 3 or images.size == 0:
        raise ValueError(f"{path} must hold images (n, height, width) or (n, height, width, 3), got {images.shape}")
    return images


def _check_labels(labels, n, path):
    if labels.shape != (n,) or labels.dtype.kind not in "iu":
        raise ValueError(f"{path} must hold one integer label per image, ({n},); got {labels.dtype} {labels.shape}")
    return labels.astype(int)
