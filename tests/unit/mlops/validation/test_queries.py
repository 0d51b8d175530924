"""Expectations in SQL: beside Great Expectations on SQLite, and with nothing of the machine in reach."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.validation import compiled, gx
from mlops.validation.compiled.table import Table

TABLE = pl.DataFrame({"a": [1, 2, 3, None], "b": [2, 2, 1, 5], "s": ["x", "y", "x", None]})
pytestmark = pytest.mark.filterwarnings("ignore")


def ours(kind: str, data: Any = TABLE, others: dict[str, Any] | None = None, **kwargs: Any) -> dict[str, Any]:
    (result,) = compiled.run([{"type": kind, "kwargs": kwargs}], Table(data), others=others)
    assert isinstance(result, dict), result
    return result


@pytest.mark.parametrize("query", [
    "SELECT * FROM {batch} WHERE a > b", "SELECT s, COUNT(*) AS n FROM {batch} GROUP BY s HAVING COUNT(*) > 1;",
    "SELECT * FROM {batch} WHERE a IS NULL", "SELECT * FROM {batch} WHERE a > 100",
    "SELECT x.a FROM {batch} x JOIN {batch} y ON x.a = y.b WHERE x.s = 'y'",
])
def test_a_query_finds_the_rows_that_great_expectations_finds_on_sqlite(query: str, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.db") as database:
        database.execute("CREATE TABLE t (a INTEGER, b INTEGER, s TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?)", TABLE.rows())
    library = gx.load()
    source = gx.context(library).data_sources.add_sqlite("s", connection_string=f"sqlite:///{tmp_path / 't.db'}")
    batch = source.add_table_asset("t", table_name="t").add_batch_definition_whole_table("all").get_batch()
    theirs = batch.validate(library.expectations.UnexpectedRowsExpectation(unexpected_rows_query=query))
    result = ours("unexpected_rows_expectation", unexpected_rows_query=query)
    assert result["success"] is theirs.success
    assert result["result"]["observed_value"] == theirs.result["observed_value"]


def test_a_file_is_queried_where_it_lies(tmp_path: Path) -> None:
    TABLE.write_parquet(tmp_path / "t.parquet")
    result = ours("unexpected_rows_expectation", tmp_path / "t.parquet",
                  unexpected_rows_query="SELECT * FROM {batch} WHERE b = 2")
    assert result["result"]["observed_value"] == 2
    assert result["result"]["details"]["unexpected_rows"][0] == {"a": 1, "b": 2, "s": "x"}


@pytest.mark.parametrize("query", [
    "SELECT * FROM read_csv('{path}')", "COPY (SELECT 1) TO '{path}'", "ATTACH '{path}' AS other",
    "SET enable_external_access = true", "INSTALL httpfs", "SELECT nothing FROM {{batch}}", "SELECT {{other}}",
])
def test_a_query_reaches_nothing_but_the_rows(query: str, tmp_path: Path) -> None:
    place = tmp_path / "secret.csv"
    place.write_text("a\n1\n")
    result = ours("unexpected_rows_expectation", unexpected_rows_query=query.format(path=place))
    assert result["exception_info"]["raised_exception"] and not result["success"]
    assert place.read_text() == "a\n1\n"


def test_two_queries_must_give_the_same_rows() -> None:
    other = TABLE.filter(pl.col("s") == "x").select(pl.col("a").alias("key"))
    kwargs = {"base_query": "SELECT a FROM {batch} WHERE s = 'x'", "comparison_data_source_name": "other",
              "comparison_query": "SELECT key FROM {batch}"}
    kind = "expect_query_results_to_match_comparison"
    assert ours(kind, others={"other": other}, **kwargs)["success"]
    more = pl.concat([other, other.head(1)])
    result = ours(kind, others={"other": more}, **kwargs)
    assert not result["success"] and result["result"]["unexpected_count"] == 1
    assert result["result"]["details"]["missing_rows"] == [[1]]
    assert ours(kind, others={"other": more}, mostly=0.6, **kwargs)["success"]


def test_rows_are_counted_against_another_table() -> None:
    kind = "expect_table_row_count_to_equal_other_table"
    result = ours(kind, others={"copy": TABLE}, other_table_name="copy")
    assert result["success"] and result["result"]["observed_value"] == {"self": 4, "other": 4}
    assert not ours(kind, others={"copy": TABLE.head(1)}, other_table_name="copy")["success"]
    unknown = ours(kind, other_table_name="copy")
    assert "no other table 'copy'" in unknown["exception_info"]["exception_message"]
