"""Rules about the table: its rows and its columns."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from mlops.validation.compiled import results
from mlops.validation.compiled.asks import Steps
from mlops.validation.compiled.case import Case
from mlops.validation.compiled.columns import Raised
from mlops.validation.compiled.table import Table


def _answer(success: bool, observed: Any, **more: Any) -> dict[str, Any]:
    return {"success": success, "result": {"observed_value": observed, **more}}


def _rows(case: Case) -> Any:
    if case.where is None:
        return case.table.height
    (count,) = yield [case.count(case.where, "rows")]
    return count or 0


def row_count_between(case: Case) -> Steps:
    """`table_row_count_to_be_between`."""
    given = case.given
    count = yield from _rows(case)
    return results.between(
        count, low=given["min_value"], high=given["max_value"], strict_low=given["strict_min"],
        strict_high=given["strict_max"],
    )


def row_count(case: Case) -> Steps:
    """`table_row_count_to_equal`."""
    count = yield from _rows(case)
    return _answer(count == case.given["value"], count)


def row_count_of_other(case: Case) -> Steps:
    """`table_row_count_to_equal_other_table`, the other being one that the caller named."""
    other = Table(other_table(case, case.given["other_table_name"])).height
    count = yield from _rows(case)
    return _answer(count == other, {"self": count, "other": other})


def other_table(case: Case, name: str) -> Any:
    """The data of another table.

    Raises:
        Raised: the caller named none of this name.
    """
    if name not in case.others:
        known = ", ".join(sorted(case.others)) or "none"
        raise Raised(f"there is no other table {name!r} (named here: {known})")
    return case.others[name]


def column_count_between(case: Case) -> Steps:
    """`table_column_count_to_be_between`."""
    yield from ()
    return results.between(len(case.table.names), low=case.given["min_value"], high=case.given["max_value"])


def column_count(case: Case) -> Steps:
    """`table_column_count_to_equal`."""
    yield from ()
    count = len(case.table.names)
    return _answer(count == case.given["value"], count)


def column_exists(case: Case) -> Steps:
    """`column_to_exist`, at a place (from 0, from the end below 0) where one other than 0 is named."""
    yield from ()  # nothing is asked: the columns are known
    names, wanted, place = case.table.names, case.given["column"], case.given["column_index"]
    if place:
        within = -len(names) <= place < len(names)
        return {"success": within and names[place] == wanted, "result": {}}
    return {"success": wanted in names, "result": {}}


def columns_ordered(case: Case) -> Steps:
    """`table_columns_to_match_ordered_list`."""
    yield from ()
    names, wanted = case.table.names, case.given["column_list"]
    if names == wanted:
        return _answer(True, names)
    mismatched = [
        {"Expected Column Position": place, "Expected": expected, "Found": found}
        for place, (expected, found) in enumerate(zip_longest(wanted, names)) if expected != found
    ]
    return _answer(False, names, details={"mismatched": mismatched})


def columns_set(case: Case) -> Steps:
    """`table_columns_to_match_set`: exactly these columns, or with `exact_match` false at least these."""
    yield from ()
    names, wanted = set(case.table.names), set(case.given["column_set"])
    strange, missing = sorted(names - wanted), sorted(wanted - names)
    observed = sorted(names)
    success = not missing and (not strange or not case.given["exact_match"])
    if not strange and not missing:
        return _answer(True, observed)
    mismatched = {key: each for key, each in (("unexpected", strange), ("missing", missing)) if each}
    return _answer(success, observed, details={"mismatched": mismatched})
