"""The quality score: what share of all that was asked holds, and the same for each aspect of quality.

The aspects are the dimensions of DAMA's data quality dimensions paper (DAMA UK, 2013: completeness, uniqueness,
timeliness, validity, accuracy, consistency), with what a table for learning adds: its schema, its volume, the
distributions of its columns, the target and the split. Accuracy is not among them: nothing in a table says whether
it is true.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from mlops.records import CheckResult
from mlops.records.data import QualityPart

_EXPECTATIONS = (  # the first text that the expectation's type holds decides
    ("schema", ("_to_exist", "table_column", "_of_type", "_in_type_list")),
    ("volume", ("table_row_count",)),
    ("completeness", ("_not_be_null", "_to_be_null", "non_null_proportion", "proportion_of_non_null")),
    ("uniqueness", ("unique",)),
    ("consistency", ("pair_values", "multicolumn", "compound", "_sum_to_")),
    ("distribution", ("mean", "median", "stdev", "quantile", "kl_divergence", "most_common", "distinct", "column_sum",
                      "z_scores", "column_max", "column_min")),
)
_CHECKS = (
    ("schema", ("readable",)),
    ("volume", ("volume",)),
    ("completeness", ("missing",)),
    ("uniqueness", ("duplicates", "key ")),
    ("validity", ("types", "encoding")),
    ("timeliness", ("freshness",)),
    ("consistency", ("reference ",)),
    ("target", ("target",)),
    ("split", ("leakage between splits",)),
)
_ELSE = {"expectation": "validity", "check": "consistency"}


def parts(expectations: Iterable[dict[str, Any]], results: Sequence[CheckResult]) -> list[QualityPart]:
    """Each aspect with how much was asked of it and how much of that holds, the aspects by name.

    Args:
        expectations: The `results` of a Great Expectations validation result.
    """
    asked: dict[str, list[bool]] = {}
    for each in expectations:
        kind = str(each.get("expectation_config", {}).get("type", ""))
        asked.setdefault(_expectation(kind), []).append(bool(each.get("success")))
    for result in results:
        asked.setdefault(_check(result.name), []).append(result.success)
    return [
        QualityPart(name=name, asked=len(held), held=sum(held), score=sum(held) / len(held))
        for name, held in sorted(asked.items())
    ]


def whole(found: Sequence[QualityPart]) -> float:
    """The share of all that was asked which holds, between 0 and 1; 0 where nothing was asked."""
    asked = sum(part.asked for part in found)
    return sum(part.held for part in found) / asked if asked else 0.0


def _expectation(kind: str) -> str:
    return next((part for part, marks in _EXPECTATIONS if any(mark in kind for mark in marks)), _ELSE["expectation"])


def _check(name: str) -> str:
    return next((part for part, starts in _CHECKS if name.startswith(starts)), _ELSE["check"])
