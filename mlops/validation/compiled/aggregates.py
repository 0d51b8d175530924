"""Rules about one figure of a column: its least value, its mean, how many of its values are distinct."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled import results
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised, stamp
from mlops.validation.compiled.rowwise import bounds, counted, domain
from mlops.validation.compiled.values import repeats

if TYPE_CHECKING:
    import polars


def _between(case: Case, observed: Any, shown: Any = None) -> dict[str, Any]:
    given = case.given
    return results.between(
        observed, low=given["min_value"], high=given["max_value"], strict_low=given["strict_min"],
        strict_high=given["strict_max"], shown=shown,
    )


def least(case: Case) -> Steps:
    """`min_to_be_between`."""
    return _extreme(case, 0)


def greatest(case: Case) -> Steps:
    """`max_to_be_between`."""
    return _extreme(case, 1)


def _extreme(case: Case, which: int) -> Steps:
    column = case.column()
    low, high, _ = yield from bounds(case, column, [])
    observed = (low, high)[which]
    limits = [limit for limit in (case.given["min_value"], case.given["max_value"]) if limit is not None]
    if observed is None and not (column.family == "time" and any(isinstance(limit, float) for limit in limits)):
        return _between(case, None)
    if column.family == "text" and limits:
        if any(isinstance(limit, datetime.date) for limit in limits):
            raise Declined("a text is compared with a time")
        raise Raised("'>=' not supported between instances of 'str' and 'float'")
    if column.family == "time":
        return _moment(case, observed, limits)
    if any(isinstance(limit, datetime.date) for limit in limits):
        raise Raised('Could not parse "metric_value" of a number into datetime representation.')
    return _between(case, observed, column.shown(observed))


def _moment(case: Case, observed: Any, limits: list[Any]) -> dict[str, Any]:
    """A time against times; a date alone counts as its midnight."""
    if not all(isinstance(limit, datetime.date) for limit in limits):
        raise Raised("'>=' not supported between instances of 'Timestamp' and 'float'")
    given = case.given
    return results.between(
        _full(observed), low=_full(given["min_value"]), high=_full(given["max_value"]),
        strict_low=given["strict_min"], strict_high=given["strict_max"], shown=stamp(observed),
    )


def _full(value: Any) -> Any:
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    return value


def _numeric(case: Case) -> Column:
    """The column, if sums can be made of it.

    Raises:
        Raised: it holds texts.
        Declined: it holds times; a bound is one.
    """
    column = case.column()
    if column.family == "text" and column.missing < column.rows:
        if case.where is not None:
            raise Declined("figures of texts in some rows are not compiled")
        raise Raised("Could not convert the values to numeric")
    if column.family == "time":
        raise Declined("figures of times are not compiled")
    if any(isinstance(case.given[name], datetime.date) for name in ("min_value", "max_value")):
        raise Declined("a figure is compared with a time")
    return column


def _none(case: Case, column: Column) -> bool:
    return column.family == "text" or column.missing == column.rows


def mean(case: Case) -> Steps:
    """`mean_to_be_between`."""
    import polars as pl

    column = _numeric(case)
    if _none(case, column):
        return _between(case, None)
    (observed,) = yield [case.scalar("mean", column.name, of=case.within(column.numbers()).cast(pl.Float64).mean())]
    return _between(case, observed)


def deviation(case: Case) -> Steps:
    """`stdev_to_be_between`: of a sample; one value has none."""
    import polars as pl

    column = _numeric(case)
    if _none(case, column):
        return _between(case, None)
    (observed,) = yield [case.scalar("stdev", column.name, of=case.within(column.numbers()).cast(pl.Float64).std())]
    return _between(case, observed)


def total(case: Case) -> Steps:
    """`sum_to_be_between`: of no values it is 0."""
    column = _numeric(case)
    if _none(case, column):
        return _between(case, 0.0 if column.pandas.startswith("float") else 0)
    (observed,) = yield [case.scalar("sum", column.name, of=case.within(column.numbers()).sum())]
    observed = 0 if observed is None else observed
    return _between(case, observed, None if observed != observed else column.shown(observed))


def median(case: Case) -> Steps:
    """`median_to_be_between`."""
    column = _numeric(case)
    if _none(case, column):
        return _between(case, None)
    (observed,) = yield [case.whole([column.numbers().alias("numbers")], _median, "numbers", column.name)]
    return _between(case, observed)


def _median(series: Sequence[polars.Series]) -> Any:
    return series[0].median()


def present_share(case: Case) -> Steps:
    """`proportion_of_non_null_values_to_be_between`: of no rows it is 0."""
    column = case.column()
    asks = domain(case, column)
    rows, considered = counted(case, column, (yield asks) if asks else [])
    return _between(case, considered / rows if rows else 0)


def distinct_count(case: Case) -> Steps:
    """`unique_value_count_to_be_between`: how many distinct values there are."""
    column = case.column()
    count, _ = yield from _distinct(case, column)
    return _between(case, count)


def distinct_share(case: Case) -> Steps:
    """`proportion_of_unique_values_to_be_between`: distinct values by values; of none it is 0."""
    column = case.column()
    count, considered = yield from _distinct(case, column)
    return _between(case, count / considered if considered else 0)


def _distinct(case: Case, column: Column) -> Any:
    """How many distinct values, and how many values. A column without repeats (see `unique`) has as many as values."""
    asks = domain(case, column)
    if case.table.few(column.name):
        histogram, *answers = yield [case.histogram(column), *asks]
        return histogram.height, counted(case, column, answers)[1]
    hashes, *answers = yield [repeats(case, column), *asks]
    considered = counted(case, column, answers)[1]
    if hashes is None:
        return considered, considered
    (count,) = yield [case.whole([column.values().alias("values")], _count, "values", column.name,
                                 where=column.values().is_not_null())]
    return count, considered


def _count(series: Sequence[polars.Series]) -> int:
    return series[0].n_unique()
