"""A CSV file read strictly: what is wrong with its form is said with line and column, not guessed over."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from mlops.errors import BadDataError

if TYPE_CHECKING:
    import polars

MAXIMUM_COLUMNS = 10_000
SHOWN = 3
BLOCK = 1 << 26
"""Bytes that the parser takes at once; no row may be longer."""


def read_csv(content: bytes, where: str, expected: list[str]) -> polars.DataFrame:
    """The rows of a CSV file with every cell as text (an empty cell is the empty text).

    Args:
        content: The file's bytes: UTF-8, with or without a byte order mark; commas; a header line.
        where: The file's name, for errors.
        expected: The columns that the data set declares, at least one of which the header must have.

    Raises:
        BadDataError: encoding, header, quotes or the number of cells in a row are wrong; names line and mend.
    """
    import polars as pl

    text_start = _check_bytes(content, where)
    header = _header(content[text_start:], where, expected)
    table = _parse(content[text_start:], where, header)
    if table.height == 0:
        raise BadDataError("the file has a header but no rows", where=where, mend="give a file with rows")
    return table.select(pl.all())


def _check_bytes(content: bytes, where: str) -> int:
    """Where the text begins: behind a byte order mark, if there is one."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise BadDataError("is encoded as UTF-16", where=where, mend="save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE")
    zero = content.find(b"\0")
    if zero >= 0:
        line, column = _place(content, zero)
        raise BadDataError(
            f"holds a NUL byte in column {column} of the line", where=f"{where}:{line}",
            mend="the file is damaged or no text; export it again",
        )
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _place(content, error.start)
        raise BadDataError(
            f"is not UTF-8: byte 0x{content[error.start]:02x} in column {column} of the line", where=f"{where}:{line}",
            mend="save it as UTF-8, for example: iconv -f LATIN1 -t UTF-8 FILE",
        ) from error
    if content.count(b'"') % 2:
        line = _odd_quote(content)
        raise BadDataError(
            'a quote (") opens and never closes', where=f"{where}:{line}", mend="close or remove the quote in this line"
        )
    return 3 if content.startswith(b"\xef\xbb\xbf") else 0


def _header(content: bytes, where: str, expected: list[str]) -> list[str]:
    start = content.lstrip(b"\r\n")
    first = re.split(rb"\r\n|\r|\n", start, maxsplit=1)[0].decode("utf-8")
    if not first.strip():
        raise BadDataError("holds no text", where=where, mend="give a CSV file with a header and rows")
    if first.lstrip()[:1] in ("<", "{", "["):
        raise BadDataError(
            f"looks like {'HTML' if first.lstrip()[0] == '<' else 'JSON'}, not CSV", where=f"{where}:1",
            mend="give the CSV file itself (a download may have answered with an error page)",
        )
    names = next(csv.reader([first]))
    if len(names) > MAXIMUM_COLUMNS:
        raise BadDataError(
            f"has {len(names)} columns, more than {MAXIMUM_COLUMNS}", where=f"{where}:1",
            mend="leave out the columns that the data set does not name",
        )
    if len(names) == 1 and len(expected) > 1:
        for sign, name in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if sign in first:
                raise BadDataError(f"separates its columns with {name}", where=f"{where}:1", mend="save it with commas")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadDataError(
            f"the header names {twice[0]!r} twice", where=f"{where}:1", mend="give each column a name of its own"
        )
    if not set(names) & set(expected):
        raise BadDataError(
            f"the header has none of the data set's columns; it begins with {', '.join(names)[:80]!r}",
            where=f"{where}:1",
            mend=f"the first line must name the columns: {', '.join(expected)}"[:300],
        )
    return names


def _parse(content: bytes, where: str, header: list[str]) -> polars.DataFrame:
    import polars as pl
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    wrong: list[tuple[int | None, int, str]] = []

    def note(row: arrow_csv.InvalidRow) -> str:
        wrong.append((row.number, row.actual_columns, row.text))
        return "skip" if len(wrong) < SHOWN else "error"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(content),
            read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True, invalid_row_handler=note),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header}, strings_can_be_null=False, check_utf8=False
            ),
        )
    except pa.ArrowInvalid as error:
        if not wrong:
            raise BadDataError(
                f"is no well-formed CSV: {str(error).splitlines()[0][:200]}", where=where, mend="export it again"
            ) from error
    if wrong:
        number, cells, text = wrong[0]
        raise BadDataError(
            f"row {number - 1 if number else '?'} has {cells} cells, the header has {len(header)}: {text[:80]!r}",
            where=f"{where}:{_line(content, number)}" if number else where,
            mend="complete or remove the row (a comma inside a value needs quotes); the file may be cut off",
        )
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _place(content: bytes, offset: int) -> tuple[int, int]:
    """Line and column (both from 1, the column in bytes) of an offset."""
    before = content[:offset]
    return before.count(b"\n") + 1, offset - (before.rfind(b"\n") + 1) + 1


def _line(content: bytes, number: int) -> int:
    """The line that the record `number` (the header is 1) ends in; empty lines and lines within quotes count."""
    reader = csv.reader(io.StringIO(content.decode("utf-8"), newline=""))
    seen = 0
    try:
        for cells in reader:
            seen += bool(cells)
            if seen == number:
                return reader.line_num
    except csv.Error:  # a cell beyond the module's limit
        pass
    return number


def _odd_quote(content: bytes) -> int:
    """The first line with an odd number of quotes, which is where the unclosed one most likely is."""
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.count(b'"') % 2:
            return number
    return 1
