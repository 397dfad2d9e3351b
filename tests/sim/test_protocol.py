"""What every simulator has to do. Runs against Embree, Habitat on a fake habitat-sim (in this process and in
another one), and real habitat-sim where it imports: `python -m pytest tests/sim/test_protocol.py -m habitat`.

VLNENV_HABITAT_PYTHON names another Python that has habitat-sim.
"""

import importlib.util
import math
import os
import pickle

import numpy as np
import pytest

from tests.sim import fake_habitat
from tests.sim.habitat_stand import write_python
from tests.sim.rooms import room, write
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.habitat import HabitatSimulator
from vlnenv.sim.simulator import AgentBody

REAL_PYTHON = os.environ.get("VLNENV_HABITAT_PYTHON")
HAS_REAL = REAL_PYTHON is not None or importlib.util.find_spec("habitat_sim") is not None
DEPTH = Camera(64, 48, 90.0, 1.25, 0.0, 0.0, 10.0)
TABLE = (np.array([1.9, 0.0, 1.7]), np.array([3.1, 0.4, 2.3]))  # of rooms.room

real = pytest.param(
    "habitat",
    marks=[
        pytest.mark.habitat,
        pytest.mark.skipif(not HAS_REAL, reason="needs habitat-sim, which is not here"),
    ],
)


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLNENV_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def room_file(tmp_path_factory):
    return write(room(), tmp_path_factory.mktemp("scenes") / "room.glb")


def make(kind, tmp_path_factory, body=None):
    """A simulator of that kind; for a fake in this process `sys.modules` must hold it."""
    if kind == "embree":
        return EmbreeSimulator(body)
    if kind == "habitat":
        return HabitatSimulator(body, python=REAL_PYTHON)
    if kind == "fake in another process":
        return HabitatSimulator(body, python=write_python(tmp_path_factory.mktemp("other")), gpu_device_id=-1)
    return HabitatSimulator(body, gpu_device_id=-1)


