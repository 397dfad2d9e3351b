from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.memory.clouds import CAMERA, DIM, cloud, seen_from_origin
from tests.memory.test_field import random_network
from vlnenv.memory.field import WeightedRenderer, make_renderer
from vlnenv.memory.front_points import Footprint, front_points
from vlnenv.memory.learned_field import (
    FieldConfig,
    FieldNetwork,
    LearnedRenderer,
    cast_rays,
    places_along_rays,
)


class SameRays(WeightedRenderer):
    footprint = LearnedRenderer.footprint


def test_untrained_it_renders_as_the_parameter_free_form() -> None:
    points = cloud([3000, 0, 500])
    ours = LearnedRenderer(FieldNetwork(FieldConfig("semantic", DIM))).render(points)
    theirs = SameRays().render(points)
    assert torch.equal(ours[2], theirs[2])
    assert torch.equal(ours[1], theirs[1])
    np.testing.assert_allclose(ours[0].detach(), theirs[0], atol=0.02)
    np.testing.assert_allclose(ours[0][ours[2]].norm(dim=-1), 1.0, atol=1e-5)


def test_it_renders_something_else_once_trained() -> None:
    points = cloud([3000])
    ours = LearnedRenderer(random_network()).render(points)[0]
    assert float((ours - SameRays().render(points)[0]).abs().max()) > 0.5


def test_how_points_lie_to_the_rays_by_a_loop() -> None:
    points = cloud([800], seed=2)
    column, squared = front_points(points, Footprint(2, 2, 1.6, 2))
    places = places_along_rays(points, column, squared.sqrt(), fine=2)
    feet, heading = points.pose.feet_m[:, 0, 0].double().numpy(), float(points.pose.heading_rad[0, 0])
    eye = feet + np.array([0.0, CAMERA.height_m, 0.0])
    assert not places[column < 0].any()
    for cell, k in (column[0] >= 0).nonzero().tolist()[::37]:
        i = int(column[0, cell, k])
        away = points.xyz_m[:, 0, i].double().numpy() - eye
        bearing = math.atan2(-away[0], -away[2])  # heading that looks at it
        relative = math.remainder(heading + math.pi - bearing, 2 * math.pi)  # clockwise from behind
        view = round(relative / (math.pi / 2)) % 4
        inside = math.remainder(relative - view * math.pi / 2, 2 * math.pi)
        depth = math.hypot(away[0], away[2]) * math.cos(inside)
        across = 24 * view + 12 + 12 * math.tan(inside)
        right = math.remainder(across - (cell % 96 + 0.5), 96)
        below = 12 - 12 * away[1] / depth - (cell // 96 + 0.5)
        turned = float(points.direction_rad[0, i]) - bearing
        scale, length = float(points.scale_m[0, i]), float(np.linalg.norm(away))
        first = float(squared[0, cell, 0].sqrt())
        expected = [
            np.clip(right, -4, 4) / 2,
            np.clip(below, -4, 4) / 2,
            min(length - first, 2.0) * 2,
            math.sin(turned),
            math.cos(turned),
            min(scale / depth * 12, 4.0) / 2,
            scale * 2,
            length / 5,
        ]
        np.testing.assert_allclose(places[0, cell, k], expected, atol=2e-4)


def test_opacity_hides_and_reveals() -> None:
    direction = np.array([1.0, -1 / 24, 1 / 24])
    points = seen_from_origin(np.array([direction, 1.05 * direction]), np.eye(2, DIM), scale_m=0.01)
    network = FieldNetwork(FieldConfig("semantic", DIM))
    renderer, cell = LearnedRenderer(network), 5 * 48 + 30
    shares = []
    for bias in (-8.0, 0.0, 8.0):
        network.narrow.bias.data[-1] = bias
        token = renderer.render(points)[0][0, cell]
        shares.append(float(token[0] / token[:2].sum()))
    assert shares[0] < 0.1 < 0.5 < shares[1] < 0.99 < shares[2]
    rays = cast_rays(points, renderer.footprint)
    assert int((rays.column >= 0).sum()) == 2


def test_weights_survive_a_file(tmp_path: Path) -> None:
    network = random_network()
    network.save(tmp_path / "field.safetensors", {"seed": "0"})
    again = FieldNetwork.load(tmp_path / "field.safetensors")
    assert again.config == network.config
    points = cloud([900])
    assert torch.equal(LearnedRenderer(network).render(points)[0], LearnedRenderer(again).render(points)[0])


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="weighted"):
        FieldNetwork.load(tmp_path / "none.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(ValueError, match="holds no learned panorama"):
        FieldNetwork.load(tmp_path / "noise.safetensors")


def test_it_is_for_the_encoder_that_it_was_trained_with() -> None:
    assert isinstance(make_renderer("learned", 64, "mini"), LearnedRenderer)
    with pytest.raises(ValueError, match="weighted"):
        make_renderer("learned", 64, "semantic")
