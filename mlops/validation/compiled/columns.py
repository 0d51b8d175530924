"""A column as Great Expectations on pandas would see it: its family, pandas' names of its type, what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    import polars

Family = Literal["integer", "float", "boolean", "text", "time"]


class Declined(Exception):
    """This expectation on this column is not compiled; Great Expectations runs it. Says why."""


class Raised(Exception):
    """Great Expectations raises an exception here, and so does the engine: the expectation has no answer."""


class Column(msgspec.Struct, frozen=True):
    """A column with what is known of it before the first scan.

    Attributes:
        dtype: Polars' type.
        missing: Rows without a value; not-a-number counts as none, as in pandas.
        nan: Whether a float column holds not-a-number (beside nulls).
        rows: Rows of the table.
    """

    name: str
    family: Family
    dtype: Any
    missing: int
    nan: bool
    rows: int

    @property
    def as_float(self) -> bool:
        """Integers beside missing values: pandas keeps them as floats."""
        return self.family == "integer" and self.missing > 0

    @property
    def as_object(self) -> bool:
        """Texts, and booleans beside missing values: pandas keeps them as Python objects."""
        return self.family == "text" or (self.family == "boolean" and self.missing > 0)

    @property
    def numeric(self) -> bool:
        """Whether it can be compared with a number; truths can, they are 0 and 1."""
        return self.family in ("integer", "float", "boolean")

    @property
    def pandas(self) -> str:
        """The name of the type that pandas gives the column, such as `int64` or `object`."""
        import polars as pl

        if self.as_object:
            return "object"
        if self.as_float:
            return "float64"
        if self.family == "time":
            return f"datetime64[{'ms' if self.dtype == pl.Date else self.dtype.time_unit}]"
        return "bool" if self.family == "boolean" else str(self.dtype).lower()

    @property
    def scalar(self) -> str:
        """The name of NumPy's type of one value, as Great Expectations reports it."""
        name = self.pandas.partition("[")[0]
        return "object_" if name == "object" else name

    def values(self) -> polars.Expr:
        """The column with everything that is missing as null."""
        import polars as pl

        column = pl.col(self.name)
        if self.dtype == pl.Null:
            return column.cast(pl.String)
        return column.fill_nan(None) if self.nan else column

    def numbers(self) -> polars.Expr:
        """The values as 64-bit numbers, so that sums do not overflow and truths are 0 and 1."""
        import polars as pl

        values = self.values()
        if self.family == "boolean":
            return values.cast(pl.Int64)
        if self.family == "integer":
            return values.cast(pl.Int64)
        return values.cast(pl.Float64) if self.dtype != pl.Float64 else values

    def shown(self, value: Any) -> Any:
        """A value of it as Great Expectations puts it into a result."""
        if value is None:
            return None
        if self.as_float:
            return float(value)
        if self.family == "time":
            return stamp(value)
        return value


def stamp(value: Any) -> str:
    """A date or time as the text that pandas' Timestamp has."""
    import datetime

    if isinstance(value, datetime.datetime):
        return str(value)
    return f"{value} 00:00:00"


def family(dtype: Any) -> Family:
    """The family of a Polars type.

    Raises:
        Declined: a type that is not compiled, such as a list or a decimal.
    """
    import polars as pl

    if dtype == pl.String or dtype == pl.Null:
        return "text"
    if dtype == pl.Boolean:
        return "boolean"
    if dtype in (pl.Float32, pl.Float64):
        return "float"
    if dtype in (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32):
        return "integer"
    if dtype == pl.Date or (isinstance(dtype, pl.Datetime) and dtype.time_zone is None):
        return "time"
    raise Declined(f"columns of the type {dtype} are not compiled")
