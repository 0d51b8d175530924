"""Keys and references: red on what they are for, green without it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, read_dataset, steps
from mlops.data_pipeline.quality import checks
from mlops.errors import ConfigurationError
from mlops.records import CheckResult

TABLE = pl.DataFrame({
    "name": ["a", "b", "c", "d"], "age": [30, 31, 32, 33], "height": [1.0, 2.0, None, 4.0],
    "wage": [10.0, 20.0, 30.0, 40.0],
})


def found(dataset: Dataset, table: pl.DataFrame, start: str, places: Workspace | None = None) -> CheckResult:
    [result] = [each for each in checks.of_table(dataset, table, places=places) if each.name.startswith(start)]
    return result


def test_a_key_names_every_row_once(change: Any) -> None:
    dataset = change("checks:\n", "checks:\n  keys: [{columns: [name, age]}]\n")
    assert found(dataset, TABLE, "key").success
    twice = TABLE.with_columns(pl.Series("name", ["a", "a", "c", "d"]))
    assert found(dataset, twice, "key").success  # the ages differ
    result = found(dataset, twice.with_columns(age=pl.lit(30)), "key")
    assert not result.success and result.severity == "block" and result.details["rows"] == [2]


def test_a_row_without_its_key_is_named_as_that_and_not_as_a_repetition(change: Any) -> None:
    dataset = change("checks:\n", "checks:\n  keys: [{columns: [name]}]\n")
    result = found(dataset, TABLE.with_columns(pl.Series("name", ["a", None, None, "d"])), "key")
    assert result.details == {"count": 2, "rows": [2, 3]} and "2 rows have an empty key" in result.message
    assert "earlier" not in result.message


def test_a_reference_to_a_file_of_the_tree(change: Any, tree: Path) -> None:
    (tree / "data" / "raw" / "names.csv").write_text("code\na\nb\nc\n")
    dataset = change("checks:\n", "checks:\n  references: [{columns: [name], to: data/raw/names.csv, key: [code]}]\n")
    result = found(dataset, TABLE, "reference")
    assert not result.success and result.details["rows"] == [4] and "(d)" in result.message
    assert found(dataset, TABLE[:3], "reference").success
    # an empty cell refers to nothing
    assert found(dataset, TABLE.with_columns(pl.Series("name", ["a", None, "b", None])), "reference").success


def test_a_reference_compares_numbers_with_texts_of_the_same_number(change: Any, tree: Path) -> None:
    (tree / "data" / "raw" / "ages.csv").write_text("age,name\n30,a\n31,b\n32,c\n33,d\n")
    declared = "checks:\n  references: [{columns: [age, name], to: data/raw/ages.csv}]\n"
    assert found(change("checks:\n", declared), TABLE, "reference").success


def test_a_share_of_rows_may_point_to_nothing(change: Any, tree: Path) -> None:
    (tree / "data" / "raw" / "names.csv").write_text("name\na\nb\nc\n")
    declared = "checks:\n  references: [{columns: [name], to: data/raw/names.csv, maximum_share: 0.25}]\n"
    assert found(change("checks:\n", declared), TABLE, "reference").success


@pytest.mark.parametrize("target", ["data/raw/absent.csv", "nobody"])
def test_a_reference_that_cannot_be_asked_blocks_even_where_it_would_only_warn(
    change: Any, tree: Path, target: str
) -> None:
    declared = f"checks:\n  references: [{{columns: [name], to: {target}, severity: warn}}]\n"
    result = found(change("checks:\n", declared), TABLE, "reference", Workspace(tree))
    assert not result.success and result.severity == "block" and "could not be evaluated" in result.message


def test_a_reference_to_another_data_set_asks_its_last_version(
    change: Any, tree: Path, places: Workspace, dataset: Dataset, work: Path
) -> None:
    for step in (steps.ingest, steps.validate, steps.process, steps.check, steps.version):
        step(places, dataset, work)
    (tree / "data" / "datasets" / "others.yaml").write_text(
        (tree / "data" / "datasets" / "people.yaml").read_text().replace(
            "checks:\n", "checks:\n  references: [{columns: [name], to: people}]\n")
    )
    others = read_dataset(tree, "others")
    known = TABLE.with_columns(pl.Series("name", ["p0", "p1", "p2", "p9"]))
    assert found(others, known, "reference", places).details["rows"] == [4]
    assert found(others, known[:3], "reference", places).success


@pytest.mark.parametrize(("declared", "field"), [
    ("keys: [{columns: [nam]}]", "checks.keys[0].columns"),
    ("keys: [{columns: []}]", "checks.keys[0].columns"),
    ("references: [{columns: [x], to: people}]", "checks.references[0].columns"),
    ("references: [{columns: [name], to: people, key: [a, b]}]", "checks.references[0].key"),
    ("freshness: {column: age, maximum_days: 3}", "checks.freshness.column"),
])
def test_a_declaration_that_does_not_fit_names_its_field(change: Any, declared: str, field: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        change("checks:\n", f"checks:\n  {declared}\n")
    assert field in str(raised.value)
