"""Solids: closed, outward, inside their boxes, and the same bytes every time."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from vlnenv.houses.construction import solids
from vlnenv.houses.construction.solids import Solid

_PLAIN = ("plain", "grey")
_STAR = [(0, 0), (10, 0), (10, 10), (5, 4), (0, 10)]

_ALL: dict[str, tuple[Solid, tuple[float, float, float, float, float, float], float]] = {
    # name: solid, box (x0, y0, z0, x1, y1, z1), volume
    "box": (solids.box(1, 2, 3, 4, 6, 8, _PLAIN), (1, 2, 3, 4, 6, 8), 60),
    "bevelled box": (
        solids.rounded_box(0, 0, 0, 60, 20, 50, _PLAIN, radius=4, steps=1),
        (0, 0, 0, 60, 20, 50),
        56_181,
    ),
    "rounded box": (solids.rounded_box(0, 0, 0, 60, 20, 50, _PLAIN), (0, 0, 0, 60, 20, 50), 58_688),
    "capsule": (
        solids.rounded_box(0, 0, 0, 6, 20, 50, _PLAIN, radius=40, steps=3),
        (0, 0, 0, 6, 20, 50),
        5_364,
    ),
    "pillow": (solids.pillow(0, 0, 0, 60, 14, 40, _PLAIN), (0, 0, 0, 60, 14, 40), 18_645),
    "standing pillow": (solids.pillow(0, 0, 0, 60, 40, 14, _PLAIN, thin=2), (0, 0, 0, 60, 40, 14), 18_645),
    "frustum": (
        solids.frustum((0, 0, 4, 4), 0, (2, 2, 8, 8), 40, _PLAIN),
        (0, 0, 0, 8, 40, 8),
        40 * (16 + 36 + 24) / 3,
    ),
    "cylinder": (solids.cylinder(5, 6, 0, 10, 5, _PLAIN), (0, 0, 1, 10, 10, 11), 750),
    "cone": (solids.cylinder(5, 5, 0, 10, 5, _PLAIN, top_radius=0), (0, 0, 0, 10, 10, 10), 250),
    "lathe": (
        solids.lathe(5, 5, [(0, 0), (5, 1), (3, 8), (0, 9)], _PLAIN),
        (0, 0, 0, 10, 9, 10),
        3 * (25 / 3 + 7 * 49 / 3 + 9 / 3),
    ),
    "ellipsoid": (solids.ellipsoid((5, 6, 7), (5, 6, 7), _PLAIN, sides=12), (0, 0, 0, 10, 12, 14), 784),
    "rod": (solids.rod((2, 0, 2), (2, 10, 2), 2, _PLAIN, sides=8), (0, 0, 0, 4, 10, 4), 112.8),
    "prism": (solids.prism(_STAR, 0, 3, _PLAIN), (0, 0, 0, 10, 3, 10), 210),
    "extruded x": (solids.extruded(_STAR, "x", 0, 3, _PLAIN), (0, 0, 0, 3, 10, 10), 210),
    "extruded z": (solids.extruded(_STAR, "z", 0, 3, _PLAIN), (0, 0, 0, 10, 10, 3), 210),
    "extruded backwards": (solids.extruded(_STAR[::-1], "z", 0, 3, _PLAIN), (0, 0, 0, 10, 10, 3), 210),
    "rounded rectangle": (
        solids.prism(solids.rounded_rectangle(0, 0, 40, 30, 5), 0, 3, _PLAIN),
        (0, 0, 0, 40, 3, 30),
        3_512,
    ),
}


def volume(solid: Solid) -> float:
    """Volume that the faces enclose; positive where they look outwards."""
    a, b, c = (solid.vertices[solid.faces[:, i]] for i in range(3))
    return float((np.cross(a, b) * c).sum() / 6)


def is_closed(solid: Solid) -> bool:
    """Whether each edge is passed as often in one sense as in the other."""
    corners = [tuple(vertex) for vertex in solid.vertices.tolist()]
    edges: Counter[tuple[object, object]] = Counter()
    for face in solid.faces.tolist():
        for first, second in ((0, 1), (1, 2), (2, 0)):
            edges[corners[face[first]], corners[face[second]]] += 1
    return all(edges[end, start] == count for (start, end), count in list(edges.items()))


@pytest.mark.parametrize("name", _ALL)
def test_solids_are_closed_and_look_outwards(name):
    solid, _, expected = _ALL[name]
    assert is_closed(solid)
    assert volume(solid) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("name", _ALL)
def test_solids_fill_their_box(name):
    solid, bounds, _ = _ALL[name]
    np.testing.assert_allclose(solid.vertices.min(axis=0), bounds[:3], atol=0.01)
    np.testing.assert_allclose(solid.vertices.max(axis=0), bounds[3:], atol=0.01)


@pytest.mark.parametrize("name", _ALL)
def test_solids_have_texture_in_centimetres_along_their_surface(name):
    solid, _, _ = _ALL[name]
    assert solid.uv.shape == (len(solid.faces), 3, 2)
    assert solid.faces.dtype == np.int32
    # Projected along one axis, no edge is longer on the texture than in space.
    edges = solid.vertices[solid.faces] - solid.vertices[np.roll(solid.faces, 1, axis=1)]
    on_texture = solid.uv - np.roll(solid.uv, 1, axis=1)
    assert (np.linalg.norm(on_texture, axis=2) <= np.linalg.norm(edges, axis=2) + 1e-9).all()


def test_a_bent_tube_keeps_its_radius():
    tube = solids.tube([(0, 0, 0), (0, 10, 0), (10, 10, 0)], 1.0, _PLAIN, sides=8)
    assert is_closed(tube)
    np.testing.assert_allclose(tube.vertices.min(axis=0), (-1, 0, -1), atol=0.01)
    np.testing.assert_allclose(tube.vertices.max(axis=0), (10, 11, 1), atol=0.3)


def test_grain_runs_along_the_longest_side():
    board = solids.box(0, 0, 0, 4, 200, 30, ("oak", "brown"))
    plain = solids.box(0, 0, 0, 4, 200, 30, _PLAIN)
    front = slice(10, 12)
    assert np.ptp(board.uv[front, :, 0]) == 200
    assert np.ptp(plain.uv[front, :, 0]) == 4


def test_vertices_are_rounded_so_that_bytes_are_equal_everywhere():
    for solid, _, _ in _ALL.values():
        np.testing.assert_array_equal(solid.vertices, np.round(solid.vertices, 2))
        assert not np.signbit(solid.vertices[solid.vertices == 0]).any()


@pytest.mark.parametrize(
    ("turns", "front"), [(0, (20, 5, 30)), (1, (30, 5, 20)), (2, (20, 5, 0)), (3, (0, 5, 20))]
)
def test_turning_brings_the_front_where_the_piece_looks(turns, front):
    # A peg at the middle of the front of a frame of 40 x 30.
    peg = solids.box(19, 4, 29, 21, 6, 30, _PLAIN)
    turned = solids.turned(peg, turns, 40, 30)
    assert volume(turned) == pytest.approx(volume(peg))
    middle = (turned.vertices.min(axis=0) + turned.vertices.max(axis=0)) / 2
    np.testing.assert_allclose(middle, front, atol=0.51)


def test_turning_once_keeps_left_and_right():
    # Looking along +z the viewer's left of a piece is +x; looking along +x it is -z.
    left = solids.box(39, 0, 0, 40, 1, 1, _PLAIN)
    turned = solids.turned(left, 1, 40, 30)
    np.testing.assert_array_equal(turned.vertices.min(axis=0), (0, 0, 0))
    np.testing.assert_array_equal(turned.vertices.max(axis=0), (1, 1, 1))


def test_moving_leaning_and_mirroring_keep_the_volume():
    solid = solids.cylinder(5, 5, 0, 10, 5, _PLAIN)
    for changed in (
        solids.moved(solid, 1, 2, 3),
        solids.sheared(solid, "z", "y", 0, 0.5),
        solids.mirrored(solid, 20),
    ):
        assert volume(changed) == pytest.approx(volume(solid), rel=1e-3)
        assert is_closed(changed)
    leaning = solids.sheared(solids.box(0, 0, 0, 1, 10, 1, _PLAIN), "z", "y", 0, -0.5)
    assert leaning.vertices[:, 2].min() == -5
    assert solids.mirrored(solid, 20).vertices[:, 0].min() == 10


def test_merging_joins_solids_of_one_surface_in_order():
    wood, metal = ("wood", "brown"), ("metal", "black")
    parts = [
        solids.box(0, 0, 0, 1, 1, 1, wood),
        solids.box(2, 0, 0, 3, 1, 1, metal),
        solids.box(4, 0, 0, 5, 1, 1, wood),
    ]
    first, second = solids.merged(parts)
    assert (first.surface, second.surface) == (wood, metal)
    assert volume(first) == pytest.approx(2)
    assert len(first.faces) == len(first.uv) == 24
