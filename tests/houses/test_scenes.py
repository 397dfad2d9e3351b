from __future__ import annotations

import numpy as np
import pytest

from vlnenv.houses import house_of, load_scene
from vlnenv.houses.construction.building import build_scene

HOUSE = "houses/test/0002"


def test_a_cached_scene_is_the_scene(tmp_path, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    built, first, cached = build_scene(house_of(HOUSE)), load_scene(HOUSE), load_scene(HOUSE)
    assert len(list(tmp_path.rglob("test_0002.npz"))) == 1
    for scene in (first, cached):
        assert (scene.id, scene.key, scene.instances) == (HOUSE, built.key, built.instances)
        for name in ("vertices_m", "faces", "face_instance", "face_material", "corner_uv", "corner_rgb"):
            np.testing.assert_array_equal(getattr(scene, name), getattr(built, name), err_msg=name)
        for ours, theirs in zip(scene.materials, built.materials, strict=True):
            assert ours.base_color == theirs.base_color
            np.testing.assert_array_equal(ours.texture, theirs.texture)


def test_a_damaged_scene_is_built_again(tmp_path, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    key = load_scene(HOUSE).key
    file = next(tmp_path.rglob("test_0002.npz"))
    file.write_bytes(file.read_bytes()[:1000])
    with pytest.warns(UserWarning, match="damaged"):
        assert load_scene(HOUSE).key == key
    assert load_scene(HOUSE).key == key


def test_what_is_no_house_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    with pytest.raises(KeyError, match="houses/train/0003"):
        load_scene("houses/nowhere/1")
