"""Scenes made ready for ray casting, held once per process however many environments use them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from vlnenv.sim.edits import content_key
from vlnenv.sim.rays import Hits, RayMesh, box_exit, instance_image, rays_in_frame
from vlnenv.sim.scene import Scene
from vlnenv.sim.shading import Look, shade

KEPT = 4
"""Scenes that stay prepared after the last `Scene` object with their key is gone."""
_PATCHES_KEPT = 32
_MARGIN_M = 1e-3


@dataclass(eq=False)
class SceneHits:
    """What n rays hit in a scene with all its edits."""

    hits: Hits
    instance: np.ndarray
    """int32 (n,) instance ids; 0 for nothing."""
    sources: list[PreparedScene]
    """The scenes whose faces `hits.face` numbers."""
    source: np.ndarray | None
    """int32 (n,) index into `sources`; None when there is only the first."""

    def colors(self, direction: np.ndarray, footprint_m: np.ndarray) -> np.ndarray:
        """uint8 (n, 3) sRGB; see `shading.shade`."""
        h = self.hits
        rgb = shade(self.sources[0].look, *self._of(0), h.u, h.v, h.normal, direction, footprint_m)
        for index in range(1, len(self.sources)):
            rows = np.flatnonzero(self.source == index)
            if len(rows):
                rgb[rows] = shade(
                    self.sources[index].look,
                    h.face[rows], h.u[rows], h.v[rows], h.normal[rows], direction[rows], footprint_m[rows],
                )  # fmt: skip
        return rgb

    def _of(self, index: int) -> tuple[np.ndarray]:
        """Faces, -1 for those of other sources."""
        if self.source is None:
            return (self.hits.face,)
        return (np.where(self.source == index, self.hits.face, np.int32(-1)),)


class PreparedScene:
    """Search trees and packed looks of a scene at rest, each built when first needed and then shared.

    An instance that was moved or removed is masked: a ray that hits it at its rest place is cast again, first
    against the other faces near that place (a small tree, exact where surfaces touch), then against the whole
    scene from behind the place. Moved and added instances have a small tree each, in their rest frame.
    """

    def __init__(self, scene: Scene) -> None:
        # The arrays and not the scene: the scene keeps this object alive, not the other way round.
        self.vertices_m, self.faces, self.face_instance = scene.vertices_m, scene.faces, scene.face_instance
        self._look_scene: Scene | None = _only_looks(scene)
        self._instances: dict[int, tuple[RayMesh, np.ndarray]] = {}
        self._boxes: dict[int, np.ndarray] = {}
        self._patches: OrderedDict[tuple[int, frozenset[int]], RayMesh] = OrderedDict()

    @cached_property
    def mesh(self) -> RayMesh:
        """The whole scene."""
        return RayMesh(self.vertices_m, self.faces)

    @cached_property
    def look(self) -> Look:
        """Colours."""
        assert self._look_scene is not None
        look = Look.of(self._look_scene)
        self._look_scene = None
        return look

    @cached_property
    def _faces_by_instance(self) -> tuple[np.ndarray, np.ndarray]:
        """Faces in the order of their instances, and where each instance's begin."""
        order = np.argsort(self.face_instance, kind="stable").astype(np.int32)
        highest = int(self.face_instance.max(initial=0))
        return order, np.searchsorted(self.face_instance[order], np.arange(highest + 2))

    @cached_property
    def _face_bounds(self) -> tuple[np.ndarray, np.ndarray]:
        """float32 (f, 3) lower and upper corners of the faces' boxes."""
        corners = self.vertices_m[self.faces]
        return corners.min(axis=1), corners.max(axis=1)

    def instance(self, instance_id: int) -> tuple[RayMesh, np.ndarray]:
        """One instance's own tree in its rest frame, and its box float64 (2, 3) there."""
        if instance_id not in self._instances:
            rows = self._instance_faces(instance_id)
            self._instances[instance_id] = (
                RayMesh(*_compact(self.vertices_m, self.faces[rows]), rows),
                self._instance_box(instance_id),
            )
        return self._instances[instance_id]

    def cast(self, scene: Scene, origin: np.ndarray, direction: np.ndarray) -> SceneHits:
        """Nearest hits of float32 rays (n, 3) in a scene, edited or not, whose unedited form this is."""
        hits = self.mesh.cast(origin, direction)
        instance = instance_image(hits.face, self.face_instance)
        if not scene.edits:
            return SceneHits(hits, instance, [self], None)
        hidden = frozenset(i for i in scene.edits if i not in scene.added)
        if hidden:
            self._look_behind(hidden, origin, direction, hits, instance)
        sources = [self]
        source = np.zeros(len(origin), dtype=np.int32)
        for number, matrix in scene.edits.items():
            if matrix is None:
                continue
            own_scene, own_id = scene.added.get(number, (scene, number))
            prepared = self if number not in scene.added else prepare(own_scene)
            if prepared not in sources:
                sources.append(prepared)
            mesh, box = prepared.instance(own_id)
            inverse = np.linalg.inv(matrix)
            rows, local_origin, local_direction = rays_in_frame(origin, direction, inverse, *box)
            found = mesh.cast(local_origin, local_direction)
            nearer = np.flatnonzero((found.face >= 0) & (found.t < hits.t[rows]))
            rows = rows[nearer]
            # Normals go by the inverse transpose.
            found.normal = found.normal @ inverse[:3, :3].astype(np.float32)
            hits.take(rows, found, nearer)
            instance[rows] = number
            source[rows] = sources.index(prepared)
        return SceneHits(hits, instance, sources, source)

    def _look_behind(
        self,
        hidden: frozenset[int],
        origin: np.ndarray,
        direction: np.ndarray,
        hits: Hits,
        instance: np.ndarray,
    ) -> None:
        """Replace hits on hidden instances by what lies behind them, in place."""
        is_hidden = np.zeros(int(self.face_instance.max(initial=0)) + 1, dtype=bool)
        is_hidden[[i for i in hidden if i < len(is_hidden)]] = True
        pending = np.flatnonzero(is_hidden[instance])
        blocker = instance[pending]
        hits.t[pending], hits.face[pending], instance[pending] = np.float32(1e37), -1, 0
        # Each round takes a ray past the box of one hidden instance, which it never meets again.
        while len(pending):
            next_pending, next_blocker = [], []
            for number in np.unique(blocker).tolist():
                rows = pending[blocker == number]
                o, d = origin[rows], direction[rows]
                near = self._patch(number, hidden).cast(o, d)
                better = np.flatnonzero(near.t < hits.t[rows])
                hits.take(rows[better], near, better)
                low, high = self._instance_box(number)
                exit_t = box_exit(o, d, low - _MARGIN_M, high + _MARGIN_M)
                far = self.mesh.cast(o + d * exit_t[:, None], d)
                far.t += exit_t
                better = np.flatnonzero((far.face >= 0) & (far.t < hits.t[rows]))
                again = is_hidden[self.face_instance[far.face[better]]]
                hits.take(rows[better[~again]], far, better[~again])
                next_pending.append(rows[better[again]])
                next_blocker.append(self.face_instance[far.face[better[again]]])
                instance[rows] = instance_image(hits.face[rows], self.face_instance)
            pending, blocker = np.concatenate(next_pending), np.concatenate(next_blocker)

    def _patch(self, instance_id: int, hidden: frozenset[int]) -> RayMesh:
        """Tree of the faces, hidden instances' apart, that reach into the neighbourhood of an instance."""
        low, high = self._instance_box(instance_id)
        low, high = low - 2.0 * _MARGIN_M, high + 2.0 * _MARGIN_M
        reaching = frozenset(
            i
            for i in hidden
            if ((self._instance_box(i)[0] <= high) & (self._instance_box(i)[1] >= low)).all()
        )
        key = (instance_id, reaching)
        if key in self._patches:
            self._patches.move_to_end(key)
            return self._patches[key]
        face_low, face_high = self._face_bounds
        inside = ((face_low <= high) & (face_high >= low)).all(axis=1)
        rows = np.flatnonzero(inside)
        rows = rows[~np.isin(self.face_instance[rows], list(reaching))].astype(np.int32)
        patch = RayMesh(*_compact(self.vertices_m, self.faces[rows]), rows)
        self._patches[key] = patch
        if len(self._patches) > _PATCHES_KEPT:
            self._patches.popitem(last=False)
        return patch

    def _instance_faces(self, instance_id: int) -> np.ndarray:
        order, start = self._faces_by_instance
        if not 0 <= instance_id < len(start) - 1:
            return order[:0]
        return order[start[instance_id] : start[instance_id + 1]]

    def _instance_box(self, instance_id: int) -> np.ndarray:
        if instance_id not in self._boxes:
            corners = self.vertices_m[self.faces[self._instance_faces(instance_id)].reshape(-1)]
            box = np.stack([corners.min(axis=0), corners.max(axis=0)]) if len(corners) else np.zeros((2, 3))
            self._boxes[instance_id] = box.astype(np.float64)
        return self._boxes[instance_id]


