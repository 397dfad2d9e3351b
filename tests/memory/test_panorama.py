from __future__ import annotations

import math

import numpy as np
import torch

from vlnenv.memory.panorama import sight_of

NONE = (12, 0)


def cell(ahead: float, left: float, up: float) -> tuple[int, int]:
    """Row and column; (12, 0) for none."""
    sight = sight_of(*(torch.tensor(float(value)) for value in (ahead, left, up)))
    if not (sight.depth > 0 and abs(up) <= sight.depth):
        return NONE
    return min(int(sight.down), 11), min(int(sight.across), 11) + 12 * int(sight.view)


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


def test_finer_cells_divide_the_cells() -> None:
    rng = np.random.default_rng(0)
    ahead, left, up = torch.from_numpy(rng.normal(size=(3, 500)).astype(np.float32))
    coarse, fine = sight_of(ahead, left, up), sight_of(ahead, left, up, fine=4)
    assert torch.equal(coarse.view, fine.view)
    assert torch.equal(coarse.across.floor(), (fine.across / 4).floor())
    assert torch.equal(coarse.down.floor(), (fine.down / 4).floor())
