from __future__ import annotations

import numpy as np

from agents.critic_state import CRITIC_STATE, CriticState
from tests.small_houses import HOUSES
from vlnenv.vector import VLNVectorEnv
from vlnenv.wrappers import VectorTextToIds


def test_the_critic_is_told_the_metrics_of_the_state_it_values() -> None:
    inner = VLNVectorEnv(2, **HOUSES, max_steps=2, autoreset_mode="SameStep")
    env = CriticState(VectorTextToIds(inner))
    observation, infos = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    start = observation[CRITIC_STATE].copy()
    np.testing.assert_allclose(start[:, 0], infos["distance_to_goal"] / 10, rtol=1e-6)
    assert (start[:, 1:] == 0).all()
    env.step(np.array([1, 2]))
    observation, _, _, truncated, infos = env.step(np.array([1, 2]))
    assert truncated.all()
    for slot in range(2):
        final = infos["final_obs"][slot]
        assert env.single_observation_space.contains(final)
        assert final[CRITIC_STATE][2] == np.float32(0.02)
        expected = infos["final_info"]["distance_to_goal"][slot] / 10
        np.testing.assert_allclose(final[CRITIC_STATE][0], expected, rtol=1e-6)
    assert (observation[CRITIC_STATE][:, 2] == 0).all(), "the observation is of the new episodes"
