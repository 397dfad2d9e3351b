from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.memory.segmenters.scenes import LEFT, RIGHT, grey, no_features, shown, view
from vlnenv.memory.segmenters import PatchGraphConfig, PatchGraphSegmenter, geometry_only
from vlnenv.memory.segmenters.color import cell_lab
from vlnenv.memory.segmenters.merging import merge_boundaries, merge_graph
from vlnenv.memory.segmenters.patchgraph import feature_distance
from vlnenv.memory.segmenters.surfaces import GRID_EDGES
from vlnenv.sim.camera import Camera
from vlnenv.sim.simulator import Frames


def segment(depth: np.ndarray, camera: Camera, rgb: np.ndarray | None = None) -> np.ndarray:
    frames = Frames(rgb=grey(depth) if rgb is None else rgb, depth=depth)
    return PatchGraphSegmenter().segment(frames, no_features(len(depth)), camera)[0].numpy()


@pytest.mark.parametrize("size", [72, 96, 192])
def test_two_boxes_on_a_floor_are_two_segments(size: int) -> None:
    camera = Camera(width=size, height=size, pitch_deg=-15.0)
    labels = segment(view([LEFT, RIGHT], camera), camera)
    chosen = []
    for box, other in ((LEFT, RIGHT), (RIGHT, LEFT)):
        truth = shown(box, [other], camera)
        assert truth.sum() > 20
        label = np.bincount(labels[truth]).argmax()
        overlap = (truth & (labels == label)).sum() / (truth | (labels == label)).sum()
        assert overlap > 0.8
        chosen.append(label)
    assert len(set(chosen)) == 2
    assert 0 not in chosen


@pytest.mark.parametrize("heading", [0.0, 0.5, -0.7])
@pytest.mark.parametrize("size", [48, 96])
def test_a_flat_wall_is_one_segment_also_when_seen_aslant(heading: float, size: int) -> None:
    camera = Camera(width=size, height=size, hfov_deg=30.0)
    wall = ((-5.0, 0.0, -3.0), (5.0, 2.7, -2.0))
    assert (segment(view([wall], camera, heading), camera) == 1).all()


def test_wall_and_floor_part_and_the_floor_is_one() -> None:
    camera = Camera(width=96, height=96, pitch_deg=-30.0)
    labels = segment(view([], camera), camera)  # the wall is 4 m ahead
    assert len(np.unique(labels[16:])) == 1
    assert labels[0, 12] != labels[23, 12]


def test_colour_parts_what_geometry_cannot() -> None:
    camera = Camera(width=96, height=96, hfov_deg=40.0)
    depth = np.full((1, 96, 96), 2.0, dtype=np.float32)
    rgb = np.full((1, 96, 96, 3), 200, dtype=np.uint8)
    rgb[:, 24:64, 32:72] = (180, 40, 40)
    labels = segment(depth, camera, rgb)
    picture = np.zeros((24, 24), dtype=bool)
    picture[6:16, 8:18] = True
    assert (labels == np.where(picture, 2, 1)).all()
    only_depth = PatchGraphSegmenter(geometry_only())
    assert only_depth.outputs == ("depth",)
    assert (only_depth.segment(Frames(depth=depth), no_features(1), camera) == 1).all()


def test_features_part_where_they_count() -> None:
    camera = Camera(width=48, height=48)
    frames = Frames(depth=np.full((1, 48, 48), 2.0, dtype=np.float32))
    features = torch.zeros(1, 24, 24, 3)
    features[:, :, :12, 0] = 1.0
    features[:, :, 12:, 1] = 3.0  # length does not count
    config = PatchGraphConfig(color_weight=0.0, feature_weight=1.0)
    labels = PatchGraphSegmenter(config).segment(frames, features, camera)[0]
    assert (labels[:, :12] == 1).all()
    assert (labels[:, 12:] == 2).all()
    # Features of nothing say nothing, and features that are not asked for are not read.
    assert (PatchGraphSegmenter(config).segment(frames, features * 0, camera) == 1).all()
    assert (PatchGraphSegmenter(geometry_only()).segment(frames, features, camera) == 1).all()


