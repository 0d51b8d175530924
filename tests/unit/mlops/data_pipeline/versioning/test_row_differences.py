"""Rows held against rows, and what two versions differ in."""

from __future__ import annotations

import datetime
import json
import random
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline.tables.fingerprint import column_type
from mlops.data_pipeline.versioning import differences, row_differences
from mlops.data_pipeline.versioning.versions import Found
from mlops.errors import IntegrityError, UsageError
from mlops.files import sha256_bytes, sha256_file
from mlops.records import CheckResult, ColumnShape, DataVersion, Source, Split, Validation
from mlops.records.data import Making, Provenance


def version(folder: Path, name: str, train: pl.DataFrame, test: pl.DataFrame | None = None, **more: Any) -> Found:
    """A version of these rows, made by hand."""
    test = train.clear() if test is None else test
    (folder / name).mkdir()
    splits = []
    for part, table in (("train", train), ("test", test)):
        path = folder / name / f"{part}.parquet"
        table.write_parquet(path)
        splits.append(Split(name=part, file=path.name, rows=table.height, sha256=sha256_file(path), fingerprint=""))
    columns = [
        ColumnShape(name=column, type=column_type(column, kind), nullable=column in more.get("nullable", ()))
        for column, kind in train.schema.items()
    ]
    validation = Validation(
        suite="s.json", suite_sha256=more.get("suite", "one"), success=True, evaluated=1, successful=1, engine="e"
    )
    record = DataVersion(
        dataset="d", version=name, fingerprint=sha256_bytes(repr((train.rows(), test.rows())).encode()),
        rows=train.height + test.height, columns=columns, target="b", splits=splits, validation=validation,
        source=Source(location="f.csv", sha256=more.get("source", "one"), rows=1),
        checks=more.get("checks", []), quality=more.get("quality", 1.0),
    )
    making = Making(created="2026-01-01T00:00:00+00:00", source="s", suite="s", config="c", code=more.get("code", "k"))
    return Found(record, folder / name, Provenance(dataset="d", version=name, fingerprint="", made=[making]))


MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5)


def values(rng: random.Random) -> dict[str, Any]:
    return {
        "k": rng.randrange(4), "a": rng.choice([None, 0.0, 1.5, float("nan")]),
        "b": rng.choice([None, "", "x", "null"]), "c": rng.choice([None, True, False]), "d": rng.choice([None, MOMENT]),
    }


SCHEMA = {"k": pl.Int64, "a": pl.Float64, "b": pl.String, "c": pl.Boolean, "d": pl.Datetime("us")}


