"""How new the rows are."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset, Freshness
from mlops.data_pipeline.tables.rows import Rows
from mlops.records import CheckResult

if TYPE_CHECKING:
    import polars

_DAY = 86400.0


def of_table(
    dataset: Dataset, table: polars.DataFrame | Rows, *, now: datetime.datetime | None = None
) -> list[CheckResult]:
    """The declared freshness.

    Args:
        now: The moment that ages are counted from (UTC); this one where none is given.
    """
    if dataset.checks.freshness is None:
        return []
    return [_freshness(dataset.checks.freshness, Rows.of(table), now or datetime.datetime.now(datetime.UTC))]


def _freshness(limit: Freshness, rows: Rows, now: datetime.datetime) -> CheckResult:
    import polars as pl

    def answer(success: bool, message: str, **details: float | str) -> CheckResult:
        return CheckResult(
            name="freshness", success=success, severity=limit.severity, message=message, details=dict(details)
        )

    if limit.column not in rows.schema:
        return answer(False, f"the column {limit.column} is missing")
    if not rows.schema[limit.column].is_temporal():
        return answer(False, f"{limit.column} holds no moments in time, but {rows.schema[limit.column]}")
    newest = rows.collect(rows.frame.select(pl.col(limit.column).cast(pl.Datetime("us")).max())).item()
    if newest is None:
        return answer(False, f"{limit.column} is empty in every row")
    age = (now.replace(tzinfo=None) - newest).total_seconds() / _DAY
    details = {"newest": newest.isoformat(), "age_days": round(age, 3), "maximum_days": limit.maximum_days}
    if age > limit.maximum_days:
        return answer(False, f"the newest row is {age:.1f} days old, {limit.maximum_days:g} may be", **details)
    if -age > limit.future_days:
        return answer(False, f"the newest row lies {-age:.1f} days in the future", **details)
    return answer(True, f"the newest row is {max(age, 0.0):.1f} days old", **details)
