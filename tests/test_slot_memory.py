"""What a batch's memories look through and are told."""

import numpy as np
import pytest

from tests.small_houses import EPISODES, FIRST, HOUSES
from tests.test_batch import WALK, begin
from tests.test_env import assert_equal
from vlnenv.env import VLNEnv
from vlnenv.vector import VLNVectorEnv

TOKENS = {**HOUSES, "observation": "tokens"}


@pytest.mark.parametrize(
    ("settings", "privileged"),
    [
        ({}, ""),
        ({"encoder": "semantic"}, "encoder semantic"),
        ({"encoder": "semantic", "segmenter": "oracle"}, "encoder semantic, segmenter oracle"),
        ({"segmenter": "oracle", "observation": "rgbd", "image_size": 8}, ""),
    ],
)
def test_what_no_robot_could_see_is_named_in_every_info(settings, privileged):
    env = VLNEnv(**{**TOKENS, **settings})
    assert env.reset(seed=0)[1]["privileged"] == privileged
    assert env.step(1)[4]["privileged"] == privileged
    env.close()


def test_instances_and_zones_are_observed_and_need_a_segmenter():
    env, without = VLNEnv(**TOKENS), VLNEnv(**TOKENS, segmenter=None)
    for each in (env, without):
        begin(each, FIRST[0])
    for action in WALK:
        full, bare = env.step(action)[0], without.step(action)[0]
    for level in ("instance", "zone"):
        assert full[f"{level}_mask"].sum() > 1
        assert not bare[f"{level}_mask"].any()
        shown = full[f"{level}_mask"] == 1
        np.testing.assert_allclose(np.linalg.norm(full[f"{level}_tokens"][shown], axis=1), 1.0, atol=1e-4)
    distance_m = np.linalg.norm(full["instance_xyz"][full["instance_mask"] == 1], axis=1)
    assert (np.diff(distance_m) >= -1e-5).all()
    assert distance_m.max() <= 5.0 + 1e-5
    for key in ("patch_tokens", "patch_xyz", "patch_mask"):
        np.testing.assert_array_equal(full[key], bare[key])


@pytest.mark.parametrize("num_envs", [4, 16])
def test_a_memory_does_not_depend_on_how_many_share_its_calls(num_envs):
    ids = [EPISODES[(3 * slot) % len(EPISODES)] for slot in range(num_envs)]
    many = VLNVectorEnv(num_envs, **TOKENS)
    seen = [many.reset(options={"episode_id": ids})[0]]
    for action in (1, 2, 1):
        seen.append(many.step(np.full(num_envs, action))[0])
    for slot in (0, num_envs - 1):
        one = VLNEnv(**TOKENS)
        alone = [begin(one, ids[slot]), *(one.step(action)[0] for action in (1, 2, 1))]
        for together, single in zip(seen, alone, strict=True):
            for key, value in single.items():
                if key != "instruction":
                    np.testing.assert_array_equal(together[key][slot], value, err_msg=key)


def test_encoder_segmenter_and_memory_share_one_measured_render(monkeypatch):
    env = VLNEnv(**TOKENS, sensor_noise={"depth_growth_per_m": 0.01})
    memories = env.batch.memories
    rendered, seen = [], []
    render = env.batch.simulator.render
    monkeypatch.setattr(
        env.batch.simulator, "render", lambda *args: rendered.append(render(*args)) or rendered[-1]
    )
    for owner, name in ((memories.encoder, "encode"), (memories.segmenter, "segment")):
        original = getattr(owner, name)
        monkeypatch.setattr(
            owner, name, lambda frames, *rest, call=original: seen.append(frames) or call(frames, *rest)
        )
    update = memories.memory.update

    def noted(index, features, depth, *rest):
        seen.append(depth)
        return update(index, features, depth, *rest)

    monkeypatch.setattr(memories.memory, "update", noted)
    begin(env, FIRST[0])
    assert len(rendered) == 1
    encoded, segmented, depth = seen
    assert encoded.depth is segmented.depth is depth
    error = np.abs(depth - rendered[0].depth)
    assert error.max() > 0.05
    assert encoded.rgb is rendered[0].rgb


def test_memory_settings_reach_the_memory():
    env = VLNEnv(**TOKENS, memory={"max_instances": 7, "instance_radius_m": 3})
    observation = begin(env, FIRST[0])
    assert observation["instance_mask"].shape == (7,)
    assert env.observation_space.contains(observation)
    assert env.batch.memory.config.instance_radius_m == 3


def test_a_snapshot_brings_back_all_levels():
    env = VLNEnv(**TOKENS)
    begin(env, FIRST[0])
    for action in WALK:
        env.step(action)
    snapshot = env.snapshot()
    ahead = tuple(env.step(action)[0] for action in (1, 2, 1))
    env.restore(snapshot)
    assert_equal(ahead, tuple(env.step(action)[0] for action in (1, 2, 1)))


def test_shipped_weights_are_named():
    files = VLNEnv(**TOKENS, levels="mean").batch.memories.weight_files
    assert [file.name for file in files] == ["mini.safetensors"]
    assert VLNEnv(**TOKENS, encoder="semantic").batch.memories.weight_files == ()
