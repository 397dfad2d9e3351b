from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from agents.pretraining.augmentation import AugmentationConfig, augmented_batch, plain_batch
from agents.pretraining.encoder import (
    EncoderTraining,
    EncoderTrainingConfig,
    Targets,
    subspace_loss,
    train_encoder,
)
from agents.pretraining.views import Views, ViewsConfig, load_views
from tests.small_houses import with_houses
from vlnenv import houses
from vlnenv.memory.mini import MiniEncoder
from vlnenv.memory.mini_network import MiniNetworkConfig, cell_rays, geometry_channels
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.memory.text_table import load_text_table
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator

VIEWS = ViewsConfig(houses=3, views_per_house=6)
SMALL = MiniNetworkConfig(widths=(8, 16, 16, 16), blocks=(0, 1, 1, 1))


@pytest.fixture(autouse=True)
def _small_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(cache))


@pytest.fixture
def config(tmp_path: Path) -> EncoderTrainingConfig:
    return EncoderTrainingConfig(
        out=str(tmp_path / "mini"),
        views=VIEWS,
        validation_houses=1,
        network=SMALL,
        updates=4,
        batch_size=5,
        eval_every=2,
    )


def arrays(views: Views) -> dict[str, np.ndarray]:
    return {name: value for name, value in vars(views).items() if isinstance(value, np.ndarray)}


def test_views_are_the_simulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    views = load_views(VIEWS)
    assert len(views) == 18
    assert not views.rgb.flags.writeable
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load(views.scene_ids[views.scene[7]])
    assert scene.id == "houses/train/0001"
    assert simulator.is_navigable(scene, views.position_m[6:12]).all()
    frames = simulator.render(scene, views.position_m[7:8], views.heading_rad[7:8], Camera(192, 192))
    assert frames.rgb is not None
    assert frames.depth is not None
    assert frames.instance is not None
    assert np.array_equal(frames.rgb[0], views.rgb[7])
    assert np.array_equal(frames.instance[0], views.instance[7])
    assert np.abs(frames.depth[0] - views.depth_mm[7] / 1000.0).max() <= 0.00051
    monkeypatch.setenv("VLNENV_CACHE", str(with_houses(tmp_path)))
    again = load_views(VIEWS)
    for name, value in arrays(again).items():
        assert np.array_equal(value, arrays(views)[name]), name
    assert again.data_hash == views.data_hash
    assert load_views(dataclasses.replace(VIEWS, houses=1, seed=1)).data_hash != views.data_hash


def test_targets_are_what_the_semantic_encoder_tells() -> None:
    views = load_views(VIEWS)
    targets = Targets(views, load_text_table())
    scene = houses.load_scene(views.scene_ids[1])
    expected = SemanticEncoder().instance_features(scene)
    ids = torch.tensor([each.id for each in scene.instances])
    category, phrase = targets.rows(torch.tensor([1]), ids[None])
    torch.testing.assert_close(targets.phrase_features[phrase[0]], expected[ids])
    assert [targets.categories[row] for row in category[0]] == [each.category for each in scene.instances]
    assert targets.rows(torch.tensor([0]), torch.zeros(1, 1, dtype=torch.int64))[0].item() == -1


def test_plain_views_are_what_the_encoder_reads() -> None:
    views = load_views(VIEWS)
    batch = plain_batch(views, np.arange(4))
    np.testing.assert_allclose(batch.rgb.permute(0, 2, 3, 1).numpy() * 255.0, views.rgb[:4], atol=1e-3)
    np.testing.assert_allclose(batch.depth_m.numpy(), views.depth_mm[:4] / 1000.0, atol=1e-6)
    torch.testing.assert_close(batch.rays, cell_rays(Camera(192, 192)).repeat(4, 1, 1, 1), atol=1e-6, rtol=0)
    assert torch.equal(batch.height_m, torch.full((4,), 1.25))
    assert np.array_equal(batch.instance, views.instance[:4, 4::8, 4::8])
    assert batch.true_colors.all()


