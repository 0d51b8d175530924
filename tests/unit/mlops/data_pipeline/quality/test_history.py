"""Rows beside the versions before: volume, empty cells, categories; and which versions those are."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.quality import history as beside
from mlops.data_pipeline.versioning import versions
from mlops.files import write_atomic
from mlops.records import CheckResult, ColumnShape, DataVersion, Source, Validation


def version(name: str, rows: int, **missing: float) -> DataVersion:
    source = Source(location="data/raw/people.csv", sha256="s", rows=rows, simulated=True)
    suite = Validation(suite="s", suite_sha256="s", success=True, evaluated=1, successful=1, engine="compiled")
    return DataVersion(
        dataset="people", version=name, fingerprint=name, rows=rows, target="wage", source=source,
        splits=[],
        columns=[ColumnShape(name="height", type="float")], validation=suite, checks=[], quality=1.0, missing=missing,
    )


@pytest.fixture
def remembering(change: Any) -> Dataset:
    dataset: Dataset = change("checks:\n", "checks:\n  history: {maximum_change: 0.2, versions: 3}\n")
    return dataset


def history(dataset: Dataset, rows: int, before: list[DataVersion], empty: int = 0) -> dict[str, CheckResult]:
    table = pl.DataFrame({"height": [None] * empty + [1.0] * (rows - empty)}, schema={"height": pl.Float64})
    return {each.name: each for each in beside.of_table(dataset, table, before)}


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


def test_a_column_that_was_never_empty(remembering: Dataset) -> None:
    result = history(remembering, 100, [version("a", 100)], empty=6)["missing against history"]
    assert not result.success and result.message == "height from 0.0% to 6.0% empty"


@pytest.mark.parametrize(("rows", "before", "gone"), [
    (1000, {"sea": 990, "island": 5}, True),    # a sample of as many lacks it once in 148
    (1000, {"sea": 990, "island": 4}, False),
    (500, {"sea": 990, "island": 5}, False),    # of half as many, once in 12
    (500, {"sea": 990, "island": 10}, True),
    (1000, {"sea": 500, **{f"{n}": 5 for n in range(90)}}, False),    # some of so many are lacking by chance
])
def test_a_category_that_is_gone(remembering: Dataset, rows: int, before: dict[str, int], gone: bool) -> None:
    last = msgspec.structs.replace(version("a", 1000), categories={"name": before})
    found = beside.of_table(remembering, pl.DataFrame({"name": ["sea"] * rows}), [last])
    result = {each.name: each for each in found}["categories against history"]
    assert result.success is not gone and result.severity == "warn"
    if gone:
        assert f"name: no row has 'island', {before['island']} of 1000 had it in a" in result.message


def test_the_newest_version_that_has_a_category_counts(remembering: Dataset) -> None:
    old, new = (msgspec.structs.replace(version(name, 100), categories={"name": counts})
                for name, counts in (("old", {"a": 90, "b": 10}), ("new", {"a": 100})))
    result = beside.of_table(remembering, pl.DataFrame({"name": ["a"] * 100}), [old, new])[-1]
    assert not result.success and result.details["gone"][0]["version"] == "old"


def test_a_column_of_many_values_has_no_categories(remembering: Dataset) -> None:
    table = pl.DataFrame({"name": [f"p{n}" for n in range(101)]})
    assert beside.categories(remembering, table) == {}
    assert beside.categories(remembering, table.head(2).vstack(pl.DataFrame({"name": [None, "p1"]}))) == {
        "name": {"p0": 1, "p1": 2}}


def test_versions_from_the_same_place_are_preferred(places: Workspace) -> None:
    def keep(name: str, location: str, simulated: bool = False) -> None:
        source = Source(location=location, sha256="s", rows=1, simulated=simulated)
        record = msgspec.structs.replace(version(name, 1), source=source)
        write_atomic(versions.folder_of(places, "people", name) / versions.RECORD, record.to_json())

    for name, location in (("v1aa", "may.csv"), ("v2bb", "june.csv"), ("v3cc", "may.csv")):
        keep(name, location)
    keep("v4dd", "may.csv", simulated=True)
    write_atomic(versions.folder_of(places, "people", "v5ee") / versions.RECORD, "{")

    def found(location: str, **more: Any) -> list[str]:
        source = Source(location=location, sha256="s", rows=1)
        return [each.version for each in versions.earlier(places, "people", source, most=2, **more)]

    assert found("may.csv") == ["v1aa", "v3cc"] and found("may.csv", but="v3cc") == ["v1aa"]
    assert found("july.csv") == ["v2bb", "v3cc"]


def test_a_file_is_judged_beside_the_versions(remembering: Dataset, places: Workspace) -> None:
    folder = places.data / "people" / "work" / "default"
    steps.ingest(places, remembering, folder)
    steps.validate(places, remembering, folder)
    steps.process(places, remembering, folder)
    steps.check(places, remembering, folder)
    kept = steps.version(places, remembering, folder)
    assert kept.categories["name"] == {"p0": 9, "p1": 9, "p2": 9, "p3": 9} | {f"p{n}": 8 for n in (4, 5, 6)}
    source = places.repository / "data/raw/people.csv"
    header, *lines = source.read_text().splitlines()
    source.write_text("\n".join([header, *(line for line in lines if line[1] != "6")]) + "\n")
    judgement = judge(remembering)
    warned = [line for line in judgement.lines if "history" in line]
    assert judgement.verdict == "pass" and len(warned) == 1 and "no row has 'p6'" in warned[0]
    source.write_text("\n".join([header, *lines[::2]]) + "\n")
    assert any("30 rows, -50% against 60" in line for line in judge(remembering).lines)
