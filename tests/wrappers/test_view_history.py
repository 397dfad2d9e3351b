import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from tests.small_houses import FIRST, HOUSES
from tests.test_batch import WALK, begin
from tests.test_env import assert_equal, make
from tests.test_vector import same_values
from vlnenv.env import VLNEnv
from vlnenv.view_history import VIEW_PLACES
from vlnenv.wrappers import TextToIds, VectorViewHistoryObservation, ViewHistoryObservation

TOKENS = {**HOUSES, "observation": "tokens", "segmenter": None}
VIEW = 36
"""Cells of a view."""


def test_views_are_kept_newest_first_and_end_with_the_episode():
    env = ViewHistoryObservation(VLNEnv(**TOKENS, patches="egocentric"))
    observation = begin(env, FIRST[0])
    assert observation["view_mask"].sum() == VIEW
    for steps in range(1, 20):
        before, (observation, *_) = observation, env.step(1 + steps % 3)
        kept = min(steps + 1, 16)
        assert observation["view_mask"].sum() == VIEW * kept
        same_values(observation["view_tokens"][VIEW:], before["view_tokens"][:-VIEW])
        # The newest is the egocentric view, averaged; patches that show nothing count as zero.
        cells = observation["patch_tokens"].reshape(6, 4, 6, 4, -1).mean(axis=(1, 3))
        if observation["patch_mask"].all():
            np.testing.assert_allclose(observation["view_tokens"][:VIEW], cells.reshape(VIEW, -1), atol=1e-5)
    assert begin(env, FIRST[1])["view_mask"].sum() == VIEW


def test_places_are_a_fixed_code_of_picture_and_age():
    env = ViewHistoryObservation(VLNEnv(**TOKENS))
    for episode in FIRST[:2]:
        observation = begin(env, episode)
        for action in WALK:
            observation = env.step(action)[0]
        shown = observation["view_mask"] == 1
        same_values(observation["view_xyz"][shown], VIEW_PLACES[shown])
        assert not observation["view_xyz"][~shown].any()
    assert len(np.unique(VIEW_PLACES, axis=0)) == len(VIEW_PLACES)
    assert VIEW_PLACES[0, 1] > 0 > VIEW_PLACES[5, 1], "left is positive, the first column is the left one"
    assert VIEW_PLACES[0, 2] > VIEW_PLACES[30, 2], "the first row is the upper one"


def test_views_are_in_snapshots():
    env = ViewHistoryObservation(VLNEnv(**TOKENS))
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    snapshot = env.unwrapped.snapshot()
    ahead = tuple(env.step(action)[0] for action in (1, 2))
    restored = env.unwrapped.restore(snapshot)
    assert env.observation_space.contains(restored)
    assert_equal(ahead, tuple(env.step(action)[0] for action in (1, 2)))


@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_a_batch_gives_what_single_ones_give(autoreset):
    settings = {**TOKENS, "max_steps": 3, "episodes": FIRST[:3]}
    batched = VectorViewHistoryObservation(
        gym.make_vec("R2RCE-v0", num_envs=2, autoreset_mode=autoreset, **settings)
    )
    separate = gym.vector.SyncVectorEnv(
        [lambda: ViewHistoryObservation(gym.make("R2RCE-v0", **settings))] * 2,
        autoreset_mode=gym.vector.AutoresetMode(autoreset),
    )
    assert batched.observation_space == separate.observation_space
    same_values(batched.reset(seed=2)[0], separate.reset(seed=2)[0])
    for step in range(5):
        first, second = (env.step(np.array([1, 2])) for env in (batched, separate))
        same_values(first[0], second[0])
        if autoreset == "SameStep" and step == 2:
            same_values(first[4]["final_obs"], second[4]["final_obs"])
            assert first[4]["final_obs"][0]["view_mask"].sum() == 4 * VIEW


def test_the_checker_passes_and_a_spec_survives_json():
    check_env(ViewHistoryObservation(make(segmenter=None)).unwrapped, skip_render_check=True)
    env = TextToIds(ViewHistoryObservation(make(segmenter=None)))
    observation, _ = env.reset(seed=0)
    assert env.observation_space.contains(observation)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space


def test_without_a_memory_there_are_no_views():
    with pytest.raises(ValueError, match="'tokens' or 'all'"):
        ViewHistoryObservation(VLNEnv(**HOUSES, observation="rgbd", image_size=8))
    with pytest.raises(TypeError, match="VLNEnv"):
        ViewHistoryObservation(gym.make("CartPole-v1"))
