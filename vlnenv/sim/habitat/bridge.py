"""A habitat-sim that lives in another Python: a child process, asked over pipes."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import IO, Any, Protocol

from vlnenv.sim.habitat.child.wire import WireError, pack, unpack

CHILD = Path(__file__).parent / "child"
"""The folder that the other Python runs."""
START_S = 120.0
"""Seconds for the other Python to start and to import habitat-sim."""
_TAIL_LINES = 15
_DROPPED_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")


class HabitatError(RuntimeError):
    """Habitat failed, or the process that it runs in."""


class Worlds(Protocol):
    """What `child.worlds.HabitatWorlds` and `Bridge` have in common."""

    def versions(self) -> dict[str, Any]:
        """Of habitat-sim and of its Python."""
        ...

    def call(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Call one of the worlds' methods."""
        ...

    def close(self) -> Any:
        """Close all scenes."""
        ...


class Bridge:
    """Runs `child` in another Python and forwards calls to its `HabitatWorlds`.

    The child sees the environment without PYTHONPATH and PYTHONHOME, which are meant for this Python.

    Args:
        python: The other interpreter, or a script that starts it.
        gpu_device_id: See `HabitatWorlds`.
        kept: See `HabitatWorlds`.
        timeout_s: Longest wait for an answer.

    Raises:
        FileNotFoundError: If there is no such interpreter.
        ImportError: If it has no habitat-sim.
        HabitatError: If it does not start, or has another version of the bridge.
    """

    def __init__(self, python: str, gpu_device_id: int, kept: int, timeout_s: float) -> None:
        self.python = python
        self.timeout_s = timeout_s
        self._lock = threading.Lock()
        self._failure = ""
        # A file and not a pipe: nobody empties a pipe while an answer is awaited.
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  # closed by close()
        environment = {k: v for k, v in os.environ.items() if k not in _DROPPED_VARIABLES}
        try:
            self._process = subprocess.Popen(
                [python, str(CHILD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                bufsize=0,
                env=environment,
            )
        except OSError as error:
            self._log.close()
            raise FileNotFoundError(
                f"cannot start {python!r}, which simulator='habitat:{python}' names: {error}"
            ) from error
        try:
            hello = {"gpu_device_id": gpu_device_id, "kept": kept}
            self._versions = self._ask({"method": "hello", **hello}, max(START_S, timeout_s))
        except BaseException:
            self.close()
            raise

    def versions(self) -> dict[str, Any]:
        """Of habitat-sim and of its Python."""
        return self._versions

    def call(self, method: str, fields: dict[str, Any]) -> dict[str, Any]:
        """Call a method of the child's `HabitatWorlds`.

        Raises:
            HabitatError: If the method fails there, or the child has died, hangs or says what is no answer.
                After anything but the first the bridge stays closed.
        """
        return self._ask({"method": method, **fields}, self.timeout_s)

    def close(self) -> None:
        """End the child; calling it twice is harmless."""
        if self._failure and self._log.closed:
            return
        self._failure = self._failure or "it was closed"
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()
        try:
            self._process.wait(timeout=5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def __del__(self) -> None:
        if hasattr(self, "_process"):
            self.close()

    def _ask(self, fields: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        with self._lock:
            if self._failure:
                raise HabitatError(f"the habitat process cannot be asked any more: {self._failure}")
            deadline = time.monotonic() + timeout_s
            try:
                self._write(pack(fields), deadline)
                answer = unpack(lambda count: self._read(count, deadline))
            except (WireError, OSError, EOFError, TimeoutError) as error:
                self._failure = self._diagnosis(error, str(fields["method"]))
                self.close()
                raise HabitatError(self._failure) from error
        if "error" in answer:
            error_text = str(answer["error"])
            if error_text.startswith(("ImportError", "ModuleNotFoundError")):
                raise ImportError(f"{self.python} has no habitat-sim ({error_text}). See docs/habitat.md.")
            raise HabitatError(f"{error_text}\nIn {self.python}:\n{answer['trace']}")
        return answer

    def _write(self, data: bytes, deadline: float) -> None:
        assert self._process.stdin is not None
        handle = self._process.stdin.fileno()
        view = memoryview(data)
        while view:
            _, ready, _ = select.select([], [handle], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("it does not read what it is asked")
            # A pipe that is ready takes PIPE_BUF bytes without blocking.
            view = view[os.write(handle, view[: select.PIPE_BUF]) :]

    def _read(self, count: int, deadline: float) -> bytes:
        assert self._process.stdout is not None
        handle = self._process.stdout.fileno()
        data = bytearray()
        while len(data) < count:
            ready, _, _ = select.select([handle], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise TimeoutError("it gave no answer in time")
            part = os.read(handle, min(count - len(data), 1 << 20))
            if not part:
                raise EOFError("it ended")
            data += part
        return bytes(data)

    def _diagnosis(self, error: Exception, method: str) -> str:
        """What went wrong, with the last lines that the child wrote; it is dead or will be."""
        if isinstance(error, TimeoutError):
            self._process.kill()
        try:
            code: int | None = self._process.wait(timeout=1.0)
        except subprocess.TimeoutExpired:
            code = None
            self._process.kill()
        self._log.seek(0)
        tail = self._log.read().decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        state = f" (exit code {code})" if code is not None and not isinstance(error, TimeoutError) else ""
        said = "\n  ".join(["", *tail]) if tail else " nothing"
        return f"{self.python} failed at {method!r}: {error}{state}. Its last words:{said}"
