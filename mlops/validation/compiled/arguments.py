"""What arguments each expectation takes, as far as the engine reads them itself.

Only what Great Expectations certainly accepts passes here. Anything else (an unknown type or argument, another form
of a value) is left to Great Expectations, which refuses it with its own words or knows what it means.
"""

from __future__ import annotations

import datetime
import math
import re
from collections.abc import Callable
from typing import Any

from mlops.validation.compiled.columns import Declined

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_REQUIRED = object()


def _text(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    raise ValueError


def _share(value: Any) -> float:
    if 0 <= _number(value) <= 1:
        return float(value)
    raise ValueError


def _positive(value: Any) -> float:
    if _number(value) > 0:
        return float(value)
    raise ValueError


def _whole(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError


def _limit(value: Any) -> Any:
    """A bound: a number, a date or a time; a date alone stays a date."""
    if not isinstance(value, str):
        return _number(value)
    if _DATE.fullmatch(value):
        return datetime.date.fromisoformat(value)
    if _TIME.fullmatch(value):
        return datetime.datetime.fromisoformat(value)
    raise ValueError


def _truth(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError


def _maybe(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else kind(value)


def _list(kind: Callable[[Any], Any], least: int = 0) -> Callable[[Any], Any]:
    def check(value: Any) -> list[Any]:
        if not isinstance(value, list) or len(value) < least:
            raise ValueError
        return [kind(item) for item in value]

    return check


def _scalar(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    raise ValueError


def _pair(value: Any) -> Any:
    if isinstance(value, list) and len(value) == 2:
        return (_scalar(value[0]), _scalar(value[1]))
    raise ValueError


def _object(value: Any) -> Any:
    if isinstance(value, dict) and "$PARAMETER" not in value:
        return value
    raise ValueError


def _one_of(*choices: str) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if value in choices:
            return value
        raise ValueError

    return check


def _quantiles(value: Any) -> Any:
    ranges = _object(value)
    if set(ranges) != {"quantiles", "value_ranges"}:
        raise ValueError
    quantiles = _list(_share)(ranges["quantiles"])
    values = _list(_list(_maybe(_number), 2))(ranges["value_ranges"])
    if len(quantiles) != len(values) or not quantiles:
        raise ValueError
    for pair in values:
        if len(pair) != 2 or (None not in pair and pair[0] > pair[1]):
            raise ValueError
    return {"quantiles": ranges["quantiles"], "value_ranges": values}


Fields = dict[str, tuple[Callable[[Any], Any], Any]]
_BETWEEN: Fields = {
    "min_value": (_maybe(_limit), None), "max_value": (_maybe(_limit), None),
    "strict_min": (_truth, False), "strict_max": (_truth, False),
}
_SHARES: Fields = {**_BETWEEN, "min_value": (_maybe(_number), None), "max_value": (_maybe(_number), None)}
_COUNTS: Fields = {**_BETWEEN, "min_value": (_maybe(_whole), None), "max_value": (_maybe(_whole), None)}
_SOME: Fields = {"mostly": (_share, 1.0)}
_COLUMN: Fields = {"column": (_text, _REQUIRED)}
_ROWS: Fields = {**_COLUMN, **_SOME}
_SET: Fields = {"value_set": (_list(_scalar), _REQUIRED)}
_SOME_SET: Fields = {"value_set": (_list(_scalar, 1), _REQUIRED)}
_PAIR: Fields = {
    "column_A": (_text, _REQUIRED), "column_B": (_text, _REQUIRED), **_SOME,
    "ignore_row_if": (
        _one_of("both_values_are_missing", "either_value_is_missing", "neither"), "both_values_are_missing"),
}
_SEVERAL: Fields = {
    "column_list": (_list(_text, 2), _REQUIRED), **_SOME,
    "ignore_row_if": (_one_of("all_values_are_missing", "any_value_is_missing", "never"), "all_values_are_missing"),
}
_LIKE: Fields = {"escape": (_maybe(_text), None)}
_MATCH_ON: Fields = {"match_on": (_one_of("any", "all"), "any")}

FIELDS: dict[str, Fields] = {
    "expect_column_distinct_values_to_be_in_set": {**_COLUMN, **_SOME_SET},
    "expect_column_distinct_values_to_contain_set": {**_COLUMN, **_SET},
    "expect_column_distinct_values_to_equal_set": {**_COLUMN, **_SET},
    "expect_column_kl_divergence_to_be_less_than": {
        **_COLUMN, "partition_object": (_object, _REQUIRED), "threshold": (_maybe(_number), None),
        "internal_weight_holdout": (_share, 0.0), "tail_weight_holdout": (_share, 0.0),
        "bucketize_data": (_truth, True),
    },
    "expect_column_max_to_be_between": {**_COLUMN, **_BETWEEN},
    "expect_column_mean_to_be_between": {**_COLUMN, **_BETWEEN},
    "expect_column_median_to_be_between": {**_COLUMN, **_BETWEEN},
    "expect_column_min_to_be_between": {**_COLUMN, **_BETWEEN},
    "expect_column_most_common_value_to_be_in_set": {**_COLUMN, **_SET, "ties_okay": (_maybe(_truth), None)},
    "expect_column_pair_values_a_to_be_greater_than_b": {**_PAIR, "or_equal": (_maybe(_truth), None)},
    "expect_column_pair_values_to_be_equal": _PAIR,
    "expect_column_pair_values_to_be_in_set": {**_PAIR, "value_pairs_set": (_list(_pair), _REQUIRED)},
    "expect_column_proportion_of_non_null_values_to_be_between": {**_COLUMN, **_SHARES},
    "expect_column_proportion_of_unique_values_to_be_between": {**_COLUMN, **_SHARES},
    "expect_column_quantile_values_to_be_between": {
        **_COLUMN, "quantile_ranges": (_quantiles, _REQUIRED),
        "allow_relative_error": (
            lambda value: False if value is False else
            _one_of("linear", "lower", "higher", "midpoint", "nearest")(value), False),
    },
    "expect_column_stdev_to_be_between": {**_COLUMN, **_SHARES},
    "expect_column_sum_to_be_between": {**_COLUMN, **_BETWEEN},
    "expect_column_to_exist": {**_COLUMN, "column_index": (_maybe(_whole), None)},
    "expect_column_type_to_be": {**_COLUMN, "type_": (_text, _REQUIRED)},
    "expect_column_unique_value_count_to_be_between": {**_COLUMN, **_COUNTS},
    "expect_column_value_lengths_to_be_between": {**_ROWS, **_COUNTS},
    "expect_column_value_lengths_to_equal": {**_ROWS, "value": (_number, _REQUIRED)},
    "expect_column_value_z_scores_to_be_less_than": {
        **_ROWS, "threshold": (_number, _REQUIRED), "double_sided": (_truth, _REQUIRED)},
    "expect_column_values_to_be_between": {**_ROWS, **_BETWEEN},
    "expect_column_values_to_be_dateutil_parseable": _ROWS,
    "expect_column_values_to_be_decreasing": {**_ROWS, "strictly": (_maybe(_truth), None)},
    "expect_column_values_to_be_in_set": {**_ROWS, **_SET},
    "expect_column_values_to_be_in_type_list": {**_ROWS, "type_list": (_list(_text), _REQUIRED)},
    "expect_column_values_to_be_increasing": {**_ROWS, "strictly": (_maybe(_truth), None)},
    "expect_column_values_to_be_json_parseable": _ROWS,
    "expect_column_values_to_be_null": _ROWS,
    "expect_column_values_to_be_of_type": {**_ROWS, "type_": (_text, _REQUIRED)},
    "expect_column_values_to_be_unique": _ROWS,
    "expect_column_values_to_match_json_schema": {**_ROWS, "json_schema": (_object, _REQUIRED)},
    "expect_column_values_to_match_like_pattern": {**_ROWS, "like_pattern": (_text, _REQUIRED), **_LIKE},
    "expect_column_values_to_match_like_pattern_list": {
        **_ROWS, "like_pattern_list": (_list(_text, 1), _REQUIRED), **_LIKE, **_MATCH_ON},
    "expect_column_values_to_match_regex": {**_ROWS, "regex": (_text, "(?s).*")},
    "expect_column_values_to_match_regex_list": {**_ROWS, "regex_list": (_list(_text, 1), _REQUIRED), **_MATCH_ON},
    "expect_column_values_to_match_strftime_format": {**_ROWS, "strftime_format": (_text, _REQUIRED)},
    "expect_column_values_to_not_be_in_set": {**_ROWS, **_SET},
    "expect_column_values_to_not_be_null": _ROWS,
    "expect_column_values_to_not_be_outliers": {
        **_ROWS, "method": (_one_of("iqr", "std"), "iqr"), "multiplier": (_positive, 1.5)},
    "expect_column_values_to_not_match_like_pattern": {**_ROWS, "like_pattern": (_text, _REQUIRED), **_LIKE},
    "expect_column_values_to_not_match_like_pattern_list": {
        **_ROWS, "like_pattern_list": (_list(_text, 1), _REQUIRED), **_LIKE},
    "expect_column_values_to_not_match_regex": {**_ROWS, "regex": (_text, _REQUIRED)},
    "expect_column_values_to_not_match_regex_list": {**_ROWS, "regex_list": (_list(_text, 1), _REQUIRED)},
    "expect_compound_columns_to_be_unique": _SEVERAL,
    "expect_multicolumn_sum_to_equal": {**_SEVERAL, "sum_total": (_number, _REQUIRED)},
    "expect_multicolumn_values_to_be_equal": _SEVERAL,
    "expect_query_results_to_match_comparison": {
        **_SOME, "base_query": (_text, _REQUIRED), "comparison_data_source_name": (_text, _REQUIRED),
        "comparison_query": (_text, _REQUIRED)},
    "expect_select_column_values_to_be_unique_within_record": _SEVERAL,
    "expect_table_column_count_to_be_between": {
        "min_value": (_maybe(_number), None), "max_value": (_maybe(_number), None)},
    "expect_table_column_count_to_equal": {"value": (_whole, _REQUIRED)},
    "expect_table_columns_to_match_ordered_list": {"column_list": (_list(_text), _REQUIRED)},
    "expect_table_columns_to_match_set": {"column_set": (_list(_text), _REQUIRED), "exact_match": (_truth, True)},
    "expect_table_row_count_to_be_between": _COUNTS,
    "expect_table_row_count_to_equal": {"value": (_whole, _REQUIRED)},
    "expect_table_row_count_to_equal_other_table": {"other_table_name": (_text, _REQUIRED)},
    "unexpected_rows_expectation": {"unexpected_rows_query": (_text, _REQUIRED)},
}
"""Every expectation of Great Expectations' current core, with its arguments and their defaults."""

WITHOUT_CONDITION = frozenset({
    "expect_column_to_exist", "expect_column_type_to_be", "expect_query_results_to_match_comparison",
    "expect_table_column_count_to_be_between", "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list", "expect_table_columns_to_match_set", "unexpected_rows_expectation",
})
"""Those that take no `row_condition`."""
_CONDITION = ("row_condition", "condition_parser")
_ASIDE = {"type", "kwargs", "meta", "id", "severity", "notes", "description"}
_SEVERITIES = ("critical", "warning", "info")


def read(raw: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a declared expectation with the defaults filled in, `row_condition` as it stands.

    Raises:
        Declined: Great Expectations must be asked.
    """
    fields = FIELDS.get(raw["type"])
    if fields is None:
        raise Declined("its type is not one of the engine's")
    if raw.keys() - _ASIDE or raw.get("severity", "critical") not in _SEVERITIES:
        raise Declined("it has a setting that is not the engine's")
    if not isinstance(raw.get("meta", {}), dict | None) or not isinstance(raw.get("notes"), str | list | None):
        raise Declined("its notes have another form than the engine reads")
    given = dict(raw["kwargs"])
    for name in ("result_format", "catch_exceptions", "batch_id"):
        given.pop(name, None)  # the run decides about these
    conditions = {name: given.pop(name) for name in _CONDITION if name in given}
    if conditions and raw["type"] in WITHOUT_CONDITION:
        raise Declined("it takes no row_condition")
    read: dict[str, Any] = {name: conditions.get(name) for name in _CONDITION}
    unknown = given.keys() - fields.keys()
    if unknown:
        raise Declined(f"the argument {min(unknown)!r} is not one of the engine's")
    for name, (kind, default) in fields.items():
        if name not in given and default is _REQUIRED:
            raise Declined(f"the argument {name!r} is missing")
        try:
            read[name] = kind(given[name]) if name in given else default
        except (ValueError, TypeError):
            raise Declined(f"the argument {name!r} has a form that is not the engine's") from None
    return read
