"""The shortest-path follower in strides, a turn and a straight walk at once: a pure function of the pose."""

from __future__ import annotations

import math

import numpy as np

from vlnenv.sim.follower import FollowerConfig
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

MAX_STEPS = 12
"""Longest straight walk, steps."""

_HEADINGS_TRIED = 6
_LEAST_GAIN_M = 0.02
_TURN_COST_M = 0.004
_WORTH = 0.85
"""A step is worth while that brings the goal nearer by this part of its length: less, and it is time to
turn."""
_GIVE_UP = 0.5
"""A walk is not followed beyond a step that brings less than this part."""


def next_stride(
    simulator: Simulator,
    scene: Scene,
    position_m: np.ndarray,
    heading_rad: float,
    goal_m: np.ndarray,
    config: FollowerConfig | None = None,
) -> tuple[int, int] | None:
    """The turn and straight walk that a shortest-path follower takes.

    The headings that gain most with one step are walked on for up to 12 steps, and of all their ends the one
    is taken that leaves the least walking distance, when every step costs 85 % of its length and every turn
    a little: so a stride ends where going straight stops being the way.

    Args:
        simulator: Moves and measures.
        scene: The place.
        position_m: (3,) feet, world frame.
        heading_rad: Counter-clockwise about +y; 0 looks along -z.
        goal_m: (3,).
        config: Actions and radius; R2R-CE's by default.

    Returns:
        Turn steps (left positive, at most half a circle) and moves (1 to 12); None where the goal is within
        the radius, or can't be approached.
    """
    config = FollowerConfig() if config is None else config
    start_m = np.asarray(position_m, dtype=np.float64).reshape(1, 3)
    left_m = float(simulator.geodesic(scene, start_m, goal_m)[0])
    if not math.isfinite(left_m) or left_m <= config.stop_radius_m:
        return None
    count = round(360.0 / config.turn_deg)
    turns = np.arange(count) - (count - 1) // 2
    headings = heading_rad + np.radians(turns * config.turn_deg)
    ends_m = np.repeat(start_m, count, axis=0)
    remaining_m = np.full((MAX_STEPS + 1, count), np.inf)
    remaining_m[0] = left_m
    walking = np.arange(count)
    for step in range(1, MAX_STEPS + 1):
        ends_m[walking], _ = simulator.move(
            scene, ends_m[walking], headings[walking], config.step_m, config.sliding
        )
        remaining_m[step, walking] = simulator.geodesic(scene, ends_m[walking], goal_m)
        gain_m = remaining_m[step - 1, walking] - remaining_m[step, walking]
        if step == 1:
            best = np.argsort(-gain_m, kind="stable")[:_HEADINGS_TRIED]
            walking = walking[best[gain_m[best] > _LEAST_GAIN_M]]
        else:
            walking = walking[gain_m > _GIVE_UP * config.step_m]
        if not len(walking):
            break
    steps = np.arange(1, MAX_STEPS + 1)[:, None]
    cost_m = remaining_m[1:] + _WORTH * config.step_m * steps + _TURN_COST_M * np.abs(turns)
    moves, heading = np.unravel_index(int(np.argmin(cost_m)), cost_m.shape)
    if left_m - remaining_m[moves + 1, heading] < _LEAST_GAIN_M:
        return None
    return int(turns[heading]), int(moves) + 1