def test_crops_and_mirrors_keep_the_geometry() -> None:
    views = load_views(VIEWS)
    rows = np.arange(len(views))
    moved = AugmentationConfig(mirror=1.0, zoom=1.0, camera=0, depth_noise=0, depth_holes=0)
    batch = augmented_batch(views, rows, moved, np.random.default_rng(3))
    geometry, _ = geometry_channels(batch.depth_m, batch.rays, batch.height_m, 10.0)
    floors = {
        (scene, each.id)
        for scene, group in enumerate(views.instances)
        for each in group
        if each.category == "floor"
    }
    is_floor = torch.tensor(
        [
            [[(int(scene), int(number)) in floors for number in line] for line in image]
            for scene, image in zip(batch.scene, batch.instance, strict=True)
        ]
    )
    height, up = geometry[:, 2, 1::2, 1::2], geometry[:, 4, 1::2, 1::2]
    assert is_floor.sum() > 50
    assert float(height[is_floor].median().abs()) < 0.02
    assert float(up[is_floor].median()) > 0.98


def test_augmentation_follows_the_seed_and_stays_in_range() -> None:
    views = load_views(VIEWS)
    rows = np.arange(len(views))
    one, same, other = (
        augmented_batch(views, rows, AugmentationConfig(), np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    for name, value in vars(one).items():
        assert torch.equal(value, getattr(same, name)), name
    assert not torch.equal(one.rgb, other.rgb)
    assert 0.0 <= float(one.rgb.min()) <= float(one.rgb.max()) <= 1.0
    assert not one.true_colors.all()
    assert one.true_colors.any()


def test_the_subspace_loss_looks_at_differences_within_a_view() -> None:
    torch.manual_seed(0)
    targets, weight = torch.randn(2, 9, 4), torch.ones(2, 9)
    assert float(subspace_loss(targets, targets, weight)) == pytest.approx(0.0, abs=1e-6)
    shifted = 3.0 * targets + torch.randn(2, 1, 4)
    assert float(subspace_loss(shifted, targets, weight)) == pytest.approx(0.0, abs=1e-6)
    assert float(subspace_loss(-targets, targets, weight)) == pytest.approx(2.0, abs=1e-6)
    weight[:, 0] = 0.0
    padded = targets.clone()
    padded[:, 0] = 100.0
    assert float(subspace_loss(padded, targets, weight)) == pytest.approx(0.0, abs=1e-6)
    assert float(subspace_loss(targets, torch.ones(2, 9, 4), weight)) == 0.0, "a view of one thing"


def test_each_loss_can_be_switched_off(config: EncoderTrainingConfig) -> None:
    views = load_views(VIEWS)
    silent = dataclasses.replace(config, cosine_loss=0.0, category_loss=0.0, subspace_loss=0.0)
    for term in ("cosine", "category", "subspace"):
        change: dict[str, Any] = {f"{term}_loss": 2.0}
        run = EncoderTraining(dataclasses.replace(silent, **change), views)
        losses = run.step()
        assert losses["loss"] == pytest.approx(2.0 * losses[term], rel=1e-5)


def test_a_resumed_run_gives_the_same_weights(config: EncoderTrainingConfig, tmp_path: Path) -> None:
    whole = train_encoder(config)
    cut = dataclasses.replace(config, out=str(tmp_path / "cut"))
    views = load_views(VIEWS)
    run = EncoderTraining(cut, views)
    run.step()
    run.step()
    run.save(Path(cut.out) / "state.safetensors")
    again = load_file(train_encoder(cut))
    for name, value in load_file(whole).items():
        assert torch.equal(value, again[name]), name
    curve = [json.loads(line) for line in (Path(config.out) / "curve.jsonl").read_text().splitlines()]
    assert [point["update"] for point in curve] == [2, 4]
    assert MiniEncoder(weights=whole).dim == 64
    with pytest.raises(ValueError, match="learning_rate"):
        train_encoder(dataclasses.replace(config, learning_rate=1.0))


def test_training_learns(config: EncoderTrainingConfig) -> None:
    run = EncoderTraining(dataclasses.replace(config, updates=25), load_views(VIEWS))
    losses = [run.step()["loss"] for _ in range(25)]
    assert np.mean(losses[-5:]) < 0.85 * np.mean(losses[:5])
    assert 0.0 <= run.validate()["macro_accuracy"] <= run.validate()["accuracy"] <= 1.0


@pytest.mark.parametrize(
    "change", [{"updates": 0}, {"validation_houses": 3}, {"views": dataclasses.replace(VIEWS, size=96)}]
)
def test_settings_that_cannot_be_are_refused(config: EncoderTrainingConfig, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        dataclasses.replace(config, **change)
    wrong: dict[str, Any]
    for wrong in ({"houses": 0}, {"size": 100}, {"aimed": 2.0}):
        with pytest.raises(ValueError):
            ViewsConfig(**wrong)
