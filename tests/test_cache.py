import os
from pathlib import Path

import numpy as np
import pytest

from vlnenv.cache import cache_dir, load_arrays, save_arrays, write_atomic


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
