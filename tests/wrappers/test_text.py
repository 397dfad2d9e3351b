import gymnasium as gym
import numpy as np
import pytest

from tests.small_houses import HOUSES
from tests.test_env import make
from tests.test_vector import same_values
from vlnenv.episodes.vocabulary import PAD, UNKNOWN, Vocabulary, split_words
from vlnenv.wrappers import TextToIds, VectorTextToIds


def test_words_become_ids_and_back():
    vocabulary = Vocabulary.of(["Turn left, then stop."])
    ids, mask = vocabulary.encode("turn LEFT past the stop.", 8)
    words = [vocabulary.words[i - 2] if i > UNKNOWN else None for i in ids if i != PAD]
    assert words == ["turn", "left", None, None, "stop", "."]
    assert mask.tolist() == [1, 1, 1, 1, 1, 1, 0, 0]
    assert split_words("Don't stop!") == ["don", "'", "t", "stop", "!"]


def test_an_instruction_is_never_cut_short():
    with pytest.raises(ValueError, match="max_words"):
        Vocabulary(["a"]).encode("a a a", 2)
    with pytest.raises(ValueError, match="pass max_words="):
        TextToIds(make(observation="rgbd", image_size=8), max_words=4)


def test_single_and_batched_wrappers_agree():
    settings = {**HOUSES, "observation": "rgbd", "image_size": 8, "max_steps": 3}
    single = TextToIds(make(**{k: v for k, v in settings.items() if k not in HOUSES}))
    batched = VectorTextToIds(gym.make_vec("R2RCE-v0", num_envs=2, autoreset_mode="SameStep", **settings))
    first, _ = single.reset(seed=4)
    second, _ = batched.reset(seed=4)
    assert single.observation_space.contains(first)
    assert batched.observation_space.contains(second)
    for key, value in first.items():
        np.testing.assert_array_equal(value, second[key][0])
    for _ in range(3):
        first, _, _, truncated, _ = single.step(1)
        second, _, _, _, infos = batched.step(np.array([1, 1]))
    assert truncated
    same_values(first, infos["final_obs"][0])
    assert batched.observation_space.contains(second)
