from __future__ import annotations

import math
from dataclasses import fields

import numpy as np
import pytest
import torch

from tests.memory.box_world import BoxWorld, random_walk
from vlnenv.memory import MemoryConfig, MemorySnapshot, TokenMemory
from vlnenv.sim.camera import Camera

SMALL = Camera(width=24, height=24)
DIM = 5
ZERO = (np.zeros((1, 3)), np.zeros(1))


def unit_features(rng: np.random.Generator, n: int) -> np.ndarray:
    features = rng.normal(size=(n, 24, 24, DIM)).astype(np.float32)
    return features / np.linalg.norm(features, axis=-1, keepdims=True)


def constant(value: int, n: int = 1) -> np.ndarray:
    features = np.zeros((n, 24, 24, DIM), dtype=np.float32)
    features[..., value] = 1.0
    return features


def same(one: dict[str, np.ndarray], two: dict[str, np.ndarray]) -> bool:
    return one.keys() == two.keys() and all(
        one[key].dtype == two[key].dtype and np.array_equal(one[key], two[key]) for key in one
    )


def stored(memory: TokenMemory, index: int) -> dict[int, tuple]:
    """Position, direction, scale and feature by id."""
    snap = memory.snapshot(index)
    columns = (snap.xyz_m.T, snap.direction_rad, snap.scale_m, snap.features)
    rows = zip(snap.patch_id.tolist(), *(column.numpy() for column in columns), strict=True)
    return {patch_id: tuple(row) for patch_id, *row in rows}


def assert_same_snapshots(one: MemorySnapshot, two: MemorySnapshot) -> None:
    """The same bits, whatever the order of the points."""
    one_order, two_order = one.patch_id.argsort(), two.patch_id.argsort()
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if field.name in ("xyz_m", "features", "direction_rad", "scale_m", "patch_id", "instance_id"):
            axis = 1 if field.name == "xyz_m" else 0
            a, b = a.index_select(axis, one_order), b.index_select(axis, two_order)
        assert torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b, field.name


def assert_same_points(one: dict[int, tuple], two: dict[int, tuple]) -> None:
    assert one.keys() == two.keys()
    for patch_id, columns in one.items():
        assert all(np.array_equal(a, b) for a, b in zip(columns, two[patch_id], strict=True))


def test_an_empty_memory_reads_as_empty() -> None:
    memory = TokenMemory(2, DIM, camera=SMALL)
    observation = memory.read([1, 0], np.zeros((2, 3)), np.zeros(2))
    shapes = {
        "patch_tokens": (2, 576, DIM), "patch_xyz": (2, 576, 3), "patch_mask": (2, 576),
        "instance_tokens": (2, 64, DIM), "instance_xyz": (2, 64, 3), "instance_mask": (2, 64),
        "zone_tokens": (2, 64, DIM), "zone_xyz": (2, 64, 3), "zone_mask": (2, 64),
    }  # fmt: skip
    assert {key: value.shape for key, value in observation.items()} == shapes
    for key, value in observation.items():
        assert value.dtype == (np.int8 if key.endswith("mask") else np.float32)
        assert not value.any()
    assert len(memory) == 0
    assert memory.token_counts == {"patch": 576, "instance": 64, "zone": 64}


def test_a_view_of_nothing_stores_nothing() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    memory.update([0], constant(0), np.zeros((1, 24, 24), dtype=np.float32), *ZERO)
    assert len(memory) == 0
    assert not memory.read([0], *ZERO)["patch_mask"].any()


