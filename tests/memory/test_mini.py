from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from vlnenv import houses
from vlnenv.memory import make_encoder
from vlnenv.memory.mini import WEIGHTS, MiniEncoder
from vlnenv.memory.mini_network import (
    MiniNetwork,
    MiniNetworkConfig,
    cell_rays,
    geometry_channels,
    load_network,
    save_network,
)
from vlnenv.memory.patches import patch_centre_pixels
from vlnenv.memory.semantic import SemanticEncoder
from vlnenv.memory.text_table import load_text_table
from vlnenv.sim.camera import Camera
from vlnenv.sim.embree import EmbreeSimulator
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import Frames

CAMERA = Camera(192, 192)


@pytest.fixture(scope="module")
def view() -> tuple[Scene, Frames]:
    simulator = EmbreeSimulator(load_scene=houses.load_scene)
    scene = simulator.load("houses/val_unseen/0000")
    rng = np.random.default_rng(0)
    position_m = simulator.sample(scene, rng, 16)
    return scene, simulator.render(scene, position_m, rng.uniform(-np.pi, np.pi, 16), CAMERA)


@pytest.fixture(scope="module")
def encoder() -> MiniEncoder:
    return MiniEncoder()


def part(frames: Frames, rows: slice) -> Frames:
    assert frames.rgb is not None
    assert frames.depth is not None
    return Frames(frames.rgb[rows], frames.depth[rows])


def test_the_default_encoder_sees_what_things_are(view: tuple[Scene, Frames], encoder: MiniEncoder) -> None:
    scene, frames = view
    features = encoder.encode(frames, [scene] * 16)
    truth = SemanticEncoder().encode(frames, [scene] * 16)
    assert features.shape == truth.shape == (16, 24, 24, 64)
    assert features.dtype == torch.float32
    assert float((features * truth).sum(dim=-1).mean()) > 0.7
    untrained = MiniEncoder(weights=MiniNetwork()).encode(frames, [])
    assert float((untrained * truth).sum(dim=-1).mean()) < 0.3


def test_it_declares_what_it_is(encoder: MiniEncoder) -> None:
    made = make_encoder("mini")
    assert isinstance(made, MiniEncoder)
    assert (made.name, made.dim, made.image_size) == ("mini", load_text_table().dim, 192)
    assert made.outputs == ("rgb", "depth")
    assert not made.privileged


def test_weights_are_small_and_hold_the_configuration() -> None:
    assert WEIGHTS.stat().st_size <= 5_000_000
    assert load_network(WEIGHTS).config == MiniNetworkConfig()
    assert WEIGHTS.with_suffix(".md").is_file()


def test_features_are_of_unit_length_or_zero_where_nothing_was_hit(
    view: tuple[Scene, Frames], encoder: MiniEncoder
) -> None:
    frames = part(view[1], slice(2))
    assert frames.depth is not None
    depth = frames.depth.copy()
    pixel = patch_centre_pixels(192)
    depth[0, pixel[3], pixel[5]] = 0.0
    depth[0, pixel[4], pixel[5]] = np.nan
    depth[0, pixel[5], pixel[5]] = 10.0
    depth[0, pixel[6], pixel[5]] = -1.0
    depth[1] = 0.0
    features = encoder.encode(replace(frames, depth=depth), [])
    length = features.norm(dim=-1)
    known = torch.from_numpy(depth[:, pixel[:, None], pixel])
    known = (known > 0.0) & (known < 10.0)
    assert not known[0, 3:7, 5].any()
    torch.testing.assert_close(length, known.float())
    assert (features[~known] == 0.0).all()


def test_a_shorter_range_of_the_camera_is_respected(view: tuple[Scene, Frames]) -> None:
    frames = part(view[1], slice(4))
    assert frames.depth is not None
    features = MiniEncoder(camera=replace(CAMERA, max_depth_m=2.0)).encode(frames, [])
    pixel = patch_centre_pixels(192)
    near = torch.from_numpy(frames.depth[:, pixel[:, None], pixel] < 2.0)
    assert 0 < near.sum() < near.numel()
    assert torch.equal(features.norm(dim=-1) > 0.5, near)


@pytest.mark.parametrize("size", [1, 3, 4, 8])
def test_the_rest_of_the_batch_never_matters(
    view: tuple[Scene, Frames], encoder: MiniEncoder, size: int
) -> None:
    frames = view[1]
    whole = encoder.encode(frames, [])
    parts = [encoder.encode(part(frames, slice(i, i + size)), []) for i in range(0, 16, size)]
    assert torch.equal(torch.cat(parts), whole)


