"""Freshness and history: by the clock that is given, against versions that are given."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import polars as pl
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.quality import timeliness
from mlops.records import CheckResult, DataVersion, Source, Validation

NOW = datetime.datetime(2026, 5, 10, 12, tzinfo=datetime.UTC)


def version(name: str, rows: int, **missing: float) -> DataVersion:
    source = Source(location="data/raw/people.csv", sha256="s", rows=rows, simulated=True)
    suite = Validation(suite="s", suite_sha256="s", success=True, evaluated=1, successful=1, engine="compiled")
    return DataVersion(
        dataset="people", version=name, fingerprint=name, rows=rows, columns=[], target="wage", source=source,
        splits=[], validation=suite, checks=[], quality=1.0, missing=missing,
    )


def fresh(dataset: Dataset, moments: list[datetime.datetime | None]) -> CheckResult:
    table = pl.DataFrame({"born": pl.Series(moments, dtype=pl.Datetime("us"))})
    [result] = timeliness.of_table(dataset, table, [], now=NOW)
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
    [text] = timeliness.of_table(dated, pl.DataFrame({"born": ["yesterday"]}), [], now=NOW)
    [absent] = timeliness.of_table(dated, pl.DataFrame({"age": [1]}), [], now=NOW)
    assert not text.success and not absent.success


@pytest.fixture
def remembering(change: Any) -> Dataset:
    dataset: Dataset = change("checks:\n", "checks:\n  history: {maximum_change: 0.2, versions: 3}\n")
    return dataset


def history(dataset: Dataset, rows: int, before: list[DataVersion], empty: int = 0) -> dict[str, CheckResult]:
    table = pl.DataFrame({"height": [None] * empty + [1.0] * (rows - empty)}, schema={"height": pl.Float64})
    return {each.name: each for each in timeliness.of_table(dataset, table, before, now=NOW)}


@pytest.mark.parametrize(("rows", "success"), [(100, True), (120, True), (121, False), (80, True), (79, False)])
def test_the_rows_beside_the_median_of_the_versions_before(remembering: Dataset, rows: int, success: bool) -> None:
    before = [version("old", 9000), version("a", 100), version("b", 90), version("c", 110)]
    result = history(remembering, rows, before)["volume against history"]
    assert result.success is success and result.severity == "warn" and result.details["versions"] == ["a", "b", "c"]


def test_a_column_that_has_become_emptier(remembering: Dataset) -> None:
    before = [version("a", 100, height=0.02)]
    assert history(remembering, 100, before, empty=6)["missing against history"].success
    result = history(remembering, 100, before, empty=8)["missing against history"]
    assert not result.success and result.message == "height from 2.0% to 8.0% empty"


def test_nothing_is_said_without_versions_before(remembering: Dataset) -> None:
    assert history(remembering, 100, []) == {}


def test_only_versions_from_the_same_place_and_of_the_same_kind_compare() -> None:
    other = msgspec.structs.replace(version("b", 1), source=Source(location="x.csv", sha256="s", rows=1))
    real = msgspec.structs.replace(
        version("c", 1), source=Source(location="data/raw/people.csv", sha256="s", rows=1, simulated=False))
    kept = timeliness.comparable(
        [version("a", 1), other, real, version("me", 1)], location="data/raw/people.csv", simulated=True, but="me")
    assert [each.version for each in kept] == ["a"]