@pytest.mark.parametrize("patches", ["panorama", "egocentric"])
def test_a_batch_equals_its_members_alone_to_the_last_bit(patches: str) -> None:
    rng = np.random.default_rng(5)
    n, config = 7, MemoryConfig(patches=patches, max_patches=2500)
    together = TokenMemory(n, DIM, config, SMALL)
    alone = [TokenMemory(1, DIM, config, SMALL) for _ in range(n)]
    world = BoxWorld(boxes=[((-1.0, 0.0, -1.0), (0.5, 1.4, 0.5))])
    for step, (position, heading) in enumerate(random_walk(rng, n, 12)):
        envs = np.flatnonzero(rng.random(n) < 0.8)
        if step == 6:
            together.reset([2, 4])
            alone[2].reset()
            alone[4].reset([0])
        features = unit_features(rng, n)
        depth = world.depth(position, heading, SMALL)
        together.update(envs, features[envs], depth[envs], position[envs], heading[envs])
        batch = together.read(envs, position[envs], heading[envs])
        for row, env in enumerate(envs):
            one = slice(env, env + 1)
            alone[env].update([0], features[one], depth[one], position[one], heading[one])
            single = alone[env].read([0], position[one], heading[one])
            assert same(single, {key: value[row : row + 1] for key, value in batch.items()})
    assert together.count().tolist() == [len(memory) for memory in alone]


@pytest.mark.parametrize("patches", ["panorama", "egocentric"])
def test_restore_brings_back_every_bit(patches: str) -> None:
    rng = np.random.default_rng(6)
    config = MemoryConfig(patches=patches, max_patches=3000)
    memory = TokenMemory(2, DIM, config, SMALL)
    world = BoxWorld(boxes=[((-1.0, 0.0, -1.0), (0.5, 1.4, 0.5))])
    walk = random_walk(rng, 2, 20)
    features = [unit_features(rng, 2) for _ in walk]

    def run(target: TokenMemory, steps: range, slots: list[int]) -> list[dict[str, np.ndarray]]:
        observations = []
        for step in steps:
            position, heading = (array[[0] * len(slots)] for array in walk[step])
            depth = world.depth(position, heading, SMALL)
            target.update(slots, features[step][[0] * len(slots)], depth, position, heading)
            observations.append(target.read(slots, position, heading))
        return observations

    run(memory, range(8), [0, 1])
    snapshot, before = memory.snapshot(0), stored(memory, 0)
    first = run(memory, range(8, 20), [0])
    changed = stored(memory, 0)
    memory.restore(0, snapshot)
    assert_same_points(stored(memory, 0), before)
    again = run(memory, range(8, 20), [0])
    assert_same_points(stored(memory, 0), changed)
    other = TokenMemory(3, DIM, config, SMALL)
    other.restore(2, snapshot)
    elsewhere = run(other, range(8, 20), [2])
    assert all(same(a, b) and same(a, c) for a, b, c in zip(first, again, elsewhere, strict=True))


def test_a_snapshot_that_does_not_fit_is_refused() -> None:
    snapshot = TokenMemory(1, DIM, camera=SMALL).snapshot(0)
    with pytest.raises(ValueError, match="same encoder"):
        TokenMemory(1, DIM + 1, camera=SMALL).restore(0, snapshot)
    with pytest.raises(ValueError, match="patch source"):
        TokenMemory(1, DIM, MemoryConfig(patches="egocentric"), SMALL).restore(0, snapshot)
    big = TokenMemory(1, DIM, MemoryConfig(dedup_voxel_m=0.0), SMALL)
    for heading in (0.0, 2.0):
        big.update(
            [0], constant(0), np.full((1, 24, 24), 5.0, np.float32), np.zeros((1, 3)), np.array([heading])
        )
    with pytest.raises(ValueError, match="at most 600"):
        TokenMemory(1, DIM, MemoryConfig(max_patches=600), SMALL).restore(0, big.snapshot(0))


def test_a_moved_objects_points_go_when_its_place_is_seen_again() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    world, empty = BoxWorld(boxes=[((-0.4, 0.0, -2.4), (0.4, 2.0, -1.6))]), BoxWorld()

    def look(heading: float) -> None:
        pose = (np.zeros((1, 3)), np.array([heading]))
        depth = world.depth(*pose, SMALL)
        shows_box = depth < empty.depth(*pose, SMALL)
        memory.update([0], np.where(shows_box[..., None], constant(3), constant(0)), depth, *pose)

    def on_the_box() -> int:
        return int((memory.snapshot(0).features[:, 3] == 1.0).sum())

    look(0.0)
    assert on_the_box() > 50
    world.boxes = []
    look(math.pi)  # elsewhere: nothing says that it has gone
    assert on_the_box() > 50
    look(0.0)
    assert on_the_box() == 0


