"""From text, or from whatever a file's types are, to the types that a data set declares.

Each function gives the column in its declared type with no value where a cell cannot be it, and the mask of those
cells (None for none). What cannot be is never guessed: a decimal comma, thousands, units, a number beyond what 64 bits
hold, a date in another order than the declared one.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Column
from mlops.data_pipeline.reading import Reading
from mlops.errors import ConfigurationError

if TYPE_CHECKING:
    import polars

    Typed = tuple[polars.Series, polars.Series | None]

EMPTY = ("", "NA", "N/A", "NaN", "nan", "NULL", "null", "None")
"""Texts that stand for no value where a number, a truth or a time is expected; in a text column only the empty one."""

_CLOCK, _ZONE = re.compile("%[HIcTRXsz]|%:z"), re.compile("%:?z")
LARGEST = sys.float_info.max
EXACT = 2**53
"""Below, a double is every whole number."""

ISO_8601 = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?$"
ISO_ZONED = r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:?\d{2})$"


def from_text(column: polars.Series, wanted: Column, reading: Reading) -> Typed:
    """A column of a text file, in its declared type. Blanks around a number, a truth or a time do not count."""
    import polars as pl

    if wanted.type == "string":
        return _without(column, ("", *reading.missing)), None
    text = _without(column.str.strip_chars(), (*EMPTY, *reading.missing))
    if wanted.type == "boolean":
        typed = text.str.to_lowercase().replace_strict(
            {"true": True, "false": False, "1": True, "0": False}, default=None, return_dtype=pl.Boolean
        )
    elif wanted.type == "datetime":
        typed = _times(text, wanted.format)
    else:
        number = _plain_numbers(text, reading)
        typed = _floats(number) if wanted.type == "float" else _integers(number)
    wrong = typed.is_null() & text.is_not_null()
    if wanted.type == "float":
        typed = typed.fill_nan(None)
    return typed, wrong if wrong.any() else None


def from_values(column: polars.Series, wanted: Column) -> Typed:
    """A column of a file that has types of its own (Parquet, Arrow, a frame). A number kept as text is wrong there."""
    import polars as pl

    kind, type_ = column.dtype, polars_type(wanted)
    if kind == pl.Null:
        return column.cast(type_), None
    if wanted.type == "string":
        texts = kind in (pl.String, pl.Categorical) or isinstance(kind, pl.Enum)
        return (column.cast(pl.String), None) if texts else _all_wrong(column, type_)
    if wanted.type == "float" and kind.is_numeric():
        return column.cast(pl.Float64).fill_nan(None), None
    if wanted.type == "integer" and (kind.is_integer() or kind.is_float() or kind.is_decimal()):
        return _whole(column)
    if wanted.type == "boolean" and (kind == pl.Boolean or kind.is_integer()):
        typed = column if kind == pl.Boolean else column.replace_strict(
            {0: False, 1: True}, default=None, return_dtype=pl.Boolean)
        return typed, _where_lost(typed, column)
    if wanted.type == "datetime" and (kind == pl.Date or isinstance(kind, pl.Datetime)):
        if isinstance(kind, pl.Datetime) and kind.time_zone:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return column.cast(type_), None
    return _all_wrong(column, type_)


def from_objects(name: str, values: Sequence[Any], wanted: Column) -> Typed:
    """A column of Python values, each with a type of its own (JSON lines, a database's rows)."""
    import polars as pl

    kinds = set(map(type, values)) - {type(None)}
    column = _same_kind(name, values, kinds)
    if column is not None:
        as_text = wanted.type == "datetime" and column.dtype == pl.String
        return from_text(column, wanted, Reading()) if as_text else from_values(column, wanted)
    cells = [_cell(value, wanted) for value in values]
    typed = pl.Series(name, cells, dtype=polars_type(wanted), strict=True)
    wrong = pl.Series(name, [cell is None and value is not None and value == value  # not-a-number is no value
                             for cell, value in zip(cells, values, strict=True)], dtype=pl.Boolean)
    return typed, wrong if wrong.any() else None


def polars_type(wanted: Column) -> polars.DataType:
    """The Polars type of a declared column."""
    import polars as pl

    kinds: dict[str, polars.DataType] = {
        "string": pl.String(), "float": pl.Float64(), "integer": pl.Int64(), "boolean": pl.Boolean(),
        "datetime": pl.Datetime("us"),
    }
    return kinds[wanted.type]


def _without(column: polars.Series, words: Sequence[str]) -> polars.Series:
    """The column with no value where it holds one of the words."""
    import polars as pl

    return pl.select(pl.when(column.is_in(list(words))).then(None).otherwise(column).alias(column.name)).to_series()


def _plain_numbers(text: polars.Series, reading: Reading) -> polars.Series:
    """Numbers with their decimal mark as a point and without marks between thousands; no value where those are
    not where they belong."""
    import polars as pl

    if reading.decimal == "." and not reading.thousands:
        return text
    decimal = re.escape(reading.decimal)
    whole = r"\d+"
    if reading.thousands:
        mark = "[ \u00a0\u202f]" if reading.thousands == " " else re.escape(reading.thousands)
        whole = rf"(?:\d{{1,3}}(?:{mark}\d{{3}})+|\d+)"
    pattern = rf"^[+-]?(?:{whole}(?:{decimal}\d*)?|{decimal}\d+)(?:[eE][+-]?\d+)?$"
    plain = text
    if reading.thousands:
        plain = plain.str.replace_all(mark, "")
    plain = plain.str.replace(reading.decimal, ".", literal=True)
    fits = text.str.contains(pattern) | text.str.to_lowercase().is_in(["inf", "-inf", "+inf"])
    return pl.select(pl.when(fits).then(plain).otherwise(None).alias(text.name)).to_series()


def _floats(text: polars.Series) -> polars.Series:
    """Doubles; a number beyond the largest is none, where `inf` itself is one for the suite to refuse."""
    import polars as pl

    numbers = text.cast(pl.Float64, strict=False)
    if not numbers.is_infinite().any():
        return numbers
    beyond = numbers.is_infinite() & text.str.contains(r"\d")
    return pl.select(pl.when(beyond).then(None).otherwise(numbers).alias(text.name)).to_series()


def _integers(text: polars.Series) -> polars.Series:
    """64-bit integers; `2.0` and `1e3` are whole as well, where a double holds every whole number."""
    import polars as pl

    whole = text.cast(pl.Int64, strict=False)
    if whole.null_count() == text.null_count():
        return whole
    numbers = text.cast(pl.Float64, strict=False)
    fits = (numbers == numbers.round(0)) & (numbers.abs() < EXACT) & ~text.str.contains(r"^[+-]?\d+$")
    loose = pl.select(pl.when(fits).then(numbers).otherwise(None)).to_series().cast(pl.Int64)
    return whole.fill_null(loose)


def _times(text: polars.Series, form: str) -> polars.Series:
    """Times in the declared form, else ISO 8601; with a zone they become UTC."""
    import polars as pl

    kind = pl.Datetime("us")
    if form:
        wanted = kind if _CLOCK.search(form) else pl.Date()
        try:
            zoned = pl.Datetime("us", "UTC") if _ZONE.search(form) else wanted
            times = text.str.strptime(zoned, form, strict=False).cast(kind)
        except pl.exceptions.PolarsError as error:
            raise ConfigurationError(
                f"the format {form!r} of column {text.name!r} is none: {str(error).splitlines()[0][:160]}",
                mend="write it with strftime's directives, such as %d/%m/%Y %H:%M",
            ) from error
        return _without_short_years(times) if "%Y" in form or "%F" in form else times
    plain = pl.when(text.str.contains(ISO_8601)).then(text.str.replace(" ", "T", literal=True))
    zoned_text = pl.when(text.str.contains(ISO_ZONED)).then(
        text.str.replace(" ", "T", literal=True).str.replace(r"Z$", "+00:00")
        .str.replace(r"([+-]\d\d)(\d\d)$", "$1:$2")
    )
    forms = ("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%.f")
    naive = [plain.str.strptime(pl.Date, forms[0], strict=False).cast(kind)]
    naive += [plain.str.strptime(kind, each, strict=False) for each in forms[1:]]
    aware = [
        zoned_text.str.strptime(pl.Datetime("us", "UTC"), f"{each}%:z", strict=False).cast(kind) for each in forms[1:]
    ]
    return pl.select(pl.coalesce(naive + aware).alias(text.name)).to_series()


def _without_short_years(times: polars.Series) -> polars.Series:
    """A year of two digits where four are declared is not taken for one of the first century."""
    import polars as pl

    return pl.select(pl.when(times.dt.year() >= 1000).then(times).otherwise(None).alias(times.name)).to_series()


def _whole(column: polars.Series) -> Typed:
    """Whole numbers as integers; wrong where one has a fraction or is beyond 64 bits."""
    import polars as pl

    if column.dtype.is_integer():
        typed = column.cast(pl.Int64, strict=False)
        return typed, _where_lost(typed, column)
    numbers = column.cast(pl.Float64).fill_nan(None)
    fits = (numbers == numbers.round(0)) & (numbers.abs() < EXACT)
    typed = pl.select(pl.when(fits).then(numbers).otherwise(None).alias(column.name)).to_series().cast(pl.Int64)
    return typed, _where_lost(typed, numbers)


def _where_lost(typed: polars.Series, before: polars.Series) -> polars.Series | None:
    return typed.is_null() & before.is_not_null() if typed.null_count() != before.null_count() else None


def _all_wrong(column: polars.Series, kind: polars.DataType) -> Typed:
    import polars as pl

    empty = pl.Series(column.name, [None], dtype=kind).new_from_index(0, len(column))
    return empty, _where_lost(empty, column)


def _same_kind(name: str, values: Sequence[Any], kinds: set[type]) -> polars.Series | None:
    """A column of values of one kind that Polars has; None for a mixture."""
    import polars as pl

    if not kinds:
        return pl.Series(name, values, dtype=pl.Null)
    if kinds == {int}:
        fits = all(value is None or -(2**63) <= value < 2**63 for value in values)
        return pl.Series(name, values, dtype=pl.Int64, strict=True) if fits else None
    if kinds <= {int, float}:
        finite = not any(value in (float("inf"), float("-inf")) for value in values)
        return pl.Series(name, values, dtype=pl.Float64, strict=True) if finite else None
    known: dict[type, type[polars.DataType]] = {str: pl.String, bool: pl.Boolean}
    kind = known.get(next(iter(kinds))) if len(kinds) == 1 else None
    return pl.Series(name, values, dtype=kind, strict=True) if kind else None


def _cell(value: Any, wanted: Column) -> Any:
    """One value in the declared type, None where it cannot be."""
    import decimal

    if wanted.type == "string":
        return value if isinstance(value, str) else None
    if wanted.type == "boolean":
        return bool(value) if isinstance(value, int) and value in (0, 1) else None
    if wanted.type == "datetime":
        return _moment(value, wanted)
    if isinstance(value, bool) or not isinstance(value, int | float | decimal.Decimal) or value != value:
        return None
    return _number(value, wanted)


def _number(value: Any, wanted: Column) -> float | int | None:
    if wanted.type == "float":
        return float(value) if abs(value) <= LARGEST else None
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else None
    return int(value) if abs(value) < EXACT and value == int(value) else None


def _moment(value: Any, wanted: Column) -> Any:
    import datetime

    import polars as pl

    if isinstance(value, datetime.datetime):
        return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, datetime.date):
        return datetime.datetime.combine(value, datetime.time())
    if isinstance(value, str):
        return from_text(pl.Series([value]), wanted, Reading())[0][0]
    return None
