"""Serves habitat-sim over standard input and output: `python vlnenv/sim/habitat/child`."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import BinaryIO

from wire import pack, unpack


def _reader(stream: BinaryIO) -> Callable[[int], bytes]:
    def read(count: int) -> bytes:
        data = stream.read(count)
        if len(data) < count:
            raise EOFError("the other side has closed the pipe")
        return data

    return read


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answer requests, one after the other, until the pipe is closed.

    A request names its "method"; the reply holds what the method gives, or "error" and "trace".

    Args:
        requests: Binary stream to read from.
        replies: Binary stream to write to.
    """
    worlds = None
    read = _reader(requests)
    while True:
        try:
            fields = unpack(read)
        except EOFError:
            return
        try:
            method = fields.pop("method")
            if method == "hello":
                # Imported on request, so that a missing habitat-sim is an answer and not a broken pipe.
                from worlds import HabitatWorlds

                worlds = HabitatWorlds(**fields)
            if worlds is None:
                raise ValueError(f"the first request must be 'hello', got {method!r}")
            answer = worlds.versions() if method == "hello" else worlds.call(method, fields)
        except Exception as error:  # everything goes to the other side, which raises it
            answer = {"error": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()}
        replies.write(pack(answer))
        replies.flush()


def main() -> None:
    """Take standard output for the replies alone: what habitat-sim prints goes to standard error."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests = os.fdopen(os.dup(0), "rb")
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    serve(requests, replies)
    sys.stderr.flush()


if __name__ == "__main__":
    main()
