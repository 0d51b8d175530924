"""The verdict fails closed, and what it says can be understood."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.errors import BadDataError, ConfigurationError
from mlops.validation import Outcome, read_suite, validate


def expectation(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs}


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    def run(table: pl.DataFrame, *expectations: dict[str, Any]) -> Outcome:
        path = tmp_path / "suite.json"
        path.write_text(json.dumps({"name": "s", "expectations": list(expectations)}, indent=1))
        return validate(read_suite(path), table)

    return run


TABLE = pl.DataFrame({"age": [1.0, 2.0, 300.0, None], "word": ["a", "b", "c", "a"], "text": ["1", "x", "3", None]})
PRESENT = expectation("expect_column_to_exist", column="age")


def test_good_data_passes_and_everything_declared_was_evaluated(judged: Any) -> None:
    outcome = judged(TABLE, PRESENT, expectation("expect_table_row_count_to_equal", value=4))
    assert outcome.success and outcome.verdict == "pass" and not outcome.findings
    assert (outcome.declared, outcome.evaluated, outcome.successful) == (2, 2, 2)
    assert outcome.document["success"] is True
    assert outcome.refusal("x", suite="s") is None


def test_results_stand_in_the_suites_order(judged: Any) -> None:
    kinds = ["expect_column_to_exist", "expect_table_row_count_to_equal", "expect_column_values_to_not_be_null"]
    outcome = judged(
        TABLE, PRESENT, expectation(kinds[1], value=9), expectation(kinds[2], column="absent"), PRESENT,
    )
    assert [each["expectation_config"]["type"] for each in outcome.document["results"]] == [*kinds, kinds[0]]


@pytest.mark.parametrize("misspelt", [
    "expect_column_values_to_be_betwen", "expect_column_values_be_between", "ExpectColumnToExist", ""
])
def test_a_misspelt_expectation_is_refused_not_dropped(judged: Any, misspelt: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        judged(TABLE, PRESENT, expectation(misspelt, column="age"))
    assert "expectation 2" in caught.value.message
    assert int((caught.value.where or "").rpartition(":")[2]) > 0


def test_a_near_miss_is_suggested(judged: Any) -> None:
    with pytest.raises(ConfigurationError, match="did you mean expect_column_values_to_be_between"):
        judged(TABLE, expectation("expect_column_values_to_be_betwen", column="age"))


@pytest.mark.parametrize("wrong", [
    {"column": "age", "min_valeu": 1}, {"column": "age", "min_value": {}}, {"min_value": 1}, {"column": "age"},
])
def test_wrong_arguments_are_refused_or_an_error_never_a_pass(judged: Any, wrong: dict[str, Any]) -> None:
    try:
        outcome = judged(TABLE, PRESENT, expectation("expect_column_values_to_be_between", **wrong))
    except ConfigurationError as error:
        assert "expectation 2" in error.message
    else:
        assert outcome.verdict == "error"


def test_a_table_without_rows_fails_whatever_the_suite_says(judged: Any) -> None:
    outcome = judged(TABLE.clear(), expectation("expect_column_values_to_be_between", column="age", min_value=0))
    assert outcome.verdict == "fail" and outcome.document["success"] is False
    assert "no rows" in outcome.text()


def test_a_missing_column_is_a_failure_with_a_hint(judged: Any) -> None:
    outcome = judged(
        TABLE.rename({"age": "Age "}), PRESENT, expectation("expect_column_values_to_not_be_null", column="age")
    )
    assert outcome.verdict == "fail"
    assert all("is missing (there is 'Age '" in finding.message for finding in outcome.findings)
    assert len(outcome.findings) == 2 and len(outcome.lines()) == 1
    assert outcome.lines()[0].endswith("[expect_column_to_exist and 1 more]")


def test_an_expectation_that_raises_is_an_error_and_no_failure(judged: Any) -> None:
    outcome = judged(TABLE, expectation("expect_column_values_to_match_regex", column="word", regex="("))
    assert outcome.verdict == "error" and outcome.evaluated == 0
    error = outcome.refusal("rows.csv", suite="s.json")
    assert isinstance(error, ConfigurationError) and error.exit_code == 2
    assert "could not be evaluated" in str(error)
    assert outcome.document["statistics"]["evaluated_expectations"] == 1
    info = outcome.document["results"][0]["exception_info"]
    assert info["raised_exception"] is True and info["exception_message"]


def test_failing_rows_are_named_from_one_with_their_values(judged: Any) -> None:
    outcome = judged(TABLE, expectation("expect_column_values_to_be_between", column="age", min_value=0, max_value=120))
    (finding,) = outcome.findings
    assert finding.rows == (3,) and finding.column == "age"
    assert "1 of 4 rows (25.00%)" in finding.message and "row 3 is 300" in finding.message
    assert "between 0 and 120" in finding.message
    error = outcome.refusal("rows.csv", suite="s.json")
    assert isinstance(error, BadDataError) and error.exit_code == 1
    assert "rows.csv" in str(error) and "s.json" in str(error) and "expect_column_values_to_be_between" in str(error)


def test_text_among_numbers_names_the_cells(judged: Any) -> None:
    outcome = judged(
        TABLE, expectation("expect_column_values_to_be_in_type_list", column="text", type_list=["float64"]),
        expectation("expect_column_values_to_be_between", column="text", min_value=0),
    )
    assert outcome.verdict == "fail"
    assert "row 2 is 'x'" in outcome.text()
    assert all(finding.verdict == "fail" for finding in outcome.findings)


def test_empty_cells_are_named(judged: Any) -> None:
    outcome = judged(TABLE, expectation("expect_column_values_to_not_be_null", column="age"))
    assert outcome.findings[0].rows == (4,) and "row 4 is empty" in outcome.text()


def test_pairs_show_both_values(judged: Any) -> None:
    table = pl.DataFrame({"a": [1.0, 5.0], "b": [2.0, 2.0]})
    outcome = judged(table, expectation(
        "expect_column_pair_values_a_to_be_greater_than_b", column_A="a", column_B="b", or_equal=True
    ))
    assert "row 1 is (1, 2)" in outcome.text() and outcome.findings[0].column == "a, b"


def test_numpys_answers_become_json(judged: Any) -> None:
    ranges = {"quantiles": [0.5], "value_ranges": [[0, 1000]]}
    outcome = judged(
        TABLE.drop_nulls("age"),
        expectation("expect_column_quantile_values_to_be_between", column="age", quantile_ranges=ranges),
        expectation("expect_column_mean_to_be_between", column="age", min_value=0, max_value=1000),
        expectation("expect_column_max_to_be_between", column="age", min_value=0, max_value=1000),
    )
    assert outcome.success, outcome.text()
    assert json.loads(json.dumps(outcome.document, allow_nan=False)) == outcome.document


def test_infinity_and_not_a_number_become_json(judged: Any) -> None:
    table = pl.DataFrame({"age": [1.0, float("inf"), float("-inf"), float("nan")]})
    outcome = judged(table, expectation("expect_column_values_to_be_between", column="age", min_value=0, max_value=9))
    assert outcome.verdict == "fail"
    json.dumps(outcome.document, allow_nan=False)


def test_the_same_data_gives_the_same_document(judged: Any) -> None:
    one = judged(TABLE, PRESENT, expectation("expect_column_values_to_not_be_null", column="age"))
    two = judged(TABLE, PRESENT, expectation("expect_column_values_to_not_be_null", column="age"))
    assert one.document == two.document


def test_the_document_says_nothing_of_the_machine(judged: Any) -> None:
    outcome = judged(TABLE, expectation("expect_column_values_to_match_regex", column="word", regex="("))
    assert "site-packages" not in json.dumps(outcome.document)


@pytest.mark.parametrize(("engine", "also"), [
    ("compiled", "not {'great_expectations', 'pandas', 'numpy'} & set(sys.modules)"),
    ("gx", "os.environ['GX_ANALYTICS_ENABLED'] == 'false' and 'posthog' not in sys.modules"),
])
def test_no_telemetry_no_network_and_nothing_in_the_home_folder(tmp_path: Path, engine: str, also: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    suite = tmp_path / "suite.json"
    suite.write_text(json.dumps({"expectations": [PRESENT]}))
    code = (
        "import socket, sys\n"
        "def closed(*a, **k): raise SystemExit('network used')\n"
        "socket.socket.connect = closed; socket.getaddrinfo = closed\n"
        "import polars as pl\n"
        "from pathlib import Path\n"
        "from mlops.validation import read_suite, validate\n"
        f"outcome = validate(read_suite(Path({str(suite)!r})), pl.DataFrame({{'age': [1.0]}}), engine={engine!r})\n"
        "import os\n"
        f"assert outcome.success and {also}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env={"HOME": str(home), "PATH": "/usr/bin:/bin"}, check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not list(home.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "suite.json"]
