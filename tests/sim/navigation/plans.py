"""Synthetic floor plans as meshes, and their exact geodesics by visibility graphs."""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra
from shapely.geometry import Polygon, box
from shapely.geometry.polygon import orient
from shapely.ops import unary_union

WALL_HEIGHT_M = 2.4
MIN_GAP_M = 0.3


def quad(a, b, c, d):
    """Two triangles of a quadrilateral: vertices (4, 3), faces (2, 3)."""
    return np.array([a, b, c, d], dtype=np.float64), np.array([[0, 1, 2], [0, 2, 3]])


def merged(parts):
    """One mesh out of several (vertices, faces)."""
    vertices, faces, count = [], [], 0
    for v, f in parts:
        vertices.append(v)
        faces.append(np.asarray(f) + count)
        count += len(v)
    return np.concatenate(vertices), np.concatenate(faces)


def plane(x0, z0, x1, z1, y=0.0):
    return quad((x0, y, z0), (x0, y, z1), (x1, y, z1), (x1, y, z0))


def block(x0, z0, x1, z1, y0, y1):
    """A closed box."""
    return prism(np.array([(x0, z0), (x1, z0), (x1, z1), (x0, z1)]), y0, y1)


def prism(outline, y0, y1):
    """A convex outline (k, 2) of x, z extruded from y0 to y1, with both caps."""
    k = len(outline)
    low = np.column_stack([outline[:, 0], np.full(k, y0), outline[:, 1]])
    high = np.column_stack([outline[:, 0], np.full(k, y1), outline[:, 1]])
    faces = []
    for i in range(k):
        j = (i + 1) % k
        faces += [(i, j, k + j), (i, k + j, k + i)]
    for i in range(1, k - 1):
        faces += [(0, i, i + 1), (k, k + i, k + i + 1)]
    return np.concatenate([low, high]), np.array(faces)


def _wall(rng, at, low, high, vertical, thickness):
    """The two pieces of a wall with a door."""
    door = rng.uniform(0.8, 1.1)
    begin = rng.uniform(low + 0.3, high - 0.3 - door)
    half = thickness / 2
    pieces = ((low, begin), (begin + door, high))
    return [
        box(at - half, a, at + half, b) if vertical else box(a, at - half, b, at + half) for a, b in pieces
    ]


def _is_apart(shape, others):
    gaps = [shape.distance(other) for other in others]
    return all(gap == 0.0 or gap >= MIN_GAP_M for gap in gaps)


class Plan:
    """A rectangle with inner walls that have doors, and convex obstacles.

    Parts touch or are `MIN_GAP_M` apart: whether a narrower gap lets the body through is up to the grid.
    """

    def __init__(self, seed: int):
        rng = np.random.default_rng(seed)
        self.width, self.depth = rng.uniform(7.0, 12.0), rng.uniform(6.0, 9.0)
        w, d, t = self.width, self.depth, 0.1
        outer = [box(-t, -t, w + t, 0), box(-t, d, w + t, d + t), box(-t, 0, 0, d), box(w, 0, w + t, d)]
        self.convex = list(outer)
        split = rng.uniform(0.35, 0.65) * w
        while True:
            walls = _wall(rng, split, 0.0, d, True, rng.uniform(0.06, 0.2))
            for low, high in ((0.0, split), (split, w)):
                if rng.random() < 0.7:
                    walls += _wall(rng, rng.uniform(0.35, 0.65) * d, low, high, False, 0.12)
            if all(_is_apart(wall, outer + walls) for wall in walls):
                break
        self.convex += walls
        for _ in range(int(rng.integers(4, 12))):
            angle = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 8))))
            outline = rng.uniform((0.0, 0.0), (w, d)) + rng.uniform(0.2, 0.9) * np.column_stack(
                [np.cos(angle), np.sin(angle)]
            )
            shape = Polygon(outline).convex_hull.intersection(box(0, 0, w, d))
            if shape.area > 0.02 and _is_apart(shape, self.convex):
                self.convex.append(orient(shape))
        self.obstacles = unary_union(self.convex)

    def mesh(self):
        parts = [plane(-0.1, -0.1, self.width + 0.1, self.depth + 0.1)]
        for shape in self.convex:
            parts.append(prism(np.asarray(shape.exterior.coords)[:-1], 0.0, WALL_HEIGHT_M))
        return merged(parts)

    def free_space(self, radius_m: float):
        """Where the body's centre may be: the exact Minkowski difference but for 24-gons instead of
        circles.
        """
        grown = self.obstacles.buffer(radius_m, quad_segs=6)
        return box(0, 0, self.width, self.depth).difference(grown)


def exact_distances(free, pairs_xz: np.ndarray) -> np.ndarray:
    """Shortest distances (n,) of pairs (n, 2, 2) of x, z in a polygonal space, by a visibility graph."""
    space = free.buffer(1e-6, join_style="mitre")  # a hair of slack: edges of the graph touch the boundary
    shapely.prepare(space)
    bends = []
    for polygon in getattr(free, "geoms", [free]):
        for inside, ring in [(1, polygon.exterior), *((-1, hole) for hole in polygon.interiors)]:
            points = np.asarray(orient(Polygon(ring)).exterior.coords)[:-1]
            before, after = points - np.roll(points, 1, axis=0), np.roll(points, -1, axis=0) - points
            turn = before[:, 0] * after[:, 1] - before[:, 1] * after[:, 0]
            # Shortest paths bend at corners that point into the free space, and nowhere else.
            bends.append(points[inside * turn < 0])
    nodes = np.concatenate([*bends, pairs_xz.reshape(-1, 2)])
    first = len(nodes) - 2 * len(pairs_xz)
    i, j = np.triu_indices(len(nodes), 1)
    useful = (j < first) | (i < first) | ((i - first) % 2 == 0) & (j == i + 1)
    i, j = i[useful], j[useful]
    seen = shapely.covers(space, shapely.linestrings(np.stack([nodes[i], nodes[j]], axis=1)))
    i, j = i[seen], j[seen]
    graph = csr_matrix((np.hypot(*(nodes[i] - nodes[j]).T), (i, j)), shape=(len(nodes), len(nodes)))
    starts = first + 2 * np.arange(len(pairs_xz))
    return dijkstra(graph, directed=False, indices=starts)[np.arange(len(pairs_xz)), starts + 1]
