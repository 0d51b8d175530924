"""The compiled engine by itself: files, parameters, conditions, and what it leaves to Great Expectations."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.errors import BadDataError, ConfigurationError, MissingInputError
from mlops.validation import Outcome, compiled, read_suite, validate
from mlops.validation.compiled import patterns
from mlops.validation.compiled.columns import Declined
from mlops.validation.compiled.table import Table


def expectation(kind: str, **kwargs: Any) -> dict[str, Any]:
    return {"type": kind, "kwargs": kwargs}


@pytest.fixture
def judged(tmp_path: Path) -> Any:
    def run(
        table: Any, *expectations: dict[str, Any], document: dict[str, Any] | None = None, **options: Any
    ) -> Outcome:
        path = tmp_path / "suite.json"
        path.write_text(json.dumps({"name": "s", "expectations": list(expectations), **(document or {})}))
        return validate(read_suite(path), table, **options)

    return run


def found(outcome: Outcome) -> list[dict[str, Any]]:
    return [each["result"] for each in outcome.document["results"]]


SUITE = [
    expectation("expect_column_values_to_be_unique", column="key"),
    expectation("expect_column_values_to_be_between", column="key", min_value=0),
    expectation("expect_column_values_to_be_between", column="size", min_value=0, max_value=1),
    expectation("expect_column_mean_to_be_between", column="size", min_value=0, max_value=1),
    expectation("expect_column_median_to_be_between", column="size", min_value=0, max_value=1),
    expectation("expect_column_values_to_not_be_null", column="size"),
    expectation("expect_column_values_to_match_regex", column="code", regex=r"^[A-Z]\d{5}$"),
    expectation("expect_column_values_to_be_in_set", column="kind", value_set=["a", "b", "c"]),
    expectation("expect_column_distinct_values_to_equal_set", column="kind", value_set=["a", "b", "c"]),
    expectation("expect_compound_columns_to_be_unique", column_list=["key", "kind"]),
    expectation("expect_column_unique_value_count_to_be_between", column="code", min_value=3),
    expectation("expect_column_values_to_be_increasing", column="key"),
    expectation("expect_column_pair_values_a_to_be_greater_than_b", column_A="key", column_B="size", or_equal=True),
]


def rows(count: int, seed: int = 1) -> pl.DataFrame:
    chance = random.Random(seed)
    return pl.DataFrame({
        "key": range(1, count + 1), "size": [chance.random() for _ in range(count)],
        "code": [f"K{chance.randrange(10**5):05}" for _ in range(count)],
        "kind": [chance.choice("abc") for _ in range(count)],
    })


def rounded(value: Any) -> Any:
    """Without the last bits of sums, which depend on how the rows are divided."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [rounded(item) for item in value]
    return round(value, 12) if isinstance(value, float) else value


def broken(count: int) -> pl.DataFrame:
    """Defects at known rows, not-a-number among them."""
    table = rows(count)
    key, size, code, kind = (table[name].to_list() for name in table.columns)
    key[count - 1], size[7], size[9], size[11], code[100], kind[5] = key[3], float("nan"), None, 7.5, "k1", "z"
    return pl.DataFrame({"key": key, "size": size, "code": code, "kind": kind})


@pytest.mark.parametrize("make", [rows, broken])
def test_memory_files_and_lazy_frames_answer_the_same(judged: Any, tmp_path: Path, make: Any) -> None:
    table = make(3000)
    (tmp_path / "parts").mkdir()
    for number, part in enumerate(table.iter_slices(1000)):
        part.write_parquet(tmp_path / "parts" / f"{number}.parquet", row_group_size=300)
    table.write_parquet(tmp_path / "one.parquet", compression="snappy")
    answers = [rounded(judged(data, *SUITE).document) for data in
               (table, table.lazy(), tmp_path / "one.parquet", tmp_path / "parts")]
    assert answers[0]["success"] is (make is rows)
    assert all(answer == answers[0] for answer in answers[1:])


def test_each_defect_is_found_in_its_row(judged: Any, tmp_path: Path) -> None:
    broken(3000).write_parquet(tmp_path / "one.parquet")
    results = found(judged(tmp_path / "one.parquet", *SUITE))
    lists = [each.get("unexpected_index_list") for each in results]
    assert lists[0] == [3, 2999] and lists[2] == [11] and lists[5] == [7, 9] and lists[6] == [100]
    assert lists[7] == [5] and lists[11] == [2999] and lists[12] == [7, 9]
    assert results[2]["missing_count"] == 2 and results[8]["partial_unexpected_list"] == ["z"]


