"""Many episodes at once in one process: batched motion, one render and one encoder call for all."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

import rewards
from vlnenv import data
from vlnenv.actions import make_action_mode
from vlnenv.config import EnvConfig
from vlnenv.episodes import Episode
from vlnenv.metrics import EpisodeMetrics
from vlnenv.noise import make_sensor_noise, words_of
from vlnenv.sim.camera import Camera, quaternion_to_heading
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames, Simulator
from vlnenv.sim.tour import look_around, tour_stops
from vlnenv.tasks import get_task

if TYPE_CHECKING:
    from vlnenv.memory import Encoder, MemorySnapshot, TokenMemory

_TOURS_KEPT = 16
"""Scenes whose tours stay in memory for the scope "pre_exploration"."""

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
    memory: Any


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
        self.dataset = data.load_dataset(name, config.split, config.data_dir)
        if config.episodes is None:
            self.episodes: Sequence[Episode] = self.dataset.episodes
        else:
            self.episodes = [self.dataset.by_id(str(episode_id)) for episode_id in config.episodes]
        self.simulator = EmbreeSimulator(body=task.body, load_scene=data.scene_loader(name, config.data_dir))
        self.actions = make_action_mode(config.action, task.forward_m, task.turn_deg)
        self.reward = rewards.make_reward(config.reward)
        self.noise = make_sensor_noise(config.sensor_noise)
        self.rollouts: list[Rollout | None] = [None] * num_slots
        self.world_changes: list[WorldChange] = []
        """Asked in turn, for each slot, when an episode begins and after each action. To keep an episode
        repeatable from a snapshot they should be functions of their arguments."""
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
        self._tours: OrderedDict[str, MemorySnapshot] = OrderedDict()

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
        memories: Sequence[str | Path | None] | None = None,
    ) -> None:
        """Put an episode in each slot, its agent at the start.

        Args:
            slots: Where, without repeats.
            episodes: One a slot.
            noise_keys: What seeds each episode's sensor noise; None for no words.
            memories: Files of `save_memory` that slots begin with; None, or a None in it, leaves what is in
                the memory to the scope.

        Raises:
            EpisodeError: If a start or goal lies off the navigable floor, or no way joins them.
            FileNotFoundError: If a memory's file is not there.
            ValueError: If a memory does not fit. The slots keep what they had, in all these cases.
        """
        keys = [()] * len(slots) if noise_keys is None else noise_keys
        files = [None] * len(slots) if memories is None else memories
        begun = [
            self._start(slot, episode, key) for slot, episode, key in zip(slots, episodes, keys, strict=True)
        ]
        contents = [
            self._first_memory(slot, rollout, file)
            for slot, rollout, file in zip(slots, begun, files, strict=True)
        ]
        for slot, rollout, content in zip(slots, begun, contents, strict=True):
            is_kept = self.config.memory_scope == "lifelong" and self._was_in(slot, rollout.episode)
            self.rollouts[slot] = rollout
            if self.memory is None:
                continue
            if content is not None:
                self.memory.restore(slot, content)
            elif not is_kept:
                self.memory.reset([slot])

    def _was_in(self, slot: int, episode: Episode) -> bool:
        """Whether the slot's last episode was in the scene of `episode`."""
        last = self.rollouts[slot]
        return last is not None and last.episode.scene_id == episode.scene_id

    def _first_memory(self, slot: int, rollout: Rollout, file: str | Path | None) -> MemorySnapshot | None:
        """What a slot remembers when its episode begins, where that comes from elsewhere."""
        if file is not None:
            return self._read_memory(file, rollout.episode.scene_id)
        if self.memory is not None and self.config.memory_scope == "pre_exploration":
            return self._tour(rollout.episode.scene_id)
        return None

    def _start(self, slot: int, episode: Episode, noise_key: tuple[int, ...]) -> Rollout:
        last = self.rollouts[slot]
        if self.config.keep_edits and last is not None and self._was_in(slot, episode):
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
            noise_key=noise_key,
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
        metrics.update(position_m, distance_m, bool(collided), has_stopped, is_over or has_stopped)

    def observe(self, slots: Sequence[int]) -> dict[str, Any]:
        """What the agents in `slots` see now; looks once through their cameras and updates their memories.

        Returns:
            The observation keys, each batched over the slots: arrays (n, ...), `instruction` a tuple.
        """
        states = [self.rollout(slot) for slot in slots]
        scenes = [state.scene for state in states]
        position_m = np.stack([state.position_m for state in states])
        heading_rad = np.array([state.heading_rad for state in states])
        rngs = [] if self.noise is None else [_noise_rng(state) for state in states]
        observation: dict[str, Any] = {}
        if self.memory is not None:
            index = np.asarray(slots)
            told = self._remember(self.memory, index, scenes, position_m, heading_rad, rngs)
            observation.update(self.memory.read(index, *told))
        if self.config.uses_images:
            frames = self._render(scenes, position_m, heading_rad, self.camera, ("rgb", "depth"))
            assert frames.depth is not None
            observation["rgb"] = frames.rgb
            observation["depth"] = self._measured(frames.depth, self.camera, rngs)[..., None]
        observation["action_history"] = np.stack([state.history for state in states])
        observation["instruction"] = tuple(state.episode.instruction for state in states)
        return observation

    def _remember(
        self,
        memory: TokenMemory,
        index: np.ndarray,
        scenes: Sequence[Scene],
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        rngs: Sequence[np.random.Generator],
    ) -> tuple[np.ndarray, np.ndarray]:
        """Look from true poses and let a memory take it in; `rngs`, one a pose, are for the noise alone.

        Returns:
            The poses that it was told.
        """
        assert self.encoder is not None
        outputs = tuple(sorted({"depth", *self.encoder.outputs}))
        frames = self._render(scenes, position_m, heading_rad, self.memory_camera, outputs)
        features = self.encoder.encode(frames, scenes)
        assert frames.depth is not None
        told_m, told_rad = position_m, heading_rad
        if self.noise is not None:
            told = [self.noise.told_pose(*pose) for pose in zip(position_m, heading_rad, rngs, strict=True)]
            told_m = np.stack([each_m for each_m, _ in told])
            told_rad = np.array([each_rad for _, each_rad in told])
        depth_m = self._measured(frames.depth, self.memory_camera, rngs)
        memory.update(index, features, depth_m, told_m, told_rad)
        return told_m, told_rad

    def _measured(
        self, depth_m: np.ndarray, camera: Camera, rngs: Sequence[np.random.Generator]
    ) -> np.ndarray:
        """Depth images (n, height, width) as the agents measure them."""
        if self.noise is None:
            return depth_m
        images = zip(depth_m, rngs, strict=True)
        return np.stack([self.noise.measured_depth(image_m, camera, rng) for image_m, rng in images])

    def _render(
        self,
        scenes: Sequence[Scene],
        position_m: np.ndarray,
        heading_rad: np.ndarray,
        camera: Camera,
        outputs: Sequence[str],
    ) -> Frames:
        groups = by_scene(scenes, np.arange(len(scenes)))
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

    def _tour(self, scene_id: str) -> MemorySnapshot:
        """What is remembered after a tour of a scene as it was loaded; made once for all slots.

        Privileged set-up: the stops are taken from the simulator's floor, and the agent is carried from one
        to the next without steps. At each it looks all around with its own camera, encoder and noise.
        """
        from vlnenv.memory import TokenMemory

        assert self.memory is not None
        if scene_id not in self._tours:
            scene = self.simulator.load(scene_id)
            memory = TokenMemory(
                1, self.memory.dim, self.memory.config, self.memory_camera, self.memory.device
            )
            rng = np.random.default_rng(words_of(scene_id))
            for stop_m in tour_stops(self.simulator, scene):
                for turn_rad in look_around(self.memory_camera.hfov_deg):
                    self._remember(
                        memory, np.zeros(1, np.int64), [scene], stop_m[None], np.array([turn_rad]), [rng]
                    )
            self._tours[scene_id] = memory.snapshot(0)
        self._tours.move_to_end(scene_id)
        while len(self._tours) > _TOURS_KEPT:
            self._tours.popitem(last=False)
        return self._tours[scene_id]

    def save_memory(self, slot: int, path: str | Path) -> None:
        """Write a slot's memory to a safetensors file, with its scene and encoder.

        Raises:
            ValueError: If no memory runs.
        """
        if self.memory is None:
            raise ValueError("no memory runs with observation='rgbd'; use 'tokens' or 'all'")
        about = {"scene_id": self.rollout(slot).episode.scene_id, "encoder": self.config.encoder}
        self.memory.save(slot, path, about)

    def _read_memory(self, path: str | Path, scene_id: str) -> MemorySnapshot:
        from vlnenv.memory.files import load_memory

        if self.memory is None:
            raise ValueError("no memory runs with observation='rgbd'; use 'tokens' or 'all'")
        snapshot, about = load_memory(path, self.memory.dim, self.memory.config, self.memory.device)
        for name, here in (("scene_id", scene_id), ("encoder", self.config.encoder)):
            if about.get(name) != here:
                raise ValueError(f"{path} remembers {name} {about.get(name)!r}, the episode has {here!r}")
        return snapshot

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


def by_scene(scenes: Sequence[Scene], rows: np.ndarray) -> list[tuple[Scene, np.ndarray]]:
    """Group `rows` by their entry in `scenes`, in order of first appearance."""
    groups: dict[int, tuple[Scene, list[int]]] = {}
    for row in rows:
        scene = scenes[row]
        groups.setdefault(id(scene), (scene, []))[1].append(int(row))
    return [(scene, np.asarray(members)) for scene, members in groups.values()]


def _noise_rng(state: Rollout) -> np.random.Generator:
    """The random numbers of an observation's noise: the same whenever it is made again."""
    return np.random.default_rng([*state.noise_key, state.metrics.steps])
