"""Messages between two Pythons: JSON and raw arrays in length-prefixed frames, never pickles.

A frame is a head of 18 bytes (magic `VLNH`, protocol version, lengths of what follows; little endian), a JSON
object, and the bytes of its arrays one after the other. The object's "arrays" lists [name, dtype, shape].
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

PROTOCOL = 1
"""Grows with every change of the frames or of what the methods take and give."""

_MAGIC = b"VLNH"
_HEAD = struct.Struct("<4sHIQ")
_MOST_JSON = 1 << 28
_MOST_BYTES = 1 << 33
_DTYPES = ("|u1", "|b1", "<i4", "<u4", "<i8", "<f4", "<f8")


class WireError(RuntimeError):
    """What came is no frame of this protocol."""


def pack(fields: dict[str, Any]) -> bytes:
    """One frame of a message.

    Args:
        fields: Name -> numpy array, or anything that JSON holds.

    Returns:
        bytes.
    """
    plain: dict[str, Any] = {}
    listed, parts = [], []
    for name, value in fields.items():
        if isinstance(value, np.ndarray):
            array = np.ascontiguousarray(value)
            array = array.astype(array.dtype.newbyteorder("<"), copy=False).reshape(value.shape)
            if array.dtype.str not in _DTYPES:
                raise TypeError(f"array {name!r} is of type {array.dtype}, not one of {_DTYPES}")
            listed.append([name, array.dtype.str, list(array.shape)])
            parts.append(array.tobytes())
        else:
            plain[name] = value
    text = json.dumps({"fields": plain, "arrays": listed}).encode("utf-8")
    body = b"".join(parts)
    return _HEAD.pack(_MAGIC, PROTOCOL, len(text), len(body)) + text + body


def unpack(read: Callable[[int], bytes]) -> dict[str, Any]:
    """The message of the next frame.

    Args:
        read: Gives exactly that many bytes.

    Returns:
        Name -> array (writable) or JSON value.

    Raises:
        WireError: If the bytes are no frame, or of another version of the protocol.
    """
    magic, version, text_size, body_size = _HEAD.unpack(read(_HEAD.size))
    if magic != _MAGIC:
        raise WireError(
            f"expected a frame that starts with {_MAGIC!r}, got {magic!r}: something else writes to the pipe"
        )
    if version != PROTOCOL:
        raise WireError(
            f"the other side speaks version {version} of the bridge's protocol, this side {PROTOCOL}: "
            "both must be of the same vlnenv"
        )
    if text_size > _MOST_JSON or body_size > _MOST_BYTES:
        raise WireError(f"a frame of {text_size} + {body_size} bytes is too large")
    text, body = read(text_size), read(body_size)
    try:
        message = json.loads(text.decode("utf-8"))
        fields, start = dict(message["fields"]), 0
        for name, dtype, shape in message["arrays"]:
            if dtype not in _DTYPES:
                raise WireError(f"array {name!r} is of type {dtype!r}, not one of {_DTYPES}")
            array = np.empty(shape, dtype=dtype)
            array.reshape(-1).view(np.uint8)[:] = np.frombuffer(body, np.uint8, array.nbytes, start)
            fields[name] = array
            start += array.nbytes
    except (KeyError, ValueError, TypeError) as error:
        raise WireError(f"a damaged frame: {error}") from error
    if start != len(body):
        raise WireError(f"a damaged frame: {start} bytes of arrays announced, {len(body)} came")
    return fields
