"""Verdicts: what counts, what does not, what cannot be said."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest

from mlops.data_pipeline.drift_rules import ColumnRule, DriftRules
from mlops.drift import Sketch, compare
from mlops.records import json_schema
from mlops.records.base import decode
from mlops.records.drift import ColumnDrift, DriftReport


def drift(before: Any, after: Any, **rules: Any) -> DriftReport:
    known = Sketch.of(before)
    return compare(known, Sketch.of(after, like=known), DriftRules(**rules))


def column(before: Any, after: Any, **rules: Any) -> ColumnDrift:
    return drift({"x": before}, {"x": after}, **rules).columns[0]


def normal(rows: int, seed: int, mean: float = 0.0, spread: float = 1.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, spread, rows)


def test_effect_and_sureness_must_both_hold() -> None:
    sure_but_small = column(normal(400_000, 1), normal(400_000, 2, 0.014))
    assert sure_but_small.verdict == "same" and sure_but_small.distribution is not None
    assert sure_but_small.distribution.p_corrected < 0.01 and sure_but_small.distribution.effect < 0.01
    large_but_unsure = column(normal(100, 1), normal(100, 2, 0.1))
    assert large_but_unsure.verdict == "same" and large_but_unsure.distribution is not None
    assert large_but_unsure.distribution.effect > 0.05 and large_but_unsure.distribution.smallest > 0.2
    both = column(normal(100_000, 1), normal(100_000, 2, 0.05))
    assert both.verdict == "drifted" and both.size == "slight" and "KS distance 0.0" in both.reasons[0]
    assert both.distribution is not None and both.distribution.shift == pytest.approx(0.05, abs=0.01)
    assert column(normal(400_000, 1), normal(400_000, 2, 0.014), effect=0.004).verdict == "drifted"


@pytest.mark.parametrize(("mean", "size"), [(0.06, "slight"), (0.3, "moderate"), (2.0, "large")])
def test_sizes(mean: float, size: str) -> None:
    assert column(normal(60_000, 1), normal(60_000, 2, mean)).size == size


def test_whole_numbers_times_and_truths() -> None:
    random = np.random.default_rng(4)
    start = datetime.datetime(2024, 1, 1)
    moments = [start + datetime.timedelta(minutes=int(each)) for each in random.integers(0, 50_000, 4000)]
    sides: list[tuple[Any, Any]] = [
        (random.poisson(3, 4000), random.poisson(3.4, 4000)),
        (pl.Series(moments), pl.Series(moments).dt.offset_by("5d")),
        (random.random(4000) < 0.2, random.random(4000) < 0.3),
        (random.choice(["a", "b", "c"], 4000), random.choice(["a", "b", "c"], 4000, p=[0.4, 0.3, 0.3])),
    ]
    for before, after in sides:
        assert column(before, after).verdict == "drifted"
        assert column(before, pl.Series(before).sample(fraction=0.5, seed=1)).verdict == "same"


def test_new_and_gone_categories_are_named() -> None:
    found = column(["a"] * 500 + ["b"] * 500, ["a"] * 500 + ["new"] * 500)
    assert found.verdict == "drifted" and found.new_names == {"new": 0.5} and found.gone_names == {"b": 0.5}
    rare = column(["a"] * 5000, ["a"] * 4999 + ["one"])
    assert rare.verdict == "same" and rare.new_names == {"one": 0.0002}
    many = [f"n{n}" for n in range(1000)]  # more categories than are known by name
    assert column(many * 5, many * 5).verdict == "same"
    assert column(many * 5, ["other"] * 500 + many * 4).verdict == "drifted"
    few = np.random.default_rng(1).choice(many[:400], (2, 20_000))  # about fifty rows each: which are common is chance
    assert column(few[0], few[1]).verdict == "same"
    assert column([f"id{n}" for n in range(5000)], [f"id{n}" for n in range(5000, 10_000)]).verdict == "same"


def test_empty_cells() -> None:
    found = column([1.0, 2.0] * 500, [1.0, None] * 500)
    assert found.verdict == "drifted" and found.missing is not None and found.missing.effect == 0.5
    assert "empty cells 0.00% → 50.00%" in found.reasons[0] + found.reasons[-1]
    assert column([1.0, None] * 500, [None] * 1000).verdict == "drifted"
    assert column([None] * 1000, [None] * 1000).verdict == "same"
    assert column([None] * 1000, [1.0] * 1000).verdict == "drifted"
    assert column([1.0] * 1000, [1.0] * 1000).verdict == "same"
    assert column([1.0] * 1000, [2.0] * 1000).verdict == "drifted"
    assert column([1.0] * 20_000, [1.0] * 19_900 + [None] * 100).verdict == "same"  # sure, but below the threshold


def test_the_structure() -> None:
    report = drift({"x": [1.0] * 100, "y": [1] * 100}, {"y": [1] * 100, "z": [1] * 100})
    assert report.missing_columns == ["x"] and report.extra_columns == ["z"] and report.verdict == "drifted"
    assert report.columns[0].reasons == ["the column is missing"] and report.columns[1].verdict == "same"
    found = column([1.0, 2.0] * 100, ["1", "two"] * 100)
    assert found.verdict == "drifted" and found.reasons == ["100 of 200 values are no float"]
    assert column([1.0, 2.0] * 100, ["1", "2.0"] * 100).verdict == "same"


def test_values_beyond_the_range_and_bounds() -> None:
    found = column(np.arange(1000.0), np.arange(1000.0) + 500)
    assert found.outside == pytest.approx(0.5, abs=0.002) and found.distribution is not None
    assert found.distribution.ks is not None and found.distribution.ks_at_most is not None
    assert 0.49 < found.distribution.ks <= 0.5 <= found.distribution.ks_at_most + 0.001 < 0.52


def test_tiny_windows_are_not_judged() -> None:
    report = drift({"x": normal(5000, 1)}, {"x": normal(10, 2, 9.0)})
    assert report.verdict == "unjudged" and not report.blocking
    assert report.columns[0].reasons == ["10 rows are too few; 50 are needed"]
    assert drift({"x": normal(5000, 1)}, {"x": normal(10, 2, 9.0)}, minimum_rows=5).verdict == "drifted"
    assert drift({"x": normal(5000, 1)}, {"y": normal(10, 2)}).verdict == "drifted"  # a missing column needs no rows


def test_rules_of_a_column() -> None:
    sides = {"a": normal(5000, 1), "b": normal(5000, 3)}, {"a": normal(5000, 2, 0.3), "b": normal(5000, 4)}
    assert drift(*sides).blocking
    ignored = drift(*sides, columns={"a": ColumnRule(severity="ignore")})
    assert ignored.verdict == "same" and ignored.columns[0].verdict == "ignored" and ignored.tests == 2
    warned = drift(*sides, columns={"a": ColumnRule(severity="warn")})
    assert warned.verdict == "drifted" and not warned.blocking
    wide = drift(*sides, columns={"a": ColumnRule(effect=0.2)})
    assert wide.verdict == "same" and wide.columns[0].threshold == 0.2
    assert drift(*sides, severity="warn").blocking is False


def test_columns_that_part_are_seen_together_alone() -> None:
    first, noise = normal(20_000, 1), normal(20_000, 2)
    report = drift({"x": first, "y": first + noise}, {"x": first, "y": (first + noise)[::-1]})
    assert [each.verdict for each in report.columns] == ["same", "same"]
    assert report.joint.verdict == "drifted" and report.blocking and report.verdict == "drifted"
    pair = report.joint.pairs[0]
    assert (pair.first, pair.second) == ("x", "y") and pair.reference > 0.6 and abs(pair.current) < 0.05
    assert "x with y: correlation 0.6" in report.joint.reasons[0]
    assert not drift({"x": first, "y": first}, {"x": first, "y": first[::-1]}, joint_severity="warn").blocking
    assert drift({"x": first, "y": first}, {"x": first, "y": -first}).joint.verdict == "drifted"
    ignored = {"y": ColumnRule(severity="ignore")}
    assert drift({"x": first, "y": first}, {"x": first, "y": -first}, columns=ignored).joint.verdict == "unjudged"


def test_correlations_are_those_of_the_ranks() -> None:
    first = normal(30_000, 5)
    second = np.exp(0.7 * first + normal(30_000, 6))  # a rank correlation does not see the scale
    sketch = Sketch.of({"x": first, "y": second})
    ranks = np.corrcoef(*(np.argsort(np.argsort(each)) for each in (first, second)))[0, 1]
    found, variance, _ = sketch.pairs.correlations(sketch.counts)
    assert found[0, 1] == pytest.approx(ranks, abs=0.01)
    draws = []
    for seed in range(200):  # the stated variance is the one that samples have
        rows = np.random.default_rng(seed).integers(0, 30_000, 1000)
        drawn = Sketch.of({"x": first[rows], "y": second[rows]}, like=sketch)
        draws.append(drawn.pairs.correlations(drawn.counts)[0][0, 1])
    assert np.var(draws) * 1000 == pytest.approx(variance[0, 1], rel=0.35)


def test_a_stream_window_by_window() -> None:
    known = Sketch.of({"x": normal(20_000, 1), "y": normal(20_000, 2)})
    day = Sketch.of([{"x": normal(700, 10 + n), "y": normal(700, 50 + n)} for n in range(6)], like=known)
    assert compare(known, day).verdict == "same"
    next_day = Sketch.of({"x": normal(4000, 80, 0.5), "y": normal(4000, 81)}, like=known)
    assert compare(known, next_day).columns[0].verdict == "drifted"
    assert compare(known, Sketch.merge(day, next_day)).columns[0].verdict == "drifted"


def test_the_report_is_a_record() -> None:
    report = drift({"x": normal(500, 1), "c": ["a", "b"] * 250}, {"x": normal(500, 2), "c": ["a", "b"] * 250})
    assert decode(DriftReport, report.to_json(), where="here") == report
    known = json_schema(DriftReport)["$defs"]["DriftReport"]["properties"]
    assert set(msgspec.json.decode(report.to_json())) <= set(known)
    assert report.tests == 4 and report.correction == "Holm" and report.alpha == 0.01
    for each in report.columns:
        assert sum(bar.reference for bar in each.bars) == pytest.approx(1)
        assert sum(bar.current for bar in each.bars) == pytest.approx(1)
