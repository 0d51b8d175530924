"""One source judged on the spot: read, suite and checks in one answer, nothing written."""

from __future__ import annotations

from typing import Any

import msgspec

from mlops.config import Workspace
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.intake import take_in, taken
from mlops.data_pipeline.quality import checks, wrong_cells
from mlops.data_pipeline.quality.readable import look_again
from mlops.data_pipeline.tables.rows import Rows, gathered
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.errors import BadDataError
from mlops.records import CheckResult, DataVersion, Source
from mlops.validation import Outcome, Suite, read_suite, validate
from mlops.validation.outcome import Verdict


class Judgement(msgspec.Struct, frozen=True):
    """What is known of a source.

    Attributes:
        document: Great Expectations' validation result with `checks`, `verdict` and `findings` beside it.
        verdict: `fail` for bad data, `error` where the suite could not be evaluated.
        source: What was read; None where it is no table.
        missing: Column → the share of its cells that are empty, for those that have any.
    """

    document: dict[str, Any]
    verdict: Verdict
    lines: tuple[str, ...]
    source: Source | None = None
    missing: dict[str, float] = {}

    def summary(self) -> str:
        """The answer for people."""
        told = self.document["statistics"]
        passed = sum(check["success"] for check in self.document["checks"])
        head = (
            f"{self.verdict}: {told['successful_expectations']} of {told['evaluated_expectations']} expectations, "
            f"{passed} of {len(self.document['checks'])} checks hold"
        )
        return "\n".join([head, *(f"  - {line}" for line in self.lines)])


def judge(dataset: Dataset, source: str | None = None, *, engine: str = "compiled") -> Judgement:
    """Judge `source` (a path or URL; the data set's own when absent) by the data set's suite and checks.

    A file that is no table at all is bad data too, with the check `readable` to say why.

    Args:
        engine: The setting `validation.engine`.

    Raises:
        MissingInputError, UnavailableError, ConfigurationError: the question could not be asked.
    """
    suite = read_suite(dataset.suite_path)
    with Scratch() as scratch:
        try:
            rows, read, aside = _read(dataset, source, scratch)
        except BadDataError as error:
            message = f"{error.where}: {error.message}" if error.where else error.message
            unread = CheckResult(
                name="readable", success=False, severity="block", message=message, details={"mend": error.mend}
            )
            return _assemble(_nothing_evaluated(dataset, suite, source), None, [unread])
        meta = {"dataset": dataset.name, "source": read.location, "simulated": read.simulated}
        outcome = validate(suite, rows.data, meta=meta, engine=engine)
        outcome = look_again(outcome, suite, dataset, rows, scratch)
        readable = CheckResult(name="readable", success=True, severity="block", message=f"{rows.height} rows")
        places = Workspace(dataset.repository)
        found = checks.of_table(dataset, rows, places=places, before=_before(places, dataset, read))
        results = [readable, wrong_cells.result(read), *aside, *found]
        judged = _assemble(outcome.document, outcome, results)
        return msgspec.structs.replace(judged, source=read, missing=rows.missing())


def _before(places: Workspace, dataset: Dataset, source: Source) -> list[DataVersion]:
    limit = dataset.checks.history
    if limit is None:
        return []
    from mlops.data_pipeline.versioning import versions

    return versions.earlier(places, dataset.name, source, most=limit.versions)


def _read(dataset: Dataset, source: str | None, scratch: Scratch) -> tuple[Rows, Source, list[CheckResult]]:
    """The rows that would go on, and what is told of those set aside; all rows where too many are bad for that."""
    told = []
    if dataset.maximum_quarantined is not None:
        from mlops.data_pipeline.quality import quarantine

        table = scratch.file(".parquet")
        aside = quarantine.QuarantineWriter(dataset, scratch.file(".parquet"), refuses=False)
        record = take_in(dataset, table, source, aside)
        told = quarantine.result(dataset, record, aside=aside)
        if not aside.beyond:
            return Rows(table, name=dataset.name), record, told
        dataset = msgspec.structs.replace(dataset, quarantine=False)
    rows, record = taken(
        dataset, source, lambda tables: gathered(tables, scratch, name=dataset.name), fingerprinted=False
    )
    assert rows is not None  # a source without rows is refused
    return rows, record, told


def _assemble(document: dict[str, Any], outcome: Outcome | None, results: list[CheckResult]) -> Judgement:
    failed = checks.blocking(results)
    verdict: Verdict = "fail" if failed or outcome is None else outcome.verdict
    findings = outcome.findings if outcome else ()
    warned = [f"warning: {_told(each)}" for each in results if not each.success and each.severity == "warn"]
    lines = [*(outcome.lines() if outcome else []), *map(_told, failed), *warned]
    whole = {
        **document, "success": verdict == "pass", "verdict": verdict,
        "checks": [result.to_dict() for result in results],
        "findings": [msgspec.structs.asdict(finding) for finding in findings],
    }
    return Judgement(whole, verdict, tuple(lines))


def _told(failed: CheckResult) -> str:
    mend = failed.details.get("mend")
    return f"{failed.name}: {failed.message}" + (f"\n    mend: {mend}" if mend else "")


def _nothing_evaluated(dataset: Dataset, suite: Suite, source: str | None) -> dict[str, Any]:
    """Great Expectations' result shape where no expectation could be asked."""
    return {
        "success": False, "results": [], "suite_name": suite.name, "suite_parameters": {},
        "statistics": {
            "evaluated_expectations": 0, "successful_expectations": 0, "unsuccessful_expectations": 0,
            "success_percent": None,
        },
        "meta": {"dataset": dataset.name, "source": source, "simulated": False}, "id": None,
    }
