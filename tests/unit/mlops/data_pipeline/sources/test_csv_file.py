"""What is wrong with a CSV file's form is said with its line; what is right is read as it stands."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources import csv_file, text
from mlops.errors import BadDataError

EXPECTED = {"a": Column(type="string"), "b": Column(type="string")}


def read_csv(
    content: bytes, where: str = "x.csv", columns: dict[str, Column] = EXPECTED, reading: Reading = Reading()
) -> pl.DataFrame:
    """The rows of a file, in pieces of a few bytes."""
    pieces = [content[start:start + 7] for start in range(0, len(content), 7)]
    return pl.concat(batch.table for batch in csv_file.read_csv(pieces, where, columns, reading, {}))


@pytest.mark.parametrize("content", [
    b"a,b\n1,2\n3,4\n", b"\xef\xbb\xbfa,b\n1,2\n3,4\n", b"a,b\r\n1,2\r\n3,4\r\n", b"a,b\r1,2\r3,4\r",
    b"a,b\r\n1,2\n3,4", b'"a","b"\n"1","2"\n3,4\n', b"\n\na,b\n1,2\n\n3,4\n\n",
])
def test_all_common_forms_give_the_same_rows(content: bytes) -> None:
    assert read_csv(content).rows() == [("1", "2"), ("3", "4")]


def test_cells_stay_as_they_are() -> None:
    table = read_csv('a,b\n" x ",NA\n"1,5","say ""hi"""\n,"two\nlines"\n007,é\n'.encode())
    assert table.rows() == [(" x ", "NA"), ("1,5", 'say "hi"'), (None, "two\nlines"), ("007", "é")]


@pytest.mark.parametrize(("content", "line", "said"), [
    (b"\n\n", None, "holds no text"),
    (b"a,b\n1,2\n3\n", 3, "1 cells, the header has 2"),
    (b"a,b\n1,2\n3,4,5\n6,7\n", 3, "3 cells"),
    (b"a,b\n1,2\n3,4,5\n6\n7\n8\n9\n", 3, "3 cells"),
    (b"a,b\n1,2\n3,\x004\n", 3, "NUL byte in column 3"),
    (b"a,b\n1,caf\xe9\n", 2, "not UTF-8: byte 0xe9 in column 6"),
    (b'\n\na,b\n"1\n1",2\n\n3\n', 7, "row 2 has 1 cells"),
    ("a,b\n1,2\n".encode("utf-16-le"), 1, "NUL byte in column 2"),
    (b'a,b\n1,"2\n3,4\n5,6\n', 2, "never closes"),
    (b"a,a,b\n1,2,3\n", 1, "'a' twice"),
    (b"1,2\n3,4\n", 1, "none of the data set's columns"),
    (b"<!DOCTYPE html><html>not found</html>\n", 1, "HTML"),
    (b'[{"a": 1}]\n', 1, "JSON"),
    (",".join(f"c{n}" for n in range(10001)).encode() + b"\n1\n", 1, "10001 columns"),
])
def test_a_wrong_form_is_named_with_its_line(content: bytes, line: int | None, said: str) -> None:
    with pytest.raises(BadDataError) as caught:
        read_csv(content)
    error = caught.value
    assert said in error.message and error.mend
    assert error.where == (f"x.csv:{line}" if line else "x.csv")


def test_every_truncation_is_refused_or_leaves_whole_rows() -> None:
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(40))
    whole = read_csv(content).rows()
    for length in range(len(content)):
        try:
            rows = read_csv(content[:length]).rows()
        except BadDataError:
            continue
        assert not rows or rows[:-1] == whole[:len(rows) - 1] and (
            rows[-1][0] == whole[len(rows) - 1][0])


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_the_line_is_right_in_a_file_of_many_blocks(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "BLOCK", block)
    content = b"a,b\n" + b"".join(b"%d,%d\n" % (n, n) for n in range(500)) + b"1\n2,2\n"
    with pytest.raises(BadDataError) as caught:
        read_csv(content)
    assert caught.value.where == "x.csv:502"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 399), st.binary(min_size=1, max_size=3)), min_size=1, max_size=4))
def test_damage_of_any_kind_is_rows_or_bad_data(damage: list[tuple[int, bytes]]) -> None:
    content = bytearray(b"a,b\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(60)))
    for place, noise in damage:
        content[place:place + 1] = noise
    try:
        table = read_csv(bytes(content))
    except BadDataError as error:
        assert error.mend and (error.where or "").startswith("x.csv")
    else:
        assert table.height > 0


def test_ten_thousand_columns_are_read() -> None:
    names = ["a", "b", *(f"c{n}" for n in range(9998))]
    content = ",".join(names) + "\n" + ",".join("1" for _ in names) + "\n"
    assert read_csv(content.encode()).width == 10000
