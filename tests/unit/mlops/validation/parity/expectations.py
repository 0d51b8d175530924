"""Expectations of every core type with arguments that fit, fit badly, or do not fit the columns of a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from tests.unit.mlops.validation.parity.tables import FLOATS, TEXTS

NUMBERS = [0, 1, 2, 3, -1, 0.5, 1.5, 100.25]
REGEXES = [
    r"^a", r"a$", r"^\w+$", r"\d", r"^.$", r"^[a-c]*$", r"(?=a)a", r"(?i)b", r"\s", r"^(a|b)$", r"^\d{4}-\d{2}-\d{2}$",
    r"\bx\b", r"(.)\1", r"^$", r"[^a]", r"é|ß", r"a+?b", r"\.", r"^-?\d+(\.\d+)?$", r"\W", "True", "inf",
]
TYPES = ["int64", "float64", "int", "float", "str", "bool", "object", "datetime64[us]", "datetime64[ns]", "int32", "O",
         "STRING", "INT", "string_types", "datetime64", "Int64"]
Draw = Callable[[Any], Any]
Build = Callable[[Draw], dict[str, Any]]

_names = st.sampled_from("abcde")
_some = st.sampled_from([{}, {}, {}, {"mostly": 0.5}, {"mostly": 0.75}, {"mostly": 0.0}])
_set = st.lists(st.sampled_from([*NUMBERS, *TEXTS[:8], "2020-01-01", True, None]), min_size=1, max_size=5)
_pairs = st.lists(st.lists(st.sampled_from([0, 1, 2, 1.5, "a", "b", None, True]), min_size=2, max_size=2), max_size=5)


def _limits(draw: Draw, pool: list[Any], *, both: bool = False) -> dict[str, Any]:
    low, high = sorted([draw(st.sampled_from(pool)), draw(st.sampled_from(pool))])
    which = "both" if both else draw(st.sampled_from(["both", "low", "high"]))
    found = {}
    if which != "high":
        found["min_value"] = low
    if which != "low":
        found["max_value"] = high
    for name in ("strict_min", "strict_max"):
        if draw(st.integers(0, 3)) == 0:
            found[name] = True
    return found


def _between(draw: Draw) -> dict[str, Any]:
    which = draw(st.integers(0, 5))
    if which == 0:
        pool: list[Any] = ["2020-01-01T00:00:00", "2020-01-01T12:30:00", "2021-01-01T00:00:00"]
    elif which == 1:
        pool = ["2020-01-01", "2020-06-30"]
    else:
        pool = NUMBERS
    return _limits(draw, pool)


def _column(draw: Draw) -> dict[str, Any]:
    return {"column": draw(_names)}


def _rows(draw: Draw) -> dict[str, Any]:
    return {"column": draw(_names), **draw(_some)}


def _several(draw: Draw) -> dict[str, Any]:
    found = {"column_list": draw(st.lists(_names, min_size=2, max_size=3, unique=True)), **draw(_some)}
    rule = draw(st.sampled_from([None, "all_values_are_missing", "any_value_is_missing", "never"]))
    return {**found, "ignore_row_if": rule} if rule else found


def _pair(draw: Draw) -> dict[str, Any]:
    a, b = draw(st.permutations("abcde"))[:2]
    rule = draw(st.sampled_from([None, "both_values_are_missing", "either_value_is_missing", "neither"]))
    return {"column_A": a, "column_B": b, **draw(_some), **({"ignore_row_if": rule} if rule else {})}


def _quantiles(draw: Draw) -> dict[str, Any]:
    quantiles = draw(st.lists(st.sampled_from([0, 0.1, 0.25, 0.5, 0.75, 0.9, 1]), min_size=1, max_size=3))
    ranges = [sorted([draw(st.sampled_from(NUMBERS)), draw(st.sampled_from(NUMBERS))]) for _ in quantiles]
    way = draw(st.sampled_from([None, None, "linear", "lower", "higher", "midpoint", "nearest"]))
    return {**_column(draw), "quantile_ranges": {"quantiles": quantiles, "value_ranges": ranges},
            **({"allow_relative_error": way} if way else {})}


def _divergence(draw: Draw) -> dict[str, Any]:
    if draw(st.booleans()):
        values = draw(st.sampled_from([[0, 1, 2], ["a", "b", "é"]]))
        partition: dict[str, Any] = {"values": values, "weights": [0.25, 0.25, 0.5]}
        holdout = {"tail_weight_holdout": 0.1} if draw(st.booleans()) else {}
    else:
        partition = {"bins": [-1, 0.5, 1.5, 3], "weights": [0.5, 0.25, 0.25]}
        holdout = draw(st.sampled_from([{}, {"tail_weight_holdout": 0.1}, {"internal_weight_holdout": 0.1}]))
    return {**_column(draw), "partition_object": partition, "threshold": draw(st.sampled_from([0.1, 1, 5])), **holdout}


def _of(base: Build, **more: Any) -> Build:
    """Arguments of `base`, and each of `more` drawn."""
    return lambda draw: {**base(draw), **{name: draw(each) for name, each in more.items()}}


_regex = st.sampled_from(REGEXES)
_regexes = st.lists(_regex, min_size=1, max_size=3)
_match_on = st.sampled_from(["any", "all"])
_maybe = st.sampled_from([None, True, False])
_counts = [0, 1, 2, 3, 5, 8]
BUILD: dict[str, Build] = {
    "expect_column_distinct_values_to_be_in_set": _of(_column, value_set=_set),
    "expect_column_distinct_values_to_contain_set": _of(_column, value_set=_set),
    "expect_column_distinct_values_to_equal_set": _of(_column, value_set=_set),
    "expect_column_kl_divergence_to_be_less_than": _divergence,
    "expect_column_max_to_be_between": lambda draw: {**_column(draw), **_between(draw)},
    "expect_column_mean_to_be_between": lambda draw: {**_column(draw), **_limits(draw, NUMBERS)},
    "expect_column_median_to_be_between": lambda draw: {**_column(draw), **_limits(draw, NUMBERS)},
    "expect_column_min_to_be_between": lambda draw: {**_column(draw), **_between(draw)},
    "expect_column_most_common_value_to_be_in_set": _of(_column, value_set=_set, ties_okay=_maybe),
    "expect_column_pair_values_a_to_be_greater_than_b": _of(_pair, or_equal=_maybe),
    "expect_column_pair_values_to_be_equal": _pair,
    "expect_column_pair_values_to_be_in_set": _of(_pair, value_pairs_set=_pairs),
    "expect_column_proportion_of_non_null_values_to_be_between": lambda draw: {
        **_column(draw), **_limits(draw, [0, 0.25, 0.5, 0.75, 1])},
    "expect_column_proportion_of_unique_values_to_be_between": lambda draw: {
        **_column(draw), **_limits(draw, [0, 0.25, 0.5, 0.75, 1])},
    "expect_column_quantile_values_to_be_between": _quantiles,
    "expect_column_stdev_to_be_between": lambda draw: {**_column(draw), **_limits(draw, NUMBERS)},
    "expect_column_sum_to_be_between": lambda draw: {**_column(draw), **_limits(draw, NUMBERS)},
    "expect_column_to_exist": lambda draw: {
        "column": draw(st.sampled_from("abz")),
        **draw(st.sampled_from([{}, {"column_index": 1}, {"column_index": 9}]))},
    "expect_column_type_to_be": _of(
        _column, type_=st.sampled_from(["int64", "float64", "object", "bool", "datetime64"])),
    "expect_column_unique_value_count_to_be_between": lambda draw: {**_column(draw), **_limits(draw, _counts)},
    "expect_column_value_lengths_to_be_between": lambda draw: {**_rows(draw), **_limits(draw, _counts)},
    "expect_column_value_lengths_to_equal": _of(_rows, value=st.sampled_from(_counts)),
    "expect_column_value_z_scores_to_be_less_than": _of(
        _rows, threshold=st.sampled_from([0.5, 1.1, 2.3, -1.1]), double_sided=st.booleans()),
    "expect_column_values_to_be_between": lambda draw: {**_rows(draw), **_between(draw)},
    "expect_column_values_to_be_dateutil_parseable": _rows,
    "expect_column_values_to_be_decreasing": _of(_rows, strictly=_maybe),
    "expect_column_values_to_be_in_set": _of(_rows, value_set=_set),
    "expect_column_values_to_be_in_type_list": _of(
        _rows, type_list=st.lists(st.sampled_from(TYPES), min_size=1, max_size=3)),
    "expect_column_values_to_be_increasing": _of(_rows, strictly=_maybe),
    "expect_column_values_to_be_json_parseable": _rows,
    "expect_column_values_to_be_null": _rows,
    "expect_column_values_to_be_of_type": _of(_rows, type_=st.sampled_from(TYPES)),
    "expect_column_values_to_be_unique": _rows,
    "expect_column_values_to_match_json_schema": _of(
        _rows, json_schema=st.sampled_from([{}, {"type": "number"}, {"type": "object", "required": ["a"]}])),
    "expect_column_values_to_match_regex": _of(_rows, regex=_regex),
    "expect_column_values_to_match_regex_list": _of(_rows, regex_list=_regexes, match_on=_match_on),
    "expect_column_values_to_match_strftime_format": _of(_rows, strftime_format=st.sampled_from(["%Y-%m-%d", "%Y"])),
    "expect_column_values_to_not_be_in_set": _of(_rows, value_set=_set),
    "expect_column_values_to_not_be_null": _rows,
    "expect_column_values_to_not_be_outliers": _of(
        _rows, method=st.sampled_from(["iqr", "std"]), multiplier=st.sampled_from([0.6, 1.7])),
    "expect_column_values_to_not_match_regex": _of(_rows, regex=_regex),
    "expect_column_values_to_not_match_regex_list": _of(_rows, regex_list=_regexes),
    "expect_compound_columns_to_be_unique": _several,
    "expect_multicolumn_sum_to_equal": _of(_several, sum_total=st.sampled_from(NUMBERS)),
    "expect_multicolumn_values_to_be_equal": _several,
    "expect_select_column_values_to_be_unique_within_record": _several,
    "expect_table_column_count_to_be_between": lambda draw: _only_limits(draw, [3, 4, 5, 6]),
    "expect_table_column_count_to_equal": lambda draw: {"value": draw(st.sampled_from([4, 5]))},
    "expect_table_columns_to_match_ordered_list": lambda draw: {
        "column_list": draw(st.sampled_from([list("abcde"), list("bacde"), list("abcdef"), list("abc")]))},
    "expect_table_columns_to_match_set": lambda draw: {
        "column_set": draw(st.sampled_from([list("edcba"), list("abc"), list("abcdef")])),
        "exact_match": draw(st.booleans())},
    "expect_table_row_count_to_be_between": lambda draw: _limits(draw, _counts),
    "expect_table_row_count_to_equal": lambda draw: {"value": draw(st.sampled_from(_counts))},
}
"""The arguments of each core expectation that Great Expectations can run on pandas."""


def _only_limits(draw: Draw, pool: list[Any]) -> dict[str, Any]:
    return {name: value for name, value in _limits(draw, pool).items() if not name.startswith("strict")}


_WITHOUT = ("expect_column_to_exist", "expect_column_type_to_be", "expect_table_column")
_conditions = st.sampled_from([
    {"row_condition": 'col("a").notnull()', "condition_parser": "great_expectations"},
    {"row_condition": 'col("b") > 1', "condition_parser": "great_expectations"},
    {"row_condition": 'col("c") != 1', "condition_parser": "great_expectations"},
    {"row_condition": 'col("d") == "a"', "condition_parser": "great_expectations"},
    {"row_condition": "a >= 1 and b < 2", "condition_parser": "pandas"},
    {"row_condition": "`c` in [1, 2]"},
    {"row_condition": {"type": "comparison", "column": {"name": "e"}, "operator": "NOT_IN", "parameter": ["a", "b"]}},
    {"row_condition": {"type": "or", "conditions": [
        {"type": "comparison", "column": {"name": "a"}, "operator": "<=", "parameter": 1},
        {"type": "nullity", "column": {"name": "b"}, "is_null": True}]}},
    {"row_condition": {"type": "and", "conditions": [
        {"type": "nullity", "column": {"name": "a"}, "is_null": False},
        {"type": "comparison", "column": {"name": "b"}, "operator": "IN", "parameter": [0, 1, 2]}]}},
])


@st.composite
def expectations(draw: Any, kind: str) -> dict[str, Any]:
    """An expectation of a type; one in four is about some rows only."""
    kwargs = BUILD[kind](draw)
    if not kind.startswith(_WITHOUT) and draw(st.integers(0, 3)) == 0:
        kwargs |= draw(_conditions)
    return {"type": kind, "kwargs": kwargs}


@st.composite
def suites(draw: Any, size: int) -> list[dict[str, Any]]:
    """Expectations of `size` types."""
    kinds = draw(st.permutations(sorted(BUILD)))[:size]
    return [draw(expectations(kind)) for kind in kinds]


__all__ = ["BUILD", "FLOATS", "expectations", "suites"]
