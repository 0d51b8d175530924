"""Rules about the single values of a column: missing, within bounds, in a set, of a type, unique, in order."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled import sets
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.rowwise import bounds, counted, domain, judge, told, unsuited

if TYPE_CHECKING:
    import polars


def null(case: Case) -> Steps:
    """`to_be_null`: the rows that have a value break it."""
    return _nullness(case, wanted=True)


def not_null(case: Case) -> Steps:
    """`to_not_be_null`: the rows that have none break it."""
    return _nullness(case, wanted=False)


def _nullness(case: Case, *, wanted: bool) -> Steps:
    column = case.column()
    asks = domain(case, column)
    rows, considered = counted(case, column, (yield asks) if asks else [])
    bad = column.values().is_not_null() if wanted else column.values().is_null()
    unexpected = considered if wanted else rows - considered
    return (yield from told(case, [column], bad, rows, considered, unexpected, nullness=True))


def between(case: Case) -> Steps:
    """`to_be_between` for numbers, truths and times. A date alone counts as its midnight."""
    column = case.column()
    low, high = case.given["min_value"], case.given["max_value"]
    if low is None and high is None:
        raise Declined("min_value and max_value are both absent")
    dates = isinstance(low, datetime.date), isinstance(high, datetime.date)
    if low is not None and high is not None:
        if dates[0] != dates[1]:
            raise Declined("min_value and max_value are of different kinds")
        low, high = (_midnight(low), _midnight(high)) if dates[0] else (low, high)
        if low > high:
            raise Raised("min_value cannot be greater than max_value")
    if column.family == "text":
        return (yield from unsuited(
            case, column, "Column values, min_value, and max_value must either be None or of the same type."))
    if any(dates) != (column.family == "time"):
        return (yield from unsuited(case, column, f"'>=' not supported between instances of '{column.scalar}' and "
                                    f"'{type(low if low is not None else high).__name__}'"))
    strict_low, strict_high = case.given["strict_min"], case.given["strict_max"]
    values = column.numbers() if column.numeric else column.values()
    if column.numeric and column.family != "boolean":
        values = column.values()  # narrow floats are compared in their own precision, as pandas does
    bad = _outside(values, _midnight(low), _midnight(high), strict_low, strict_high)

    def sound(least: Any, most: Any) -> bool:
        low_, high_ = _midnight(low), _midnight(high)
        return (low_ is None or (least > low_ if strict_low else least >= low_)) and (
            high_ is None or (most < high_ if strict_high else most <= high_))

    if column.family in ("boolean", "time") or str(column.dtype) == "Float32":
        return (yield from judge(case, column, bad))
    return (yield from judge(case, column, bad, sound=sound))


def _midnight(value: Any) -> Any:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    return value


def _outside(values: polars.Expr, low: Any, high: Any, strict_low: bool, strict_high: bool) -> polars.Expr:
    import polars as pl

    parts = []
    if low is not None:
        parts.append(values <= low if strict_low else values < low)
    if high is not None:
        parts.append(values >= high if strict_high else values > high)
    return pl.any_horizontal(parts) if parts else values.is_null() & False


def in_set(case: Case) -> Steps:
    """`to_be_in_set`."""
    column = case.column()
    bad = ~sets.member(column, sets.comparable(column, case.given["value_set"]))
    return (yield from judge(case, column, bad))


def not_in_set(case: Case) -> Steps:
    """`to_not_be_in_set`; for a column of times the set's texts are read as times."""
    column = case.column()
    listed = case.given["value_set"]
    if column.family == "time":
        if any(isinstance(item, str) and sets.moment(item) is None for item in listed):
            raise Declined("the set holds texts that are no ISO times")
        listed = [sets.moment(item) if isinstance(item, str) else item for item in listed]
    return (yield from judge(case, column, sets.member(column, sets.comparable(column, listed))))


