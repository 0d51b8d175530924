"""Which rows are equal, to each other or to those of another table: exactly, and in bounded memory.

Rows are brought together by a hash and then compared by their values, so that no collision of a hash decides. Two cells
are equal where they are one value: every zero is, every not-a-number is, and so are two empty cells.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mlops.data_pipeline.tables.on_disk import together
from mlops.data_pipeline.tables.rows import Rows
from mlops.data_pipeline.tables.scratch import Scratch

if TYPE_CHECKING:
    import polars

SHOWN = 5
"""How many rows a message names."""
NAMED = 1000
"""How many rows a result names."""
_ROW = "\x1frow"
_TIMES = "\x1ftimes"


class Named(msgspec.Struct):
    """Some rows of a table: how many, and the numbers (from 1) of the first ones.

    Attributes:
        first: In their order, `NAMED` of them.
    """

    count: int = 0
    first: list[int] = []

    @classmethod
    def where(cls, mask: polars.Series) -> Named:
        """The rows where a mask of the whole table is true."""
        return cls(int(mask.sum()), (mask.arg_true().head(NAMED) + 1).to_list())

    def add(self, numbers: polars.Series, count: int | None = None) -> None:
        """More rows, by their numbers; `count` where not all are given."""
        self.count += len(numbers) if count is None else count
        self.first = heapq.nsmallest(NAMED, [*self.first, *numbers.bottom_k(NAMED).to_list()])

    def joined(self, other: Named) -> Named:
        """The rows of both; no row is in both."""
        return Named(self.count + other.count, sorted([*self.first, *other.first])[:NAMED])

    def __str__(self) -> str:
        return ", ".join(map(str, self.first[:SHOWN])) + (", …" if self.count > SHOWN else "")


def repeated(rows: Rows, columns: Sequence[str], scratch: Scratch, *, whole: bool = False) -> Named:
    """The rows that are equal to an earlier one in `columns`.

    Args:
        whole: Leave rows out that have an empty cell in one of them.
    """
    import polars as pl

    found = Named()
    first = pl.struct(columns).is_first_distinct()

    def firsts() -> Iterator[polars.DataFrame]:
        for table in _numbered(rows, columns, "compared"):
            one = table.height == rows.height
            table = table.drop_nulls(columns) if whole else table
            if table.select(columns).hash_rows().n_unique() < table.height:  # equal rows have the same hash
                mask = table.select(first).to_series()
                found.add(table[_ROW].filter(~mask))
                table = table.filter(mask)
            if not one:
                yield table

    for table in together(firsts(), columns, scratch):
        found.add(table.filter(~first)[_ROW])
    return found


class Values(msgspec.Struct):
    """The different values of a column.

    Attributes:
        rows: Rows that have one.
        most: Rows of the most frequent value; `least`: of the rarest.
    """

    distinct: int = 0
    rows: int = 0
    most: int = 0
    least: int = 0


def values(rows: Rows, column: str, scratch: Scratch) -> Values:
    """How many different values a column has, and how often the most frequent one and the rarest one stand there."""
    import polars as pl

    def counted() -> Iterator[polars.DataFrame]:
        for table in rows.batches([column], doing="counted"):
            counts = table[column].drop_nulls().value_counts(name=_TIMES)
            if table.height == rows.height:  # all of them
                take(counts[_TIMES])
            else:
                yield counts

    def take(times: polars.Series) -> None:
        if len(times):
            times = times.cast(pl.Int64)
            figures: list[Any] = [times.min(), times.max(), times.sum()]
            least, most, count = figures
            found.least, found.most = min(found.least or least, least), max(found.most, most)
            found.distinct, found.rows = found.distinct + len(times), found.rows + count

    found = Values()
    for table in together(counted(), [column], scratch):
        take(table.group_by(column).agg(pl.col(_TIMES).sum())[_TIMES])
    return found


def shared(asked: Rows, known: Rows, columns: Sequence[str], scratch: Scratch) -> int:
    """How many rows of `asked` are equal in `columns` to one of `known`."""
    import polars as pl

    if not columns:
        return asked.height if known.height else 0
    times, count = pl.len().cast(pl.Int64).alias(_TIMES), 0
    ours = (table.group_by(columns).agg(times) for table in asked.batches(columns, doing="compared"))
    for there, here in _beside(known.batches(columns, doing="compared"), ours, columns, scratch):
        count += int(here.join(there, on=list(columns), how="semi", nulls_equal=True)[_TIMES].sum())
    return count


class Lost(msgspec.Struct):
    """Rows whose values are not found in another table; `values`: the first of these values."""

    rows: Named
    values: list[tuple[Any, ...]]


def lost(asked: Rows, columns: Sequence[str], known: Iterable[polars.DataFrame], scratch: Scratch) -> Lost:
    """The rows of `asked` whose values in `columns` are in no row of `known`, which has these columns and types; those
    that have an empty cell among them are left out."""
    import polars as pl

    times, first_rows = pl.len().cast(pl.Int64).alias(_TIMES), pl.col(_ROW).cast(pl.Int64).head(NAMED)
    whole = (table.drop_nulls() for table in _numbered(asked, columns, "looked up"))
    ours = (table.group_by(columns, maintain_order=True).agg(times, first_rows) for table in whole)
    found, values = Named(), list[tuple[Any, ...]]()
    for there, here in _beside(known, ours, columns, scratch):
        gone = here.join(there, on=list(columns), how="anti")
        found.add(gone[_ROW].explode(), int(gone[_TIMES].sum()))
        rows = gone.group_by(columns).agg(pl.col(_ROW).list.min().min()).select(_ROW, *columns)
        values = heapq.nsmallest(3, [*values, *rows.bottom_k(3, by=_ROW).rows()])
    return Lost(found, [each[1:] for each in values])


def _numbered(rows: Rows, columns: Sequence[str], doing: str) -> Iterator[polars.DataFrame]:
    """Batches of these columns with the rows' numbers from 1."""
    start = 1
    for table in rows.batches(columns, doing=doing):
        yield table.with_row_index(_ROW, offset=start)
        start += table.height


def _beside(
    known: Iterable[polars.DataFrame], asked: Iterable[polars.DataFrame], keys: Sequence[str], scratch: Scratch
) -> Iterator[tuple[polars.DataFrame, polars.DataFrame]]:
    """Pairs of a part of `known` and of `asked`, whose columns behind the keys are never empty, with the same keys."""
    import polars as pl

    first, asked = _peeked(asked)
    none = [pl.lit(None, kind).alias(name) for name, kind in first.schema.items() if name not in keys]
    theirs = (table.select(keys).unique().with_columns(none) for table in known)
    for table in together(itertools.chain(theirs, asked), keys, scratch):
        is_known = table[_TIMES].is_null()
        yield table.filter(is_known), table.filter(~is_known)


def _peeked(tables: Iterable[polars.DataFrame]) -> tuple[polars.DataFrame, Iterable[polars.DataFrame]]:
    rest = iter(tables)
    first = next(rest)
    return first, itertools.chain([first], rest)
