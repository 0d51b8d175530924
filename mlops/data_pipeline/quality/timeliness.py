"""How new the rows are, and how many there are beside the versions before."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.data_pipeline.dataset import Dataset, Freshness, History
from mlops.data_pipeline.tables.rows import Rows
from mlops.records import CheckResult, DataVersion

if TYPE_CHECKING:
    import polars

_DAY = 86400.0


def of_table(
    dataset: Dataset, table: polars.DataFrame | Rows, before: Sequence[DataVersion], *,
    now: datetime.datetime | None = None,
) -> list[CheckResult]:
    """The declared freshness, and the rows beside those of `before`.

    Args:
        before: Earlier versions, the newest last. Those of another kind (simulated rows beside real ones) are left out
            by the caller: see `comparable`.
        now: The moment that ages are counted from (UTC); this one where none is given.
    """
    rows, found = Rows.of(table), []
    if dataset.checks.freshness is not None:
        found.append(_freshness(dataset.checks.freshness, rows, now or datetime.datetime.now(datetime.UTC)))
    if dataset.checks.history is not None and before:
        found += _history(dataset.checks.history, rows, before)
    return found


def comparable(versions: Sequence[DataVersion], *, location: str, simulated: bool, but: str = "") -> list[DataVersion]:
    """The versions that came from the same place, without the one called `but`."""
    return [
        each for each in versions
        if each.source.location == location and each.source.simulated == simulated and each.version != but
    ]


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


def _history(limit: History, rows: Rows, before: Sequence[DataVersion]) -> list[CheckResult]:
    import statistics

    last = before[-limit.versions:]
    usual = statistics.median(each.source.rows for each in last)
    change = rows.height / usual - 1 if usual else 0.0
    against = f"{len(last)} version{'s' if len(last) > 1 else ''} before"
    results = [CheckResult(
        name="volume against history", success=abs(change) <= limit.maximum_change, severity=limit.severity,
        message=f"{rows.height} rows, {change:+.0%} against {usual:g} in the {against}, "
                f"{limit.maximum_change:.0%} may be",
        details={"rows": rows.height, "usual": usual, "change": change, "versions": [each.version for each in last]},
    )]
    risen = {}
    for name in rows.columns:
        known = [each.missing[name] for each in last if name in each.missing]
        share = rows.nulls()[name] / max(rows.height, 1)
        if known and share - statistics.median(known) > limit.maximum_missing_rise:
            risen[name] = (statistics.median(known), share)
    told = "; ".join(f"{name} from {old:.1%} to {new:.1%} empty" for name, (old, new) in risen.items())
    results.append(CheckResult(
        name="missing against history", success=not risen, severity=limit.severity,
        message=told or f"no column is emptier than in the {against}",
        details={name: {"usual": old, "share": new} for name, (old, new) in risen.items()},
    ))
    return results
