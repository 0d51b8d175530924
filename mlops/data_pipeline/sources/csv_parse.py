"""The rows of one block of a CSV file: quickly where the block is plain, strictly and with reasons where it is not.

Both ways give the same rows (a property test holds them together). The quick one lets Polars' parser make the declared
types, on blocks without quotes whose delimiters add up; anything that it does not take as it stands goes the
other way: Arrow's parser, which counts the cells of each row, and `types`.
"""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import msgspec

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


class Form(msgspec.Struct, frozen=True):
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
    kinds = {
        name: types.polars_type(columns[name]) if name in columns and name not in loose
        and columns[name].type in ("float", "integer") else pl.String() for name in form.columns
    }
    table = _parsed(content, form, kinds)
    if table is None:
        return None
    finished = _finished(table, columns, reading, loose)
    return None if finished is None else finished.select(named(form))


def _parsed(content: bytes, form: Form, kinds: dict[str, polars.DataType]) -> polars.DataFrame | None:
    """The rows as Polars' parser gives them; None where it refuses one, or filled up one that has too few cells.

    A row with too many cells it refuses. In one with too few, the last cell is empty; so it is in a line without text,
    which is no row: where no last cell is empty, neither is looked for.
    """
    import polars as pl

    try:
        table = pl.read_csv(
            content, has_header=False, schema=kinds, separator=form.delimiter, quote_char=None, raise_if_empty=False,
        )
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return None
    rows = content.count(b"\n") + (not content.endswith(b"\n"))
    full = table.height == rows and not table.get_columns()[-1].null_count()
    if not full and (b"\n\n" in content or content.startswith(b"\n")):
        return _parsed(_BLANK_LINES.sub(b"\n", content).lstrip(b"\n"), form, kinds)
    cells = form.delimiter.encode()
    short = not full and content.count(cells) != table.height * (table.width - 1)
    return None if table.height != rows or short else table


def _finished(
    table: polars.DataFrame, columns: dict[str, Column], reading: Reading, loose: Loose
) -> polars.DataFrame | None:
    """The columns as Polars' parser left them, in their final form; None where a cell needs the strict way.

    An empty cell without quotes is no value already, so that texts and whole numbers are left as they are.
    """
    import polars as pl

    made, floats = [], []
    for name in (name for name in table.columns if name in columns):
        kind = columns[name].type
        if name in loose:
            made.append(untyped(table[name], reading))
        elif kind in ("float", "integer"):
            if reading.missing:
                return None
            floats += [name] if kind == "float" else []
        elif kind != "string" or reading.missing:
            column, wrong = types.from_text(table[name], columns[name], reading)
            if wrong is not None:
                return None
            made.append(column)
    finite = table.select(pl.col(floats).is_finite().all()).row(0, named=True) if floats else {}
    odd = [name for name, each in finite.items() if not each]
    if any(table[name].is_infinite().any() for name in odd):
        return None
    made += [table[name].fill_nan(None) for name in odd]
    return table.with_columns(made) if made else table


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
