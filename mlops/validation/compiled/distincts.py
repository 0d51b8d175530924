"""Rules about the set of a column's values: what must, may, must not be among them, and which is the most common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mlops.validation.compiled import sets
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined
from mlops.validation.compiled.results import EXAMPLES

if TYPE_CHECKING:
    import polars

SHOWN = 1000
"""How many most common values a result lists at most."""


def inside(case: Case) -> Steps:
    """`distinct_values_to_be_in_set`."""
    unexpected, _ = yield from _compare(case)
    return {"success": unexpected["unexpected_count"] == 0, "result": {"observed_value": None, **unexpected}}


def contain(case: Case) -> Steps:
    """`distinct_values_to_contain_set`."""
    _, missing = yield from _compare(case)
    return {"success": missing["missing_count"] == 0, "result": {"observed_value": None, **missing}}


def equal(case: Case) -> Steps:
    """`distinct_values_to_equal_set`."""
    unexpected, missing = yield from _compare(case)
    return {
        "success": not unexpected["unexpected_count"] and not missing["missing_count"],
        "result": {
            "observed_value": None, "unexpected_count": unexpected["unexpected_count"],
            "missing_count": missing["missing_count"], "partial_unexpected_list": unexpected["partial_unexpected_list"],
            "partial_missing_list": missing["partial_missing_list"],
        },
    }


def _compare(case: Case) -> Any:
    """What is in the column and not in the set, and the other way round."""
    column = case.column()
    listed = list(case.given["value_set"])
    (histogram,) = yield [case.histogram(column)]
    if column.family == "time":
        listed = _moments(listed) if histogram.height else listed
    known = sets.comparable(column, listed)
    names = histogram.select(column.name)
    mask = histogram.select(sets.member(column, known).alias("in"))["in"]
    strange = names.filter(~mask)[column.name].sort()
    there = set(histogram.filter(mask)[column.name].to_list())
    missing = [value for value in dict.fromkeys(listed) if not _hit(column, value, there)]
    return (
        {"unexpected_count": len(strange),
         "partial_unexpected_list": [column.shown(value) for value in strange.head(EXAMPLES).to_list()]},
        {"missing_count": len(missing), "partial_missing_list": missing[:EXAMPLES]},
    )


def _hit(column: Column, value: Any, there: set[Any]) -> bool:
    if value is None or isinstance(value, str) != (column.family == "text"):
        return False
    return value in there


def _moments(listed: list[Any]) -> list[Any]:
    """The set's texts as times, where they are; a text that Polars and pandas might read differently is declined."""
    if any(not isinstance(item, str) for item in listed):
        raise Declined("a set for times holds something else than texts")
    read = [sets.moment(item) for item in listed]
    if any(item is None for item in read):
        raise Declined("the set holds texts that are no ISO times")
    return read


def most_common(case: Case) -> Steps:
    """`most_common_value_to_be_in_set`: one winner that is in the set, or with `ties_okay` any of them."""
    column = case.column()
    (histogram,) = yield [case.histogram(column)]
    winners: list[Any] = []
    if histogram.height:
        top = _top(histogram)[column.name].sort()
        if len(top) > SHOWN:
            raise Declined("too many values are equally common")
        winners = top.to_list()
    known = set(case.given["value_set"])
    if column.family == "time":
        known = set()  # a time equals no number and no text
    hits = len(known.intersection(winners))
    success = hits > 0 if case.given["ties_okay"] else len(winners) == 1 and hits == 1
    return {"success": success, "result": {"observed_value": [column.shown(value) for value in winners]}}


def _top(histogram: polars.DataFrame) -> polars.DataFrame:
    import polars as pl

    return histogram.filter(pl.col("count") == pl.col("count").max())