def test_what_a_new_object_hides_stays() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    memory.update([0], constant(1), np.full((1, 24, 24), 2.5, np.float32), *ZERO)
    memory.update([0], constant(2), np.full((1, 24, 24), 1.0, np.float32), *ZERO)
    assert len(memory) == 2 * 576
    tokens = memory.read([0], *ZERO)["patch_tokens"]
    assert (tokens[0, :, 2] == 1.0).sum() > 100  # the near wall is what is seen
    assert not (tokens[0, :, 1] == 1.0).any()


def test_the_panorama_turns_with_the_agent() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    depth = np.zeros((1, 24, 24), np.float32)
    depth[0, 12, 12] = 2.0  # one point ahead, a hair to the right and below
    memory.update([0], constant(0), depth, *ZERO)
    views = {0.0: 24, math.pi / 2: 36, math.pi: 0, -math.pi / 2: 12}  # after turning left it is on the right
    for heading, first in views.items():
        observation = memory.read([0], np.zeros((1, 3)), np.array([heading]))
        (cell,) = np.flatnonzero(observation["patch_mask"][0])
        assert divmod(int(cell), 48) == (6, first + 6)
        expected = np.array([2 * math.cos(heading), 2 * -math.sin(heading), 1.25], dtype=np.float32)
        np.testing.assert_allclose(observation["patch_xyz"][0, cell], expected, atol=0.1)
    # From two metres further on along -z it lies behind nothing: it is 0 m away and steeper than any view.
    observation = memory.read([0], np.array([[0.0, 0.0, -4.0]]), np.zeros(1))
    (cell,) = np.flatnonzero(observation["patch_mask"][0])
    assert cell % 48 in range(12)


def test_positions_are_ahead_left_up() -> None:
    memory = TokenMemory(1, DIM, MemoryConfig(patches="egocentric"), SMALL)
    memory.update([0], constant(0), np.full((1, 24, 24), 2.0, np.float32), *ZERO)
    xyz = memory.read([0], *ZERO)["patch_xyz"].reshape(24, 24, 3)
    np.testing.assert_allclose(xyz[..., 0], 2.0, atol=1e-5)
    assert (xyz[:, :12, 1] > 0).all()  # left of the image is left
    assert (xyz[:, 12:, 1] < 0).all()
    assert (xyz[:12, :, 2] > 1.25).all()  # top of the image is up
    assert (xyz[12:, :, 2] < 1.25).all()


def test_egocentric_patches_are_the_last_view_where_it_was_seen() -> None:
    rng = np.random.default_rng(7)
    memory = TokenMemory(2, DIM, MemoryConfig(patches="egocentric"), SMALL)
    features, depth = unit_features(rng, 1), np.full((1, 24, 24), 2.0, np.float32)
    depth[0, 0, :] = 0.0
    memory.update([1], features, depth, *ZERO)
    observation = memory.read([1], np.array([[0.0, 0.0, -0.5]]), np.zeros(1))
    mask = observation["patch_mask"].reshape(24, 24)
    assert mask[1:].all()
    assert not mask[0].any()
    assert np.array_equal(observation["patch_tokens"].reshape(24, 24, DIM)[1:], features[0, 1:])
    assert not observation["patch_tokens"].reshape(24, 24, DIM)[0].any()
    np.testing.assert_allclose(observation["patch_xyz"].reshape(24, 24, 3)[1:, :, 0], 1.5, atol=1e-5)
    memory.reset([1])
    assert not memory.read([1], *ZERO)["patch_mask"].any()


