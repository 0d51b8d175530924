"""Freshness, by the clock that is given."""

from __future__ import annotations

import datetime
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.quality import timeliness
from mlops.records import CheckResult

NOW = datetime.datetime(2026, 5, 10, 12, tzinfo=datetime.UTC)


def fresh(dataset: Dataset, moments: list[datetime.datetime | None]) -> CheckResult:
    table = pl.DataFrame({"born": pl.Series(moments, dtype=pl.Datetime("us"))})
    [result] = timeliness.of_table(dataset, table, now=NOW)
    return result


@pytest.fixture
def dated(change: Any) -> Dataset:
    change("  wage: {type: float}\n", "  wage: {type: float}\n  born: {type: datetime}\n")
    dataset: Dataset = change("checks:\n", "checks:\n  freshness: {column: born, maximum_days: 7}\n")
    return dataset


def day(number: int) -> datetime.datetime:
    return datetime.datetime(2026, 5, number, 12)


def test_the_newest_row_decides(dated: Dataset) -> None:
    result = fresh(dated, [day(1), day(4), None])
    assert result.success and result.details["age_days"] == 6.0


@pytest.mark.parametrize(("moments", "said"), [
    ([day(1), day(2)], "8.0 days old, 7 may be"),
    ([day(1), day(14)], "4.0 days in the future"),
    ([None], "empty in every row"),
])
def test_old_rows_future_rows_and_no_rows(dated: Dataset, moments: list[Any], said: str) -> None:
    result = fresh(dated, moments)
    assert not result.success and said in result.message and result.severity == "block"


def test_a_column_that_is_no_moment_or_not_there(dated: Dataset) -> None:
    [text] = timeliness.of_table(dated, pl.DataFrame({"born": ["yesterday"]}), now=NOW)
    [absent] = timeliness.of_table(dated, pl.DataFrame({"age": [1]}), now=NOW)
    assert not text.success and not absent.success
