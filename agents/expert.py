"""The expert: walks the shortest way to the goal. Privileged: it is shown the goal and the whole scene."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from agents.macros import STOP_MACRO, TURN_LIMIT
from vlnenv.batch import EpisodeBatch, Rollout
from vlnenv.episodes import Episode
from vlnenv.sim.follower import FollowerConfig, next_action
from vlnenv.sim.strides import next_stride
from vlnenv.vector import VLNVectorEnv


def expert_action(batch: EpisodeBatch, slot: int) -> int:
    """The discrete action that follows the shortest way to the slot's goal, from wherever its agent is.

    Raises:
        ValueError: If the episode's goal is not public.
    """
    rollout, task = batch.rollout(slot), batch.task
    goal_m = _public_goal(rollout)
    config = FollowerConfig(step_m=task.forward_m, turn_deg=task.turn_deg, sliding=task.sliding)
    return next_action(
        batch.simulator, rollout.scene, rollout.position_m, rollout.heading_rad, goal_m, config
    )


def expert_macro(batch: EpisodeBatch, slot: int, stop_m: float = 1.5, by_route: bool = False) -> np.ndarray:
    """The macro action [stop, turn, moves] that leads to the slot's goal, int64 (3,).

    Args:
        batch: Its episodes have public goals.
        slot: Which.
        stop_m: Within this walking distance of the goal it stops (Dynam3D's teacher: 1.5).
        by_route: Walk to the next waypoint of the reference path that has not been passed, in order, and to
            the goal after the last: where the reference is not the shortest way (RxR).

    Raises:
        ValueError: If the episode's goal is not public.
    """
    rollout, task = batch.rollout(slot), batch.task
    goal_m = _public_goal(rollout)
    distance_m = float(batch.simulator.geodesic(rollout.scene, rollout.position_m[None], goal_m)[0])
    if distance_m <= stop_m:
        return np.array(STOP_MACRO)
    target_m = goal_m
    if by_route:
        target_m = next_waypoint(np.stack(rollout.path_m), rollout.episode.reference_path_m, goal_m)
    config = FollowerConfig(step_m=task.forward_m, turn_deg=task.turn_deg, sliding=task.sliding)
    stride = next_stride(
        batch.simulator, rollout.scene, rollout.position_m, rollout.heading_rad, target_m, config
    )
    if stride is None and by_route:
        stride = next_stride(
            batch.simulator, rollout.scene, rollout.position_m, rollout.heading_rad, goal_m, config
        )
    if stride is None:
        return np.array(STOP_MACRO)
    turn, moves = stride
    # What comes after a long turn is decided when its end is in sight.
    return np.array([0, turn % round(360.0 / task.turn_deg), 0 if abs(turn) >= TURN_LIMIT else moves])


def next_waypoint(
    path_m: np.ndarray, route_m: Sequence[Sequence[float]], goal_m: np.ndarray, reach_m: float = 1.0
) -> np.ndarray:
    """The first waypoint of a route that a path has not yet come within reach of, in order.

    Args:
        path_m: (t, 3) positions so far.
        route_m: (r, 3) waypoints; may be empty.
        goal_m: (3,) what comes after the last one.
        reach_m: Straight-line distance at which a waypoint counts as passed.
    """
    passed = 0
    for position_m in path_m:
        while passed < len(route_m) and np.linalg.norm(position_m - np.asarray(route_m[passed])) <= reach_m:
            passed += 1
    return np.asarray(route_m[passed], dtype=np.float64) if passed < len(route_m) else goal_m


def _public_goal(rollout: Rollout) -> np.ndarray:
    if rollout.goal_m is None:
        raise ValueError(
            f"episode {rollout.episode.episode_id!r} has no public goal for the expert to walk to"
        )
    return rollout.goal_m


class ExpertAgent:
    """Takes the expert's action in every slot. Privileged: no agent has this at test time."""

    privileged = True
    is_blind = True
    """It looks at no observation: it knows more."""

    def __init__(self) -> None:
        self._batch: EpisodeBatch | None = None

    def bind(self, env: VLNVectorEnv) -> None:
        """Take the environment, with its simulator."""
        self._batch = env.batch

    def reset(self, index: int, episode: Episode) -> None:
        """Begin an episode in slot `index`."""

    def act(self, observations: Mapping[str, Any], active: np.ndarray) -> np.ndarray:
        """Actions int64 (n,); slots that are not active get 0.

        Raises:
            ValueError: If the agent was not bound to an environment, or an episode has no public goal.
        """
        if self._batch is None:
            raise ValueError("the expert is privileged: call bind(env) before it acts")
        actions = np.zeros(len(active), dtype=np.int64)
        for slot in np.flatnonzero(active):
            actions[slot] = expert_action(self._batch, int(slot))
        return actions
