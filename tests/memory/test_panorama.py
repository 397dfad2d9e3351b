from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from vlnenv.memory.panorama import nearest_per_cell, panorama_cells

NONE = (12, 0)


def cell(ahead: float, left: float, up: float) -> tuple[int, int]:
    """Row and column; (12, 0) for none."""
    index = int(
        panorama_cells(torch.tensor(float(ahead)), torch.tensor(float(left)), torch.tensor(float(up)))
    )
    return divmod(index, 48)


def nearest(points: list[tuple[float, float, float]], far: float = 10.0, ids: list[int] | None = None):
    ahead, left, up = (torch.tensor([axis], dtype=torch.float32) for axis in zip(*points, strict=True))
    patch_id = torch.tensor([ids if ids is not None else list(range(len(points)))])
    return nearest_per_cell(ahead, left, up, torch.ones_like(ahead, dtype=torch.bool), patch_id, far)


def test_the_views_are_behind_left_ahead_right() -> None:
    # A hair to the right of and above the middle of each view.
    assert cell(-1, 0.01, 0.01) == (5, 6)
    assert cell(0.01, 1, 0.01) == (5, 18)
    assert cell(1, -0.01, 0.01) == (5, 30)
    assert cell(-0.01, -1, 0.01) == (5, 42)


def test_columns_run_clockwise_from_behind_right_once_round() -> None:
    bearings = [math.radians(225 - degrees) for degrees in np.arange(0.5, 360.0, 1.0)]  # ccw from ahead
    columns = [cell(math.cos(b), math.sin(b), 0.0)[1] for b in bearings]
    assert columns == sorted(columns)
    assert set(columns) == set(range(48))


def test_rows_run_from_45_degrees_up_to_45_degrees_down() -> None:
    assert [cell(1, 0, up)[0] for up in (0.99, 0.5, 0.01, -0.01, -0.5, -0.99)] == [0, 3, 5, 6, 9, 11]
    assert cell(1, 0, 1.01) == NONE
    assert cell(0, 0, 1) == NONE
    assert cell(0, 0, 0) == NONE
    # Pinhole views: at a view's corner the same slope over the depth reaches less of an angle.
    assert cell(1, 0.99, 0.99)[0] == 0


def test_the_four_diagonals_have_a_cell() -> None:
    for ahead, left in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        row, column = cell(ahead, left, 0.0)
        assert row == 6
        assert column in (0, 11, 12, 23, 24, 35, 36, 47)


def test_the_nearest_point_wins_and_equals_go_by_the_lowest_id() -> None:
    found = nearest([(3, 0.1, 0), (2, 0.1, 0), (-2, 0.1, 0.1), (4, 0.1, 0)])
    assert found.column.tolist() == [1, 2]
    found = nearest([(2, 0.1, 0), (2, 0.1, 0), (2, 0.1, 0)], ids=[7, 3, 5])
    assert found.column.tolist() == [1]


def test_points_out_of_range_are_hidden() -> None:
    assert nearest([(10.1, 0, 0), (0, 9.9, 0)]).column.tolist() == [1]
    assert nearest([(2.1, 0, 0)], far=2.0).column.tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_the_points_does_not_matter(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    # Coarse positions, so that many points are equally far.
    ahead, left, up = torch.randint(-4, 5, (3, 1, 3000), generator=generator).float() + 0.25
    ids = torch.randperm(3000, generator=generator)[None]
    live = torch.rand(1, 3000, generator=generator) < 0.8
    order = torch.randperm(3000, generator=generator)
    one = nearest_per_cell(ahead, left, up, live, ids, 10.0)
    two = nearest_per_cell(ahead[:, order], left[:, order], up[:, order], live[:, order], ids[:, order], 10.0)
    assert dict(zip(one.cell.tolist(), ids[0, one.column].tolist(), strict=True)) == dict(
        zip(two.cell.tolist(), ids[:, order][0, two.column].tolist(), strict=True)
    )
    assert len(set(one.cell.tolist())) == len(one.cell)
