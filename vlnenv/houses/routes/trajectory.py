"""Ways of going along a path: an expert's discrete actions, and a robot's continuous trajectory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from vlnenv.houses.routes.polyline import arc_lengths, heading_of, resampled
from vlnenv.houses.routes.route import Route
from vlnenv.sim.camera import Camera
from vlnenv.sim.follower import FORWARD, LEFT, RIGHT, STOP, FollowerConfig, Rollout
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames, Simulator

_LOOKAHEADS_M = (0.6, 0.45, 0.3)
_TURN_FROM = 0.8
_STUCK = 0.2
_MAX_ACTIONS = 500
_SUBSTEPS = 5
_LINE_M = 0.02
_ARRIVED_M = 0.02


@dataclass(frozen=True)
class Limits:
    """What a robot on wheels can do; defaults are a small indoor robot's."""

    speed_mps: float = 0.6
    """Top speed."""
    acceleration_mps2: float = 0.8
    """Of speeding up and of braking."""
    turn_rate_radps: float = 1.2
    """Fastest turn, on the spot as well."""
    curvature_radpm: float = 4.0
    """Sharpest bend while driving, radians a metre: 4 is a radius of 0.25 m."""
    lookahead_m: float = 0.15
    """How far ahead on the path it steers to."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name} must be positive, got {value}")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """Poses at equal intervals of time."""

    dt_s: float
    positions_m: np.ndarray
    """float64 (n, 3) feet, world frame."""
    headings_rad: np.ndarray
    """float64 (n,) counter-clockwise about +y, not wrapped: differences are turns."""

    @property
    def duration_s(self) -> float:
        """Time from the first pose to the last."""
        return self.dt_s * (len(self.headings_rad) - 1)


def trajectory(
    path_m: np.ndarray, heading_rad: float | None = None, limits: Limits | None = None, dt_s: float = 0.1
) -> Trajectory:
    """Drive along a path with bounded speed, acceleration, turning rate and curvature.

    A unicycle steers to a point of the path ahead of it (pure pursuit). Where the path begins in another
    direction than the robot faces, it first turns on the spot; otherwise its bends stay within the curvature.

    Args:
        path_m: float64 (k, 3), best a smooth one: sharp corners are cut by a few centimetres.
        heading_rad: The first heading; None faces along the path.
        limits: What the robot can do.
        dt_s: Time between poses.

    Raises:
        ValueError: If the path has fewer than two points or `dt_s` is not positive.
    """
    path_m = np.asarray(path_m, dtype=np.float64)
    if path_m.ndim != 2 or path_m.shape[1:] != (3,) or len(path_m) < 2:
        raise ValueError(f"path_m must be (k, 3) with k >= 2, got shape {path_m.shape}")
    if not dt_s > 0.0:
        raise ValueError(f"dt_s must be positive, got {dt_s}")
    limits = Limits() if limits is None else limits
    line = resampled(path_m, _LINE_M)
    at = arc_lengths(line)
    along = heading_of(line[min(len(line) - 1, 10)] - line[0])
    heading = along if heading_rad is None else float(heading_rad)
    positions, headings = [line[0]], [heading]
    while abs(turn := math.remainder(along - heading, 2.0 * math.pi)) > 1e-6:
        heading += math.copysign(min(abs(turn), limits.turn_rate_radps * dt_s), turn)
        positions.append(line[0])
        headings.append(heading)
    speeds = _speeds(line, limits)
    position, speed, nearest, step_s = line[0].copy(), 0.0, 0, dt_s / _SUBSTEPS
    # So many poses are enough to creep along the whole path.
    for _ in range(100 + math.ceil(8.0 * at[-1] / (limits.speed_mps * dt_s))):
        if at[-1] - at[nearest] <= _ARRIVED_M:
            break
        for _ in range(_SUBSTEPS):
            target = line[min(int(np.searchsorted(at, at[nearest] + limits.lookahead_m)), len(line) - 1)]
            speed, bend = _steered(position, heading, speed, target, float(speeds[nearest]), limits, step_s)
            heading += bend * speed * step_s
            position[[0, 2]] += speed * step_s * np.array([-math.sin(heading), -math.cos(heading)])
            window = line[nearest : nearest + 30]
            nearest += int(np.argmin(((window - position)[:, [0, 2]] ** 2).sum(axis=1)))
            position[1] = line[nearest, 1]
        positions.append(position.copy())
        headings.append(heading)
    return Trajectory(dt_s, np.array(positions), np.array(headings))


def _speeds(line_m: np.ndarray, limits: Limits) -> np.ndarray:
    """Speed (n,) wished at each point of a line: slow in bends and before them, and at the end."""
    reach = round(limits.lookahead_m / _LINE_M)
    steps = line_m[np.minimum(np.arange(len(line_m)) + reach, len(line_m) - 1)] - line_m
    steps[-1] = steps[-2]
    headings = np.unwrap(np.arctan2(-steps[:, 0], -steps[:, 2]))
    turns = np.abs(np.diff(headings, append=headings[-1:]))
    # Steering spreads a bend over the lookahead, and bends no more than the robot can.
    width = 2 * reach + 1
    bends = np.convolve(turns, np.ones(width), mode="same") / (width * _LINE_M)
    bends = np.clip(bends, 1e-9, limits.curvature_radpm)
    speeds = np.minimum(limits.speed_mps, limits.turn_rate_radps / bends)
    speeds[-1] = 0.0
    ahead = arc_lengths(line_m)[-1] - arc_lengths(line_m)
    # Braking: the square of the speed falls by 2 a a metre, so what it is less 2 a s may only grow backwards.
    allowed = speeds**2 - 2.0 * limits.acceleration_mps2 * ahead
    allowed = np.minimum.accumulate(allowed[::-1])[::-1]
    return np.sqrt(np.minimum(speeds**2, allowed + 2.0 * limits.acceleration_mps2 * ahead))


def _steered(
    position_m: np.ndarray,
    heading_rad: float,
    speed_mps: float,
    target_m: np.ndarray,
    wanted_mps: float,
    limits: Limits,
    step_s: float,
) -> tuple[float, float]:
    """Speed and curvature that lead to a point ahead, within what the robot can do from its speed now."""
    offset = target_m - position_m
    distance = max(math.hypot(offset[0], offset[2]), 1e-6)
    angle = math.remainder(heading_of(offset) - heading_rad, 2.0 * math.pi)
    bend = 2.0 * math.sin(angle) / distance
    bend = min(max(bend, -limits.curvature_radpm), limits.curvature_radpm)
    change = limits.acceleration_mps2 * step_s
    speed = min(max(wanted_mps, speed_mps - change), speed_mps + change)
    most = limits.turn_rate_radps / max(speed, 1e-9)
    return speed, min(max(bend, -most), most)


def follow_path(
    simulator: Simulator,
    scene: Scene,
    path_m: np.ndarray,
    heading_rad: float,
    config: FollowerConfig | None = None,
) -> Rollout:
    """The discrete actions that keep to a path.

    `follower.Follower` takes the shortest way between waypoints, along every wall; this one steers to a point
    of the path ahead of it and keeps the path's clearance: a near one where the step to a far one meets
    something. It turns when that point is off by more than 0.8 notches, so that it does not weave.

    Args:
        simulator: Moves.
        scene: The place.
        path_m: float64 (k, 3), start and goal included.
        heading_rad: The first heading.
        config: Actions and stopping radius; R2R-CE's by default.

    Returns:
        Actions and positions; ends in STOP near the path's end, or where a step did not lead on.
    """
    config = FollowerConfig() if config is None else config
    line = resampled(path_m, 0.05)
    window = math.ceil(1.0 / 0.05)
    notch = math.radians(config.turn_deg)
    position, nearest = line[:1], 0
    positions: list[np.ndarray] = [position[0]]
    actions: list[int] = []
    while len(actions) < _MAX_ACTIONS - 1 and _distance(position[0], line[-1]) > config.stop_radius_m:
        turns = 0
        for lookahead_m in _LOOKAHEADS_M:
            target = line[min(nearest + round(lookahead_m / 0.05), len(line) - 1)]
            off = math.remainder(heading_of(target - position[0]) - heading_rad, 2.0 * math.pi) / notch
            turns = 0 if abs(off) <= _TURN_FROM else round(off)
            ahead = np.array([heading_rad + turns * notch])
            if not simulator.move(scene, position, ahead, config.step_m, config.sliding)[1][0]:
                break
        if turns:
            actions.append(LEFT if turns > 0 else RIGHT)
            heading_rad = math.remainder(heading_rad + math.copysign(notch, turns), 2.0 * math.pi)
            continue
        actions.append(FORWARD)
        position, _ = simulator.move(scene, position, np.array([heading_rad]), config.step_m, config.sliding)
        positions.append(position[0])
        if _distance(positions[-2], positions[-1]) < _STUCK * config.step_m:
            break
        part = line[nearest : nearest + window] - position
        nearest += int(np.argmin((part * part).sum(axis=1)))
    return Rollout((*actions, STOP), np.array(positions), heading_rad)


def _distance(a_m: np.ndarray, b_m: np.ndarray) -> float:
    return math.dist(a_m.tolist(), b_m.tolist())


def poses_of(route: Route, turn_deg: float = 15.0) -> tuple[np.ndarray, np.ndarray]:
    """The pose before each of a route's actions: positions float64 (a, 3) and headings (a,)."""
    positions, headings, heading, at = [], [], route.heading_rad, 0
    for action in route.rollout.actions:
        positions.append(route.rollout.positions_m[at])
        headings.append(heading)
        at += action == FORWARD
        heading += math.radians(turn_deg) * ((action == LEFT) - (action == RIGHT))
    return np.array(positions), np.array(headings)


def camera_frames(
    simulator: Simulator,
    scene: Scene,
    route: Route,
    camera: Camera,
    outputs: tuple[str, ...] = ("rgb", "depth", "instance"),
) -> Frames:
    """What an expert sees before each action of a route, STOP included."""
    positions, headings = poses_of(route)
    return simulator.render(scene, positions, headings, camera, outputs)