def test_nothing_hit_is_no_segment() -> None:
    camera = Camera(width=96, height=96, max_depth_m=10.0)
    depth = np.full((1, 96, 96), 2.0, dtype=np.float32)
    depth[0, :48] = [[0.0] * 32 + [10.0] * 32 + [np.nan] * 32] * 48
    labels = segment(depth, camera)
    assert (labels[:12] == 0).all()
    assert (labels[12:] == 1).all()
    assert (segment(np.zeros_like(depth), camera) == 0).all()


def test_two_parts_with_nothing_between_are_two_segments() -> None:
    camera = Camera(width=96, height=96)
    depth = np.full((1, 96, 96), 2.0, dtype=np.float32)
    depth[:, :, 44:56] = 0.0
    labels = segment(depth, camera)
    assert np.unique(labels).tolist() == [0, 1, 2]


def test_an_image_that_is_wider_than_high() -> None:
    camera = Camera(width=144, height=96, pitch_deg=-15.0)
    box = ((-0.6, 0.0, -2.0), (0.6, 0.8, -1.4))
    labels = segment(view([box], camera), camera)
    truth = shown(box, [], camera)
    label = np.bincount(labels[truth]).argmax()
    assert (truth & (labels == label)).sum() / (truth | (labels == label)).sum() > 0.8


def test_the_grid_has_each_pair_of_neighbours_once() -> None:
    pairs = {tuple(sorted(pair)) for pair in GRID_EDGES.tolist()}
    expected = {
        tuple(sorted((r * 24 + c, (r + i) * 24 + c + j)))
        for r in range(24) for c in range(24) for i in (-1, 0, 1) for j in (-1, 0, 1)
        if (i or j) and 0 <= r + i < 24 and 0 <= c + j < 24
    }  # fmt: skip
    assert pairs == expected
    assert len(GRID_EDGES) == len(expected)


def test_merging_follows_the_paper() -> None:
    # 0-1 at .1 and 2-3 at .1; then 1-2 at .5 against .1 + scale / 2.
    edges = np.array([[0, 1], [2, 3], [1, 2]])
    weight = np.array([0.1, 0.1, 0.5])
    order = np.array([0, 1, 2])
    assert merge_graph(edges, weight, order, 4, 0.7).tolist() == [0, 0, 2, 2]
    assert merge_graph(edges, weight, order, 4, 0.9).tolist() == [0, 0, 0, 0]
    assert merge_graph(edges, weight, order, 4, 0.0).tolist() == [0, 1, 2, 3]


def test_boundaries_are_judged_by_their_mean() -> None:
    edges = np.array([[0, 2], [1, 3], [0, 1], [2, 3]])
    weight = np.array([0.0, 1.0, 0.0, 0.0])
    root = np.array([0, 0, 2, 2])
    order = np.arange(4)
    assert merge_boundaries(root, edges, weight, order, 0.49, 1).tolist() == [0, 0, 2, 2]
    assert merge_boundaries(root, edges, weight, order, 0.5, 1).tolist() == [0, 0, 0, 0]
    assert merge_boundaries(root, edges, weight, order, 0.0, 3).tolist() == [0, 0, 0, 0]
    assert merge_boundaries(np.arange(4), edges, weight, np.arange(0), 1.0, 3).tolist() == [0, 1, 2, 3]


def test_colours_are_lab() -> None:
    rgb = np.zeros((48, 48, 3), dtype=np.uint8)
    rgb[:2, :2] = 255
    rgb[:2, 2:4] = (255, 0, 0)
    lab = cell_lab(rgb)
    np.testing.assert_allclose(lab[0], [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab[1], [53.24, 80.09, 67.20], atol=0.02)
    np.testing.assert_allclose(lab[2], [0, 0, 0], atol=1e-9)


def test_feature_distances_are_cosine_distances() -> None:
    features = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 24, 24, 7)))
    distance = feature_distance(features)
    for edge in (0, 1000, 2161):
        a, b = (features[1].reshape(576, 7)[node].numpy() for node in GRID_EDGES[edge])
        assert distance[1, edge] == pytest.approx(1 - a @ b / math.sqrt((a @ a) * (b @ b)))


@pytest.mark.parametrize(
    "setting", [{"gap_m": 0.0}, {"valley_weight": -1.0}, {"boundary": math.nan}, {"min_patches": 0}]
)
def test_settings_out_of_range_are_refused(setting: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(setting))} must be"):
        PatchGraphConfig(**setting)  # type: ignore[arg-type]
