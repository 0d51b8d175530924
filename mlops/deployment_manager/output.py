"""A service's output in a file that does not grow without end. Standard library only."""

from __future__ import annotations

import collections
import os
import threading
from pathlib import Path

LARGEST = 4 << 20
"""Bytes of a log before it becomes `NAME.log.1`; the one before that is dropped."""


class Log:
    """One file that several processes' output goes into, with the last lines kept for error messages."""

    def __init__(self, path: Path, largest: int = LARGEST) -> None:
        self.path = path
        self._largest = largest
        self._lock = threading.Lock()

    def write(self, data: bytes) -> None:
        """Append; a full disk or a missing folder loses the line and stops nobody."""
        with self._lock:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                if self.path.exists() and self.path.stat().st_size + len(data) > self._largest:
                    os.replace(self.path, self.path.with_name(f"{self.path.name}.1"))
                with self.path.open("ab") as file:
                    file.write(data)
            except OSError:
                return


class Pump:
    """Carries what a process prints into its log, in a thread of its own."""

    def __init__(self, source: int, log: Log) -> None:
        self._last: collections.deque[bytes] = collections.deque(maxlen=8)
        self._thread = threading.Thread(target=self._run, args=(source, log), daemon=True)
        self._thread.start()

    def _run(self, source: int, log: Log) -> None:
        rest = b""
        while chunk := os.read(source, 1 << 16):
            log.write(chunk)
            *whole, rest = (rest + chunk)[-(1 << 16):].split(b"\n")
            self._last.extend(line for line in whole if line.strip())
        if rest.strip():
            self._last.append(rest)
        os.close(source)

    def last(self) -> str:
        """The last lines of the process, once it has ended and its output is read."""
        self._thread.join(timeout=1.0)
        return b"\n".join(self._last).decode(errors="replace")
