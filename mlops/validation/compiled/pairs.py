"""Rules about two or more columns of a row."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled import sets
from mlops.validation.compiled.asks import Ask, Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.rowwise import told
from mlops.validation.compiled.values import among, repeated

if TYPE_CHECKING:
    import polars

MANY = 20
"""More columns than this are not compared each with each."""


def pair_equal(case: Case) -> Steps:
    """`pair_values_to_be_equal`: a missing value equals nothing, not even another."""
    first, second = _pair(case)
    return _judge(case, [first, second], ~_equal(first, second).fill_null(False), _kept(case, [first, second]), list)


def pair_greater(case: Case) -> Steps:
    """`pair_values_a_to_be_greater_than_b`."""
    first, second = _pair(case)
    if first.family != second.family and not (first.numeric and second.numeric):
        if first.missing or second.missing or case.where is not None:
            raise Declined("columns of different kinds are compared where both have values only")
        raise Raised(f"'>=' not supported between instances of '{first.scalar}' and '{second.scalar}'")
    if any(column.family == "boolean" and column.missing for column in (first, second)):
        raise Declined("truths beside missing values are objects to pandas, which compares them one by one")
    a, b = _comparable(first, second)
    holds = a >= b if case.given["or_equal"] else a > b
    return _judge(case, [first, second], ~holds.fill_null(False), _kept(case, [first, second]), list)


def pair_in_set(case: Case) -> Steps:
    """`pair_values_to_be_in_set`: None in a pair stands for a missing value."""
    first, second = _pair(case)
    by_first: dict[Any, list[Any]] = {}
    for a, b in case.given["value_pairs_set"]:
        by_first.setdefault(a, []).append(b)
    if len(by_first) > 1000:
        raise Declined("there are more than 1000 first values")
    found = [_is(first, [a]) & _is(second, several) for a, several in by_first.items()]
    holds = reduce(or_, found) if found else _never(first)
    return _judge(case, [first, second], ~holds, _kept(case, [first, second]), list)


def _is(column: Column, values: list[Any]) -> polars.Expr:
    holds = sets.member(column, sets.comparable(column, [value for value in values if value is not None]))
    missing = column.values().is_null()
    return holds.fill_null(False) | missing if None in values else holds.fill_null(False)


def _pair(case: Case) -> tuple[Column, Column]:
    if case.given["column_A"] == case.given["column_B"]:
        raise Declined("both columns are the same")
    first, second = case.columns([case.given["column_A"], case.given["column_B"]])
    return first, second


def sum_equals(case: Case) -> Steps:
    """`multicolumn_sum_to_equal`: a row with a missing value has no sum."""
    columns = _several(case)
    if any(column.family in ("text", "time") for column in columns):
        raise Declined("sums of texts and times are not compiled")
    numbers = [column.numbers() for column in columns]
    holds = reduce(lambda left, right: left + right, numbers) == case.given["sum_total"]
    return _judge(case, columns, ~holds.fill_null(False), _kept(case, columns), _record(columns))


def all_equal(case: Case) -> Steps:
    """`multicolumn_values_to_be_equal`: missing values equal each other."""
    columns = _several(case)
    first = columns[0]
    holds = [_same(first, column) for column in columns[1:]]
    return _judge(case, columns, ~reduce(and_, holds), _kept(case, columns), _record(columns))


def unique_within(case: Case) -> Steps:
    """`select_column_values_to_be_unique_within_record`: missing values equal each other."""
    columns = _several(case)
    if len(columns) > MANY:
        raise Declined(f"more than {MANY} columns are not compared each with each")
    if len({column.family for column in columns if column.family == "time"}) and any(
        column.family != "time" for column in columns
    ):
        raise Declined("times beside other values are not compiled")
    if len({column.family == "boolean" for column in columns if column.missing}) > 1:
        raise Declined("missing truths beside other missing values are not compiled")  # None and NaN, to pandas
    repeats = [_same(one, other) for one, other in itertools.combinations(columns, 2)]
    return _judge(case, columns, reduce(or_, repeats), _kept(case, columns), _record(columns))


def compound_unique(case: Case) -> Steps:
    """`compound_columns_to_be_unique`: all rows of a combination that stands more than once break it."""
    import polars as pl

    columns = _several(case)
    kept = _kept(case, columns)
    asks = _domain(case, kept)
    parts = [column.values().hash(11 + number) * (2 * number + 1) for number, column in enumerate(columns)]
    key = reduce(lambda left, right: left.xor(right), parts)
    names = [column.name for column in columns]
    hashes, *answers = yield [case.whole([key.alias("key")], repeated, "keys", *names, _tag(case), where=kept), *asks]
    rows, considered = _counts(case, kept, answers)
    if hashes is None:
        return (yield from told(case, columns, pl.lit(False), rows, considered, 0, shape=_record(columns)))
    same = key.is_in(hashes.implode()) if kept is None else key.is_in(hashes.implode()) & kept
    (suspects,) = yield [case.rows(same, [column.values() for column in columns], every=True)]
    found = suspects.filter(pl.struct(names).is_duplicated())
    return (yield from told(
        case, columns, among(found["__row"]), rows, considered, found.height, shape=_record(columns)))


def _several(case: Case) -> list[Column]:
    names = case.given["column_list"]
    if len(set(names)) < len(names):
        raise Declined("a column is listed twice")
    return case.columns(names)


def _record(columns: Sequence[Column]) -> Any:
    names = [column.name for column in columns]
    return lambda values: dict(zip(names, values, strict=True))


def _tag(case: Case) -> str:
    return str(case.given["ignore_row_if"])


def _kept(case: Case, columns: Sequence[Column]) -> polars.Expr | None:
    """The rows that are judged, None for all."""
    import polars as pl

    rule = _tag(case)
    if rule in ("neither", "never") or not any(column.missing for column in columns):
        return None
    there = [column.values().is_not_null() for column in columns]
    both = rule in ("both_values_are_missing", "all_values_are_missing")
    return pl.any_horizontal(there) if both else pl.all_horizontal(there)


def _domain(case: Case, kept: polars.Expr | None) -> list[Ask]:
    asks: list[Ask] = []
    if case.where is not None:
        asks.append(case.count(case.where, "rows"))
    if kept is not None:
        asks.append(case.count(kept))
    return asks


def _counts(case: Case, kept: polars.Expr | None, answers: list[Any]) -> tuple[int, int]:
    left = list(answers)
    rows = case.table.height if case.where is None else left.pop(0) or 0
    return rows, rows if kept is None else left.pop(0) or 0


def _judge(case: Case, columns: list[Column], bad: polars.Expr, kept: polars.Expr | None, shape: Any) -> Steps:
    wrong = bad if kept is None else bad & kept
    unexpected, *answers = yield [case.count(wrong), *_domain(case, kept)]
    rows, considered = _counts(case, kept, answers)
    return (yield from told(case, columns, wrong, rows, considered, unexpected or 0, shape=shape))


def _comparable(first: Column, second: Column) -> tuple[polars.Expr, polars.Expr]:
    if first.numeric and second.numeric and "float" in (first.family, second.family):
        return first.numbers(), second.numbers()
    if first.family == second.family and first.family != "boolean":
        return first.values(), second.values()
    return first.numbers(), second.numbers()


def _equal(first: Column, second: Column) -> polars.Expr:
    """Whether two values are equal; null where one is missing."""
    if {first.family, second.family} == {"text", "time"}:
        raise Declined("pandas reads texts as times where it compares them")
    if first.family != second.family and not (first.numeric and second.numeric):
        return _never(first)
    a, b = _comparable(first, second)
    return a == b


def _never(column: Column) -> polars.Expr:
    """False for each row (a bare literal would be one value, not one a row)."""
    return column.values().is_null() & False


def _same(first: Column, second: Column) -> polars.Expr:
    both = first.values().is_null() & second.values().is_null()
    return _equal(first, second).fill_null(False) | both
