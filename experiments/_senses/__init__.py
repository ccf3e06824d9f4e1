"""Simulated noisy senses, and an agent that learns from experience how precise each of them is."""

from experiments._senses._agent import Agent
from experiments._senses._sensors import Ears, Retina, Touch

__all__ = ["Agent", "Ears", "Retina", "Touch"]