_lock = threading.RLock()
_by_scene: WeakKeyDictionary[Scene, PreparedScene] = WeakKeyDictionary()
_by_key: WeakValueDictionary[str, PreparedScene] = WeakValueDictionary()
_recent: OrderedDict[str, PreparedScene] = OrderedDict()


def prepare(scene: Scene) -> PreparedScene:
    """The prepared form of a scene, shared by all scenes of the process with the same key, edited or not.

    It lives as long as one of them does; the last few stay a while longer.
    """
    with _lock:
        prepared = _by_scene.get(scene)
        if prepared is None:
            key = content_key(scene)
            prepared = _by_key.get(key)
            if prepared is None:
                prepared = PreparedScene(scene)
                _by_key[key] = prepared
            _by_scene[scene] = prepared
            _recent[key] = prepared
            _recent.move_to_end(key)
            if len(_recent) > KEPT:
                _recent.popitem(last=False)
        return prepared


def forget_prepared() -> None:
    """Drop the scenes that only stay prepared because they were used of late."""
    with _lock:
        _recent.clear()


def _only_looks(scene: Scene) -> Scene:
    """A private copy (sharing arrays) from which the looks are packed later; it has no weak reference."""
    return Scene(
        scene.id, scene.vertices_m, scene.faces, scene.face_instance, scene.face_material,
        scene.corner_uv, scene.corner_rgb, scene.materials, (), scene.key,
    )  # fmt: skip


def _compact(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that faces use, and the faces in their numbering."""
    used, local = np.unique(faces, return_inverse=True)
    return vertices[used], local.reshape(-1, 3).astype(np.int32)
