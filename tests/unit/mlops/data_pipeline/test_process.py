"""Processing is deterministic, and the split depends on each row alone."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset, process
from mlops.data_pipeline.intake import read_source
from mlops.errors import BadDataError, ConfigurationError


@pytest.fixture
def table(dataset: Dataset) -> pl.DataFrame:
    return process.apply(dataset, read_source(dataset).table)


def test_every_row_is_on_one_side(dataset: Dataset, table: pl.DataFrame) -> None:
    train, test = process.split(dataset, table)
    assert train.table.height + test.table.height == table.height and 4 <= test.table.height <= 26
    assert pl.concat([train.table, test.table]).sort(table.columns).equals(table.sort(table.columns))


def test_the_order_of_the_rows_changes_nothing(dataset: Dataset, table: pl.DataFrame) -> None:
    one, two = process.split(dataset, table), process.split(dataset, table.sample(fraction=1, shuffle=True, seed=1))
    for first, second in zip(one, two, strict=True):
        assert first.table.equals(second.table) and first.fingerprint == second.fingerprint


def test_an_order_that_belongs_to_the_data_is_kept(change: Any, table: pl.DataFrame) -> None:
    dataset = change("identity: rows", "identity: order")
    train, _ = process.split(dataset, table)
    again, _ = process.split(dataset, table.reverse())
    assert again.table.equals(train.table.reverse()) and again.fingerprint != train.fingerprint
    assert train.table.equals(table.join(train.table, on=["name", "age"], how="semi", maintain_order="left"))


def test_a_row_keeps_its_side_whatever_rows_are_added(dataset: Dataset, table: pl.DataFrame) -> None:
    _, before = process.split(dataset, table[:30])
    _, after = process.split(dataset, table)
    assert before.table.join(after.table, on=["name", "age", "wage"], how="semi").height == before.table.height


def test_the_same_features_fall_on_the_same_side(dataset: Dataset, table: pl.DataFrame) -> None:
    doubled = pl.concat([table, table.with_columns(pl.col("wage") * 2)])
    train, test = process.split(dataset, doubled)
    features = ["name", "age", "height"]
    assert train.table.join(test.table, on=features, how="semi", nulls_equal=True).height == 0
    assert test.table.height == 2 * process.split(dataset, table)[1].table.height


def test_the_share_is_held(change: Any) -> None:
    rows = pl.DataFrame({"name": ["x"] * 8000, "age": range(8000), "height": [1.0] * 8000, "wage": [2.0] * 8000})
    _, test = process.split(change("test: 0.25", "test: 0.1"), rows)
    assert 0.085 < test.table.height / rows.height < 0.115


def test_a_salt_gives_another_split_and_another_version(change: Any, dataset: Dataset, table: pl.DataFrame) -> None:
    one = process.split(dataset, table)
    two = process.split(change("{test: 0.25}", "{test: 0.25, salt: again}"), table)
    assert not one[1].table.equals(two[1].table)
    assert process.version_fingerprint(*one) != process.version_fingerprint(*two)


@pytest.mark.parametrize(("name", "kind"), [
    ("nothing", BadDataError), ("targetless", ConfigurationError), ("words", ConfigurationError),
    ("absent", ConfigurationError),
])
def test_a_process_function_that_breaks_its_promise(change: Any, name: str, kind: type[Exception]) -> None:
    dataset = change("people_product.steps:process", f"people_product.steps:{name}")
    with pytest.raises(kind):
        process.apply(dataset, read_source(dataset).table)


def test_shapes_say_what_the_declaration_says(dataset: Dataset, table: pl.DataFrame) -> None:
    shapes = {shape.name: (shape.type, shape.nullable) for shape in process.shapes(dataset, table)}
    assert shapes == {
        "name": ("string", False), "age": ("integer", False), "height": ("float", True), "wage": ("float", False)
    }
