"""A picture of the memory's three levels over a map of the scene: patches, instances and zones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlnenv.memory.query import best_instances, best_names, instance_rows, query_feature
from vlnenv.memory.snapshot import MemorySnapshot
from vlnenv.sim.simulator import TopDown
from vlnenv.viewer.colors import feature_colors, heat_colors, instance_colors
from vlnenv.viewer.floor_map import BELOW_M, CUT_M, FloorMap, seen_from_above
from vlnenv.viewer.point_cloud import point_colors

_FEWEST_PATCHES = 10
"""Instances of fewer patches in the picture get no name."""
_TITLE_PX, _GAP_PX = 26, 10
_INK, _RING = (24, 28, 36), (196, 24, 36)
_PALE, _PALER = 0.7, 0.88
"""How pale the map is under the levels, and under a query's likeness."""
_DOT_PX = 2.1
BUILDING = frozenset(("wall", "floor", "ceiling", "door frame"))
"""Names that are not written on the map: what they name is everywhere."""


def draw_levels(
    top_down: TopDown,
    snapshot: MemorySnapshot,
    floor_y_m: float,
    query: str | np.ndarray | None = None,
    names: Sequence[str] = (),
    zone_m: float = 2.0,
    height_px: int = 440,
) -> np.ndarray:
    """Three maps side by side: patches, instances, zones.

    Patches are coloured by their features (alike features, alike colours) or by likeness to the query.
    Instances have a colour each and, where names are given, the name that is most alike; of a query the five
    best are ringed and numbered instead. Zones are squares of the floor plan that hold instances, with the
    number of them, coloured as the patches are. Only what lies between the floor and 1.8 m above it is drawn.

    Args:
        top_down: The scene from above.
        snapshot: What is remembered.
        floor_y_m: Height of the floor that the picture shows, world frame.
        query: A phrase or a feature to look for.
        names: Phrases to name instances by; none for no names.
        zone_m: Side of the memory's zones, metres.
        height_px: Height of each of the three maps.

    Returns:
        uint8 (h, w, 3).

    Raises:
        ValueError: If the query does not fit the memory.
    """
    if query is None:
        by = "by features"
    else:
        by = f"by likeness to {query}" if isinstance(query, str) else "by likeness"
    panels = {
        f"{len(snapshot.patch_id)} patches, {by}": _patches(top_down, snapshot, floor_y_m, query, height_px),
        f"{len(snapshot.instance_ids)} instances": _instances(
            top_down, snapshot, floor_y_m, query, tuple(names), height_px
        ),
        f"{len(snapshot.zone_keys)} zones, {by}": _zones(
            top_down, snapshot, floor_y_m, query, zone_m, height_px
        ),
    }
    width = next(iter(panels.values())).width
    picture = Image.new("RGB", (3 * width + 2 * _GAP_PX, height_px + _TITLE_PX), "white")
    draw = ImageDraw.Draw(picture)
    for column, (title, panel) in enumerate(panels.items()):
        left = column * (width + _GAP_PX)
        picture.paste(panel, (left, _TITLE_PX))
        draw.text((left + 2, 4), title, fill=_INK, font=ImageFont.load_default(14))
    return np.asarray(picture)


def _patches(
    top_down: TopDown,
    snapshot: MemorySnapshot,
    floor_y_m: float,
    query: str | np.ndarray | None,
    height_px: int,
) -> Image.Image:
    floor_map = FloorMap(top_down, height_px, _PALE if query is None else _PALER)
    points_m = snapshot.xyz_m.T.cpu().numpy()
    rows = seen_from_above(points_m, floor_y_m)
    colors = point_colors(snapshot, "pca" if query is None else "query", query)
    floor_map.dots(points_m[rows], colors[rows], _DOT_PX)
    return floor_map.picture()


def _instances(
    top_down: TopDown,
    snapshot: MemorySnapshot,
    floor_y_m: float,
    query: str | np.ndarray | None,
    names: tuple[str, ...],
    height_px: int,
) -> Image.Image:
    points_m = snapshot.xyz_m.T.cpu().numpy()
    rows = seen_from_above(points_m, floor_y_m)
    points_m, ids = points_m[rows], snapshot.instance_id.cpu().numpy()[rows]
    floor_map = FloorMap(top_down, height_px, _PALE)
    floor_map.dots(points_m[ids >= 0], instance_colors(ids[ids >= 0]), _DOT_PX)
    if query is not None:
        _ring_best(floor_map, snapshot, query)
    elif names:
        own = instance_rows(snapshot)[rows]
        count = np.bincount(own[own >= 0], minlength=len(snapshot.instance_ids))
        chosen = best_names(snapshot, names)
        largest = [
            row
            for row in np.argsort(-count, kind="stable").tolist()
            if count[row] >= _FEWEST_PATCHES and chosen[row] not in BUILDING
        ]
        centres_m = snapshot.instance_xyz_m.T.cpu().numpy()
        floor_map.labels(centres_m[largest], [chosen[row] for row in largest], _INK, size_px=10)
    return floor_map.picture()


def _ring_best(floor_map: FloorMap, snapshot: MemorySnapshot, query: str | np.ndarray) -> None:
    matches = best_instances(snapshot, query)
    for rank, match in reversed(list(enumerate(matches))):
        floor_map.ring(np.array(match.xyz_m), 13 if rank == 0 else 9, _RING, 3.0 if rank == 0 else 1.5)
    centres_m = np.array([match.xyz_m for match in matches]).reshape(-1, 3)
    floor_map.labels(centres_m, [str(rank + 1) for rank in range(len(matches))], _RING, size_px=12)


def _zones(
    top_down: TopDown,
    snapshot: MemorySnapshot,
    floor_y_m: float,
    query: str | np.ndarray | None,
    zone_m: float,
    height_px: int,
) -> Image.Image:
    floor_map = FloorMap(top_down, height_px, _PALE if query is None else _PALER)
    height_m = snapshot.zone_xyz_m[1].cpu().numpy() - floor_y_m
    shown = (height_m > -BELOW_M) & (height_m < CUT_M)
    if not shown.any():
        return floor_map.picture()
    features = snapshot.zone_features.cpu().numpy()[shown]
    keys = snapshot.zone_keys.cpu().numpy()[shown]
    if query is None:
        colors = feature_colors(features)
    else:
        colors = heat_colors(features @ query_feature(query, features.shape[1]))
    cells = np.floor(snapshot.instance_xyz_m.T.cpu().numpy() / zone_m).astype(np.int64)
    held = (cells[None] == keys[:, None]).all(axis=2).sum(axis=1)
    # Of zones above each other the fullest lends its colour.
    squares: dict[tuple[int, int], int] = {}
    for row in np.argsort(held, kind="stable").tolist():
        squares[int(keys[row, 0]), int(keys[row, 2])] = row
    for (east, south), row in squares.items():
        low_m = np.array([east, 0.0, south]) * zone_m + 0.03 * zone_m
        red, green, blue = (int(channel) for channel in colors[row])
        floor_map.square(low_m, low_m + 0.94 * zone_m, (red, green, blue), opacity=0.62)
    places = np.array(list(squares), dtype=np.float64)
    centres_m = np.stack([places[:, 0] + 0.5, 0.0 * places[:, 0], places[:, 1] + 0.5], axis=1) * zone_m
    counts = [str(held[(keys[:, 0] == east) & (keys[:, 2] == south)].sum()) for east, south in squares]
    floor_map.labels(centres_m, counts, _INK, size_px=11)
    return floor_map.picture()
