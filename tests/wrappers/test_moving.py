import gymnasium as gym
import numpy as np
import pytest

from tests.small_houses import FIRST as ROUTES
from tests.small_houses import HOUSES
from tests.test_env import assert_equal
from tests.test_vector import same_values
from vlnenv.env import VLNEnv
from vlnenv.wrappers import MovingObjects, VectorMovingObjects

SETTINGS = {**HOUSES, "observation": "rgbd", "image_size": 24}
FIRST = ROUTES[:3]


def begin(env, episode_id):
    return env.reset(options={"episode_id": episode_id})


def edits_of(env):
    return {number: matrix.copy() for number, matrix in env.unwrapped.scene.edits.items()}


def test_furniture_moves_before_the_first_observation_and_the_goal_stays_in_reach():
    env, plain = MovingObjects(VLNEnv(**SETTINGS), count=4), VLNEnv(**SETTINGS)
    worlds = []
    for episode_id in FIRST:
        _, info = begin(env, episode_id)
        assert len(env.unwrapped.scene.edits) == 4
        assert np.isfinite(info["distance_to_goal"])
        begin(plain, episode_id)
        state, unmoved = env.unwrapped.batch.rollout(0), plain.batch.rollout(0)
        np.testing.assert_array_equal(state.position_m, unmoved.position_m)
        np.testing.assert_array_equal(state.goal_m, unmoved.goal_m)
        worlds.append(edits_of(env))
    assert worlds[0].keys() != worlds[1].keys()


def test_a_world_follows_seed_and_episode_alone():
    one = MovingObjects(VLNEnv(**SETTINGS), seed=1)
    for episode_id in FIRST:
        begin(one, episode_id)
    many = VectorMovingObjects(gym.make_vec("R2RCE-v0", num_envs=2, **SETTINGS), seed=1)
    many.reset(options={"episode_id": [FIRST[2], FIRST[0]]})
    assert_equal(edits_of(one), dict(many.unwrapped.scene(0).edits))
    other = MovingObjects(VLNEnv(**SETTINGS), seed=2)
    begin(other, FIRST[2])
    assert str(edits_of(other)) != str(edits_of(one))


def test_furniture_moves_within_an_episode_once():
    env, plain = MovingObjects(VLNEnv(**SETTINGS), at_step=3), VLNEnv(**SETTINGS)
    same_values(begin(env, FIRST[0])[0], begin(plain, FIRST[0])[0])
    for action in (2, 2):
        assert_equal(env.step(action), plain.step(action))
    assert not edits_of(env)
    snapshot = env.unwrapped.snapshot()
    env.step(2)
    moved = edits_of(env)
    assert len(moved) == 3
    for action in (1, 3, 1):
        env.step(action)
    assert_equal(edits_of(env), moved)
    env.unwrapped.restore(snapshot)
    assert not edits_of(env)
    env.step(2)
    assert_equal(edits_of(env), moved)
    state = env.unwrapped.batch.rollout(0)
    assert env.unwrapped.batch.simulator.is_navigable(state.scene, state.position_m[None])[0]


def test_changes_add_up_where_edits_are_kept():
    env = MovingObjects(VLNEnv(**SETTINGS, keep_edits=True), count=1)
    counts = []
    for episode_id in FIRST:
        begin(env, episode_id)
        counts.append(len(edits_of(env)))
    assert counts[0] == 1
    assert counts[-1] > 1


def test_a_spec_survives_json_and_bad_arguments_are_refused():
    env = MovingObjects(gym.make("R2RCE-v0", **SETTINGS), count=2, at_step=5, seed=7)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.batch.world_changes == env.unwrapped.batch.world_changes
    with pytest.raises(ValueError, match="count must be at least 0"):
        MovingObjects(VLNEnv(**SETTINGS), count=-1)
    with pytest.raises(TypeError, match="VLNEnv"):
        MovingObjects(gym.make("CartPole-v1"))
