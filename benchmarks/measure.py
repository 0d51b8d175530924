"""Whole processes, timed in interleaved rounds by the operating system's own accounting."""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True)
class Figures:
    """Medians over rounds, with the smallest and largest: seconds of wall clock and of CPU, and peak memory in MiB."""

    wall: list[float]
    cpu: list[float]
    memory: list[float]

    def median(self, name: str) -> float:
        return statistics.median(getattr(self, name))


def processes(commands: Mapping[str, Sequence[str]], *, rounds: int = 7) -> dict[str, Figures]:
    """Run each command once a round, in turn, after one uncounted round.

    Raises:
        RuntimeError: a command ended with an error; a figure of it would mean nothing.
    """
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            figures = _once(name, command)
            if number:
                found[name].append(figures)
    return {name: Figures(*(list(column) for column in zip(*rows, strict=True))) for name, rows in found.items()}


def _once(name: str, command: Sequence[str]) -> tuple[float, float, float]:
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"{name}: {' '.join(command)} ended with {child.returncode}")
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mib


def table(title: str, figures: Mapping[str, Figures], *, against: str) -> str:
    """The figures as text, each with its ratio to the row named `against`."""
    base = figures[against].median("wall")
    width = max(map(len, figures))
    lines = [title, f"  {'':<{width}}  {'wall ms (min–max)':>24}  {'CPU ms':>8}  {'peak MiB':>8}  {'wall ratio':>10}"]
    for name, each in figures.items():
        spread = f"{each.median('wall') * 1e3:.0f} ({min(each.wall) * 1e3:.0f}–{max(each.wall) * 1e3:.0f})"
        lines.append(
            f"  {name:<{width}}  {spread:>24}  {each.median('cpu') * 1e3:>8.0f}  {each.median('memory'):>8.0f}  "
            f"{each.median('wall') / base:>9.2f}x"
        )
    return "\n".join(lines)
