"""Each check is red on its own defect and green without it."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset
from mlops.data_pipeline.intake import read_source
from mlops.data_pipeline.quality import checks


@pytest.fixture
def table(dataset: Dataset) -> pl.DataFrame:
    return read_source(dataset).table


def failed(dataset: Dataset, table: pl.DataFrame) -> dict[str, Any]:
    return {result.name: result for result in checks.of_table(dataset, table) if not result.success}


def test_good_rows_pass(dataset: Dataset, table: pl.DataFrame) -> None:
    assert failed(dataset, table) == {}


def test_repeated_rows_are_named(dataset: Dataset, table: pl.DataFrame) -> None:
    result = failed(dataset, pl.concat([table, table[3:5]]))["duplicates"]
    assert result.details == {"count": 2, "rows": [61, 62]} and result.severity == "block"


def test_columns_that_are_not_declared_do_not_hide_a_repeated_row(dataset: Dataset, table: pl.DataFrame) -> None:
    assert "duplicates" in failed(dataset, pl.concat([table, table[:1]]).with_row_index("id"))


def test_too_few_rows(dataset: Dataset, table: pl.DataFrame) -> None:
    assert "at least 20" in failed(dataset, table[:19])["volume"].message
    assert "volume" not in failed(dataset, table[:20])


def test_too_many_gaps_only_warn_where_the_declaration_says_so(dataset: Dataset, table: pl.DataFrame) -> None:
    result = failed(dataset, table.with_columns(pl.lit(None, pl.Float64).alias("height")))["missing height"]
    assert result.severity == "warn" and checks.blocking([result]) == []


def test_a_row_that_breaks_a_relation_is_named_and_gaps_do_not_count(dataset: Dataset, table: pl.DataFrame) -> None:
    broken = table.with_columns(pl.when(pl.int_range(pl.len()) == 4).then(999.0).otherwise("height").alias("height"))
    assert failed(dataset, broken)["grown"].details["rows"] == [5]


@pytest.mark.parametrize("rule", ["absent > 1", "height <", "age + 1", "name > 3", "DROP TABLE x"])
def test_a_rule_that_cannot_be_evaluated_blocks(change: Any, table: pl.DataFrame, rule: str) -> None:
    old = "rule: height < 3 * age, message: too tall for the age"
    dataset = change(old, f"rule: '{rule}', message: m, severity: warn")
    result = failed(dataset, table)["grown"]
    assert result.severity == "block" and "could not be evaluated" in result.message


def test_a_rule_over_the_table_gives_one_answer(change: Any, table: pl.DataFrame) -> None:
    dataset = change("rule: height < 3 * age", "rule: 'CORR(age, height) > 0.9'")
    assert failed(dataset, table) == {}
    mixed = table.with_columns(pl.col("height").shuffle(seed=3))
    assert failed(dataset, mixed)["grown"].message == "too tall for the age (age, height)"


@pytest.mark.parametrize(("values", "said"), [([5.0] * 60, "1 distinct"), ([5.0] * 59 + [6.0], "has one value in")])
def test_a_target_without_a_signal(change: Any, table: pl.DataFrame, values: list[float], said: str) -> None:
    dataset = change("checks:\n", "checks:\n  label: {maximum_value_share: 0.9}\n")
    assert said in failed(dataset, table.with_columns(pl.Series("wage", values)))["target of table"].message


def test_a_rare_class(change: Any, table: pl.DataFrame) -> None:
    dataset = change("checks:\n", "checks:\n  label: {minimum_class_share: 0.1}\n")
    classes = pl.Series("wage", [1.0] * 57 + [2.0] * 3)
    assert "class" in failed(dataset, table.with_columns(classes))["target of table"].message


def test_a_feature_that_is_the_target(dataset: Dataset, table: pl.DataFrame) -> None:
    leaking = table.with_columns((pl.col("wage") * -2 + 7).alias("height"))
    assert failed(dataset, leaking)["target leakage"].details["features"] == ["height"]


def test_a_missing_target(dataset: Dataset, table: pl.DataFrame) -> None:
    assert "missing" in failed(dataset, table.drop("wage"))["target of table"].message


def test_leakage_between_the_parts(dataset: Dataset, table: pl.DataFrame) -> None:
    results = {each.name: each for each in checks.of_splits(dataset, table[:40], table[40:])}
    assert all(each.success for each in results.values())
    shared = table[38:].with_columns(pl.col("wage") + 1)  # the same people with other answers
    results = {each.name: each for each in checks.of_splits(dataset, table[:40], shared)}
    assert results["leakage between splits"].details == {"count": 2} and not results["leakage between splits"].success


def test_a_part_that_is_too_small(dataset: Dataset, table: pl.DataFrame) -> None:
    results = {each.name: each.success for each in checks.of_splits(dataset, table[:59], table[59:])}
    assert not results["volume of test"]
