"""A fingerprint is of the content, and of nothing else."""

from __future__ import annotations

import hashlib
import io
import struct
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.data_pipeline.tables.fingerprint import Cells, Fingerprint, fingerprint, row_hashes
from mlops.errors import BadDataError

TABLE = pl.DataFrame({
    "n": [1.0, None, -0.0, float("nan")], "i": [1, 2, None, 4], "s": ["a", "", None, "é"],
    "b": [True, False, None, True],
})


def mixed(word: int) -> int:
    """SplitMix64's finalizer."""
    word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    word = (word ^ word >> 27) * 0x94D049BB133111EB % 2**64
    return word ^ word >> 31


def test_the_digest_is_what_the_docstring_says() -> None:
    """The same by Python's own integers, so that no library decides what a fingerprint is."""
    table = pl.DataFrame({"s": ["é"], "n": [1.5], "i": [-7], "z": pl.Series([None], dtype=pl.Float64)})
    text = struct.unpack("<2Q", hashlib.blake2b("é".encode(), digest_size=16).digest())
    cells = {"i": (2**64 - 7,) * 2, "n": struct.unpack("<Q", struct.pack("<d", 1.5)) * 2, "s": text}
    lanes = [0, 0]
    for name in "insz":
        keys = struct.unpack("<4Q", hashlib.blake2b(f"{name}\0".encode(), digest_size=32).digest())
        for lane in range(2):
            cell = keys[2 + lane] if name == "z" else mixed(cells[name][lane] ^ keys[lane])
            lanes[lane] = (lanes[lane] + cell) % 2**64
    row = struct.pack("<2Q", *map(mixed, lanes))
    assert row_hashes(table).T.tobytes() == row
    content = b"rows\ni:integer\nn:float\ns:string\nz:float\n" + struct.pack("<Q", 1) + row
    assert fingerprint(table) == "sha256:" + hashlib.sha256(content).hexdigest()


def test_order_of_rows_and_columns_layout_and_zero_do_not_matter() -> None:
    known = fingerprint(TABLE)
    assert fingerprint(TABLE.reverse()) == known
    assert fingerprint(TABLE.select(sorted(TABLE.columns))) == known
    assert fingerprint(pl.concat([TABLE[:2], TABLE[2:]], rechunk=False)) == known
    assert fingerprint(TABLE.with_columns(pl.col("n").replace(-0.0, 0.0))) == known
    buffer = io.BytesIO()
    TABLE.write_parquet(buffer, compression="snappy", row_group_size=1)
    assert fingerprint(pl.read_parquet(io.BytesIO(buffer.getvalue()))) == known


@pytest.mark.parametrize("other", [
    TABLE[:3], pl.concat([TABLE, TABLE[:1]]), TABLE.rename({"n": "m"}),
    TABLE.with_columns(pl.col("i").cast(pl.Float64)),
    TABLE.with_columns(pl.col("s").replace("", None)), TABLE.with_columns(pl.col("n").fill_null(0.0)),
    TABLE.with_columns(pl.col("b").fill_null(False)), TABLE.drop("b"),
])
def test_content_matters(other: pl.DataFrame) -> None:
    assert fingerprint(other) != fingerprint(TABLE)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(width=64) | st.none(), st.text(max_size=4) | st.none()), max_size=12), st.randoms())
def test_any_order_gives_the_same(rows: list[tuple[float | None, str | None]], chance: object) -> None:
    schema = {"n": pl.Float64, "s": pl.String}
    shuffled = list(rows)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    one = pl.DataFrame(rows, schema=schema, orient="row")
    two = pl.DataFrame(shuffled, schema=schema, orient="row")
    assert fingerprint(one) == fingerprint(two)


CELL = st.floats(width=64) | st.none(), st.text(max_size=3) | st.none(), st.integers(-9, 9) | st.none()
ROWS = st.lists(st.tuples(*CELL), min_size=1, max_size=9)
SHAPE = {"n": pl.Float64, "s": pl.String, "i": pl.Int64}


def same(one: object, two: object) -> bool:
    """Whether two cells are one value: every zero is, every not-a-number is; no value, empty and zero are not."""
    return (one is None) == (two is None) and (one == two or (one != one and two != two))


@settings(max_examples=100, deadline=None)
@given(ROWS, st.randoms(), st.sampled_from(["parquet", "ipc"]))
def test_order_split_format_and_batches_do_not_matter(rows: list[tuple[object, ...]], chance: Any, form: str) -> None:
    table = pl.DataFrame(rows, schema=SHAPE, orient="row")
    shuffled = list(rows)
    chance.shuffle(shuffled)
    taken, start = Fingerprint(), 0
    while start < len(rows):
        stop = start + chance.randint(1, 4)
        buffer = io.BytesIO()
        part = pl.DataFrame(shuffled[start:stop], schema=SHAPE, orient="row").select(chance.sample(list(SHAPE), 3))
        part.write_parquet(buffer, compression="lz4") if form == "parquet" else part.write_ipc(buffer)
        content = io.BytesIO(buffer.getvalue())
        taken.add(pl.read_parquet(content) if form == "parquet" else pl.read_ipc(content))
        start = stop
    assert taken.digest() == fingerprint(table)


@settings(max_examples=200, deadline=None)
@given(ROWS, st.data())
def test_any_changed_cell_changes_it(rows: list[tuple[Any, ...]], data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, len(rows) - 1)), data.draw(st.integers(0, 2))
    value = data.draw(CELL[column])
    changed = [list(each) for each in rows]
    changed[row][column] = value
    one, two = (pl.DataFrame(each, schema=SHAPE, orient="row") for each in (rows, changed))
    assert (fingerprint(one) == fingerprint(two)) == same(rows[row][column], value)
    assert (fingerprint(one, ordered=True) == fingerprint(two, ordered=True)) == same(rows[row][column], value)


def test_cells_do_not_change_places_or_columns_unseen() -> None:
    table = pl.DataFrame({"a": ["x", "y"], "b": ["y", "x"]})
    assert fingerprint(table) != fingerprint(pl.DataFrame({"a": ["x", "y"], "b": ["x", "y"]}))
    assert fingerprint(table[:1]) != fingerprint(table[:1].rename({"a": "b", "b": "a"}))
    assert fingerprint(table, ordered=True) != fingerprint(table.reverse(), ordered=True)
    assert fingerprint(table, ordered=True) != fingerprint(table)


def test_batches_of_other_columns_are_refused() -> None:
    taken = Fingerprint()
    taken.add(TABLE)
    with pytest.raises(BadDataError, match="other columns"):
        taken.add(TABLE.cast({"i": pl.Float64}))


def test_a_salt_changes_every_digest() -> None:
    cells = Cells(TABLE)
    assert not set(cells.hashes()[0].tolist()) & set(cells.hashes(salt="x")[0].tolist())


def test_a_table_without_rows_has_a_fingerprint_of_its_columns() -> None:
    assert fingerprint(TABLE.clear()) != fingerprint(TABLE.clear().drop("n"))


def test_a_column_of_lists_is_named() -> None:
    with pytest.raises(BadDataError, match="'l'"):
        fingerprint(pl.DataFrame({"l": [[1]]}))