def counted(rows: list[dict[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in rows:
        told = json.dumps({**row, "a": str(row["a"])}, default=str)
        found[told] = found.get(told, 0) + 1
    return found


@pytest.mark.parametrize("seed", range(12))
def test_added_and_removed_are_those_of_the_rows_counted(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    old, new = ([values(rng) for _ in range(rng.randrange(60))] for _ in range(2))
    found = row_differences.compare(
        version(tmp_path, "one", pl.DataFrame(old, schema=SCHEMA)),
        version(tmp_path, "two", pl.DataFrame(new, schema=SCHEMA)), [],
    )
    before, after = counted(old), counted(new)
    assert found.removed == sum(max(0, count - after.get(row, 0)) for row, count in before.items())
    assert found.added == sum(max(0, count - before.get(row, 0)) for row, count in after.items())
    assert found.changed is None and len(found.examples) <= 10


def test_zero_has_one_sign_and_rows_have_no_order(tmp_path: Path) -> None:
    one = pl.DataFrame({"a": [0.0, 1.0, None], "b": ["x", "y", "z"]})
    two = pl.DataFrame({"a": [None, 1.0, -0.0], "b": ["z", "y", "x"]})
    found = row_differences.compare(version(tmp_path, "one", one), version(tmp_path, "two", two), [])
    assert (found.added, found.removed) == (0, 0)


def test_with_a_key_a_changed_row_is_told_with_its_cells(tmp_path: Path) -> None:
    one = pl.DataFrame({"k": [1, 2, 3], "a": [1.0, 2.0, None], "b": ["x", "y", "z"]})
    two = pl.DataFrame({"k": [4, 3, 2], "a": [4.0, 3.5, 2.0], "b": ["w", "z", "q"]})
    found = row_differences.compare(version(tmp_path, "one", one), version(tmp_path, "two", two), ["k"])
    assert (found.added, found.removed, found.changed) == (1, 1, 2)
    assert found.cells == {"a": 1, "b": 1}
    shown = {tuple(each["key"].values()): each["cells"] for each in found.examples if each["change"] == "changed"}
    assert shown == {("3",): {"a": [None, "3.5"]}, ("2",): {"b": ["y", "q"]}}
    assert [each["row"]["k"] for each in found.examples if each["change"] == "added"] == ["4"]
    assert [each["row"]["k"] for each in found.examples if each["change"] == "removed"] == ["1"]


def test_a_key_that_names_no_row_is_refused(tmp_path: Path) -> None:
    one = version(tmp_path, "one", pl.DataFrame({"k": [1, 1], "b": ["x", "y"]}))
    two = version(tmp_path, "two", pl.DataFrame({"k": [1, 2], "b": ["x", "y"]}))
    with pytest.raises(UsageError, match="version one has 2 rows with 1 different keys"):
        row_differences.compare(one, two, ["k"])
    with pytest.raises(UsageError, match="'absent' is not in both"):
        row_differences.compare(one, two, ["absent"])


def test_a_row_on_another_side_is_moved_and_not_changed(tmp_path: Path) -> None:
    rows = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    one = version(tmp_path, "one", rows[:2], rows[2:])
    two = version(tmp_path, "two", rows[:1], rows[1:])
    found = row_differences.compare(one, two, [])
    assert (found.added, found.removed, found.moved) == (0, 0, 1)
    assert not differences.compare(one, two).same


def test_columns_figures_verdicts_and_origin(tmp_path: Path) -> None:
    checks = [CheckResult(name="volume", success=True, severity="warn", message="")]
    failed = [CheckResult(name="volume", success=False, severity="warn", message="")]
    one = version(
        tmp_path, "one", pl.DataFrame({"a": [1.0, 2.0], "b": ["x", "y"], "gone": [1, 2], "t": [1, 2]}), checks=checks
    )
    two = version(
        tmp_path, "two", pl.DataFrame({"a": [1.0, 4.0], "b": ["x", "y"], "come": [1, 2], "t": ["1", "2"]}),
        checks=failed, nullable=("a",), suite="two", code="other", quality=0.5,
    )
    result = {"expectation_config": {"type": "expect_x", "kwargs": {"column": "a", "batch_id": "z"}}, "success": True}
    (two.folder / "validation.json").write_text(json.dumps({"results": [result]}))
    found = differences.compare(one, two)
    changes = {(each.column, each.change) for each in found.columns}
    assert changes == {("gone", "removed"), ("come", "added"), ("t", "type"), ("a", "nullable")}
    assert found.rows.compared == ["a", "b"] and (found.rows.added, found.rows.removed) == (1, 1)
    figures = {(each.column, each.figure): (each.before, each.after) for each in found.figures}
    assert figures["a", "mean"] == (1.5, 2.5) and figures["a", "maximum"] == ("2", "4")
    assert not [each for each in found.figures if each.column == "b"]
    verdicts = {each.what: (each.before, each.after) for each in found.verdicts}
    assert verdicts == {"check volume": ("pass", "fail"), 'expect_x(column="a")': ("", "pass")}
    assert found.origin == {"suite": ["one", "two"], "code": ["k", "other"]}
    assert found.quality == [1.0, 0.5] and not found.same


def test_a_version_with_itself_is_the_same_and_a_damaged_one_is_refused(tmp_path: Path) -> None:
    one = version(tmp_path, "one", pl.DataFrame({"a": [1.0], "b": ["x"]}))
    found = differences.compare(one, one)
    assert found.same and not found.figures and not found.columns and found.rows.added == 0
    (one.folder / "train.parquet").write_bytes(b"other")
    with pytest.raises(IntegrityError):
        differences.compare(one, one)