def test_all_failing_rows_are_counted_and_as_many_named_as_asked(judged: Any) -> None:
    table = pl.DataFrame({"n": range(25_000)})
    low = expectation("expect_column_values_to_be_between", column="n", max_value=-1)
    (some,), (every,) = found(judged(table, low)), found(judged(table, low, every_row=True))
    assert some["unexpected_count"] == every["unexpected_count"] == 25_000
    assert some["unexpected_index_list"] == list(range(10_000))
    assert every["unexpected_index_list"] == list(range(25_000))
    assert some["partial_unexpected_index_list"] == list(range(20)) == some["partial_unexpected_list"]


def test_failing_rows_of_one_column_are_read_once_for_several_rules(judged: Any) -> None:
    import datetime

    day = datetime.datetime(2020, 1, 1)
    table = pl.DataFrame({"t": [day, day + datetime.timedelta(days=2), day, None, day - datetime.timedelta(days=9)]})
    results = found(judged(
        table, expectation("expect_column_values_to_be_between", column="t", min_value="2020-01-01T00:00:00"),
        expectation("expect_column_values_to_be_increasing", column="t"),
        expectation("expect_column_values_to_be_unique", column="t"),
        expectation("expect_column_values_to_not_be_null", column="t"),
    ))
    assert [each["unexpected_index_list"] for each in results] == [[4], [2, 4], [0, 2], [3]]


def test_one_rules_rows_do_not_crowd_out_anothers(judged: Any) -> None:
    table = pl.DataFrame({"n": [*range(40_000), -1]})
    many = expectation("expect_column_values_to_be_between", column="n", max_value=-5)
    one = expectation("expect_column_values_to_be_between", column="n", min_value=0)
    results = found(judged(table, many, one))
    assert results[0]["unexpected_count"] == 40_001 and len(results[0]["unexpected_index_list"]) == 10_000
    assert results[1]["unexpected_count"] == 1 and results[1]["unexpected_index_list"] == [40_000]


def test_keys_beyond_the_exact_floats_are_told_apart(judged: Any) -> None:
    table = pl.DataFrame({"key": [2**53, 2**53 + 1, None]})
    assert judged(table, expectation("expect_column_values_to_be_unique", column="key")).success


def test_equal_hashes_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops.validation.compiled import values

    monkeypatch.setattr(values, "key", lambda column: pl.col(column.name).str.len_chars().cast(pl.UInt64))
    table = pl.DataFrame({"s": [f"{number:04}" for number in range(3000)] + ["0007"]})
    (result,) = compiled.run([expectation("expect_column_values_to_be_unique", column="s")], Table(table))
    assert isinstance(result, dict) and result["result"]["unexpected_index_list"] == [7, 3000]


@pytest.mark.parametrize(("pattern", "escape", "matching"), [
    ("a%", None, [0, 1, 3]), ("A_", None, []), ("%b", None, [1]), ("a!%%", "!", [3]), ("a.", None, []),
    ("a_", None, [0, 1]), ("%", None, [0, 1, 2, 3]), ("a%_b%", None, [3]),
])
def test_like_patterns_are_those_of_sql(judged: Any, pattern: str, escape: str | None, matching: list[int]) -> None:
    table = pl.DataFrame({"s": ["ac", "ab", "x", "a%b\n"]})
    kwargs = {"column": "s", "like_pattern": pattern, **({"escape": escape} if escape else {})}
    (one,) = found(judged(table, expectation("expect_column_values_to_match_like_pattern", **kwargs)))
    (other,) = found(judged(table, expectation("expect_column_values_to_not_match_like_pattern", **kwargs)))
    assert other.get("unexpected_index_list", []) == matching
    assert one.get("unexpected_index_list", []) == [row for row in range(4) if row not in matching]


def test_lists_of_like_patterns_match_any_or_all(judged: Any) -> None:
    table = pl.DataFrame({"s": ["ab", "ac", "x"]})
    listed = {"column": "s", "like_pattern_list": ["a%", "%b"]}
    kind = "expect_column_values_to_match_like_pattern_list"
    results = found(judged(
        table, expectation(kind, **listed), expectation(kind, **listed, match_on="all"),
        expectation("expect_column_values_to_not_match_like_pattern_list", **listed),
    ))
    assert [each["unexpected_index_list"] for each in results] == [[2], [1, 2], [0, 1]]
    bad = judged(table, expectation(kind, **listed, escape="ab"))
    assert bad.verdict == "error" and "single character" in bad.text()


def test_parameters_stand_for_values(judged: Any) -> None:
    limits = expectation("expect_column_values_to_be_between", column="n", max_value={"$PARAMETER": "most"})
    table = pl.DataFrame({"n": [1, 2, 3]})
    assert judged(table, limits, document={"suite_parameters": {"most": 3}}).success
    outcome = judged(table, limits, document={"suite_parameters": {"most": 3}}, parameters={"most": 2})
    assert outcome.verdict == "fail" and outcome.document["suite_parameters"] == {"most": 2}
    assert outcome.document["results"][0]["expectation_config"]["kwargs"]["max_value"] == 2


