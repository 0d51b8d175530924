"""From validated rows to processed ones, each with the side of the split that it falls on."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from mlops import product
from mlops.data_pipeline.dataset import Dataset
from mlops.data_pipeline.tables.fingerprint import LANES, Cells
from mlops.data_pipeline.tables.on_disk import in_order
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch
from mlops.errors import BadDataError, ConfigurationError

if TYPE_CHECKING:
    import polars

    from mlops.data_pipeline.tables.fingerprint import Words

    Function = Callable[[polars.DataFrame], Any]

TRIED = 1000
"""Rows that a function of rows is tried with, whole and in two parts."""
_HELD = "\x1fheld"
_WORDS = tuple(f"\x1fword{lane}" for lane in range(LANES))


def apply(dataset: Dataset, table: polars.DataFrame) -> polars.DataFrame:
    """The product's own processing of a validated table; without any, its declared columns.

    Raises:
        ConfigurationError: the function cannot be loaded, or returns no table with the target.
        BadDataError: no row is left.
    """
    result = _called(dataset, _function(dataset), table)
    _expect_rows(dataset, result.height)
    return result


def processed(dataset: Dataset, rows: Rows) -> Iterator[polars.DataFrame]:
    """The processed rows in their order: as `apply` makes them, but a batch at a time where the data set says that its
    function takes rows.

    Raises:
        ConfigurationError: as `apply`; or the function does not make of each row what it makes of it alone.
        BadDataError: no row is left.
    """
    if dataset.process and dataset.process_takes == "table":
        yield apply(dataset, rows.collect(rows.frame))
        return
    function, count = _function(dataset), 0
    schema: dict[str, Any] | None = None
    for number, table in enumerate(rows.batches(doing="processed")):
        if dataset.process and number == 0:
            _expect_row_by_row(dataset, function, table.head(TRIED))
        result = _called(dataset, function, table)
        schema = schema or dict(result.schema)
        if dict(result.schema) != schema:
            changed = [name for name in {**schema, **result.schema} if schema.get(name) != result.schema.get(name)]
            raise ConfigurationError(
                f"{dataset.process} gives {changed[0]!r} another type, or leaves it out, for some of the rows",
                where=dataset.file, mend="cast each column to one type, whatever is in it",
            )
        count += result.height
        yield result
    _expect_rows(dataset, count)


def split(
    dataset: Dataset, tables: Iterable[polars.DataFrame], scratch: Scratch
) -> Iterator[tuple[str, polars.DataFrame, Words]]:
    """The processed rows with their part, `train` or `test`, and their hashes; each part at least once, maybe empty.

    On which side a row falls depends on its own features alone (a salted digest, taken as a number between 0
    and 1, against the share): not on the order of the rows, nor on what other rows there are. Rows with the
    same features fall on the same side. Where the data set is its rows in any order, both parts are ordered by
    hash, so that the files are the same whatever order the rows came in; else they keep their order.
    """
    import polars as pl

    marked: Iterable[polars.DataFrame] = (_marked(dataset, table) for table in tables)
    for each in marked if dataset.ordered else in_order(marked, _WORDS, scratch):
        for name, side in (("train", ~pl.col(_HELD)), ("test", pl.col(_HELD))):
            rows = each.filter(side)
            yield name, rows.drop(_HELD, *_WORDS), rows.select(_WORDS).to_numpy().T


def _marked(dataset: Dataset, table: polars.DataFrame) -> polars.DataFrame:
    """The rows with their hash and the side that they are on; every zero and every not-a-number has one form, so that
    equal rows are the same bytes."""
    import polars as pl
    import polars.selectors as cs

    numbers = cs.float()
    table = table.with_columns(pl.when(numbers == 0.0).then(0.0).otherwise(numbers.fill_nan(math.nan)).name.keep())
    cells = Cells(table)
    share, salt = dataset.split.test, f"{dataset.name}/{dataset.split.salt}"
    features = [name for name in table.columns if name != dataset.target]
    held = cells.hashes(features, salt=salt)[0] < int(share * 2**64)
    return table.with_columns(pl.Series(_HELD, held), *map(pl.Series, _WORDS, cells.hashes()))


def _function(dataset: Dataset) -> Function:
    if not dataset.process:
        return lambda table: table.select(name for name in dataset.columns if name in table.columns)
    function: Function = product.load(
        dataset.process, where=f"{dataset.file} (process)", repository=dataset.repository
    )
    return function


def _called(dataset: Dataset, function: Function, table: polars.DataFrame) -> polars.DataFrame:
    import polars as pl

    result = function(table)
    if not isinstance(result, pl.DataFrame):
        raise ConfigurationError(
            f"{dataset.process} returned {type(result).__name__}, not a table", where=dataset.file,
            mend="return a Polars DataFrame",
        )
    if dataset.process and dataset.target and dataset.target not in result.columns:
        raise ConfigurationError(
            f"{dataset.process} lost the target {dataset.target!r}", where=dataset.file, mend="keep the target's column"
        )
    return result


def _expect_row_by_row(dataset: Dataset, function: Function, table: polars.DataFrame) -> None:
    """Raise ConfigurationError unless the function makes the same of some rows whole and in two parts."""
    import polars as pl

    half = table.height // 2
    whole, *parts = (_called(dataset, function, each) for each in (table, table[:half], table[half:]))
    if half and (parts[0].schema != parts[1].schema or not whole.equals(pl.concat(parts))):
        raise ConfigurationError(
            f"{dataset.process} makes something else of {table.height} rows than of its two halves, so it does not go "
            "by rows", where=dataset.file,
            mend="let it make of each row what it makes of it alone, or declare `process_takes: table`",
        )


def _expect_rows(dataset: Dataset, count: int) -> None:
    if not count:
        raise BadDataError(f"{dataset.process} left no row", where=dataset.location, mend="give data that it can use")
