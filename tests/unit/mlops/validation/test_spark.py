"""Great Expectations on Spark: the engine for data beyond one machine, on the Spark of this one."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.errors import ConfigurationError
from mlops.validation import read_suite, validate

INSTALLED = importlib.util.find_spec("pyspark") is not None and shutil.which("java") is not None
needs_spark = pytest.mark.skipif(
    not INSTALLED and os.environ.get("MLOPS_REQUIRE_ENGINES") != "1",
    reason="pyspark and Java are not installed (requirements/spark.txt)",
)
TABLE = pl.DataFrame({
    "n": [1.0, 2.0, 300.0, None], "key": [1, 2, 3, 3], "word": ["ab", "b", None, "xab"],
    "flag": [True, False, None, True],
})
SUITE = [
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "n", "min_value": 0, "max_value": 10}},
    {"type": "expect_column_values_to_be_unique", "kwargs": {"column": "key"}},
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "word", "mostly": 0.5}},
    {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "word", "value_set": ["ab", "b"]}},
    {"type": "expect_column_values_to_match_regex", "kwargs": {"column": "word", "regex": "b$"}},
    {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "n", "max_value": 50}},
    {"type": "expect_table_row_count_to_equal", "kwargs": {"value": 4}},
    {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["key", "word"]}},
]


def suite(folder: Path, expectations: list[dict[str, Any]]) -> Any:
    path = folder / "suite.json"
    path.write_text(json.dumps({"name": "s", "expectations": expectations}))
    return read_suite(path)


@pytest.mark.engine
@needs_spark
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["memory", "files"])
def test_spark_and_the_compiled_engine_agree(tmp_path: Path, form: str) -> None:
    data: Any = TABLE
    if form == "files":
        (tmp_path / "parts").mkdir()
        for number, part in enumerate(TABLE.iter_slices(2)):
            part.write_parquet(tmp_path / "parts" / f"{number}.parquet")
        data = tmp_path / "parts"
    declared = suite(tmp_path, SUITE)
    spark, ours = validate(declared, data, engine="spark"), validate(declared, data)
    assert spark.engine.startswith("great_expectations/spark") and spark.verdict == ours.verdict == "fail"
    for one, other in zip(spark.document["results"], ours.document["results"], strict=True):
        kind = one["expectation_config"]["type"]
        assert one["success"] is other["success"], kind
        for name in ("element_count", "unexpected_count", "missing_count", "observed_value"):
            if name in one["result"]:
                assert one["result"][name] == pytest.approx(other["result"][name]), (kind, name)


@pytest.mark.engine
@needs_spark
@pytest.mark.filterwarnings("ignore")
def test_no_rows_and_empty_columns_fail_on_spark_too(tmp_path: Path) -> None:
    declared = suite(tmp_path, SUITE[:1])
    assert validate(declared, TABLE.clear(), engine="spark").verdict == "fail"
    empty = TABLE.with_columns(pl.lit(None, dtype=pl.Float64).alias("n"))
    assert validate(declared, empty, engine="spark").verdict == "fail"


def test_without_pyspark_the_setting_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(ConfigurationError, match="pyspark is not installed") as caught:
        validate(suite(tmp_path, SUITE), TABLE, engine="spark")
    assert "requirements/spark.txt" in str(caught.value)
