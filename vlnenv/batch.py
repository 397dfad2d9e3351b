"""Many episodes at once in one process: batched motion, one render and one encoder call for all."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import rewards
from vlnenv import data
from vlnenv.actions import make_action_mode
from vlnenv.config import EnvConfig
from vlnenv.episodes import Episode, EpisodeDataset, speaks
from vlnenv.metrics import EpisodeMetrics
from vlnenv.noise import make_sensor_noise
from vlnenv.sensors import Sensors, Viewpoints, by_scene
from vlnenv.sim.camera import Camera, quaternion_to_heading
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Simulator
from vlnenv.simulators import make_simulator
from vlnenv.target import find_target, is_in_view
from vlnenv.tasks import get_task

if TYPE_CHECKING:
    from vlnenv.memory import TokenMemory
    from vlnenv.slot_memory import SlotMemories, SlotMemorySnapshot

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
    target_id: int | None = None
    """The scene's instance that must be in view at the stop; None where the distance alone decides."""
    reward_terms: tuple[tuple[str, float], ...] = ()
    terminated: bool = False
    """STOP was called."""
    truncated: bool = False
    """The steps are used up."""
    noise_key: tuple[int, ...] = ()
    """Seeds the sensor noise together with the steps so far."""

    @property
    def is_over(self) -> bool:
        """Whether the episode takes no further action."""
        return self.terminated or self.truncated


@dataclass(frozen=True)
class SlotSnapshot:
    """A rollout and its memory, to go back to."""

    rollout: Rollout | None
    memory: SlotMemorySnapshot | None


