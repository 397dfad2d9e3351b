"""The catalogue: every class, drawn often, keeps what houses rely on."""

from __future__ import annotations

import numpy as np
import pytest

from vlnenv.houses.catalogue import CATALOGUE
from vlnenv.houses.catalogue.shape import FurnitureClass, Shape, Top
from vlnenv.houses.dice import Dice
from vlnenv.houses.looks.textures import COLORS, FINISHES, FURNITURE_COLORS
from vlnenv.memory.text_table import load_text_table

_DRAWS = 20
_PART_ONE = """bed, bunk bed, crib, nightstand, wardrobe, dresser, sofa, armchair, rocking chair, ottoman,
bean bag, coffee table, side table, console table, dining table, chair, stool, bar stool, bench, desk,
dressing table, office chair, bookshelf, shelf, cabinet, sideboard, display cabinet, filing cabinet,
shoe rack, coat rack, tv stand, chest, wine rack, high chair"""


def drawn(entry: FurnitureClass, number: int) -> tuple[Shape, tuple[str, str]]:
    dice = Dice("test_catalogue", entry.name, number)
    main = (dice.pick(entry.finishes), dice.pick(entry.colors))
    return entry.draw(dice, main), main


@pytest.fixture(scope="module", params=CATALOGUE)
def draws(request) -> tuple[FurnitureClass, list[tuple[Shape, tuple[str, str]]]]:
    entry = CATALOGUE[request.param]
    return entry, [drawn(entry, number) for number in range(_DRAWS)]


def test_the_classes_of_this_part_are_there():
    assert set(_PART_ONE.replace("\n", " ").split(", ")) <= set(CATALOGUE)


def test_names_are_known_to_the_text_table():
    table = load_text_table()
    assert [name for name in CATALOGUE if name not in table] == []


@pytest.mark.parametrize("name", CATALOGUE)
def test_surfaces_and_places_of_a_class_are_known(name):
    entry = CATALOGUE[name]
    assert entry.name == name
    assert entry.stands in ("floor", "wall", "ceiling", "top")
    assert set(entry.finishes) <= set(FINISHES)
    assert set(entry.colors) <= set(FURNITURE_COLORS)
    assert entry.front_cm >= 0


def test_vertices_lie_inside_the_declared_box_and_nearly_fill_it(draws):
    for shape, _ in draws[1]:
        size = (shape.width, shape.height, shape.depth)
        assert all(isinstance(number, int) for number in size)
        low = np.min([solid.vertices.min(axis=0) for solid in shape.solids], axis=0)
        high = np.max([solid.vertices.max(axis=0) for solid in shape.solids], axis=0)
        assert (low >= 0).all(), low
        assert (high <= size).all(), (high, size)
        assert (high - low >= 0.55 * np.array(size) - 2).all(), (low, high, size)


def test_solids_look_outwards_and_have_known_surfaces(draws):
    for shape, main in draws[1]:
        assert main in {solid.surface for solid in shape.solids}
        for solid in shape.solids:
            finish, color = solid.surface
            assert finish in FINISHES
            assert color in COLORS
            a, b, c = (solid.vertices[solid.faces[:, i]] for i in range(3))
            assert (np.cross(a, b) * c).sum() > 0, solid.surface
            assert solid.uv.shape == (len(solid.faces), 3, 2)


def test_the_main_colour_is_what_one_sees(draws):
    """The main colour covers more than 4 % of the surface of every draw and 12 % of the middle one."""
    shares = []
    for shape, main in draws[1]:
        areas = {True: 0.0, False: 0.0}
        for solid in shape.solids:
            a, b, c = (solid.vertices[solid.faces[:, i]] for i in range(3))
            areas[solid.surface[1] == main[1]] += float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())
        shares.append(areas[True] / sum(areas.values()))
    assert min(shares) > 0.04, shares
    assert np.median(shares) > 0.12, shares


def test_pieces_keep_to_their_budget_of_triangles(draws):
    entry, shapes = draws
    counts = [sum(len(solid.faces) for solid in shape.solids) for shape, _ in shapes]
    assert max(counts) <= (750 if entry.stands == "top" else 2500), counts
    assert min(counts) >= 12


def test_tops_are_backed_by_geometry_and_free_above(draws):
    for shape, _ in draws[1]:
        triangles = np.concatenate([solid.vertices[solid.faces] for solid in shape.solids])
        for top in shape.tops:
            assert 0 <= top.x0 < top.x1 <= shape.width, top
            assert 0 <= top.z0 < top.z1 <= shape.depth, top
            assert 0 < top.y <= shape.height, top
            assert top.room >= 8, top
            assert _carried(top, triangles), (shape, top)
            assert not _blocked(top, triangles), (shape, top)


def _carried(top: Top, triangles: np.ndarray) -> bool:
    """Whether faces within 1 cm of the top's height lie under all of a grid of points of it."""
    level = triangles[(np.abs(triangles[..., 1] - top.y) <= 1.0).all(axis=1)][..., [0, 2]]
    x, z = np.meshgrid(np.linspace(top.x0, top.x1, 6), np.linspace(top.z0, top.z1, 6))
    points = np.stack([x.ravel(), z.ravel()], axis=1)[:, None]
    sides = []
    for i in range(3):
        start, end = level[:, i], level[:, (i + 1) % 3]
        edge, offset = end - start, points - start
        sides.append(edge[:, 0] * offset[..., 1] - edge[:, 1] * offset[..., 0])
    side = np.stack(sides)
    upright = np.abs(side.sum(axis=0)) < 1e-6
    inside = ((side >= -1e-6).all(axis=0) | (side <= 1e-6).all(axis=0)) & ~upright
    return bool(inside.any(axis=1).all())


def _blocked(top: Top, triangles: np.ndarray) -> bool:
    """Whether the box of any triangle reaches more than 1 cm into the free room above the top."""
    low, high = triangles.min(axis=1), triangles.max(axis=1)
    start = (top.x0 + 1, top.y + 1.2, top.z0 + 1)
    end = (top.x1 - 1, top.y + top.room - 1, top.z1 - 1)
    return bool(((low < end) & (high > start)).all(axis=1).any())


def test_equal_dice_give_equal_bytes(draws):
    entry, shapes = draws
    for number, (shape, _) in enumerate(shapes[:3]):
        again, _ = drawn(entry, number)
        assert (again.width, again.depth, again.height, again.tops) == (
            shape.width,
            shape.depth,
            shape.height,
            shape.tops,
        )
        for one, other in zip(shape.solids, again.solids, strict=True):
            assert one.surface == other.surface
            assert one.vertices.tobytes() == other.vertices.tobytes()
            assert one.faces.tobytes() == other.faces.tobytes()
            assert one.uv.tobytes() == other.uv.tobytes()


def test_draws_of_a_class_differ(draws):
    bodies = {
        repr([(solid.surface, solid.vertices.tobytes()) for solid in shape.solids]) for shape, _ in draws[1]
    }
    assert len(bodies) >= 3
