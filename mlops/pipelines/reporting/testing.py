"""JUnit and coverage files, as pytest and coverage.py write them; a damaged one is told, not raised."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.records.report import TestReport

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_MOST = 32 * 1024**2  # bytes of a file that is read
_SHOWN = 20


def reports(folder: Path, names: Iterable[str]) -> list[TestReport]:
    """The reports `NAME.xml` below `folder` that are there."""
    return [_report(path) for path in (folder / f"{name}.xml" for name in names) if path.is_file()]


def coverage(path: Path) -> float | None:
    """The share of lines in a Cobertura file; None where there is none that can be read."""
    root = _root(path)
    try:
        share = float(root.get("line-rate", "")) if root is not None else math.nan
    except ValueError:
        return None
    return share if 0.0 <= share <= 1.0 else None


def _root(path: Path) -> Element | None:
    from xml.etree import ElementTree

    try:
        if path.stat().st_size > _MOST:
            return None
        return ElementTree.fromstring(path.read_bytes())  # expat bounds what entities may grow to
    except (OSError, ElementTree.ParseError, ValueError):
        return None


def _report(path: Path) -> TestReport:
    root = _root(path)
    if root is None:  # a run that was killed leaves half a file, or an empty one
        return TestReport(
            name=path.stem, tests=0, failures=0, errors=1, skipped=0, seconds=0.0,
            failed=[(path.name, "the report cannot be read: the tests did not come to their end")],
        )
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    names = ("tests", "failures", "errors", "skipped")
    counts = {name: sum(_whole(each.get(name)) for each in suites) for name in names}
    failed = []
    for case in root.iter("testcase"):
        for kind in ("failure", "error"):
            found = case.find(kind)
            if found is not None:
                why = (found.get("message") or found.text or "").strip().splitlines()
                name = f"{case.get('classname', '')}::{case.get('name', '')}"
                failed.append((name[:300], why[0][:300] if why else kind))
    return TestReport(
        name=path.stem, seconds=sum(_seconds(each.get("time")) for each in suites), failed=failed[:_SHOWN], **counts
    )


def _whole(value: str | None) -> int:
    return int(value) if value and value.isdigit() else 0


def _seconds(value: str | None) -> float:
    try:
        found = float(value or 0)
    except ValueError:
        return 0.0
    return found if math.isfinite(found) else 0.0
