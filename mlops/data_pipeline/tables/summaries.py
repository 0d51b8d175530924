"""What the columns of a version's rows look like: counts, gaps, spread, and a small distribution each.

One lazy pass for the figures and one for each distribution, so that rows beyond memory can be summarised.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlops.records import ColumnShape
from mlops.records.base import Record

if TYPE_CHECKING:
    import polars

BINS = 24
TOP = 8
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Bar(Record, frozen=True, kw_only=True):
    """One bar of a distribution: a value, or a range from `label` up to the next bar's, and its rows."""

    label: str
    rows: int


class ColumnSummary(Record, frozen=True, kw_only=True):
    """One column's figures; those that its type does not have are None.

    Attributes:
        type: string, float, integer, boolean or datetime.
        missing: Empty cells.
        distinct: Different values, estimated (HyperLogLog++, within about 2 %) beyond 100,000 rows.
        minimum: Smallest value as text, for numbers and times; `maximum` likewise.
        quantiles: At 5, 25, 50, 75 and 95 %, for numbers.
        bars: Equal ranges from minimum to maximum for numbers and times, else the most frequent values.
        others: Rows of the values that have no bar.
    """

    name: str
    type: str
    rows: int
    missing: int
    distinct: int
    minimum: str | None = None
    maximum: str | None = None
    mean: float | None = None
    deviation: float | None = None
    quantiles: list[float] = []
    bars: list[Bar] = []
    others: int = 0


def summarise(files: Sequence[Path], columns: Sequence[ColumnShape]) -> list[ColumnSummary]:
    """The summary of each column over the rows of all `files` (Parquet, of one shape)."""
    import polars as pl

    frame = pl.scan_parquet(list(files))
    rows = int(frame.select(pl.len()).collect().item())
    wanted = [expression for column in columns for expression in _figures(column, rows)]
    found = frame.select(wanted).collect(engine="streaming").row(0, named=True) if wanted else {}
    return [_summary(frame, column, rows, found) for column in columns]


def _figures(column: ColumnShape, rows: int) -> list[polars.Expr]:
    import polars as pl

    name = column.name
    values = pl.col(name)
    count = values.n_unique() if rows <= 100_000 else values.approx_n_unique()
    wanted = [values.null_count().alias(f"{name}\0missing"), count.alias(f"{name}\0distinct")]
    if column.type in ("float", "integer", "datetime"):
        wanted += [values.min().alias(f"{name}\0minimum"), values.max().alias(f"{name}\0maximum")]
    if column.type in ("float", "integer"):
        numbers = values.cast(pl.Float64)
        wanted += [numbers.mean().alias(f"{name}\0mean"), numbers.std().alias(f"{name}\0deviation")]
        wanted += [numbers.quantile(share, "linear").alias(f"{name}\0{share}") for share in QUANTILES]
    return wanted


def _summary(frame: polars.LazyFrame, column: ColumnShape, rows: int, found: dict[str, Any]) -> ColumnSummary:
    def figure(name: str) -> Any:
        return found.get(f"{column.name}\0{name}")

    missing = int(figure("missing"))
    low, high = figure("minimum"), figure("maximum")
    ranged = low is not None and high is not None and _position(low) < _position(high)
    bars = _ranges(frame, column.name, low, high) if ranged else _values(frame, column.name)
    shown = sum(bar.rows for bar in bars)
    quantiles = [figure(str(share)) for share in QUANTILES]
    return ColumnSummary(
        name=column.name, type=column.type, rows=rows, missing=missing,
        distinct=int(figure("distinct")) - (1 if missing else 0),
        minimum=None if low is None else text(low), maximum=None if high is None else text(high),
        mean=figure("mean"), deviation=figure("deviation"),
        quantiles=[each for each in quantiles if each is not None], bars=bars, others=rows - missing - shown,
    )


def _ranges(frame: polars.LazyFrame, name: str, low: Any, high: Any) -> list[Bar]:
    import polars as pl

    start, end = _position(low), _position(high)
    width = (end - start) / BINS
    values = pl.col(name).cast(pl.Datetime("us")).cast(pl.Int64) if isinstance(low, datetime.date) else pl.col(name)
    place = ((values.cast(pl.Float64) - start) / width).floor().clip(0, BINS - 1).cast(pl.Int32)
    counted = dict(
        frame.filter(pl.col(name).is_not_null()).group_by(place.alias("bar")).len().collect(engine="streaming").rows()
    )
    edges = [start + number * width for number in range(BINS)]
    labels = [text(_moment(edge)) if isinstance(low, datetime.date) else text(edge) for edge in edges]
    return [Bar(label=label, rows=int(counted.get(number, 0))) for number, label in enumerate(labels)]


def _values(frame: polars.LazyFrame, name: str) -> list[Bar]:
    import polars as pl

    counted = frame.filter(pl.col(name).is_not_null()).group_by(name).len().collect(engine="streaming")
    top = counted.sort(["len", name], descending=[True, False]).head(TOP)
    return [Bar(label=text(value), rows=int(rows)) for value, rows in top.rows()]


def _position(value: Any) -> float:
    """A number, or a moment in microseconds from 1970."""
    if isinstance(value, datetime.datetime):
        return (value.replace(tzinfo=None) - datetime.datetime(1970, 1, 1)) / datetime.timedelta(microseconds=1)
    if isinstance(value, datetime.date):
        return _position(datetime.datetime(value.year, value.month, value.day))
    return float(value)


def _moment(position: float) -> datetime.datetime:
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=round(position))


def text(value: Any) -> str:
    """A cell for a reader: numbers with six digits at most, times to the second."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{int(value)}" if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    return str(value)


def same(one: float | None, other: float | None) -> bool:
    """Whether two figures are equal but for the order in which they were added up."""
    return one == other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-9))
