"""The rows that break what a suite expects of rows, for the quarantine.

An expectation is about rows where taking bad rows away leaves its answer on the others as it was: values, their length
and form, pairs, sums over columns, uniqueness (every copy is named). Order (`increasing`, `decreasing`) and distance
from the rest (z-scores, outliers) are about the table: a row breaks them by its neighbours, and they are judged with
everything else on the rows that remain. What still holds by its `mostly` has no bad rows.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from mlops.data_pipeline.dataset import Dataset
from mlops.errors import UsageError

if TYPE_CHECKING:
    import polars

    from mlops.validation import Suite

_ABOUT_ROWS = re.compile(r"expect_(column_(pair_)?values?|multicolumn|compound_columns|select_column_values)_")
"""As Great Expectations names what it answers row by row."""
_BY_NEIGHBOURS = frozenset({
    "expect_column_value_z_scores_to_be_less_than", "expect_column_values_to_be_decreasing",
    "expect_column_values_to_be_increasing", "expect_column_values_to_not_be_outliers",
})


@dataclasses.dataclass(frozen=True)
class Breach:
    """An expectation that does not hold, with the rows that break it.

    Attributes:
        says: What it expects, in words.
        count: How many rows break it.
        rows: Their numbers from 0, ascending; only the first of them where there are more than were asked for.
    """

    expectation: str
    says: str
    columns: tuple[str, ...]
    count: int
    rows: polars.Series

    @property
    def reason(self) -> str:
        """Why a row is set aside."""
        return f"breaks {self.expectation} ({self.says})"


def find(dataset: Dataset, table: Path, most: int) -> list[Breach]:
    """The expectations of the data set's suite that rows of the Parquet file `table` break.

    The compiled engine is asked, whatever the setting: the verdict on the rows that remain is the chosen engine's.

    Args:
        most: With more rows than this an expectation names only its first ones, so that memory stays bounded.
    """
    from mlops.validation import read_suite

    try:
        suite = read_suite(dataset.suite_path)
        asked = msgspec.structs.replace(suite, expectations=tuple(filter(_about_rows, suite.expectations)))
        results = _failed(asked, table)
    except UsageError:  # a suite that cannot be asked sets nothing aside; the step that judges says what is wrong in it
        return []
    long = [number for number, (_, result) in enumerate(results) if _named(result) < result["unexpected_count"] <= most]
    if long:
        again = msgspec.structs.replace(suite, expectations=tuple(results[number][0] for number in long))
        for number, full in zip(long, _failed(again, table, every_row=True), strict=True):
            results[number] = full
    return [_breach(config, result) for config, result in results]


def _failed(suite: Suite, table: Path, *, every_row: bool = False) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """The expectations that do not hold, as they stand in the suite, each with its result."""
    from mlops.validation import validate

    if not suite.expectations:
        return []
    answers = validate(suite, table, every_row=every_row).document["results"]
    return [
        (raw, answer["result"]) for raw, answer in zip(suite.expectations, answers, strict=True)
        if not answer["success"] and _named(answer["result"])
    ]


def _about_rows(expectation: dict[str, Any]) -> bool:
    return bool(_ABOUT_ROWS.match(expectation["type"])) and expectation["type"] not in _BY_NEIGHBOURS


def _named(result: dict[str, Any]) -> int:
    return len(result.get("unexpected_index_list") or ())


def _breach(raw: dict[str, Any], result: dict[str, Any]) -> Breach:
    import polars as pl

    from mlops.validation.explain import named_columns, rule

    return Breach(
        expectation=raw["type"], says=rule(raw["type"], raw["kwargs"]), columns=tuple(named_columns(raw["kwargs"])),
        count=result["unexpected_count"],
        rows=pl.Series(sorted(set(result["unexpected_index_list"])), dtype=pl.Int64),
    )
