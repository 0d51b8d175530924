"""What Great Expectations lets pass or breaks on, and what is said here: each trap with both sides."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.errors import ConfigurationError
from mlops.validation import Outcome, gx, read_suite, validate, write_site
from mlops.validation.suites import Suite

GOOD = {"type": "expect_column_to_exist", "kwargs": {"column": "n"}}
TABLE = pl.DataFrame({
    "n": [1.0, 2.0, 300.0], "word": ["ab", "b", "xab"], "empty": pl.Series([None] * 3, dtype=pl.Float64),
})
pytestmark = pytest.mark.filterwarnings("ignore")


def expectation(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs}


@pytest.fixture
def ours(tmp_path: Path) -> Any:
    def run(table: pl.DataFrame, *expectations: dict[str, Any], **options: Any) -> Outcome:
        path = tmp_path / "suite.json"
        path.write_text(json.dumps({"name": "s", "expectations": list(expectations)}))
        return validate(read_suite(path), table, **options)

    return run


def theirs(table: pl.DataFrame, *expectations: dict[str, Any]) -> Any:
    """Great Expectations' own result of a suite that it read itself."""
    library = gx.load()
    from great_expectations.core.expectation_suite import ExpectationSuite

    frame = table.to_pandas()
    asset = gx.context(library).data_sources.add_pandas("p").add_dataframe_asset("a")
    batch = asset.add_batch_definition_whole_dataframe("b").get_batch({"dataframe": frame})
    return batch.validate(ExpectationSuite(name="s", expectations=list(expectations)))


def test_a_misspelt_type_is_dropped_there_and_refused_here(ours: Any) -> None:
    misspelt = expectation("expect_column_values_to_be_betwen", column="n", min_value=0, max_value=10)
    result = theirs(TABLE, GOOD, misspelt)
    assert result.success and result.statistics["evaluated_expectations"] == 1, "one of two was dropped in silence"
    with pytest.raises(ConfigurationError, match="did you mean expect_column_values_to_be_between"):
        ours(TABLE, GOOD, misspelt)


def test_all_misspelt_passes_there(ours: Any) -> None:
    misspelt = [expectation(f"expect_column_values_to_be_betwen{number}", column="n") for number in range(27)]
    assert theirs(TABLE, GOOD, *misspelt).statistics["success_percent"] == 100.0
    with pytest.raises(ConfigurationError, match="expectation 2"):
        ours(TABLE, GOOD, *misspelt)


def test_an_empty_suite_passes_there_and_is_refused_here(ours: Any) -> None:
    assert theirs(TABLE).success
    with pytest.raises(ConfigurationError, match="no expectation"):
        ours(TABLE)


ROWS = [
    expectation("expect_column_values_to_be_between", column="n", min_value=0, max_value=1),
    expectation("expect_column_values_to_be_in_set", column="n", value_set=[5]),
    expectation("expect_column_values_to_not_be_null", column="n"),
    expectation("expect_column_values_to_match_regex", column="word", regex="^z$"),
    expectation("expect_column_values_to_be_unique", column="n"),
    expectation("expect_compound_columns_to_be_unique", column_list=["n", "word"]),
]


@pytest.mark.parametrize("engine", ["compiled", "gx"])
def test_no_rows_pass_there_and_fail_here(ours: Any, engine: str) -> None:
    nothing = TABLE.clear()
    assert theirs(nothing, *ROWS).success
    outcome = ours(nothing, *ROWS, engine=engine)
    assert outcome.verdict == "fail" and outcome.document["success"] is False
    assert "no rows" in outcome.text()


@pytest.mark.parametrize("engine", ["compiled", "gx"])
@pytest.mark.parametrize("kind", [
    expectation("expect_column_values_to_be_between", column="empty", min_value=0, max_value=1),
    expectation("expect_column_values_to_be_in_set", column="empty", value_set=[5]),
    expectation("expect_column_values_to_be_unique", column="empty"),
    expectation("expect_column_distinct_values_to_be_in_set", column="empty", value_set=[5]),
    expectation("expect_column_value_lengths_to_equal", column="empty", value=5),
])
def test_an_empty_column_passes_there_and_fails_here(ours: Any, kind: dict[str, Any], engine: str) -> None:
    assert theirs(TABLE, kind).success
    outcome = ours(TABLE, kind, GOOD, engine=engine)
    assert outcome.verdict == "fail" and [each["success"] for each in outcome.document["results"]] == [False, True]
    assert "empty: the column is empty" in outcome.text()


def test_what_is_about_emptiness_may_hold_for_an_empty_column(ours: Any) -> None:
    assert ours(
        TABLE, expectation("expect_column_values_to_be_null", column="empty"),
        expectation("expect_column_to_exist", column="empty"),
        expectation("expect_column_values_to_be_in_type_list", column="empty", type_list=["float64"]),
        expectation("expect_column_proportion_of_non_null_values_to_be_between", column="empty", max_value=0.5),
    ).success


