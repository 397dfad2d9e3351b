from __future__ import annotations

import numpy as np

from agents.random import VLN_CE_CHANCES, ForwardAgent, RandomAgent
from vlnenv.evaluation import PublicEpisode


def episode(name: str) -> PublicEpisode:
    return PublicEpisode(name, "scene", "walk")


def test_random_actions_have_the_stated_chances() -> None:
    agent = RandomAgent(seed=1)
    for slot in range(50):
        agent.reset(slot, episode(str(slot)))
    actions = np.concatenate([agent.act({}, np.ones(50, dtype=bool)) for _ in range(200)])
    found = np.bincount(actions, minlength=4) / len(actions)
    np.testing.assert_allclose(found, VLN_CE_CHANCES, atol=0.015)


def test_random_actions_follow_from_the_episode_not_from_the_slot() -> None:
    agent = RandomAgent()
    agent.reset(0, episode("a"))
    agent.reset(1, episode("b"))
    together = [agent.act({}, np.array([True, True])) for _ in range(20)]
    agent.reset(3, episode("b"))
    alone = [agent.act({}, np.array([False, False, False, True]))[3] for _ in range(20)]
    assert alone == [actions[1] for actions in together]


def test_forward_walks_nine_metres_then_stops() -> None:
    agent = ForwardAgent()
    agent.reset(0, episode("a"))
    actions = [int(agent.act({}, np.array([True]))[0]) for _ in range(37)]
    assert actions == [1] * 36 + [0]