def test_at_the_cap_the_oldest_go_first_and_ids_are_never_reused() -> None:
    memory = TokenMemory(1, DIM, MemoryConfig(max_patches=1000, dedup_voxel_m=0.0), SMALL)
    depth = np.full((1, 24, 24), 5.0, np.float32)  # beyond the culling range: everything accumulates
    for step in range(4):
        memory.update([0], constant(step), depth, *ZERO)
    assert memory.count().tolist() == [1000]
    assert sorted(stored(memory, 0)) == list(range(4 * 576 - 1000, 4 * 576))


def test_room_grows_and_the_padding_of_others_does_not_show() -> None:
    rng = np.random.default_rng(8)
    depth, features = np.full((1, 24, 24), 5.0, np.float32), unit_features(rng, 1)
    config = MemoryConfig(dedup_voxel_m=0.0)
    quiet, crowded = (TokenMemory(2, DIM, config, SMALL) for _ in range(2))
    for memory in (quiet, crowded):
        memory.update([0], features, depth, *ZERO)
    for _ in range(20):
        crowded.update([1], features, depth, *ZERO)
    assert crowded.count().tolist() == [576, 20 * 576]
    both = (np.zeros((2, 3)), np.zeros(2))
    one, two = quiet.read([0, 1], *both), crowded.read([0, 1], *both)
    assert same({k: v[:1] for k, v in one.items()}, {k: v[:1] for k, v in two.items()})
    # Equally far points: the first of them is shown.
    assert np.array_equal(two["patch_tokens"][1], two["patch_tokens"][0])


def test_observations_are_the_callers_to_keep() -> None:
    memory = TokenMemory(1, DIM, MemoryConfig(patches="egocentric"), SMALL)
    memory.update([0], constant(0), np.full((1, 24, 24), 2.0, np.float32), *ZERO)
    first = memory.read([0], *ZERO)
    copy = {key: value.copy() for key, value in first.items()}
    memory.update([0], constant(1), np.full((1, 24, 24), 1.0, np.float32), *ZERO)
    memory.read([0], *ZERO)
    assert same(first, copy)


def test_bad_input_is_refused_and_changes_nothing() -> None:
    memory = TokenMemory(2, DIM, camera=SMALL)
    good = (constant(0, 2), np.full((2, 24, 24), 2.0, np.float32), np.zeros((2, 3)), np.zeros(2))
    memory.update([0, 1], *good)
    cases: list[tuple[type[Exception], str, list[int], tuple]] = [
        (IndexError, r"\[0, 2\)", [0, 2], good),
        (ValueError, "repeat", [1, 1], good),
        (ValueError, "features must be", [0, 1], (good[0][:1], *good[1:])),
        (ValueError, "depth must be", [0, 1], (good[0], good[1][:, :12], *good[2:])),
        (ValueError, "as many poses", [0, 1], (*good[:2], good[2][:1], good[3][:1])),
        (ValueError, "finite", [0, 1], (*good[:2], np.full((2, 3), np.inf), good[3])),
    ]
    for error, message, envs, arguments in cases:
        with pytest.raises(error, match=message):
            memory.update(envs, *arguments)
    assert memory.count().tolist() == [576, 576]
    with pytest.raises(ValueError, match="multiple of 24"):
        TokenMemory(1, DIM, camera=Camera(width=100, height=96))
    with pytest.raises(ValueError, match="at least 1"):
        TokenMemory(0, DIM, camera=SMALL)


def test_read_only_arrays_are_taken_in() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    features, depth = constant(0), np.full((1, 24, 24), 2.0, np.float32)
    for array in (features, depth):
        array.flags.writeable = False
    memory.update([0], features, depth, *ZERO)
    assert len(memory) == 576


def test_no_environments_is_no_work() -> None:
    memory = TokenMemory(1, DIM, camera=SMALL)
    nothing = (np.zeros((0, 3)), np.zeros(0))
    memory.update([], torch.zeros(0, 24, 24, DIM), np.zeros((0, 24, 24), np.float32), *nothing)
    assert memory.read([], *nothing)["patch_tokens"].shape == (0, 576, DIM)
