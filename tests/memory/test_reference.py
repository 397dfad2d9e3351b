"""The token memory against plain loops over whole episodes, and properties that both must have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import pytest
import torch

from tests.memory.box_world import BoxWorld, random_walk
from tests.memory.reference import BruteForceMemory
from tests.small_houses import SCENE
from vlnenv import houses
from vlnenv.memory import MemoryConfig, MemorySnapshot, TokenMemory
from vlnenv.memory.levels import Levels, MeanLevels
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.follower import FORWARD, LEFT, follow
from vlnenv.sim.relocation import movable_instances, relocate_one

SMALL = Camera(width=48, height=48)
EXACT = 2e-6
"""Of positions, metres: one or two roundings of float32."""
ALIKE = 2e-5
"""Of features, whose parts are at most 1: both memories add them up in different orders."""


class ProbeLevels:
    """Levels in which everything counts: each input, its sign and which column it stands in."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        generator = torch.Generator().manual_seed(0)
        self._instance = torch.randn(7, dim, generator=generator) * 0.3
        self._zone = torch.randn(4, dim, generator=generator) * 0.3

    def encode_instances(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        return self._encode(features, position, mask, self._instance)

    def encode_zones(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor
    ) -> torch.Tensor:
        return self._encode(features, position, mask, self._zone)

    def same(
        self, f3d: torch.Tensor, f2d: torch.Tensor, offset_m: torch.Tensor, overlap: torch.Tensor
    ) -> torch.Tensor:
        alike = (f3d * f2d).sum(dim=1)
        away = offset_m @ torch.tensor([0.5, -0.3, -0.4]) - offset_m.norm(dim=1)
        return torch.sigmoid(4.0 * overlap[:, 0] + 2.0 * overlap[:, 1] + 3.0 * (alike - 0.7) + away)

    def _encode(
        self, features: torch.Tensor, position: torch.Tensor, mask: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        rows = torch.tanh(features + position @ weight) * mask[..., None]
        mean = rows.sum(dim=1) / mask.sum(dim=1)[:, None]
        return mean / mean.norm(dim=1).clamp(min=1e-12)[:, None]


# ---- episodes ----


@dataclass(frozen=True)
class View:
    """What n agents see in one step."""

    features: np.ndarray
    depth: np.ndarray
    segments: np.ndarray
    position_m: np.ndarray
    heading_rad: np.ndarray

    def of(self, agents: list[int]) -> tuple[np.ndarray, ...]:
        """Arguments of `TokenMemory.update` after the indices."""
        columns = (self.features, self.depth, self.position_m, self.heading_rad, self.segments)
        return tuple(column[agents] for column in columns)


@cache
def house_episode(n: int, steps: int, camera: Camera, every: int = 8) -> tuple[View, ...]:
    """Walks through a built-in house in which an object is carried elsewhere every few steps."""
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load(SCENE)
    rng = np.random.default_rng(0)
    walks = [_walk(simulator, scene, rng, steps) for _ in range(n)]
    encoder, segmenter = SemanticEncoder(), make_segmenter("patchgraph")
    movable = movable_instances(simulator, scene)
    now, views = scene, []
    for step in range(steps):
        if step % every == every - 1:
            instance = movable[rng.integers(len(movable))]
            now = relocate_one(simulator, now, instance, rng) or now
        position_m = np.stack([walk[0][step] for walk in walks])
        heading_rad = np.array([walk[1][step] for walk in walks])
        frames = simulator.render(now, position_m, heading_rad, camera, ("rgb", "depth", "instance"))
        assert frames.depth is not None
        features = encoder.encode(frames, [now] * n)
        segments = segmenter.segment(frames, features, camera)
        views.append(View(features.numpy(), frames.depth, segments.numpy(), position_m, heading_rad))
    return tuple(views)


def _walk(
    simulator: EmbreeSimulator, scene, rng: np.random.Generator, steps: int
) -> tuple[list[np.ndarray], list[float]]:
    """Shortest ways between random places; some turns to look about."""
    positions, headings = [simulator.sample(scene, rng, 1)[0]], [0.0]
    while len(positions) < steps:
        goal = simulator.sample(scene, rng, 1)
        found = follow(simulator, scene, positions[-1], headings[-1], goal, max_steps=40)
        forward = 0
        for action in found.actions[:-1]:
            forward += action == FORWARD
            turn = 0.0 if action == FORWARD else np.pi / 12 if action == LEFT else -np.pi / 12
            positions.append(found.positions_m[forward])
            headings.append(headings[-1] + turn)
    return positions[:steps], headings[:steps]


@cache
def box_episode(n: int, steps: int, camera: Camera, dim: int = 6) -> tuple[View, ...]:
    """Walks in a room whose box jumps about; random segments, features and holes: nothing fits anything."""
    rng = np.random.default_rng(1)
    world, views = BoxWorld(), []
    for position_m, heading_rad in random_walk(rng, n, steps):
        x, z = rng.uniform(-2, 2, 2)
        world.boxes = [((x, 0.0, z), (x + 1.0, 1.6, z + 0.7))]
        depth = world.depth(position_m, heading_rad, camera)
        depth[rng.random(depth.shape) < 0.05] = 0.0
        depth[rng.random(depth.shape) < 0.02] = np.nan
        blocks = rng.integers(0, 6, (n, 4, 4)).repeat(6, axis=1).repeat(6, axis=2)
        features = rng.normal(size=(n, 24, 24, dim)) + 2.0 * np.eye(6, dim)[blocks]
        features /= np.linalg.norm(features, axis=-1, keepdims=True)
        # Labels with gaps, in no order, and some that hold a single patch.
        segments = np.array([0, 9, 4, 7, 1, 30])[blocks]
        segments[rng.random(segments.shape) < 0.005] = 50
        views.append(View(features.astype(np.float32), depth, segments, position_m, heading_rad))
    return tuple(views)


# ---- comparison ----


def first_difference(snapshot: MemorySnapshot, reference: BruteForceMemory) -> str:
    """Where the stored state of both memories first differs; empty if it does not."""
    ids = snapshot.patch_id.tolist()
    if len(set(ids)) != len(ids):
        return "patches: an id is stored twice"
    row = {patch_id: place for place, patch_id in enumerate(ids)}
    expected = reference.patches
    if row.keys() != expected.keys():
        return f"patches: {_keys_apart(row.keys(), expected.keys())}"
    if (snapshot.next_id, snapshot.next_instance_id) != (reference.next_id, reference.next_instance_id):
        return (
            f"next ids: got {snapshot.next_id}, {snapshot.next_instance_id}; "
            f"expected {reference.next_id}, {reference.next_instance_id}"
        )
    rows = torch.tensor([row[patch_id] for patch_id in expected], dtype=torch.int64)
    points = expected.values()
    columns = [
        ("xyz_m", snapshot.xyz_m.T, [patch.xyz for patch in points], EXACT),
        ("direction_rad", snapshot.direction_rad, [patch.direction for patch in points], EXACT),
        ("scale_m", snapshot.scale_m, [patch.scale for patch in points], EXACT),
        ("features", snapshot.features, [patch.feature for patch in points], EXACT),
        ("instance_id", snapshot.instance_id, [patch.instance for patch in points], EXACT),
    ]
    for name, values, wanted, tolerance in columns:
        got = values[rows].numpy()
        found = _values_apart(got, np.array(wanted).reshape(got.shape), list(expected), tolerance)
        if found:
            return f"patches, {name}: {found}"
    levels: list[tuple[str, list, dict, torch.Tensor, torch.Tensor]] = [
        ("instances", snapshot.instance_ids.tolist(), reference.instances,
         snapshot.instance_xyz_m, snapshot.instance_features),
        ("zones", [tuple(key) for key in snapshot.zone_keys.tolist()], reference.zones,
         snapshot.zone_xyz_m, snapshot.zone_features),
    ]  # fmt: skip
    for name, keys, groups, xyz_m, features in levels:
        if keys != sorted(groups):
            return f"{name}: {_keys_apart(keys, groups)}"
        centres = np.array([groups[key].centre for key in keys]).reshape(-1, 3)
        found = _values_apart(xyz_m.T.numpy(), centres, keys, EXACT)
        if found:
            return f"{name}, centres: {found}"
        wanted = np.array([groups[key].feature for key in keys]).reshape(features.shape)
        found = _values_apart(features.numpy(), wanted, keys, ALIKE)
        if found:
            return f"{name}, features: {found}"
    return ""


def first_read_difference(got: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> str:
    """Where two observations of one environment first differ; empty if they do not."""
    if got.keys() != expected.keys():
        return f"keys {sorted(got)}, expected {sorted(expected)}"
    for key, wanted in sorted(expected.items(), key=lambda item: not item[0].endswith("mask")):
        if got[key].dtype != wanted.dtype:
            return f"{key}: {got[key].dtype}, expected {wanted.dtype}"
        tolerance = ALIKE if key.endswith("tokens") else EXACT
        found = _values_apart(got[key], wanted, list(range(len(wanted))), tolerance)
        if found:
            return f"{key}: {found}"
    return ""


def _keys_apart(got, expected) -> str:
    missing, extra = sorted(set(expected) - set(got)), sorted(set(got) - set(expected))
    if not missing and not extra:
        return f"order {list(got)[:8]}, expected {sorted(expected)[:8]}"
    return f"{len(missing)} missing {missing[:8]}, {len(extra)} too many {extra[:8]} of {len(expected)}"


def _values_apart(got: np.ndarray, wanted: np.ndarray, keys: list, tolerance: float) -> str:
    if got.shape != wanted.shape:
        return f"shape {got.shape}, expected {wanted.shape}"
    apart = ~np.isclose(got, wanted, atol=tolerance, rtol=0.0)
    apart = apart.any(axis=tuple(range(1, apart.ndim)))
    if not apart.any():
        return ""
    worst = int(np.flatnonzero(apart)[0])
    return f"{apart.sum()} of {len(keys)} differ, first {keys[worst]}: {got[worst]}, expected {wanted[worst]}"


def run_against_reference(
    views: tuple[View, ...],
    camera: Camera,
    config: MemoryConfig,
    make_levels: Callable[[int], Levels],
    look_every: int,
) -> dict[str, int]:
    """Both memories over an episode, compared at every few steps; how often what happened."""
    n, dim = len(views[0].depth), views[0].features.shape[-1]
    fast = TokenMemory(n, dim, config, camera, levels=make_levels(dim))
    slow = [BruteForceMemory(config, camera, make_levels(dim)) for _ in range(n)]
    rng = np.random.default_rng(2)
    happened = {"joined": 0, "founded": 0, "died": 0, "dropped": 0, "full": 0, "most instances": 0}
    for step, view in enumerate(views):
        agents = rng.permutation(n).tolist()
        agents = agents if n == 1 or step % 5 else agents[:-1]  # in any order; one is left out at times
        fast.update(agents, *view.of(agents))
        for agent in agents:
            own, one = slow[agent], view.of([agent])
            before, founded = set(own.instances), own.next_instance_id
            features, depth, position_m, heading_rad, segments = (column[0] for column in one)
            own.update(features, depth, position_m, float(heading_rad), segments)
            fresh = own.view.values()
            joined = {patch.instance for patch in fresh if patch.id in own.patches} & before
            happened["joined"] += len(joined)
            happened["founded"] += own.next_instance_id - founded
            happened["died"] += len(before - set(own.instances))
            happened["dropped"] += sum(patch.id not in own.patches for patch in fresh)
            happened["full"] += len(own.patches) == config.max_patches
            happened["most instances"] = max(happened["most instances"], len(own.instances))
        if step % look_every and step != len(views) - 1:
            continue
        observation = fast.read(range(n), view.position_m, view.heading_rad)
        for agent in range(n):
            found = first_difference(fast.snapshot(agent), slow[agent])
            assert not found, f"step {step}, environment {agent}, stored {found}"
            expected = slow[agent].read(view.position_m[agent], float(view.heading_rad[agent]))
            got = {key: values[agent] for key, values in observation.items()}
            found = first_read_difference(got, expected)
            assert not found, f"step {step}, environment {agent}, read {found}"
    return happened


ODD_CAMERA = Camera(width=48, height=72, hfov_deg=100, pitch_deg=-15, height_m=1.0, max_depth_m=5.0)
TIGHT = MemoryConfig(
    max_patches=900, cull_far_m=1.5, cull_near_m=0.2, dedup_voxel_m=0.4, match_far_m=4.0, candidates=3,
    merge_probability=0.4, instance_members=5, instance_radius_m=3.0, max_instances=4, zone_m=1.0,
    zone_members=2, zone_radius_m=4.0, max_zones=3, panorama_far_m=4.0, patches="egocentric",
)  # fmt: skip
"""Every limit is reached."""


def test_equals_plain_loops_through_a_house_that_changes() -> None:
    views = house_episode(1, 200, SMALL)
    happened = run_against_reference(views, SMALL, MemoryConfig(max_patches=2000), MeanLevels, look_every=15)
    assert happened["joined"] > 500
    assert happened["died"] > 50
    assert happened["dropped"] > 500
    assert happened["full"] > 100


def test_equals_plain_loops_without_caps_for_several_at_once() -> None:
    views = house_episode(3, 20, SMALL)
    config = MemoryConfig(dedup_voxel_m=0.0, match_far_m=2.0)  # less far than it culls
    happened = run_against_reference(views, SMALL, config, ProbeLevels, look_every=4)
    assert happened["joined"] > 100
    assert happened["dropped"] == happened["full"] == 0


def test_equals_plain_loops_where_every_limit_is_reached() -> None:
    views = box_episode(2, 40, ODD_CAMERA)
    happened = run_against_reference(views, ODD_CAMERA, TIGHT, ProbeLevels, look_every=1)
    assert happened["full"] > 20
    assert happened["dropped"] > 300
    assert happened["died"] > 30
    assert happened["joined"] > 30
    assert happened["most instances"] > TIGHT.max_instances


@pytest.mark.slow
@pytest.mark.parametrize(
    ("max_patches", "dedup_voxel_m", "make_levels"),
    [
        (32768, 0.0, MeanLevels),
        (32768, 0.25, ProbeLevels),
        (2500, 0.0, ProbeLevels),
        (2500, 0.25, MeanLevels),
    ],
)
def test_equals_plain_loops_over_long_episodes(
    max_patches: int, dedup_voxel_m: float, make_levels: Callable[[int], Levels]
) -> None:
    camera = Camera(width=96, height=96)
    config = MemoryConfig(max_patches=max_patches, dedup_voxel_m=dedup_voxel_m)
    happened = run_against_reference(
        house_episode(4, 200, camera), camera, config, make_levels, look_every=10
    )
    assert happened["joined"] > 2000


# ---- properties ----


def sorted_by_id(snapshot: MemorySnapshot) -> MemorySnapshot:
    return permuted(snapshot, snapshot.patch_id.argsort())


def permuted(snapshot: MemorySnapshot, rows: torch.Tensor) -> MemorySnapshot:
    columns = ("features", "direction_rad", "scale_m", "patch_id", "instance_id")
    own = {name: getattr(snapshot, name)[rows] for name in columns}
    return replace(snapshot, xyz_m=snapshot.xyz_m[:, rows], **own)


def assert_same_snapshots(one: MemorySnapshot, two: MemorySnapshot, atol: float = 0.0) -> None:
    one, two = sorted_by_id(one), sorted_by_id(two)
    for field in fields(one):
        a, b = getattr(one, field.name), getattr(two, field.name)
        if isinstance(a, torch.Tensor) and a.is_floating_point():
            np.testing.assert_allclose(a, b, atol=atol, rtol=0.0, err_msg=field.name)
        elif isinstance(a, torch.Tensor):
            assert torch.equal(a, b), field.name
        else:
            assert a == b, field.name


def assert_same_reads(one: dict[str, np.ndarray], two: dict[str, np.ndarray], atol: float = 0.0) -> None:
    assert one.keys() == two.keys()
    for key in one:
        np.testing.assert_allclose(one[key], two[key], atol=atol, rtol=0.0, err_msg=key)


def test_padding_never_matters() -> None:
    # Beside an old and full memory a young one, an empty one and one that sees no segments: the arrays of a
    # call are as long as the longest needs, and nothing may leak out of what pads the others.
    views = house_episode(3, 20, SMALL)
    dim = views[0].features.shape[-1]
    config = MemoryConfig(max_patches=2000)
    together = TokenMemory(4, dim, config, SMALL)
    alone = [TokenMemory(1, dim, config, SMALL) for _ in range(4)]
    for step, view in enumerate(views):
        active = [0, *([1] if step >= 14 else []), *([2] if step >= 6 else [])]
        if step == 12:
            together.reset([2])
            alone[2].reset()
        features, depth, position_m, heading_rad, segments = view.of(active)
        segments[active.index(2) if 2 in active else 0] *= 2 not in active
        together.update(active, features, depth, position_m, heading_rad, segments)
        for row, agent in enumerate(active):
            own = slice(row, row + 1)
            alone[agent].update(
                [0], features[own], depth[own], position_m[own], heading_rad[own], segments[own]
            )
    poses = np.concatenate([views[-1].position_m, np.zeros((1, 3))]), np.append(views[-1].heading_rad, 0.0)
    batch = together.read(range(4), *poses)
    for agent in range(4):
        assert_same_snapshots(together.snapshot(agent), alone[agent].snapshot(0))
        own = slice(agent, agent + 1)
        single = alone[agent].read([0], poses[0][own], poses[1][own])
        assert_same_reads({key: value[own] for key, value in batch.items()}, single)
    for level in ("patch", "instance", "zone"):
        mask = batch[f"{level}_mask"].astype(bool)
        assert mask[0].any()
        assert not mask[3].any()
        assert not batch[f"{level}_tokens"][~mask].any()
        assert not batch[f"{level}_xyz"][~mask].any()


def test_the_place_of_a_stored_patch_says_nothing() -> None:
    views = house_episode(3, 20, SMALL)
    dim = views[0].features.shape[-1]
    config = MemoryConfig(max_patches=3000)
    memory, other = (TokenMemory(1, dim, config, SMALL, levels=ProbeLevels(dim)) for _ in range(2))
    for view in views[:14]:
        memory.update([0], *view.of([0]))
    snapshot = memory.snapshot(0)
    rows = torch.randperm(len(snapshot.patch_id), generator=torch.Generator().manual_seed(0))
    other.restore(0, permuted(snapshot, rows))
    assert_same_snapshots(other.snapshot(0), snapshot)
    for view in views[14:]:
        pose = view.position_m[:1], view.heading_rad[:1]
        assert_same_reads(memory.read([0], *pose), other.read([0], *pose), atol=ALIKE)
        memory.update([0], *view.of([0]))
        other.update([0], *view.of([0]))
        assert_same_snapshots(memory.snapshot(0), other.snapshot(0), atol=ALIKE)


# One agent at the origin looks along -z at a box that stands two metres away, in a room.
CRATE = ((-0.5, 0.6, -2.6), (0.5, 1.8, -2.0))
SCREEN = ((-1.2, 0.0, -1.3), (1.2, 2.4, -1.2))
HERE = (np.zeros(3), 0.0)
ROOM, CRATE_LABEL, SCREEN_LABEL = 1, 2, 3


def look(memory: TokenMemory | BruteForceMemory, *boxes: tuple) -> None:
    """One view of the room from HERE; the segments and features are those of the true boxes."""
    with_all = BoxWorld(boxes=list(boxes)).depth(HERE[0][None], np.array([HERE[1]]), SMALL)
    labels = np.full((1, 24, 24), ROOM)
    for box, label in ((CRATE, CRATE_LABEL), (SCREEN, SCREEN_LABEL)):
        if box in boxes:
            others = [one for one in boxes if one is not box]
            without = BoxWorld(boxes=others).depth(HERE[0][None], np.array([HERE[1]]), SMALL)
            labels[(with_all < without)[:, 1::2, 1::2]] = label
    features = np.eye(4, dtype=np.float32)[labels]
    if isinstance(memory, TokenMemory):
        memory.update([0], features, with_all, HERE[0][None], np.array([HERE[1]]), labels)
    else:
        memory.update(features[0], with_all[0], *HERE, labels[0])


def kept_of(memory: TokenMemory | BruteForceMemory, label: int) -> tuple[set[int], set[int], int]:
    """Ids of the patches and instances that look like a box; instances of the observation that do."""
    if isinstance(memory, TokenMemory):
        snapshot = memory.snapshot(0)
        patches = snapshot.patch_id[snapshot.features[:, label] == 1.0].tolist()
        instances = snapshot.instance_ids[snapshot.instance_features[:, label] > 0.5].tolist()
        seen = memory.read([0], HERE[0][None], np.array([HERE[1]]))["instance_tokens"][0]
    else:
        patches = [patch.id for patch in memory.patches.values() if patch.feature[label] == 1.0]
        instances = [i for i, one in memory.instances.items() if one.feature[label] > 0.5]
        seen = memory.read(*HERE)["instance_tokens"]
    return set(patches), set(instances), int((seen[:, label] > 0.5).sum())


def both_memories() -> list[TokenMemory | BruteForceMemory]:
    config = MemoryConfig()
    return [TokenMemory(1, 4, config, SMALL), BruteForceMemory(config, SMALL, MeanLevels(4))]


@pytest.mark.parametrize("memory", both_memories(), ids=lambda memory: type(memory).__name__)
def test_what_is_gone_is_forgotten_and_what_is_hidden_is_not(memory: TokenMemory | BruteForceMemory) -> None:
    memory.reset()
    look(memory, CRATE)
    patches, instances, tokens = kept_of(memory, CRATE_LABEL)
    assert len(patches) > 30
    assert len(instances) == tokens == 1

    look(memory, CRATE)  # all of its patches are seen again, and it is the same one
    again, same_instances, _ = kept_of(memory, CRATE_LABEL)
    assert not again & patches
    assert same_instances == instances

    look(memory, CRATE, SCREEN)  # nothing of it is seen
    assert kept_of(memory, CRATE_LABEL) == (again, instances, 1)
    assert len(kept_of(memory, SCREEN_LABEL)[1]) == 1

    look(memory, CRATE)  # the screen is gone, it is still the same one
    assert kept_of(memory, SCREEN_LABEL) == (set(), set(), 0)
    assert kept_of(memory, CRATE_LABEL)[1] == instances

    look(memory)  # one view of its place
    assert kept_of(memory, CRATE_LABEL) == (set(), set(), 0)
    look(memory, CRATE)  # a new one, for all that is known
    assert kept_of(memory, CRATE_LABEL)[1].isdisjoint(instances)
