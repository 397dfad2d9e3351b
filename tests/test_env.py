import math
import re
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

import vlnenv  # noqa: F401
from tests.small_houses import EPISODES, HOUSES
from vlnenv.config import EnvConfig
from vlnenv.env import VLNEnv
from vlnenv.tasks import TASKS
from vlnenv.wrappers import FlattenArrays, TextToIds

OBSERVATIONS = ("tokens", "rgbd", "all")
ACTIONS = ("discrete", "macro", "waypoint")


def make(**settings):
    return gym.make("R2RCE-v0", **{**HOUSES, **settings})


def assert_equal(first, second):
    """Exactly equal, through dictionaries, tuples and arrays."""
    assert type(first) is type(second)
    if isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_equal(first[key], second[key])
    elif isinstance(first, tuple):
        assert len(first) == len(second)
        for a, b in zip(first, second, strict=True):
            assert_equal(a, b)
    elif isinstance(first, np.ndarray):
        np.testing.assert_array_equal(first, second)
    else:
        assert first == second


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_gymnasiums_checker_passes_without_a_warning(observation, action):
    env = make(observation=observation, action=action, image_size=32, render_mode="rgb_array")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Its advice on observation dtypes and unwrapping aside, the checker must stay silent.
        check_env(env.unwrapped)
    env.close()


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("observation", OBSERVATIONS)
def test_stable_baselines3s_checker_passes_without_a_warning(observation, action):
    from stable_baselines3.common.env_checker import check_env as check_sb3_env

    env = FlattenArrays(TextToIds(make(observation=observation, action=action, image_size=40)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_sb3_env(env)
    env.close()


def test_the_same_seed_gives_the_same_fifty_steps():
    rollouts = []
    for _ in range(2):
        env = make(observation="all", image_size=32)
        env.action_space.seed(3)
        log = [env.reset(seed=3)]
        for _ in range(50):
            action = 1 + int(env.action_space.sample()) % 3
            log.append(env.step(action))
        log.append(env.reset())
        rollouts.append(tuple(log))
        env.close()
    assert_equal(*rollouts)


def test_different_seeds_draw_different_episodes():
    env = make()
    ids = {env.reset(seed=seed)[1]["episode_id"] for seed in range(8)}
    assert len(ids) > 3


def test_an_episode_is_chosen_by_its_id():
    env = make()
    wanted = env.unwrapped.batch.dataset.by_id(EPISODES[-1])
    observation, info = env.reset(options={"episode_id": wanted.episode_id})
    assert info["episode_id"] == wanted.episode_id
    assert observation["instruction"] == wanted.instruction
    with pytest.raises(KeyError, match="Nearest"):
        env.reset(options={"episode_id": "no-such-episode"})
    with pytest.raises(ValueError, match="episode_id"):
        env.reset(options={"episode": wanted.episode_id})
    only = make(episodes=[wanted.episode_id])
    assert {only.reset(seed=seed)[1]["episode_id"] for seed in range(5)} == {wanted.episode_id}


def test_one_forward_step_is_a_quarter_metre_and_one_turn_fifteen_degrees():
    env = make(observation="rgbd", image_size=8).unwrapped
    env.reset(seed=0)
    before = env.batch.rollout(0)
    env.step(2)
    turned = env.batch.rollout(0)
    assert math.remainder(turned.heading_rad - before.heading_rad, math.tau) == pytest.approx(
        math.radians(15)
    )
    np.testing.assert_array_equal(turned.position_m, before.position_m)
    env.step(3)
    _, _, _, _, info = env.step(1)
    moved = env.batch.rollout(0)
    ahead = np.array([-math.sin(moved.heading_rad), 0, -math.cos(moved.heading_rad)])
    if not info["collisions"]:
        np.testing.assert_allclose(moved.position_m - before.position_m, 0.25 * ahead, atol=0.02)
    assert info["steps"] == 3


def test_a_macro_is_its_primitive_steps():
    settings = {"observation": "tokens", "encoder": "semantic"}
    macro, single = make(action="macro", **settings), make(**settings)
    # Where nothing is bumped into: a collision lowers the reward of the whole action it happens in.
    for episode_id in EPISODES:
        chosen = {"episode_id": episode_id}
        macro.reset(options=chosen)
        if not macro.step(np.array([0, 22, 3]))[4]["collisions"]:
            break
    first, _ = macro.reset(options=chosen)
    second, _ = single.reset(options=chosen)
    np.testing.assert_array_equal(first["patch_tokens"], second["patch_tokens"])
    _, macro_reward, _, _, macro_info = macro.step(np.array([0, 22, 3]))
    rewards = []
    for action in (3, 3, 1, 1, 1):
        _, reward, _, _, info = single.step(action)
        rewards.append(reward)
    for key in ("steps", "path_length", "distance_to_goal", "ndtw", "route_completion", "collisions"):
        assert macro_info[key] == pytest.approx(info[key]), key
    assert macro_reward == pytest.approx(sum(rewards))


def test_the_step_limit_truncates_inside_a_macro():
    env = make(action="macro", observation="rgbd", image_size=8, max_steps=6)
    env.reset(seed=0)
    _, _, terminated, truncated, info = env.step(np.array([0, 12, 12]))
    assert (terminated, truncated, info["steps"]) == (False, True, 6)
    with pytest.raises(ResetNeeded):
        env.unwrapped.step(np.array([0, 1, 1]))


def test_stopping_far_from_the_goal_ends_the_episode_without_success():
    env = make(observation="rgbd", image_size=8)
    _, start = env.reset(seed=0)
    _, reward, terminated, truncated, info = env.step(0)
    assert (terminated, truncated) == (True, False)
    assert info["distance_to_goal"] == start["distance_to_goal"] > 3.0
    assert not info["is_success"]
    assert info["steps"] == 1
    assert reward == -1.0


@pytest.mark.parametrize(
    ("action_mode", "bad"),
    [("discrete", 9), ("discrete", 1.5), ("macro", [0, 99, 0]), ("waypoint", [math.nan, 1.0])],
)
def test_a_bad_action_raises_and_changes_nothing(action_mode, bad):
    env = make(action=action_mode, observation="rgbd", image_size=8).unwrapped
    env.reset(seed=0)
    before = env.batch.rollout(0)
    with pytest.raises(ValueError, match="got"):
        env.step(np.asarray(bad) if isinstance(bad, list) else bad)
    assert env.batch.rollout(0) is before


def test_going_back_to_a_snapshot_repeats_everything():
    env = make(observation="all", image_size=16).unwrapped
    env.reset(seed=5)
    for action in (1, 1, 2, 1):
        env.step(action)
    snapshot = env.snapshot()

    def go_on():
        return tuple(env.step(action) for action in (1, 3, 1, 0)), env.reset()

    first = go_on()
    observation = env.restore(snapshot)
    assert_equal(observation, snapshot.observation)
    assert_equal(first, go_on())


def test_stepping_before_the_first_reset_is_gymnasiums_own_error():
    with pytest.raises(ResetNeeded):
        VLNEnv(**HOUSES, observation="rgbd").step(1)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"observation": "token"}, ValueError, "Did you mean 'tokens'"),
        ({"action": "discret"}, ValueError, "Did you mean 'discrete'"),
        ({"split": "val_unsean"}, ValueError, "Did you mean 'val_unseen'"),
        ({"dataset": "house"}, ValueError, "Did you mean 'houses'"),
        ({"dataset": "nowhere.json.gz"}, FileNotFoundError, "nowhere.json.gz"),
        ({"dataset": "r2r_ce", "data_dir": "nowhere"}, FileNotFoundError, "VLNENV_DATA"),
        ({"reward": "route_complete"}, (ValueError, KeyError), "route_completion"),
        ({"encoder": "sematic"}, ValueError, "Did you mean 'semantic'"),
        ({"segmenter": "patchgraf"}, ValueError, "Did you mean 'patchgraph'"),
        ({"levels": "meen"}, ValueError, "Did you mean 'mean'"),
        ({"memory": {"max_patch": 1}}, TypeError, "Did you mean 'max_patches'"),
        ({"memory": {"max_patches": "many"}}, TypeError, "max_patches must be of type int, got 'many'"),
        ({"memory": {"cull_far_m": -1}}, ValueError, "cull_far_m"),
        ({"memory": {"patches": "egocentric"}}, ValueError, "own argument patches"),
        ({"memory": 3}, TypeError, "dict of MemoryConfig"),
        ({"task": "R2R"}, ValueError, "R2RCE"),
        ({"max_steps": 0}, ValueError, "max_steps"),
        ({"episodes": []}, ValueError, "episode"),
        ({"episodes": ["x"]}, KeyError, "'x'"),
    ],
)
def test_a_bad_setting_names_the_choices(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        VLNEnv(**{**HOUSES, **settings})


def test_a_misspelt_setting_names_the_nearest():
    with pytest.raises(TypeError, match="Did you mean 'observation'"):
        VLNEnv(**HOUSES, observations="tokens")


def test_without_r2r_ce_the_houses_stand_in_and_say_so_once(tmp_path, monkeypatch):
    from vlnenv import data

    drawn = {key: value for key, value in HOUSES.items() if key != "dataset"}
    monkeypatch.setattr(data, "_warned_about_houses", set())
    with pytest.warns(UserWarning, match="built-in houses"):
        env = VLNEnv(data_dir=str(tmp_path), **drawn, observation="rgbd")
    assert env.reset(seed=0)[1]["dataset"].startswith("houses")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        VLNEnv(data_dir=str(tmp_path), **drawn, observation="rgbd")


def test_a_spec_survives_json():
    spec = make(observation="rgbd", image_size=8).spec
    again = gym.make(gym.envs.registration.EnvSpec.from_json(spec.to_json()))
    assert again.unwrapped.config == EnvConfig(**HOUSES, observation="rgbd", image_size=8)


def test_rendering_shows_camera_and_map():
    env = make(render_mode="rgb_array")
    env.reset(seed=1)
    for action in (1, 2, 1):
        env.step(action)
    picture = env.render()
    assert picture.dtype == np.uint8
    assert picture.shape[1] > picture.shape[0] > 400
    assert picture[:, :400].std() > 5, "the camera panel is blank"


def table_rows(heading):
    """Rows of the first table below a heading of the docstring."""
    section = VLNEnv.__doc__.split(f"## {heading}\n")[1].split("\n    ## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.strip().startswith("|")]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def test_the_documented_observations_are_the_real_ones():
    env = VLNEnv(**HOUSES, observation="all")
    names = {"D": env.batch.memory.dim, "S": env.batch.camera.width}
    documented = {}
    for key, shape, dtype, bounds, _, shown_in, _ in table_rows("Observation space")[2:]:
        documented[key.strip("`")] = (shape, dtype, bounds, shown_in)
    assert documented.keys() == env.observation_space.spaces.keys()
    for key, space in env.observation_space.spaces.items():
        shape, dtype, bounds, _ = documented[key]
        if isinstance(space, spaces.Text):
            assert (shape, dtype) == ("text", "str")
            continue
        sizes = tuple(int(names.get(size, size)) for size in re.findall(r"\w+", shape))
        assert sizes == space.shape, key
        assert np.dtype(dtype) == space.dtype, key
        low, high = (float(bound) for bound in bounds.split(" to "))
        if isinstance(space, spaces.Box):
            assert (low, high) == (space.low.min(), space.high.max()), key
    for mode in OBSERVATIONS:
        keys = {key for key, (*_, where) in documented.items() if mode in where or where == "all modes"}
        assert keys == VLNEnv(**HOUSES, observation=mode).observation_space.spaces.keys(), mode


def test_the_documented_arguments_are_the_real_ones():
    import dataclasses

    rows = {key.strip("`"): default for key, default, _ in table_rows("Arguments")[2:]}
    assert rows.pop("render_mode") == "None"
    defaults = {field.name: field.default for field in dataclasses.fields(EnvConfig)}
    assert {key: default.strip('"') for key, default in rows.items()} == {
        key: str(value) for key, value in defaults.items()
    }


def test_the_documented_tasks_are_the_real_ones():
    rows = {row[0].strip("`"): row[1:] for row in table_rows("Description")[2:]}
    assert rows.keys() == {f"{name}-v0" for name in TASKS}
    for name, task in TASKS.items():
        dataset, turn, sliding, camera, depth, body, success = rows[f"{name}-v0"]
        eyes = task.camera
        assert dataset == task.dataset
        assert turn == f"{task.turn_deg:g} degrees"
        assert sliding == ("on" if task.sliding else "off")
        assert camera == f"{eyes.width} x {eyes.height}, {eyes.hfov_deg:g} degrees, at {eyes.height_m:g} m"
        assert depth == f"{eyes.min_depth_m:g} to {eyes.max_depth_m:g} m"
        assert body == f"{task.body.radius_m:g} x {task.body.height_m:g} m"
        assert success.startswith(f"goal within {task.success_distance_m:g} m")
        target = f"target object in view within {task.target_distance_m} m"
        assert (re.sub(r"\b3 m$", "3.0 m", success).endswith(target)) == (task.target_distance_m is not None)
        assert gym.spec(f"{name}-v0").kwargs == {"task": name}


def test_the_documented_info_is_the_real_one():
    documented = set()
    for keys, _ in table_rows("Info"):
        documented |= set(re.findall(r"`([^`]+)`", keys))
    of_reverie = {"lenient_success", "target_in_view", "target_known"}
    for task, expected in (("R2RCE", documented - of_reverie), ("REVERIECE", documented)):
        env = VLNEnv(**HOUSES, task=task, observation="rgbd", image_size=8)
        env.reset(seed=0)
        _, _, _, _, info = env.step(1)
        assert {"reward/<name>" if key.startswith("reward/") else key for key in info} == expected


def test_the_goal_is_in_no_observation():
    env = make(observation="all", image_size=16)
    observation, _ = env.reset(seed=0)
    assert not any("goal" in key or "reference" in key for key in observation)


def test_a_start_off_the_floor_is_reported_with_its_distance():
    import dataclasses

    # In a house of one floor: elsewhere the upper floor may be nearer.
    env = VLNEnv(**HOUSES, observation="rgbd", image_size=8)
    env.reset(seed=0)
    before = env.batch.rollout(0)
    episode = env.episode
    x, y, z = episode.start_position_m
    lost = dataclasses.replace(episode, start_position_m=(x, y + 2.0, z))
    with pytest.raises(ValueError, match=rf"{re.escape(episode.episode_id)}.*start.*2\.0. m off"):
        env.batch.begin([0], [lost])
    assert env.batch.rollout(0) is before
