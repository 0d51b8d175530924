"""Parquet and Arrow files, read in batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline import types
from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.sources.csv_file import MAXIMUM_COLUMNS
from mlops.data_pipeline.sources.local_file import LocalFile
from mlops.data_pipeline.sources.opened import Batch, Loose
from mlops.data_pipeline.tables.fingerprint import column_type
from mlops.errors import BadDataError

if TYPE_CHECKING:
    import polars

CELLS = 1 << 21
"""Cells of a batch, about."""


def read_columnar(file: LocalFile, kind: str, columns: dict[str, Column], loose: Loose) -> Iterator[Batch]:
    """The rows of a Parquet file or of an Arrow file or stream (`kind`), declared columns in their types.

    Undeclared columns of a kind that a table of this house does not hold (lists, structs, bytes) are left out.

    Raises:
        BadDataError: the file is cut off or damaged.
    """
    import polars as pl
    import pyarrow as pa

    file.seek(0)
    try:
        for batch in _parquet(file) if kind == "parquet" else _arrow(file):
            table = pl.from_arrow(_narrow(batch))
            assert isinstance(table, pl.DataFrame)
            yield batch_of(table, columns, loose)
    except (pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError,
            TypeError, EOFError) as error:
        text = str(error).strip()
        raise BadDataError(
            f"the {'Parquet' if kind == 'parquet' else 'Arrow'} file cannot be read: "
            f"{(text.splitlines()[0] if text else type(error).__name__)[:200]}",
            where=file.shown, mend="it is truncated or damaged; copy or export it again",
        ) from error


def batch_of(table: polars.DataFrame, columns: dict[str, Column], loose: Loose) -> Batch:
    """A batch of a table that has types of its own."""
    import polars as pl

    series, wrong = [], {}
    for name in table.columns:
        column = table[name]
        if name in loose:
            kind = pl.Float64() if loose[name] == "float" else pl.String()
            series.append(_as_text(column) if loose[name] == "string" else column.cast(kind, strict=False))
        elif name in columns:
            column, bad = types.from_values(column, columns[name])
            series.append(column)
            if bad is not None:
                wrong[name] = bad
        elif held(name, column.dtype):
            series.append(column.cast(pl.String) if column.dtype == pl.Categorical else column)
    return Batch(
        pl.DataFrame(series) if series else pl.DataFrame(), wrong,
        lambda: table.select(_as_text(table[name]) for name in table.columns),
        numeric=frozenset(name for name in wrong if table[name].dtype.is_numeric()),
    )


def held(name: str, kind: Any) -> bool:
    """Whether a table of this house holds a column of this Polars type."""
    try:
        return bool(column_type(name, kind))
    except BadDataError:
        return False


def _as_text(column: polars.Series) -> polars.Series:
    import polars as pl

    if column.dtype == pl.String:
        return column
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object, pl.Duration):
        return pl.Series(column.name, [None if each is None else repr(each)[:200] for each in column], dtype=pl.String)
    return column.cast(pl.String)


def _parquet(file: LocalFile) -> Iterator[Any]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    source = pa.PythonFile(file, mode="r")
    width = pq.read_metadata(source).num_columns
    _expect_width(width, file)
    opened = pq.ParquetFile(source, buffer_size=max(1 << 16, (1 << 26) // max(width, 1)), pre_buffer=False)
    yield opened.schema_arrow.empty_table()
    yield from opened.iter_batches(batch_size=_rows(width), use_threads=False)


def _arrow(file: LocalFile) -> Iterator[Any]:
    import pyarrow as pa

    source = pa.PythonFile(file, mode="r")
    if file.read(6) == b"ARROW1":
        opened = pa.ipc.open_file(source)
        _expect_width(len(opened.schema), file)
        batches = (opened.get_batch(number) for number in range(opened.num_record_batches))
    else:
        file.seek(0)
        opened = pa.ipc.open_stream(source)
        _expect_width(len(opened.schema), file)
        batches = iter(opened)
    size = _rows(len(opened.schema))
    yield opened.schema.empty_table()
    for batch in batches:
        batch.validate(full=True)
        for start in range(0, batch.num_rows, size):
            yield batch.slice(start, size)


def _narrow(batch: Any) -> Any:
    """Decimals of more than 38 digits, which Polars does not hold, as the doubles next to them."""
    import pyarrow as pa

    for number, field in enumerate(batch.schema):
        if pa.types.is_decimal256(field.type):
            batch = batch.set_column(number, field.name, batch.column(number).cast(pa.string()).cast(pa.float64()))
    return batch


def _rows(width: int) -> int:
    return max(256, CELLS // max(width, 1))


def _expect_width(width: int, file: LocalFile) -> None:
    if width > MAXIMUM_COLUMNS:
        raise BadDataError(
            f"has {width} columns, more than {MAXIMUM_COLUMNS}", where=file.shown,
            mend="leave out the columns that the data set does not name",
        )
