from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from agents.pretraining.config import WalksConfig
from agents.pretraining.walks import Walks, load_walks, walk_features
from vlnenv import houses
from vlnenv.memory.segmenters import make_segmenter
from vlnenv.memory.segmenters.segmenter import at_patch_centres
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.sim.embree import EmbreeSimulator

CONFIG = WalksConfig(houses=2, steps=12, size=96)


@pytest.fixture
def walks(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Walks:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))
    return load_walks(CONFIG)


def test_views_are_the_simulators(walks: Walks) -> None:
    assert walks.scene_ids == ("houses/train/5000", "houses/train/5001")
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load(walks.scene_ids[1])
    frames = simulator.render(scene, walks.position_m[1], walks.heading_rad[1], walks.camera)
    assert np.array_equal(walks.rgb[1], frames.rgb)
    assert np.abs(walks.depth_m(1, slice(None)) - frames.depth).max() <= 0.00051
    assert np.array_equal(walks.instance[1], at_patch_centres(frames.instance))
    nothing = torch.zeros(12, 24, 24, 0)
    for name in ("patchgraph", "oracle"):
        expected = make_segmenter(name).segment(frames, nothing, walks.camera).numpy()
        assert np.array_equal(walks.segments(1, name), expected)
    with pytest.raises(ValueError, match="sam"):
        walks.segments(1, "sam")


def test_steps_are_the_tasks(walks: Walks) -> None:
    moved_m = np.linalg.norm(np.diff(walks.position_m[..., [0, 2]], axis=1), axis=2)
    turned_rad = np.diff(walks.heading_rad, axis=1)
    assert moved_m.max() <= 0.25 + 1e-6
    turns = np.abs(turned_rad) > 1e-9
    assert np.allclose(np.abs(turned_rad[turns]), math.radians(15.0))
    assert not (turns & (moved_m > 1e-9)).any()
    assert (turns | (moved_m > 1e-9)).all()


def test_a_second_load_reads_the_cache(walks: Walks) -> None:
    before = (walks.folder / "index.json").stat().st_mtime_ns
    again = load_walks(CONFIG)
    assert (again.folder / "index.json").stat().st_mtime_ns == before
    assert again.data_hash == walks.data_hash
    assert load_walks(WalksConfig(houses=2, steps=12, size=96, seed=1)).data_hash != walks.data_hash


def test_features_are_the_encoders(walks: Walks) -> None:
    encoder = SemanticEncoder()
    features = walk_features(walks, encoder)
    scene = houses.load_scene(walks.scene_ids[0])
    bank = encoder.instance_features(scene).numpy()
    expected = np.where((walks.instance[0] > 0)[..., None], bank[walks.instance[0]], 0.0)
    assert np.abs(features[0] - expected).max() < 1e-3
    path = next(walks.folder.glob("features-semantic-*/features.npy"))
    before = path.stat().st_mtime_ns
    walk_features(walks, encoder)
    assert path.stat().st_mtime_ns == before
    walk_features(walks, encoder, "other")
    assert len(list(walks.folder.glob("features-semantic-*"))) == 2


@pytest.mark.parametrize("wrong", [{"houses": 0}, {"size": 100}, {"first": 9999, "houses": 2}])
def test_wrong_settings_are_named(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="got"):
        WalksConfig(**wrong)
