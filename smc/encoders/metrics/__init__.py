"""What an encoder knows: of classes, and of the consequences of actions; each measure with its nulls.

Nothing here is claimed of an encoder without chance, identity, shuffled action, a random encoder and the supervised
ceiling beside it; `action_report` prints them all.
"""

from smc.encoders.metrics._action_probe import action_r2
from smc.encoders.metrics._classes import few_label_probe, linear_probe
from smc.encoders.metrics._report import action_report, decoded_r2
from smc.encoders.metrics._retrieval import (
    Consequences,
    Retrieval,
    chance,
    consequences,
    equivariance_gain,
    retrieval,
)

__all__ = [
    "Consequences",
    "Retrieval",
    "action_r2",
    "action_report",
    "chance",
    "consequences",
    "decoded_r2",
    "equivariance_gain",
    "few_label_probe",
    "linear_probe",
    "retrieval",
]
