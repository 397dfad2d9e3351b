import dataclasses
import gc
import pickle
import weakref

import numpy as np
import pytest

from tests.shared_data import shared_data
from tests.sim import brute_force
from tests.sim.rooms import room, write
from vlnenv.sim.camera import Camera
from vlnenv.sim.edits import changed_bounds, current_bounds, current_geometry, fingerprint, without_edits
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.loading import load_scene
from vlnenv.sim.prepared import forget_prepared, prepare
from vlnenv.sim.scene import Instance, Material, Scene


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLNENV_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def sim():
    return EmbreeSimulator()


@pytest.fixture(scope="module")
def room_scene(tmp_path_factory):
    return load_scene(write(room(), tmp_path_factory.mktemp("scenes") / "room.glb"))


def by_category(scene, category):
    return next(i for i in scene.instances if i.category == category)


def shifted(x=0.0, y=0.0, z=0.0, turn=0.0):
    matrix = np.eye(4)
    matrix[0, 0] = matrix[2, 2] = np.cos(turn)
    matrix[0, 2], matrix[2, 0] = np.sin(turn), -np.sin(turn)
    matrix[:3, 3] = x, y, z
    return matrix


def random_views(low, high, count, rng):
    """Cameras of all kinds and poses: 4 poses x 10 x 10 rays each."""
    for _ in range(count):
        camera = Camera(
            10,
            10,
            float(rng.uniform(40, 120)),
            float(rng.uniform(0.3, 1.7)),
            float(rng.uniform(-60, 60)),
            0.0,
            100.0,
        )
        position = np.stack(
            [rng.uniform(low[0], high[0], 4), np.zeros(4), rng.uniform(low[2], high[2], 4)], 1
        )
        yield camera, position, rng.uniform(-4, 4, 4)


def assert_equals_brute_force(sim, scene, views, mesh=None):
    """Depth to 1 mm and instance ids; where two instances meet in the hit, either one will do."""
    vertices, faces, face_instance = current_geometry(scene) if mesh is None else mesh
    corners = vertices[faces].astype(np.float64)
    origins, directions, depths, ids = [], [], [], []
    for camera, position, heading in views:
        frames = sim.render(scene, position, heading, camera, ("depth", "instance"))
        origin, direction = brute_force.camera_rays(position, heading, camera)
        origins.append(origin)
        directions.append(direction)
        depths.append(frames.depth.ravel())
        ids.append(frames.instance.ravel())
    origin, direction = np.concatenate(origins), np.concatenate(directions)
    depth, instance = np.concatenate(depths), np.concatenate(ids)
    t, face = brute_force.cast(origin, direction, corners)
    hit = face >= 0
    np.testing.assert_allclose(depth, np.where(hit, t, 0.0), atol=1e-3)
    expected = np.where(hit, face_instance[face], 0)
    for ray in np.flatnonzero(expected != instance):
        # The other instance must have a face through the very same point.
        own = corners[face_instance == instance[ray]]
        assert len(own), f"ray {ray}: hit {instance[ray]}, expected {expected[ray]}"
        low, high = own.min(axis=1) - 1e-5, own.max(axis=1) + 1e-5
        point = origin[ray] + t[ray] * direction[ray]
        assert ((low <= point) & (point <= high)).all(axis=1).any()
    assert np.mean(expected != instance) < 0.01
    return depth, instance


def test_flat_equals_brute_force(sim):
    scene = sim.load(str(shared_data("scenes/aws_small_house.glb")))
    low, high = scene.bounds_m
    views = list(random_views(low, high, 25, np.random.default_rng(0)))
    _, instance = assert_equals_brute_force(sim, scene, views)
    assert len(np.unique(instance)) > 30


def test_room_equals_brute_force(sim, room_scene):
    low, high = room_scene.bounds_m
    _, instance = assert_equals_brute_force(
        sim, room_scene, random_views(low, high, 25, np.random.default_rng(1))
    )
    assert set(np.unique(instance)) >= {i.id for i in room_scene.instances}


