"""Each registered id under its own protocol card, on the built-in houses."""

import dataclasses
import json
import math
import types
import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

import vlnenv  # noqa: F401
from agents.expert import ExpertAgent
from tests.sim.test_annotations import _mp3d as annotated_mp3d
from tests.small_houses import EPISODES, HOUSES, SPLIT, SPLIT_SETTINGS
from vlnenv import data
from vlnenv.env import VLNEnv
from vlnenv.episodes import Episode, EpisodeDataset, Target, write_r2r_ce
from vlnenv.evaluation import evaluate
from vlnenv.sim.scene import Instance
from vlnenv.target import find_target
from vlnenv.tasks import TASKS, get_task
from vlnenv.vector import VLNVectorEnv


@pytest.mark.parametrize("task", TASKS)
def test_every_id_passes_the_checker_and_survives_json(task):
    env = gym.make(f"{task}-v0", **HOUSES, observation="rgbd", image_size=16, max_steps=5)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_env(env.unwrapped)
    again = gym.make(gym.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.batch.task.name == task
    many = gym.make_vec(f"{task}-v0", num_envs=2, **HOUSES, observation="rgbd", image_size=16)
    assert many.unwrapped.batch.task.name == task


def test_cards_are_told_apart_by_their_hash_and_not_by_their_notes():
    assert len({task.hash for task in TASKS.values()}) == len(TASKS)
    card = get_task("RxRCE")
    assert dataclasses.replace(card, not_modelled=(), style="navrag").hash == card.hash
    assert dataclasses.replace(card, sliding=True).hash != card.hash
    json.dumps(dataclasses.asdict(card))
    with pytest.raises(ValueError, match="Did you mean 'RxRCE'"):
        get_task("RxR")


def test_rxr_turns_thirty_degrees_and_sees_640_by_480_from_half_a_metre_on():
    env = VLNEnv(**HOUSES, task="RxRCE", observation="rgbd")
    observation, _ = env.reset(seed=0)
    assert observation["rgb"].shape == (480, 640, 3)
    seen = observation["depth"][observation["depth"] > 0]
    assert seen.min() >= 0.5
    assert seen.max() <= 5.0
    before = env.batch.rollout(0).heading_rad
    env.step(2)
    turned = math.degrees(math.remainder(env.batch.rollout(0).heading_rad - before, math.tau))
    assert turned == pytest.approx(30.0)
    assert VLNEnv(**HOUSES, task="RxRCE", observation="rgbd", action="macro").action_space.nvec.tolist() == [
        2,
        12,
        13,
    ]


def test_rxr_does_not_slide():
    def collide(task):
        """How far the agent comes along when it walks on against what blocks it."""
        env = VLNEnv(**HOUSES, task=task, observation="rgbd", image_size=8)
        moved_m = []
        for seed in range(8):
            env.reset(seed=seed)
            for _ in range(40):
                start_m = env.batch.rollout(0).position_m
                hits = env.batch.rollout(0).metrics.collisions
                env.step(1)
                if env.batch.rollout(0).metrics.collisions > hits:
                    moved_m.append(np.linalg.norm(env.batch.rollout(0).position_m - start_m))
        return np.array(moved_m)

    slid, stopped = collide("R2RCE"), collide("RxRCE")
    assert (slid > 0.05).mean() > 0.1, "with sliding some blocked steps go on along the obstacle"
    assert np.median(stopped) < 0.02
    assert (stopped > 0.05).mean() < (slid > 0.05).mean()


def test_rxrs_memory_leaves_out_what_is_too_near_to_measure():
    env = VLNEnv(**HOUSES, task="RxRCE", encoder="semantic", patches="egocentric")
    shown = 0
    for seed in range(4):
        observation, _ = env.reset(seed=seed)
        for action in (1, 1, 2, 1):
            mask = observation["patch_mask"].astype(bool)
            ahead_m = observation["patch_xyz"][mask][:, 0]
            assert (ahead_m > 0.499).all(), "depth along the optical axis is the coordinate ahead"
            assert (ahead_m < 5.0).all()
            assert np.isfinite(observation["patch_tokens"]).all()
            shown += mask.sum()
            observation, *_ = env.step(action)
    assert shown > 1000


def test_the_mini_encoder_is_told_the_tasks_camera():
    level = VLNEnv(**HOUSES, task="R2RCE").batch.memories.encoder
    rxr = VLNEnv(**HOUSES, task="RxRCE").batch.memories.encoder
    assert float(level._height_m) == pytest.approx(1.25)
    assert float(rxr._height_m) == pytest.approx(0.88)
    assert float(rxr._rays[0, 0].abs().max()) < float(level._rays[0, 0].abs().max())


@pytest.mark.parametrize("task", TASKS)
def test_each_task_names_its_own_data_set_where_it_falls_back(task, tmp_path, monkeypatch):
    monkeypatch.setattr(data, "_warned_about_houses", set())
    with pytest.warns(UserWarning, match=f"{TASKS[task].dataset} is not installed"):
        VLNEnv(task=task, data_dir=str(tmp_path), split=SPLIT, observation="rgbd")


def stop_at(env, position_m, heading_rad=0.0):
    """Carry the agent to a place and stop there."""
    state = env.batch.rollout(0)
    env.batch.rollouts[0] = dataclasses.replace(
        state, position_m=np.asarray(position_m), heading_rad=heading_rad
    )
    return env.step(0)[4]


def test_reverie_asks_for_the_target_in_view():
    env = VLNEnv(**HOUSES, task="REVERIECE", observation="rgbd", image_size=8)
    _, info = env.reset(seed=0)
    assert info["target_known"]
    at_goal = stop_at(env, env.batch.rollout(0).goal_m)
    assert at_goal["lenient_success"]
    assert at_goal["target_in_view"]
    assert at_goal["is_success"]
    assert at_goal["spl"] > 0
    # The same stop does not count once the object is gone.
    env.reset(seed=0)
    state = env.batch.rollout(0)
    env.edit_scene(state.target_id, None)
    gone = stop_at(env, state.goal_m)
    assert gone["lenient_success"]
    assert not gone["target_in_view"]
    assert not gone["is_success"]
    assert gone["spl"] == gone["sdtw"] == 0


def test_reverie_sees_the_target_whatever_the_heading_and_not_through_walls():
    env = VLNEnv(**HOUSES, task="REVERIECE", observation="rgbd", image_size=8)
    near = {stop_heading(env, 1, heading)["target_in_view"] for heading in (0.0, 1.5, 3.0, 4.5)}
    assert near == {True}
    env.reset(seed=1)
    rng = np.random.default_rng(0)
    state = env.batch.rollout(0)
    target = next(each for each in state.scene.instances if each.id == state.target_id)
    centre_m = np.mean(target.bounds_m, axis=0)
    places_m = env.batch.simulator.sample(state.scene, rng, 60)
    far = [each for each in places_m if np.linalg.norm((each - centre_m)[[0, 2]]) > 5.0]
    assert len(far) > 3
    for place_m in far[:4]:
        env.reset(seed=1)
        assert not stop_at(env, place_m)["target_in_view"]


def stop_heading(env, seed, heading_rad):
    env.reset(seed=seed)
    return stop_at(env, env.batch.rollout(0).goal_m, heading_rad)


def test_without_a_target_reverie_counts_the_distance_and_says_so():
    env = VLNEnv(**HOUSES, task="REVERIECE", observation="rgbd", image_size=8)
    env.reset(seed=0)
    nameless = dataclasses.replace(env.episode, extra={})
    with pytest.warns(UserWarning, match="names no target object"):
        env.batch.begin([0], [nameless])
    info = stop_at(env, env.batch.rollout(0).goal_m)
    assert not info["target_known"]
    assert info["is_success"]
    assert info["lenient_success"]


def test_the_expert_succeeds_strictly():
    env = VLNVectorEnv(
        4, **SPLIT_SETTINGS, task="REVERIECE", observation="rgbd", image_size=8, autoreset_mode="Disabled"
    )
    firsts = {episode.scene_id: episode.episode_id for episode in reversed(env.batch.episodes)}
    ids = {*EPISODES, *list(firsts.values())[::8]}
    records = evaluate(ExpertAgent(), env, sorted(ids), progress=False)
    assert all(record["lenient_success"] for record in records)
    assert np.mean([record["is_success"] for record in records]) >= 0.9


def test_languages_choose_the_episodes():
    env = VLNEnv(**SPLIT_SETTINGS, languages=["en"], observation="rgbd", image_size=8)
    assert len(env.batch.episodes) == len(env.batch.dataset)
    with pytest.raises(ValueError, match=r"is in hi-IN; its languages are en"):
        VLNEnv(**HOUSES, languages=["hi-IN"], observation="rgbd")
    with pytest.raises(ValueError, match="languages must name at least one"):
        VLNEnv(**HOUSES, languages=[], observation="rgbd")


def test_targets_are_found_by_name_or_by_their_number_in_the_building():
    def scene(*instances):
        listed = [Instance(number + 1, name, category) for number, (name, category) in enumerate(instances)]
        return types.SimpleNamespace(instances=listed)

    scan = scene(
        ("dining_table_66", "dining table"), ("sofa_6", "sofa"), ("geometry_7", "object"), ("0_4_9", "bed")
    )
    assert find_target(scan, Target("66")) == 1
    assert find_target(scan, Target("6")) == 2
    assert find_target(scan, Target("7")) is None, "a node that happens to be numbered is no object 7"
    assert find_target(scan, Target("sofa_6")) == 2
    assert find_target(scan, Target("4")) is None
    assert find_target(scan, None) is None


def test_reveries_numbered_target_is_judged_in_an_annotated_scan(tmp_path):
    """From the files of Matterport3D and REVERIE-CE alone: object 2 of the building is a sofa at x = 1 m."""
    annotated_mp3d(tmp_path / "mp3d" / "17DRP5sb8fy")
    episode = Episode(
        episode_id="50001",
        trajectory_id="1_2",
        scene_id="mp3d/17DRP5sb8fy/17DRP5sb8fy.glb",
        start_position_m=(5.0, -0.2, -0.4),
        start_rotation_xyzw=(0.0, 0.0, 0.0, 1.0),
        instruction="Go to the living room and sit down on the sofa.",
        goal_position_m=(2.2, -0.2, -2.0),
        reference_path_m=((5.0, -0.2, -0.4), (2.2, -0.2, -2.0)),
        extra={"info": {"goal_object": "2"}},
    )
    dataset = EpisodeDataset("reverie_ce", "val_seen", (episode,))
    write_r2r_ce(dataset, tmp_path / "REVERIE_CE" / "val_seen" / "val_seen.json.gz")
    env = VLNEnv(task="REVERIECE", data_dir=str(tmp_path), split="val_seen", observation="rgbd", image_size=8)
    _, info = env.reset()
    assert info["dataset"].startswith("reverie_ce@")
    assert info["target_known"]
    assert stop_at(env, env.batch.rollout(0).goal_m)["is_success"]
    env.reset()
    far = stop_at(env, env.batch.simulator.snap(env.scene, np.array([[4.6, -0.2, -3.5]]))[0])
    assert far["lenient_success"], "2.8 m from the goal"
    assert not far["target_in_view"], "3.1 m from the sofa"
    assert not far["is_success"]
