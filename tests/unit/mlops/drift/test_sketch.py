"""Sketches: the same from one pass, from parts in any order, from rows in any order; nothing crashes them."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.drift import Sketch, compare
from mlops.drift.layout import FEATURES, NAMES
from mlops.drift.others import SAMPLE, Others
from mlops.errors import InvalidRecordError, MissingInputError, UsageError

CELL = {
    "number": st.one_of(st.none(), st.floats(), st.sampled_from([0.0, -0.0, 1.0])),
    "whole": st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1), st.integers(0, 3)),
    "name": st.one_of(st.none(), st.text(max_size=4), st.sampled_from("abc")),
    "truth": st.one_of(st.none(), st.booleans()),
    "time": st.one_of(st.none(), st.datetimes(datetime.datetime(1600, 1, 1), datetime.datetime(2400, 1, 1))),
}
SCHEMA = {
    "number": pl.Float64, "whole": pl.Int64, "name": pl.String, "truth": pl.Boolean, "time": pl.Datetime("us"),
}
ROWS = st.lists(st.fixed_dictionaries(CELL), max_size=25)


def table(rows: list[dict[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@settings(max_examples=60, deadline=None)
@given(ROWS, ROWS, ROWS, ROWS, st.randoms())
def test_parts_add_up_in_any_order(reference: Any, one: Any, two: Any, three: Any, random: Any) -> None:
    known = Sketch.of(table(reference))
    a, b, c = (Sketch.of(table(rows), like=known) for rows in (one, two, three))
    whole = [*one, *two, *three]
    once = Sketch.of(table(whole), like=known)
    assert Sketch.merge(Sketch.merge(a, b), c) == Sketch.merge(a, Sketch.merge(b, c)) == once
    assert Sketch.merge(a, b) == Sketch.merge(b, a)
    assert Sketch.of([table(one), table(two), table(three)], like=known) == once
    assert a.update(table(two)).update(table(three)) == once
    random.shuffle(whole)
    assert Sketch.of(table(whole), like=known) == once
    compare(known, once)
    compare(once, known)


@settings(max_examples=40, deadline=None)
@given(ROWS, st.randoms())
def test_the_bins_do_not_depend_on_the_order_of_rows(rows: list[dict[str, Any]], random: Any) -> None:
    before = Sketch.of(table(rows))
    random.shuffle(rows)
    assert Sketch.of(table(rows)) == before


@settings(max_examples=30, deadline=None)
@given(ROWS, ROWS)
def test_what_is_stored_is_what_was(reference: Any, rows: Any) -> None:
    sketch = Sketch.of(table(rows), like=Sketch.of(table(reference)))
    stored = msgspec.json.decode(sketch.to_json())
    assert stored["rows"] == len(rows) and sum(stored["counts"][0]) == len(rows)


def test_save_and_load(tmp_path: Path) -> None:
    known = Sketch.of({"x": [1.5, None, 3.0] * 50, "c": ["a", "b", None] * 50})
    path = tmp_path / "deep" / "sketch.json"
    known.save(path)
    loaded = Sketch.load(path)
    assert loaded == known and loaded.update({"x": [9.0], "c": ["z"]}) != known
    with pytest.raises(MissingInputError):
        Sketch.load(tmp_path / "absent.json")
    stored = msgspec.json.decode(path.read_bytes())
    for broken in (
        stored | {"counts": stored["counts"][:1]}, stored | {"others": {}}, stored | {"absent": []}, {"schema": 1},
        stored | {"schema": 2},
        stored | {"pairs": stored["pairs"] | {"products": [[1, 2]]}},
    ):
        path.write_bytes(msgspec.json.encode(broken))
        with pytest.raises(InvalidRecordError):
            Sketch.load(path)


def test_sketches_with_other_bins_are_refused() -> None:
    one, two = Sketch.of({"x": [1.0, 2.0]}), Sketch.of({"x": [1.0, 3.0]})
    with pytest.raises(UsageError, match="different bins"):
        Sketch.merge(one, two)
    with pytest.raises(UsageError, match="different bins"):
        compare(one, two)


def test_memory_does_not_grow_with_rows() -> None:
    known = Sketch.of({"x": [float(n) for n in range(1000)], "id": [f"r{n}" for n in range(1000)]})
    sketch = Sketch(known.layout)
    sizes = []
    for part in range(6):
        numbers = range(part * 3000, part * 3000 + 3000)
        sketch.update({"x": [float(n) for n in numbers], "id": [f"r{n}" for n in numbers]})
        sizes.append(len(sketch.to_json()))
    assert sketch.rows == 18_000 and sizes[-1] < 1.1 * sizes[0]
    assert len(sketch.others[1].names) == SAMPLE and not sketch.others[1].complete


def test_pandas_arrow_lazy_frames_and_columns_are_tables() -> None:
    frame = pl.DataFrame({"x": [1.0, 2.0, None], "c": ["a", "b", "a"]})
    known = Sketch.of(frame)
    for same in (frame.to_pandas(), frame.to_arrow(), frame.lazy(), frame.to_dict(as_series=False), [frame]):
        assert Sketch.of(same, like=known) == known
    for wrong in (3, [3], "text", []):
        with pytest.raises(UsageError):
            Sketch.of(wrong)


def test_columns_come_and_go() -> None:
    known = Sketch.of({"x": [1.0, 2.0], "y": [1, 2]})
    sketch = Sketch.of([{"x": [1.0], "z": [0]}, {"y": [1], "x": [2.0]}], like=known)
    assert sketch.absent.tolist() == [0, 1] and sketch.extra == {"z"} and sketch.rows == 2


HOSTILE = {
    "nothing": pl.Series([None] * 300), "one": pl.Series([7] * 300), "no number": pl.Series([float("nan")] * 300),
    "ends": pl.Series([float("inf"), float("-inf"), 1.0] * 100), "far": pl.Series([-1.7e308, 0.0, 1.7e308] * 100),
    "tiny": pl.Series([5e-324, 0.0, 1e-323] * 100), "lists": pl.Series([[1], None, []] * 100),
    "structs": pl.Series([{"a": 1}, {"a": 2}, None] * 100), "bytes": pl.Series([b"\xff\xfe", b"", None] * 100),
    "decimal": pl.Series(["1.10", "2.20", None] * 100).cast(pl.Decimal(10, 2)),
    "unsigned": pl.Series([2**64 - 1, 0, 1] * 100, dtype=pl.UInt64),
    "clock": pl.Series([datetime.time(1, 2), None, datetime.time(3)] * 100),
    "wait": pl.Series([datetime.timedelta(days=1), None, datetime.timedelta(0)] * 100),
    "things": pl.Series([object() for _ in range(300)], dtype=pl.Object),
    "names": pl.Series(["", " ", "\x00", "\U0001f600", None, "a" * 10_000] * 50),
    "kinds": pl.Series(["x", "y", None] * 100, dtype=pl.Categorical),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_columns(name: str) -> None:
    frame = pl.DataFrame({"c": HOSTILE[name]})
    known = Sketch.of(frame)
    report = compare(known, Sketch.of(frame, like=known))
    assert report.verdict == "same", report.columns[0].reasons
    for other in HOSTILE.values():  # whatever comes in its place is counted or named, and never a crash
        compare(known, Sketch.of(pl.DataFrame({"c": other}), like=known)).to_json()


def test_no_rows_no_columns_and_many() -> None:
    empty = Sketch.of(pl.DataFrame({"x": []}, schema={"x": pl.Float64}))
    assert compare(empty, Sketch.of({"x": [1.0]}, like=empty)).verdict == "unjudged"
    nothing = Sketch.of(pl.DataFrame())
    assert compare(nothing, Sketch.of(pl.DataFrame(), like=nothing)).verdict == "unjudged"
    wide = pl.DataFrame({f"c{n}": [float(n), n + 1.0] * 150 for n in range(FEATURES + 5)})
    known = Sketch.of(wide)
    report = compare(known, Sketch.of(wide, like=known))
    assert report.joint.left_out == [f"c{n}" for n in range(FEATURES, FEATURES + 5)]
    assert report.joint.tested == FEATURES * (FEATURES - 1) // 2


def test_categories_beyond_the_named_ones() -> None:
    names = [f"n{n}" for n in range(3 * NAMES)]
    known = Sketch.of({"c": names * 2})
    assert len(known.layout.columns[0].names) == NAMES
    others = known.others[0]
    assert others.complete and others.distinct() == 2 * NAMES and set(others.names.values()) == {2}
    many = Others()
    many.update(pl.Series([f"u{n}" for n in range(20_000)]))
    assert not many.complete and 14_000 < many.distinct() < 27_000
