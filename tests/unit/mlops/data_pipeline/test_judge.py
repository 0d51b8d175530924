"""The housing suite and checks: every planted defect is found, and clean data raises no alarm."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from mlops.data_pipeline import read_dataset
from mlops.data_pipeline.judge import Judgement, judge
from mlops.errors import MissingInputError

REPOSITORY = Path(__file__).parents[4]
HOUSING = read_dataset(REPOSITORY, "housing")
SAMPLE = REPOSITORY / "data/raw/housing.csv"
REAL = os.environ.get("MLOPS_REAL_DATA")
ROW = pl.int_range(pl.len())


def lines(path: Path) -> pl.DataFrame:
    """A CSV file with all cells as text."""
    return pl.read_csv(path, infer_schema=False)


def judged(table: pl.DataFrame, tmp_path: Path, suffix: str = "csv") -> Judgement:
    path = tmp_path / f"planted.{suffix}"
    table.write_parquet(path) if suffix == "parquet" else table.write_csv(path)
    return judge(HOUSING, str(path))


def put(column: str, value: str | None, where: pl.Expr) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda table: table.with_columns(pl.when(where).then(pl.lit(value)).otherwise(column).alias(column))


def times(column: str, factor: float, where: pl.Expr | None = None) -> Callable[[pl.DataFrame], pl.DataFrame]:
    scaled = (pl.col(column).cast(pl.Float64) * factor).round(6).cast(pl.String)
    return lambda table: table.with_columns(
        pl.when(pl.lit(True) if where is None else where).then(scaled).otherwise(column).alias(column)
    )


def shuffled(column: str) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda table: table.with_columns(pl.col(column).shuffle(seed=7))


ONE = ROW == 16
DEFECTS: dict[str, tuple[Callable[[pl.DataFrame], pl.DataFrame], str]] = {
    "missing column": (lambda table: table.drop("households"), "households"),
    "renamed column": (lambda table: table.rename({"median_income": "medianIncome"}), "median_income"),
    "column in capitals": (lambda table: table.rename({"latitude": "LATITUDE"}), "latitude"),
    "text in one cell": (put("total_rooms", "many", ONE), "row 17 is 'many'"),
    "decimal comma": (put("median_income", "3,5", ONE), "row 17 is '3,5'"),
    "text column": (put("population", "x", ROW >= 0), "population"),
    "gap": (put("median_income", None, ONE), "row 17 is empty"),
    "gap in the target": (put("median_house_value", None, ONE), "median_house_value"),
    "gap in the category": (put("ocean_proximity", "", ONE), "ocean_proximity"),
    "not a number": (put("longitude", "NaN", ONE), "longitude"),
    "infinity": (put("population", "inf", ONE), "population"),
    "many gaps in bedrooms": (put("total_bedrooms", None, ROW % 10 == 0), "total_bedrooms"),
    "all bedrooms gone": (put("total_bedrooms", None, ROW >= 0), "total_bedrooms"),
    "longitude east": (times("longitude", -1), "longitude"),
    "one longitude east": (times("longitude", -1, ONE), "longitude"),
    "latitude beyond": (put("latitude", "95.0", ONE), "row 17 is 95"),
    "swapped coordinates": (
        lambda table: table.rename({"longitude": "latitude", "latitude": "longitude"}), "longitude"),
    "null island": (lambda table: put("latitude", "0", ONE)(put("longitude", "0", ONE)(table)), "latitude"),
    "in the ocean": (lambda table: put("latitude", "33.0", ONE)(put("longitude", "-124.0", ONE)(table)), "California"),
    "negative age": (put("housing_median_age", "-1", ONE), "housing_median_age"),
    "age beyond": (put("housing_median_age", "530", ONE), "housing_median_age"),
    "negative count": (put("total_rooms", "-880", ONE), "total_rooms"),
    "no people": (put("population", "0", ONE), "population"),
    "sentinel": (put("households", "99999", ONE), "households"),
    "income in dollars": (times("median_income", 10000), "median_income"),
    "one income in dollars": (times("median_income", 10000, ONE), "median_income"),
    "negative income": (put("median_income", "-2.0", ONE), "median_income"),
    "target in thousands": (times("median_house_value", 0.001), "median_house_value"),
    "target in cents": (times("median_house_value", 100), "median_house_value"),
    "target times a thousand": (times("median_house_value", 1000), "median_house_value"),
    "negative price": (put("median_house_value", "-1", ONE), "median_house_value"),
    "price beyond": (put("median_house_value", "5000000", ONE), "median_house_value"),
    "unknown category": (put("ocean_proximity", "LAKE", ONE), "row 17 is 'LAKE'"),
    "category in lower case": (put("ocean_proximity", "inland", ONE), "ocean_proximity"),
    "category with a space": (put("ocean_proximity", "INLAND ", ONE), "ocean_proximity"),
    "category as numbers": (put("ocean_proximity", "1", ROW >= 0), "ocean_proximity"),
    "too few rows": (lambda table: table[:999], "row count"),
    "a repeated row": (lambda table: pl.concat([table, table[16:17]]), "duplicates"),
    "everything twice": (lambda table: pl.concat([table, table]), "duplicates"),
    "more bedrooms than rooms": (put("total_rooms", "30", ONE), "total_rooms"),
    "more households than people": (put("population", "20", ONE), "households"),
    "rooms beyond the households": (lambda table: put("households", "2", ONE)(put("total_rooms", "9000", ONE)(table)),
                                    "rooms a household"),
    **{f"constant {name}": (put(name, value, ROW >= 0), name) for name, value in {
        "longitude": "-120.5", "latitude": "36.0", "housing_median_age": "30", "total_rooms": "2000",
        "total_bedrooms": "400", "population": "1000", "households": "400", "median_income": "3.5",
        "median_house_value": "200000", "ocean_proximity": "INLAND"}.items()},
    "shuffled target": (shuffled("median_house_value"), "value follows income"),
    "shuffled households": (shuffled("households"), "households"),
    "shuffled bedrooms": (shuffled("total_bedrooms"), "bedrooms"),
    "rooms and people swapped": (
        lambda table: table.rename({"total_rooms": "total_bedrooms", "total_bedrooms": "total_rooms"}), "total_rooms"),
    "mojibake in the category": (put("ocean_proximity", "NEAR BAYâ€™", ONE), "row 17 is 'NEAR BAYâ€™'"),
    "a number of another alphabet": (put("total_rooms", "٣٤", ONE), "row 17, column total_rooms: '٣٤' is no number"),
    "a unit": (put("total_rooms", "880 rooms", ONE), "(a unit?"),
    "marks between thousands": (put("median_house_value", "452,600", ONE), "row 17 is '452,600'"),
    "beyond a double": (put("population", "1e400", ONE), "row 17, column population: '1e400' is beyond"),
    "a block again": (lambda table: pl.concat([table[:600], table[100:150], table[600:]]), "rows 601, 602"),
    "cells of one row moved on": (
        lambda table: table.with_columns(
            pl.when(ONE).then(pl.col(before)).otherwise(pl.col(after)).alias(after)
            for before, after in zip(table.columns[-1:] + table.columns[:-1], table.columns, strict=True)),
        "row 17"),
    "half the people in thousands": (times("population", 0.001, ROW % 2 == 0), "population"),
    "a column moved up from the middle": (
        lambda table: table.with_columns(pl.when(ROW > 700).then(pl.col("total_rooms").shift(-1)).otherwise(
            pl.col("total_rooms")).alias("total_rooms")), "total_rooms"),
    "a header among the rows": (
        lambda table: pl.concat([table[:500], pl.DataFrame({name: [name] for name in table.columns}), table[500:]]),
        "row 501"),
    "the answer among the features": (
        lambda table: table.with_columns(
            (pl.col("median_house_value").cast(pl.Float64) / 40000 + 0.5).cast(pl.String).alias("median_income")),
        "in disguise"),
}

# Each is also among the single cells below, which are planted together to save time.
ALONE = {
    "text in one cell", "decimal comma", "gap", "gap in the target", "gap in the category", "not a number", "infinity",
    "one longitude east", "latitude beyond", "negative age", "age beyond", "negative count", "no people", "sentinel",
    "one income in dollars", "negative income", "negative price", "price beyond", "unknown category",
    "category in lower case", "category with a space", "constant total_rooms", "constant population",
    "constant households", "constant total_bedrooms",
}


# One cell each: (column, value, what is said). Planted together, one a column at a time, each in a row of its own.
CELLS: list[tuple[str, str | None, str]] = [
    ("total_rooms", "many", "row {row} is 'many'"),
    ("total_rooms", "-880", "row {row} is -880"),
    ("total_rooms", "2", "row {row} is (2, "),
    ("median_income", "3,5", "row {row} is '3,5'"),
    ("median_income", None, "row {row} is empty"),
    ("median_income", "-2.0", "row {row} is -2"),
    ("median_income", "35000", "row {row} is 35000"),
    ("median_house_value", None, "row {row} is empty"),
    ("median_house_value", "-1", "row {row} is -1"),
    ("median_house_value", "5000000", "row {row} is 5000000"),
    ("ocean_proximity", "", "row {row} is empty"),
    ("ocean_proximity", "LAKE", "row {row} is 'LAKE'"),
    ("ocean_proximity", "inland", "row {row} is 'inland'"),
    ("ocean_proximity", "INLAND ", "row {row} is 'INLAND '"),
    ("longitude", "NaN", "row {row} is empty"),
    ("longitude", "121.5", "row {row} is 121.5"),
    ("latitude", "95.0", "row {row} is 95"),
    ("latitude", "0", "row {row} is 0"),
    ("population", "inf", "row {row} is 'inf'"),
    ("population", "0", "row {row} is 0"),
    ("population", "1.0.0", "row {row} is '1.0.0'"),
    ("housing_median_age", "-1", "row {row} is -1"),
    ("housing_median_age", "530", "row {row} is 530"),
    ("housing_median_age", "1985", "row {row} is 1985"),
    ("households", "99999", "row {row} is 99999"),
    ("households", "#N/A", "row {row} is '#N/A'"),
    ("total_bedrooms", "-3", "row {row} is -3"),
]
COLUMNS = list(dict.fromkeys(column for column, _, _ in CELLS))


@pytest.mark.parametrize("turn", range(4))
def test_single_bad_cells_are_found_with_their_rows(turn: int, tmp_path: Path) -> None:
    table, expected = lines(SAMPLE)[:1200], []
    for number, column in enumerate(COLUMNS):
        of_column = [cell for cell in CELLS if cell[0] == column]
        if turn < len(of_column):
            _, value, said = of_column[turn]
            table = put(column, value, ROW == 100 * number + turn)(table)
            expected.append((column, said.format(row=100 * number + turn + 1)))
    found = judged(table, tmp_path).lines
    for column, said in expected:
        assert any(column in line and said in line for line in found), (column, said, found)


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[pytest.mark.slow] if name in ALONE else []) for name in DEFECTS
])
def test_a_planted_defect_is_found_in_the_sample(name: str, tmp_path: Path) -> None:
    plant, said = DEFECTS[name]
    judgement = judged(plant(lines(SAMPLE)[:1200]), tmp_path)
    assert judgement.verdict == "fail" and judgement.document["success"] is False
    assert said in judgement.summary()
    json.dumps(judgement.document, allow_nan=False)


def test_the_sample_passes_in_both_forms(tmp_path: Path) -> None:
    own = judge(HOUSING)
    assert own.verdict == "pass" and own.document["meta"]["simulated"] is True
    table = pl.read_csv(SAMPLE)
    for form in ("csv", "parquet"):
        judgement = judged(table, tmp_path, form)
        assert judgement.verdict == "pass", judgement.summary()
    integers = table.with_columns(pl.col("population", "households", "total_rooms").cast(pl.Int64))
    more = integers.with_columns(pl.lit("x").alias("a_column_of_your_own")).select(reversed(integers.columns))
    assert judged(more, tmp_path, "parquet").verdict == "pass"


def test_the_smallest_allowed_file_passes(tmp_path: Path) -> None:
    assert judged(lines(SAMPLE)[:1000], tmp_path).verdict == "pass"


def test_numbers_kept_as_text_in_parquet_are_a_wrong_type(tmp_path: Path) -> None:
    judgement = judged(lines(SAMPLE)[:1200], tmp_path, "parquet")
    assert judgement.verdict == "fail" and "stored as text" in judgement.summary()


@pytest.mark.parametrize(("spoil", "said"), [
    (lambda content: content[:len(content) // 2], "cells, the header has 10"),
    (lambda content: content[:content.rfind(b",")], "row 4000 has 9 cells"),
    (lambda content: content.replace(b"INLAND", b"INLAND\xe9", 1), "byte 0xe9 in column"),
    (lambda content: content.replace(b"\n", b"\n\n\0", 5), "NUL byte in column 1"),
    (lambda content: content.replace(b"INLAND", b'"INLAND', 1), "opens and never closes"),
    (lambda content: content.replace(b",", b"", 4).replace(b"\n", b",\n", 900), "cells"),
])
def test_a_spoilt_file_is_bad_data_with_its_place(tmp_path: Path, spoil: Callable[[bytes], bytes], said: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(spoil(SAMPLE.read_bytes()))
    judgement = judge(HOUSING, str(path))
    assert judgement.verdict == "fail" and said in judgement.summary() and "x.csv:" in judgement.summary()


@pytest.mark.parametrize("content", [b"", b"longitude\n", b"\0", b"a;b\n1;2\n", b"PAR1"])
def test_a_file_that_is_no_table_is_bad_data_in_the_same_shape(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    judgement = judge(HOUSING, str(path))
    assert judgement.verdict == "fail" and judgement.document["checks"][0]["name"] == "readable"
    assert judgement.document["results"] == [] and "x.csv" in judgement.summary()


def test_a_missing_file_is_no_verdict(tmp_path: Path) -> None:
    with pytest.raises(MissingInputError):
        judge(HOUSING, str(tmp_path / "absent.csv"))


real = pytest.mark.skipif(not REAL, reason="MLOPS_REAL_DATA names no census file")


@real
def test_the_real_file_raises_no_alarm() -> None:
    judgement = judge(HOUSING, REAL)
    assert judgement.verdict == "pass", judgement.summary()


@real
@pytest.mark.parametrize("seed", [
    pytest.param(seed, marks=[pytest.mark.slow] if seed >= 4 else []) for seed in range(200)
])
def test_no_thousand_real_rows_raise_an_alarm(seed: int, tmp_path: Path) -> None:
    table = lines(Path(REAL or ""))
    judgement = judged(table.sample(1000, seed=seed), tmp_path)
    assert judgement.verdict == "pass", judgement.summary()
    start = seed * (table.height - 1000) // 200  # neighbours in the file are neighbours on the map
    judgement = judged(table[start:start + 1000], tmp_path)
    assert judgement.verdict == "pass", judgement.summary()


@real
@pytest.mark.parametrize("name", [
    pytest.param(name, marks=[] if number % 12 == 0 else [pytest.mark.slow]) for number, name in enumerate(DEFECTS)
])
def test_a_planted_defect_is_found_in_the_real_file(name: str, tmp_path: Path) -> None:
    plant, said = DEFECTS[name]
    judgement = judged(plant(lines(Path(REAL or ""))), tmp_path)
    assert judgement.verdict == "fail" and said in judgement.summary()
