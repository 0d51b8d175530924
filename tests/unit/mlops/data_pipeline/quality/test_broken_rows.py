"""Rows that break what the suite expects of rows are set aside; the table is judged on those that remain."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, intake, steps
from mlops.data_pipeline.card import content as card, markdown, page
from mlops.data_pipeline.judge import judge
from mlops.data_pipeline.quality import broken_rows
from mlops.data_pipeline.quality.quarantine import REASON, ROW
from mlops.data_pipeline.versioning import versions
from mlops.errors import BadDataError, BusyError

SUITE = [
    ("expect_table_row_count_to_be_between", {"min_value": 50, "max_value": 60}),
    ("expect_column_mean_to_be_between", {"column": "age", "min_value": 30, "max_value": 60}),
    ("expect_column_values_to_be_between", {"column": "age", "min_value": 0, "max_value": 120}),
    ("expect_column_values_to_match_regex", {"column": "name", "regex": "^p"}),
    ("expect_column_values_to_be_unique", {"column": "age"}),
    ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "wage", "column_B": "age"}),
    ("expect_column_values_to_not_be_null", {"column": "height", "mostly": 0.5}),
    ("expect_column_values_to_be_increasing", {"column": "age", "mostly": 0.5}),
]
BAD = {5: "p1, 2000 ,1.5,3000.50", 9: "p2,many,1.5,900", 12: "x3,31,1.5,900", 30: "p4,20,1.5,900", 41: "p5,60,1.5,1"}
REASONS = {
    1: "age: '20' breaks expect_column_values_to_be_unique (be unique)",
    5: "age: ' 2000 ' breaks expect_column_values_to_be_between (be between 0 and 120)",
    9: "age: 'many' is no whole number",
    12: "name: 'x3' breaks expect_column_values_to_match_regex (match regex (regex '^p'))",
    30: "age: '20' breaks expect_column_values_to_be_unique (be unique)",
    41: "wage, age: '1', '60' breaks expect_column_pair_values_a_to_be_greater_than_b (a to be greater than b "
        "(column_A 'wage', column_B 'age'))",
}


@pytest.fixture
def asked(tree: Path, change: Any) -> Callable[..., Dataset]:
    """The data set with a quarantine and a suite of rows and of the table, and bad rows in its source."""

    def make(share: float = 0.2, source: str = "data/raw/people.csv") -> Dataset:
        suite = {"name": "people", "expectations": [{"type": kind, "kwargs": kwargs} for kind, kwargs in SUITE]}
        (tree / "data/expectations/people.json").write_text(json.dumps(suite))
        path = tree / "data/raw/people.csv"
        lines = path.read_text().splitlines()
        for row, text in BAD.items():
            lines[row] = text
        path.write_text("\n".join(lines) + "\n")
        more = f"source: {source}\nquarantine: {{maximum_share: {share}}}"
        found: Dataset = change("source: data/raw/people.csv", more)
        return found

    return make


def test_rows_that_break_the_suite_are_set_aside(asked: Any, places: Workspace, work: Path) -> None:
    dataset = asked()
    record = steps.ingest(places, dataset, work)
    aside = pl.read_parquet(work / "quarantine.parquet")
    assert dict(zip(aside[ROW], aside[REASON], strict=True)) == REASONS
    assert aside.row(1)[:4] == ("p1", " 2000 ", "1.5", "3000.50")
    assert (record.rows, record.quarantined, sum(record.reasons.values())) == (54, 6, 6)
    assert record.reasons["age breaks expect_column_values_to_be_unique (be unique)"] == 2
    assert record.aside[1] == f"row 5: {REASONS[5]}" and record.wrong_cells == 1
    kept = intake.read_source(dataset).table.with_row_index("n", offset=1).filter(~pl.col("n").is_in(list(REASONS)))
    table = pl.read_parquet(work / "ingested.parquet")
    assert table["age"].to_list() == kept["age"].cast(pl.Int64).to_list()
    assert steps.validate(places, dataset, work).success  # the mean, too, is of the rows that remain
    steps.process(places, dataset, work)
    told = next(each for each in steps.check(places, dataset, work) if each.name == "rows set aside")
    assert not told.success and told.severity == "warn" and told.details["count"] == 6
    assert "6 of 60 rows are bad (10.00%), 20.00% may be set aside: age breaks" in told.message
    version = steps.version(places, dataset, work)
    assert version.source.reasons == record.reasons and told in version.checks
    shown = card.collect(places, versions.find(places, "people"))
    why = "6 rows: age breaks expect_column_values_to_be_unique (be unique) (2); "
    assert why in page.render(shown) and why in markdown.render(shown)


def test_too_many_broken_rows_are_refused_with_the_reasons(asked: Any, places: Workspace, work: Path) -> None:
    with pytest.raises(BadDataError, match=r"6 of 60 rows are bad \(10.00%\), 5.00% may be set aside\n  - row 1: age"):
        steps.ingest(places, asked(0.05), work)
    assert not (work / "ingested.parquet").exists()
    assert pl.read_parquet(work / "quarantine.parquet")[ROW].to_list() == list(REASONS)


def test_an_expectation_that_most_rows_break_names_only_the_first(
    asked: Any, places: Workspace, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.validation import validate as module  # the function, whose module holds the limit

    monkeypatch.setattr(sys.modules[module.__module__], "ROWS", 4)
    dataset = asked(0.15)
    found = {each.expectation: each for each in broken_rows.find(dataset, _table(dataset, work), 9)}
    assert found["expect_column_values_to_be_unique"].rows.to_list() == [0, 28]
    suite = dataset.suite_path
    suite.write_text(suite.read_text().replace('"max_value": 120', '"max_value": 60'))
    (long,) = (each for each in broken_rows.find(dataset, _table(dataset, work), 9) if "between" in each.expectation)
    assert long.count > 9 and len(long.rows) == 4
    (whole,) = (each for each in broken_rows.find(dataset, _table(dataset, work), 90) if "between" in each.expectation)
    assert len(whole.rows) == whole.count == long.count
    with pytest.raises(BadDataError, match="at least 20 of 60 rows are bad"):
        steps.ingest(places, dataset, work)


def _table(dataset: Dataset, work: Path) -> Path:
    """The typed rows alone, as the suite is asked about them."""
    path = work.parent / "typed.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    table = intake.read_source(dataset).table
    ages = pl.col("age").str.strip_chars().cast(pl.Int64, strict=False)
    table.with_columns(ages).drop_nulls("age").write_parquet(path)
    return path


def test_what_would_be_set_aside_is_told_without_a_trace(asked: Any, work: Path) -> None:
    dataset = asked()
    found = judge(dataset)
    told = next(each for each in found.document["checks"] if each["name"] == "rows set aside")
    assert found.verdict == "pass" and told["details"]["rows"] == [f"row {row}: {why}" for row, why in REASONS.items()]
    assert "warning: rows set aside: 6 of 60 rows" in found.summary() and not work.exists()
    found = judge(_asked_again(dataset, 0.05))
    told = next(each for each in found.document["checks"] if each["name"] == "rows set aside")
    assert found.verdict == "fail" and told["severity"] == "block"
    unique = next(each for each in found.document["results"] if each["expectation_config"]["type"].endswith("_regex"))
    assert unique["result"]["unexpected_index_list"] == [11]  # all rows are judged, as they stand in the source


def _asked_again(dataset: Dataset, share: float) -> Dataset:
    from mlops.data_pipeline import read_dataset

    dataset.file.write_text(dataset.file.read_text().replace("maximum_share: 0.2}", f"maximum_share: {share}}}"))
    return read_dataset(dataset.repository, dataset.name)


def test_rows_that_change_between_the_two_readings_are_not_taken(
    asked: Any, places: Workspace, work: Path, tree: Path
) -> None:
    (tree / "people_product/moving.py").write_text(
        "import polars as pl\nCALLS = []\ndef load():\n    CALLS.append(1)\n    ages = list(range(20, 79)) + [20]\n"
        "    return pl.DataFrame({'name': ['p'] * 60, 'age': ages if len(CALLS) == 1 else ages[::-1],\n"
        "                         'height': [1.5] * 60, 'wage': [900.0] * 60})\n"
    )
    with pytest.raises(BusyError, match="changed between two readings"):
        steps.ingest(places, asked(source="people_product.moving:load"), work)
    assert not list(work.glob("*.parquet"))


KILLED = """
import os, signal, sys
from pathlib import Path
from mlops.config import Workspace
from mlops.data_pipeline import read_dataset, steps
root, real = Path(sys.argv[1]), os.replace
def replace(source, target, **options):
    real(source, target, **options)
    if Path(target).name == sys.argv[2]:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
places = Workspace(root)
steps.ingest(places, read_dataset(root, "people"), places.data / "people" / "work" / "default")
"""


def test_killed_between_the_files_nothing_is_mistaken_for_whole(
    asked: Any, places: Workspace, tree: Path, work: Path
) -> None:
    dataset = asked()
    steps.ingest(places, dataset, work)
    (tree / "data/raw/people.csv").write_text((tree / "data/raw/people.csv").read_text().replace("x3", "y3"))
    for last in ("quarantine.parquet", "ingested.parquet"):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(tree), last], env={**os.environ, "PYTHONPATH": str(tree)},
            capture_output=True, text=True, check=False,
        )
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        with pytest.raises(BadDataError, match="about other data"):
            steps.validate(places, dataset, work)
    steps.ingest(places, dataset, work)
    assert steps.validate(places, dataset, work).success
    assert "'y3'" in "".join(pl.read_parquet(work / "quarantine.parquet")[REASON])
    (work / "quarantine.parquet").unlink()
    with pytest.raises(BadDataError, match="run `mlops data ingest people` again"):
        steps.validate(places, dataset, work)
