"""One suite on one table: run, judge closed, explain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.validation import gx
from mlops.validation.explain import explain
from mlops.validation.outcome import Finding, Outcome
from mlops.validation.suites import Suite

if TYPE_CHECKING:
    import polars


def validate(suite: Suite, table: polars.DataFrame, *, meta: dict[str, Any] | None = None) -> Outcome:
    """Run `suite` on `table` and judge fail closed.

    A table without rows is a failure whatever the suite says (row by row, nothing is wrong with
    nothing). An expectation that raised, or gave no answer, is a finding, never a success.

    Args:
        table: Any columns; rows are numbered from 1 in what is said about them.
        meta: What to note in the result's `meta`, such as the data set and whether it is simulated.

    Raises:
        ConfigurationError: an expectation is unknown or its arguments do not fit.
    """
    results = gx.run(suite, table)
    findings = [
        explain(result, table, suite.where(index)) for index, result in enumerate(results) if not _holds(result)
    ]
    if table.height == 0:
        findings.insert(0, Finding("fail", "rows", None, "the table has no rows", str(suite.path)))
    evaluated = sum(not result["exception_info"]["raised_exception"] for result in results)
    successful = sum(map(_holds, results))
    document = {
        "success": not findings and successful == len(suite.expectations),
        "results": results,
        "suite_name": suite.name,
        "suite_parameters": {},
        "statistics": {
            "evaluated_expectations": len(results),  # as Great Expectations counts: those that raised too
            "successful_expectations": successful,
            "unsuccessful_expectations": len(results) - successful,
            "success_percent": 100.0 * successful / len(results),
        },
        "meta": {"great_expectations_version": gx.load().__version__, "rows": table.height, **(meta or {})},
        "id": None,
    }
    return Outcome(
        document=document, findings=tuple(findings), declared=len(suite.expectations), evaluated=evaluated,
        successful=successful, engine=f"{gx.ENGINE} {gx.load().__version__}",
    )


def _holds(result: dict[str, Any]) -> bool:
    return result["success"] is True and not result["exception_info"]["raised_exception"]
