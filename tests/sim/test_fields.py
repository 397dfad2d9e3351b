import numpy as np
import pytest

from tests.sim.rooms import room, write
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.fields import face_hints, navigation_field
from vlnenv.sim.loading import load_scene
from vlnenv.sim.simulator import AgentBody

BEYOND = np.array([2.5, 0.0, 3.6])
"""Behind the table, seen from `START`."""
START = np.array([[2.5, 0.0, 0.4]])


@pytest.fixture
def scene(tmp_path, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path / "cache"))
    return load_scene(write(room(), tmp_path / "room.glb"))


def table_of(scene):
    return next(i.id for i in scene.instances if i.category == "coffee table")


def test_hints_follow_the_names(scene):
    hints = face_hints(scene, scene.face_instance)
    assert hints.dtype == np.int8
    expected = {"floor": 1, "wall": -1, "coffee table": -1, "ceiling": -1}
    for instance in scene.instances:
        if instance.category in expected:
            assert (hints[scene.face_instance == instance.id] == expected[instance.category]).all()


def test_simulator_walks_on_the_field(scene):
    sim = EmbreeSimulator()
    assert sim.is_navigable(scene, START).all()
    assert not sim.is_navigable(scene, np.array([[2.5, 0.4, 2.0]])).any()
    around = sim.geodesic(scene, START, BEYOND)[0]
    assert 3.25 < around < 4.2
    path = sim.path(scene, START[0], BEYOND)
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).sum() == pytest.approx(around, rel=0.05)
    moved, collided = sim.move(scene, START, np.array([np.pi]), 3.0, sliding=False)
    assert collided.all()
    assert moved[0, 2] < 1.7
    points = sim.sample(scene, np.random.default_rng(0), 20)
    assert sim.is_navigable(scene, points).all()
    np.testing.assert_allclose(sim.snap(scene, points), points, atol=1e-6)


def test_field_follows_edits(scene):
    sim = EmbreeSimulator()
    before = sim.geodesic(scene, START, BEYOND)[0]
    # The box stays in the air above, out of the way of nobody: it goes too.
    box = next(i.id for i in scene.instances if i.category == "box")
    gone = sim.edit(sim.edit(scene, table_of(scene), None), box, None)
    assert sim.geodesic(gone, START, BEYOND)[0] == pytest.approx(3.2, abs=0.05)
    aside = np.eye(4)
    aside[:3, 3] = 1.6, 0.0, 0.0
    moved = sim.edit(sim.edit(scene, table_of(scene), aside), box, None)
    assert sim.geodesic(moved, START, BEYOND)[0] == pytest.approx(3.2, abs=0.05)
    assert not sim.is_navigable(moved, np.array([[4.1, 0.0, 2.0]])).any()
    small = np.diag([0.1, 0.1, 0.1, 1.0])
    small[:3, 3] = 0.8, 0.0, 3.0
    added = sim.add(scene, scene, small)
    point = np.array([[1.05, 0.0, 3.2]])
    assert sim.is_navigable(scene, point).all()
    assert not sim.is_navigable(added, point).any()
    assert sim.geodesic(scene, START, BEYOND)[0] == before


def test_equal_scenes_share_a_field(scene, tmp_path):
    body = AgentBody()
    field = navigation_field(scene, body)
    assert navigation_field(load_scene(tmp_path / "room.glb"), AgentBody()) is field
    assert navigation_field(scene, AgentBody(radius_m=0.3)) is not field
    sim = EmbreeSimulator()
    one, other = (sim.edit(scene, table_of(scene), None) for _ in range(2))
    assert navigation_field(one, body) is navigation_field(other, body)


def test_field_comes_from_the_disk_and_a_damaged_file_is_made_again(scene, tmp_path, monkeypatch):
    from vlnenv.sim import fields
    from vlnenv.sim.navigation.field import NavigationField

    def forget():
        for kept in (fields._by_scene, fields._by_key, fields._recent):
            kept.clear()

    forget()
    body = AgentBody()
    expected = navigation_field(scene, body).geodesic(START, BEYOND)
    (cached,) = (tmp_path / "cache" / "navigation").glob("*.npz")
    with monkeypatch.context() as patch:
        patch.setattr(NavigationField, "build", None)
        forget()
        np.testing.assert_array_equal(navigation_field(scene, body).geodesic(START, BEYOND), expected)
    content = cached.read_bytes()
    for damaged in (content[: len(content) // 2], b""):
        cached.write_bytes(damaged)
        forget()
        with pytest.warns(UserWarning, match="made again"):
            np.testing.assert_array_equal(navigation_field(scene, body).geodesic(START, BEYOND), expected)
        assert len(cached.read_bytes()) == len(content)
    np.savez(cached, version=np.array(-1))
    forget()
    with pytest.warns(UserWarning, match="made again"):
        navigation_field(scene, body)
