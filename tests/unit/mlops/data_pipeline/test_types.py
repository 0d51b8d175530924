"""Declared types where every value can be, and untouched columns where one cannot."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.types import to_declared_types


def typed(dataset: Dataset, name: str, values: list[Any], from_text: bool = True) -> pl.Series:
    return to_declared_types(pl.DataFrame({name: values}), dataset, from_text=from_text)[name]


def test_numbers_come_from_text(dataset: Dataset) -> None:
    column = typed(dataset, "wage", ["1", " 2.5 ", "", "NA", "nan", "-3e2", "None"])
    assert column.dtype == pl.Float64 and column.to_list() == [1, 2.5, None, None, None, -300, None]


@pytest.mark.parametrize("bad", ["x", "1,5", "1.2.3", "0x10", "1 000", "--1", "12abc", "#REF!"])
def test_one_text_among_numbers_leaves_the_column_text(dataset: Dataset, bad: str) -> None:
    column = typed(dataset, "wage", ["1", bad, "3"])
    assert column.dtype == pl.String and column.to_list() == ["1", bad, "3"]


def test_infinity_is_a_number_for_the_suite_to_refuse(dataset: Dataset) -> None:
    assert typed(dataset, "wage", ["1", "inf"]).to_list() == [1.0, float("inf")]


def test_integers_with_a_fraction_stay_text(dataset: Dataset) -> None:
    assert typed(dataset, "age", ["1", "2.0", ""]).to_list() == [1, 2, None]
    assert typed(dataset, "age", ["1", "2.5"]).dtype == pl.String


def test_a_text_column_keeps_its_words(dataset: Dataset) -> None:
    assert typed(dataset, "name", ["NA", "", " a"]).to_list() == ["NA", None, " a"]


@pytest.mark.parametrize(("values", "kind"), [
    ([1, 2], pl.Float64), ([None, None], pl.Float64), (["1", "2"], pl.String),
])
def test_in_a_typed_file_a_number_kept_as_text_is_wrong(dataset: Dataset, values: list[Any], kind: Any) -> None:
    assert typed(dataset, "wage", values, from_text=False).dtype == kind


def test_categories_are_text_and_unknown_columns_are_kept(dataset: Dataset) -> None:
    table = pl.DataFrame({"name": pl.Series(["a", "b"], dtype=pl.Categorical), "more": [1, 2]})
    result = to_declared_types(table, dataset, from_text=False)
    assert result.schema == {"name": pl.String, "more": pl.Int64}