def unique(case: Case) -> Steps:
    """`to_be_unique`: all rows of a value that stands more than once break it."""
    import polars as pl

    column = case.column()
    asks = domain(case, column)
    if column.family in ("text", "boolean") and case.table.few(column.name):
        histogram, *answers = yield [case.histogram(column), *asks]
        rows, considered = counted(case, column, answers)
        twice = histogram.filter(pl.col("count") > 1)
        repeated, unexpected = twice[column.name], int(twice["count"].sum())
        bad = column.values().is_in(repeated.implode())
        return (yield from told(case, [column], bad, rows, considered, unexpected))
    hashes, *answers = yield [repeats(case, column), *asks]
    rows, considered = counted(case, column, answers)
    if hashes is None:
        return (yield from told(case, [column], pl.lit(False), rows, considered, 0))
    same = key(column).is_in(hashes.implode())
    (suspects,) = yield [case.rows(same, [column.values()], every=True)]
    found = suspects.filter(pl.col(column.name).is_duplicated())
    return (yield from told(case, [column], among(found["__row"]), rows, considered, found.height))


def key(column: Column) -> polars.Expr:
    """What equal values have in common, in 64 bits: the number itself, or a hash."""
    import polars as pl

    if column.family == "integer":
        return column.values().cast(pl.Int64)
    if column.family == "time":
        return column.values().to_physical().cast(pl.Int64)
    return column.values().hash(11)


def repeats(case: Case, column: Column) -> Any:
    """The question for the keys (`key`) that stand more than once, None for none."""
    present = column.values().is_not_null()
    return case.whole([key(column).alias("key")], repeated, "key", column.name, where=present)


def repeated(series: Sequence[polars.Series]) -> polars.Series | None:
    """The values that stand more than once; ascending values are seen to be unique without sorting them."""
    (keys,) = series
    if len(keys) < 2 or bool((keys.slice(1) > keys.slice(0, len(keys) - 1)).all()):
        return None
    ordered = keys.sort()
    same = ordered.slice(1) == ordered.slice(0, len(ordered) - 1)
    return ordered.slice(1).filter(same).unique() if same.any() else None


def among(rows: polars.Series) -> polars.Expr:
    """A condition that holds for these rows (`__row`)."""
    import polars as pl

    return pl.col("__row").is_in(rows.implode())


def increasing(case: Case) -> Steps:
    """`to_be_increasing`: a value below the one before it breaks it (`strictly`: or equal to it)."""
    return _ordered(case, 1)


def decreasing(case: Case) -> Steps:
    """`to_be_decreasing`."""
    return _ordered(case, -1)


def _ordered(case: Case, sign: int) -> Steps:
    import polars as pl

    column = case.column()
    if column.family in ("text", "boolean") and column.missing < column.rows:
        raise Declined(f"the order of {column.family}s is not compiled")
    asks = domain(case, column)
    values = column.values()
    if column.family == "time":
        values = values.to_physical().cast(pl.Int64)
    elif column.family == "integer":
        values = values.cast(pl.Int64)
    strictly = bool(case.given["strictly"])

    def broken(series: Sequence[polars.Series]) -> polars.Series:
        step = series[0].diff()
        if sign < 0:
            step = -step
        wrong = step <= 0 if strictly else step < 0
        if step.dtype.is_float():
            wrong = wrong & step.is_not_nan()
        return wrong.fill_null(False)

    if column.family in ("text", "boolean"):  # without a single value
        rows, considered = counted(case, column, (yield asks) if asks else [])
        return (yield from told(case, [column], pl.lit(False), rows, considered, 0))
    only = values.is_not_null()
    wrong, *answers = yield [
        case.whole(
            [values.alias("values")], lambda series: int(broken(series).sum()), "order", column.name, where=only),
        *asks,
    ]
    rows, considered = counted(case, column, answers)
    if not wrong:
        return (yield from told(case, [column], pl.lit(False), rows, considered, 0))
    (numbered,) = yield [case.rows(only, [values.alias(column.name)], every=True)]
    places = numbered["__row"].filter(broken([numbered[column.name]]))
    return (yield from told(case, [column], among(places), rows, considered, wrong))


__all__ = ["between", "bounds", "decreasing", "in_set", "increasing", "not_in_set", "not_null", "null", "unique"]
