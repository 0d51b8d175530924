"""What is proposed holds for another sample of the same data, and not for data with defects."""

from __future__ import annotations

import json
import math
import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.profile import expectations, figures
from mlops.validation import Suite, validate

COLUMNS = {
    "id": Column(type="integer"), "amount": Column(type="float"), "pareto": Column(type="float"),
    "temperature": Column(type="float"), "age": Column(type="integer"), "rate": Column(type="float", nullable=True),
    "code": Column(type="string"), "channel": Column(type="string"), "rare": Column(type="string"),
    "note": Column(type="string", nullable=True), "paid": Column(type="boolean"), "at": Column(type="datetime"),
}


def visits(rows: int = 4000, seed: int = 1) -> pl.DataFrame:
    """Every kind of column: heavy tails, a cap, gaps, rare categories, a form of code, free text."""
    made = random.Random(seed)
    start = datetime(2024, 1, 1)
    return pl.DataFrame({
        "id": list(range(1, rows + 1)), "amount": [round(made.lognormvariate(3, 1), 2) for _ in range(rows)],
        "pareto": [made.paretovariate(1.1) for _ in range(rows)],
        "temperature": [made.gauss(2, 5) for _ in range(rows)],
        "age": [min(90, int(made.expovariate(1 / 30))) for _ in range(rows)],
        "rate": [None if made.random() < 0.07 else made.random() for _ in range(rows)],
        "code": [f"AB-{made.randint(100, 999)}" for _ in range(rows)],
        "channel": [made.choice(["web", "shop", "phone"]) for _ in range(rows)],
        "rare": [made.choices(["a", "b", "c", "d", "e"], [500, 500, 1, 1, 1])[0] for _ in range(rows)],
        "note": [None if made.random() < 0.5 else "".join(made.choices("abc ÄÖ.", k=made.randint(1, 40)))
                 for _ in range(rows)],
        "paid": [made.random() < 0.5 for _ in range(rows)],
        "at": [start + timedelta(minutes=made.randint(0, 500_000)) for _ in range(rows)],
    })


def suite(table: pl.DataFrame, columns: dict[str, Column] = COLUMNS) -> Suite:
    made = expectations.proposed(figures.of_table(table, columns))
    return Suite(name="proposed", path=Path("proposed.json"), sha256="", expectations=tuple(made))


def halves(table: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    mixed = table.sample(fraction=1.0, shuffle=True, seed=seed)
    return mixed[:table.height // 2], mixed[table.height // 2:]


def failing(table: pl.DataFrame, rounds: int, columns: dict[str, Column] = COLUMNS) -> list[str]:
    found = []
    for seed in range(rounds):
        one, other = halves(table, seed)
        found += [f"{seed}: {line}" for line in validate(suite(one, columns), other).lines()]
    return found


def test_the_other_half_passes() -> None:
    assert failing(visits(), 10) == []
    assert failing(visits(rows=400, seed=2), 5) == []


@pytest.mark.slow
def test_the_other_half_passes_many_times() -> None:
    """Each of a dozen columns has a chance of about 3 in 10,000: of 400 suites, ten would already be too many."""
    assert len([line for seed in range(4) for line in failing(visits(seed=seed), 100)]) <= 10


@pytest.mark.skipif("MLOPS_REAL_DATA" not in os.environ, reason="MLOPS_REAL_DATA names no file")
def test_the_other_half_of_real_data_passes() -> None:
    table = pl.read_csv(os.environ["MLOPS_REAL_DATA"])
    columns = {
        name: Column(type="string" if kind == pl.String else "float", nullable=True)
        for name, kind in table.schema.items()
    }
    assert failing(table, 20, columns) == []


PLANTED: dict[str, tuple[str, Any]] = {
    "cells are empty": ("age", pl.lit(None, pl.Int64)),
    "more cells are empty": ("rate", pl.when(pl.int_range(pl.len()) % 5 == 0).then(None).otherwise("rate")),
    "one value in cents": ("temperature", pl.when(pl.int_range(pl.len()) == 7).then(900.0).otherwise("temperature")),
    "one value below zero": ("amount", pl.when(pl.int_range(pl.len()) == 7).then(-5.0).otherwise("amount")),
    "one value beyond the cap": ("age", pl.when(pl.int_range(pl.len()) == 7).then(91).otherwise("age")),
    "a column in another unit": ("amount", pl.col("amount") * 1.6),
    "a sentinel": ("temperature", pl.when(pl.int_range(pl.len()) % 900 == 0).then(-999.0).otherwise("temperature")),
    "a misspelt category": ("channel", pl.col("channel").replace("web", "Web")),
    "codes of another form": ("code", pl.when(pl.int_range(pl.len()) % 99 == 0).then(pl.lit("A_1")).otherwise("code")),
    "an id twice": ("id", pl.when(pl.int_range(pl.len()) == 7).then(3).otherwise("id")),
    "a moment of 1970": ("at", pl.when(pl.int_range(pl.len()) == 7).then(datetime(1970, 1, 1)).otherwise("at")),
    "long texts": ("note", pl.col("note") + "x" * 60),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_defect_is_found_in_its_column_and_nowhere_else(what: str) -> None:
    one, other = halves(visits(), 3)
    column, change = PLANTED[what]
    outcome = validate(suite(one), other.with_columns(change.cast(other.schema[column]).alias(column)))
    assert {finding.column for finding in outcome.findings} == {column}, outcome.lines()


def test_a_lost_column_and_lost_rows_are_found() -> None:
    one, other = halves(visits(), 3)
    assert not validate(suite(one), other.drop("paid")).success
    assert not validate(suite(one), other[:400]).success


def test_every_expectation_says_why_and_great_expectations_reads_them() -> None:
    import great_expectations as gx

    one, other = halves(visits(600), 1)
    made = suite(one)
    for each in made.expectations:
        assert each["meta"]["notes"]["content"][0], each
    assert json.loads(json.dumps(made.expectations)) == list(made.expectations)
    read = gx.ExpectationSuite(name="proposed", expectations=[dict(each) for each in made.expectations])
    assert len(read.expectations) == len(made.expectations)
    theirs = validate(made, other, engine="gx")
    assert theirs.success and theirs.evaluated == len(made.expectations), theirs.lines()


def test_few_rows_say_nothing_of_values() -> None:
    kinds = {each["type"] for each in suite(visits(60)).expectations}
    assert kinds == {"expect_table_row_count_to_be_between", "expect_column_to_exist",
                     "expect_column_values_to_be_in_type_list", "expect_column_values_to_be_of_type"}


def test_columns_of_nothing_and_of_other_types_are_left_alone() -> None:
    table = pl.DataFrame({"empty": [None] * 200, "odd": ["x"] * 200, "inf": [math.inf, *range(198), -math.inf],
                          "rows": ["x", "y"] * 100, "same": [4.0] * 200}, schema_overrides={"empty": pl.Float64})
    columns = {name: Column(type="string" if name == "rows" else "float", nullable=True) for name in table.columns}
    seen = {each.name: each for each in figures.of_table(table, columns)}
    assert seen["odd"].odd == "some cells are no float" and seen["empty"].known == 0
    made = suite(table, columns)
    assert json.dumps(made.expectations, allow_nan=False)
    named = {each["kwargs"].get("column") for each in made.expectations if "between" in each["type"]}
    assert {"same", "inf"} <= named and (seen["inf"].minimum, seen["inf"].maximum) == (0.0, 197.0)
    assert seen["rows"].values == [("x", 100), ("y", 100)] and not named & {"empty", "odd"}
