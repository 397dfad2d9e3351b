from __future__ import annotations

import numpy as np
import pytest

from tests.viewer.rooms import nothing, remembered, scene, simulator
from vlnenv.memory.query import best_instances
from vlnenv.sim.simulator import TopDown
from vlnenv.viewer.floor_map import FloorMap, seen_from_above
from vlnenv.viewer.levels import draw_levels


@pytest.fixture(scope="module")
def top_down() -> TopDown:
    return simulator().top_down(scene(), 0.0, meters_per_pixel=0.06)


def panels(picture: np.ndarray) -> list[np.ndarray]:
    """The three maps, without titles and gaps."""
    width = (picture.shape[1] - 20) // 3
    return [picture[26:, column * (width + 10) : column * (width + 10) + width] for column in range(3)]


def test_three_maps_stand_side_by_side(top_down: TopDown) -> None:
    picture = draw_levels(top_down, remembered(), 0.0, height_px=200)
    empty = panels(draw_levels(top_down, nothing(), 0.0, height_px=200))
    assert picture.shape[0] == 226
    assert picture.dtype == np.uint8
    for full, blank in zip(panels(picture), empty, strict=True):
        assert (np.abs(full.astype(int) - blank) > 30).any(axis=2).mean() > 0.05
    np.testing.assert_array_equal(empty[0], empty[1])
    np.testing.assert_array_equal(empty[0], empty[2])


def test_a_query_rings_its_best_instance(top_down: TopDown) -> None:
    best = best_instances(remembered(), "bed", 1)[0]
    patches, instances, _ = panels(draw_levels(top_down, remembered(), 0.0, query="bed", height_px=300))
    scale = 300 / top_down.rgb.shape[0]
    column, row = (top_down.to_pixel(np.array(best.xyz_m)) * scale).round().astype(int)
    around = (slice(max(0, row - 15), row + 16), slice(max(0, column - 15), column + 16))
    red = (instances[..., 0] > 170) & (instances[..., 1] < 60) & (instances[..., 2] < 70)
    assert red[around].sum() > 60
    hot = (patches[..., 0].astype(int) - patches[..., 2]) > 100
    assert hot[around].mean() > 3 * hot.mean()


def test_names_are_written_where_asked_for_but_not_on_the_building(top_down: TopDown) -> None:
    plain = draw_levels(top_down, remembered(), 0.0, height_px=300)
    named = draw_levels(top_down, remembered(), 0.0, names=["bed", "sofa", "wall", "floor"], height_px=300)
    building = draw_levels(top_down, remembered(), 0.0, names=["wall", "floor"], height_px=300)
    changed = [(a != b).any() for a, b in zip(panels(plain), panels(named), strict=True)]
    assert changed == [False, True, False]
    np.testing.assert_array_equal(plain, building)


def test_ceilings_and_other_storeys_are_left_out_and_high_points_end_on_top(top_down: TopDown) -> None:
    points_m = np.array([[0, 1.5, 0], [0, 0.0, 0], [0, 2.5, 0], [0, -3.0, 0], [0, 0.7, 0]], dtype=float)
    assert seen_from_above(points_m, 0.0).tolist() == [1, 4, 0]
    floor_map = FloorMap(top_down, 200)
    before = np.asarray(floor_map.picture()).copy()
    colors = np.array([[255, 0, 0], [0, 0, 255]], dtype=np.uint8)
    centre_m = np.array([top_down.origin_m[0] + 3.0, 0.5, top_down.origin_m[1] + 3.0])
    floor_map.dots(np.stack([centre_m, centre_m]), colors, radius_px=3)
    after = np.asarray(floor_map.picture())
    row = column = round(3.0 * floor_map.px_per_m)
    assert after[row, column].tolist() == [0, 0, 255]
    assert (before != after).any(axis=2).sum() < 60
    outside_m = centre_m + 1000.0
    floor_map.dots(outside_m[None], colors[:1], radius_px=3)
    np.testing.assert_array_equal(after, np.asarray(floor_map.picture()))
