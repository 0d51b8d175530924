"""One expectation on one table: its arguments, its columns, the rows it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from mlops.validation.compiled.asks import Histogram, Rows, Scalar, Whole
from mlops.validation.compiled.columns import Column
from mlops.validation.compiled.conditions import compile_condition
from mlops.validation.compiled.results import ROWS
from mlops.validation.compiled.table import Table, present

if TYPE_CHECKING:
    import polars


class Case(msgspec.Struct, frozen=True):
    """What a rule is given.

    Attributes:
        given: The arguments by name, defaults filled in.
        where: The rows that `row_condition` selects, None for all; `place` tells equal ones.
        others: Other tables that expectations name.
        limit: How many failing rows to bring, None for all.
    """

    table: Table
    given: Mapping[str, Any]
    where: polars.Expr | None = None
    place: str = ""
    others: Mapping[str, Any] = msgspec.field(default_factory=dict)
    limit: int | None = ROWS

    @property
    def mostly(self) -> float:
        return float(self.given["mostly"])

    def column(self) -> Column:
        """The column that the expectation is about."""
        return present(self.table, [self.given["column"]])[0]

    def columns(self, names: Sequence[str]) -> list[Column]:
        return present(self.table, names)

    def within(self, expression: polars.Expr) -> polars.Expr:
        """An expression over rows, kept to those that the expectation is about."""
        return expression if self.where is None else expression.filter(self.where)

    def scalar(self, *key: Any, of: polars.Expr) -> Scalar:
        """The question for an aggregate of `of`, which names its rows itself (`within`)."""
        return Scalar((self.place, *key), of)

    def count(self, condition: polars.Expr, *key: Any) -> Scalar:
        """The question how many of its rows a condition holds for."""
        return Scalar((self.place, "count", *(key or (condition.meta.serialize(format="binary"),))),
                      self.within(condition).sum())

    def histogram(self, column: Column) -> Histogram:
        return Histogram(column.name, column.values(), self.where, (self.place, "histogram", column.name))

    def whole(self, columns: Sequence[polars.Expr], answer: Any, *key: Any, where: polars.Expr | None = None) -> Whole:
        """The question that needs the series of the columns, of the rows of the case that are `where`."""
        both = [each for each in (self.where, where) if each is not None]
        chosen = None if not both else both[0] if len(both) == 1 else both[0] & both[1]
        return Whole(tuple(columns), chosen, (self.place, *key), answer)

    def rows(self, condition: polars.Expr, columns: Sequence[polars.Expr], *, every: bool = False) -> Rows:
        """The question which of its rows a condition holds for."""
        chosen = condition if self.where is None else condition & self.where
        return Rows(chosen, tuple(columns), None if every else self.limit)


def case(
    table: Table, given: Mapping[str, Any], *, others: Mapping[str, Any] | None = None, limit: int | None = ROWS
) -> Case:
    """The case of an expectation.

    Raises:
        Declined, Raised: see `compile_condition`.
    """
    condition = given.get("row_condition")
    where = compile_condition(table, condition, given.get("condition_parser"))
    place = "" if where is None else json.dumps([condition, given.get("condition_parser")], sort_keys=True)
    return Case(table, given, where, place, others or {}, limit)
