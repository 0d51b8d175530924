"""Drift between two samples of twelve columns: a stored reference sketch beside Evidently and SciPy."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import peers
from benchmarks.drift_streams import stream

ROUNDS = {100_000: 7, 1_000_000: 3}
"""Rounds at a number of rows on each side; every contender runs once a round, after one uncounted round."""
OURS, PEERS = ("ours", "ours_both"), ("evidently", "scipy")
TITLES = {
    "ours": "reference sketch stored, current side", "ours_both": "both sides sketched",
    "evidently": "Evidently, default", "scipy": "SciPy, five statistics",
}
_ROOT = Path(__file__).resolve().parents[1]


def report() -> str:
    """Medians, and ratios to our stored reference, of rounds in which all contenders ran one after the other."""
    return "\n\n".join(_table(rows, figures) for rows, figures in measure(ROUNDS).items())


def measure(rounds: Mapping[int, int]) -> dict[int, dict[str, list[tuple[float, float]]]]:
    """Rows → contender → (wall, CPU) seconds of each round."""
    found: dict[int, dict[str, list[tuple[float, float]]]] = {}
    with tempfile.TemporaryDirectory(prefix="mlops-bench-drift-") as name:
        folder = Path(name)
        for rows in rounds:
            _write(folder, rows)
        with _worker(sys.executable, folder) as mine, _worker(peers.python(), folder) as theirs:
            for rows, count in rounds.items():
                figures = found[rows] = {each: [] for each in (*OURS, *PEERS)}
                for number in range(count + 1):
                    for each in figures:
                        answer = _ask(mine if each in OURS else theirs, each, rows)
                        if number:
                            figures[each].append(answer)
    return found


def _write(folder: Path, rows: int) -> None:
    from mlops.drift import Sketch

    before, current = stream(rows, 1), stream(rows, 2)
    before.write_parquet(folder / f"{rows}.before.parquet")
    current.write_parquet(folder / f"{rows}.current.parquet")
    Sketch.of(before).save(folder / f"{rows}.sketch.json")


@contextmanager
def _worker(python: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    environment = os.environ | {"PYTHONPATH": str(_ROOT), "DO_NOT_TRACK": "1"}
    command = [python, "-W", "ignore", "-m", "benchmarks.drift_worker", str(folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _ask(process: subprocess.Popen[str], name: str, rows: int) -> tuple[float, float]:
    assert process.stdin and process.stdout
    process.stdin.write(f"{name} {rows}\n")
    process.stdin.flush()
    answer: Any = process.stdout.readline()
    if not answer:
        raise RuntimeError(f"{name} ended without an answer; what it said stands above")
    wall, used = json.loads(answer)
    return wall, used


def _table(rows: int, figures: dict[str, list[tuple[float, float]]]) -> str:
    lines = [
        f"Drift, {rows:,} rows against {rows:,}, 12 columns, {len(figures['ours'])} interleaved rounds",
        f"  {'':<38}  {'wall s (min–max)':>24}  {'CPU s':>8}  {'times ours, wall (min–max)':>28}  {'CPU':>7}",
    ]
    for name, rounds in figures.items():
        wall, used = zip(*rounds, strict=True)
        times = [one / mine for (one, _), (mine, _) in zip(rounds, figures["ours"], strict=True)]
        cpu = [one / mine for (_, one), (_, mine) in zip(rounds, figures["ours"], strict=True)]
        spread = f"{statistics.median(wall):.3f} ({min(wall):.3f}–{max(wall):.3f})"
        ratio = f"{statistics.median(times):.1f}x ({min(times):.1f}–{max(times):.1f})"
        lines.append(
            f"  {TITLES[name]:<38}  {spread:>24}  {statistics.median(used):>8.3f}  {ratio:>28}  "
            f"{statistics.median(cpu):>6.1f}x"
        )
    return "\n".join(lines)
