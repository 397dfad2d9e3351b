import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.small_houses import FIRST, HOUSES
from tests.test_batch import WALK, begin
from tests.test_env import assert_equal, make
from vlnenv.env import VLNEnv
from vlnenv.path_history import PLACES, SPACING_M
from vlnenv.vector import VLNVectorEnv
from vlnenv.wrappers import PathObservation, TextToIds, VectorPathObservation, ViewHistoryObservation

TOKENS = {**HOUSES, "observation": "tokens", "segmenter": None, "max_steps": 5000}


def places(observation):
    return observation["path_xyz"][observation["path_mask"] == 1]


def test_an_episode_begins_where_the_agent_stands():
    env = PathObservation(VLNEnv(**TOKENS))
    for episode in FIRST[:2]:
        np.testing.assert_allclose(places(begin(env, episode)), np.zeros((1, 3)), atol=1e-6)
        env.step(1)


def test_the_way_back_is_behind_newest_first():
    env = PathObservation(VLNEnv(**TOKENS, action="macro"))
    begin(env, FIRST[0])
    start_m = env.unwrapped.batch.rollout(0).position_m
    for _ in range(3):
        observation = env.step(np.array([0, 2, 2]))[0]
    walked = env.unwrapped.batch.rollout(0)
    kept = places(observation)
    offset_m = start_m - walked.position_m
    sine, cosine = np.sin(walked.heading_rad), np.cos(walked.heading_rad)
    ahead = -offset_m[0] * sine - offset_m[2] * cosine
    left = -offset_m[0] * cosine + offset_m[2] * sine
    np.testing.assert_allclose(kept[-1], [ahead, left, offset_m[1]], atol=1e-5)
    assert (np.linalg.norm(np.diff(kept, axis=0), axis=1) >= SPACING_M - 1e-5).all()


def test_turning_round_turns_the_path_round():
    env = PathObservation(VLNEnv(**TOKENS, action="macro"))
    begin(env, FIRST[0])
    before = places(env.step(np.array([0, 0, 3]))[0])
    after = places(env.step(np.array([0, 12, 0]))[0])
    np.testing.assert_allclose(after[-1, :2], -before[-1, :2], atol=1e-5)


def test_no_more_places_than_the_space_holds():
    env = PathObservation(VLNEnv(**TOKENS, action="macro"))
    observation = begin(env, FIRST[0])
    rng = np.random.default_rng(0)
    for _ in range(60):
        observation = env.step(np.array([0, rng.integers(24), 4]))[0]
        assert env.observation_space.contains(observation)
    assert observation["path_mask"].sum() == PLACES


def test_the_path_is_in_snapshots_beside_other_histories():
    env = PathObservation(ViewHistoryObservation(VLNEnv(**TOKENS)))
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    snapshot = env.unwrapped.snapshot()
    ahead = tuple(env.step(action)[0] for action in (1, 1, 1))
    restored = env.unwrapped.restore(snapshot)
    assert env.observation_space.contains(restored)
    assert_equal(ahead, tuple(env.step(action)[0] for action in (1, 1, 1)))


def test_a_vector_env_gives_what_single_ones_give():
    vector = VectorPathObservation(VLNVectorEnv(2, **TOKENS, autoreset_mode="Disabled"))
    observation, _ = vector.reset(seed=0, options={"episode_id": list(FIRST[:2])})
    singles = [PathObservation(VLNEnv(**TOKENS)) for _ in range(2)]
    alone = [begin(env, episode) for env, episode in zip(singles, FIRST, strict=False)]
    for action in (1, 2, 1, 1, 1):
        for slot in range(2):
            np.testing.assert_array_equal(observation["path_xyz"][slot], alone[slot]["path_xyz"])
            np.testing.assert_array_equal(observation["path_mask"][slot], alone[slot]["path_mask"])
        assert vector.observation_space.contains(observation)
        observation = vector.step([action, action])[0]
        alone = [env.step(action)[0] for env in singles]


def test_the_checker_passes_and_a_spec_survives_json():
    check_env(PathObservation(make(segmenter=None)).unwrapped, skip_render_check=True)
    env = TextToIds(PathObservation(make(segmenter=None)))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space


def test_it_needs_a_memory():
    with pytest.raises(ValueError, match="observation='tokens' or 'all'"):
        PathObservation(VLNEnv(**{**HOUSES, "observation": "rgbd"}))
    with pytest.raises(TypeError, match="expected a VLNEnv"):
        PathObservation(gym.make("CartPole-v1"))
