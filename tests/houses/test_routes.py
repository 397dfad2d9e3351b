from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.shared_data import shared_data
from vlnenv.houses import generate_episodes, load_scene
from vlnenv.houses.landmarks import landmarks_of
from vlnenv.houses.routes import generate_episodes as generate
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.loading import load_scene as load_file


def test_routes_in_a_real_flat():
    simulator = EmbreeSimulator(load_scene=load_file)
    scene = simulator.load(str(shared_data("scenes/aws_small_house.glb")))
    episodes = generate_episodes(simulator, scene, 50, 3)
    assert episodes == generate_episodes(simulator, scene, 50, 3)
    assert episodes != generate_episodes(simulator, scene, 50, 4)
    assert len({e.episode_id for e in episodes}) == 50
    spl = []
    for episode in episodes:
        assert 5.0 <= episode.geodesic_distance_m <= 20.0
        assert episode.instruction.isascii()
        points = np.array(episode.gt_locations_m)
        left = simulator.geodesic(scene, points[-1:], np.array(episode.goal_position_m))[0]
        assert left <= 0.5
        walked = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        spl.append(episode.geodesic_distance_m / max(walked, episode.geodesic_distance_m))
        named = next(i for i in scene.instances if i.name == episode.extra["info"]["goal_object"])
        assert named.category in episode.instruction
    assert np.mean(spl) >= 0.97
    assert min(spl) >= 0.9


def test_rooms_need_not_be_known():
    simulator = EmbreeSimulator(load_scene=load_scene)
    scene = dataclasses.replace(simulator.load("houses/test/0000"), id="elsewhere")
    episodes = generate_episodes(simulator, scene, 5, "x")
    assert all(e.scene_id == "elsewhere" for e in episodes)
    assert not any("bedroom" in e.instruction or "hallway" in e.instruction for e in episodes)


def test_a_scene_without_names_is_refused():
    simulator = EmbreeSimulator(load_scene=load_scene)
    scene = simulator.load("houses/test/0000")
    bare = tuple(i for i in scene.instances if i.category in ("wall", "floor", "ceiling", "door frame"))
    unnamed = dataclasses.replace(scene, id="elsewhere", instances=bare)
    assert landmarks_of(unnamed) == ()
    with pytest.raises(ValueError, match="0 named objects"):
        generate_episodes(simulator, unnamed, 5, 0)


def test_a_place_too_small_says_so():
    simulator = EmbreeSimulator(load_scene=load_scene)
    scene = dataclasses.replace(simulator.load("houses/test/0000"), id="elsewhere")
    with pytest.raises(ValueError, match="found only 0 of 2"):
        generate(simulator, scene, 2, 0, max_length_m=0.5)