def test_a_parameter_that_is_an_expression_is_great_expectations_to_compute(judged: Any) -> None:
    limits = expectation("expect_column_values_to_be_between", column="n", max_value={"$PARAMETER": "most * 2"})
    outcome = judged(pl.DataFrame({"n": [1, 2, 9]}), limits, document={"suite_parameters": {"most": 2}})
    assert outcome.findings[0].rows == (3,)
    assert outcome.document["results"][0]["meta"]["engine"] == "great_expectations/pandas"


def test_an_unknown_parameter_is_no_pass(judged: Any) -> None:
    limits = expectation("expect_column_values_to_be_between", column="n", max_value={"$PARAMETER": "absent"})
    try:
        assert judged(pl.DataFrame({"n": [1]}), limits).verdict == "error"
    except ConfigurationError as error:
        assert "absent" in str(error)


def test_what_is_not_compiled_says_so(judged: Any, tmp_path: Path) -> None:
    import datetime

    table = pl.DataFrame({"t": [datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 3)], "n": [1, 2]})
    table.write_parquet(tmp_path / "t.parquet")
    mean = expectation("expect_column_mean_to_be_between", column="t", min_value="2020-01-01T00:00:00",
                       max_value="2020-01-02T00:00:00")
    for data in (table, tmp_path / "t.parquet"):
        outcome = judged(data, expectation("expect_column_to_exist", column="n"), mean)
        metas = [each["meta"] for each in outcome.document["results"]]
        assert outcome.success and metas[0] == {}
        assert metas[1] == {"engine": "great_expectations/pandas", "reason": "figures of times are not compiled"}


def test_columns_of_other_types_are_left_to_great_expectations() -> None:
    table = Table(pl.DataFrame({"l": [[1], [2]]}))
    (result,) = compiled.run([expectation("expect_column_values_to_not_be_null", column="l")], table)
    assert isinstance(result, Declined) and "List" in str(result)


def test_one_expectation_that_polars_refuses_does_not_spoil_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    from mlops.validation.compiled import engine

    def refused(case: Any) -> Any:
        yield [case.scalar("bad", of=pl.col("no such column").sum())]

    monkeypatch.setitem(engine.RULES, "expect_column_sum_to_be_between", refused)
    suite = [
        expectation("expect_column_sum_to_be_between", column="n"),
        expectation("expect_column_max_to_be_between", column="n", max_value=3),
    ]
    first, second = compiled.run(suite, Table(pl.DataFrame({"n": [1, 2]})))
    assert isinstance(first, Declined) and isinstance(second, dict) and second["success"]


def test_an_unknown_engine_is_refused(judged: Any) -> None:
    with pytest.raises(ConfigurationError, match="no engine 'fast'"):
        judged(pl.DataFrame({"n": [1]}), expectation("expect_column_to_exist", column="n"), engine="fast")


def test_files_that_are_no_parquet_are_refused(judged: Any, tmp_path: Path) -> None:
    exists = expectation("expect_column_to_exist", column="n")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(BadDataError, match="cannot be read as Parquet"):
        judged(tmp_path / "x.parquet", exists)
    for absent in (tmp_path / "absent.parquet", tmp_path / "folder"):
        (tmp_path / "folder").mkdir(exist_ok=True)
        with pytest.raises(MissingInputError):
            judged(absent, exists)


@pytest.mark.parametrize("pattern", [
    r"^a", r"a$", r"^\w+$", r"\d+", r"^[a-c]{1,3}?$", r"(?s)a.b", r"a|é", r"[^\s]", r"^(ab)*$", r"\.", r"[\w-]+@x",
    r"\Aab\Z",
])
def test_patterns_mean_the_same_to_rust_as_to_python(pattern: str) -> None:
    words = ["", "a", "ab", "a\n", "a\nb", "é", "½", "٣", "_", " ", "\x1c", "abc", "x@x", "ab.c", "ſ",
             "e\u0301", "\u203f"]
    rust = pl.Series(words).str.contains(patterns.to_rust(pattern)).to_list()
    assert rust == [re.search(pattern, word) is not None for word in words]


@pytest.mark.parametrize("pattern", [r"(?=a)", r"(a)\1", r"(?i)a", r"\ba", r"a$b", r"(?m)^a", r"[^\W\d]", r"a(?i:b)"])
def test_other_patterns_are_left_to_python(pattern: str) -> None:
    with pytest.raises(patterns.Untranslatable):
        patterns.to_rust(pattern)
