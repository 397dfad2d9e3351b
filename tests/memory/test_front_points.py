from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from tests.memory.clouds import CAMERA, cloud, pose_of, shuffled
from vlnenv.memory.front_points import Footprint, PanoramaPoints, front_points, scan_by_arrays
from vlnenv.memory.geometry import world_to_agent

FOOTPRINTS = (Footprint(), Footprint(1, 3), Footprint(2, 4, 1.6, 2), Footprint(1, 8, 1.3, 1))


def by_loops(points: PanoramaPoints, env: int, footprint: Footprint) -> dict[int, list[tuple[float, int]]]:
    """(squared distance, id) of the points in each finer cell, nearest first, by a loop over all pairs."""
    fine, size = footprint.fine, int(points.count[env])
    side, columns, rows = 12 * fine, 48 * fine, 12 * fine
    found: dict[int, list[tuple[float, int]]] = {}
    xyz = world_to_agent(points.xyz_m[:, env : env + 1, :size], pose_of(points.pose, [env]))
    ahead_of, left_of, up_of = (axis[0].double().tolist() for axis in xyz)
    for i, (ahead, left, up) in enumerate(zip(ahead_of, left_of, up_of, strict=True)):
        up -= CAMERA.height_m
        squared = ahead**2 + left**2 + up**2
        # Behind, left, ahead, right; what is on a diagonal belongs to left or right.
        views = ((-ahead, left), (left, ahead), (ahead, -left), (-left, -ahead))
        order = (1, 3, 0, 2)
        view = max(order, key=lambda v: views[v][0])
        depth, offset = views[view]
        if squared > points.far_m**2:
            continue
        x, y = (offset / depth + 1) * side / 2, (1 - up / depth) * rows / 2
        half = footprint.width / 2 * float(points.scale_m[env, i]) / depth * side / 2
        own_x, own_y = min(max(math.floor(x), 0), side - 1), math.floor(y)
        for dy in range(-footprint.reach, footprint.reach + 1):
            for dx in range(-footprint.reach, footprint.reach + 1):
                cell_x, cell_y = own_x + dx, own_y + dy
                over_x = dx == 0 or abs(cell_x + 0.5 - x) <= half
                over_y = dy == 0 or abs(cell_y + 0.5 - y) <= half
                if over_x and over_y and 0 <= cell_y < rows:
                    cell = cell_y * columns + (view * side + cell_x) % columns
                    found.setdefault(cell, []).append((squared, int(points.patch_id[env, i])))
    return {cell: sorted(entries)[: footprint.keep] for cell, entries in found.items()}


@pytest.mark.parametrize("footprint", FOOTPRINTS)
def test_equals_a_loop_over_points_and_cells(footprint: Footprint) -> None:
    points = cloud([600, 0, 150])
    column, squared = front_points(points, footprint)
    assert column.shape == squared.shape == (3, 576 * footprint.fine**2, footprint.keep)
    for env in range(3):
        expected = by_loops(points, env, footprint)
        kept = 0
        for cell in range(column.shape[1]):
            ids = [int(points.patch_id[env, i]) for i in column[env, cell].tolist() if i >= 0]
            assert ids == [patch_id for _, patch_id in expected.get(cell, [])], (env, cell)
            distances = [distance for distance, _ in expected.get(cell, [])]
            np.testing.assert_allclose(squared[env, cell, : len(ids)], distances, rtol=1e-5)
            assert (column[env, cell, len(ids) :] == -1).all()
            assert squared[env, cell, len(ids) :].isinf().all()
            kept += len(ids)
        assert (kept > 0) == (env != 1)


@pytest.mark.parametrize("footprint", FOOTPRINTS)
@pytest.mark.parametrize("steps_m", [0.0, 0.25])
def test_arrays_and_compiled_loop_agree_to_the_last_bit(footprint: Footprint, steps_m: float) -> None:
    points = cloud([3000, 1, 0, 700], seed=3, steps_m=steps_m)
    column, squared = front_points(points, footprint)
    other_column, other_squared = torch.full_like(column, -1), torch.full_like(squared, torch.inf)
    scan_by_arrays(points, footprint, other_column, other_squared)
    assert torch.equal(column, other_column)
    assert torch.equal(squared, other_squared)


@pytest.mark.parametrize("footprint", FOOTPRINTS)
def test_equally_far_points_go_by_their_ids_and_not_their_rows(footprint: Footprint) -> None:
    points = cloud([2997], seed=1, steps_m=0.5)
    other = shuffled(points)
    column, squared = front_points(points, footprint)
    other_column, other_squared = front_points(other, footprint)
    assert torch.equal(squared, other_squared)
    ids = points.patch_id[0, column].masked_fill(column < 0, -1)
    assert torch.equal(ids, other.patch_id[0, other_column].masked_fill(other_column < 0, -1))
    ties = (squared[..., :-1] == squared[..., 1:]) & squared[..., 1:].isfinite()
    assert footprint.keep == 1 or ties.any()
