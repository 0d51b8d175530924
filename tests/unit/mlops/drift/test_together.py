"""Columns that part from each other while each stays as it was: found in windows of a stream, whatever their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

from benchmarks.drift_streams import stream
from mlops.drift import Sketch, compare

ROWS, WINDOWS = 40_000, 8


def flipped() -> Any:
    """The same columns, the relation of two of them turned around."""
    return stream(ROWS, 12).with_columns(-pl.col("second"))


KINDS = {
    "flipped": (flipped, {"first", "second"}),
    "weaker": (lambda: stream(ROWS, 12, "together"), {"first", "second"}),
    "by size": (lambda: stream(ROWS, 12, "copula"), {"first in its middle half", "uniform in its middle half"}),
    "in one category": (lambda: stream(ROWS, 12, "conditional"), {"normal", "few = bay"}),
}


@pytest.fixture(scope="module")
def reference() -> Sketch:
    return Sketch.of(stream(ROWS, 11))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_found_by_its_pair_alone(reference: Sketch, kind: str) -> None:
    made, pair = KINDS[kind]
    table = made()
    size = ROWS // WINDOWS
    windows = [Sketch.of(table.slice(number * size, size), like=reference) for number in range(WINDOWS)]
    whole = Sketch.of(table, like=reference)
    for order in (range(WINDOWS), np.random.default_rng(3).permutation(WINDOWS)):
        merged = Sketch(reference.layout)
        for number in order:
            merged = Sketch.merge(merged, windows[number])
        assert merged == whole and len(merged.to_json()) < 2 * len(windows[0].to_json())
    found = compare(reference, merged)
    assert {each.verdict for each in found.columns} == {"same"}
    assert found.joint.verdict == "drifted" and found.blocking
    assert {found.joint.pairs[0].first, found.joint.pairs[0].second} == pair, found.joint.reasons
    same = compare(reference, Sketch.of(stream(ROWS, 13), like=reference))
    assert same.joint.verdict == "same" and same.joint.smallest is not None and same.joint.smallest < 0.1


def test_wide_tables_keep_the_pairs_of_the_first_columns() -> None:
    random = np.random.default_rng(1)
    wide = Sketch.of({f"c{n}": random.normal(size=300) for n in range(45)})
    names = [wide.layout.feature_name(each) for each in wide.layout.features]
    assert names[:2] == ["c0", "c1"] and names[40:42] == ["c0 in its middle half", "c1 in its middle half"]
    assert len(names) == 80 and wide.layout.left_out == ["c40", "c41", "c42", "c43", "c44"]
