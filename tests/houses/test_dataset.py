from __future__ import annotations

import dataclasses
from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from vlnenv.episodes import Episode, EpisodeDataset, episodes_hash, read_r2r_ce
from vlnenv.episodes.vocabulary import split_words
from vlnenv.houses import SPLITS as NAMES
from vlnenv.houses import dataset as houses_dataset
from vlnenv.houses import house_of, load_episodes, load_scene
from vlnenv.houses.dataset import EPISODES_DIR, NAME, PARAPHRASES, SPLITS, generate_house, save
from vlnenv.houses.instructions import STYLES
from vlnenv.houses.routes.polyline import arc_lengths
from vlnenv.houses.routes.smoothing import WAYPOINTS_M
from vlnenv.sim.camera import Camera, quaternion_to_heading
from vlnenv.sim.embree import EmbreeSimulator

HASHES = {
    "r2r": {
        "train": "1ef08eeed1585666",
        "train_large": "04b0b7c3a19c814c",
        "val_seen": "90a9cfd44975509a",
        "val_unseen": "53bc1b44e5e5f114",
        "test": "ea046a7dcbe76870",
    },
    "reverie": {
        "train": "8c25cc372d29cba9",
        "val_seen": "fbbe5b799d5bb65d",
        "val_unseen": "b0887b1b5e6302a2",
        "test": "3b1f43ff38c75214",
    },
    "navrag": {
        "train": "7f1d33c381d0bef5",
        "val_seen": "de8f459b8710b751",
        "val_unseen": "dd20e0470cc46999",
        "test": "00da4946f1c97f30",
    },
}
"""Of the shipped files, style by style: what `python -m vlnenv.houses.dataset` prints."""
MAX_BYTES = 5_000_000
SPLITS_AND_STYLES = [(name, style) for name, split in SPLITS.items() for style in split.styles]
FULL = [name for name, split in SPLITS.items() if split.has_rollouts]
"""Splits in all styles, with rollouts."""


def routes_of(dataset: EpisodeDataset) -> dict[str, list[Episode]]:
    """The paraphrases of each route."""
    routes = defaultdict(list)
    for episode in dataset:
        routes[episode.trajectory_id].append(episode)
    return routes


def walked(episode: Episode) -> tuple:
    """All but the words and their id."""
    return dataclasses.replace(episode, episode_id="", instruction="")


@pytest.mark.parametrize(("split", "style"), SPLITS_AND_STYLES)
def test_a_split_is_what_it_says(split: str, style: str):
    dataset, spec = load_episodes(split, style), SPLITS[split]
    assert dataset.name == (NAME if style == "r2r" else f"{NAME}-{style}")
    assert len(dataset) == spec.houses * spec.routes_per_house * PARAPHRASES
    assert {each.scene_id for each in dataset} == {
        f"houses/{spec.group}/{number:04d}" for number in spec.numbers
    }
    for paraphrases in routes_of(dataset).values():
        assert len(paraphrases) == len({each.instruction for each in paraphrases}) == PARAPHRASES
        assert len({repr(walked(each)) for each in paraphrases}) == 1
    assert dataset.hash == HASHES[style][split]


def test_the_splits_are_large_enough():
    assert tuple(SPLITS) == NAMES
    assert SPLITS["train"].houses >= 200
    assert len(load_episodes("train")) >= 8000
    assert SPLITS["val_unseen"].houses >= 30
    assert len(load_episodes("val_unseen")) >= 600
    assert sum(path.stat().st_size for path in EPISODES_DIR.rglob("*.json.gz")) <= MAX_BYTES


def test_splits_are_disjoint():
    train, large, seen, unseen, test = (load_episodes(split) for split in SPLITS)
    scenes = [{each.scene_id for each in dataset} for dataset in (train, large, unseen, test)]
    assert len(set.union(*scenes)) == sum(map(len, scenes))
    assert {e.scene_id for e in seen} <= scenes[0]
    ids = [e.episode_id for dataset in (train, large, seen, unseen, test) for e in dataset]
    assert len(ids) == len(set(ids))
    ways = {(e.scene_id, e.start_position_m, e.goal_position_m) for e in train}
    assert not ways & {(e.scene_id, e.start_position_m, e.goal_position_m) for e in seen}


@pytest.mark.parametrize("split", FULL)
def test_styles_tell_the_same_routes(split: str):
    r2r = load_episodes(split)
    for style in STYLES[1:]:
        other = load_episodes(split, style)
        assert [e.episode_id for e in other] == [e.episode_id for e in r2r]
        for a, b in zip(r2r.episodes[::7], other.episodes[::7], strict=True):
            assert walked(a) == walked(b)
            assert a.instruction != b.instruction


@pytest.mark.parametrize("split", FULL)
def test_routes_and_ground_truth(split: str):
    spl = []
    for episode in load_episodes(split).episodes[::PARAPHRASES]:
        assert 5.0 <= episode.geodesic_distance_m <= 20.0
        points = np.array(episode.gt_locations_m)
        assert points[0].tolist() == list(episode.start_position_m)
        assert len(points) == episode.gt_actions.count(1) + 1
        assert episode.gt_actions[-1] == 0
        assert len(episode.gt_actions) <= 200
        assert np.linalg.norm(points[-1] - episode.goal_position_m) <= 0.3
        spl.append(episode.geodesic_distance_m / max(arc_lengths(points)[-1], episode.geodesic_distance_m))
        reference = np.array(episode.reference_path_m)
        assert np.linalg.norm(np.diff(reference, axis=0), axis=1).max() <= WAYPOINTS_M + 0.01
        assert reference[0].tolist() == list(episode.start_position_m)
        assert reference[-1].tolist() == list(episode.goal_position_m)
        notch = np.degrees(quaternion_to_heading(np.array(episode.start_rotation_xyzw))) / 15.0
        assert abs(notch - round(notch)) < 1e-4
    assert min(spl) >= 0.949
    assert np.mean(spl) >= 0.97


