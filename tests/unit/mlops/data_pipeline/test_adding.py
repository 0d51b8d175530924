"""Adding a data set is one file and one suite, nothing else: the command runs it, judges by it and refuses by it."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

REPOSITORY = Path(__file__).parents[4]
FILE = """\
title: Wines, as a German laboratory sends them
source: {path: data/raw/wines-*.csv.gz, encoding: cp1252, delimiter: ";", decimal: ",", thousands: "."}
suite: data/expectations/wines.json
target: price
identity: rows
quarantine: {maximum_share: 0.05}
columns:
  name: {type: string}
  bottled: {type: datetime, format: "%d.%m.%Y"}
  acid: {type: float, nullable: true}
  price: {type: float}
split: {test: 0.25}
checks:
  volume: {minimum_rows: 100, minimum_test_rows: 10}
  rules:
    - {name: sour, rule: acid < 20, message: nobody drinks this}
"""
SUITE = {"name": "wines", "expectations": [
    {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "price"}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "price", "min_value": 0, "max_value": 5000}},
]}


def lines(first: int, count: int) -> list[str]:
    return [f"Château {n};{n % 28 + 1:02}.03.2024;{n % 9},{n % 10};1.{n:03},50" for n in range(first, first + count)]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A tree with the machinery and, of data, nothing but the new data set."""
    root = tmp_path / "copy"
    root.mkdir()
    for name in ("mlops", "requirements"):
        (root / name).symlink_to(REPOSITORY / name)
    for folder in ("datasets", "expectations", "raw"):
        (root / "data" / folder).mkdir(parents=True)
    (root / "data/datasets/wines.yaml").write_text(FILE)
    (root / "data/expectations/wines.json").write_text(json.dumps(SUITE))
    for number, first in enumerate((0, 90)):
        rows = ["name;bottled;acid;price", *lines(first, 90)]
        if number:
            rows[7] = "Château X;03/31/2024;2,5;1.000,50"
            rows[9] = "Château Y;31.03.2024;25,0;1.000,50"
        (root / f"data/raw/wines-{number}.csv.gz").write_bytes(gzip.compress("\n".join(rows).encode("cp1252")))
    subprocess.run(["git", "init", "-q", root], check=True)
    return root


def mlops(copy: Path, *words: str) -> tuple[int, Any, str]:
    done = subprocess.run(
        [sys.executable, "-m", "mlops.cli", "data", *words, "--format", "json", "--repository", str(copy)],
        capture_output=True, text=True, check=False, cwd=copy,
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


@pytest.mark.parametrize("commands", [
    ("ingest", "validate", "process", "check", "version"), pytest.param(("run",), marks=pytest.mark.slow),
])
def test_one_file_and_one_suite(copy: Path, commands: tuple[str, ...]) -> None:
    for command in commands:
        code, _, told = mlops(copy, command, "wines")
        assert code == 0, told
    work = copy / ".mlops/data/wines" / "work" / "default"
    version = json.loads((work / "version.json").read_text())
    assert version["rows"] == 178 and version["source"]["quarantined"] == 2
    aside = pl.read_parquet(work / "quarantine.parquet")
    assert aside["quarantine_row"].to_list() == [97, 99]
    assert "'03/31/2024' is no time in the form %d.%m.%Y" in aside["quarantine_reason"][0]
    assert aside["quarantine_reason"][1] == "sour: nobody drinks this"
    assert pl.read_parquet(work / "ingested.parquet")["price"].max() == 1179.5

    good, bad = copy / "good.csv", copy / "bad.csv"
    good.write_bytes("\n".join(["name;bottled;acid;price", *lines(0, 120)]).encode("cp1252"))
    code, answer, told = mlops(copy, "validate", "--dataset", "wines", "--source", str(good))
    assert code == 0 and answer["success"] is True, told
    bad.write_bytes(good.read_bytes().replace(b";1.007,50", b";9.007,50"))
    code, answer, told = mlops(copy, "validate", "--dataset", "wines", "--source", str(bad))
    assert answer, told
    aside = next(each for each in answer["checks"] if each["name"] == "rows set aside")
    assert code == 0 and not aside["success"] and answer["statistics"]["evaluated_expectations"] == 2, answer
    assert aside["details"]["rows"] == [
        "row 8: price: '9.007,50' breaks expect_column_values_to_be_between (be between 0 and 5000)"]
    bad.write_bytes(good.read_bytes().replace(b";1.00", b";9.00"))
    code, answer, told = mlops(copy, "validate", "--dataset", "wines", "--source", str(bad))
    assert code == 1 and answer["results"][1]["result"]["unexpected_index_list"] == list(range(10)), answer
    assert "10 of 120 rows are bad (8.33%), 5.00% may be set aside" in told + json.dumps(answer)


def test_a_mistake_in_the_file_is_named_with_its_line(copy: Path) -> None:
    file = copy / "data/datasets/wines.yaml"
    file.write_text(FILE.replace("nullable: true", "nulable: true"))
    code, _, told = mlops(copy, "ingest", "wines")
    assert code == 2 and f"{file}:10: field 'columns.acid.nulable'" in told and "did you mean 'nullable'?" in told