def edited(sim, scene, name):
    table, box = by_category(scene, "coffee table").id, by_category(scene, "box").id
    if name == "moved":
        return sim.edit(scene, table, shifted(0.6, 0.0, 0.4, turn=0.5))
    if name == "lifted a little":
        return sim.edit(scene, table, shifted(0.0, 0.01))
    if name == "removed":
        return sim.edit(scene, table, None)
    if name == "both":
        return sim.edit(sim.edit(scene, table, None), box, shifted(-1.0, -0.4, turn=1.0))
    if name == "walls gone":
        for instance in scene.instances:
            scene = sim.edit(scene, instance.id, None) if instance.category == "wall" else scene
        return scene
    if name == "added":
        return sim.add(scene, scene, shifted(7.0, 0.0, 1.0, turn=0.3))
    added = sim.add(scene, sim.edit(scene, table, shifted(0.3)), np.diag([0.3, 0.3, 0.3, 1.0]))
    return sim.edit(sim.edit(added, added.instances[-1].id, None), box, shifted(0.2, 0.0, 0.1))


@pytest.mark.parametrize(
    "name", ["moved", "lifted a little", "removed", "both", "walls gone", "added", "added small and edited"]
)
def test_edited_room_equals_brute_force_and_a_rebuilt_mesh(sim, room_scene, name):
    scene = edited(sim, room_scene, name)
    vertices, faces, face_instance = current_geometry(scene)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    views = list(random_views(low, high, 25, np.random.default_rng(2)))
    depth, instance = assert_equals_brute_force(sim, scene, views)
    before = [sim.render(room_scene, p, h, c, ("depth",)).depth for c, p, h in views]
    assert not np.allclose(np.concatenate(before).ravel(), depth)

    rebuilt = Scene(
        "rebuilt",
        vertices,
        faces,
        face_instance,
        np.zeros(len(faces), np.int32),
        None,
        None,
        (Material(),),
        (),
    )
    again = [sim.render(rebuilt, p, h, c, ("depth", "instance")) for c, p, h in views]
    np.testing.assert_allclose(np.concatenate([f.depth.ravel() for f in again]), depth, atol=1e-4)
    same = np.concatenate([f.instance.ravel() for f in again]) == instance
    assert same.mean() > 0.99


def test_no_hole_stays_where_surfaces_touched(sim, room_scene):
    # The table's base lies exactly in the floor's plane; looking down, the floor must be there.
    table = by_category(room_scene, "coffee table")
    scene = sim.edit(room_scene, table.id, None)
    scene = sim.edit(scene, by_category(scene, "box").id, None)
    camera = Camera(50, 50, 60.0, 1.5, -89.0)
    frames = sim.render(scene, np.array([[2.5, 0.0, 2.0]]), np.zeros(1), camera)
    assert (frames.instance == by_category(scene, "floor").id).all()


def test_colours_of_moved_and_added_things_go_with_them(sim, room_scene):
    camera = Camera(64, 64, 90.0, 1.0, -20.0)
    box = by_category(room_scene, "box").id
    moved = sim.edit(room_scene, box, shifted(1.0, 0.0, 0.5))
    position = np.array([[2.5, 0.0, 3.2]])
    near = sim.render(room_scene, position, np.zeros(1), camera)
    far = sim.render(moved, np.add(position, [1.0, 0.0, 0.5]), np.zeros(1), camera)
    shown = (near.instance == box) & (far.instance == box)
    assert shown.sum() > 50
    assert (np.abs(near.rgb[shown].astype(int) - far.rgb[shown]) <= 2).mean() > 0.97

    added = sim.add(room_scene, room_scene, shifted(20.0))
    there = sim.render(added, np.add(position, [20.0, 0.0, 0.0]), np.zeros(1), camera)
    assert (np.abs(near.rgb.astype(int) - there.rgb) <= 2).mean() > 0.97
    offset = len(room_scene.instances)
    np.testing.assert_array_equal(
        there.instance[near.instance > 0], near.instance[near.instance > 0] + offset
    )


