from __future__ import annotations

import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from agents.sb3_env import SB3VecEnv
from tests.agents.fakes import FakeVectorEnv
from tests.small_houses import HOUSES
from vlnenv.vector import VLNVectorEnv


def make() -> SB3VecEnv:
    return SB3VecEnv(FakeVectorEnv(2))


def test_observations_are_in_the_space() -> None:
    env = make()
    observation = env.reset()
    assert env.observation_space.contains({key: value[1] for key, value in observation.items()})


def test_text_is_refused() -> None:
    env = VLNVectorEnv(2, observation="rgbd", image_size=8, **HOUSES, autoreset_mode="SameStep")
    with pytest.raises(ValueError, match="VectorTextToIds"):
        SB3VecEnv(env)


def test_the_terminal_observation_is_the_last_of_the_episode() -> None:
    env = make()
    env.seed(0)
    env.reset()
    rewards = 0.0
    for step in range(1, 7):
        # Environment 0 stops at step 3, environment 1 runs out of steps.
        observation, reward, done, infos = env.step(np.array([0 if step == 3 else 2, 1 if step < 6 else 2]))
        rewards += reward[1]
        if step == 3:
            assert done.tolist() == [True, False]
            assert infos[0]["terminal_observation"]["patch_xyz"][1, 2] == 3
            assert observation["patch_xyz"][0, 1, 2] == 0
            assert infos[0]["episode"]["l"] == 3
            assert infos[0]["TimeLimit.truncated"] is False
            assert infos[0]["is_success"] is True
            assert infos[1] == {}
    assert done.tolist() == [False, True]
    assert infos[1]["TimeLimit.truncated"] is True
    assert infos[1]["episode"] == {"r": pytest.approx(rewards), "l": 6, "t": 0.0}
    assert set(infos[1]["terminal_observation"]) == set(env.observation_space.spaces)
    assert env.observation_space.contains(infos[1]["terminal_observation"])


def test_other_autoreset_modes_are_refused() -> None:
    env = FakeVectorEnv(2)
    env.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
    with pytest.raises(ValueError, match="SAME_STEP"):
        SB3VecEnv(env)
