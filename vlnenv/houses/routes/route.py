"""A route: where a walk through a scene begins and ends, which way it takes, and what the expert does."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlnenv.houses.instructions.landmarks import Landmark
from vlnenv.sim.follower import Rollout


@dataclass(frozen=True, eq=False)
class Route:
    """An expert's way from a pose to a standing place beside an object. World frame, metres."""

    scene_id: str
    start_m: np.ndarray
    """float64 (3,) feet, rounded to a millimetre as the episode file has it."""
    heading_rad: float
    """First heading, a multiple of 15 degrees; counter-clockwise about +y, 0 looks along -z."""
    goal_m: np.ndarray
    """float64 (3,) feet, rounded to a millimetre; at most 1.5 m from the target, which is in view from it."""
    path_m: np.ndarray
    """float64 (k, 3) smooth way on the floor, points at most 0.1 m apart, start and goal included."""
    length_m: float
    """Walking distance from start to goal (geodesic); the smooth way is at most 5 % longer."""
    target: Landmark
    """What the goal stands beside; no other object of its kind is as near to the goal."""
    rollout: Rollout
    """Discrete actions along the way and where they led; ends in STOP within 0.3 m of the goal."""
    rooms: tuple[int, ...] = ()
    """Rooms that the way leads through, in order (one may come twice); empty where rooms are not known."""
