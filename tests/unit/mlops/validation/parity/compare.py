"""Where two results differ that should be the same."""

from __future__ import annotations

import math
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl

from mlops.errors import ConfigurationError
from mlops.validation import gx
from mlops.validation.compiled import run
from mlops.validation.compiled.columns import Declined
from mlops.validation.compiled.table import Table
from mlops.validation.suites import Suite

COUNTS = ("element_count", "unexpected_count", "missing_count", "unexpected_percent", "missing_percent",
          "unexpected_percent_total", "unexpected_percent_nonmissing")


def both(table: pl.DataFrame, expectations: list[dict[str, Any]]) -> list[tuple[Any, dict[str, Any]]]:
    """The results of the compiled engine (or why it declines) and of Great Expectations on pandas."""
    suite = Suite(name="parity", path=Path("parity.json"), sha256="sha256:0", expectations=tuple(expectations))
    try:
        theirs = gx.run(suite, table)
    except ConfigurationError:  # one expectation makes Great Expectations refuse all of them: each by itself then
        if len(expectations) == 1:
            return []
        return [pair for each in expectations for pair in both(table, [each])]
    return list(zip(run(expectations, Table(table)), theirs, strict=True))


def difference(ours: dict[str, Any], theirs: dict[str, Any]) -> str | None:
    """What differs between the two results, None for nothing."""
    raised = [each["exception_info"]["raised_exception"] for each in (ours, theirs)]
    if raised[0] or raised[1]:
        return None if raised[0] == raised[1] else f"raised: {raised}"
    if ours["success"] is not theirs["success"]:
        return f"success: {ours['success']} {theirs['success']}"
    a, b = ours["result"], theirs["result"]
    for name in COUNTS:
        if name in b and not _same(a.get(name), b[name]):
            return f"{name}: {a.get(name)} {b[name]}"
    rows = "partial_unexpected_index_list"
    if rows in b and a[rows] != b[rows]:
        return f"rows: {a[rows]} {b[rows]}"
    for name in ("observed_value", "partial_unexpected_list", "partial_unexpected_counts"):
        if name == "partial_unexpected_counts" and re.search("None|NaT", repr(b.get(name))):
            continue  # Great Expectations counts each missing value by itself
        if name in b and not _same(a.get(name), b[name]):
            return f"{name}: {a.get(name)} {b[name]}"
    if "partial_missing_list" in b and Counter(map(repr, a["partial_missing_list"])) != Counter(
        map(repr, b["partial_missing_list"])
    ):
        return f"missing: {a['partial_missing_list']} {b['partial_missing_list']}"
    if "success_details" in b.get("details", {}) and a["details"]["success_details"] != b["details"]["success_details"]:
        return "success_details"
    return None


def _same(a: Any, b: Any) -> bool:
    """Equal, but for the last bits of a float: sums are taken in another order."""
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, int | float) and isinstance(b, int | float):
        return type(a) is type(b) and (a == b or math.isclose(a, b, rel_tol=1e-9))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    return bool(a == b) or (a is None and b == "NaT")


__all__ = ["Declined", "both", "difference"]
