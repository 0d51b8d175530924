"""The bounded sample: the same rows whatever their order, each class with its share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.training.sampling import chosen, take


def drawn(frame: pd.DataFrame, rows: int, task: Any = "regression", target: str = "y") -> pd.DataFrame:
    return take(frame, chosen(frame, rows, task=task, target=target))


def table(rows: int, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    frame = pd.DataFrame({
        "x": random.normal(size=rows), "word": random.choice(["a", "b", None], rows), "y": random.integers(0, 5, rows),
    })
    frame.loc[::7, "x"] = np.nan
    return frame


@pytest.mark.parametrize("task", ["regression", "classification"])
def test_the_order_of_the_rows_has_no_part_in_it(task: Any) -> None:
    frame = table(1000)
    first = drawn(frame, 100, task)
    for seed in range(3):
        pd.testing.assert_frame_equal(drawn(frame.sample(frac=1, random_state=seed), 100, task), first)
    assert not first.equals(frame.head(100)) and list(first.index) == list(range(len(first)))


def test_what_is_not_cut_stays_as_it_is() -> None:
    frame = table(100)
    assert drawn(frame, 100) is frame and drawn(frame, 10_000) is frame
    assert len(drawn(frame, 99)) == 99


def test_one_more_row_changes_one_row_at_most() -> None:
    frame, more = table(1000), table(1001, seed=5).tail(1)
    before, after = drawn(frame, 100), drawn(pd.concat([frame, more], ignore_index=True), 100)
    rows = [{tuple(map(str, row)) for row in each.itertuples(index=False)} for each in (before, after)]
    assert len(rows[0] - rows[1]) <= 1 and len(rows[1] - rows[0]) <= 1


def test_a_rare_class_is_not_lost() -> None:
    frame = table(2000)
    frame["y"] = np.where(np.arange(2000) < 3, "rare", np.where(np.arange(2000) % 4 == 0, "some", "most"))
    counts = drawn(frame, 200, "classification")["y"].value_counts()
    assert counts["rare"] == 1 and counts["some"] == 50 and counts["most"] == 150
    frame.loc[5:9, "y"] = None
    assert drawn(frame, 200, "classification")["y"].isna().sum() == 1


@settings(max_examples=50, deadline=None)
@given(st.lists(st.sampled_from("abcde"), min_size=2, max_size=200), st.integers(1, 100))
def test_every_class_keeps_its_share(labels: list[str], rows: int) -> None:
    frame = pd.DataFrame({"x": np.arange(len(labels), dtype=float), "y": labels})
    sample = drawn(frame, rows, "classification")
    assert set(sample["y"]) == set(labels)
    assert min(rows, len(frame)) <= len(sample) <= max(rows, 0) + len(set(labels)) or len(sample) == len(frame)
    assert sample.drop_duplicates().shape == sample.shape


def test_the_sample_is_drawn_evenly() -> None:
    """A hash that favoured small or large values would make another distribution."""
    frame = pd.DataFrame({"x": np.arange(20_000, dtype=float), "y": 0.0})
    sample = drawn(frame, 2_000)["x"]
    counts = np.histogram(sample, bins=10, range=(0, 20_000))[0]
    assert ((counts - 200) ** 2 / 200).sum() < 27.9, "chi squared of nine degrees, one false alarm in a thousand"
