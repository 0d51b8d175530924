"""Processing is deterministic, and the split depends on each row alone."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.data_pipeline import Dataset, process
from mlops.data_pipeline.intake import read_source
from mlops.data_pipeline.tables import on_disk, rows
from mlops.data_pipeline.tables.fingerprint import Fingerprint, row_hashes
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.errors import BadDataError, ConfigurationError

Sides = tuple[pl.DataFrame, pl.DataFrame]


@pytest.fixture
def table(dataset: Dataset) -> pl.DataFrame:
    return process.apply(dataset, read_source(dataset).table)


def split(dataset: Dataset, *tables: pl.DataFrame) -> Sides:
    """The training rows and the held-out ones."""
    found: dict[str, list[pl.DataFrame]] = {"train": [], "test": []}
    with Scratch() as scratch:
        for name, part, hashes in process.split(dataset, tables, scratch):
            assert (hashes == row_hashes(part)).all()
            found[name].append(part)
    return pl.concat(found["train"]), pl.concat(found["test"])


def prints(dataset: Dataset, sides: Sides) -> list[str]:
    taken = [Fingerprint(ordered=dataset.ordered) for _ in sides]
    for each, part in zip(taken, sides, strict=True):
        each.add(part)
    return [each.digest() for each in taken]


def test_every_row_is_on_one_side(dataset: Dataset, table: pl.DataFrame) -> None:
    train, test = split(dataset, table)
    assert train.height + test.height == table.height and 4 <= test.height <= 26
    assert pl.concat([train, test]).sort(table.columns).equals(table.sort(table.columns))


def test_neither_order_nor_batches_nor_memory_change_anything(
    dataset: Dataset, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled = pl.concat([table, table[:30], table[:1], table[:1]])
    known = split(dataset, doubled)
    monkeypatch.setattr(on_disk, "HELD", 400)
    mixed = doubled.sample(fraction=1, shuffle=True, seed=1)
    for first, second in zip(known, split(dataset, *(mixed[at:at + 7] for at in range(0, 92, 7))), strict=True):
        assert first.equals(second)


def test_equal_rows_become_the_same_bytes(dataset: Dataset, table: pl.DataFrame) -> None:
    signs = pl.concat([table.with_columns(pl.lit(value).alias("height")) for value in (0.0, -0.0, math.nan, -math.nan)])
    one, two = split(dataset, signs), split(dataset, signs.reverse())
    for first, second in zip(one, two, strict=True):
        assert first["height"].to_numpy().tobytes() == second["height"].to_numpy().tobytes()


def test_an_order_that_belongs_to_the_data_is_kept(change: Any, table: pl.DataFrame) -> None:
    dataset = change("identity: rows", "identity: order")
    one, two = split(dataset, table), split(dataset, table.reverse())
    assert two[0].equals(one[0].reverse()) and prints(dataset, two) != prints(dataset, one)
    assert one[0].equals(table.join(one[0], on=["name", "age"], how="semi", maintain_order="left"))


def test_a_row_keeps_its_side_whatever_rows_are_added(dataset: Dataset, table: pl.DataFrame) -> None:
    _, before = split(dataset, table[:30])
    _, after = split(dataset, table)
    assert before.join(after, on=["name", "age", "wage"], how="semi").height == before.height


def test_the_same_features_fall_on_the_same_side(dataset: Dataset, table: pl.DataFrame) -> None:
    train, test = split(dataset, table, table.with_columns(pl.col("wage") * 2))
    features = ["name", "age", "height"]
    assert train.join(test, on=features, how="semi", nulls_equal=True).height == 0
    assert test.height == 2 * split(dataset, table)[1].height


def test_the_share_is_held(change: Any) -> None:
    many = pl.DataFrame({"name": ["x"] * 8000, "age": range(8000), "height": [1.0] * 8000, "wage": [2.0] * 8000})
    _, test = split(change("test: 0.25", "test: 0.1"), many)
    assert 0.085 < test.height / many.height < 0.115


def test_a_salt_gives_another_split_and_another_version(change: Any, dataset: Dataset, table: pl.DataFrame) -> None:
    one = split(dataset, table)
    two = split(change("{test: 0.25}", "{test: 0.25, salt: again}"), table)
    assert not one[1].equals(two[1]) and prints(dataset, one) != prints(dataset, two)


@pytest.fixture
def file(table: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """The rows in a file that is read in batches of nine."""
    table.write_parquet(tmp_path / "rows.parquet")
    monkeypatch.setattr(rows, "IN_MEMORY", 0)
    monkeypatch.setattr(rows, "group_rows", lambda width: 9)
    return Rows(tmp_path / "rows.parquet", name="people")


@pytest.mark.parametrize(("takes", "heights"), [("table", [60]), ("rows", [9] * 6 + [6])])
def test_a_function_gets_what_it_takes(
    change: Any, table: pl.DataFrame, file: Rows, takes: str, heights: list[int]
) -> None:
    made = list(process.processed(change("identity: rows", f"identity: rows\nprocess_takes: {takes}"), file))
    assert [each.height for each in made] == heights and pl.concat(made).equals(table)


@pytest.mark.parametrize(("code", "said"), [
    ("table.with_columns(table['height'].fill_null(strategy='mean'))", "its two halves"),
    ("table.with_row_index('number').select('name', 'age', 'height', 'wage', 'number')", "its two halves"),
    ("table.cast({'age': pl.Int64 if table['age'].min() < 70 else pl.Int32})", "'age' another type"),
])
def test_a_function_that_does_not_go_by_rows_is_refused(
    change: Any, tree: Path, file: Rows, code: str, said: str
) -> None:
    (tree / "people_product" / "own.py").write_text(f"import polars as pl\ndef process(table):\n    return {code}\n")
    change("people_product.steps:process", "people_product.own:process")
    with pytest.raises(ConfigurationError, match=said):
        list(process.processed(change("identity: rows", "identity: rows\nprocess_takes: rows"), file))


@pytest.mark.parametrize(("name", "kind"), [
    ("nothing", BadDataError), ("targetless", ConfigurationError), ("words", ConfigurationError),
    ("absent", ConfigurationError),
])
def test_a_process_function_that_breaks_its_promise(change: Any, name: str, kind: type[Exception]) -> None:
    dataset = change("people_product.steps:process", f"people_product.steps:{name}")
    with pytest.raises(kind):
        process.apply(dataset, read_source(dataset).table)
    by_rows = change("identity: rows", "identity: rows\nprocess_takes: rows")
    with pytest.raises(kind):
        list(process.processed(by_rows, Rows(read_source(dataset).table)))