def test_edits_leave_the_original_and_share_its_arrays(sim, room_scene):
    before = fingerprint(room_scene)
    table = by_category(room_scene, "coffee table")
    moved = sim.edit(room_scene, table.id, shifted(1.0))
    assert fingerprint(room_scene) == before != fingerprint(moved)
    assert moved.vertices_m is room_scene.vertices_m
    assert prepare(moved) is prepare(room_scene)
    assert not room_scene.edits
    back = sim.edit(moved, table.id, np.eye(4))
    assert fingerprint(back) == before
    assert fingerprint(without_edits(moved)) == before
    np.testing.assert_allclose(current_bounds(table, moved), np.add(table.bounds_m, [1.0, 0, 0]))
    assert current_bounds(table, sim.edit(moved, table.id, None)) is None
    assert changed_bounds(moved).shape == (2, 2, 3)
    assert fingerprint(pickle.loads(pickle.dumps(moved))) == fingerprint(moved)


def test_added_instances_get_new_ids_and_names(sim, room_scene):
    added = sim.add(sim.edit(room_scene, 1, None), room_scene, shifted(10.0))
    names = [i.name for i in added.instances]
    assert len(set(names)) == len(names) == 2 * len(room_scene.instances)
    assert [i.id for i in added.instances] == list(range(1, len(names) + 1))
    twice = sim.add(added, added, shifted(0.0, 10.0))
    assert len(twice.instances) == 2 * len(names) - 1  # What was removed is not added.
    with pytest.raises(KeyError, match="no instance 999"):
        sim.edit(twice, 999, None)


@pytest.mark.parametrize(
    "wrong", [np.eye(3), np.zeros((4, 4)), np.full((4, 4), np.nan), np.diag([1.0, 1.0, 1.0, 2.0])]
)
def test_impossible_transforms_are_refused(sim, room_scene, wrong):
    with pytest.raises(ValueError, match="transform"):
        sim.edit(room_scene, 1, wrong)
    with pytest.raises(ValueError, match="transform"):
        sim.add(room_scene, room_scene, wrong)


@pytest.mark.parametrize("name", ["plain", "both", "added"])
def test_n_poses_are_n_calls(sim, room_scene, name):
    scene = room_scene if name == "plain" else edited(sim, room_scene, name)
    rng = np.random.default_rng(3)
    position = np.stack([rng.uniform(0.5, 4.5, 7), np.zeros(7), rng.uniform(0.5, 3.5, 7)], 1)
    heading = rng.uniform(-3, 3, 7)
    camera = Camera(120, 90, 79.0, 0.88, -10.0)  # Casts of 65,536 rays end within pictures.
    batch = sim.render(scene, position, heading, camera)
    for i in range(7):
        single = sim.render(scene, position[i : i + 1], heading[i : i + 1], camera)
        for output in ("rgb", "depth", "instance"):
            np.testing.assert_array_equal(getattr(batch, output)[i], getattr(single, output)[0])


def test_only_what_is_asked_for(sim, room_scene):
    camera = Camera(20, 10)
    everything = sim.render(room_scene, np.array([[1.0, 0, 1.0]]), np.zeros(1), camera)
    assert everything.rgb.shape == (1, 10, 20, 3)
    assert everything.rgb.dtype == np.uint8
    assert (everything.depth.shape, everything.depth.dtype) == ((1, 10, 20), np.float32)
    assert (everything.instance.shape, everything.instance.dtype) == ((1, 10, 20), np.int32)
    for output in ("rgb", "depth", "instance"):
        frames = sim.render(room_scene, np.array([[1.0, 0, 1.0]]), np.zeros(1), camera, (output,))
        for other in ("rgb", "depth", "instance"):
            if other == output:
                np.testing.assert_array_equal(getattr(frames, other), getattr(everything, other))
            else:
                assert getattr(frames, other) is None
    with pytest.raises(ValueError, match=r"no output 'deth'.*Did you mean 'depth'"):
        sim.render(room_scene, np.zeros((1, 3)), np.zeros(1), camera, ("deth",))
    assert sim.render(room_scene, np.zeros((0, 3)), np.zeros(0), camera).rgb.shape == (0, 10, 20, 3)


@pytest.mark.parametrize(
    ("position", "heading"),
    [(np.zeros(3), np.zeros(1)), (np.zeros((2, 3)), np.zeros(1)), (np.full((1, 3), np.nan), np.zeros(1)),
     (np.zeros((1, 3)), np.array([np.inf]))],
)  # fmt: skip
def test_impossible_poses_are_refused(sim, room_scene, position, heading):
    with pytest.raises(ValueError, match="positions"):
        sim.render(room_scene, position, heading, Camera(4, 4))


