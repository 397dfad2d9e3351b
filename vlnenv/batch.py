"""Many episodes at once in one process: batched motion, one render and one encoder call for all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import rewards
from vlnenv import data
from vlnenv.actions import make_action_mode
from vlnenv.config import EnvConfig
from vlnenv.episodes import Episode
from vlnenv.metrics import EpisodeMetrics
from vlnenv.sim.camera import Camera, quaternion_to_heading
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames
from vlnenv.tasks import get_task

if TYPE_CHECKING:
    from vlnenv.memory import Encoder, TokenMemory

MAX_SNAP_M = 0.5
"""Starts and goals are put on the navigable floor within this distance, as Habitat does."""


class EpisodeError(ValueError):
    """An episode cannot be run in its scene."""


@dataclass(frozen=True)
class Rollout:
    """State of one episode in progress. Each step makes a new one, so a snapshot is a reference."""

    episode: Episode
    scene: Scene
    goal_m: np.ndarray | None
    position_m: np.ndarray
    heading_rad: float
    history: np.ndarray
    metrics: EpisodeMetrics
    """Belongs to this rollout alone: copied before it is updated."""
    path_m: tuple[np.ndarray, ...]
    """Positions so far, oldest first."""
    reward_terms: tuple[tuple[str, float], ...] = ()
    terminated: bool = False
    """STOP was called."""
    truncated: bool = False
    """The steps are used up."""

    @property
    def is_over(self) -> bool:
        """Whether the episode takes no further action."""
        return self.terminated or self.truncated


@dataclass(frozen=True)
class SlotSnapshot:
    """A rollout and its memory, to go back to."""

    rollout: Rollout | None
    memory: Any


class EpisodeBatch:
    """Runs one episode in each of `num_slots` slots, for `VLNEnv` (one slot) and `VLNVectorEnv`.

    Slots never influence each other: what a slot observes does not depend on how many there are.
    """

    def __init__(self, config: EnvConfig, num_slots: int) -> None:
        self.config = config
        task = get_task(config.task)
        self.task = replace(
            task,
            max_steps=config.max_steps or task.max_steps,
            sliding=task.sliding if config.sliding is None else config.sliding,
        )
        name = data.resolve_dataset(config.dataset, task.dataset, config.split, config.data_dir)
        self.dataset = data.load_dataset(name, config.split, config.data_dir)
        if config.episodes is None:
            self.episodes: Sequence[Episode] = self.dataset.episodes
        else:
            self.episodes = [self.dataset.by_id(str(episode_id)) for episode_id in config.episodes]
        self.simulator = EmbreeSimulator(body=task.body, load_scene=data.scene_loader(name, config.data_dir))
        self.actions = make_action_mode(config.action, task.forward_m, task.turn_deg)
        self.reward = rewards.make_reward(config.reward)
        self.rollouts: list[Rollout | None] = [None] * num_slots
        self.camera: Camera = task.camera
        if config.image_size is not None:
            self.camera = replace(task.camera, width=config.image_size, height=config.image_size)
        self.encoder: Encoder | None = None
        self.memory: TokenMemory | None = None
        if config.uses_tokens:
            # torch is loaded here and not before, so that images alone do without it.
            from vlnenv.memory import MemoryConfig, TokenMemory, make_encoder

            self.encoder = make_encoder(config.encoder)
            size = self.encoder.image_size
            self.memory_camera = replace(task.camera, width=size, height=size)
            self.memory = TokenMemory(
                num_slots,
                self.encoder.dim,
                MemoryConfig(patches=config.patches),
                self.memory_camera,
                device=config.device,
            )

    def rollout(self, slot: int) -> Rollout:
        """The rollout in a slot that has begun one."""
        rollout = self.rollouts[slot]
        assert rollout is not None, f"slot {slot} has no episode"
        return rollout

    def begin(self, slots: Sequence[int], episodes: Sequence[Episode]) -> None:
        """Put an episode in each slot, its agent at the start.

        Raises:
            EpisodeError: If a start or goal lies off the navigable floor, or no way joins them. The slots
                keep what they had.
        """
        begun = [self._start(episode) for episode in episodes]
        for slot, rollout in zip(slots, begun, strict=True):
            self.rollouts[slot] = rollout
        if self.memory is not None:
            self.memory.reset(np.asarray(slots))

    def _start(self, episode: Episode) -> Rollout:
        scene = self.simulator.load(episode.scene_id)
        start_m = self._snap(scene, episode, "start", episode.start_position_m)
        goal_m, start_distance_m = None, None
        if episode.goal_position_m is not None:
            goal_m = self._snap(scene, episode, "goal", episode.goal_position_m)
            start_distance_m = float(self.simulator.geodesic(scene, start_m[None], goal_m)[0])
            if not math.isfinite(start_distance_m):
                raise EpisodeError(
                    f"episode {episode.episode_id!r} in {episode.scene_id!r}: no way from its start "
                    f"{start_m.round(2).tolist()} to its goal {goal_m.round(2).tolist()}"
                )
        return Rollout(
            episode=episode,
            scene=scene,
            goal_m=goal_m,
            position_m=start_m,
            heading_rad=quaternion_to_heading(np.asarray(episode.start_rotation_xyzw)),
            history=self.actions.empty_history(),
            metrics=EpisodeMetrics(
                replace(episode, goal_radius_m=self.task.success_distance_m), start_distance_m, start_m
            ),
            path_m=(start_m,),
        )

    def _snap(self, scene: Scene, episode: Episode, what: str, position: Sequence[float]) -> np.ndarray:
        position_m = np.asarray(position, dtype=np.float64)
        snapped = self.simulator.snap(scene, position_m[None], max_distance_m=20.0)[0]
        distance_m = float(np.linalg.norm(snapped - position_m))
        if not distance_m <= MAX_SNAP_M:
            nearest = (
                "no floor within 20 m" if math.isnan(distance_m) else f"the nearest is {distance_m:.2f} m off"
            )
            raise EpisodeError(
                f"episode {episode.episode_id!r} in {episode.scene_id!r}: its {what} "
                f"{position_m.round(2).tolist()} is off the navigable floor ({nearest}; up to {MAX_SNAP_M} m "
                "is put right). Does the scene file belong to these episodes?"
            )
        return snapped

    def step(self, slots: Sequence[int], actions: Sequence[Any]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Carry out one action in each slot.

        Args:
            slots: Slots whose episodes are in progress, without repeats.
            actions: One action of the action space a slot.

        Returns:
            Rewards float64 (n,), terminated bool (n,) (STOP was called), truncated bool (n,) (steps used up).

        Raises:
            ValueError: If an action is not valid; no slot has moved then.
        """
        plans = [self.actions.plan(action) for action in actions]
        states = [self.rollout(slot) for slot in slots]
        position_m = np.stack([state.position_m for state in states])
        heading_rad = np.array([state.heading_rad for state in states])
        metrics = [state.metrics.copy() for state in states]
        paths = [list(state.path_m) for state in states]
        terminated = np.array([len(plan) == 0 for plan in plans])
        truncated = np.zeros(len(slots), dtype=bool)
        for row, plan in enumerate(plans):
            if not plan:
                self._record(states[row], metrics[row], position_m[row], False, has_stopped=True)
        for index in range(max((len(plan) for plan in plans), default=0)):
            rows = [row for row, plan in enumerate(plans) if index < len(plan) and not truncated[row]]
            ahead_m = np.zeros(len(slots))
            for row in rows:
                heading_rad[row] += plans[row][index].turn_rad
                ahead_m[row] = plans[row][index].forward_m
            collided = self._move(states, position_m, heading_rad, ahead_m)
            for row in rows:
                truncated[row] = metrics[row].steps + 1 >= self.task.max_steps
                self._record(
                    states[row], metrics[row], position_m[row], collided[row], is_over=bool(truncated[row])
                )
                if ahead_m[row] > 0.0:
                    paths[row].append(position_m[row].copy())
        values = np.zeros(len(slots))
        for row, (slot, state) in enumerate(zip(slots, states, strict=True)):
            values[row], terms = self.reward(metrics[row].step_facts(state.metrics))
            self.rollouts[slot] = replace(
                state,
                position_m=position_m[row].copy(),
                heading_rad=math.remainder(heading_rad[row], 2.0 * math.pi),
                history=self.actions.push(state.history, actions[row]),
                metrics=metrics[row],
                path_m=tuple(paths[row]),
                reward_terms=tuple(terms.items()),
                terminated=bool(terminated[row]),
                truncated=bool(truncated[row]),
            )
        return values, terminated, truncated

    def _move(
        self,
        states: Sequence[Rollout],
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        ahead_m: np.ndarray,
    ) -> np.ndarray:
        """Walk in place (`position_m` is written), one call a scene; returns bool (n,) whether blocked."""
        collided = np.zeros(len(states), dtype=bool)
        for scene, rows in by_scene(states, np.flatnonzero(ahead_m > 0.0)):
            position_m[rows], collided[rows] = self.simulator.move(
                scene, position_m[rows], heading_rad[rows], ahead_m[rows], self.task.sliding
            )
        return collided

    def _record(
        self,
        state: Rollout,
        metrics: EpisodeMetrics,
        position_m: np.ndarray,
        collided: bool,
        has_stopped: bool = False,
        is_over: bool = False,
    ) -> None:
        distance_m = None
        if state.goal_m is not None:
            distance_m = float(self.simulator.geodesic(state.scene, position_m[None], state.goal_m)[0])
        metrics.update(position_m, distance_m, bool(collided), has_stopped, is_over or has_stopped)

    def observe(self, slots: Sequence[int]) -> dict[str, Any]:
        """What the agents in `slots` see now; looks once through their cameras and updates their memories.

        Returns:
            The observation keys, each batched over the slots: arrays (n, ...), `instruction` a tuple.
        """
        states = [self.rollout(slot) for slot in slots]
        position_m = np.stack([state.position_m for state in states])
        heading_rad = np.array([state.heading_rad for state in states])
        observation: dict[str, Any] = {}
        if self.memory is not None and self.encoder is not None:
            outputs = tuple(sorted({"depth", *self.encoder.outputs}))
            frames = self._render(states, position_m, heading_rad, self.memory_camera, outputs)
            features = self.encoder.encode(frames, [state.scene for state in states])
            index = np.asarray(slots)
            assert frames.depth is not None
            self.memory.update(index, features, frames.depth, position_m, heading_rad)
            observation.update(self.memory.read(index, position_m, heading_rad))
        if self.config.uses_images:
            frames = self._render(states, position_m, heading_rad, self.camera, ("rgb", "depth"))
            assert frames.depth is not None
            observation["rgb"] = frames.rgb
            observation["depth"] = frames.depth[..., None]
        observation["action_history"] = np.stack([state.history for state in states])
        observation["instruction"] = tuple(state.episode.instruction for state in states)
        return observation

    def _render(
        self,
        states: Sequence[Rollout],
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        camera: Camera,
        outputs: Sequence[str],
    ) -> Frames:
        groups = by_scene(states, np.arange(len(states)))
        rendered = [
            self.simulator.render(scene, position_m[rows], heading_rad[rows], camera, outputs)
            for scene, rows in groups
        ]
        if len(rendered) == 1:
            return rendered[0]
        order = np.argsort(np.concatenate([rows for _, rows in groups]))
        return Frames(
            **{
                output: np.concatenate([getattr(frames, output) for frames in rendered])[order]
                for output in outputs
            }
        )

    def info(self, slot: int) -> dict[str, Any]:
        """Flat scalars of a slot: which episode it is, how it stands, what the reward was made of."""
        state = self.rollout(slot)
        info: dict[str, Any] = {
            "episode_id": state.episode.episode_id,
            "scene_id": state.episode.scene_id,
            "dataset": f"{self.dataset.name}@{self.dataset.hash}",
        }
        info.update(state.metrics.scalars())
        info.update({f"reward/{name}": value for name, value in state.reward_terms})
        return info

    def snapshot(self, slot: int) -> SlotSnapshot:
        """State of a slot; the simulator holds none."""
        memory = self.memory.snapshot(slot) if self.memory is not None else None
        return SlotSnapshot(self.rollouts[slot], memory)

    def restore(self, slot: int, snapshot: SlotSnapshot) -> None:
        """Put a slot (the same or another) back to a snapshot of this batch or one with the same settings."""
        self.rollouts[slot] = snapshot.rollout
        if self.memory is not None:
            self.memory.restore(slot, snapshot.memory)

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        self.simulator.close()


def by_scene(states: Sequence[Rollout], rows: np.ndarray) -> list[tuple[Scene, np.ndarray]]:
    """Group `rows` of `states` by their scene, in order of first appearance."""
    groups: dict[int, tuple[Scene, list[int]]] = {}
    for row in rows:
        scene = states[row].scene
        groups.setdefault(id(scene), (scene, []))[1].append(int(row))
    return [(scene, np.asarray(members)) for scene, members in groups.values()]