@pytest.mark.parametrize("split", FULL)
def test_routes_lead_from_room_to_room(split: str):
    episodes = load_episodes(split).episodes
    for episode in episodes[:: len(episodes) // 12]:
        house = house_of(episode.scene_id)
        rooms = [house.room_at(x, z, y) for x, y, z in episode.gt_locations_m]
        x, y, z = episode.goal_position_m
        assert -1 not in rooms
        assert rooms[0] != house.room_at(x, z, y)
        target = next(p for p in house.furniture if p.name == episode.extra["info"]["goal_object"])
        assert target.category == episode.extra["info"]["goal_category"]
        assert target.room == house.room_at(x, z, y)


@pytest.mark.parametrize(("split", "style"), SPLITS_AND_STYLES)
def test_words(split: str, style: str):
    dataset = load_episodes(split, style)
    vocabulary = set(dataset.vocabulary)
    for episode in dataset:
        text = episode.instruction
        assert text.isascii()
        assert text[0].isupper()
        assert text[-1] in ".?!"
        words = split_words(text)
        assert 4 <= len(words) <= 80
        assert set(words) <= vocabulary
        assert all(a != b for a, b in pairwise(words))


def test_the_goal_object_is_in_sight():
    simulator = EmbreeSimulator(load_scene=load_scene)
    for episode in load_episodes("val_unseen").episodes[:: 10 * PARAPHRASES]:
        scene = simulator.load(episode.scene_id)
        goal = next(i for i in scene.instances if i.name == episode.extra["info"]["goal_object"])
        position = np.array([episode.goal_position_m])
        step = np.mean(goal.bounds_m, axis=0) - position[0]
        heading = np.array([np.arctan2(-step[0], -step[2])])
        frames = simulator.render(scene, position, heading, Camera(128, 128, 90.0), ("instance",))
        assert (frames.instance == goal.id).mean() > 0.005


@pytest.mark.parametrize(("split", "number"), [("val_unseen", 0), ("train", 7), ("train_large", 899)])
def test_generation_gives_the_shipped_episodes(split: str, number: int):
    made = generate_house(split, number)
    scene_id = f"houses/{SPLITS[split].group}/{number:04d}"
    assert list(made.episodes) == list(SPLITS[split].styles)
    for style, episodes in made.episodes.items():
        kept = [e for e in load_episodes(split, style) if e.scene_id == scene_id]
        if not SPLITS[split].has_rollouts:
            episodes = [dataclasses.replace(e, gt_locations_m=(), gt_actions=()) for e in episodes]
        assert episodes_hash(episodes) == episodes_hash(kept)


@pytest.mark.slow
@pytest.mark.parametrize("split", FULL)
def test_generation_gives_the_shipped_files(split: str, tmp_path):
    datasets, _ = houses_dataset.generate(split, jobs=2)
    for style in STYLES:
        path = save(datasets[style], style, tmp_path)
        assert path.read_bytes() == (EPISODES_DIR / style / path.name).read_bytes()
    rollouts = f"r2r/{split}_gt.json.gz"
    assert (tmp_path / rollouts).read_bytes() == (EPISODES_DIR / rollouts).read_bytes()


def test_processes_do_not_change_what_is_made(tmp_path, monkeypatch):
    one, rejections = houses_dataset.generate("val_unseen", [1, 2])
    two, _ = houses_dataset.generate("val_unseen", [1, 2], jobs=2)
    assert one == two
    assert rejections.total() > 0
    for style in STYLES:
        save(one[style], style, tmp_path)
    monkeypatch.setattr(houses_dataset, "EPISODES_DIR", tmp_path)
    for style in STYLES:
        again = houses_dataset._load.__wrapped__("val_unseen", style)
        assert again.episodes == one[style].episodes
        assert again.vocabulary == one[style].vocabulary
        assert (tmp_path / style / "val_unseen_gt.json.gz").exists() == (style == "r2r")


def test_missing_files_say_how_to_make_them(tmp_path, monkeypatch):
    monkeypatch.setattr(houses_dataset, "EPISODES_DIR", tmp_path)
    with pytest.raises(FileNotFoundError, match=r"python -m vlnenv\.houses\.dataset"):
        houses_dataset._load.__wrapped__("val_unseen", "r2r")


def test_unknown_names_are_answered():
    with pytest.raises(ValueError, match="val_unseen"):
        load_episodes("val_unsean")
    with pytest.raises(ValueError, match="reverie"):
        load_episodes("train", "revery")
    with pytest.raises(ValueError, match=r"style of instructions of 'train_large'.*r2r"):
        load_episodes("train_large", "reverie")
    with pytest.raises(ValueError, match="houses 0 to 39"):
        generate_house("val_unseen", 40)
    with pytest.raises(ValueError, match="houses 200 to 899"):
        generate_house("train_large", 199)


def test_the_format_is_read_by_its_own_reader():
    dataset = load_episodes("val_unseen")
    again = read_r2r_ce(EPISODES_DIR / "r2r" / "val_unseen.json.gz", name=dataset.name)
    assert again.episodes == dataset.episodes
    assert again.vocabulary == dataset.vocabulary
