"""What the headers of scene files say of whether the files are whole, without loading them."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path

_PLY_BYTES = {"char": 1, "uchar": 1, "int8": 1, "uint8": 1, "short": 2, "ushort": 2, "int16": 2, "uint16": 2}
_PLY_BYTES |= {
    "int": 4,
    "uint": 4,
    "int32": 4,
    "uint32": 4,
    "float": 4,
    "float32": 4,
    "double": 8,
    "float64": 8,
}


def scene_problem(path: Path) -> str | None:
    """What is wrong with a scene file, as far as its header tells without loading it; None for nothing."""
    size = path.stat().st_size
    if size == 0:
        return "the file is empty"
    suffix = path.suffix.lower()
    if suffix == ".glb":
        return _glb_problem(path, size)
    if suffix == ".ply":
        return _ply_problem(path, size)
    return None


def _glb_problem(path: Path, size: int) -> str | None:
    with path.open("rb") as stream:
        header = stream.read(12)
    if len(header) < 12 or header[:4] != b"glTF":
        return f"expected a GLB file, which begins with glTF, got {header[:4]!r}"
    length = struct.unpack("<I", header[8:12])[0]
    return None if size >= length else f"truncated: {size} of {length} bytes"


def _ply_problem(path: Path, size: int) -> str | None:
    with path.open("rb") as stream:
        head = stream.read(1 << 16)
    if not head.startswith(b"ply"):
        return f"expected a PLY file, which begins with ply, got {head[:4]!r}"
    end = re.search(rb"end_header\r?\n", head)
    if end is None:
        return "truncated: its header has no end"
    lines = head[: end.start()].decode("ascii", errors="replace").splitlines()
    if "format ascii 1.0" in lines:
        return None
    least = end.end() + sum(_ply_element_bytes(lines))
    return None if size >= least else f"truncated: {size} bytes, and its header promises at least {least}"


def _ply_element_bytes(header: list[str]) -> Iterator[int]:
    """Least bytes of each element of a binary PLY: a list takes its count, and a triangle's three entries."""
    count, stride = 0, 0
    for line in header:
        words = line.split()
        if words[:1] == ["element"]:
            yield count * stride
            count, stride = int(words[2]), 0
        elif words[:2] == ["property", "list"]:
            entries = 3 if words[4].startswith("vertex_ind") else 0
            stride += _PLY_BYTES[words[2]] + entries * _PLY_BYTES[words[3]]
        elif words[:1] == ["property"]:
            stride += _PLY_BYTES[words[1]]
    yield count * stride
