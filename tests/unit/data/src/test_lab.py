"""The lab data: real, whole, in our own names."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from data.src import lab
from mlops.data_pipeline import read_dataset
from mlops.data_pipeline.intake import read_source
from mlops.data_pipeline.quality import checks
from mlops.validation import read_suite, validate

REPOSITORY = Path(__file__).parents[4]
LAB = read_dataset(REPOSITORY, "lab")


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return read_source(LAB).table


def test_the_names_and_labels(table: pl.DataFrame) -> None:
    assert table.shape == (569, 31) and "worst_concave_points" in table.columns and "radius_error" in table.columns
    assert dict(table["diagnosis"].value_counts().iter_rows()) == {"malignant": 212, "benign": 357}
    assert list(LAB.columns) == table.columns


def test_a_known_sample_has_its_known_values(table: pl.DataFrame) -> None:
    first = table.row(0, named=True)
    assert (first["mean_radius"], first["mean_texture"], first["diagnosis"]) == (17.99, 10.38, "malignant")


def test_the_declaration_covers_the_processed_columns(table: pl.DataFrame) -> None:
    assert lab.process(table).columns == list(LAB.columns)


def test_the_data_passes(table: pl.DataFrame) -> None:
    assert validate(read_suite(LAB.suite_path), table).verdict == "pass"
    assert not checks.blocking(checks.of_table(LAB, table))
    assert not read_source(LAB).source.simulated


def test_planted_defects_are_found(table: pl.DataFrame) -> None:
    row = pl.int_range(pl.len())
    spoilt = table.drop("mean_symmetry").with_columns(
        pl.when(row == 3).then(-1.0).otherwise("mean_compactness").alias("mean_compactness"),
        pl.when(row == 4).then(None).otherwise("worst_area").alias("worst_area"),
        pl.when(row == 5).then(pl.lit("unclear")).otherwise("diagnosis").alias("diagnosis"),
        (pl.col("area_error") * 1000).alias("area_error"),
        pl.lit(0.1).alias("mean_smoothness"),
        pl.when(row == 6).then(pl.col("mean_texture") * 0.5).otherwise("worst_texture").alias("worst_texture"),
    )
    text = validate(read_suite(LAB.suite_path), spoilt).text(limit=100)
    for said in ("row 4 is -1", "row 5 is empty", "row 6 is 'unclear'", "area_error: 5",
                 "mean_symmetry: the column is missing", "mean_smoothness: breaks the rule: unique value count",
                 "worst_texture and mean_texture: 1 of 569"):
        assert said in text


@pytest.mark.parametrize(("defect", "name"), [
    (pl.col("mean_radius").shuffle(seed=1), "area follows radius"),
    (pl.lit("benign").alias("diagnosis"), "target of table"),
    (pl.when(pl.int_range(pl.len()) < 560).then(pl.lit("benign")).otherwise("diagnosis").alias("diagnosis"),
     "target of table"),
])
def test_planted_defects_fail_their_checks(table: pl.DataFrame, defect: pl.Expr, name: str) -> None:
    failed = [each.name for each in checks.blocking(checks.of_table(LAB, table.with_columns(defect)))]
    assert name in failed


def test_repeated_rows_are_found(table: pl.DataFrame) -> None:
    failed = checks.blocking(checks.of_table(LAB, pl.concat([table, table[:2]])))
    assert failed[0].name == "duplicates" and all(each.name.startswith("key ") for each in failed[1:])
