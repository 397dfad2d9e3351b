"""The shortest-path follower: VLN-CE's oracle, as a pure function of the pose and the goal."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator

STOP, FORWARD, LEFT, RIGHT = 0, 1, 2, 3

_TURN_COST_M = 0.004
"""What a turn of one notch must gain. Without it the follower weaves between two headings around the way."""
_HIT_COST_M = 0.02
"""What a step along a wall must gain over a free one."""
_LEAST_GAIN_M = 0.02
"""A best step that gains less than this means that the goal cannot be approached further."""


@dataclass(frozen=True)
class FollowerConfig:
    """How the follower moves. Defaults are R2R-CE's actions."""

    step_m: float = 0.25
    """Length of a forward step, metres."""
    turn_deg: float = 15.0
    """Angle of a turn; must divide 360."""
    stop_radius_m: float = 0.25
    """Within this walking distance of the goal the follower stops."""
    sliding: bool = True
    """Whether blocked steps slide, as in the environment."""

    def __post_init__(self) -> None:
        if self.step_m <= 0.0 or self.stop_radius_m <= 0.0:
            raise ValueError(
                f"step_m and stop_radius_m must be positive, got {self.step_m} and {self.stop_radius_m}"
            )
        if (
            not 0.0 < self.turn_deg <= 90.0
            or abs(360.0 / self.turn_deg - round(360.0 / self.turn_deg)) > 1e-9
        ):
            raise ValueError(f"turn_deg must divide 360 and be at most 90, got {self.turn_deg}")


@dataclass(frozen=True)
class Rollout:
    """What a follower did, from the first pose to STOP."""

    actions: tuple[int, ...]
    """0 stop, 1 forward, 2 left, 3 right; ends in 0 unless the steps ran out."""
    positions_m: np.ndarray
    """float64 (k, 3): the start, then the position after each forward step."""
    heading_rad: float
    """The last heading."""


def next_action(
    simulator: Simulator,
    scene: Scene,
    position_m: np.ndarray,
    heading_rad: float,
    goal_m: np.ndarray,
    config: FollowerConfig | None = None,
) -> int:
    """The action that a shortest-path follower takes.

    All headings that turns can reach are tried for one step, and the one that leaves the least walking
    distance, plus a little for every turn, is turned to. The choice depends on the position alone but for the
    price of turns, which falls as the chosen heading comes nearer: it cannot oscillate.

    Args:
        simulator: Moves and measures.
        scene: The place.
        position_m: (3,) feet, world frame.
        heading_rad: Counter-clockwise about +y; 0 looks along -z.
        goal_m: (3,).
        config: Actions and radius; R2R-CE's by default.

    Returns:
        0 stop, 1 forward, 2 left, 3 right. Also 0 where there is no way to the goal.
    """
    config = FollowerConfig() if config is None else config
    position_m = np.asarray(position_m, dtype=np.float64).reshape(1, 3)
    left = float(simulator.geodesic(scene, position_m, goal_m)[0])
    if not math.isfinite(left) or left <= config.stop_radius_m:
        return STOP
    count = round(360.0 / config.turn_deg)
    turns = np.arange(count) - (count - 1) // 2
    turns = turns[np.argsort(np.abs(turns), kind="stable")]
    headings = heading_rad + np.radians(turns * config.turn_deg)
    ends, hits = simulator.move(
        scene, np.repeat(position_m, count, axis=0), headings, config.step_m, config.sliding
    )
    remaining = simulator.geodesic(scene, ends, goal_m)
    cost = remaining + _TURN_COST_M * np.abs(turns) + _HIT_COST_M * hits
    best = int(np.argmin(cost))
    if left - remaining[best] < _LEAST_GAIN_M:
        # A wall corner can make the price of turns outweigh a short gain: take the best gain of all.
        best = int(np.argmin(remaining))
        if left - remaining[best] < _LEAST_GAIN_M / 4:
            return STOP
    if turns[best] == 0:
        return FORWARD
    return LEFT if turns[best] > 0 else RIGHT


class Follower:
    """Follows waypoints in order, the last one being the goal.

    Args:
        simulator: Moves and measures.
        scene: The place.
        waypoints_m: (w, 3) points, or one goal (3,).
        config: Actions and radius; R2R-CE's by default.
        reach_m: A waypoint before the last one counts as reached within this walking distance.
    """

    def __init__(
        self,
        simulator: Simulator,
        scene: Scene,
        waypoints_m: np.ndarray,
        config: FollowerConfig | None = None,
        reach_m: float = 0.4,
    ) -> None:
        self.simulator = simulator
        self.scene = scene
        self.waypoints_m = np.atleast_2d(np.asarray(waypoints_m, dtype=np.float64))
        if len(self.waypoints_m) == 0 or self.waypoints_m.shape[1] != 3:
            raise ValueError(f"waypoints_m must be (w, 3) with w >= 1, got shape {np.shape(waypoints_m)}")
        self.config = FollowerConfig() if config is None else config
        self.reach_m = reach_m
        self.next_waypoint = 0

    def act(self, position_m: np.ndarray, heading_rad: float) -> int:
        """The next action: 0 stop, 1 forward, 2 left, 3 right."""
        position = np.asarray(position_m, dtype=np.float64)
        while self.next_waypoint < len(self.waypoints_m) - 1:
            goal = self.waypoints_m[self.next_waypoint]
            if self.simulator.geodesic(self.scene, position.reshape(1, 3), goal)[0] > self.reach_m:
                action = next_action(self.simulator, self.scene, position, heading_rad, goal, self.config)
                if action != STOP:
                    return action
            self.next_waypoint += 1
        return next_action(
            self.simulator, self.scene, position, heading_rad, self.waypoints_m[-1], self.config
        )


def follow(
    simulator: Simulator,
    scene: Scene,
    start_m: np.ndarray,
    heading_rad: float,
    waypoints_m: np.ndarray,
    config: FollowerConfig | None = None,
    max_steps: int = 500,
) -> Rollout:
    """Let a `Follower` walk from a pose until it stops.

    Args:
        simulator: Moves and measures.
        scene: The place.
        start_m: (3,) feet.
        heading_rad: Counter-clockwise about +y; 0 looks along -z.
        waypoints_m: (w, 3) points, or one goal (3,).
        config: Actions and radius; R2R-CE's by default.
        max_steps: Actions at most, STOP included.

    Returns:
        Actions and positions.
    """
    config = FollowerConfig() if config is None else config
    follower = Follower(simulator, scene, waypoints_m, config)
    position = np.asarray(start_m, dtype=np.float64).reshape(1, 3)
    positions = [position[0]]
    actions: list[int] = []
    notch = math.radians(config.turn_deg)
    while len(actions) < max_steps:
        action = follower.act(position[0], heading_rad)
        actions.append(action)
        if action == STOP:
            break
        if action == FORWARD:
            position, _ = simulator.move(
                scene, position, np.array([heading_rad]), config.step_m, config.sliding
            )
            positions.append(position[0])
        else:
            heading_rad = math.remainder(heading_rad + (notch if action == LEFT else -notch), 2.0 * math.pi)
    return Rollout(tuple(actions), np.array(positions), heading_rad)
