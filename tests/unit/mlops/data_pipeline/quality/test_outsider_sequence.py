"""Values that stand still and columns out of step: found with their rows, not in sorted rows, not by accident."""

from __future__ import annotations

import random
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from mlops.data_pipeline.dataset import Checks, Column, Dataset, InStep, Stuck, contradictions
from mlops.data_pipeline.quality import sequence
from mlops.data_pipeline.tables.rows import Rows
from mlops.records import CheckResult

DATASET = Dataset(
    name="a", repository=Path(), file=Path("a.yaml"), title="a", source="a.csv", suite="a.json",
    columns={name: Column(type="float", nullable=True) for name in ("income", "value")},
    checks=Checks(stuck={
        "income": Stuck(maximum_run=4, maximum_share=0.05, besides=[9.0]), "value": Stuck(maximum_run=4),
    }, in_step=InStep(columns=["income", "value"])),
)


def houses(rows: int = 5000, seed: int = 1) -> pl.DataFrame:
    """Incomes capped at 9, values that follow them; neighbours are alike, as along a street."""
    made, street = random.Random(seed), 0.0
    incomes, values = [], []
    for _ in range(rows):
        street = 0.8 * street + made.gauss(0, 1)
        income = min(9.0, round(5 + street + made.gauss(0, 1), 1))
        incomes.append(income)
        values.append(round(100 * income + made.gauss(0, 150)))
    return pl.DataFrame({"income": incomes, "value": [float(each) for each in values]})


def failed(table: pl.DataFrame, dataset: Dataset = DATASET) -> dict[str, CheckResult]:
    return {each.name: each for each in sequence.of_table(dataset, Rows.of(table)) if not each.success}


@pytest.mark.parametrize("order", ["", "income", "value"])
@pytest.mark.parametrize("descending", [False, True])
def test_clean_rows_pass_in_any_order(order: str, descending: bool) -> None:
    table = houses()
    assert failed(table.sort(order, descending=descending) if order else table) == {}
    assert failed(table.sample(fraction=1.0, shuffle=True, seed=2)) == {} and failed(table[:250]) == {}
    gaps = table.with_columns(income=pl.when(pl.int_range(pl.len()) % 60 > 0).then("income"))
    assert failed(gaps.sort("income")) == {}


@pytest.mark.parametrize("value", [4.4, None])
@pytest.mark.parametrize("first", [1, 700, 4989])
def test_a_value_that_stands_still_is_found_with_its_rows(first: int, value: float | None) -> None:
    number = pl.int_range(1, pl.len() + 1)
    frozen = houses().with_columns(
        income=pl.when(number.is_between(first, first + 11)).then(pl.lit(value, pl.Float64)).otherwise("income"))
    found = failed(frozen)
    assert set(found) == {"stuck income"}
    rows = set(found["stuck income"].details["rows"])
    assert set(range(first, first + 12)) <= rows <= set(range(first - 4, first + 16))
    assert f"rows {first}" in found["stuck income"].message or first == 1


def test_a_cap_may_stand_in_many_rows_and_a_filled_in_value_may_not() -> None:
    number = pl.int_range(pl.len())
    assert failed(houses().with_columns(income=pl.when(number % 100 < 20).then(9.0).otherwise("income"))).keys() <= {
        "columns in step"}
    filled = failed(houses().with_columns(income=pl.when(number % 10 == 0).then(3.87).otherwise("income")))
    assert filled["stuck income"].details["count"] == 500
    assert "3.87 in 500 of 5000 rows" in filled["stuck income"].message


@pytest.mark.parametrize("rows", [1, -1, 7])
@pytest.mark.parametrize("first", [0, 2500])
def test_columns_out_of_step_are_found_in_the_part_where_they_are(rows: int, first: int) -> None:
    table = houses()
    moved = pl.concat([table["value"][:first], pl.concat([table["value"][first:]] * 2)[-rows % (5000 - first):][
        :5000 - first]])
    found = failed(table.with_columns(value=moved))
    told = found["columns in step"].details["moved"]
    assert {each["rows"] for each in told} == {rows} and min(each["from"] for each in told) <= first + 1 < 5000
    assert (min(each["from"] for each in told) > 2000) == (first > 0)


def test_what_is_declared_must_fit() -> None:
    wrong = replace(DATASET, checks=Checks(stuck={"incomes": Stuck(maximum_run=2)}, in_step=InStep(columns=["depth"])))
    assert [field for field, _ in contradictions(wrong)] == ["checks.stuck.incomes", "checks.in_step.columns"]
    assert failed(pl.DataFrame({"other": [1.0]})) == {}
