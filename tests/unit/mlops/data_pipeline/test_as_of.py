"""Joins as of a moment: planted look-ahead that a naive join takes, against a reference in plain Python."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.data_pipeline.as_of import as_of, expect_no_look_ahead, look_ahead
from mlops.errors import BadDataError, UsageError

START = datetime(2024, 1, 1)


def day(number: float) -> datetime:
    return START + timedelta(days=number)


EVENTS = pl.DataFrame({
    "customer": ["ann", "bob", "ann", "eve", None], "at": [day(3), day(5), day(10), day(4), day(4)],
    "paid": [True, False, True, False, True],
})
# The score of -1 is written after the customer failed to pay: a model that sees it knows the answer.
SCORES = pl.DataFrame({
    "customer": ["ann", "bob", "bob", "ann", "ann", None],
    "known": [day(1), day(2), day(6), day(3), day(30), day(1)],
    "score": [10, 20, -1, 11, 12, 99],
})


def test_what_a_naive_join_gets_wrong() -> None:
    naive = EVENTS.join(SCORES.sort("known").group_by("customer").last(), on="customer", how="left")
    bob = naive.filter(pl.col("customer") == "bob")
    assert bob["score"].to_list() == [-1], "the naive join has the score of after the event"
    assert look_ahead(naive, at="at", known="known") == [1, 2, 3]
    with pytest.raises(BadDataError, match="3 of 5 rows have features from the future: .* in rows 1, 2, 3"):
        expect_no_look_ahead(naive, at="at", known="known")
    made = as_of(EVENTS, SCORES, by="customer", at="at", known="known")
    assert made["score"].to_list() == [11, 20, 11, None, None]
    assert made["known_at"].to_list() == [day(3), day(2), day(3), None, None]
    assert made.select(EVENTS.columns).equals(EVENTS)
    expect_no_look_ahead(made, at="at", known="known_at")


def test_the_very_moment_may_be_left_out_and_old_features_are_none() -> None:
    made = as_of(EVENTS, SCORES, by="customer", at="at", known="known", strictly_before=True)
    assert made["score"].to_list() == [10, 20, 11, None, None]
    made = as_of(EVENTS, SCORES, by="customer", at="at", known="known", maximum_age=timedelta(days=3))
    assert made["score"].to_list() == [11, 20, None, None, None]


def test_zones_and_dates_are_the_same_moments() -> None:
    events = pl.DataFrame({"k": [1], "at": [datetime(2024, 1, 2, tzinfo=UTC)]})
    features = pl.DataFrame({"k": [1, 1], "known": [date(2024, 1, 1), date(2024, 1, 3)], "f": [1.0, 2.0]})
    assert as_of(events, features, by=["k"], at="at", known="known")["f"].to_list() == [1.0]


@settings(max_examples=60, deadline=None)
@given(
    events=st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 20)), min_size=1, max_size=12),
    known=st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 20)), unique=True, max_size=12),
    strict=st.booleans(), age=st.none() | st.integers(0, 8),
)
def test_as_a_reference_that_looks_at_every_row(events: Any, known: Any, strict: bool, age: int | None) -> None:
    left = pl.DataFrame({"k": [k for k, _ in events], "at": [day(n) for _, n in events]})
    right = pl.DataFrame(
        {"k": [k for k, _ in known], "known": [day(n) for _, n in known], "f": list(range(len(known)))},
        schema={"k": pl.String, "known": pl.Datetime("us"), "f": pl.Int64},
    )
    wanted = []
    for key, moment in events:
        past = [
            (n, place) for place, (k, n) in enumerate(known)
            if k == key and (n < moment or (n == moment and not strict)) and (age is None or moment - n <= age)
        ]
        wanted.append(max(past)[1] if past else None)
    limit = None if age is None else timedelta(days=age)
    made = as_of(left, right, by="k", at="at", known="known", strictly_before=strict, maximum_age=limit)
    assert made["f"].to_list() == wanted


@pytest.mark.parametrize(
    ("change", "kind", "said"),
    [
        ({"features": SCORES.vstack(SCORES[:1])}, BadDataError, "key and the moment of another"),
        ({"features": SCORES.with_columns(pl.lit(None, pl.Datetime("us")).alias("known"))}, BadDataError, "no 'known'"),
        ({"events": EVENTS.with_columns(pl.lit(None, pl.Datetime("us")).alias("at"))}, BadDataError, "no 'at'"),
        ({"features": SCORES.rename({"score": "paid"})}, UsageError, "'paid' is in the events"),
        ({"at": "when"}, UsageError, "no column 'when'"),
        ({"at": "paid"}, UsageError, "Boolean, no moment"),
        ({"by": "client"}, UsageError, "no column 'client'"),
    ],
)
def test_what_cannot_be_told_is_refused(change: dict[str, Any], kind: type[Exception], said: str) -> None:
    asked: dict[str, Any] = {"events": EVENTS, "features": SCORES, "by": "customer", "at": "at", "known": "known"}
    with pytest.raises(kind, match=said):
        as_of(**asked | change)
