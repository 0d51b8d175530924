"""What Great Expectations lets pass and nobody should: a rule that was held against nothing."""

from __future__ import annotations

from typing import Any

from mlops.validation.compiled.table import Table
from mlops.validation.explain import named_columns

NOTE = "nothing was judged"
_ABOUT_NOTHING = frozenset({
    "expect_column_to_exist", "expect_column_type_to_be", "expect_column_values_to_be_null",
    "expect_column_proportion_of_non_null_values_to_be_between", "expect_column_unique_value_count_to_be_between",
})
"""Expectations that say something about a column without values."""


def close(result: dict[str, Any], table: Table) -> None:
    """Make a success on a column without a single value a failure, and say so in its `meta`.

    With a `row_condition` it stays: that no row meets a condition is an answer.
    """
    config = result["expectation_config"]
    if not result["success"] or table.height == 0 or config["kwargs"].get("row_condition"):
        return
    if config["type"] in _ABOUT_NOTHING or _is_of_type(result):
        return
    columns = [name for name in named_columns(config["kwargs"]) if name in table.schema]
    if columns and all(table.empty(name) for name in columns):
        result["success"] = False
        result["meta"] = {**(result["meta"] or {}), NOTE: f"no row of {', '.join(columns)} holds a value"}


def _is_of_type(result: dict[str, Any]) -> bool:
    """The type of a column was asked as a whole, which needs no values."""
    kinds = ("expect_column_values_to_be_of_type", "expect_column_values_to_be_in_type_list")
    return result["expectation_config"]["type"] in kinds and "element_count" not in result["result"]
