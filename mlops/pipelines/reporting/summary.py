"""A pipeline's report as Markdown: for the step's summary, and as a part of the pull request's comment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from mlops import markdown as md
from mlops.errors import ConfigurationError
from mlops.records.report import BrokenExpectation, DataReport, ModelReport, PipelineReport, StepReport, TestReport

MOST = 1024 * 1024
"""Bytes that GitHub takes as one step's summary; of a larger one it shows nothing at all."""
_ROOM = 4096
_MARKS = {"success": "✅", "failure": "❌", "cached": "✅", "blocked": "⏸️"}
_ROWS = 25
_GOOD = ("first", "better", "equal", "inconclusive")


def render(report: PipelineReport) -> str:
    """The whole summary of a pipeline."""
    heads = {"success": "✅ passed", "failure": "❌ failed", "none": "➖ nothing ran"}
    head = "✅ its tests passed" if report.outcome == "success" and not report.steps else heads[report.outcome]
    lines = [f"## {report.pipeline} pipeline: {head}", ""]
    lines += ["The run did not come to its end: it was cancelled, killed, or ran out of time.", ""] * report.killed
    if report.outcome == "none":
        lines += ["No step left a receipt and no test left a report: the job ended before them. Its log says why.", ""]
    lines += failures(report) + data(report.data) + models(report.models) + tests(report) + steps(report)
    return "\n".join(lines).rstrip() + "\n"


def append(document: str, path: Path | None) -> bool:
    """Add the document to the step's summary file, within what GitHub takes; without a file print it.

    Returns:
        Whether it went into a file.

    Raises:
        ConfigurationError: the file cannot be written.
    """
    if path is None:
        print(md.cut(document, MOST), end="")
        return False
    try:
        there = path.stat().st_size if path.exists() else 0
        content = md.cut(document, MOST - _ROOM - there) if there < MOST - 2 * _ROOM else ""
        with path.open("a", encoding="utf-8") as file:
            file.write(content)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror}", where=path, mend="make room for it") from error
    return True


def failures(report: PipelineReport) -> list[str]:
    """What failed, with its whole error, and what did not come to run because of it."""
    lines = []
    for each in report.steps:
        if each.outcome == "failure":
            lines += [f"**❌ {md.text(_name(each))}**", "", *md.block(each.told), ""]
    blocked = [md.code(_name(each)) for each in report.steps if each.outcome == "blocked"]
    return lines + ([f"Not run because of it: {', '.join(blocked)}.", ""] if blocked else [])


def data(reports: Sequence[DataReport]) -> list[str]:
    """Data sets: version, rows, quality, and each expectation and check that does not hold."""
    rows = [
        (
            md.code(each.dataset), md.code(each.version or "") or "–", _count(each.rows),
            _held(each.successful, each.evaluated), _checks(each),
            f"{each.quality:.3f}" if each.quality is not None else "–", "⚠️ simulated" if each.simulated else "real",
        )
        for each in reports
    ]
    head = ("data set", "version", "rows", "expectations", "checks", "quality", "rows are")
    lines = [*md.table(head, rows), ""] if rows else []
    for each in reports:
        lines += _broken(each)
    return ["### Data", "", *lines] if lines else []


def models(reports: Sequence[ModelReport]) -> list[str]:
    """Models: challenger against champion, the interval of the difference, the verdict, and who is in force."""
    rows = [
        (
            md.code(each.model), md.text(each.metric), f"{_number(each.challenger)}{_version(each.version)}",
            f"{_number(each.champion)}{_version(each.champion_version)}" if each.champion_version else "none before",
            _difference(each), f"{'✅' if each.verdict in _GOOD else '❌'} {md.text(each.verdict)}",
            f"v{md.text(each.in_force)}" if each.in_force else "–", md.text(each.level) if each.level else "–",
        )
        for each in reports
    ]
    head = ("model", "metric", "challenger", "champion", "difference (95 %)", "verdict", "in force", "level")
    table = md.table(head, rows)
    told = [
        f"- {md.code(each.model)}: {md.text(each.reason)} ({_count(each.rows)} held-out rows"
        f"{', ⚠️ simulated' if each.simulated else ''})"
        for each in reports if each.reason
    ]
    return ["### Models", "", *table, "", *told, *([""] if told else [])] if table else []


