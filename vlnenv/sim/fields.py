"""Navigation fields of scenes: built once, kept on disk, shared by the process, renewed after edits."""

from __future__ import annotations

import hashlib
import threading
import warnings
from collections import OrderedDict
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np

from vlnenv.cache import cache_dir, load_arrays, save_arrays
from vlnenv.sim.edits import changed_bounds, content_key, current_geometry, fingerprint, without_edits
from vlnenv.sim.naming import walkable_hint
from vlnenv.sim.scene import Scene
from vlnenv.sim.simulator import AgentBody

if TYPE_CHECKING:
    from vlnenv.sim.navigation.field import NavigationField

KEPT = 8
"""Fields that stay in memory although no simulator looked at them of late."""

_lock = threading.RLock()
_by_scene: WeakKeyDictionary[Scene, dict[AgentBody, NavigationField]] = WeakKeyDictionary()
_by_key: WeakValueDictionary[str, NavigationField] = WeakValueDictionary()
_recent: OrderedDict[str, NavigationField] = OrderedDict()


def navigation_field(scene: Scene, body: AgentBody) -> NavigationField:
    """Where `body` may walk in `scene` with its edits; equal scenes share one field.

    A field lives as long as a scene that it was asked for; the last few stay a while longer. Fields of
    unedited scenes are kept on disk under `cache_dir()/navigation`; those of edited scenes, which are made
    from them by renewing what lies in the edits' boxes, in memory only.
    """
    with _lock:
        own = _by_scene.setdefault(scene, {})
        field = own.get(body)
        if field is not None:
            return field
        key = f"{fingerprint(scene)}-{_body_key(body)}"
        field = _by_key.get(key)
        if field is None:
            field = _rebuild(scene, body) if scene.edits else _load_or_build(scene, body)
            _by_key[key] = field
        own[body] = field
        _recent[key] = field
        _recent.move_to_end(key)
        if len(_recent) > KEPT:
            _recent.popitem(last=False)
        return field


def face_hints(scene: Scene, face_instance: np.ndarray) -> np.ndarray:
    """int8 (f,): 1 where a face's class is surely a floor, -1 where surely not, 0 where unknown.

    Args:
        scene: Names the instances.
        face_instance: int (f,) instance id of each face.
    """
    highest = max([int(face_instance.max(initial=0)), *(instance.id for instance in scene.instances)])
    hint = np.zeros(highest + 1, dtype=np.int8)
    for instance in scene.instances:
        hint[instance.id] = walkable_hint(instance.category)
    return hint[face_instance]


def _rebuild(scene: Scene, body: AgentBody) -> NavigationField:
    unedited = navigation_field(without_edits(scene), body)
    vertices, faces, face_instance = current_geometry(scene)
    return unedited.rebuild(vertices, faces, face_hints(scene, face_instance), changed_bounds(scene))


def _load_or_build(scene: Scene, body: AgentBody) -> NavigationField:
    from vlnenv.sim.navigation.field import VERSION, NavigationField

    path = cache_dir() / "navigation" / f"v{VERSION}-{content_key(scene)}-{_body_key(body)}.npz"
    arrays = load_arrays(path)
    if arrays is not None:
        try:
            return NavigationField.from_arrays(arrays)
        except (KeyError, ValueError, IndexError, TypeError) as error:
            warnings.warn(f"the cache file {path} is damaged and will be made again: {error}", stacklevel=2)
    hints = face_hints(scene, scene.face_instance)
    field = NavigationField.build(scene.vertices_m, scene.faces, hints, body)
    save_arrays(path, field.to_arrays())
    return field


def _body_key(body: AgentBody) -> str:
    return hashlib.blake2b(repr(body).encode(), digest_size=6).hexdigest()
