"""The housing product's processing: nothing learnt, nothing filled, nothing lost."""

from __future__ import annotations

import polars as pl

from data.src import housing, simulate


def test_gaps_stay_gaps_and_rows_stay_rows() -> None:
    raw = pl.read_csv(simulate.OUTPUT)
    result = housing.process(raw)
    assert result.height == raw.height and result.columns == [*housing.NUMBERS, housing.CATEGORY]
    assert result["total_bedrooms"].null_count() == raw["total_bedrooms"].null_count() > 0


def test_a_row_comes_out_the_same_whatever_rows_stand_beside_it() -> None:
    raw = pl.read_csv(simulate.OUTPUT)
    assert housing.process(raw)[10:20].equals(housing.process(raw[10:20]))


def test_types_are_numbers_and_text_and_further_columns_go() -> None:
    raw = pl.read_csv(simulate.OUTPUT).with_columns(pl.col("population").cast(pl.Int64), pl.lit(1).alias("more"))
    result = housing.process(raw)
    assert set(result.schema.values()) == {pl.Float64(), pl.String()} and "more" not in result.columns
