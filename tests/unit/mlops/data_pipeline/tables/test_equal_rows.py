"""Rows that are equal, found in memory and on disk: held against what a few lines of Python find."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mlops.data_pipeline.tables import equal_rows, on_disk, rows
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch

CELLS = (
    st.sampled_from([None, 0.0, -0.0, 1.5, math.nan, -math.nan, math.inf]),
    st.sampled_from([None, "", "a", "é", "a text that is longer than a view holds"]), st.sampled_from([None, 1, 2]),
)
SHAPE = {"n": pl.Float64, "s": pl.String, "i": pl.Int64}
NUMBERS = itertools.count()
TABLES = st.lists(st.tuples(*CELLS), max_size=30).map(lambda cells: pl.DataFrame(cells, schema=SHAPE, orient="row"))


def plain(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with one form of every value."""
    return tuple("nan" if cell != cell else 0.0 if cell == 0 else cell for cell in row)


def filed(table: pl.DataFrame, folder: Path) -> Rows:
    path = folder / f"{next(NUMBERS)}.parquet"
    table.write_parquet(path)
    return Rows(path)


@pytest.fixture(params=[(1 << 30, 1 << 30, 1 << 18), (0, 1 << 30, 3), (0, 0, 4)], ids=["memory", "batches", "disk"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(rows, "IN_MEMORY", request.param[0])
    monkeypatch.setattr(on_disk, "HELD", request.param[1])
    monkeypatch.setattr(rows, "group_rows", lambda width: request.param[2])
    return tmp_path


anywhere = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@anywhere
@given(table=TABLES)
def test_repeated_rows_and_keys(place: Path, table: pl.DataFrame) -> None:
    cells = [plain(row) for row in table.rows()]
    with Scratch(place) as scratch:
        found = equal_rows.repeated(filed(table, place), table.columns, scratch)
        keys = equal_rows.repeated(filed(table, place), ["s", "i"], scratch, whole=True)
    assert found.first == [number + 1 for number, row in enumerate(cells) if row in cells[:number]]
    pairs = [row[1:] for row in cells]
    assert keys.first == [
        number + 1 for number, pair in enumerate(pairs) if pair in pairs[:number] and None not in pair
    ]
    assert (found.count, keys.count) == (len(found.first), len(keys.first))
    assert not [path for path in place.iterdir() if path.is_dir()]


@anywhere
@given(asked=TABLES, known=TABLES)
def test_rows_that_another_table_has_or_lacks(place: Path, asked: pl.DataFrame, known: pl.DataFrame) -> None:
    there = {plain(row) for row in known.rows()}
    with Scratch(place) as scratch:
        shared = equal_rows.shared(filed(asked, place), filed(known, place), asked.columns, scratch)
        given_ = filed(known, place).batches(["s", "i"])
        lost = equal_rows.lost(filed(asked, place), ["s", "i"], given_, scratch)
    assert shared == sum(plain(row) in there for row in asked.rows())
    pairs = {row[1:] for row in known.rows() if None not in row[1:]}
    numbered = {number: row[1:] for number, row in enumerate(asked.rows(), 1)}
    gone = {number: pair for number, pair in numbered.items() if None not in pair and pair not in pairs}
    assert lost.rows.first == list(gone) and lost.rows.count == len(gone)
    assert lost.values == list(dict.fromkeys(gone.values()))[:3]


@anywhere
@given(table=TABLES)
def test_different_values_and_how_often_they_stand_there(place: Path, table: pl.DataFrame) -> None:
    with Scratch(place) as scratch:
        found = equal_rows.values(filed(table, place), "n", scratch)
    known = [plain((cell,)) for cell in table["n"].to_list() if cell is not None]
    counts = [known.count(value) for value in set(known)]
    assert (found.distinct, found.rows) == (len(counts), len(known))
    assert (found.most, found.least) == (max(counts, default=0), min(counts, default=0))


def test_only_the_first_rows_are_kept(tmp_path: Path) -> None:
    with Scratch(tmp_path) as scratch:
        found = equal_rows.repeated(Rows(pl.DataFrame({"a": [1] * 5000})), ["a"], scratch)
    assert found.count == 4999 and found.first == list(range(2, 1002)) and str(found) == "2, 3, 4, 5, 6, …"


def test_without_columns_every_row_is_every_other(tmp_path: Path) -> None:
    three, none = Rows(pl.DataFrame({"a": [1, 2, 3]})), Rows(pl.DataFrame({"a": []}))
    with Scratch(tmp_path) as scratch:
        assert equal_rows.shared(three, three, [], scratch) == 3 and equal_rows.shared(three, none, [], scratch) == 0
