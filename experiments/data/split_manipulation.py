"""Write manipulation_split.csv: which bundled objects are familiar, and which stand for development and confirmation.

    python experiments/data/split_manipulation.py

Made before any confirmation result was seen. It was drawn anew when the set went from 288 to 284 objects, after one
development run on the earlier set. Groups of near-duplicates stay together, classes are split alike.
"""

from pathlib import Path

import numpy as np

from smc.worlds import ObjectBank

SHARES = {"confirmation": 0.3, "development": 0.25, "familiar": 0.45}


def split(bank, seed=2026) -> np.ndarray:
    """Part of every object; each group goes to the part that lacks most of its share of the class."""
    rng = np.random.default_rng(seed)
    part = np.empty(len(bank), dtype="<U12")
    for name in bank.class_names:
        members = np.flatnonzero(bank.classes == name)
        lacking = {key: share * len(members) for key, share in SHARES.items()}
        groups, sizes = np.unique(bank.groups[members], return_counts=True)
        shuffled = rng.permutation(len(groups))
        for g in shuffled[np.argsort(-sizes[shuffled], kind="stable")]:
            chosen = max(lacking, key=lacking.get)
            part[members[bank.groups[members] == groups[g]]] = chosen
            lacking[chosen] -= sizes[g]
    return part


if __name__ == "__main__":
    bank = ObjectBank.bundled()
    rows = [f"{i},{p}\n" for i, p in zip(bank.ids, split(bank), strict=True)]
    Path(__file__).with_name("manipulation_split.csv").write_text("id,part\n" + "".join(rows))