def tests(report: PipelineReport) -> list[str]:
    """Tests and coverage, with the first tests that failed."""
    rows = [
        (
            md.code(each.name), str(each.tests), _bad(each.failures + each.errors), str(each.skipped),
            f"{each.seconds:.1f} s",
        )
        for each in report.tests
    ]
    lines = [*md.table(("tests of", "tests", "failed", "skipped", "time"), rows), ""] if rows else []
    for each in report.tests:
        lines += [f"- ❌ {md.code(name)} {md.text(why, 200)}" for name, why in each.failed[:_ROWS]]
        more = each.failures + each.errors - len(each.failed[:_ROWS])
        lines += [f"- and {more} more"] if each.failed and more > 0 else []
    lines += [""] if any(each.failed for each in report.tests) else []
    if report.coverage is not None:  # rounded down: 84.99 is not 85
        lines += [f"Coverage of lines: {math.floor(report.coverage * 1000) / 10:.1f} %.", ""]
    return ["### Tests", "", *lines] if lines else []


def steps(report: PipelineReport) -> list[str]:
    """All steps, folded: outcome, time, result, and why each ran."""
    rows = [
        (
            _MARKS[each.outcome], md.code(_name(each)), "up to date" if each.outcome == "cached" else
            "not run" if each.outcome == "blocked" else f"{each.seconds:.2f} s",
            md.text(each.told.splitlines()[0] if each.told else "", 160),
            md.text(each.reason, 160) if each.outcome not in ("cached", "blocked") else "",
        )
        for each in report.steps
    ]
    count = f"{len(rows)} step{'s' if len(rows) != 1 else ''}"
    return md.folded(count, md.table(("", "step", "time", "result", "why it ran"), rows)) if rows else []


def counts(report: PipelineReport) -> str:
    """Steps and tests of a pipeline in a few words."""
    parts = []
    for outcome, words in (("success", "ran"), ("cached", "up to date"), ("failure", "failed"), ("blocked", "not run")):
        found = sum(each.outcome == outcome for each in report.steps)
        parts += [f"{found} {words}"] if found else []
    told = f"steps: {', '.join(parts)}" if parts else ""
    ran, bad = _tests(report.tests)
    tested = f"tests: {ran}" + (f", **{bad} failed**" if bad else "") if report.tests else ""
    return "; ".join(each for each in (told, tested) if each)


def _tests(reports: Sequence[TestReport]) -> tuple[int, int]:
    return sum(each.tests for each in reports), sum(each.failures + each.errors for each in reports)


def _broken(report: DataReport) -> list[str]:
    lines = []
    rows = [
        (
            _severity(each), md.code(each.column or "the table"), md.code(each.expectation), _share(each),
            md.text(each.told, 160), str(each.line or "–"),
        )
        for each in report.broken[:_ROWS]
    ]
    if rows:
        head = ("", "column", "expectation that does not hold", "rows that break it", "found", "line")
        lines += [f"**{md.text(report.dataset)}** by {md.code(report.broken[0].file)}", "", *md.table(head, rows), ""]
        more = len(report.broken) - len(rows)
        lines += [f"and {more} more expectations that do not hold", ""] if more else []
    for each in report.checks:
        if not each.success:
            mark = "❌" if each.severity == "block" else "⚠️"
            lines.append(f"- {mark} {md.code(report.dataset)} {md.text(each.name)}: {md.text(each.message)}")
    return lines + ([""] if lines and lines[-1] else [])


def _severity(each: BrokenExpectation) -> str:
    return "❌" if each.severity == "critical" else "⚠️"


def _share(each: BrokenExpectation) -> str:
    if each.unexpected is None:
        return "–"
    if not each.elements:
        return _count(each.unexpected)
    return f"{each.unexpected:,} of {each.elements:,} ({each.unexpected / each.elements:.2%})"


def _held(successful: int | None, evaluated: int | None) -> str:
    if successful is None or evaluated is None:
        return "–"
    return f"{'✅' if successful == evaluated else '❌'} {successful} of {evaluated}"


def _checks(report: DataReport) -> str:
    if not report.checks:
        return "–"
    good = sum(each.success for each in report.checks)
    blocked = any(not each.success and each.severity == "block" for each in report.checks)
    return f"{'❌' if blocked else '✅' if good == len(report.checks) else '⚠️'} {good} of {len(report.checks)}"


def _difference(each: ModelReport) -> str:
    if each.difference is None:
        return "–"
    interval = f" [{each.interval[0]:+.4g}, {each.interval[1]:+.4g}]" if each.interval else ""
    return f"{each.difference:+.4g}{interval}"


def _version(version: str | None) -> str:
    return f" (v{md.text(version)})" if version else ""


def _number(value: float | None) -> str:
    return f"{value:.5g}" if value is not None else "–"


def _count(value: int | None) -> str:
    return f"{value:,}" if value is not None else "–"


def _bad(count: int) -> str:
    return f"**{count}**" if count else "0"


def _name(each: StepReport) -> str:
    return "/".join(part for part in (each.pipeline, each.step, each.subject) if part)
