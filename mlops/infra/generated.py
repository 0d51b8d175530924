"""References that are generated: written again by `mlops tree write`, and checked for staleness."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mlops import files, processes
from mlops.errors import TerminalError
from mlops.infra import gates_page, settings_page
from mlops.infra.findings import Finding

SETTINGS = "docs/reference/settings.md"
COMMANDS = "docs/reference/commands.md"
DATASET = "docs/reference/dataset.schema.json"
GATES = "docs/reference/gates.md"
MEND = "`mlops tree write` writes it again"


def pages(repository: Path) -> dict[str, Callable[[], str]]:
    """Each generated page and the function that makes its text."""
    made: dict[str, Callable[[], str]] = {
        SETTINGS: settings_page.render,
        COMMANDS: lambda: _printed(repository, "mlops.cli.reference", COMMANDS),
        DATASET: lambda: _printed(repository, "mlops.data_pipeline.reference", DATASET),
    }
    if (repository / gates_page.SOURCE).is_file():
        made[GATES] = lambda: gates_page.render(repository)
    return made


def check(repository: Path) -> Iterator[Finding]:
    """A finding for each page that is not what it would be now."""
    for name, render in pages(repository).items():
        path = repository / name
        if not path.parent.is_dir():
            continue  # a tree without a place for references has none
        if not path.exists():
            yield Finding(rule="generated", path=name, line=None, message=f"is not there; {MEND}")
            continue
        line = _first_difference(path.read_text(encoding="utf-8", errors="replace"), render())
        if line is not None:
            yield Finding(rule="generated", path=name, line=line, message=f"is stale from here on; {MEND}")


def write(repository: Path) -> list[str]:
    """Write the pages that are stale or absent; returns their names.

    Raises:
        ConfigurationError: a page cannot be written.
    """
    written = []
    for name, render in pages(repository).items():
        path, text = repository / name, render()
        if not path.exists() or path.read_text(encoding="utf-8", errors="replace") != text:
            files.write_atomic(path, text)
            written.append(name)
    return written


def _first_difference(old: str, new: str) -> int | None:
    if old == new:
        return None
    before, now = old.splitlines(), new.splitlines()
    for number, (left, right) in enumerate(zip(before, now, strict=False), start=1):
        if left != right:
            return number
    return max(1, min(len(before), len(now)))


def _printed(repository: Path, module: str, page: str) -> str:
    # The module is of a higher layer, which this one may not import; and the tree's own is
    # meant, not that of the program that checks. A process of its own gives both.
    environment = {**os.environ, "PYTHONPATH": str(repository), "NO_COLOR": "1"}
    done = processes.run([sys.executable, "-m", module], cwd=repository, env=environment)
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise TerminalError(
            f"the reference could not be made: {said[-1]}", where=page,
            mend=f"run `python -m {module}`, which shows the whole error",
        )
    return done.stdout.decode()
