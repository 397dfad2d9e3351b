"""Furniture that is put elsewhere, between episodes or within them, for tests of robustness."""

from __future__ import annotations

from dataclasses import dataclass

import gymnasium as gym
import numpy as np

from vlnenv.batch import EpisodeBatch, Rollout
from vlnenv.env import VLNEnv
from vlnenv.noise import words_of
from vlnenv.sim.relocation import relocate
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator
from vlnenv.vector import VLNVectorEnv


@dataclass(frozen=True)
class Relocation:
    """Moves `count` pieces of furniture once an episode; what moves where follows seed and episode alone."""

    count: int = 3
    """Objects to move; fewer where there is no room."""
    at_step: int = 0
    """Primitive steps after which they move; 0 is before the first observation."""
    seed: int = 0
    """Another seed moves other objects to other places."""

    def __post_init__(self) -> None:
        for name in ("count", "at_step", "seed"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")

    def __call__(self, simulator: Simulator, rollout: Rollout, steps_before: int) -> Scene:
        """See `vlnenv.batch.WorldChange`."""
        if not steps_before < self.at_step <= rollout.metrics.steps:
            return rollout.scene
        rng = np.random.default_rng([self.seed, *words_of(rollout.episode.episode_id)])
        goal_m = rollout.goal_m
        clear_m = [rollout.position_m, *([] if goal_m is None else [goal_m])]

        def is_open(scene: Scene) -> bool:
            if goal_m is None:
                return bool(simulator.is_navigable(scene, rollout.position_m[None])[0])
            return bool(np.isfinite(simulator.geodesic(scene, rollout.position_m[None], goal_m)[0]))

        return relocate(simulator, rollout.scene, self.count, rng, is_open, np.stack(clear_m))


class MovingObjects(gym.Wrapper, gym.utils.RecordConstructorArgs):
    """Puts furniture elsewhere in every episode, keeping the way from the agent to the goal open.

    Which objects move where depends on `seed` and the episode's id alone, so that agents can be compared in
    the same changed worlds, and results do not depend on the order of episodes or the number of
    environments. The instruction stays: it may name what has moved. With `keep_edits=True` and a row of
    episodes in one scene, the changes add up.

    Args:
        env: A `VLNEnv`, wrapped or not.
        count: Objects to move; fewer move where there is no room.
        at_step: Primitive steps after which they move. 0 is before the first observation: the world differs
            from the one that a tour or earlier episodes of it have shown.
        seed: Another seed moves other objects to other places.
    """

    def __init__(self, env: gym.Env, count: int = 3, at_step: int = 0, seed: int = 0) -> None:
        gym.utils.RecordConstructorArgs.__init__(self, count=count, at_step=at_step, seed=seed)
        gym.Wrapper.__init__(self, env)
        _batch_of(env.unwrapped).world_changes.append(Relocation(count, at_step, seed))


class VectorMovingObjects(gym.vector.VectorWrapper):
    """`MovingObjects` for `VLNVectorEnv`: each environment has its own world."""

    def __init__(self, env: gym.vector.VectorEnv, count: int = 3, at_step: int = 0, seed: int = 0) -> None:
        super().__init__(env)
        _batch_of(env.unwrapped).world_changes.append(Relocation(count, at_step, seed))


def _batch_of(env: object) -> EpisodeBatch:
    if not isinstance(env, VLNEnv | VLNVectorEnv):
        raise TypeError(f"expected a VLNEnv or VLNVectorEnv inside the wrappers, got {type(env).__name__}")
    return env.batch