@pytest.fixture(scope="module", params=["embree", "fake", "fake in another process", real])
def sim(request, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "fake":
            patch.setitem(__import__("sys").modules, "habitat_sim", fake_habitat)
        simulator = make(request.param, tmp_path_factory)
        yield simulator
        simulator.close()


@pytest.fixture(scope="module")
def scene(sim, room_file):
    return sim.load(str(room_file))


@pytest.fixture(scope="module")
def points(sim, scene):
    return sim.sample(scene, np.random.default_rng(0), 12)


def at(x, z, heading=0.0):
    return np.array([[x, 0.0, z]]), np.array([heading])


def apart_in_plane(a, b):
    return np.linalg.norm((np.asarray(a) - np.asarray(b))[..., [0, 2]], axis=-1)


def test_a_scene_is_loaded_once(sim, scene, room_file):
    assert sim.load(str(room_file)) is scene
    assert len({instance.id for instance in scene.instances} | {0}) == len(scene.instances) + 1


def test_frames_have_their_shapes_and_types(sim, scene):
    position, heading = np.array([[1.0, 0.0, 1.0], [4.0, 0.0, 3.0]]), np.array([0.3, 2.0])
    frames = sim.render(scene, position, heading, DEPTH)
    assert (frames.rgb.shape, frames.rgb.dtype) == ((2, 48, 64, 3), np.uint8)
    assert (frames.depth.shape, frames.depth.dtype) == ((2, 48, 64), np.float32)
    assert (frames.instance.shape, frames.instance.dtype) == ((2, 48, 64), np.int32)
    for output in ("rgb", "depth", "instance"):
        one = sim.render(scene, position, heading, DEPTH, (output,))
        np.testing.assert_array_equal(getattr(one, output), getattr(frames, output))
        assert [getattr(one, other) is None for other in ("rgb", "depth", "instance")].count(True) == 2
    assert sim.render(scene, position[:0], heading[:0], DEPTH).rgb.shape == (0, 48, 64, 3)


@pytest.mark.parametrize(
    ("heading", "distance"), [(0.0, 1.0), (math.pi / 2, 1.5), (math.pi, 3.0), (-math.pi / 2, 3.5)]
)
def test_depth_is_along_the_axis(sim, scene, heading, distance):
    # The room is 5 x 4 m. A wall fills the picture, and depth along the axis is the same all over it.
    # At 2.2 m the camera looks over the lamp.
    camera = Camera(40, 8, 20.0, 2.2)
    depth = sim.render(scene, *at(1.5, 1.0, heading), camera, ("depth",)).depth[0]
    np.testing.assert_allclose(depth, distance, atol=0.01)


def test_pitch_looks_up_and_heading_turns_left(sim, scene):
    up = sim.render(scene, *at(1.0, 1.0), Camera(9, 9, 20.0, 1.25, 89.9), ("depth",)).depth[0, 4, 4]
    assert up == pytest.approx(2.6 - 1.25, abs=0.01)
    down = sim.render(scene, *at(1.0, 1.0), Camera(9, 9, 20.0, 1.25, -89.9), ("depth",)).depth[0, 4, 4]
    assert down == pytest.approx(1.25, abs=0.01)
    # 0.2 rad to the left of -z, towards the wall at z = 0.
    left = sim.render(scene, *at(2.5, 3.0, 0.2), Camera(9, 9, 5.0, 2.2), ("depth",)).depth[0, 4, 4]
    assert left == pytest.approx(3.0 / math.cos(0.2), abs=0.01)


def test_depth_is_clipped(sim, scene):
    camera = Camera(40, 40, 100.0, 1.25, 0.0, 1.2, 1.5)
    depth = sim.render(scene, *at(1.0, 1.0, math.pi), camera, ("depth",)).depth
    assert depth.min() == np.float32(1.2)
    assert depth.max() == np.float32(1.5)


def test_any_number_of_cameras(sim, scene):
    for pixels in range(1, 20):
        assert sim.render(scene, *at(1.0, 1.0), Camera(pixels, 2), ("depth",)).depth.shape == (1, 2, pixels)


def test_colours_are_the_scenes(sim, scene):
    # Straight down on the brown table.
    rgb = sim.render(scene, *at(2.2, 2.0), Camera(9, 9, 20.0, 1.5, -89.9), ("rgb",)).rgb[0, 4, 4].astype(int)
    assert rgb[0] > rgb[1] > rgb[2]


def test_equal_calls_give_equal_answers(sim, scene, points):
    heading = np.linspace(-3.0, 3.0, len(points))
    first = sim.render(scene, points, heading, DEPTH)
    second = sim.render(scene, points[::-1], heading[::-1], DEPTH)
    for output in ("rgb", "depth", "instance"):
        np.testing.assert_array_equal(getattr(first, output), getattr(second, output)[::-1])
    moves = [sim.move(scene, points, heading, 0.25, sliding=True) for _ in range(2)]
    np.testing.assert_array_equal(moves[0][0], moves[1][0])
    np.testing.assert_array_equal(moves[0][1], moves[1][1])
    np.testing.assert_array_equal(
        sim.geodesic(scene, points, points[0]), sim.geodesic(scene, points, points[0])
    )
    np.testing.assert_array_equal(sim.sample(scene, np.random.default_rng(0), 12), points)


def test_sampled_points_are_navigable_and_spread(sim, scene):
    points = sim.sample(scene, np.random.default_rng(1), 300)
    assert points.shape == (300, 3)
    assert sim.is_navigable(scene, points).mean() > 0.98
    in_room = points[np.abs(points[:, 1]) < 0.3]
    quarters = (in_room[:, 0] > 2.5).astype(int) * 2 + (in_room[:, 2] > 2.0)
    counts = np.bincount(quarters, minlength=4)
    assert counts.min() > 0.6 * counts.mean()


def test_a_free_step_goes_its_way(sim, scene):
    reached, collided = sim.move(scene, *at(1.0, 3.0, 0.0), 0.25)
    np.testing.assert_allclose(reached[0], [1.0, reached[0, 1], 2.75], atol=1e-3)
    assert not collided[0]
    assert abs(reached[0, 1]) < 0.25
    turned, _ = sim.move(scene, *at(1.0, 3.0, math.pi / 2), 0.25)
    np.testing.assert_allclose(turned[0, [0, 2]], [0.75, 3.0], atol=1e-3)


def test_a_wall_stops_and_sliding_goes_along_it(sim, scene):
    # Towards the wall x = 0 at 45 degrees.
    start, heading = at(0.3, 2.0, math.pi / 4)
    slid, slid_collided = sim.move(scene, start, heading, 1.0, sliding=True)
    stopped, stopped_collided = sim.move(scene, start, heading, 1.0, sliding=False)
    assert slid_collided[0]
    assert stopped_collided[0]
    for reached in (slid, stopped):
        assert reached[0, 0] > sim.body.radius_m - 0.06
    assert stopped[0, 2] > 1.7
    assert slid[0, 2] < stopped[0, 2] - 0.2


def test_nothing_walks_through_the_table(sim, scene, points):
    rng = np.random.default_rng(2)
    position, heading = points.copy(), rng.uniform(-3, 3, len(points))
    low, high = TABLE[0][[0, 2]] + 0.02, TABLE[1][[0, 2]] - 0.02
    for step in range(60):
        turned = heading + rng.uniform(-0.5, 0.5, len(points))
        moved, collided = sim.move(scene, position, turned, 0.25, sliding=step % 2 == 0)
        assert np.isfinite(moved).all()
        assert (apart_in_plane(moved, position) < 0.25 + 1e-3).all()
        on_ground = moved[:, 1] < 0.2
        inside = ((moved[:, [0, 2]] > low) & (moved[:, [0, 2]] < high)).all(axis=1)
        assert not (on_ground & inside).any()
        position, heading = moved, np.where(collided, turned + 2.0, turned)


def test_geodesics_are_a_metric(sim, scene, points):
    between = np.stack([sim.geodesic(scene, points, goal) for goal in points])
    np.testing.assert_allclose(between, between.T, rtol=0.02, atol=0.05)
    assert (np.abs(np.diag(between)) < 0.02).all()
    finite = np.where(np.isfinite(between), between, 1e9)
    shortcuts = finite[:, :, None] + finite[None, :, :]
    assert (finite <= shortcuts.min(axis=1) * 1.02 + 0.05).all()
    straight = apart_in_plane(points[:, None], points[None])
    assert (between >= straight * 0.98 - 0.03).all()


def test_the_nearest_of_several_goals_counts(sim, scene, points):
    each = np.stack([sim.geodesic(scene, points, goal) for goal in points[:3]])
    several = sim.geodesic(scene, points, points[:3])
    np.testing.assert_allclose(several, each.min(axis=0), rtol=0.02, atol=0.03)


def test_the_way_round_the_table(sim, scene):
    # From one side of the table to the other: straight through it would be 1.6 m.
    start, goal = np.array([2.5, 0.0, 1.3]), np.array([2.5, 0.0, 2.7])
    length = sim.geodesic(scene, start[None], goal)[0]
    radius = sim.body.radius_m
    corner = math.hypot(0.6 + radius, 0.4 - radius)
    assert length == pytest.approx(2 * corner + 0.6 + 2 * radius, rel=0.05)
    path = sim.path(scene, start, goal)
    np.testing.assert_array_equal(path[[0, -1]], [start, goal])
    walked = np.linalg.norm(np.diff(path, axis=0), axis=1).sum()
    assert walked == pytest.approx(length, rel=0.05)
    assert len(path) >= 3


def test_there_is_no_way_off_the_floor(sim, scene):
    inside, outside = np.array([1.0, 0.0, 1.0]), np.array([-30.0, 0.0, 1.0])
    in_the_air = np.array([1.0, 1.3, 1.0])
    assert np.isinf(sim.geodesic(scene, np.array([outside, in_the_air]), inside)).all()
    assert np.isinf(sim.geodesic(scene, inside[None], outside)).all()
    assert sim.path(scene, inside, outside).shape == (0, 3)
    assert sim.path(scene, outside, inside).shape == (0, 3)


def test_snap_finds_the_nearest_floor(sim, scene, points):
    np.testing.assert_allclose(sim.snap(scene, points), points, atol=0.02)
    aside = sim.snap(scene, np.array([[-0.5, 0.0, 2.0], [-30.0, 0.0, 2.0], [1.0, 0.05, 1.0]]))
    assert 0.0 < aside[0, 0] < 0.3
    assert aside[0, 2] == pytest.approx(2.0, abs=0.1)
    assert np.isnan(aside[1]).all()
    assert apart_in_plane(aside[2], [1.0, 0.0, 1.0]) < 0.01
    assert np.isnan(sim.snap(scene, np.array([[-0.5, 0.0, 2.0]]), max_distance_m=0.3)).all()
    far = sim.snap(scene, np.array([[-5.0, 0.0, 2.0]]), max_distance_m=20.0)[0]
    assert 0.0 < far[0] < 0.3
    assert abs(far[2] - 2.0) < 0.3


def test_what_is_navigable(sim, scene, points):
    assert sim.is_navigable(scene, points).all()
    places = [[2.5, 0.0, 2.0], [-1.0, 0.0, 2.0], [1.0, 1.3, 1.0], [0.02, 0.0, 2.0]]
    assert not sim.is_navigable(scene, np.array(places)).any()


def test_a_picture_from_above(sim, scene):
    picture = sim.top_down(scene, 0.0, 0.02)
    assert picture.rgb.dtype == np.uint8
    column, row = np.round(picture.to_pixel(np.array([2.9, 0.0, 2.2]))).astype(int)
    table = picture.rgb[row, column].astype(int)
    assert table[0] > table[1] > table[2]  # Brown.
    corner = picture.to_pixel(np.array([0.2, 0.0, 0.2]))
    assert (corner > 0).all()
    for wrong in ({"meters_per_pixel": 0.0}, {"cut_m": -1.0}, {"meters_per_pixel": 1e-5}):
        with pytest.raises(ValueError, match="meters_per_pixel"):
            sim.top_down(scene, 0.0, **wrong)


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((2, 2)), np.full((1, 3), np.nan)])
def test_impossible_positions_are_refused(sim, scene, wrong):
    with pytest.raises(ValueError, match="position"):
        sim.geodesic(scene, wrong, np.zeros(3))
    with pytest.raises(ValueError, match="position"):
        sim.snap(scene, wrong)
    with pytest.raises(ValueError, match="position"):
        sim.render(scene, wrong, np.zeros(1), DEPTH)
    with pytest.raises(ValueError, match="position"):
        sim.move(scene, wrong, np.zeros(1), 0.25)
    with pytest.raises(ValueError, match=r"no output 'deth'.*Did you mean 'depth'"):
        sim.render(scene, *at(1.0, 1.0), DEPTH, ("deth",))


