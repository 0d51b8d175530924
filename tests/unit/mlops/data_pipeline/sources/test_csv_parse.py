"""The quick way through a block of CSV and the strict one give the same rows, and those that Python's reader gives."""

from __future__ import annotations

import csv
import io
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources import csv_file, csv_parse
from mlops.data_pipeline.sources.csv_parse import Form
from mlops.errors import BadDataError

COLUMNS = {
    "f": Column(type="float", nullable=True), "i": Column(type="integer", nullable=True),
    "s": Column(type="string", nullable=True), "b": Column(type="boolean", nullable=True),
    "d": Column(type="datetime", nullable=True),
}
FORM = Form(",", '"', (*COLUMNS, "other"))
NUMBERS = st.one_of(
    st.floats(width=64).map(repr), st.integers(-2**70, 2**70).map(str), st.decimals(places=3, allow_nan=False).map(str),
    st.sampled_from([
        "", " 1", "1 ", "+1", "1.", ".5", "nan", "NaN", "-nan", "inf", "-inf", "Infinity", "1e400", "1e-400", "NA",
        "null", "0x1", "1_0", "1,5", "true", "-0", "-0.0", "1e3", "2.0", "9223372036854775807", "9223372036854775808",
        "٣", "\t7", "7\u00a0", "1e5 ", "--1", "+-1", "1d3", "infinity", "+inf",
    ]),
)
CELLS = {
    "f": NUMBERS, "i": NUMBERS, "s": st.text(st.characters(exclude_characters='",\r\n\0', exclude_categories=["Cs"])),
    "b": st.sampled_from(["true", "False", "1", "0", "", "NA", "yes", " true "]),
    "d": st.sampled_from(["2024-01-02", "2024-01-02T03:04", "2024-13-01", "", "01/02/2024", "2024-01-02T03:04:05Z"]),
    "other": st.sampled_from(["", "x", "NA", " "]),
}


def strict(content: bytes) -> tuple[pl.DataFrame, dict[str, Any]]:
    text = csv_parse.texts(csv_file.Block(content, 1), FORM, "x", 0)
    made = {name: types.from_text(text[name], column, Reading()) for name, column in COLUMNS.items()}
    other = text["other"].replace("", None)
    return pl.DataFrame([*(each[0] for each in made.values()), other]), {
        name: each[1] for name, each in made.items() if each[1] is not None}


@settings(max_examples=400, deadline=None)
@given(st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=4), st.sampled_from(["\n", "\r\n", "\r"]))
def test_both_ways_agree(rows: list[dict[str, str]], end: str) -> None:
    content = "".join(",".join(row[name] for name in CELLS) + end for row in rows).encode()
    quick = csv_parse.typed(content, FORM, COLUMNS, Reading(), {})
    if quick is not None:
        table, wrong = strict(content)
        assert not wrong and quick.equals(table, null_equal=True) and quick.schema == table.schema, rows


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(*[st.text(st.sampled_from('ab",;\n\r é\t#'), max_size=5)] * 2), min_size=1, max_size=5),
       st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]), st.integers(1, 9))
def test_cells_are_what_pythons_writer_wrote(rows: list[tuple[str, str]], quoting: Any, end: str, size: int) -> None:
    if quoting == csv.QUOTE_MINIMAL:  # the writer leaves a lone \r without quotes, and here it ends a line
        rows = [(a.replace("\r", ""), b.replace("\r", "")) for a, b in rows]
    sink = io.StringIO()
    csv.writer(sink, quoting=quoting, lineterminator=end).writerows([("a", "b"), *rows])
    content = sink.getvalue().encode()
    pieces = [content[start:start + size] for start in range(0, len(content), size)]
    columns = {"a": Column(type="string"), "b": Column(type="string")}
    table = pl.concat(batch.table for batch in csv_file.read_csv(pieces, "x", columns, Reading(), {}))
    assert table.rows() == [tuple(cell or None for cell in row) for row in rows]


@pytest.mark.parametrize("content", [b"1,2\n3\n", b"1,2\n3,4,5\n", b"1\n2,3,4\n", b"1,2,\n3\n"])
def test_rows_of_other_lengths_are_never_quick(content: bytes) -> None:
    form = Form(",", '"', ("a", "b"))
    assert csv_parse.typed(content, form, {"a": Column(type="string")}, Reading(), {}) is None
    with pytest.raises(BadDataError):
        csv_parse.texts(csv_file.Block(content, 1), form, "x", 0)
