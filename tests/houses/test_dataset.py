from __future__ import annotations

import dataclasses
from itertools import pairwise

import numpy as np
import pytest

from vlnenv.episodes import episodes_hash, read_r2r_ce, write_r2r_ce
from vlnenv.houses import house_of, load_episodes, load_scene
from vlnenv.houses.dataset import EPISODES_DIR, SPLITS, generate, generate_house, words_of
from vlnenv.sim.camera import Camera, quaternion_to_heading
from vlnenv.sim.embree import EmbreeSimulator

HASHES = {"train": "839feeffb847e77e", "val_seen": "6c6b7cfa69035b04", "val_unseen": "212dfc5fe40112da"}


@pytest.mark.parametrize("split", list(SPLITS))
def test_a_split_is_what_it_says(split: str):
    dataset, spec = load_episodes(split), SPLITS[split]
    assert len(dataset) == spec.houses * spec.episodes_per_house
    assert len({each.scene_id for each in dataset}) == spec.houses
    assert all(each.scene_id.startswith(f"houses/{spec.group}/") for each in dataset)
    assert dataset.hash == HASHES[split]
    assert len({each.instruction for each in dataset}) > 0.99 * len(dataset)


def test_splits_are_disjoint():
    train, seen, unseen = (load_episodes(split) for split in ("train", "val_seen", "val_unseen"))
    assert not {e.scene_id for e in train} & {e.scene_id for e in unseen}
    assert {e.scene_id for e in seen} <= {e.scene_id for e in train}
    ids = [e.episode_id for dataset in (train, seen, unseen) for e in dataset]
    assert len(ids) == len(set(ids))
    ways = [(e.scene_id, e.start_position_m, e.goal_position_m) for dataset in (train, seen) for e in dataset]
    assert len(ways) == len(set(ways))


@pytest.mark.parametrize("split", list(SPLITS))
def test_routes_and_words(split: str):
    dataset = load_episodes(split)
    vocabulary = set(dataset.vocabulary)
    for episode in dataset:
        house = house_of(episode.scene_id)
        assert 5.0 <= episode.geodesic_distance_m <= 20.0
        points = np.array(episode.gt_locations_m)
        rooms = [house.room_at(x, z) for x, _, z in points]
        assert rooms[0] != house.room_at(episode.goal_position_m[0], episode.goal_position_m[2])
        assert -1 not in rooms
        assert points[0].tolist() == list(episode.start_position_m)
        assert len(points) == episode.gt_actions.count(1) + 1
        assert episode.gt_actions[-1] == 0
        assert len(episode.gt_actions) <= 200
        assert np.linalg.norm(points[-1] - episode.goal_position_m) <= 0.3
        walked = np.linalg.norm(np.diff(points, axis=0), axis=1).sum()
        assert episode.geodesic_distance_m / max(walked, episode.geodesic_distance_m) >= 0.97
        reference = np.array(episode.reference_path_m)
        assert np.linalg.norm(np.diff(reference, axis=0), axis=1).max() <= 2.51
        assert reference[0].tolist() == list(episode.start_position_m)
        assert reference[-1].tolist() == list(episode.goal_position_m)
        notch = np.degrees(quaternion_to_heading(np.array(episode.start_rotation_xyzw))) / 15.0
        assert abs(notch - round(notch)) < 1e-4

        text = episode.instruction
        assert text.isascii()
        assert 10 <= len(text.split()) <= 45
        assert text.endswith(".")
        assert all(sentence[0].isupper() for sentence in text[:-1].split(". "))
        words = words_of(text)
        assert set(words) <= vocabulary
        assert all(a != b for a, b in pairwise(words))
        assert not {"a", "an"} & set(words) or "a left" in text or "a right" in text
        goal = next(p for p in house.furniture if p.name == episode.extra["info"]["goal_object"])
        assert goal.category in text[text.rindex(".", 0, -1) + 1 if "." in text[:-1] else 0 :] or (
            goal.category in text.split(". ")[-2]
        )
        # The goal is nearer to its landmark than to anything else of the kind.
        x, z = 100 * episode.goal_position_m[0], 100 * episode.goal_position_m[2]

        def gap(p, x=x, z=z):
            return np.hypot(max(p.rect.x0 - x, x - p.rect.x1, 0), max(p.rect.z0 - z, z - p.rect.z1, 0))

        assert gap(goal) <= 150
        assert min((p for p in house.furniture if p.category == goal.category), key=gap) is goal


def test_the_goal_object_is_in_sight():
    simulator = EmbreeSimulator(load_scene=load_scene)
    camera = Camera(128, 128, 90.0)
    for episode in load_episodes("val_unseen").episodes[::9]:
        scene = simulator.load(episode.scene_id)
        goal = next(i for i in scene.instances if i.name == episode.extra["info"]["goal_object"])
        position = np.array([episode.goal_position_m])
        step = np.mean(goal.bounds_m, axis=0) - position[0]
        heading = np.array([np.arctan2(-step[0], -step[2])])
        frames = simulator.render(scene, position, heading, camera, ("instance",))
        assert (frames.instance == goal.id).mean() > 0.005


def test_generation_gives_the_shipped_episodes():
    shipped = load_episodes("val_unseen")
    simulator = EmbreeSimulator(load_scene=load_scene)
    for number in (0, 7):
        made = generate_house("val_unseen", number, simulator)
        assert made == generate_house("val_unseen", number, simulator)
        kept = [e for e in shipped if e.scene_id == f"houses/val_unseen/{number:04d}"]
        assert episodes_hash(made) == episodes_hash(kept)


@pytest.mark.slow
@pytest.mark.parametrize("split", list(SPLITS))
def test_generation_gives_the_shipped_files(split: str, tmp_path):
    write_r2r_ce(generate(split), tmp_path / f"{split}.json.gz")
    for name in (f"{split}.json.gz", f"{split}_gt.json.gz"):
        assert (tmp_path / name).read_bytes() == (EPISODES_DIR / name).read_bytes()


def test_round_trip(tmp_path):
    dataset = load_episodes("val_unseen")
    write_r2r_ce(dataset, tmp_path / "val_unseen.json.gz")
    again = read_r2r_ce(tmp_path / "val_unseen.json.gz", name=dataset.name, split=dataset.split)
    assert again.episodes == dataset.episodes
    assert again.vocabulary == dataset.vocabulary
    assert dataclasses.replace(again, episodes=again.episodes[:3], hash="").hash != dataset.hash


def test_an_unknown_split_is_named():
    with pytest.raises(ValueError, match="val_unseen"):
        load_episodes("val_unsean")
