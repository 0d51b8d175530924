"""What a pipeline left behind, read into one record: steps, tests, coverage, data quality, models.

It is read most where something went wrong, so nothing that is missing, cut off or of another shape is an error:
it is left out, and what is there is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import msgspec

from mlops import files
from mlops.config import Workspace
from mlops.errors import MlopsError
from mlops.pipelines.progress import tell
from mlops.pipelines.reporting import testing
from mlops.pipelines.reporting.broken import broken_expectations
from mlops.records import (
    Blocked, CheckResult, DataVersion, Evaluation, ModelVersion, PipelineRun, Receipt, RunRecord, read,
)
from mlops.records.base import Record
from mlops.records.report import DataReport, ModelReport, PipelineReport, StepOutcome, StepReport

R = TypeVar("R", bound=Record)
LONGEST = 2000  # characters of an error that are kept


class _Checks(Record, frozen=True, kw_only=True):
    """The part of `checks.json` that is shown."""

    checks: list[CheckResult]


def report_file(places: Workspace, pipeline: str) -> Path:
    """Where a pipeline's report is kept, to go into its artifact."""
    return places.reports / "summary" / f"{pipeline}.json"


def gather(places: Workspace, pipeline: str, *, level: str | None = None) -> PipelineReport:
    """The report on what `pipeline` left under `.mlops/`.

    Args:
        level: How models were trained, where the caller knows it.
    """
    receipts, not_run, killed = _run(places, pipeline)
    steps = [_step(each) for each in receipts]
    for blocked in not_run:
        name, step, subject = (*blocked.step.split("/"), "")[:3]
        steps.append(StepReport(
            pipeline=name, step=step, subject=subject, outcome="blocked", seconds=0.0, told=f"{blocked.by} failed",
        ))
    tests = testing.reports(places.reports / "junit", _junit_names(places, pipeline))
    outcome = "failure" if killed else _outcome(steps, [each.failures + each.errors for each in tests])
    return PipelineReport(
        pipeline=pipeline, outcome=outcome, steps=steps, killed=killed, tests=tests,
        coverage=testing.coverage(_coverage_file(places, pipeline)),
        data=_data(places, receipts), models=_models(places, receipts, level),
    )


def _run(places: Workspace, pipeline: str) -> tuple[list[Receipt], list[Blocked], bool]:
    """Receipts and steps that did not run, of the last run, and whether that was killed.

    The store alone says nothing of a run: a continuous integration brings it from the run before.
    """
    own = _read(PipelineRun, places.pipeline_run(pipeline))
    whole = _read(RunRecord, places.runs / "last.json")
    if own is None or (whole is not None and whole.started > own.started):
        receipts = [each for each in whole.receipts if each.pipeline == pipeline] if whole else []
        blocked = [each for each in whole.blocked if each.step.startswith(f"{pipeline}/")] if whole else []
        return receipts, blocked, False
    if own.ended:
        return own.receipts, own.blocked, False
    left = [each for each in newest([places.receipts]) if each.parent_id == own.run_id]
    return left, [], True


def keep(places: Workspace, report: PipelineReport) -> None:
    """Write the report where artifacts are taken from.

    Raises:
        ConfigurationError: the folder cannot be written.
    """
    files.write_atomic(report_file(places, report.pipeline), report.to_json())


def collected(folder: Path) -> dict[str, PipelineReport]:
    """Pipeline → report, from everything below `folder`: the artifacts of a run's jobs.

    A pipeline of several jobs is told by all of them, one that left no report by its receipts alone.
    """
    found: dict[str, PipelineReport] = {}
    for path in sorted(folder.rglob("summary/*.json")):
        report = _read(PipelineReport, path)
        if report is not None:
            other = found.get(report.pipeline)
            found[report.pipeline] = _together(other, report) if other else report
    by_pipeline: dict[str, list[Receipt]] = {}
    for receipt in newest([folder]):
        by_pipeline.setdefault(receipt.pipeline, []).append(receipt)
    for pipeline, receipts in by_pipeline.items():
        steps = [_step(each) for each in receipts]
        found.setdefault(pipeline, PipelineReport(
            pipeline=pipeline, outcome=_outcome(steps), steps=steps, tests=[], coverage=None,
            data=_data(None, receipts), models=_models(None, receipts, None),
        ))
    return found


def _together(one: PipelineReport, two: PipelineReport) -> PipelineReport:
    """What two jobs of a pipeline say: of tests that both ran the worse result, of coverages the lower one."""
    tests = {each.name: each for each in one.tests}
    for each in two.tests:
        other = tests.get(each.name)
        if other is None or each.failures + each.errors > other.failures + other.errors:
            tests[each.name] = each
    outcomes = {one.outcome, two.outcome}
    steps = {(each.pipeline, each.step, each.subject): each for each in (*one.steps, *two.steps)}
    return PipelineReport(
        pipeline=one.pipeline, steps=list(steps.values()), tests=list(tests.values()),
        outcome="failure" if "failure" in outcomes else "success" if "success" in outcomes else "none",
        coverage=min((each for each in (one.coverage, two.coverage) if each is not None), default=None),
        data=one.data or two.data, models=one.models or two.models, killed=one.killed or two.killed,
    )


def newest(folders: Iterable[Path]) -> list[Receipt]:
    """The newest receipt of each step below `folders`, in the order in which they started; other files are passed."""
    last: dict[tuple[str, str, str], Receipt] = {}
    for path in (path for folder in folders for path in folder.rglob("*.json")):
        if path.parent.name in ("runs", "summary"):  # reports about receipts
            continue
        receipt = _read(Receipt, path)
        if receipt is None:
            continue
        name = (receipt.pipeline, receipt.step, receipt.subject)
        if name not in last or last[name].started < receipt.started:
            last[name] = receipt
    return sorted(last.values(), key=_started)


