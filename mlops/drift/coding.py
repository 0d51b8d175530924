"""From cells to bin numbers, quickly: a table of equal cells instead of a search for each value."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from mlops.drift.layout import ColumnLayout

if TYPE_CHECKING:
    import numpy
    import polars

    Array = numpy.ndarray[Any, Any]

CELLS = 1 << 14
DEPTH = 3
"""With more edges than this in one cell, a search is no slower."""
_BLOCK = 1 << 16
"""Rows at a time: few enough to stay in the processor's cache, enough that threads seldom wait for each other."""


@dataclasses.dataclass(frozen=True)
class Coded:
    """The bins of a column's cells: `codes` (uint8, the layout's `bins` for an empty cell), how many values are not of
    the column's type (their cells count as empty), and the cells whose category has no name of its own."""

    codes: Array
    unreadable: int = 0
    others: polars.Series | None = None


def encode(series: polars.Series, column: ColumnLayout, grid: Grid) -> Coded:
    """The cells of a column, of whatever type it came in, in the reference's bins.

    Args:
        grid: Of the column's edges, see `Layout.grids`.
    """
    import numpy as np

    if column.kind == "ordered":
        values, unreadable = numbers(series, column.type)
        return Coded(grid.codes(values), unreadable)
    if column.kind == "named":
        return _names(series, column)
    codes = np.zeros(len(series), np.uint8)
    codes[series.is_null().to_numpy()] = column.bins
    return Coded(codes)


def numbers(series: polars.Series, kind: str) -> tuple[Array, int]:
    """A column as float64, NaN where it is empty or cannot be read as `kind`; and how many could not."""
    import polars as pl

    there = len(series) - series.null_count()
    dtype = series.dtype
    temporal = dtype.is_temporal()
    try:
        if _is_no_value(dtype):
            read = _nothing(series)
        elif kind == "datetime" and dtype == pl.String:
            read = series.str.to_datetime(strict=False, time_unit="us")
        elif kind == "datetime" and (dtype == pl.Date or isinstance(dtype, pl.Datetime)):
            read = series.dt.replace_time_zone(None) if getattr(dtype, "time_zone", None) else series
            read = read.cast(pl.Datetime("us"))
        elif isinstance(dtype, pl.Duration) and kind == "duration":
            read = series.cast(pl.Duration("us"))
        elif temporal and not (kind == "duration" and dtype == pl.Time):
            read = _nothing(series)
        else:
            read = series
        whole = read.to_physical() if read.dtype.is_temporal() else read
        floats = whole if whole.dtype == pl.Float64 else whole.cast(pl.Float64, strict=False)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        floats = _nothing(series)
    return floats.to_numpy(), there - (len(floats) - floats.null_count())


def texts(series: polars.Series) -> tuple[polars.Series, int]:
    """A column as strings, and how many of its values are none."""
    import polars as pl

    if series.dtype in (pl.String, pl.Categorical) or isinstance(series.dtype, pl.Enum):
        return series, 0
    read = _nothing(series) if _is_no_value(series.dtype) else series
    try:
        read = read.cast(pl.String, strict=False)
    except pl.exceptions.PolarsError:  # a type that has no text, such as a duration
        read = _nothing(series).cast(pl.String)
    return read, read.null_count() - series.null_count()


def _is_no_value(dtype: Any) -> bool:
    """Whether cells are something else than one number, moment or text: a list, bytes, an object."""
    import polars as pl

    return dtype.is_nested() or dtype in (pl.Object, pl.Binary)


def _nothing(series: polars.Series) -> polars.Series:
    """As many empty cells, of numbers."""
    import polars as pl

    return pl.repeat(None, len(series), dtype=pl.Float64, eager=True)


def _names(series: polars.Series, column: ColumnLayout) -> Coded:
    import numpy as np
    import polars as pl

    if column.type == "boolean" and series.dtype == pl.Boolean:  # false is 0, true is 1
        truth = series.cast(pl.UInt8)
        return Coded((truth.fill_null(column.bins) if truth.null_count() else truth).to_numpy())
    text, unreadable = texts(series)
    unnamed, empty = len(column.names), column.bins
    if column.names:
        physical = text.cast(pl.Enum(column.names), strict=False).to_physical().cast(pl.UInt8)
        codes = (physical.fill_null(unnamed) if physical.null_count() else physical).to_numpy(writable=True)
    else:
        codes = np.full(len(text), unnamed, np.uint8)
    if text.null_count():
        codes[text.is_null().to_numpy()] = empty
    rest = codes == unnamed
    others = text.filter(pl.Series(rest)).cast(pl.String) if rest.any() else None
    return Coded(codes, unreadable, others)


class Grid:
    """Bin numbers for float64 values, exactly those of a binary search over the edges.

    The range is cut into equal cells. A value's cell tells how many edges lie in cells before it; what is left is
    a comparison with the edges of the same cell. The cell is a non-decreasing function of the value, so
    rounding never puts a value on the wrong side of an edge.
    """

    def __init__(self, edges: list[float]) -> None:
        import numpy as np

        self.edges = np.asarray(edges, np.float64)
        self.depth = DEPTH + 1
        if self.edges.size < 2:
            return
        with np.errstate(over="ignore", divide="ignore"):
            self.low = float(self.edges[0])
            self.factor = float(np.divide(CELLS, self.edges[-1] - self.edges[0]))
        if not (np.isfinite(self.factor) and self.factor > 0):
            return
        # The last edge lies next to the one before it (beyond it is what is larger than all of the reference), so that
        # their cell would have two for every column: it is compared by itself, which is quicker.
        inner = self.edges[:-1]
        each = np.bincount(self._cells(inner, np.empty(inner.size), np.empty(inner.size, np.intp)), minlength=CELLS)
        self.depth = int(each.max())
        self.before = np.concatenate([[0], np.cumsum(each)[:-1]]).astype(np.uint8)
        self.padded = np.append(inner, [np.nan, np.nan])  # no value reaches it, not even infinity
        self.last = float(self.edges[-1])

    def codes(self, values: Array) -> Array:
        """How many edges each value reaches (uint8); one more than there are edges for NaN."""
        import numpy as np

        if self.depth > DEPTH:
            found = np.searchsorted(self.edges, values, side="right").astype(np.uint8)
        else:
            found = np.empty(values.size, np.uint8)
            width = min(_BLOCK, values.size)
            floats, places, reached = np.empty(width), np.empty(width, np.intp), np.empty(width, np.bool_)
            for start in range(0, values.size, _BLOCK):
                block, codes = values[start:start + _BLOCK], found[start:start + _BLOCK]
                work, more = floats[:block.size], reached[:block.size]
                self.before.take(self._cells(block, work, places[:block.size]), out=codes, mode="clip")
                for _ in range(self.depth):
                    self.padded.take(codes, out=work, mode="clip")
                    np.greater_equal(block, work, out=more)
                    np.add(codes, more.view(np.uint8), out=codes)
                np.greater_equal(block, self.last, out=more)
                np.add(codes, more.view(np.uint8), out=codes)
        empty = np.isnan(values)
        if empty.any():
            found[empty] = self.edges.size + 1
        return found

    def _cells(self, values: Array, work: Array, places: Array) -> Array:
        import numpy as np

        with np.errstate(over="ignore", invalid="ignore"):
            np.subtract(values, self.low, out=work)
            np.multiply(work, self.factor, out=work)
        np.fmax(work, 0, out=work)  # also turns NaN into a number
        np.fmin(work, CELLS - 1, out=work)
        np.copyto(places, work, casting="unsafe")
        return places
