"""What an expectation's steps may ask of the table, and what its steps are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import polars


class Scalar(msgspec.Struct, frozen=True):
    """One value over the rows; all scalars of a round are answered by one scan.

    Attributes:
        key: Tells equal questions, which are asked once.
        expression: An aggregate that gives one value.
    """

    key: Hashable
    expression: polars.Expr


class Histogram(msgspec.Struct, frozen=True):
    """Each value of a column that is not missing, with how many rows have it: a frame of the column and `count`."""

    column: str
    values: polars.Expr
    where: polars.Expr | None
    key: Hashable


class Whole(msgspec.Struct, frozen=True):
    """Something that needs a column's rows together, such as a quantile. Columns are taken one at a time.

    Attributes:
        columns: Expressions with names, one series each.
        answer: Is given their series, in the order of the rows.
        key: Tells equal series (not equal answers).
    """

    columns: tuple[polars.Expr, ...]
    where: polars.Expr | None
    key: Hashable
    answer: Callable[[Sequence[polars.Series]], Any]


class Rows(msgspec.Struct, frozen=True):
    """The first `limit` rows (None: all) that a condition holds for, as a frame of `__row` (from 0) and columns."""

    condition: polars.Expr
    columns: tuple[polars.Expr, ...]
    limit: int | None


Ask = Scalar | Histogram | Whole | Rows
Result = dict[str, Any]
Steps = Generator[list[Ask], list[Any], Result]
"""Asks in rounds, is sent the answers, and returns `{"success", "result"}`."""