def test_no_frames_give_no_features(view: tuple[Scene, Frames], encoder: MiniEncoder) -> None:
    assert encoder.encode(part(view[1], slice(0)), []).shape == (0, 24, 24, 64)


def test_wrong_frames_are_refused(view: tuple[Scene, Frames], encoder: MiniEncoder) -> None:
    frames = part(view[1], slice(1))
    for missing in ("rgb", "depth"):
        with pytest.raises(ValueError, match='"rgb" and "depth"'):
            encoder.encode(replace(frames, **{missing: None}), [])
    with pytest.raises(ValueError, match="192 x 192"):
        encoder.encode(Frames(np.zeros((1, 96, 96, 3), np.uint8), np.ones((1, 96, 96), np.float32)), [])
    assert frames.depth is not None
    with pytest.raises(ValueError, match="192 x 192"):
        encoder.encode(replace(frames, depth=frames.depth[:, :96]), [])


def test_geometry_of_a_room(view: tuple[Scene, Frames]) -> None:
    scene, frames = view
    assert frames.instance is not None
    geometry, relief = geometry_channels(
        torch.from_numpy(frames.depth), cell_rays(CAMERA), torch.tensor([CAMERA.height_m]), 10.0
    )
    ids = torch.from_numpy(frames.instance.reshape(16, 48, 4, 48, 4))
    names = {each.id: each.category for each in scene.instances}
    # Cells whose neighbours all show the same instance.
    cell = ids.amin(dim=(2, 4))
    whole = cell == ids.amax(dim=(2, 4))
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            whole &= cell == cell.roll((dy, dx), (1, 2))
    whole[:, [0, -1]] = False
    whole[:, :, [0, -1]] = False
    is_floor, is_ceiling = (
        whole & torch.isin(cell, torch.tensor([number for number, name in names.items() if name == kind]))
        for kind in ("floor", "ceiling")
    )
    height, normal = geometry[:, 2], geometry[:, 3:6]
    assert is_floor.sum() > 100
    assert float(height[is_floor].abs().max()) < 0.1
    assert float(normal[:, 1][is_floor].median()) > 0.99
    assert float(normal[:, 1][is_ceiling].median()) < -0.99
    assert float(relief.abs().max()) <= 1.0


def test_a_tilted_camera_measures_the_same_heights() -> None:
    for pitch_deg in (-20.0, 15.0):
        rays = cell_rays(replace(CAMERA, pitch_deg=pitch_deg))
        floor = rays[:, 1] < -0.2
        depth = torch.where(floor, -1.25 / rays[:, 1], 0.0)
        fine = depth.repeat_interleave(4, 1).repeat_interleave(4, 2)
        geometry, _ = geometry_channels(fine, rays, torch.tensor([1.25]), 10.0)
        seen = geometry[:, 6] > 0.0
        assert seen.any()
        torch.testing.assert_close(
            geometry[:, 2][seen], torch.zeros_like(geometry[:, 2][seen]), atol=1e-5, rtol=0
        )


def test_folding_changes_nothing(view: tuple[Scene, Frames]) -> None:
    network = MiniNetwork()
    for name, value in network.state_dict().items():
        if "running_var" in name or name.endswith("norm.weight"):
            value.uniform_(0.5, 2.0)
        elif "running_mean" in name or name.endswith("norm.bias"):
            value.normal_(0.0, 0.2)
    inputs = (torch.rand(2, 3, 192, 192), 5.0 * torch.rand(2, 192, 192), cell_rays(CAMERA), torch.ones(1))
    with torch.inference_mode():
        torch.testing.assert_close(network.folded()(*inputs), network.eval()(*inputs), rtol=1e-3, atol=1e-3)


def test_weights_survive_the_file(tmp_path: Path, view: tuple[Scene, Frames]) -> None:
    network = MiniNetwork(MiniNetworkConfig(dim=16, widths=(8, 8, 16, 16), blocks=(0, 1, 1, 1)))
    save_network(tmp_path / "net.safetensors", network, {"seed": "3"})
    frames = part(view[1], slice(1))
    encoder = MiniEncoder(weights=tmp_path / "net.safetensors")
    assert encoder.dim == 16
    expected = MiniEncoder(weights=network).encode(frames, [])
    torch.testing.assert_close(encoder.encode(frames, []), expected, atol=5e-3, rtol=0)


def test_files_that_are_no_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="absent"):
        MiniEncoder(weights=tmp_path / "absent.safetensors")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"not a file")
    with pytest.raises(ValueError, match="broken"):
        MiniEncoder(weights=broken)
    other = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"x": torch.zeros(1)}, other, metadata={"format": "other"})
    with pytest.raises(ValueError, match="vlnenv-mini-1"):
        MiniEncoder(weights=other)
