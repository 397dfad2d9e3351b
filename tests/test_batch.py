"""What outlasts an episode or changes within it: memory scopes, edited worlds, sensor noise."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import SyncVectorEnv

from tests.small_houses import FIRST, HOUSES, OTHER_SCENE, SECOND
from tests.test_env import assert_equal
from tests.test_vector import make_single, rollout, same_values
from vlnenv import houses
from vlnenv.env import VLNEnv
from vlnenv.sim import edits
from vlnenv.sim.relocation import movable_instances
from vlnenv.vector import VLNVectorEnv

TOKENS = {**HOUSES, "observation": "tokens"}
QUICK = {**TOKENS, "encoder": "semantic", "segmenter": None}
"""For tours, which look hundreds of times."""
OTHER = SECOND[0]
WALK = (1, 1, 2, 1, 3, 1)


def begin(env, episode_id, **options):
    return env.reset(options={"episode_id": episode_id, **options})[0]


def points(env, slot=0):
    """float64 sorted rows of what is remembered."""
    xyz = env.batch.memory.snapshot(slot).xyz_m.T.numpy().astype(np.float64)
    return xyz[np.lexsort(xyz.T)]


# ---- memory scopes ----


def test_an_episodes_memory_ends_with_it():
    env, fresh = VLNEnv(**TOKENS), VLNEnv(**TOKENS)
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    assert_equal(begin(env, FIRST[1]), begin(fresh, FIRST[1]))


def test_a_lifelong_memory_is_kept_in_a_scene_and_forgotten_in_another():
    env, fresh = VLNEnv(**TOKENS, memory_scope="lifelong"), VLNEnv(**TOKENS)
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    before = env.batch.memory.snapshot(0)
    kept = begin(env, FIRST[1])
    new = begin(fresh, FIRST[1])
    after = env.batch.memory.snapshot(0)
    assert kept["patch_mask"].sum() > new["patch_mask"].sum()
    assert after.next_id > before.next_id, "ids go on"
    assert len(set(before.patch_id.tolist()) & set(after.patch_id.tolist())) > 100
    assert_equal(begin(env, OTHER), begin(fresh, OTHER))
    assert_equal(begin(env, FIRST[1]), new)


def test_a_tour_is_remembered_before_the_first_step_and_made_once():
    settings = {**QUICK, "memory_scope": "pre_exploration"}
    env = VLNVectorEnv(2, **settings)
    observation, _ = env.reset(options={"episode_id": FIRST[:2]})
    alone = VLNEnv(**QUICK)
    new = begin(alone, FIRST[0])
    assert observation["patch_mask"][0].sum() > new["patch_mask"].sum()
    stored = points(env, 0)
    seen_m = alone.scene.bounds_m
    assert (stored >= seen_m[0] - 0.1).all()
    assert (stored <= seen_m[1] + 0.1).all()
    # All of the floor's rooms, not only the one that the agent stands in.
    low, high = np.percentile(stored, [1, 99], axis=0)
    assert ((high - low)[[0, 2]] > 0.8 * np.ptp(seen_m, axis=0)[[0, 2]]).all()
    tours = dict(env.batch.memories._tours)
    for _ in range(3):
        env.step(np.array([1, 1]))
    again, _ = env.reset(options={"episode_id": FIRST[:2]})
    same_values(again, observation)
    assert env.batch.memories._tours == tours
    single = VLNEnv(**settings)
    same_values(begin(single, FIRST[0])["patch_tokens"], observation["patch_tokens"][0])


@pytest.mark.parametrize("scope", ["lifelong", "pre_exploration"])
@pytest.mark.parametrize("autoreset", ["NextStep", "SameStep"])
def test_scopes_give_the_same_in_a_batch_and_alone(scope, autoreset):
    seen_with = TOKENS if scope == "lifelong" else QUICK
    settings = {**seen_with, "memory_scope": scope, "max_steps": 4, "episodes": [*FIRST[:3], OTHER]}
    mode = gym.vector.AutoresetMode(autoreset)
    separate = SyncVectorEnv([lambda: make_single(settings)] * 2, autoreset_mode=mode)
    batched = gym.make_vec("R2RCE-v0", num_envs=2, autoreset_mode=autoreset, **settings)
    for first, second in zip(rollout(batched, 14), rollout(separate, 14), strict=True):
        for a, b in zip(first, second, strict=True):
            same_values(a, b)


def test_restoring_brings_back_what_was_kept_from_earlier_episodes():
    env = VLNEnv(**{**TOKENS, "episodes": FIRST[:3]}, memory_scope="lifelong")
    env.reset(seed=1)
    for action in WALK:
        env.step(action)
    snapshot = env.snapshot()

    def go_on():
        return [env.reset()[0], *(env.step(action)[0] for action in (2, 1)), env.reset()[0]]

    first = go_on()
    env.restore(snapshot)
    assert_equal(tuple(first), tuple(go_on()))


def test_a_seed_begins_anew_whatever_was_kept():
    env = VLNEnv(**{**TOKENS, "episodes": FIRST[:1]}, memory_scope="lifelong", keep_edits=True)
    first = env.reset(seed=1)[0]
    env.edit_scene(env.scene.instances[-1].id, None)
    for action in WALK:
        env.step(action)
    env.reset()
    assert env.batch.memory.snapshot(0).next_id > 2 * 576, "kept, and ids go on"
    assert env.scene.edits
    assert_equal(env.reset(seed=1)[0], first)
    assert not env.scene.edits


def test_a_saved_memory_is_begun_with(tmp_path):
    env = VLNEnv(**TOKENS)
    with pytest.raises(ResetNeeded):
        env.save_memory(tmp_path / "m.safetensors")
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    env.save_memory(tmp_path / "m.safetensors")
    lifelong = VLNEnv(**TOKENS, memory_scope="lifelong")
    begin(lifelong, FIRST[0])
    for action in WALK:
        lifelong.step(action)
    expected = begin(lifelong, FIRST[1])
    other = VLNEnv(**TOKENS)
    assert_equal(begin(other, FIRST[1], memory=str(tmp_path / "m.safetensors")), expected)
    many = VLNVectorEnv(2, **TOKENS)
    options = {"episode_id": [FIRST[1]] * 2, "memory": [None, tmp_path / "m.safetensors"]}
    observation, _ = many.reset(options=options)
    same_values(observation["patch_tokens"][1], expected["patch_tokens"])
    same_values(observation["patch_tokens"][0], begin(env, FIRST[1])["patch_tokens"])
    before = other.batch.rollout(0)
    with pytest.raises(ValueError, match="remembers scene_id"):
        begin(other, OTHER, memory=tmp_path / "m.safetensors")
    with pytest.raises(ValueError, match="remembers encoder 'mini', the episode has 'semantic'"):
        begin(VLNEnv(**TOKENS, encoder="semantic"), FIRST[0], memory=tmp_path / "m.safetensors")
    with pytest.raises(FileNotFoundError):
        begin(other, FIRST[0], memory=tmp_path / "none.safetensors")
    assert other.batch.rollout(0) is before
    with pytest.raises(ValueError, match="memory must be one value or 2"):
        many.reset(options={"memory": ["a", "b", "c"]})
    with pytest.raises(ValueError, match="no memory runs"):
        begin(VLNEnv(**HOUSES, observation="rgbd", image_size=8), FIRST[0], memory="x.safetensors")


# ---- worlds that change ----


def face_open_floor(env, left=2):
    """Turn until two metres ahead are free, with the action `left`."""
    for _ in range(24):
        state = env.batch.rollout(0)
        _, collided = env.batch.simulator.move(
            state.scene, state.position_m[None], np.array([state.heading_rad]), 2.0
        )
        if not collided[0]:
            return
        env.step(left)
    raise AssertionError("the test needs room around the agent")


def blocker(env):
    """An instance that stands alone and a transform that puts it 1.2 m ahead of the agent."""
    face_open_floor(env)
    state = env.batch.rollout(0)
    ahead = np.array([-np.sin(state.heading_rad), 0.0, -np.cos(state.heading_rad)])
    instance = next(i for i in env.scene.instances if i.category == "fridge")
    box = np.asarray(instance.bounds_m)
    matrix = np.eye(4)
    bottom = np.array([box[:, 0].mean(), box[0, 1], box[:, 2].mean()])
    matrix[:3, 3] = state.position_m + 1.2 * ahead - bottom
    return instance, matrix


def test_a_moved_object_is_seen_bumped_into_and_walked_around():
    env = VLNEnv(**HOUSES, observation="all", image_size=24)
    begin(env, FIRST[0])
    plain = VLNEnv(**HOUSES, observation="all", image_size=24)
    begin(plain, FIRST[0])
    face_open_floor(plain)
    instance, matrix = blocker(env)
    env.edit_scene(instance.id, matrix)
    distances = []
    for each in (env, plain):
        for _ in range(6):
            observation, _, _, _, info = each.step(1)
        distances.append((observation["depth"][12, 12, 0], info["collisions"], info["path_length"]))
    (near, hits, length), (_, _, free_length) = distances
    assert near < 0.6
    assert hits > 0
    assert length < free_length - 0.3
    env.edit_scene(instance.id, None)
    assert env.step(2)[0]["depth"].max() > near
    assert not edits.without_edits(env.scene).edits


def test_edits_are_in_snapshots_and_end_with_the_episode():
    env = VLNEnv(**TOKENS)
    start = begin(env, FIRST[0])
    original = env.scene
    instance, matrix = blocker(env)
    before = env.snapshot()
    env.edit_scene(instance.id, matrix)
    edited = env.snapshot()
    first = tuple(env.step(action) for action in WALK)
    env.restore(before)
    assert env.scene is original
    free = tuple(env.step(action) for action in WALK)
    assert not np.array_equal(free[-1][0]["patch_xyz"], first[-1][0]["patch_xyz"])
    env.restore(edited)
    assert_equal(first, tuple(env.step(action) for action in WALK))
    assert_equal(begin(env, FIRST[0]), start)
    assert env.scene is original


def test_kept_edits_last_until_the_scene_changes():
    env = VLNEnv(**TOKENS, keep_edits=True)
    start = begin(env, FIRST[0])
    instance, matrix = blocker(env)
    env.edit_scene(instance.id, matrix)
    begin(env, FIRST[0])
    assert list(env.scene.edits) == [instance.id]
    for _ in range(24):
        env.step(2)
    boxes = edits.current_bounds(instance, env.scene)
    inside = ((points(env) > boxes[0] - 0.05) & (points(env) < boxes[1] + 0.05)).all(axis=1)
    assert inside.sum() > 20, "the object that stayed is not seen"
    begin(env, OTHER)
    assert not env.scene.edits
    assert_equal(begin(env, FIRST[0]), start)


def test_the_distance_to_the_goal_follows_the_world_and_the_step_pays_only_for_itself():
    env = VLNEnv(**HOUSES, observation="rgbd", image_size=8, reward="progress")
    begin(env, FIRST[0])
    state = env.batch.rollout(0)
    # The walking distance with every door way of the straight way shut: some edit lengthens it.
    path = env.batch.simulator.path(env.scene, state.position_m, state.goal_m)
    instance = next(i for i in env.scene.instances if i.category == "fridge")
    box = np.asarray(instance.bounds_m)
    bottom = np.array([box[:, 0].mean(), box[0, 1], box[:, 2].mean()])
    matrix = np.eye(4)
    matrix[:3, 3] = path[len(path) // 2] - bottom
    before = state.metrics.distance_m
    env.edit_scene(instance.id, matrix)
    after = env.batch.rollout(0).metrics.distance_m
    again = env.batch.simulator.geodesic(env.scene, state.position_m[None], state.goal_m)[0]
    assert after == (again if np.isfinite(again) else before)
    assert after >= before
    _, reward, _, _, info = env.step(2)
    assert info["distance_to_goal"] == after
    assert abs(reward) < 0.1, "a turn makes no progress, whatever the world did"


def test_an_object_cannot_be_put_on_the_agent_or_another_scene_in():
    env = VLNEnv(**HOUSES, observation="rgbd", image_size=8)
    with pytest.raises(ResetNeeded):
        env.edit_scene(1, None)
    begin(env, FIRST[0])
    instance, matrix = blocker(env)
    state = env.batch.rollout(0)
    ahead = np.array([-np.sin(state.heading_rad), 0.0, -np.cos(state.heading_rad)])
    matrix[:3, 3] -= 1.2 * ahead
    with pytest.raises(ValueError, match="no floor to stand on"):
        env.edit_scene(instance.id, matrix)
    with pytest.raises(KeyError, match="no instance 9999"):
        env.edit_scene(9999, None)
    with pytest.raises(ValueError, match="cannot be"):
        env.batch.set_scene(0, env.batch.simulator.load(OTHER_SCENE))
    assert env.batch.rollout(0) is state


def test_added_objects_get_ids_and_each_environment_has_its_own_world():
    env = VLNVectorEnv(2, **HOUSES, observation="rgbd", image_size=24)
    env.reset(options={"episode_id": FIRST[0]})
    scene = env.scene(0)
    face_open_floor(env, np.array([2, 2]))
    state = env.batch.rollout(0)
    ahead = np.array([-np.sin(state.heading_rad), 0.0, -np.cos(state.heading_rad)])
    addition = houses.load_scene(OTHER_SCENE)
    # Of the other house a single piece comes, 1 m ahead of the agent: high enough to be seen, and slim.
    sizes_m = {each.id: np.ptp(each.bounds_m, axis=0) for each in addition.instances}
    piece = next(
        each
        for each in movable_instances(env.batch.simulator, addition)
        if sizes_m[each.id][1] > 0.6 and sizes_m[each.id][[0, 2]].max() < 0.8
    )
    for instance in addition.instances:
        if instance.id != piece.id:
            addition = edits.edit(addition, instance.id, None)
    box = np.asarray(piece.bounds_m)
    bottom = np.array([box[:, 0].mean(), box[0, 1], box[:, 2].mean()])
    matrix = np.eye(4)
    matrix[:3, 3] = state.position_m + 1.0 * ahead - bottom
    (number,) = env.add_to_scene(0, addition, matrix)
    assert env.scene(1) is scene
    observation, *_ = env.step(np.array([2, 2]))
    assert not np.array_equal(observation["depth"][0], observation["depth"][1])
    env.edit_scene(0, number, None)
    observation, *_ = env.step(np.array([3, 3]))
    same_values(observation["depth"][0], observation["depth"][1])


# ---- sensor noise ----

NOISE = {**HOUSES, "observation": "all", "image_size": 24, "sensor_noise": {}}


def test_noise_shifts_what_is_told_and_nothing_that_is_true():
    noisy, exact = VLNEnv(**NOISE), VLNEnv(**{**NOISE, "sensor_noise": None})
    first, second = noisy.reset(seed=4), exact.reset(seed=4)
    assert first[1] == second[1], "episodes are drawn alike"
    for action in WALK:
        first, second = noisy.step(action), exact.step(action)
        assert_equal(first[1:], second[1:])
        assert_equal(first[0]["rgb"], second[0]["rgb"])
        error = np.abs(first[0]["depth"] - second[0]["depth"])
        assert 0.0 < error.max() < 0.5
    assert noisy.reset()[1]["episode_id"] == exact.reset()[1]["episode_id"]
    # The map is blurred by centimetres, not by metres.
    one, two = points(noisy), points(exact)
    gap = np.abs(one[:, None] - two[None]).max(axis=-1).min(axis=1)
    assert 0.01 < np.median(gap) < 0.25


def test_pose_noise_alone_moves_the_map_and_keeps_depth():
    noisy = VLNEnv(**{**NOISE, "sensor_noise": {"depth_base_m": 0.0, "depth_growth_per_m": 0.0}})
    exact = VLNEnv(**{**NOISE, "sensor_noise": None})
    first, second = noisy.reset(seed=4)[0], exact.reset(seed=4)[0]
    same_values(first["depth"], second["depth"])
    assert not np.array_equal(points(noisy), points(exact))
    none = dict.fromkeys(("position_m", "heading_deg", "depth_base_m", "depth_growth_per_m"), 0.0)
    silent = VLNEnv(**{**NOISE, "sensor_noise": none})
    assert_equal(silent.reset(seed=4)[0], second)


def test_noise_is_repeated_by_seed_and_snapshot_and_new_in_each_episode():
    env = VLNEnv(**{**NOISE, "episodes": FIRST[:1]})
    first = env.reset(seed=2)[0]
    second = env.reset()[0]
    assert not np.array_equal(first["depth"], second["depth"])
    assert_equal(env.reset(seed=2)[0], first)
    env.step(1)
    snapshot = env.snapshot()

    def go_on():
        return tuple(env.step(action) for action in (1, 2, 1)), env.reset()

    ahead = go_on()
    env.restore(snapshot)
    assert_equal(ahead, go_on())


def test_noise_does_not_depend_on_how_many_environments_there_are():
    few, many = (gym.make_vec("R2RCE-v0", num_envs=n, **NOISE) for n in (2, 4))
    first, second = few.reset(seed=3)[0], many.reset(seed=3)[0]
    for actions in ([1, 1, 1, 1], [2, 3, 1, 1]):
        first, second = few.step(actions[:2])[0], many.step(actions)[0]
    separate = VLNEnv(**NOISE)
    separate.reset(seed=4)
    separate.step(1)
    alone = separate.step(3)[0]
    for key in first:
        same_values(first[key], second[key][:2])
        same_values(alone[key], first[key][1])


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"memory_scope": "lifelonk"}, ValueError, "Did you mean 'lifelong'"),
        ({"sensor_noise": {"position": 1}}, TypeError, "Did you mean 'position_m'"),
        ({"sensor_noise": {"heading_deg": -1}}, ValueError, "at least 0"),
    ],
)
def test_bad_settings_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        VLNEnv(**HOUSES, **settings)


def test_the_settings_survive_json():
    settings = {"memory_scope": "lifelong", "keep_edits": True, "sensor_noise": {"position_m": 0.1}}
    spec = gym.make("R2RCE-v0", **HOUSES, observation="rgbd", image_size=8, **settings).spec
    again = gym.make(gym.envs.registration.EnvSpec.from_json(spec.to_json()))
    for name, value in settings.items():
        assert getattr(again.unwrapped.config, name) == value
