"""Rules about how a column's values are spread: quantiles, z-scores, outliers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.rowwise import counted, domain, judge, told, unsuited

if TYPE_CHECKING:
    import polars

NO_NUMBERS = "Could not convert the values to numeric"


def quantiles(case: Case) -> Steps:
    """`quantile_values_to_be_between`: a bound is met within a relative 1e-4, as in Great Expectations."""
    column = case.column()
    if column.family == "text" and column.missing < column.rows:
        if case.where is not None:
            raise Declined("quantiles of texts in some rows are not compiled")
        raise Raised("could not convert string to float")
    if column.family not in ("integer", "float", "text"):
        raise Declined(f"quantiles of {column.family}s are not compiled")
    ranges, way = case.given["quantile_ranges"], case.given["allow_relative_error"] or "nearest"
    wanted = [float(quantile) for quantile in ranges["quantiles"]]
    found: list[Any] = [None] * len(wanted)
    if column.missing < column.rows:
        (found,) = yield [case.whole(
            [column.numbers().alias("numbers")], lambda series: [_quantile(series[0], each, way) for each in wanted],
            "numbers", column.name,
        )]
    held = [_within(value, low, high) for value, (low, high) in zip(found, ranges["value_ranges"], strict=True)]
    shown = [value if value is None or isinstance(value, float) else column.shown(value) for value in found]
    return {"success": all(held), "result": {
        "observed_value": {"quantiles": ranges["quantiles"], "values": shown},
        "details": {"success_details": held},
    }}


def _quantile(series: polars.Series, quantile: float, way: str) -> Any:
    """NumPy's quantile: at (n - 1) * q in the order, a half going to the even place for `nearest`."""
    there = series.drop_nulls()
    if not len(there):
        return None
    place = (len(there) - 1) * (quantile * 100 / 100)
    low, high = math.floor(place), math.ceil(place)
    part = place - low
    if way == "nearest":
        return _at(there, round(place))
    if way in ("lower", "higher"):
        return _at(there, low if way == "lower" else high)
    before, after = float(_at(there, low)), float(_at(there, high))
    if way == "midpoint":
        part = 0.5 if low != high else 0.0
    step = after - before
    return after - step * (1 - part) if part >= 0.5 else before + step * part


def _at(series: polars.Series, place: int) -> Any:
    """The value at a place of the ascending order."""
    last = len(series) - 1
    if last == 0:
        return series[0]
    return type(series[0])(series.quantile(place / last, "nearest"))


def _within(value: Any, low: Any, high: Any) -> bool:
    if value is None or value != value:
        return False
    least, most = -math.inf if low is None else low, math.inf if high is None else high
    return _close(value, least) or _close(value, most) or least <= value <= most


def _close(value: float, bound: float) -> bool:
    if not (math.isfinite(value) and math.isfinite(bound)):
        return value == bound
    return abs(value - bound) <= 1e-8 + 1e-4 * abs(bound)


def z_scores(case: Case) -> Steps:
    """`value_z_scores_to_be_less_than`: standard deviations away from the mean; without a spread nothing is."""
    column = _numbers(case)
    if column.family == "text":
        return (yield from unsuited(case, column, NO_NUMBERS))
    if column.missing == column.rows:
        return (yield from _nothing(case, column))
    numbers = column.numbers()
    mean, spread = yield [
        case.scalar("mean", column.name, of=case.within(numbers).mean()),
        case.scalar("stdev", column.name, of=case.within(numbers).std()),
    ]
    if not _finite(mean) or not _finite(spread) or spread == 0:
        return (yield from _nothing(case, column))
    score, threshold = (numbers - mean) / spread, case.given["threshold"]
    bad = score.abs() >= abs(threshold) if case.given["double_sided"] else score >= threshold
    return (yield from judge(case, column, bad))


def outliers(case: Case) -> Steps:
    """`to_not_be_outliers`: beyond the quartiles by a multiple of their distance, or of the standard deviation."""
    column = _numbers(case)
    if column.family == "text":
        return (yield from unsuited(case, column, NO_NUMBERS))
    if column.missing == column.rows:
        return (yield from _nothing(case, column))
    numbers, multiplier = column.numbers(), case.given["multiplier"]
    if case.given["method"] == "iqr":
        (quartiles,) = yield [case.whole(
            [numbers.alias("numbers")],
            lambda series: [_quantile(series[0], each, "linear") for each in (0.25, 0.75)], "numbers", column.name,
        )]
        low, high = quartiles
        if not _finite(low) or not _finite(high):
            return (yield from _nothing(case, column))
        reach = multiplier * (high - low)
        return (yield from judge(case, column, ~((numbers >= low - reach) & (numbers <= high + reach))))
    mean, spread = yield [
        case.scalar("mean", column.name, of=case.within(numbers).mean()),
        case.scalar("stdev", column.name, of=case.within(numbers).std()),
    ]
    if not _finite(mean) or not _finite(spread):
        return (yield from _nothing(case, column))
    reach = multiplier * spread
    bad = (numbers - mean).abs() >= reach if reach > 0 else numbers != mean
    return (yield from judge(case, column, bad))


def _numbers(case: Case) -> Column:
    column = case.column()
    if column.family not in ("integer", "float", "text"):
        raise Declined(f"the spread of {column.family}s is not compiled")
    return column


def _finite(value: Any) -> bool:
    return value is not None and math.isfinite(value)


def _nothing(case: Case, column: Column) -> Steps:
    """The result of a rule that no value can break."""
    import polars as pl

    asks = domain(case, column)
    rows, considered = counted(case, column, (yield asks) if asks else [])
    return (yield from told(case, [column], pl.lit(False), rows, considered, 0))


__all__: Sequence[str] = ["outliers", "quantiles", "z_scores"]
