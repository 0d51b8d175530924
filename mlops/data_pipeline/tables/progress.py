"""A line on standard error now and then, where work is long."""

from __future__ import annotations

import time

from mlops import logs

QUIET = 3.0
"""Seconds between two lines of progress, and before the first."""


class Progress:
    """Tells how far work on rows is.

    Args:
        name: The data set.
        doing: What is done to its rows, such as `read`.
        total: How many there are, where that is known.
    """

    def __init__(self, name: str, doing: str, total: int = 0) -> None:
        self._name, self._doing, self._start = name, doing, time.monotonic()
        self._total = f" of {total:,}" if total else ""
        self._next = self._start + QUIET

    def say(self, rows: int) -> None:
        """So many rows are done."""
        now = time.monotonic()
        if now >= self._next:
            self._next = now + QUIET
            logs.say(f"{self._name}: {rows:,}{self._total} rows {self._doing} in {now - self._start:.0f} s")
