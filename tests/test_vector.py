import functools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv

from tests.small_houses import EPISODES, HOUSES
from tests.test_env import ACTIONS, OBSERVATIONS, assert_equal
from vlnenv.vector import VLNVectorEnv
from vlnenv.wrappers import TextToIds, VectorTextToIds

NUM_ENVS = 3


def make_single(settings):
    return gym.make("vlnenv:R2RCE-v0", **settings)


def make_with_ids(settings):
    return TextToIds(make_single(settings))


def same_values(first, second):
    """Equal values, whatever container gymnasium put them in."""
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            same_values(first[key], second[key])
    elif isinstance(first, np.ndarray) and first.dtype == object:
        for a, b in zip(first, second, strict=True):
            same_values(a, b)
    elif isinstance(first, np.ndarray | tuple):
        np.testing.assert_array_equal(np.asarray(first), np.asarray(second))
    else:
        assert first == second


def rollout(env, steps, seed=7):
    """Observations, rewards and infos of a seeded random rollout with episodes that end."""
    env.action_space.seed(seed)
    log = [env.reset(seed=seed)]
    for _ in range(steps):
        log.append(env.step(env.action_space.sample()))
    env.close()
    return log


@pytest.mark.parametrize("autoreset", list(AutoresetMode)[:2])
@pytest.mark.parametrize(
    ("observation", "action"), [(o, "discrete") for o in OBSERVATIONS] + [("tokens", a) for a in ACTIONS[1:]]
)
def test_the_batched_env_gives_what_separate_envs_give(observation, action, autoreset):
    settings = {**HOUSES, "observation": observation, "action": action, "image_size": 16, "max_steps": 12}
    separate = SyncVectorEnv([lambda: make_single(settings)] * NUM_ENVS, autoreset_mode=autoreset)
    batched = gym.make_vec("R2RCE-v0", num_envs=NUM_ENVS, autoreset_mode=autoreset, **settings)
    assert isinstance(batched, VLNVectorEnv)
    assert batched.single_observation_space == separate.single_observation_space
    assert batched.observation_space == separate.observation_space
    assert batched.action_space == separate.action_space
    for first, second in zip(rollout(batched, 16), rollout(separate, 16), strict=True):
        for a, b in zip(first, second, strict=True):
            same_values(a, b)


@pytest.mark.parametrize("context", ["fork", "spawn"])
@pytest.mark.parametrize("has_shared_memory", [False, True])
def test_worker_processes_give_the_same(context, has_shared_memory):
    settings = {**HOUSES, "observation": "tokens", "max_steps": 6}
    batched = gym.make_vec("R2RCE-v0", num_envs=2, **settings)
    make_one = functools.partial(make_single, settings)
    if has_shared_memory:
        # gymnasium reads Text from shared memory once, at the start: there instructions go as ids.
        make_one = functools.partial(make_with_ids, settings)
        batched = VectorTextToIds(batched)
    workers = AsyncVectorEnv([make_one] * 2, shared_memory=has_shared_memory, context=context)
    for first, second in zip(rollout(batched, 8), rollout(workers, 8), strict=True):
        for a, b in zip(first, second, strict=True):
            same_values(a, b)


def test_an_environment_does_not_depend_on_how_many_there_are():
    settings = {**HOUSES, "observation": "tokens"}
    few, many = (gym.make_vec("R2RCE-v0", num_envs=n, **settings) for n in (2, 5))
    first, _ = few.reset(seed=3)
    second, _ = many.reset(seed=3)
    for actions in ([1, 1, 1, 1, 1], [2, 3, 1, 1, 2], [1, 2, 3, 1, 1]):
        first, second = few.step(actions[:2])[0], many.step(actions)[0]
    for key in first:
        same_values(first[key], second[key][:2])


def test_without_autoreset_the_mask_chooses_who_begins_what():
    env = gym.make_vec("R2RCE-v0", num_envs=3, autoreset_mode="Disabled", observation="tokens", **HOUSES)
    ids = EPISODES[:4]
    observation, infos = env.reset(seed=0, options={"episode_id": ids[:3]})
    assert list(infos["episode_id"]) == ids[:3]
    after, rewards, terminated, _, infos = env.step(np.array([1, 0, 2]))
    assert terminated.tolist() == [False, True, False]
    again, rewards, terminated, _, infos = env.step(np.array([1, 1, 1]))
    assert terminated.tolist() == [False, True, False]
    assert rewards[1] == 0.0
    assert infos["_episode_id"].tolist() == [True, False, True]
    np.testing.assert_array_equal(again["patch_tokens"][1], after["patch_tokens"][1])
    mask = np.array([False, True, False])
    fresh, infos = env.reset(options={"reset_mask": mask, "episode_id": ids[3]})
    assert infos["episode_id"][1] == ids[3]
    assert infos["_episode_id"].tolist() == mask.tolist()
    np.testing.assert_array_equal(fresh["patch_tokens"][0], again["patch_tokens"][0])
    assert fresh["instruction"][0] == observation["instruction"][0]
    env.step(np.array([0, 0, 0]))
    with pytest.raises(ResetNeeded):
        env.step(np.array([1, 1, 1]))


def test_a_group_of_actions_is_tried_from_one_state():
    env = gym.make_vec("R2RCE-v0", num_envs=4, observation="tokens", **HOUSES)
    env.reset(seed=0)
    for _ in range(3):
        env.step(np.array([1, 1, 2, 3]))
    snapshot = env.snapshot(0)
    for index in range(4):
        observation = env.restore(index, snapshot)
    for key in ("patch_tokens", "patch_xyz", "action_history"):
        for row in observation[key][1:]:
            np.testing.assert_array_equal(row, observation[key][0])
    same = env.step(np.array([1, 1, 1, 1]))
    assert len(set(same[1].tolist())) == 1
    for index in range(4):
        env.restore(index, snapshot)
    _, _, terminated, _, infos = env.step(np.array([0, 1, 2, 3]))
    assert terminated.tolist() == [True, False, False, False]
    assert len(set(infos["episode_id"])) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reset_mask": np.array([True])}, "shape"),
        ({"reset_mask": np.zeros(2, bool)}, "at least one"),
        ({"reset_mask": [True, False]}, "bool array"),
        ({"episode_id": ["a"]}, "2 of them"),
        ({"episodes": "a"}, "episode_id"),
    ],
)
def test_bad_reset_options_are_refused(options, message):
    env = VLNVectorEnv(2, observation="rgbd", image_size=8, **HOUSES)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=message):
        env.reset(options=options)


def test_a_bad_action_moves_no_environment():
    env = VLNVectorEnv(2, observation="rgbd", image_size=8, **HOUSES)
    env.reset(seed=0)
    before = [env.batch.rollout(slot) for slot in range(2)]
    with pytest.raises(ValueError, match="got 7"):
        env.step(np.array([1, 7]))
    assert [env.batch.rollout(slot) for slot in range(2)] == before


def test_one_scene_is_held_once():
    env = VLNVectorEnv(8, observation="rgbd", image_size=8, **HOUSES)
    env.reset(seed=0, options={"episode_id": EPISODES[0]})
    assert len({id(env.batch.rollout(slot).scene) for slot in range(8)}) == 1
    assert_equal(*(env.batch.rollout(slot).position_m for slot in (0, 7)))
