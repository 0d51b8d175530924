"""The compiled engine beside Great Expectations on pandas, on tables and suites made by Hypothesis."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mlops.validation import gx, read_suite
from mlops.validation.compiled import run
from mlops.validation.compiled.arguments import FIELDS
from mlops.validation.compiled.columns import Declined
from mlops.validation.compiled.engine import RULES
from mlops.validation.compiled.table import Table
from tests.unit.mlops.validation.parity.compare import both, difference
from tests.unit.mlops.validation.parity.expectations import BUILD, suites
from tests.unit.mlops.validation.parity.tables import tables

GUIDE = Path(__file__).parents[4] / "docs" / "guide" / "expectations.md"
TYPES_A_SUITE = 25
Explains = Callable[[pl.DataFrame, dict[str, Any], dict[str, Any], dict[str, Any], str], bool]


def _times(table: pl.DataFrame, kwargs: dict[str, Any]) -> bool:
    named = [kwargs.get(name) for name in ("column", "column_A", "column_B")]
    return any(table.schema[name].is_temporal() for name in named if name in table.schema)


def _on_the_bound(table: pl.DataFrame, kwargs: dict[str, Any], ours: Any, theirs: Any, found: str) -> bool:
    observed = theirs["result"].get("observed_value")
    limits = [kwargs.get(name) for name in ("min_value", "max_value", "threshold")]
    return isinstance(observed, float) and any(
        isinstance(limit, int | float) and math.isclose(observed, limit, rel_tol=1e-9) for limit in limits
    )


EXPLAINED: dict[str, Explains] = {
    "date-bound": lambda table, kwargs, ours, theirs, found: _times(table, kwargs) and any(
        re.fullmatch(r"\d{4}-\d{2}-\d{2}", str(kwargs.get(name))) for name in ("min_value", "max_value")
    ) and theirs["exception_info"]["raised_exception"],
    "last-bits": _on_the_bound,
    "one-boolean": lambda table, kwargs, ours, theirs, found: found.startswith("observed_value")
    and isinstance(theirs["result"]["observed_value"], bool)
    and ours["result"]["observed_value"] == theirs["result"]["observed_value"],
    "pairs-in-set": lambda table, kwargs, ours, theirs, found: "value_pairs_set" in kwargs and (
        "row_condition" in kwargs or theirs["exception_info"]["raised_exception"]
        and (ours["result"]["element_count"] == ours["result"]["missing_count"] or _times(table, kwargs))),
}
"""What explains that two results differ, by the guide's keys."""
ELSEWHERE = {
    "missing-time": "compare.py takes NaT and null for the same",
    "missing-counted": "compare.py leaves counts of missing values out",
    "empty-column": "test_traps.py", "no-rows": "test_traps.py", "like": "test_compiled.py", "sql": "test_queries.py",
    "big-integers": "test_compiled.py",
}
"""The guide's other keys, and what knows of them."""


def test_the_guide_names_every_difference_that_is_let_pass() -> None:
    table = GUIDE.read_text(encoding="utf-8").partition("## Where the engine differs")[2]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == EXPLAINED.keys() | ELSEWHERE.keys()


def test_every_core_expectation_has_a_rule_and_is_compared() -> None:
    gx.load()
    from great_expectations.expectations.registry import list_registered_expectation_implementations

    core = set(list_registered_expectation_implementations())
    assert RULES.keys() == FIELDS.keys() == core
    assert core - BUILD.keys() == {  # what Great Expectations cannot run on pandas is tested beside this
        "expect_column_values_to_match_like_pattern", "expect_column_values_to_match_like_pattern_list",
        "expect_column_values_to_not_match_like_pattern", "expect_column_values_to_not_match_like_pattern_list",
        "expect_query_results_to_match_comparison", "expect_table_row_count_to_equal_other_table",
        "unexpected_rows_expectation",
    }


@pytest.mark.filterwarnings("ignore")
def test_great_expectations_agrees_on_a_file_as_pandas_reads_it() -> None:
    import pandas as pd

    repository = GUIDE.parents[2]
    suite, source = read_suite(repository / "data/expectations/housing.json"), repository / "data/raw/housing.csv"
    frame, table = pd.read_csv(source), pl.read_csv(source)
    assert str(frame["ocean_proximity"].dtype) == "str"  # pandas' own, which is no `object`
    for wrong in (False, True):
        if wrong:
            frame.loc[[3, 7], "population"], frame.loc[[9], "ocean_proximity"] = -1, "LAKE"
            table[[3, 7], "population"], table[9, "ocean_proximity"] = -1, "LAKE"
        asset = gx.context(gx.load()).data_sources.add_pandas("memory").add_dataframe_asset("table")
        batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
        theirs = {each.expectation_config.id: gx.plain(each)
                  for each in gx.evaluate(suite, gx.build(suite), batch, None, rows=False)}
        failed = 0
        for index, ours in enumerate(run(suite.expectations, Table(table))):
            other = theirs[gx.identity(suite, index)]
            failed += not other["success"]
            counted = "element_count" in other["result"]
            assert ours["success"] is other["success"] and not (counted and difference(ours, other)), (ours, other)
        assert failed == (2 if wrong else 0)


def compare(table: pl.DataFrame, expectations: list[dict[str, Any]], seen: Counter[str]) -> None:
    """Fail where a difference is not explained; count what was seen."""
    for ours, theirs in both(table, expectations):
        seen["compared"] += 1
        if isinstance(ours, Declined):
            assert not str(ours).startswith(("the engine failed", "Polars refuses")), ours
            seen["left to Great Expectations"] += 1
            continue
        found = difference(ours, theirs)
        if found is None:
            continue
        config = theirs["expectation_config"]
        key = next((name for name, explains in EXPLAINED.items()
                    if explains(table, config["kwargs"], ours, theirs, found)), None)
        assert key, f"{config['type']} {config['kwargs']}: {found}\n{table}\n{theirs['exception_info']}"
        seen[key] += 1


def _hold(examples: int) -> Counter[str]:
    seen: Counter[str] = Counter()

    @settings(
        max_examples=examples, derandomize=True, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(tables(), suites(TYPES_A_SUITE))
    def run(table: pl.DataFrame, expectations: list[dict[str, Any]]) -> None:
        compare(table, expectations, seen)

    run()
    return seen


@pytest.mark.filterwarnings("ignore")
def test_a_sample_of_cases_agrees() -> None:
    seen = _hold(24)
    assert seen["compared"] >= 500 and seen["left to Great Expectations"] < 0.4 * seen["compared"], seen


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.filterwarnings("ignore")
def test_ten_thousand_cases_agree() -> None:
    seen = _hold(420)
    print(dict(seen))
    assert seen["compared"] >= 10_000, seen
