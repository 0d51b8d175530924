"""The rows of one block of a CSV file: quickly where the block is plain, strictly and with reasons where it is not.

Both ways give the same rows (a property test holds them together). The quick one lets Polars' parser make the declared
types, on blocks without quotes whose delimiters add up; anything that it does not take as it stands goes the
other way: Arrow's parser, which counts the cells of each row, and `types`.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from typing import TYPE_CHECKING

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.data_pipeline.sources.opened import Loose
from mlops.data_pipeline.sources.text import Block, lines_in
from mlops.errors import BadDataError

if TYPE_CHECKING:
    import polars
    import pyarrow.csv

_BLANK_LINES = re.compile(rb"\n{2,}")


@dataclasses.dataclass(frozen=True)
class Form:
    """How the rows are written, and the columns in their order; one without a name begins with NUL."""

    delimiter: str
    quote: str
    columns: tuple[str, ...]


def typed(
    content: bytes, form: Form, columns: dict[str, Column], reading: Reading, loose: Loose
) -> polars.DataFrame | None:
    """The rows with declared columns in their types; None where the block is not plain enough for that."""
    import polars as pl

    if (form.quote and form.quote.encode() in content) or reading.decimal != "." or reading.thousands:
        return None
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b"\n\n" in content or content.startswith(b"\n"):
        content = _BLANK_LINES.sub(b"\n", content).lstrip(b"\n")
    rows = content.count(b"\n") + (not content.endswith(b"\n"))
    delimiter = form.delimiter.encode()
    if content.count(delimiter) != rows * (len(form.columns) - 1):
        return None
    parsed = {
        name: types.polars_type(columns[name]) if name in columns and name not in loose
        and columns[name].type in ("float", "integer") else pl.String() for name in form.columns
    }
    try:
        table = pl.read_csv(
            content, has_header=False, schema=parsed, separator=form.delimiter, quote_char=None, raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    if table.height != rows:
        return None
    finished = []
    for name in set(table.columns) & set(columns):
        column = _finished(table[name], columns[name], reading, name in loose)
        if column is None:
            return None
        finished.append(column)
    return table.with_columns(finished).select(named(form))  # an empty cell without quotes is no value already


def _finished(
    column: polars.Series, wanted: Column, reading: Reading, loose: bool
) -> polars.Series | None:
    """A column as Polars' parser left it, in its final form; None where a cell needs the strict way."""
    if loose:
        return untyped(column, reading)
    if wanted.type == "float":
        return None if column.is_infinite().any() or reading.missing else column.fill_nan(None)
    if wanted.type == "integer":
        return None if reading.missing else column
    made, wrong = types.from_text(column, wanted, reading)
    return made if wrong is None else None


def untyped(column: polars.Series, reading: Reading) -> polars.Series:
    """A column that should have another type and stays text: the words for no value are none."""
    import polars as pl

    text = column.str.strip_chars()
    words = [*types.EMPTY, *reading.missing]
    return pl.select(pl.when(text.is_in(words)).then(None).otherwise(text).alias(column.name)).to_series()


def texts(block: Block, form: Form, where: str, before: int) -> polars.DataFrame:
    """The rows with every cell as text, empty for an empty cell.

    Args:
        before: How many rows of the file came before.

    Raises:
        BadDataError: a row has another number of cells than the header; names its number and its line.
    """
    import polars as pl
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    if not block.content:
        return pl.DataFrame(schema=dict.fromkeys(named(form), pl.String()))
    wrong: list[pyarrow.csv.InvalidRow] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        wrong.append(row)
        return "error"

    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(block.content),
            read_options=arrow_csv.ReadOptions(
                use_threads=False, block_size=len(block.content) + 1, column_names=list(form.columns)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=form.delimiter, quote_char=form.quote or False, double_quote=True,
                newlines_in_values=True, invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(form.columns, pa.large_string()), strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise _misshapen(block, form, where, before, str(error), wrong) from error
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame.select(named(form))


def named(form: Form) -> list[str]:
    """The columns that have a name."""
    return [name for name in form.columns if not name.startswith("\0")]


def _misshapen(
    block: Block, form: Form, where: str, before: int, reason: str, wrong: list[pyarrow.csv.InvalidRow]
) -> BadDataError:
    """Which row has the wrong number of cells, found by reading the block once more, slowly."""
    if not wrong:
        told = reason.splitlines()[0][:200]
        return BadDataError(f"is no well-formed CSV: {told}", where=where, mend="export it again")
    number = wrong[0].number or 1
    return BadDataError(
        f"row {before + number} has {wrong[0].actual_columns} cells, the header has {len(form.columns)}: "
        f"{wrong[0].text[:80]!r}",
        where=f"{where}:{_line(block, form, number)}",
        mend="complete or remove the row (a delimiter inside a value needs quotes); the file may be cut off",
    )


def _line(block: Block, form: Form, number: int) -> int:
    """The line in which row `number` of the block ends; empty lines and lines within quotes count."""
    text = io.StringIO(block.content.decode("utf-8"), newline="")
    reader = csv.reader(
        text, delimiter=form.delimiter, quotechar=form.quote or None,
        quoting=csv.QUOTE_MINIMAL if form.quote else csv.QUOTE_NONE,
    )
    seen = 0
    try:
        for cells in reader:
            seen += bool(cells)
            if seen == number:
                return block.line + reader.line_num - 1
    except csv.Error:  # a cell beyond the module's limit
        pass
    return block.line + lines_in(block.content)