def test_it_goes_on_after_close_and_pickle(sim, scene, room_file):
    before = sim.render(scene, *at(1.0, 1.0), DEPTH)
    sim.close()
    sim.close()
    np.testing.assert_array_equal(sim.render(scene, *at(1.0, 1.0), DEPTH).rgb, before.rgb)
    copy = pickle.loads(pickle.dumps(sim))
    np.testing.assert_array_equal(
        copy.render(copy.load(str(room_file)), *at(1.0, 1.0), DEPTH).depth, before.depth
    )
    copy.close()


@pytest.fixture(scope="module", params=["fake", real])
def two(request, tmp_path_factory):
    """Embree and another simulator."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "fake":
            patch.setitem(__import__("sys").modules, "habitat_sim", fake_habitat)
        body = AgentBody(radius_m=0.15)
        pair = EmbreeSimulator(body), make(request.param, tmp_path_factory, body)
        yield pair
        pair[1].close()


@pytest.mark.parametrize("up", ["y", "z"])
def test_one_file_is_one_world_in_all_simulators(two, tmp_path_factory, up):
    file = write(room(up=up), tmp_path_factory.mktemp(up) / f"room_{up}.glb")
    scenes = [sim.load(str(file)) for sim in two]
    points = two[0].sample(scenes[0], np.random.default_rng(3), 10)
    points = points[np.abs(points[:, 1]) < 0.1]
    heading = np.linspace(-3.0, 3.0, len(points))
    frames = [
        sim.render(scene, points, heading, DEPTH, ("depth",)).depth
        for sim, scene in zip(two, scenes, strict=True)
    ]
    # Pixels on outlines may show either side.
    assert (np.abs(frames[0] - frames[1]) < 0.01).mean() > 0.98
    for goal in points:
        first, second = (sim.geodesic(scene, points, goal) for sim, scene in zip(two, scenes, strict=True))
        np.testing.assert_allclose(first, second, rtol=0.03, atol=0.05)
