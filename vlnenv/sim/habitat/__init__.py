"""Habitat behind the `Simulator` protocol: in this Python, or in another one that has habitat-sim."""

from __future__ import annotations

from vlnenv.sim.habitat.bridge import HabitatError
from vlnenv.sim.habitat.simulator import HabitatSimulator

__all__ = ["HabitatError", "HabitatSimulator"]
