"""Sets of values, compared as Python and pandas compare: a truth is 0 or 1, an integer equals its float, a text never
equals a number."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.columns import Column, Declined

if TYPE_CHECKING:
    import polars

EXACT = 2**53
"""Beyond this, integers and floats are not told apart exactly."""


def comparable(column: Column, values: list[Any]) -> list[Any]:
    """Those of the values that a value of the column may equal, each once.

    Raises:
        Declined: numbers so large that it depends on their type.
    """
    if column.family == "text":
        return list(dict.fromkeys(value for value in values if isinstance(value, str)))
    if column.family == "time":
        return list(dict.fromkeys(value for value in values if isinstance(value, datetime.datetime)))
    numbers = [value for value in values if isinstance(value, int | float)]
    if any(abs(value) > EXACT for value in numbers):
        raise Declined("the set holds numbers beyond 2**53")
    if column.family == "float":
        return list(dict.fromkeys(float(value) for value in numbers))
    whole = [int(value) for value in numbers if value == int(value)]
    if column.family == "boolean":
        return [bool(value) for value in dict.fromkeys(whole) if value in (0, 1)]
    return list(dict.fromkeys(whole))


def member(column: Column, values: list[Any]) -> polars.Expr:
    """Whether a value is one of `comparable` values; null where there is no value."""
    import polars as pl

    own: dict[str, Any] = {
        "text": pl.String, "integer": pl.Int64, "float": pl.Float64, "boolean": pl.Boolean, "time": pl.Datetime("us"),
    }
    found = column.values()
    if column.family == "time":
        found = found.cast(pl.Datetime("us"))
    elif column.family in ("integer", "float"):
        found = column.numbers()
    known = pl.Series(values, dtype=own[column.family])
    return found.is_in(known.implode())


def moment(text: str) -> datetime.datetime | None:
    """The time that an ISO text names, None for another text."""
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None and len(text) >= 10 and text[4:5] == "-" else None
