import json
import os
from pathlib import Path

import numpy as np
import pytest

from vlnenv.cache import (
    build_folder,
    cache_dir,
    cached_folder,
    load_arrays,
    open_folder,
    save_arrays,
    write_atomic,
)


def test_cache_dir_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    assert cache_dir() == tmp_path
    monkeypatch.delenv("VLNENV_CACHE")
    assert cache_dir() == Path.home() / ".cache" / "vlnenv"


def test_write_atomic_replaces_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = tmp_path / "a" / "b.bin"
    write_atomic(path, b"one")
    write_atomic(path, b"two")
    assert path.read_bytes() == b"two"

    def fail(*_):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        write_atomic(path, b"three")
    assert path.read_bytes() == b"two"
    assert os.listdir(path.parent) == ["b.bin"]


def test_arrays_round_trip(tmp_path):
    arrays = {"a": np.arange(5, dtype=np.int16), "b": np.eye(2)}
    save_arrays(tmp_path / "x.npz", arrays)
    loaded = load_arrays(tmp_path / "x.npz")
    assert loaded.keys() == arrays.keys()
    for name, array in arrays.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)
    assert load_arrays(tmp_path / "none.npz") is None


def test_no_pickles(tmp_path):
    with pytest.raises(TypeError, match="pickle"):
        save_arrays(tmp_path / "x.npz", {"a": np.array([{}], dtype=object)})
    np.savez(tmp_path / "y.npz", a=np.array([{}], dtype=object))
    with pytest.warns(UserWarning, match="damaged"):
        assert load_arrays(tmp_path / "y.npz") is None


def test_damaged_file_warns(tmp_path):
    save_arrays(tmp_path / "x.npz", {"a": np.zeros(1000)})
    content = (tmp_path / "x.npz").read_bytes()
    for damaged in (b"", b"hello", content[:500], content[:200] + b"?" + content[201:]):
        (tmp_path / "x.npz").write_bytes(damaged)
        with pytest.warns(UserWarning, match="damaged"):
            assert load_arrays(tmp_path / "x.npz") is None


def test_unwritable_folder_only_warns(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.warns(UserWarning, match="could not write"):
        save_arrays(tmp_path / "file" / "x.npz", {"a": np.zeros(1)})


def test_a_folder_appears_complete_or_not_at_all(tmp_path: Path) -> None:
    folder = tmp_path / "cache" / "walks"

    def write(building: Path) -> None:
        (building / "a").write_text("new")
        assert not (folder / "a").is_file() or (folder / "a").read_text() == "old"

    def fail(building: Path) -> None:
        (building / "a").write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        build_folder(folder, fail)
    assert not folder.exists()
    folder.mkdir()
    (folder / "a").write_text("old")
    (folder / "b").write_text("old")
    build_folder(folder, write)
    assert [(each.name, each.read_text()) for each in folder.iterdir()] == [("a", "new")]
    with pytest.raises(RuntimeError, match="disk full"):
        build_folder(folder, fail)
    assert (folder / "a").read_text() == "new"
    assert list(folder.parent.iterdir()) == [folder]


def test_a_cached_folder_is_made_once_for_its_settings(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VLNENV_CACHE", str(tmp_path))
    made: list[Path] = []

    def write(folder: Path) -> None:
        made.append(folder)
        np.save(folder / "depth.npy", np.arange(3, dtype=np.float32))
        (folder / "index.json").write_text(json.dumps({"arrays": ["depth"], "scenes": 2}))

    first = cached_folder("views", {"scenes": 2, "seed": 0}, write)
    assert cached_folder("views", {"seed": 0, "scenes": 2}, write) == first, "whatever their order"
    assert cached_folder("views", {"scenes": 2, "seed": 1}, write) != first
    assert len(made) == 2

    index, arrays = open_folder(first)
    assert index["scenes"] == 2
    np.testing.assert_array_equal(arrays["depth"], [0, 1, 2])
    with pytest.raises(ValueError):
        arrays["depth"][0] = 1
