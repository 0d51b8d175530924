"""One suite on one table: run, judge closed, explain."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from mlops.errors import ConfigurationError
from mlops.validation import compiled
from mlops.validation.closing import close
from mlops.validation.compiled.columns import Declined
from mlops.validation.compiled.results import ROWS
from mlops.validation.compiled.table import Table
from mlops.validation.explain import explain, named_columns
from mlops.validation.outcome import Finding, Outcome
from mlops.validation.parameters import substitute
from mlops.validation.suites import Suite

if TYPE_CHECKING:
    import polars

Engine = Literal["compiled", "gx", "spark"]
ENGINES: tuple[Engine, ...] = ("compiled", "gx", "spark")
BY_GX = "engine"
"""Key in a result's `meta` where an expectation was left to Great Expectations; `reason` says why."""


def validate(
    suite: Suite, data: polars.DataFrame | polars.LazyFrame | Path, *, meta: dict[str, Any] | None = None,
    engine: str = "compiled", parameters: Mapping[str, Any] | None = None, others: Mapping[str, Any] | None = None,
    every_row: bool = False,
) -> Outcome:
    """Run `suite` on `data` and judge fail closed.

    A table without rows is a failure whatever the suite says (row by row, nothing is wrong with
    nothing), and so is a rule on a column without values. An expectation that raised, or gave no answer, is a
    finding, never a success.

    Args:
        data: Any columns; rows are numbered from 1 in what is said about them. A path is a Parquet file's, or that
            of a folder of them, which may be larger than memory.
        meta: What to note in the result's `meta`, such as the data set and whether it is simulated.
        engine: `compiled`, `gx` (Great Expectations on pandas, in memory) or `spark` (Great Expectations on Spark).
        parameters: Values for `{"$PARAMETER": name}`, before the suite's own.
        others: Other tables by name, for expectations that compare with one.
        every_row: Name all failing rows in the results (`unexpected_index_list`), not only the first 10,000.

    Raises:
        ConfigurationError: an expectation is unknown or its arguments do not fit; the engine is unknown or not there.
        MissingInputError, BadDataError: the path is no Parquet.
    """
    given = {**suite.parameters, **(parameters or {})}
    table = Table(data)
    table.learn(name for raw in suite.expectations for name in named_columns(raw["kwargs"]))
    results, named = _results(suite, table, engine, given, others, every_row)
    for result in results:
        close(result, table)
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
        "suite_parameters": given,
        "statistics": {
            "evaluated_expectations": len(results),  # as Great Expectations counts: those that raised too
            "successful_expectations": successful,
            "unsuccessful_expectations": len(results) - successful,
            "success_percent": 100.0 * successful / len(results),
        },
        "meta": {"engine": named, "rows": table.height, **(meta or {})},
        "id": None,
    }
    return Outcome(
        document=document, findings=tuple(findings), declared=len(suite.expectations), evaluated=evaluated,
        successful=successful, engine=named,
    )


def _results(
    suite: Suite, table: Table, engine: str, parameters: dict[str, Any], others: Mapping[str, Any] | None,
    every_row: bool,
) -> tuple[list[dict[str, Any]], str]:
    """The results in the suite's order, and the name of the engine that gave them."""
    if engine == "compiled":
        return _compiled(suite, table, parameters, others, every_row)
    if engine == "gx":
        from mlops.validation import gx

        frame = table.eager if table.eager is not None else table.collect(table.frame)
        return gx.run(suite, frame, parameters=parameters, rows=every_row), f"{gx.ENGINE} {gx.load().__version__}"
    if engine == "spark":
        from mlops.validation.spark import ENGINE, run

        return run(suite, table, parameters=parameters), ENGINE
    raise ConfigurationError(
        f"there is no engine {engine!r} for suites", where="setting validation.engine",
        mend=f"choose one of: {', '.join(ENGINES)}",
    )


def _compiled(
    suite: Suite, table: Table, parameters: dict[str, Any], others: Mapping[str, Any] | None, every_row: bool
) -> tuple[list[dict[str, Any]], str]:
    """The compiled engine's results; those that it declines are Great Expectations', and say so in their `meta`."""
    import polars as pl

    named = [
        {**raw, "kwargs": substitute(raw["kwargs"], parameters), "id": compiled.identity(suite.name, index)}
        for index, raw in enumerate(suite.expectations)
    ]
    ended = compiled.run(named, table, others=others, limit=None if every_row else ROWS)
    left = [index for index, each in enumerate(ended) if isinstance(each, Declined)]
    results = [each for each in ended if not isinstance(each, Declined)]
    if left:
        from mlops.validation import gx

        answers = gx.run(suite, _frame(table, suite, left), left, parameters, rows=every_row)
        for index, answer in zip(left, answers, strict=True):
            answer["meta"] = {**(answer["meta"] or {}), BY_GX: gx.ENGINE, "reason": str(ended[index])}
            results.insert(index, answer)
    return results, f"{compiled.ENGINE} (Polars {pl.__version__})"


def _frame(table: Table, suite: Suite, left: list[int]) -> polars.DataFrame:
    """The rows for Great Expectations: only the columns that it needs, where those are known."""
    if table.eager is not None:
        return table.eager
    kwargs = [suite.expectations[index]["kwargs"] for index in left]
    columns = {name for each in kwargs for name in named_columns(each)}
    if any("row_condition" in each or not named_columns(each) for each in kwargs):
        return table.collect(table.frame)
    return table.collect(table.frame.select([name for name in table.names if name in columns]))


def _holds(result: dict[str, Any]) -> bool:
    return result["success"] is True and not result["exception_info"]["raised_exception"]
