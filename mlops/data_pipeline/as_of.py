"""Point-in-time joins: each event with what was known of its key when it happened, and nothing that came later.

A join by key alone gives an event the newest row there is, which may know how the event ended. A model that is
trained on that is excellent until it is served.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops.errors import BadDataError, UsageError

if TYPE_CHECKING:
    import polars

FOUND_AT = "known_at"
"""The column of the answer that says when a row's features were known."""
SHOWN = 5


def as_of(
    events: polars.DataFrame, features: polars.DataFrame, *, by: str | Sequence[str], at: str, known: str,
    maximum_age: datetime.timedelta | None = None, strictly_before: bool = False,
) -> polars.DataFrame:
    """The events, in their order, each with the last features of its key that were known at its time.

    Args:
        by: The column or columns of the key, in both tables; an event or a row without its key matches nothing.
        at: The events' moment (datetime or date; without a zone it is UTC).
        known: When a row of `features` became known: when it was written down, not what it is about. A measurement
            of Monday that arrived on Wednesday was known on Wednesday.
        maximum_age: Features older than this at the event's time are as good as none.
        strictly_before: Whether features of the very moment of the event are left out: right where the event itself
            makes them.

    Returns:
        The columns of `events`, those of `features` without key and `known`, and `known_at`: the moment of the
        features that were taken. Where none were, all of these are null.

    Raises:
        UsageError: a column is missing, is no moment, or stands in both tables.
        BadDataError: two rows of features have the same key and moment, or one has no moment: which of them was
            known cannot be told; or an event has no moment.
    """
    import polars as pl

    keys = [by] if isinstance(by, str) else list(by)
    _expect_columns(events, features, keys, at, known)
    left = events.with_columns(_moment(events, at).alias("__at")).with_row_index("__row")
    right = features.select(
        *(pl.col(name).cast(events.schema[name], strict=False) for name in keys),
        _moment(features, known).alias("__at"),
        *(name for name in features.columns if name not in (*keys, known)),
    )
    _expect_moments(left, "the events", at)
    _expect_moments(right, "the features", known)
    right = right.drop_nulls(keys)
    _expect_one(right, keys, known)
    joined = left.sort("__at").join_asof(
        right.with_columns(pl.col("__at").alias(FOUND_AT)).sort("__at"), on="__at", by=keys, strategy="backward",
        tolerance=maximum_age, allow_exact_matches=not strictly_before, coalesce=True, check_sortedness=False,
    )
    made = joined.sort("__row").drop("__row", "__at")
    return made.select(*events.columns, *(name for name in made.columns if name not in events.columns))


def look_ahead(table: polars.DataFrame, *, at: str, known: str) -> list[int]:
    """The rows, from 1, of a joined table whose features were known only after the event."""
    late = table.select((_moment(table, known) > _moment(table, at)).fill_null(False).alias("late"))["late"]
    return [int(row) + 1 for row in late.arg_true()]


def expect_no_look_ahead(table: polars.DataFrame, *, at: str, known: str, where: str = "") -> None:
    """Refuse a table that was joined elsewhere, if a row of it knows its future.

    Raises:
        BadDataError: names the rows.
    """
    rows = look_ahead(table, at=at, known=known)
    if rows:
        listed = ", ".join(map(str, rows[:SHOWN])) + (", …" if len(rows) > SHOWN else "")
        raise BadDataError(
            f"{len(rows)} of {table.height} rows have features from the future: {known!r} is after {at!r} in rows "
            f"{listed}", where=where or None,
            mend="join by time: mlops.data_pipeline.as_of.as_of takes what was known, and nothing later",
        )


def _moment(table: polars.DataFrame, name: str) -> polars.Expr:
    import polars as pl

    kind = table.schema[name]
    if isinstance(kind, pl.Datetime) and kind.time_zone:
        return pl.col(name).dt.convert_time_zone("UTC").dt.replace_time_zone(None).cast(pl.Datetime("us"))
    return pl.col(name).cast(pl.Datetime("us"))


def _expect_columns(
    events: polars.DataFrame, features: polars.DataFrame, keys: list[str], at: str, known: str
) -> None:
    import polars as pl

    for table, what, names in ((events, "the events", [*keys, at]), (features, "the features", [*keys, known])):
        absent = [name for name in names if name not in table.columns]
        if absent:
            raise UsageError(f"{what} have no column {absent[0]!r}", mend=f"they have: {', '.join(table.columns)}")
        kind = table.schema[names[-1]]
        if not (kind == pl.Date or isinstance(kind, pl.Datetime)):
            raise UsageError(
                f"the column {names[-1]!r} of {what} is {kind}, no moment", mend="declare it as a datetime"
            )
    taken = {name for name in features.columns if name not in (*keys, known)} | {FOUND_AT}
    both = [name for name in events.columns if name in taken]
    if both:
        raise UsageError(
            f"the column {both[0]!r} is in the events and in what is joined to them", mend="rename one of the two"
        )


def _expect_moments(table: polars.DataFrame, what: str, name: str) -> None:
    rows = [int(row) + 1 for row in table["__at"].is_null().arg_true()]
    if rows:
        raise BadDataError(
            f"{len(rows)} rows of {what} have no {name!r}, first: row {rows[0]}",
            mend="set them aside: what was known when cannot be told",
        )


def _expect_one(features: polars.DataFrame, keys: list[str], known: str) -> None:
    twice = features.select(pair := [*keys, "__at"]).filter(features.select(pair).is_duplicated())
    if twice.height:
        first = ", ".join(f"{name} {value}" for name, value in zip((*keys, known), twice.row(0), strict=True))
        raise BadDataError(
            f"{twice.height} rows of the features have the key and the moment of another ({first})",
            mend="keep one row a key and moment: which of them was known cannot be told",
        )
