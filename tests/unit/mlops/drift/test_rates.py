"""Error rates on streams whose drift is known; the whole table is `python -m benchmarks.drift_rates`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.drift_rates import BEGIN, CHANGES, END, guide, measure

REPOSITORY = Path(__file__).parents[4]


def test_false_alarms_are_rare_and_shifts_are_found() -> None:
    assert measure("none", 1_000, 40)["either"] <= 2
    for change in CHANGES:
        assert measure(change, 100_000, 1)["either"] == (change != "none")


@pytest.mark.slow
def test_no_more_than_two_in_a_hundred_false_alarms_over_a_thousand_runs() -> None:
    assert measure("none", 1_000, 1000)["either"] <= 20


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_shift_of_a_twentieth_of_a_standard_deviation_is_found() -> None:
    found = measure("shift", 100_000, 100)
    assert found["either"] >= 95


def test_the_guide_shows_the_rates_that_were_measured() -> None:
    text = (REPOSITORY / "docs/guide/drift.md").read_text()
    rates = json.loads((REPOSITORY / "benchmarks/drift_rates.json").read_text())
    assert BEGIN in text and END in text and guide(text, rates) == text
    null = [each for each in rates if each["change"] == "none"]
    assert len(null) == 3 and all(each["either"] <= 0.02 * each["runs"] for each in null)
