"""Rows go in, come out in the order of their time, and replace each other by key."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from mlops import database
from mlops.errors import InvalidRecordError, MissingInputError, UsageError
from mlops.records import Artifact

T0 = datetime(2026, 1, 1, tzinfo=timezone.utc)


@pytest.fixture
def ready(url: str) -> str:
    database.migrate(url)
    return url


def test_a_row_comes_back_as_it_went_in(ready: str) -> None:
    document = {"steps": [{"name": "train", "seconds": 1.5}], "ünïcode": None, "big": 2**53}
    database.add(ready, "runs", {
        "id": "a", "started": "2026-01-01T12:00:00+02:00", "finished": T0, "outcome": "success", "event": "local",
        "commit": "c" * 40, "document": document,
    })
    assert database.rows(ready, "runs") == [{
        "id": "a", "started": "2026-01-01T10:00:00.000000+00:00", "finished": "2026-01-01T00:00:00.000000+00:00",
        "outcome": "success", "event": "local", "commit": "c" * 40, "document": document,
    }]


@pytest.mark.parametrize(("table", "key"), [
    ("runs", {"id": "x"}), ("releases", {"id": "r1"}), ("models", {"model": "m", "version": "1"}),
    ("data_versions", {"dataset": "d", "version": "v"}),
])
def test_the_same_key_replaces_the_whole_row(ready: str, table: str, key: dict[str, str]) -> None:
    time = "started" if table == "runs" else "created"
    first = {"outcome": "failure"} if table in ("runs", "releases") else {}
    database.add(ready, table, {**key, time: T0, "document": {"n": 1}, **first})
    database.add(ready, table, {**key, time: T0 + timedelta(hours=1), "document": {"n": 2}})
    (row,) = database.rows(ready, table)
    assert row["document"] == {"n": 2}
    assert row[time] == "2026-01-01T01:00:00.000000+00:00"
    assert row.get("outcome") is None, "a column left out keeps nothing of the old row"


def test_moves_are_numbered_and_filtered(ready: str) -> None:
    for version in ("1", "2"):
        database.add(ready, "model_moves", {"model": "m", "version": version, "at": T0, "why": "better"})
    database.add(ready, "model_moves", {"model": "other", "version": "1", "at": T0})
    found = database.rows(ready, "model_moves", model="m")
    assert [row["version"] for row in found] == ["2", "1"], "equal times: the later row first"
    assert database.rows(ready, "model_moves", why=None)[0]["model"] == "other"
    assert len({row["id"] for row in database.rows(ready, "model_moves")}) == 3


def test_order_and_limit(ready: str) -> None:
    for number in range(1, 12):  # all at one moment: ids count, r9 before r10
        database.add(ready, "releases", {"id": f"r{number}", "created": T0})
    database.add(ready, "releases", {"id": "r0", "created": "2026-01-01T05:30:00+05:31"})  # a minute earlier
    newest = [row["id"] for row in database.rows(ready, "releases", limit=3)]
    oldest = [row["id"] for row in database.rows(ready, "releases", newest_first=False, limit=None)]
    assert newest == ["r11", "r10", "r9"]
    assert oldest == [f"r{number}" for number in range(12)]


def test_a_document_may_hold_records_and_no_number(ready: str) -> None:
    artifact = Artifact(namespace="file", name="a.csv", hash="sha256:0")
    database.add(ready, "runs", {"id": "a", "started": T0, "document": {"of": [artifact], "loss": float("nan")}})
    (row,) = database.rows(ready, "runs")
    assert row["document"] == {
        "of": [{"namespace": "file", "name": "a.csv", "hash": "sha256:0", "schema": None}], "loss": None,
    }


@pytest.mark.parametrize(("table", "values", "error", "said"), [
    ("experiments", {"id": "x"}, UsageError, "no table 'experiments'"),
    ("runs", {"id": "x", "started": T0, "colour": 1}, UsageError, "no column 'colour'"),
    ("runs", {"id": "x"}, UsageError, "'started' is empty"),
    ("runs", {"started": T0}, UsageError, "'id' is empty"),
    ("runs", {"id": "x", "started": "yesterday"}, InvalidRecordError, "is no moment"),
    ("runs", {"id": "x", "started": "2026-01-01T00:00:00"}, InvalidRecordError, "no time zone"),
])
def test_a_wrong_row_is_refused_and_named(
    ready: str, table: str, values: dict[str, object], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        database.add(ready, table, values)
    assert database.rows(ready, "runs") == []


def test_reading_filters_by_known_columns_only(ready: str) -> None:
    with pytest.raises(UsageError, match="no column 'colour'"):
        database.rows(ready, "runs", colour="red")


def test_without_tables_it_says_what_to_run(url: str) -> None:
    with pytest.raises(MissingInputError, match="mlops database migrate"):
        database.rows(url, "runs")
    with pytest.raises(MissingInputError, match="mlops database migrate"):
        database.add(url, "runs", {"id": "a", "started": T0})