class WorldChange(Protocol):
    """Changes the world around an agent, see `EpisodeBatch.world_changes`."""

    def __call__(self, simulator: Simulator, rollout: Rollout, steps_before: int) -> Scene:
        """The scene to go on in; `rollout.scene` itself for no change.

        Args:
            simulator: Edits scenes and measures in them.
            rollout: An episode that has just begun or stepped; the agent and the goal keep their places.
            steps_before: Primitive steps before the last action; -1 at the beginning.
        """
        ...


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
        self.dataset = data.load_dataset(name, config.split, config.data_dir, style=task.style)
        self.episodes = _chosen(self.dataset, config)
        self.simulator = make_simulator(config.simulator, task.body, name, config.data_dir)
        self.actions = make_action_mode(config.action, task.forward_m, task.turn_deg)
        self.reward = rewards.make_reward(config.reward)
        self.sensors = Sensors(self.simulator, make_sensor_noise(config.sensor_noise))
        self.rollouts: list[Rollout | None] = [None] * num_slots
        self._warned_about_targets = False
        self.world_changes: list[WorldChange] = []
        """Asked in turn, for each slot, when an episode begins and after each action. To keep an episode
        repeatable from a snapshot they should be functions of their arguments."""
        self.camera: Camera = task.camera
        if config.image_size is not None:
            self.camera = replace(task.camera, width=config.image_size, height=config.image_size)
        self.memories: SlotMemories | None = None
        if config.uses_tokens:
            # torch is loaded here and not before, so that images alone do without it.
            from vlnenv.slot_memory import SlotMemories

            self.memories = SlotMemories(config, self.sensors, task.camera, num_slots)
        self.privileged: tuple[str, ...] = () if self.memories is None else self.memories.privileged
        """What observations are told that no robot could see, such as "encoder semantic"."""

    @property
    def memory(self) -> TokenMemory | None:
        """The token memory of all slots; None where none runs."""
        return None if self.memories is None else self.memories.memory

    def rollout(self, slot: int) -> Rollout:
        """The rollout in a slot that has begun one."""
        rollout = self.rollouts[slot]
        assert rollout is not None, f"slot {slot} has no episode"
        return rollout

    def begin(
        self,
        slots: Sequence[int],
        episodes: Sequence[Episode],
        noise_keys: Sequence[tuple[int, ...]] | None = None,
        memory_files: Sequence[str | Path | None] | None = None,
        seeded: Sequence[int] = (),
    ) -> None:
        """Put an episode in each slot, its agent at the start.

        Args:
            slots: Where, without repeats.
            episodes: One a slot.
            noise_keys: What seeds each episode's sensor noise; None for no words.
            memory_files: Files of `save_memory` that slots begin with; None, or a None in it, leaves what is
                remembered to the scope.
            seeded: Those of `slots` that begin anew: what would be kept of their last episode is forgotten,
                so that what follows depends on the seed alone.

        Raises:
            EpisodeError: If a start or goal lies off the navigable floor, or no way joins them.
            FileNotFoundError: If a memory's file is not there.
            ValueError: If a memory does not fit. The slots keep what they had, in all these cases.
        """
        keys = [()] * len(slots) if noise_keys is None else noise_keys
        files = [None] * len(slots) if memory_files is None else memory_files
        last = [None if slot in seeded else self.rollouts[slot] for slot in slots]
        begun = [
            self._start(before, episode, key)
            for before, episode, key in zip(last, episodes, keys, strict=True)
        ]
        if self.memories is None and all(file is None for file in files):
            for slot, rollout in zip(slots, begun, strict=True):
                self.rollouts[slot] = rollout
            return
        memories = self._running_memories()
        contents = [
            memories.beginning(episode.scene_id, file) for episode, file in zip(episodes, files, strict=True)
        ]
        for slot, rollout, before, content in zip(slots, begun, last, contents, strict=True):
            self.rollouts[slot] = rollout
            memories.begin(slot, content, _is_in(before, rollout.episode.scene_id))

    def _start(self, last: Rollout | None, episode: Episode, noise_key: tuple[int, ...]) -> Rollout:
        """The episode at its start, `last` being what the slot did before."""
        if self.config.keep_edits and last is not None and _is_in(last, episode.scene_id):
            scene = last.scene
        else:
            scene = self.simulator.load(episode.scene_id)
        rollout = self._at_start(scene, episode, noise_key)
        for change in self.world_changes:
            changed = change(self.simulator, rollout, -1)
            if changed is not rollout.scene:
                rollout = self._at_start(changed, episode, noise_key)
        return rollout

    def _at_start(self, scene: Scene, episode: Episode, noise_key: tuple[int, ...]) -> Rollout:
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
        target_id = self._target_id(scene, episode)
        return Rollout(
            episode=episode,
            scene=scene,
            goal_m=goal_m,
            position_m=start_m,
            heading_rad=quaternion_to_heading(np.asarray(episode.start_rotation_xyzw)),
            history=self.actions.empty_history(),
            metrics=EpisodeMetrics(
                replace(episode, goal_radius_m=self.task.success_distance_m),
                start_distance_m,
                start_m,
                needs_target=target_id is not None,
            ),
            path_m=(start_m,),
            target_id=target_id,
            noise_key=noise_key,
        )

    def _target_id(self, scene: Scene, episode: Episode) -> int | None:
        """The instance that the task wants in view at the stop; warns once where it should and can't."""
        if self.task.target_distance_m is None or episode.goal_position_m is None:
            return None
        target_id = find_target(scene, episode.target)
        if target_id is None and not self._warned_about_targets:
            self._warned_about_targets = True
            lack = "names no target object"
            if episode.target is not None:
                lack = f"names {episode.target.object_id!r}, which is no instance of {scene.id!r}"
            warnings.warn(
                f"episode {episode.episode_id!r} {lack}: success of such episodes is by the distance alone, "
                "as info['target_known'] says",
                UserWarning,
                stacklevel=2,
            )
        return target_id

    def _sees_target(self, state: Rollout, position_m: np.ndarray) -> bool:
        """Whether an agent that stops there has its target in view."""
        if state.target_id is None or self.task.target_distance_m is None:
            return False
        return is_in_view(
            self.simulator,
            state.scene,
            state.target_id,
            position_m,
            self.task.camera.height_m,
            self.task.target_distance_m,
        )

    def _snap(self, scene: Scene, episode: Episode, what: str, position: Sequence[float]) -> np.ndarray:
        position_m = np.asarray(position, dtype=np.float64)
        snapped = self.simulator.snap(scene, position_m[None], max_distance_m=20.0)[0]
        distance_m = float(np.linalg.norm(snapped - position_m))
        if not distance_m <= MAX_SNAP_M:
            nearest = (
                "no floor within 20 m" if math.isnan(distance_m) else f"the nearest is {distance_m:.2f} m off"
            )
            question = (
                "Does something that was moved or added stand there?"
                if scene.edits
                else "Does the scene file belong to these episodes?"
            )
            raise EpisodeError(
                f"episode {episode.episode_id!r} in {episode.scene_id!r}: its {what} "
                f"{position_m.round(2).tolist()} is off the navigable floor ({nearest}; up to {MAX_SNAP_M} m "
                f"is put right). {question}"
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
            for change in [] if self.rollout(slot).is_over else self.world_changes:
                self._enter(slot, change(self.simulator, self.rollout(slot), state.metrics.steps))
        return values, terminated, truncated

    def set_scene(self, slot: int, scene: Scene) -> None:
        """Let a slot's episode go on in an edited copy of its scene.

        The agent stays where it is, its memory too: it learns of the change when it looks. Collisions, ways
        and the distance to the goal are those of the new world from now on (where no way is left the distance
        stays the last finite one); the start distance that SPL divides by stays.

        Raises:
            ValueError: If the scene is another one, or something would stand where the agent does. Nothing
                has changed then.
        """
        state = self.rollout(slot)
        if scene.id != state.scene.id:
            raise ValueError(
                f"slot {slot} is in scene {state.scene.id!r}; an edit of it cannot be {scene.id!r}"
            )
        if not self.simulator.is_navigable(scene, state.position_m[None])[0]:
            raise ValueError(
                f"the edit of {scene.id!r} leaves the agent at {state.position_m.round(2).tolist()} no floor "
                "to stand on; put the object elsewhere"
            )
        self._enter(slot, scene)

    def _enter(self, slot: int, scene: Scene) -> None:
        state = self.rollout(slot)
        if scene is state.scene:
            return
        metrics = state.metrics.copy()
        if state.goal_m is not None and not state.is_over:
            metrics.change_world(
                float(self.simulator.geodesic(scene, state.position_m[None], state.goal_m)[0])
            )
        self.rollouts[slot] = replace(state, scene=scene, metrics=metrics)

    def _move(
        self,
        states: Sequence[Rollout],
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        ahead_m: np.ndarray,
    ) -> np.ndarray:
        """Walk in place (`position_m` is written), one call a scene; returns bool (n,) whether blocked."""
        collided = np.zeros(len(states), dtype=bool)
        for scene, rows in by_scene([state.scene for state in states], np.flatnonzero(ahead_m > 0.0)):
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
        sees_target = has_stopped and self._sees_target(state, position_m)
        metrics.update(
            position_m, distance_m, bool(collided), has_stopped, is_over or has_stopped, sees_target
        )

    def observe(self, slots: Sequence[int]) -> dict[str, Any]:
        """What the agents in `slots` see now; looks once through their cameras and updates their memories.

        Returns:
            The observation keys, each batched over the slots: arrays (n, ...), `instruction` a tuple.
        """
        states = [self.rollout(slot) for slot in slots]
        views = Viewpoints(
            scenes=[state.scene for state in states],
            position_m=np.stack([state.position_m for state in states]),
            heading_rad=np.array([state.heading_rad for state in states]),
            rngs=[] if self.sensors.noise is None else [_noise_rng(state) for state in states],
        )
        observation: dict[str, Any] = {}
        if self.memories is not None:
            observation.update(self.memories.observe(slots, views))
        if self.config.uses_images:
            frames = self.sensors.look(views, self.camera, ("rgb", "depth"))
            assert frames.depth is not None
            observation["rgb"] = frames.rgb
            observation["depth"] = frames.depth[..., None]
        observation["action_history"] = np.stack([state.history for state in states])
        observation["instruction"] = tuple(state.episode.instruction for state in states)
        return observation

    def save_memory(self, slot: int, path: str | Path) -> None:
        """Write a slot's memory to a safetensors file, with its scene, encoder and levels.

        Raises:
            ValueError: If no memory runs.
        """
        self._running_memories().save(slot, path, self.rollout(slot).episode.scene_id)

    def _running_memories(self) -> SlotMemories:
        if self.memories is None:
            raise ValueError("no memory runs with observation='rgbd'; use 'tokens' or 'all'")
        return self.memories

    def info(self, slot: int) -> dict[str, Any]:
        """Flat scalars of a slot: which episode it is, how it stands, what the reward was made of."""
        state = self.rollout(slot)
        info: dict[str, Any] = {
            "episode_id": state.episode.episode_id,
            "scene_id": state.episode.scene_id,
            "dataset": f"{self.dataset.name}@{self.dataset.hash}",
            "task": f"{self.task.name}@{self.task.hash}",
            "privileged": ", ".join(self.privileged),
        }
        info.update(state.metrics.scalars())
        if self.task.target_distance_m is not None and state.goal_m is not None:
            info["lenient_success"] = state.metrics.lenient_success
            info["target_in_view"] = state.metrics.target_in_view
            info["target_known"] = state.target_id is not None
        info.update({f"reward/{name}": value for name, value in state.reward_terms})
        return info

    def snapshot(self, slot: int) -> SlotSnapshot:
        """State of a slot; the simulator holds none."""
        memory = None if self.memories is None else self.memories.snapshot(slot)
        return SlotSnapshot(self.rollouts[slot], memory)

    def restore(self, slot: int, snapshot: SlotSnapshot) -> None:
        """Put a slot (the same or another) back to a snapshot of this batch or one with the same settings."""
        self.rollouts[slot] = snapshot.rollout
        if self.memories is not None:
            assert snapshot.memory is not None, "snapshots are of a batch with the same settings"
            self.memories.restore(slot, snapshot.memory)

    def close(self) -> None:
        """Free the simulator; calling it twice is harmless."""
        self.simulator.close()


def _chosen(dataset: EpisodeDataset, config: EnvConfig) -> Sequence[Episode]:
    """The episodes that the settings draw from."""
    chosen: Sequence[Episode] = dataset.episodes
    if config.episodes is not None:
        chosen = [dataset.by_id(str(episode_id)) for episode_id in config.episodes]
    if config.languages is not None:
        known = sorted({episode.language for episode in chosen})
        chosen = [each for each in chosen if speaks(each.language, config.languages)]
        if not chosen:
            raise ValueError(
                f"no episode of {dataset.name} {dataset.split} is in {', '.join(config.languages)}; its "
                f"languages are {', '.join(known)}"
            )
    return chosen


def _is_in(rollout: Rollout | None, scene_id: str) -> bool:
    """Whether there is an episode, and it is in that scene."""
    return rollout is not None and rollout.episode.scene_id == scene_id


def _noise_rng(state: Rollout) -> np.random.Generator:
    """The random numbers of an observation's noise: the same whenever it is made again."""
    return np.random.default_rng([*state.noise_key, state.metrics.steps])
