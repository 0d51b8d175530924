"""What a run shows while it works: one line a step with its time, and on a terminal what runs now."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Any

from mlops.logs import colours
from mlops.pipelines.runner import NEVER
from mlops.pipelines.steps import Step
from mlops.records import Receipt

_MARKS = {"success": ("✓", "32"), "failure": ("✗", "31"), "cached": ("·", "2"), "blocked": ("-", "33")}


class Lines:
    """Progress as lines on standard error, or kept for later.

    Args:
        kept: A list that takes the lines instead of standard error.
    """

    def __init__(self, width: int = 26, kept: list[str] | None = None) -> None:
        self._live = colours()
        self._kept = kept
        self._width = width
        self._since: dict[str, float] = {}
        self._shown = False

    def started(self, step: Step, reason: str) -> None:
        """Remember since when a step runs."""
        self._since[step.id] = time.perf_counter()

    def ended(self, step: Step, receipt: Receipt) -> None:
        """One line: mark, step, seconds, what came out and why it ran."""
        self._since.pop(step.id, None)
        if receipt.outcome == "cached":
            self._line("cached", step.id, "", "up to date" + (f"  {told}" if (told := tell(receipt)) else ""))
            return
        text = tell(receipt) if receipt.outcome == "success" else first_line(receipt.error or "")
        why = f"  [{receipt.reason}]" if receipt.reason and receipt.reason != NEVER else ""
        self._line(receipt.outcome, step.id, f"{receipt.seconds:.2f} s", f"{text}{why}")

    def blocked(self, step: Step, by: str) -> None:
        """One line for a step that does not run because another one failed."""
        self._line("blocked", step.id, "", f"not run: {by} failed")

    def tick(self, running: list[Step]) -> None:
        """On a terminal, one line that is written over: what runs now, and for how long."""
        if not self._live or not running or self._kept is not None:
            return
        now = time.perf_counter()
        text = "  … " + "  ".join(f"{step.id} {now - self._since.get(step.id, now):.0f} s" for step in running)
        print(f"\r\x1b[2K{text[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        self._shown = True

    def _line(self, outcome: str, name: str, seconds: str, text: str) -> None:
        if self._shown:
            print("\r\x1b[2K", end="", file=sys.stderr)
            self._shown = False
        mark, colour = _MARKS[outcome]
        if self._live:
            mark = f"\x1b[{colour}m{mark}\x1b[0m"
        line = f"  {mark} {name:<{self._width}} {seconds:>8}  {text}".rstrip()
        if self._kept is not None:
            self._kept.append(line)
        else:
            print(line, file=sys.stderr, flush=True)


def tell(receipt: Receipt) -> str:
    """The facts of a step in a few words."""
    parts = []
    for name, value in receipt.facts.items():
        if name in _SHOWN and value not in (None, [], False, ""):
            parts.append(_SHOWN[name].format(_short(value)))
    return ", ".join(parts)


_SHOWN = {
    "rows": "{} rows", "aside": "{} set aside", "simulated": "simulated", "expectations": "{} expectations",
    "checks": "{} checks", "warnings": "warnings: {}", "version": "version {}", "quality": "quality {}",
    "verdict": "{}", "champion": "champion {}", "tests": "{}", "digest": "{}", "release": "release {}",
    "services": "{}", "proof": "{}", "engine": "engine {}",
}


def _short(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return "; ".join(str(each) for each in value)
    return str(value)[:19] if str(value).startswith("sha256:") else str(value)


def first_line(text: str) -> str:
    """The first line of an error; the whole stands in the summary."""
    return text.splitlines()[0] if text else ""
