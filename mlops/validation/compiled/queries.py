"""Expectations that are SQL of the user's own: DuckDB runs it on the rows under validation and reaches nothing else."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Raised
from mlops.validation.compiled.results import EXAMPLES
from mlops.validation.compiled.table import Table
from mlops.validation.compiled.tables import other_table

if TYPE_CHECKING:
    import duckdb


def unexpected_rows(case: Case) -> Steps:
    """`unexpected_rows_expectation`: each row that the query returns breaks it."""
    yield from ()  # nothing is asked of the table by the engine
    query = case.given["unexpected_rows_query"].rstrip("; \t\r\n\v\f")
    rows = _run(case.table, query)
    return {"success": not rows, "result": {
        "observed_value": len(rows), "details": {"unexpected_rows": rows[:EXAMPLES]},
    }}


def same_results(case: Case) -> Steps:
    """`query_results_to_match_comparison`: two queries, here and on another table, give the same rows, in any order."""
    yield from ()
    given = case.given
    other = Table(other_table(case, given["comparison_data_source_name"]))
    base, comparison = _run(case.table, given["base_query"]), _run(other, given["comparison_query"])
    ours, theirs = _counted(base), _counted(comparison)
    most = max(len(base), len(comparison))
    matched = (ours & theirs).total()
    percent = (1 - matched / most) * 100 if most else 0.0
    return {"success": 100 - percent >= case.mostly * 100, "result": {
        "unexpected_count": most - matched, "unexpected_percent": percent,
        "details": {
            "missing_rows": [list(row) for row in list((theirs - ours).elements())[:EXAMPLES]],
            "unexpected_rows": [list(row) for row in list((ours - theirs).elements())[:EXAMPLES]],
        },
    }}


def _counted(rows: list[dict[str, Any]]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row.values()) for row in rows)


def _run(table: Table, query: str) -> list[dict[str, Any]]:
    """The rows of a query in which `{batch}` stands for the table."""
    import duckdb

    try:
        text = query.format(batch="batch")
    except (KeyError, IndexError, ValueError) as error:
        raise Raised(f"the query has a brace that is not {{batch}}: {error}") from None
    with _connection(table) as connection:
        try:
            answer = connection.execute(text)
            names = [str(column[0]) for column in answer.description or ()]
            return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        except duckdb.Error as error:
            raise Raised(str(error).strip().splitlines()[0]) from None


def _connection(table: Table) -> duckdb.DuckDBPyConnection:
    """A database that holds nothing but the table, and may open no file and no address."""
    import duckdb

    connection = duckdb.connect(":memory:")
    if table.paths:
        import pyarrow.dataset as dataset

        connection.register("batch", dataset.dataset([str(path) for path in table.paths], format="parquet"))
    else:
        connection.register("batch", table.collect(table.frame).to_arrow())
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection
