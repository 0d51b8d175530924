"""A CSV file read strictly: what is wrong with its form is said with line and column, not guessed over."""

from __future__ import annotations

import csv
import functools
import io
import re
from collections.abc import Iterable, Iterator

import msgspec

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources import csv_parse
from mlops.data_pipeline.sources.csv_parse import Form
from mlops.data_pipeline.sources.opened import Batch, Loose
from mlops.data_pipeline.sources.text import Block, blocks, lines_in
from mlops.errors import BadDataError

MAXIMUM_COLUMNS = 10_000
DELIMITERS = ",;\t|"
HEADER = (1 << 16, 1 << 26)
"""Bytes in which the header is looked for: in so few that it costs nothing, then in as many as a record may have."""


def read_csv(
    chunks: Iterable[bytes], where: str, columns: dict[str, Column], reading: Reading, loose: Loose
) -> Iterator[Batch]:
    """The rows of a CSV file, declared columns in their types.

    Lines without text are no rows. A column without a name is left out.

    Args:
        chunks: The file's bytes.
        where: The file's name, for errors.
        columns: The columns that the data set declares, at least one of which the header must have.
        loose: Columns that stay text.

    Raises:
        BadDataError: encoding, header, quotes or the number of cells in a row are wrong; names line and mend.
    """
    quote = reading.quote.encode()
    form: Form | None = None
    rows = 0
    for block in blocks(chunks, where, encoding=reading.encoding, quote=quote):
        if reading.comment:
            block = _without_comments(block, reading.comment.encode(), quote)
        if form is None:
            form, block = _header(block, where, columns, reading)
        if block.content[:1] > b"\r" or block.content.strip(b"\r\n"):
            batch = _batch(block, form, columns, reading, loose, where, rows)
            rows += batch.table.height
            yield batch
    if form is None:
        raise BadDataError("holds no text", where=where, mend="give a CSV file with a header and rows")
    if not rows:
        yield _batch(Block(b"", 1), form, columns, reading, loose, where, 0)


def _batch(
    block: Block, form: Form, columns: dict[str, Column], reading: Reading, loose: Loose, where: str, before: int
) -> Batch:
    import polars as pl

    table = csv_parse.typed(block.content, form, columns, reading, loose) if block.content else None
    raw = functools.partial(csv_parse.texts, block, form, where, before)
    if table is not None:
        return Batch(table, {}, raw)
    text = raw()
    others = [name for name in text.columns if name not in columns]
    wrong, series = {}, []
    for name in (name for name in text.columns if name in columns):
        if name in loose:
            series.append(csv_parse.untyped(text[name], reading))
            continue
        column, bad = types.from_text(text[name], columns[name], reading)
        series.append(column)
        if bad is not None:
            wrong[name] = bad
    return Batch(text.with_columns(pl.col(others).replace("", None), *series), wrong, lambda: text)


def _header(block: Block, where: str, columns: dict[str, Column], reading: Reading) -> tuple[Form, Block]:
    """What the header says of the form, and the block behind it."""
    content, line = block.content, block.line
    blank = len(content) - len(content.lstrip(b"\r\n"))
    content, line = content[blank:], line + lines_in(content[:blank])
    told = re.match(rb'"?sep=(.)"?(?:\r\n|\r|\n)', content)  # as Excel writes it
    if told:
        content, line = content[told.end():], line + 1
    where_line = f"{where}:{line}"
    start = content[:4000].decode("utf-8", errors="ignore")[:1000]
    if not start.strip():
        raise BadDataError("holds no text", where=where, mend="give a CSV file with a header and rows")
    if start.lstrip()[:1] in ("<", "["):
        raise BadDataError(
            f"looks like {'HTML' if start.lstrip()[0] == '<' else 'JSON'}, not CSV", where=where_line,
            mend="give the CSV file itself (a download may have answered with an error page)",
        )
    wanted = reading.delimiter or (told[1].decode() if told else "")
    delimiter, names, header = _cells(content, columns, reading.quote, wanted)
    length = len(header.encode())
    rest = Block(content[length:], line + lines_in(content[:length]))
    names = [name.strip() if name not in columns and name.strip() in columns else name for name in names]
    _expect_names(names, where_line, columns)
    internal = [name or f"\0{number}" for number, name in enumerate(names)]
    return Form(delimiter, reading.quote, tuple(internal)), rest


def _cells(content: bytes, columns: dict[str, Column], quote: str, wanted: str) -> tuple[str, list[str], str]:
    """The delimiter that makes the most declared columns of the header, its cells, and the header itself."""
    for size in HEADER:
        first = io.StringIO(content[:size].decode("utf-8", errors="ignore"), newline="")
        best, whole = _best(first, columns, quote, wanted)
        if whole or size >= len(content):
            break
    first.seek(0)
    return best[1], best[2], first.read(best[3])


def _best(
    first: io.StringIO, columns: dict[str, Column], quote: str, wanted: str
) -> tuple[tuple[int, str, list[str], int], bool]:
    """For the best delimiter: declared columns found, itself, the cells, where they end; and whether the text was long
    enough for each of the delimiters."""
    best: tuple[int, str, list[str], int] | None = None
    whole, end = True, first.seek(0, io.SEEK_END)
    for delimiter in wanted or DELIMITERS:
        first.seek(0)
        lines = iter(first.readline, "")
        try:
            names = next(csv.reader(lines, delimiter=delimiter, quotechar=quote or None, strict=True,
                                    quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE), [])
        except csv.Error:  # this delimiter makes nonsense of the quotes
            whole = whole and first.tell() < end
            first.seek(0)
            names = first.readline().rstrip("\r\n").split(delimiter)
        whole = whole and first.tell() < end
        known = sum(name.strip() in columns for name in names)
        if best is None or known > best[0]:
            best = (known, delimiter, names, first.tell())
    assert best is not None
    return best, whole


def _expect_names(names: list[str], where: str, columns: dict[str, Column]) -> None:
    if len(names) > MAXIMUM_COLUMNS:
        raise BadDataError(
            f"has {len(names)} columns, more than {MAXIMUM_COLUMNS}", where=where,
            mend="leave out the columns that the data set does not name",
        )
    seen: set[str] = set()
    for name in filter(None, names):
        if name in seen:
            places = [str(number) for number, each in enumerate(names, 1) if each == name]
            raise BadDataError(
                f"the header names {name!r} twice (columns {' and '.join(places[:3])})", where=where,
                mend="give each column a name of its own",
            )
        seen.add(name)
    if not seen & set(columns):
        raise BadDataError(
            f"the header has none of the data set's columns; it begins with {', '.join(names)[:80]!r}", where=where,
            mend=f"the first line must name the columns: {', '.join(columns)}"[:300],
        )


def _without_comments(block: Block, mark: bytes, quote: bytes) -> Block:
    """Lines that begin with the mark, made empty so that lines keep their numbers; within quotes there is none."""
    if mark not in block.content:
        return block
    lines, open_ = [], False
    for line in re.split(rb"(?<=\n)|(?<=\r)(?!\n)", block.content):
        if not open_ and line.startswith(mark):
            line = line[len(line.rstrip(b"\r\n")):]
        elif quote and line.count(quote) % 2:
            open_ = not open_
        lines.append(line)
    return msgspec.structs.replace(block, content=b"".join(lines))
