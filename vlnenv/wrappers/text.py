"""Instruction text to word ids, for learners that take arrays alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from vlnenv.env import VLNEnv
from vlnenv.episodes.vocabulary import Vocabulary, split_words
from vlnenv.vector import VLNVectorEnv

MAX_WORDS = 200
"""As long as R2R-CE's own token arrays."""


class TextToIds(gym.ObservationWrapper[dict[str, Any], Any, dict[str, Any]], gym.utils.RecordConstructorArgs):
    """Replaces `instruction` by `instruction_ids` int64 (L,) and `instruction_mask` int8 (L,).

    Ids are 0 for padding, 1 for words outside the vocabulary, else 2 and up. The observation space is then
    boxes and bits alone, as stable-baselines3 wants it.

    Args:
        env: A `VLNEnv`, wrapped or not.
        vocabulary: The words to know, in the order of their ids; None takes the data set's own vocabulary, or
            every word of its instructions where it has none.
        max_words: L.

    Raises:
        ValueError: If an instruction of the data set is longer than `max_words`.
    """

    def __init__(
        self, env: gym.Env, vocabulary: Iterable[str] | None = None, max_words: int = MAX_WORDS
    ) -> None:
        words = None if vocabulary is None else list(vocabulary)
        gym.utils.RecordConstructorArgs.__init__(self, vocabulary=words, max_words=max_words)
        gym.ObservationWrapper.__init__(self, env)
        self.max_words = max_words
        self.vocabulary = _vocabulary_for(env.unwrapped, words, max_words)
        self.observation_space = _with_ids(env.observation_space, len(self.vocabulary), max_words)

    def observation(self, observation: dict[str, Any]) -> dict[str, Any]:
        """The observation with ids in place of the text."""
        changed = dict(observation)
        ids, mask = self.vocabulary.encode(changed.pop("instruction"), self.max_words)
        changed["instruction_ids"], changed["instruction_mask"] = ids, mask
        return changed


class VectorTextToIds(gym.vector.VectorWrapper):
    """`TextToIds` for `VLNVectorEnv`: arrays (N, L); also inside `infos["final_obs"]`."""

    def __init__(
        self, env: gym.vector.VectorEnv, vocabulary: Iterable[str] | None = None, max_words: int = MAX_WORDS
    ) -> None:
        super().__init__(env)
        words = None if vocabulary is None else list(vocabulary)
        self.max_words = max_words
        self.vocabulary = _vocabulary_for(env.unwrapped, words, max_words)
        self.single_observation_space = _with_ids(
            env.single_observation_space, len(self.vocabulary), max_words
        )
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: int | list[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """As the environment's, with ids."""
        observations, infos = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]
        return self._with_ids(observations), infos

    def step(self, actions: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """As the environment's, observations and final observations with ids."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        for slot in np.flatnonzero(infos.get("_final_obs", [])):
            final = dict(infos["final_obs"][slot])
            ids, mask = self.vocabulary.encode(final.pop("instruction"), self.max_words)
            infos["final_obs"][slot] = {**final, "instruction_ids": ids, "instruction_mask": mask}
        return self._with_ids(observations), rewards, terminated, truncated, infos

    def _with_ids(self, observations: dict[str, Any]) -> dict[str, Any]:
        changed = dict(observations)
        pairs = [self.vocabulary.encode(text, self.max_words) for text in changed.pop("instruction")]
        changed["instruction_ids"] = np.stack([ids for ids, _ in pairs])
        changed["instruction_mask"] = np.stack([mask for _, mask in pairs])
        return changed


def _vocabulary_for(env: Any, words: list[str] | None, max_words: int) -> Vocabulary:
    if not isinstance(env, VLNEnv | VLNVectorEnv):
        raise TypeError(f"expected a VLNEnv or VLNVectorEnv inside the wrappers, got {type(env).__name__}")
    dataset = env.batch.dataset
    texts = [episode.instruction for episode in dataset.episodes]
    longest = max(len(split_words(text)) for text in texts)
    if longest > max_words:
        raise ValueError(
            f"the longest instruction of {dataset.name} {dataset.split} has {longest} words and max_words is "
            f"{max_words}; pass max_words={longest}"
        )
    known = words or dataset.vocabulary
    return Vocabulary(known) if known else Vocabulary.of(texts)


def _with_ids(space: spaces.Space, vocabulary_size: int, max_words: int) -> spaces.Dict:
    assert isinstance(space, spaces.Dict), "vlnenv's observations are dictionaries"
    entries = {key: entry for key, entry in space.spaces.items() if key != "instruction"}
    entries["instruction_ids"] = spaces.Box(0, vocabulary_size - 1, (max_words,), np.int64)
    entries["instruction_mask"] = spaces.MultiBinary(max_words)
    return spaces.Dict(entries)
