"""Rules about texts: lengths, patterns, and what can be read from them."""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mlops.validation.compiled import patterns
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Column, Declined, Raised
from mlops.validation.compiled.rowwise import judge, unsuited

if TYPE_CHECKING:
    import polars


def written(column: Column) -> polars.Expr:
    """The values as texts, as Python writes them."""
    import polars as pl

    if column.family == "text":
        return column.values()
    if column.family == "integer" and not column.as_float:
        return column.values().cast(pl.String)
    if column.family == "boolean":
        return pl.when(column.values()).then(pl.lit("True")).when(~column.values()).then(pl.lit("False"))
    if column.family == "time":
        raise Declined("how pandas writes times depends on all of them")
    if column.dtype == pl.Float32:
        raise Declined("how pandas writes narrow floats is its own")
    return column.values().cast(pl.Float64).map_batches(_floats, return_dtype=pl.String, is_elementwise=True)


def _floats(values: polars.Series) -> polars.Series:
    import polars as pl

    return pl.Series([None if value is None else repr(value) for value in values.to_list()], dtype=pl.String)


def lengths_between(case: Case) -> Steps:
    """`value_lengths_to_be_between`."""
    import polars as pl

    low, high = case.given["min_value"], case.given["max_value"]
    if low is None and high is None:
        raise Declined("min_value and max_value are both absent")
    column = case.column()
    length = written(column).str.len_chars().cast(pl.Int64)
    parts = []
    if low is not None:
        parts.append(length <= low if case.given["strict_min"] else length < low)
    if high is not None:
        parts.append(length >= high if case.given["strict_max"] else length > high)
    return (yield from judge(case, column, pl.any_horizontal(parts)))


def length_equals(case: Case) -> Steps:
    """`value_lengths_to_equal`."""
    import polars as pl

    column = case.column()
    return (yield from judge(case, column, written(column).str.len_chars().cast(pl.Int64) != case.given["value"]))


def matches(case: Case) -> Steps:
    """`to_match_regex`: the pattern is searched for, it need not cover the text."""
    return _searched(case, [case.given["regex"]], "any", wanted=True)


def matches_list(case: Case) -> Steps:
    """`to_match_regex_list`: any or all of the patterns."""
    return _searched(case, case.given["regex_list"], case.given["match_on"], wanted=True)


def matches_not(case: Case) -> Steps:
    """`to_not_match_regex`."""
    return _searched(case, [case.given["regex"]], "any", wanted=False)


def matches_none(case: Case) -> Steps:
    """`to_not_match_regex_list`."""
    return _searched(case, case.given["regex_list"], "any", wanted=False)


def _searched(case: Case, expressions: list[str], match_on: str, *, wanted: bool) -> Steps:
    column = case.column()
    if any(map(patterns.foreign, expressions)):
        raise Declined("the pattern is not read by Python as by pandas")
    text = written(column)
    return _matched(case, column, [_search(text, each) for each in expressions], match_on, wanted=wanted)


def _search(text: polars.Expr, pattern: str) -> polars.Expr:
    import polars as pl

    try:
        return text.str.contains(patterns.to_rust(pattern))
    except patterns.Untranslatable:
        search = re.compile(pattern).search
    return _by_value(text, lambda value: search(value) is not None, pl.Boolean)


def _matched(case: Case, column: Column, found: list[polars.Expr], match_on: str, *, wanted: bool) -> Steps:
    import polars as pl

    holds = pl.all_horizontal(found) if match_on == "all" else pl.any_horizontal(found)
    return judge(case, column, ~holds if wanted else holds)


def like(case: Case) -> Steps:
    """`to_match_like_pattern`, case-sensitive as in standard SQL."""
    return _like(case, [case.given["like_pattern"]], "any", wanted=True)


def like_list(case: Case) -> Steps:
    """`to_match_like_pattern_list`."""
    return _like(case, case.given["like_pattern_list"], case.given["match_on"], wanted=True)


def like_not(case: Case) -> Steps:
    """`to_not_match_like_pattern`."""
    return _like(case, [case.given["like_pattern"]], "any", wanted=False)


def like_none(case: Case) -> Steps:
    """`to_not_match_like_pattern_list`."""
    return _like(case, case.given["like_pattern_list"], "any", wanted=False)


def _like(case: Case, listed: list[str], match_on: str, *, wanted: bool) -> Steps:
    column = case.column()
    try:
        expressions = [patterns.like(each, case.given["escape"]) for each in listed]
    except ValueError as error:
        raise Raised(str(error)) from None
    text = written(column)
    return _matched(case, column, [text.str.contains(each) for each in expressions], match_on, wanted=wanted)


def _by_value(text: polars.Expr, function: Callable[[Any], Any], dtype: Any) -> polars.Expr:
    """A function of one value over a column, null where there is none."""
    import polars as pl

    def batch(values: polars.Series) -> polars.Series:
        return pl.Series([None if value is None else function(value) for value in values.to_list()], dtype=dtype)

    return text.map_batches(batch, return_dtype=dtype, is_elementwise=True)


def json_parseable(case: Case) -> Steps:
    """`to_be_json_parseable`; what is no text is no JSON."""
    import polars as pl

    column = case.column()
    if column.family != "text":
        return (yield from judge(case, column, pl.when(column.values().is_not_null()).then(True)))
    return (yield from judge(case, column, _by_value(column.values(), lambda value: not _is_json(value), pl.Boolean)))


def _is_json(value: str) -> bool:
    try:
        json.loads(value)
    except (ValueError, RecursionError):
        return False
    return True


def dateutil_parseable(case: Case) -> Steps:
    """`to_be_dateutil_parseable`, by dateutil itself."""
    from dateutil.parser import parse

    def unreadable(value: str) -> bool:
        try:
            parse(value)
        except (ValueError, OverflowError):
            return True
        return False

    return _read(
        case, unreadable, "Values passed to expect_column_values_to_be_dateutil_parseable must be of type string.")


def strftime(case: Case) -> Steps:
    """`to_match_strftime_format`, by Python's `strptime`."""
    form = case.given["strftime_format"]
    now = datetime.datetime.now(datetime.UTC)
    try:
        datetime.datetime.strptime(now.strftime(form), form)
    except ValueError:
        raise Declined("the format cannot be used") from None

    def unreadable(value: str) -> bool:
        try:
            datetime.datetime.strptime(value, form)
        except ValueError:
            return True
        return False

    return _read(
        case, unreadable, "Values passed to expect_column_values_to_match_strftime_format must be of type string.")


def json_schema(case: Case) -> Steps:
    """`to_match_json_schema`, by jsonschema; a text that is no JSON is an error, not a failure."""
    import jsonschema

    schema = case.given["json_schema"]
    jsonschema.validators.validator_for(schema).check_schema(schema)
    valid = jsonschema.validators.validator_for(schema)(schema).is_valid
    return _read(case, lambda value: not valid(json.loads(value)), "the JSON object must be str, bytes or bytearray")


def _read(case: Case, unreadable: Callable[[str], bool], no_text: str) -> Steps:
    """Steps of a rule that reads texts; an exception of the reader is the expectation's."""
    import polars as pl

    column = case.column()
    if column.family != "text":
        return (yield from unsuited(case, column, no_text))
    raised: list[Exception] = []

    def guarded(value: str) -> bool:
        try:
            return unreadable(value)
        except Exception as error:  # whatever the reader raises, Great Expectations hands on
            raised.append(error)
            return True

    result = yield from judge(case, column, _by_value(column.values(), guarded, pl.Boolean))
    if raised:
        raise Raised(str(raised[0]))
    return result
