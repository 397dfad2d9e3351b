"""The batched environment: N episodes in one process, one render and one encoder call for all."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from vlnenv.batch import EpisodeBatch
from vlnenv.config import make_config
from vlnenv.env import (
    RENDER_FPS,
    RENDER_MODES,
    Snapshot,
    add_to_scene,
    check_begun,
    check_options,
    check_render_mode,
    choose_episode,
)
from vlnenv.episodes import Episode
from vlnenv.noise import noise_key
from vlnenv.sim.scene import Scene
from vlnenv.spaces import observation_space


class VLNVectorEnv(gym.vector.VectorEnv):
    """N copies of `VLNEnv` that share simulator, scenes, encoder and memory arrays.

    Takes `VLNEnv`'s arguments, and for one seed gives, environment by environment, what
    `gymnasium.vector.SyncVectorEnv` over N of them gives: environment i is seeded with `seed + i`. Made by
    `gym.make_vec("R2RCE-v0", num_envs=N)`.

    Args:
        num_envs: N, at least 1.
        autoreset_mode: What happens when an episode ends: "NextStep" (default), "SameStep" or "Disabled", or
            gymnasium's `AutoresetMode`. With "Disabled", `reset(options={"reset_mask": mask})` begins
            episodes in the masked environments.
        max_episode_steps: Like `max_steps`, for callers of `gym.make_vec`; the smaller of the two holds.
        render_mode: As for `VLNEnv`.
        **settings: `VLNEnv`'s arguments.
    """

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
        max_episode_steps: int | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        check_render_mode(render_mode)
        self.render_mode = render_mode
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": RENDER_MODES,
            "render_fps": RENDER_FPS,
            "autoreset_mode": self.autoreset_mode,
        }
        if max_episode_steps is not None:
            settings["max_steps"] = min(max_episode_steps, settings.get("max_steps") or max_episode_steps)
        self.config = make_config(settings)
        self.batch = EpisodeBatch(self.config, num_envs)
        self.single_action_space = self.batch.actions.space
        self.single_observation_space = observation_space(self.batch)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self._rngs: list[np.random.Generator | None] = [None] * num_envs
        self._observation: dict[str, Any] | None = None

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin episodes.

        Args:
            seed: One seed (environment i takes `seed + i`), a list of N, or None.
            options: `reset_mask`, bool (N,): which environments to reset, the others keep their state and
                observation; `episode_id`: one id for all reset environments, or a list of N ids or None;
                `memory`: one file of `save_memory` for all reset environments, or a list of N files or None.

        Returns:
            Batched observations and infos; infos cover the reset environments, as their `_key` masks say.
        """
        options = dict(options or {})
        slots = self._masked_slots(options.pop("reset_mask", None))
        options = check_options(options)
        wanted, files = options.get("episode_id"), options.get("memory")
        ids = [wanted] * self.num_envs if wanted is None or isinstance(wanted, str | int) else list(wanted)
        memories = [files] * self.num_envs if files is None or isinstance(files, str | Path) else list(files)
        seeds = (
            [None if seed is None else seed + slot for slot in range(self.num_envs)]
            if (seed is None or isinstance(seed, int | np.integer))
            else list(seed)
        )
        for name, values in (("seed", seeds), ("episode_id", ids), ("memory", memories)):
            if len(values) != self.num_envs:
                raise ValueError(f"{name} must be one value or {self.num_envs} of them, got {len(values)}")
        for slot in slots:
            if seeds[slot] is not None or self._rngs[slot] is None:
                self._rngs[slot], _ = seeding.np_random(seeds[slot])
        seeded = [slot for slot in slots if seeds[slot] is not None]
        self._begin(slots, ids, memories, seeded)
        infos: dict[str, Any] = {}
        for slot in slots:
            infos = self._add_info(infos, self.batch.info(slot), slot)
        return self._observe(slots), infos

    def step(self, actions: Any) -> tuple[dict[str, Any], np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Carry out one action in each environment, as gymnasium's autoreset mode asks.

        With autoreset disabled, environments whose episode is over ignore their action, pay 0, have no infos
        and stay as they are until they are reset.

        Raises:
            ValueError: If an action is not in the action space; no environment has moved then.
            gymnasium.error.ResetNeeded: Before the first reset, and with autoreset disabled when every
                episode is over.
        """
        actions = np.asarray(actions)
        if len(actions) != self.num_envs:
            raise ValueError(f"expected {self.num_envs} actions, got {len(actions)}")
        check_begun(self.batch, 0, "step()")
        ended = [slot for slot in range(self.num_envs) if self.batch.rollout(slot).is_over]
        active = [slot for slot in range(self.num_envs) if slot not in ended]
        if self.autoreset_mode == AutoresetMode.DISABLED and not active:
            raise ResetNeeded("every episode is over: call reset(options={'reset_mask': ...}) first")
        rewards = np.zeros(self.num_envs)
        if active:
            rewards[active], _, _ = self.batch.step(active, [actions[slot] for slot in active])
        if self.autoreset_mode == AutoresetMode.NEXT_STEP:
            self._begin(ended, [None] * self.num_envs)
            active = list(range(self.num_envs))
        observation = self._observe(active)
        rollouts = [self.batch.rollout(slot) for slot in range(self.num_envs)]
        terminated = np.array([rollout.terminated for rollout in rollouts])
        truncated = np.array([rollout.truncated for rollout in rollouts])
        infos: dict[str, Any] = {}
        if self.autoreset_mode == AutoresetMode.SAME_STEP and (terminated | truncated).any():
            observation, infos = self._begin_anew(observation, terminated | truncated)
        for slot in active:
            infos = self._add_info(infos, self.batch.info(slot), slot)
        return observation, rewards, terminated, truncated, infos

    def _begin_anew(
        self, observation: dict[str, Any], over: np.ndarray
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin new episodes where `over`; returns their observations and the final ones in the infos."""
        ended = [int(slot) for slot in np.flatnonzero(over)]
        infos: dict[str, Any] = {}
        for slot in ended:
            final = {key: value[slot] for key, value in observation.items()}
            infos = self._add_info(infos, {"final_obs": final, "final_info": self.batch.info(slot)}, slot)
        self._begin(ended, [None] * self.num_envs)
        return self._observe(ended), infos

    def _begin(
        self,
        slots: Sequence[int],
        ids: Sequence[Any],
        memories: Sequence[str | Path | None] | None = None,
        seeded: Sequence[int] = (),
    ) -> None:
        """Begin the given or a drawn episode in each slot.

        Args:
            slots: Which environments.
            ids: An episode's id, or None, for each environment of the batch.
            memories: A memory's file, or None, for each environment of the batch; None for no files.
            seeded: Those of `slots` that have just been seeded.
        """
        episodes, keys = [], []
        for slot in slots:
            rng = self._rngs[slot]
            assert rng is not None, "slots are seeded at their first reset"
            episodes.append(choose_episode(self.batch, rng, ids[slot]))
            last = self.batch.rollouts[slot]
            previous = last.noise_key if last is not None and slot not in seeded else ()
            keys.append(noise_key(rng, episodes[-1].episode_id, previous))
        files = None if memories is None else [memories[slot] for slot in slots]
        self.batch.begin(slots, episodes, keys, files, seeded)

    def _observe(self, slots: Sequence[int]) -> dict[str, Any]:
        """A fresh batch of observations in which those of `slots` are new and the others the last ones."""
        if len(slots) == self.num_envs:
            self._observation = self.batch.observe(slots)
        elif slots:
            self._write_observation(slots, self.batch.observe(slots))
        return self._copy_observation()

    def _write_observation(self, slots: Sequence[int], rows: dict[str, Any]) -> None:
        assert self._observation is not None, "the first reset observes every environment"
        for key, values in rows.items():
            if key == "instruction":
                texts = list(self._observation[key])
                for slot, text in zip(slots, values, strict=True):
                    texts[slot] = text
                self._observation[key] = tuple(texts)
            else:
                self._observation[key][list(slots)] = np.asarray(values)

    def _copy_observation(self) -> dict[str, Any]:
        assert self._observation is not None, "the first reset observes every environment"
        return copy.deepcopy(self._observation)

    def _masked_slots(self, mask: np.ndarray | None) -> list[int]:
        """Slots that a `reset_mask` chooses; all for None, and at the first reset all must be chosen."""
        if mask is None:
            return list(range(self.num_envs))
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != (self.num_envs,):
            raise ValueError(
                f"reset_mask must be a bool array of shape ({self.num_envs},), got {type(mask).__name__} "
                f"{getattr(mask, 'dtype', '')} {getattr(mask, 'shape', '')}"
            )
        if self._observation is None and not mask.all():
            raise ResetNeeded("the first reset begins every environment: leave reset_mask out")
        if not mask.any():
            raise ValueError("reset_mask chooses no environment: at least one entry must be True")
        return [int(slot) for slot in np.flatnonzero(mask)]

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """Each environment's episode, with goal and reference path: for experts and evaluation only."""
        return tuple(self.batch.rollout(slot).episode for slot in range(self.num_envs))

    def scene(self, index: int) -> Scene:
        """The scene of environment `index` as it stands: for experts and edits only.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, index, "asking for its scene")
        return self.batch.rollout(index).scene

    def edit_scene(self, index: int, instance_id: int, transform: np.ndarray | None) -> None:
        """Move or remove an object around environment `index` alone; see `VLNEnv.edit_scene`."""
        self.batch.set_scene(index, self.batch.simulator.edit(self.scene(index), instance_id, transform))

    def add_to_scene(self, index: int, addition: Scene, transform: np.ndarray) -> list[int]:
        """Add objects around environment `index` alone; see `VLNEnv.add_to_scene`."""
        return add_to_scene(self.batch, index, self.scene(index), addition, transform)

    def save_memory(self, index: int, path: str | Path) -> None:
        """Write the memory of environment `index` to a file; see `VLNEnv.save_memory`."""
        check_begun(self.batch, index, "save_memory()")
        self.batch.save_memory(index, path)

    def snapshot(self, index: int) -> Snapshot:
        """State of environment `index`, to restore into any environment of the batch.

        Raises:
            gymnasium.error.ResetNeeded: Before the first reset.
        """
        check_begun(self.batch, index, "snapshot()")
        rng = self._rngs[index]
        assert self._observation is not None, "the first reset observes every environment"
        assert rng is not None, "slots are seeded at their first reset"
        observation = {key: copy.deepcopy(value[index]) for key, value in self._observation.items()}
        return Snapshot(self.batch.snapshot(index), observation, dict(rng.bit_generator.state))

    def restore(self, index: int, snapshot: Snapshot) -> dict[str, Any]:
        """Put environment `index` back to a snapshot, taken of this or another environment of the batch.

        So a group of actions can be tried from one state: restore it into every environment, then step. The
        random numbers that draw later episodes stay each environment's own.

        Returns:
            The batched observation.
        """
        self.batch.restore(index, snapshot.slot)
        self._write_observation([index], {key: [value] for key, value in snapshot.observation.items()})
        return self._copy_observation()

    def render(self) -> tuple[np.ndarray, ...] | None:
        """Each environment's picture, see `VLNEnv.render`; None without a render mode."""
        if self.render_mode is None:
            return None
        from vlnenv.viewer.frame import draw_frame

        return tuple(draw_frame(self.batch, slot) for slot in range(self.num_envs))

    def close_extras(self, **kwargs: Any) -> None:
        """Free the simulator; called once by `close`."""
        self.batch.close()
