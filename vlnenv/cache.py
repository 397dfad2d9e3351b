"""Where prepared things are kept between runs, and how files are written so that none is ever half there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np


def cache_dir() -> Path:
    """Folder for prepared scenes and the like: `VLNENV_CACHE` if set, else `~/.cache/vlnenv`.

    It need not exist yet; everything in it can be deleted at any time and is then made again.
    """
    configured = os.environ.get("VLNENV_CACHE")
    return Path(configured).expanduser() if configured else Path.home() / ".cache" / "vlnenv"


def write_atomic(path: str | Path, content: bytes) -> None:
    """Write a file so that a reader sees the old content or all of the new one, never a part.

    Args:
        path: The file; its folder is created where missing.
        content: All of its bytes.

    Raises:
        OSError: If the folder cannot be written to; nothing is left behind.
    """
    _write_atomic(Path(path), lambda stream: stream.write(content))


def _write_atomic(path: Path, write: Callable[[BinaryIO], object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, because os.replace is atomic only within one file system.
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
        # mkstemp makes the file private; a cache may be shared, so give it the usual permissions.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def build_folder(folder: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill a folder that then appears complete, in place of an older one, or not at all.

    Args:
        folder: The folder; its parents are created where missing.
        write: Gets the path of an empty folder beside it.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        write(building)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(building, folder)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def settings_key(settings: Mapping[str, Any]) -> str:
    """First 16 hexadecimal digits of the SHA-256 of settings as JSON: the name of what follows from them."""
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def cached_folder(kind: str, settings: Mapping[str, Any], write: Callable[[Path], object]) -> Path:
    """The folder of that kind and settings in the cache, made now where it is not there.

    Args:
        kind: Name of the folder above it.
        settings: All that its contents depend on, JSON values.
        write: Fills an empty folder, `index.json` included.
    """
    folder = cache_dir() / kind / settings_key(settings)
    if not (folder / "index.json").is_file():
        build_folder(folder, write)
    return folder


def open_folder(folder: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The `index.json` of a folder, and the arrays that its "arrays" names, memory-mapped and read-only."""
    index: dict[str, Any] = json.loads((folder / "index.json").read_text())
    arrays = {
        name: np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in index["arrays"]
    }
    return index, arrays


def save_arrays(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays atomically as an uncompressed `.npz` without pickles.

    A cache that cannot be written (full disk, read-only home) is no reason to stop: it warns instead.
    """
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"array {name!r} holds Python objects, which would need a pickle")
    try:
        _write_atomic(Path(path), lambda stream: np.savez(stream, **dict(arrays)))  # type: ignore[arg-type]
    except OSError as error:
        warnings.warn(f"could not write the cache file {path}: {error}", stacklevel=2)


def load_arrays(path: str | Path) -> dict[str, np.ndarray] | None:
    """Named arrays of a cache file.

    Returns:
        None where there is no such file, or, with a warning, where it is damaged: the caller makes it again.
    """
    path = Path(path)
    if not path.exists():
        return None
    try:
        # np.load leaves a file that it opened itself open when it fails.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        warnings.warn(f"the cache file {path} is damaged and will be made again: {error}", stacklevel=2)
        return None