def test_quantiles_answer_with_numpys_truth_there_and_with_json_here(ours: Any) -> None:
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 10]]}
    quantiles = expectation("expect_column_quantile_values_to_be_between", column="n", quantile_ranges=ranges)
    success = theirs(TABLE, quantiles).results[0].success
    assert type(success).__module__ == "numpy", "which no JSON encoder takes"
    with pytest.raises(TypeError):
        json.dumps(success)
    document = ours(TABLE, quantiles).document
    assert document["results"][0]["success"] is True and json.loads(json.dumps(document)) == document


def test_a_pattern_is_searched_not_matched_as_a_whole(ours: Any) -> None:
    pattern = expectation("expect_column_values_to_match_regex", column="word", regex="ab")
    outcome = ours(TABLE, pattern)
    counts = outcome.document["results"][0]["result"]
    assert counts["unexpected_count"] == 1 and counts["unexpected_index_list"] == [1], "xab holds ab"
    assert theirs(TABLE, pattern).results[0].result["unexpected_count"] == 1


@pytest.mark.parametrize(("pattern", "bad"), [
    (r"^(?!x)", [2]), (r"(?<=x)a", [0, 1]), (r"^(.)(?!\1)", []), (r"(b)\1", [0, 1, 2]),
])
def test_look_around_and_references_back_are_understood(ours: Any, pattern: str, bad: list[int]) -> None:
    outcome = ours(TABLE, expectation("expect_column_values_to_match_regex", column="word", regex=pattern))
    result = outcome.document["results"][0]
    assert result["result"].get("unexpected_index_list", []) == bad and "reason" not in result["meta"]


def test_a_missing_column_has_two_shapes_there_and_one_here(ours: Any) -> None:
    kinds = [expectation("expect_column_values_to_not_be_null", column="absent"),
             expectation("expect_column_type_to_be", column="absent", type_="int64")]
    shapes = [each.exception_info for each in theirs(TABLE, *kinds).results]
    assert sorted("raised_exception" in shape for shape in shapes) == [False, True], "flat, and keyed by metric"
    for engine in ("compiled", "gx"):
        outcome = ours(TABLE, *kinds, engine=engine)
        assert outcome.verdict == "fail" and outcome.evaluated == 0
        for result in outcome.document["results"]:
            assert result["exception_info"]["raised_exception"] is True and result["success"] is False
            assert "absent" in result["exception_info"]["exception_message"]


def test_types_have_one_name_whatever_the_file(ours: Any, tmp_path: Path) -> None:
    kind = expectation("expect_column_values_to_be_in_type_list", column="n", type_list=["float64"])
    TABLE.write_parquet(tmp_path / "t.parquet")
    pl.read_csv(TABLE.write_csv().encode()).select("n").write_ipc(tmp_path / "t.arrow")
    for table in (TABLE, TABLE.lazy(), tmp_path / "t.parquet", pl.scan_ipc(tmp_path / "t.arrow")):
        assert ours(table, kind).success


def test_a_lazy_frame_is_checked_row_by_row(ours: Any) -> None:
    outcome = ours(TABLE.lazy(), expectation("expect_column_values_to_be_between", column="n", max_value=10))
    assert outcome.verdict == "fail" and outcome.findings[0].rows == (3,)


def test_a_date_as_bound_of_times_raises_there_and_is_its_midnight_here(ours: Any) -> None:
    table = pl.DataFrame({"t": [datetime.datetime(2020, 1, 1, 5), datetime.datetime(2020, 1, 31, 0, 0, 1)]})
    limits = {"min_value": "2020-01-01", "max_value": "2020-01-31"}
    dated = expectation("expect_column_values_to_be_between", column="t", **limits)
    assert "Cannot compare Timestamp with datetime.date" in str(theirs(table, dated).results[0].exception_info)
    assert ours(table, dated).findings[0].rows == (2,)


def test_the_pages_load_from_other_hosts_there_and_from_none_here(ours: Any, tmp_path: Path) -> None:
    from great_expectations.render.renderer import ValidationResultsPageRenderer
    from great_expectations.render.view import DefaultJinjaPageView

    page = DefaultJinjaPageView().render(ValidationResultsPageRenderer().render(theirs(TABLE, GOOD)))
    hosts = set(re.findall(r"(?:src|href)=[\"']https?://([^/\"']+)", page))
    assert len(hosts) >= 5, hosts
    own = write_site(tmp_path / "site", ours(TABLE, GOOD).document, title="t", notes=[], simulated=False)
    assert not re.search(r"https?://", own.read_text())


def test_numbers_stored_as_text_are_an_error_there_and_name_their_cells_here(ours: Any) -> None:
    table = pl.DataFrame({"n": ["1", "2", "x"]})
    bounds = expectation("expect_column_values_to_be_between", column="n", min_value=0)
    types = expectation("expect_column_values_to_be_in_type_list", column="n", type_list=["float64"])
    assert "must either be None or of the same type" in str(theirs(table, bounds).results[0].exception_info)
    outcome = ours(table, bounds, types)
    assert outcome.verdict == "fail" and "row 3 is 'x'" in outcome.text()


def test_great_expectations_own_suite_object_reads_the_same_file(ours: Any, tmp_path: Path) -> None:
    ours(TABLE, GOOD)
    suite = read_suite(tmp_path / "suite.json")
    assert isinstance(suite, Suite) and suite.expectations == (GOOD,)