def _started(receipt: Receipt) -> str:
    return receipt.started


def _read(kind: type[R], path: Path) -> R | None:
    try:
        return read(kind, path)
    except MlopsError:
        return None


def _step(receipt: Receipt) -> StepReport:
    told = tell(receipt) if receipt.outcome != "failure" else (receipt.error or "")[:LONGEST]
    outcome: StepOutcome = receipt.outcome
    return StepReport(
        pipeline=receipt.pipeline, step=receipt.step, subject=receipt.subject, outcome=outcome,
        seconds=receipt.seconds, told=told, reason=receipt.reason[:LONGEST],
    )


def _outcome(steps: Sequence[StepReport], failed: Sequence[int] = ()) -> Literal["success", "failure", "none"]:
    if any(failed) or any(each.outcome in ("failure", "blocked") for each in steps):
        return "failure"
    return "success" if steps or failed else "none"


def _junit_names(places: Workspace, pipeline: str) -> list[str]:
    """Whose JUnit files are a pipeline's: the services', its own, and for the main pipeline all that are left."""
    from mlops import product

    services = product.services(places.repository)
    own = {"service": services, "data": ["data"], "model": ["model"]}
    if pipeline in own:
        return own[pipeline]
    others = {name for names in own.values() for name in names}
    folder = places.reports / "junit"
    return sorted(path.stem for path in folder.glob("*.xml") if path.stem not in others)


def _coverage_file(places: Workspace, pipeline: str) -> Path:
    return places.repository / "coverage.xml" if pipeline == "main" else places.reports / "coverage.xml"


def _of(receipts: Iterable[Receipt], pipeline: str, subject: str) -> dict[str, Receipt]:
    return {each.step: each for each in receipts if each.pipeline == pipeline and each.subject == subject}


def _subjects(receipts: Iterable[Receipt], pipeline: str) -> list[str]:
    return list(dict.fromkeys(each.subject for each in receipts if each.pipeline == pipeline and each.subject))


def _data(places: Workspace | None, receipts: Sequence[Receipt]) -> list[DataReport]:
    made = []
    for name in _subjects(receipts, "data"):
        steps = _of(receipts, "data", name)
        facts: dict[str, Any] = {}
        for each in steps.values():
            facts.update(each.facts)
        report = DataReport(
            dataset=name, version=_text(facts.get("version")), rows=_whole(facts.get("rows")),
            simulated=facts.get("simulated") is True, quality=_number(facts.get("quality")),
        )
        made.append(_with_files(report, places, name, steps) if places else report)
    return made


def _with_files(report: DataReport, places: Workspace, name: str, steps: dict[str, Receipt]) -> DataReport:
    """The report with what stands in the files that this run's steps wrote."""
    work = _work(places, steps)
    if work is None:
        return report
    more: dict[str, Any] = {}
    if "validate" in steps:
        statistics, broken = broken_expectations(places.repository, name, work)
        more |= {
            "evaluated": _whole(statistics.get("evaluated_expectations")),
            "successful": _whole(statistics.get("successful_expectations")), "broken": broken,
        }
    checked = _read(_Checks, work / "checks.json") if "check" in steps else None
    if checked:
        more["checks"] = checked.checks
    version = _read(DataVersion, work / "version.json") if _good(steps.get("version")) else None
    if version:
        more |= {"version": version.version, "quality": version.quality, "rows": version.rows}
    return msgspec.structs.replace(report, **more)


def _models(places: Workspace | None, receipts: Sequence[Receipt], level: str | None) -> list[ModelReport]:
    made = []
    for name in _subjects(receipts, "model"):
        steps = _of(receipts, "model", name)
        evaluated = steps.get("evaluate")
        if evaluated is None or not _good(evaluated):
            continue
        facts = evaluated.facts
        work = _work(places, steps) if places else None
        evaluation = _read(Evaluation, work / "evaluation.json") if work else None
        registered = _read(ModelVersion, work / "registered.json") if work and _good(steps.get("register")) else None
        promoted = steps.get("promote")
        said = {step: each.facts for step, each in steps.items()}
        made.append(ModelReport(
            model=name, verdict=str(facts.get("verdict", "?")), reason=str(facts.get("reason", ""))[:LONGEST],
            metric=str(facts.get("metric", "?")), challenger=_number(facts.get("challenger")),
            champion=_number(facts.get("champion")), champion_version=_text(facts.get("champion_version")),
            difference=evaluation.difference if evaluation else None,
            interval=evaluation.interval if evaluation else None, rows=_whole(facts.get("rows")) or 0,
            simulated=facts.get("simulated") is True,
            level=level or next((each.level for each in (steps.get("train"), evaluated) if each and each.level), None),
            version=registered.version if registered else _text(said.get("register", {}).get("version")),
            in_force=_text(promoted.facts.get("champion")) if promoted and _good(promoted) else None,
        ))
    return made


def _work(places: Workspace, steps: dict[str, Receipt]) -> Path | None:
    """The folder in which these steps handed over to each other; there is one a variant and a level."""
    for each in steps.values():
        for output in each.outputs:
            if output.namespace == "state" and "work" in Path(output.name).parts[:-1]:
                return (places.state / output.name).parent
    return None


def _good(receipt: Receipt | None) -> bool:
    return receipt is not None and receipt.outcome != "failure"


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and value != "" and not isinstance(value, bool) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
