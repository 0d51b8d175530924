"""A suite on a table: compile each expectation, run them side by side, leave the rest to Great Expectations."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from mlops.errors import MlopsError
from mlops.validation.compiled import (
    aggregates, arguments, distincts, divergence, kinds, pairs, queries, scan, spread, tables, texts, values,
)
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case, case
from mlops.validation.compiled.columns import Declined, Raised
from mlops.validation.compiled.results import ROWS, json_data
from mlops.validation.compiled.table import Table

ENGINE = "compiled"

RULES: dict[str, Callable[[Case], Steps]] = {
    "expect_column_distinct_values_to_be_in_set": distincts.inside,
    "expect_column_distinct_values_to_contain_set": distincts.contain,
    "expect_column_distinct_values_to_equal_set": distincts.equal,
    "expect_column_kl_divergence_to_be_less_than": divergence.divergence,
    "expect_column_max_to_be_between": aggregates.greatest,
    "expect_column_mean_to_be_between": aggregates.mean,
    "expect_column_median_to_be_between": aggregates.median,
    "expect_column_min_to_be_between": aggregates.least,
    "expect_column_most_common_value_to_be_in_set": distincts.most_common,
    "expect_column_pair_values_a_to_be_greater_than_b": pairs.pair_greater,
    "expect_column_pair_values_to_be_equal": pairs.pair_equal,
    "expect_column_pair_values_to_be_in_set": pairs.pair_in_set,
    "expect_column_proportion_of_non_null_values_to_be_between": aggregates.present_share,
    "expect_column_proportion_of_unique_values_to_be_between": aggregates.distinct_share,
    "expect_column_quantile_values_to_be_between": spread.quantiles,
    "expect_column_stdev_to_be_between": aggregates.deviation,
    "expect_column_sum_to_be_between": aggregates.total,
    "expect_column_to_exist": tables.column_exists,
    "expect_column_type_to_be": kinds.type_is,
    "expect_column_unique_value_count_to_be_between": aggregates.distinct_count,
    "expect_column_value_lengths_to_be_between": texts.lengths_between,
    "expect_column_value_lengths_to_equal": texts.length_equals,
    "expect_column_value_z_scores_to_be_less_than": spread.z_scores,
    "expect_column_values_to_be_between": values.between,
    "expect_column_values_to_be_dateutil_parseable": texts.dateutil_parseable,
    "expect_column_values_to_be_decreasing": values.decreasing,
    "expect_column_values_to_be_in_set": values.in_set,
    "expect_column_values_to_be_in_type_list": kinds.in_type_list,
    "expect_column_values_to_be_increasing": values.increasing,
    "expect_column_values_to_be_json_parseable": texts.json_parseable,
    "expect_column_values_to_be_null": values.null,
    "expect_column_values_to_be_of_type": kinds.of_type,
    "expect_column_values_to_be_unique": values.unique,
    "expect_column_values_to_match_json_schema": texts.json_schema,
    "expect_column_values_to_match_like_pattern": texts.like,
    "expect_column_values_to_match_like_pattern_list": texts.like_list,
    "expect_column_values_to_match_regex": texts.matches,
    "expect_column_values_to_match_regex_list": texts.matches_list,
    "expect_column_values_to_match_strftime_format": texts.strftime,
    "expect_column_values_to_not_be_in_set": values.not_in_set,
    "expect_column_values_to_not_be_null": values.not_null,
    "expect_column_values_to_not_be_outliers": spread.outliers,
    "expect_column_values_to_not_match_like_pattern": texts.like_not,
    "expect_column_values_to_not_match_like_pattern_list": texts.like_none,
    "expect_column_values_to_not_match_regex": texts.matches_not,
    "expect_column_values_to_not_match_regex_list": texts.matches_none,
    "expect_compound_columns_to_be_unique": pairs.compound_unique,
    "expect_multicolumn_sum_to_equal": pairs.sum_equals,
    "expect_multicolumn_values_to_be_equal": pairs.all_equal,
    "expect_query_results_to_match_comparison": queries.same_results,
    "expect_select_column_values_to_be_unique_within_record": pairs.unique_within,
    "expect_table_column_count_to_be_between": tables.column_count_between,
    "expect_table_column_count_to_equal": tables.column_count,
    "expect_table_columns_to_match_ordered_list": tables.columns_ordered,
    "expect_table_columns_to_match_set": tables.columns_set,
    "expect_table_row_count_to_be_between": tables.row_count_between,
    "expect_table_row_count_to_equal": tables.row_count,
    "expect_table_row_count_to_equal_other_table": tables.row_count_of_other,
    "unexpected_rows_expectation": queries.unexpected_rows,
}
"""The rule of each expectation."""


def run(
    expectations: list[dict[str, Any]], table: Table, *, others: Mapping[str, Any] | None = None,
    limit: int | None = ROWS,
) -> list[dict[str, Any] | Declined]:
    """The results of the expectations on the table, in their order, or why one is left to Great Expectations.

    Args:
        expectations: Each `{"type", "kwargs", …}`, parameters substituted.
        others: Other tables by name, for expectations that compare with one.
        limit: How many failing rows a result names at most, None for all.
    """
    import polars as pl

    try:
        return _settled(expectations, table, others, limit)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException):
        return [_alone(raw, table, others, limit) for raw in expectations]  # one of them spoils the common scan


def _settled(
    expectations: list[dict[str, Any]], table: Table, others: Mapping[str, Any] | None, limit: int | None
) -> list[dict[str, Any] | Declined]:
    for _ in range(len(table.schema) + 1):
        try:
            return _run(expectations, table, others, limit)
        except scan.Mistaken:
            continue  # the table knows better now
    raise AssertionError("what the table knows of its columns does not settle")


def _alone(
    raw: dict[str, Any], table: Table, others: Mapping[str, Any] | None, limit: int | None
) -> dict[str, Any] | Declined:
    import polars as pl

    try:
        return _settled([raw], table, others, limit)[0]
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        return Declined(f"Polars refuses it: {str(error).strip().splitlines()[0][:200]}")


def _run(
    expectations: list[dict[str, Any]], table: Table, others: Mapping[str, Any] | None, limit: int | None
) -> list[dict[str, Any] | Declined]:
    read: list[dict[str, Any] | Declined] = [_read(raw) for raw in expectations]
    table.learn(_named(read))
    steps = [_steps(raw, given, table, others, limit) for raw, given in zip(expectations, read, strict=True)]
    return [_result(raw, ended) for raw, ended in zip(expectations, scan.run(table, steps), strict=True)]


def _read(raw: dict[str, Any]) -> dict[str, Any] | Declined:
    try:
        return arguments.read(raw)
    except Declined as reason:
        return reason


def _named(read: list[dict[str, Any] | Declined]) -> list[str]:
    """The columns that expectations name, so that the first look at them is one."""
    found: list[str] = []
    for given in read:
        if isinstance(given, dict):
            found += [given[name] for name in ("column", "column_A", "column_B") if name in given]
            found += given.get("column_list") or []
    return [name for name in found if isinstance(name, str)]


def _steps(
    raw: dict[str, Any], given: dict[str, Any] | Declined, table: Table, others: Mapping[str, Any] | None,
    limit: int | None,
) -> Steps:
    """The expectation's steps; an error of the engine's own is no verdict, it makes Great Expectations run it."""
    if isinstance(given, Declined):
        raise given
    try:
        return (yield from RULES[raw["type"]](case(table, given, others=others, limit=limit)))
    except (Declined, Raised, MlopsError, scan.Mistaken):
        raise
    except Exception as error:
        raise Declined(f"the engine failed: {type(error).__name__}: {str(error)[:200]}") from error


def _result(raw: dict[str, Any], ended: scan.Ended) -> dict[str, Any] | Declined:
    if isinstance(ended, Declined):
        return ended
    raised = str(ended) if isinstance(ended, Raised) else None
    result: dict[str, Any] = json_data({
        "success": False if isinstance(ended, Raised) else ended["success"],
        "expectation_config": config(raw),
        "result": {} if isinstance(ended, Raised) else ended["result"],
        "meta": {},
        "exception_info": {
            "raised_exception": raised is not None, "exception_traceback": raised, "exception_message": raised,
        },
    })
    return result


def config(raw: dict[str, Any]) -> dict[str, Any]:
    """The expectation as Great Expectations shows it in a result."""
    shown = {"type": raw["type"], "kwargs": raw["kwargs"], "meta": raw.get("meta") or {}}
    for name in ("notes", "description", "id"):
        if raw.get(name):
            shown[name] = raw[name]
    return {**shown, "severity": raw.get("severity", "critical")}


def identity(suite: str, index: int) -> str:
    """A stable id for the expectation at `index` of a suite."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{suite}/{index}"))
