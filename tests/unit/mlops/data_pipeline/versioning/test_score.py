"""The quality score and its parts."""

from __future__ import annotations

from mlops.data_pipeline.versioning import score
from mlops.records import CheckResult


def expectation(kind: str, success: bool = True) -> dict[str, object]:
    return {"expectation_config": {"type": kind, "kwargs": {}}, "success": success}


def check(name: str, success: bool = True) -> CheckResult:
    return CheckResult(name=name, success=success, severity="block", message="")


def test_each_expectation_and_check_counts_once_in_its_part() -> None:
    found = score.parts(
        [
            expectation("expect_column_values_to_not_be_null"), expectation("expect_column_values_to_be_unique", False),
            expectation("expect_column_values_to_be_between"), expectation("expect_column_mean_to_be_between"),
            expectation("expect_table_row_count_to_be_between"), expectation("expect_column_to_exist"),
            expectation("expect_column_pair_values_a_to_be_greater_than_b"),
        ],
        [check("duplicates"), check("missing height", False), check("volume of test"), check("freshness"),
         check("target of train"), check("leakage between splits"), check("grown"), check("reference a to b")],
    )
    assert {part.name: (part.held, part.asked) for part in found} == {
        "completeness": (1, 2), "uniqueness": (1, 2), "validity": (1, 1), "distribution": (1, 1), "volume": (2, 2),
        "schema": (1, 1), "consistency": (3, 3), "timeliness": (1, 1), "target": (1, 1), "split": (1, 1),
    }
    assert score.whole(found) == 13 / 15


def test_nothing_asked_is_no_quality() -> None:
    assert score.parts([], []) == [] and score.whole([]) == 0.0


def test_an_expectation_that_nobody_has_sorted_is_about_validity() -> None:
    assert score.parts([expectation("expect_something_new", False)], [])[0].name == "validity"
