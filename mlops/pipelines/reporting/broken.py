"""From a validation result to the expectations that do not hold, each with its line in the suite's file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mlops import documents, product
from mlops.errors import MlopsError
from mlops.positions import entry_lines
from mlops.records.report import BrokenExpectation

_MOST = 64 * 1024**2
_TOLD = 300


def broken_expectations(
    repository: Path, dataset: str, folder: Path
) -> tuple[dict[str, Any], list[BrokenExpectation]]:
    """The statistics of the validation result in `folder`, and what it says is broken; nothing where it has none."""
    try:
        path = folder / "validation.json"
        document = json.loads(path.read_bytes()) if path.stat().st_size <= _MOST else None
    except (OSError, ValueError):
        return {}, []
    if not isinstance(document, dict):
        return {}, []
    statistics = document.get("statistics")
    return statistics if isinstance(statistics, dict) else {}, list(broken(repository, dataset, document))


def broken(repository: Path, dataset: str, document: dict[str, Any]) -> Iterator[BrokenExpectation]:
    """What a validation result (Great Expectations' JSON) on a data set says is broken."""
    suite = suite_file(repository, dataset)
    lines = _lines(repository / suite)
    for result in document.get("results") or []:
        if not isinstance(result, dict):
            continue
        config = result.get("expectation_config") or {}
        line = _take(lines, config)  # of those that hold, too: the same expectation may stand twice
        if result.get("success") is not True:
            yield _broken(result, config, suite, line)


def suite_file(repository: Path, dataset: str) -> str:
    """The suite of a data set, as a path in the repository; the data set's own file where it names none."""
    config = f"{product.DATASETS}/{dataset}.yaml"
    try:
        return str(documents.mapping(repository / config).get("suite") or config)
    except MlopsError:  # the step that reads it says what is wrong with it
        return config


def _broken(result: dict[str, Any], config: dict[str, Any], suite: str, line: int) -> BrokenExpectation:
    kwargs, details = config.get("kwargs") or {}, result.get("result") or {}
    columns = [kwargs[name] for name in ("column", "column_A", "column_B") if isinstance(kwargs.get(name), str)]
    columns = columns or [str(each) for each in kwargs.get("column_list") or kwargs.get("column_set") or []]
    return BrokenExpectation(
        expectation=str(config.get("type") or "?"), column=", ".join(columns)[:_TOLD],
        severity=str(config.get("severity") or "critical"), unexpected=_count(details.get("unexpected_count")),
        elements=_count(details.get("element_count")), told=_told(result, details)[:_TOLD], file=suite, line=line,
    )


def _told(result: dict[str, Any], details: dict[str, Any]) -> str:
    exception = result.get("exception_info") or {}
    if exception.get("raised_exception"):
        return " ".join(str(exception.get("exception_message") or "could not be evaluated").split())
    values = details.get("partial_unexpected_list") or []
    if values:
        rows = [index + 1 for index in details.get("partial_unexpected_index_list") or [] if isinstance(index, int)]
        first = ", ".join(dict.fromkeys(_value(each) for each in values[:5]))
        return f"such as {first}" + (f" (rows {', '.join(map(str, rows[:5]))})" if rows else "")
    found = details.get("observed_value")
    return f"found {_value(found)}" if found is not None else ""


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _lines(path: Path) -> list[tuple[str, dict[str, Any], int]]:
    """Type, arguments and line of each expectation of a suite's file; none where it cannot be read."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        expectations = json.loads(text).get("expectations")
    except (OSError, ValueError, AttributeError):
        return []
    if not isinstance(expectations, list):
        return []
    stated = zip(expectations, entry_lines(text, "expectations", "type"), strict=True)
    return [(str(each.get("type")), each.get("kwargs") or {}, line) for each, line in stated if isinstance(each, dict)]


def _take(lines: list[tuple[str, dict[str, Any], int]], config: dict[str, Any]) -> int:
    """The line of the first expectation like `config` that was not taken yet; 0 where there is none."""
    kwargs = {name: value for name, value in (config.get("kwargs") or {}).items() if name != "batch_id"}
    for exact in (True, False):  # Great Expectations adds defaults to the arguments that a suite names
        for index, (kind, declared, line) in enumerate(lines):
            same = declared == kwargs if exact else all(kwargs.get(name) == value for name, value in declared.items())
            if kind == config.get("type") and same:
                del lines[index]
                return line
    return 0
