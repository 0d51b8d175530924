"""What a table holds, column by column, each looked at once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mlops.data_pipeline.dataset import Column
from mlops.records.base import Record

if TYPE_CHECKING:
    import polars

MOST_VALUES = 50
"""Columns with more distinct values are no categories."""
_ROWS = "\0rows"  # no column is called so
TAIL = 50
"""How many of the farthest values tell how a tail goes on."""


class Figures(Record, frozen=True, kw_only=True):
    """One column. What its type does not have is None or empty.

    Attributes:
        type: As declared or found: string, float, integer, boolean, datetime.
        odd: Why nothing but its presence is proposed: its cells are not of its type. Empty where they are.
        minimum, maximum: Of finite numbers; moments as ISO 8601; of texts the lengths.
        at_minimum, at_maximum: How many rows have them.
        next_minimum, next_maximum: How many rows have the value that comes next.
        low, high: For the median of another sample: the quantiles that it lies between, all but surely.
        low_tail, high_tail: The farthest values on both sides, the farthest first.
        values: The distinct values with their rows, where they are few enough to be categories.
        mask: The one form of all texts, such as `A-9`: letters and digits as runs; empty where there are several.
    """

    name: str
    type: str
    rows: int
    missing: int
    distinct: int
    odd: str = ""
    minimum: float | str | None = None
    maximum: float | str | None = None
    at_minimum: int = 0
    at_maximum: int = 0
    next_minimum: int = 0
    next_maximum: int = 0
    median: float | None = None
    low: float | None = None
    high: float | None = None
    low_tail: list[float] = []
    high_tail: list[float] = []
    whole: bool = False
    values: list[tuple[Any, int]] = []
    mask: str = ""

    @property
    def known(self) -> int:
        """Rows with a value."""
        return self.rows - self.missing


def of_table(table: polars.DataFrame, columns: Mapping[str, Column]) -> list[Figures]:
    """The figures of the declared columns that the table has, one query each: the optimiser's time grows with the
    square of a query's expressions."""
    there = set(table.columns)
    return [
        _figures(name, column.type, alone, alone.select(_wanted(name, column.type, alone)).row(0, named=True))
        for name, column in columns.items() if name in there for alone in [table[name].to_frame()]
    ]


def fits(kind: str, held: polars.DataType) -> bool:
    """Whether a Polars column holds what is declared."""
    import polars as pl

    if kind in ("float", "integer"):
        return held.is_numeric() and (kind == "float" or held.is_integer())
    if kind == "datetime":
        return isinstance(held, pl.Datetime) or held == pl.Date
    return held == (pl.Boolean if kind == "boolean" else pl.String)


def _wanted(name: str, kind: str, table: polars.DataFrame) -> list[polars.Expr]:
    import polars as pl

    cells = pl.col(name)
    values = cells.drop_nulls()
    asked = {"missing": cells.null_count(), "distinct": values.n_unique()}
    if not fits(kind, table.schema[name]):
        return [each.alias(what) for what, each in asked.items()]
    if kind in ("string", "boolean", "integer"):
        asked["values"] = values.value_counts(sort=True, name=_ROWS).head(MOST_VALUES + 1).implode()
    if kind == "string":
        lengths = values.str.len_chars()
        masks = values.str.replace_all("[A-Z]+", "A").str.replace_all("[a-z]+", "a").str.replace_all("[0-9]+", "9")
        asked |= {"minimum": lengths.min(), "maximum": lengths.max(), "mask": masks.unique().head(2).implode()}
    elif kind == "datetime":
        asked |= {"minimum": values.min(), "maximum": values.max()}
    elif kind in ("float", "integer"):
        numbers = values.cast(pl.Float64)
        numbers = numbers.filter(numbers.is_finite())
        margin = _median_margin(table.height)
        asked |= {
            "minimum": numbers.min(), "maximum": numbers.max(), "median": numbers.median(),
            "at_minimum": (numbers == numbers.min()).sum(), "at_maximum": (numbers == numbers.max()).sum(),
            "next_minimum": (numbers == numbers.filter(numbers > numbers.min()).min()).sum(),
            "next_maximum": (numbers == numbers.filter(numbers < numbers.max()).max()).sum(),
            "low_tail": numbers.bottom_k(TAIL).sort().implode(),
            "high_tail": numbers.top_k(TAIL).sort(descending=True).implode(),
            "whole": (numbers == numbers.round()).all(),
        }
        if margin < 0.5:
            asked["low"] = numbers.quantile(0.5 - margin, interpolation="lower")
            asked["high"] = numbers.quantile(0.5 + margin, interpolation="higher")
    return [each.alias(what) for what, each in asked.items()]


def _median_margin(rows: int) -> float:
    """Half the width, in quantiles of this sample, that the median of another one of its size leaves with a chance of
    about one in two million: five standard deviations of the difference of two shares of a half."""
    return 5.0 * math.sqrt(0.25 * 2.0 / max(rows, 1))


def _figures(name: str, kind: str, table: polars.DataFrame, found: Mapping[str, Any]) -> Figures:
    own = dict(found)
    counts = {"rows": table.height, "missing": own["missing"], "distinct": own["distinct"]}
    if not fits(kind, table.schema[name]):
        return Figures(name=name, type=kind, odd=f"some cells are no {kind}", **counts)
    listed = own.pop("values", None)
    if listed is not None and len(listed) <= MOST_VALUES:
        own["values"] = sorted(((each[name], each[_ROWS]) for each in listed), key=lambda pair: str(pair[0]))
    masks = own.pop("mask", None)
    if masks is not None and len(masks) == 1:
        own["mask"] = masks[0]
    if kind == "datetime":
        own |= {side: own[side].isoformat() for side in ("minimum", "maximum") if own[side] is not None}
    own = {what: value for what, value in own.items() if value is not None} | counts
    return Figures(name=name, type=kind, **own)