def test_depth_is_clipped_and_zero_where_nothing_is(sim, room_scene):
    scene = sim.edit(room_scene, by_category(room_scene, "ceiling").id, None)
    camera = Camera(40, 40, 100.0, 1.25, 45.0, 0.5, 1.5)
    frames = sim.render(scene, np.array([[0.3, 0.0, 2.0]]), np.array([1.0]), camera)
    hit = frames.instance > 0
    assert 0 < hit.sum() < hit.size
    assert (frames.depth[~hit] == 0.0).all()
    assert frames.depth[hit].min() == np.float32(0.5)
    assert frames.depth[hit].max() == np.float32(1.5)


def test_render_is_reproducible(room_scene):
    pose = np.array([[1.0, 0, 1.0]]), np.ones(1)
    one = EmbreeSimulator().render(room_scene, *pose, Camera(64, 64))
    forget_prepared()
    copy = dataclasses.replace(room_scene, key="another")
    other = EmbreeSimulator().render(copy, *pose, Camera(64, 64))
    assert one.rgb.tobytes() == other.rgb.tobytes()
    assert one.depth.tobytes() == other.depth.tobytes()


def test_one_scene_is_held_once_and_then_let_go(tmp_path):
    path = str(write(room(width=6.5), tmp_path / "room.glb"))
    sims = [EmbreeSimulator() for _ in range(3)]
    scenes = [sim.load(path) for sim in sims]
    assert scenes[0] is scenes[1] is scenes[2]
    assert pickle.loads(pickle.dumps(sims[0])).load(path) is scenes[0]
    reloaded = pickle.loads(pickle.dumps(scenes[0]))
    assert prepare(reloaded) is prepare(scenes[0])
    alive = weakref.ref(prepare(scenes[0]))
    for simulator in sims:
        simulator.close()
        simulator.close()
    del scenes, reloaded, simulator
    forget_prepared()
    gc.collect()
    assert alive() is None


def test_a_hand_made_scene_without_a_key_renders():
    vertices = np.array([[-1, 0, -2], [1, 0, -2], [0, 2, -2]], dtype=np.float32)
    scene = Scene(
        "triangle", vertices, np.array([[0, 1, 2]], np.int32), np.array([7], np.int32), np.zeros(1, np.int32),
        None, None, (Material(),), (Instance(7, "sail", "sail"),),
    )  # fmt: skip
    sim = EmbreeSimulator(load_scene={"triangle": scene}.__getitem__)
    frames = sim.render(sim.load("triangle"), np.zeros((1, 3)), np.zeros(1), Camera(9, 9))
    assert frames.instance[0, 4, 4] == 7
    assert frames.depth[0, 4, 4] == pytest.approx(2.0)
    gone = sim.render(sim.edit(scene, 7, None), np.zeros((1, 3)), np.zeros(1), Camera(9, 9))
    assert (gone.instance == 0).all()


def test_top_down_shows_rooms_and_edits(sim, room_scene):
    picture = sim.top_down(room_scene, 0.0, 0.02)
    assert picture.meters_per_pixel == 0.02
    column, row = np.round(picture.to_pixel(np.array([2.9, 0.0, 2.2]))).astype(int)
    table = picture.rgb[row, column].astype(int)
    assert table[0] > table[1] > table[2]  # Brown.
    column, row = np.round(picture.to_pixel(np.array([-0.1, 0.0, 2.0]))).astype(int)
    assert picture.rgb[row, column - 3 : column + 4].max(axis=1).min() < 80  # A wall's outline.
    gone = sim.top_down(sim.edit(room_scene, by_category(room_scene, "coffee table").id, None), 0.0, 0.02)
    assert gone.rgb.shape == picture.rgb.shape
    assert (gone.rgb != picture.rgb).any(axis=2).sum() > 500
    np.testing.assert_array_equal(gone.rgb[:50], picture.rgb[:50])
    for wrong in ({"meters_per_pixel": 0.0}, {"cut_m": -1.0}, {"meters_per_pixel": 1e-5}):
        with pytest.raises(ValueError, match="meters_per_pixel"):
            sim.top_down(room_scene, 0.0, **wrong)
