"""Policies: how to choose the next action, at random, by rule, out of curiosity, to recognise, or where outcomes
differ.

All are called alike, for a batch of agents at a time: ``policy(observation, rng) -> action``, as `Transitions.from_env`
calls them in vector environments.
"""

from smc.policies._curious import InformationGain, LearningProgress, Novelty
from smc.policies._outcomes import AmbiguousOutcome, outcome_information
from smc.policies._policy import Policy, RandomPolicy, ValuePolicy
from smc.policies._recognising import FixedSweep, Looks, PlaceNovelty, PractisedGain, RecognitionGain
from smc.policies._replay import YokedReplay

__all__ = [
    "AmbiguousOutcome",
    "FixedSweep",
    "InformationGain",
    "LearningProgress",
    "Looks",
    "Novelty",
    "PlaceNovelty",
    "Policy",
    "PractisedGain",
    "RandomPolicy",
    "RecognitionGain",
    "ValuePolicy",
    "YokedReplay",
    "outcome_information",
]
