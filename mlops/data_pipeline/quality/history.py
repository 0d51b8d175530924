"""The rows beside the versions made before: how many there are, what has become empty, which category is gone."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset, History
from mlops.data_pipeline.tables.rows import Rows
from mlops.records import CheckResult, DataVersion

if TYPE_CHECKING:
    import polars

CATEGORIES = 100
"""Values that a column of text may have and still be one of categories."""
_CHANCE = 0.01
_CHANCE_IN_COLUMN = 0.1
"""A category is gone where a sample would lack it so seldom by chance, and any of the column's so seldom."""


def of_table(dataset: Dataset, table: polars.DataFrame | Rows, before: Sequence[DataVersion]) -> list[CheckResult]:
    """The rows beside those of `before`; nothing where there are no versions or the data set declares no history.

    Args:
        before: Earlier versions, the newest last, see `versions.earlier`.
    """
    limit = dataset.checks.history
    if limit is None or not before:
        return []
    rows, last = Rows.of(table), before[-limit.versions:]
    return [_volume(limit, rows, last), _missing(limit, rows, last), _categories(limit, dataset, rows, last)]


def categories(dataset: Dataset, table: polars.DataFrame | Rows) -> dict[str, dict[str, int]]:
    """Column → value → its rows, for the declared columns of text that have few values.

    Nothing for a data set without history. One pass for all columns, and one for each that has few values.
    """
    import polars as pl

    rows = Rows.of(table)
    texts = [
        name for name, column in dataset.columns.items()
        if column.type == "string" and rows.schema.get(name) == pl.String
    ]
    if dataset.checks.history is None or not texts:
        return {}
    about = rows.collect(rows.frame.select(pl.col(texts).approx_n_unique())).row(0, named=True)
    found = {}
    for name in (name for name in texts if about[name] <= 2 * CATEGORIES):
        counted = rows.collect(rows.frame.filter(pl.col(name).is_not_null()).group_by(name).len())
        if counted.height <= CATEGORIES:
            found[name] = {value: int(count) for value, count in counted.sort(name).rows()}
    return found


def _volume(limit: History, rows: Rows, last: Sequence[DataVersion]) -> CheckResult:
    usual = statistics.median(each.source.rows for each in last)
    change = rows.height / usual - 1 if usual else 0.0
    return CheckResult(
        name="volume against history", success=abs(change) <= limit.maximum_change, severity=limit.severity,
        message=f"{rows.height} rows, {change:+.0%} against {usual:g} in the {_told(last)}, "
                f"{limit.maximum_change:.0%} may be",
        details={"rows": rows.height, "usual": usual, "change": change, "versions": [each.version for each in last]},
    )


def _missing(limit: History, rows: Rows, last: Sequence[DataVersion]) -> CheckResult:
    risen = {}
    for name in rows.columns:
        known = [
            each.missing.get(name, 0.0) for each in last
            if name in each.missing or any(column.name == name for column in each.columns)
        ]
        share = rows.nulls()[name] / max(rows.height, 1)
        if known and share - statistics.median(known) > limit.maximum_missing_rise:
            risen[name] = (statistics.median(known), share)
    told = "; ".join(f"{name} from {old:.1%} to {new:.1%} empty" for name, (old, new) in risen.items())
    return CheckResult(
        name="missing against history", success=not risen, severity=limit.severity,
        message=told or f"no column is emptier than in the {_told(last)}",
        details={name: {"usual": old, "share": new} for name, (old, new) in risen.items()},
    )


def _categories(limit: History, dataset: Dataset, rows: Rows, last: Sequence[DataVersion]) -> CheckResult:
    """Each category is looked for as often as the newest version that has it makes likely: Poisson's chance of none."""
    now, gone = categories(dataset, rows), list[dict[str, str | int]]()
    for name, counts in now.items():
        known = {value: (each, count) for each in last for value, count in each.categories.get(name, {}).items()}
        chance = min(_CHANCE, _CHANCE_IN_COLUMN / max(len(known), 1))
        for value, (each, count) in known.items():
            if value not in counts and math.exp(-count * rows.height / max(each.source.rows, 1)) < chance:
                gone.append({"column": name, "value": value, "rows": count, "of": each.source.rows,
                             "version": each.version})
    told = "; ".join("{column}: no row has {value!r}, {rows} of {of} had it in {version}".format(**each)
                     for each in gone[:5])
    more = f"; and {len(gone) - 5} more" if len(gone) > 5 else ""
    return CheckResult(
        name="categories against history", success=not gone, severity=limit.severity,
        message=f"{told}{more}" if gone else f"none is gone that was in the {_told(last)}", details={"gone": gone},
    )


def _told(last: Sequence[DataVersion]) -> str:
    return f"{len(last)} version{'s' if len(last) > 1 else ''} before"
