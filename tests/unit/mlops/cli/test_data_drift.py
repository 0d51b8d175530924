"""`mlops data drift`: versions, parts and files beside each other; answers and exit codes as promised."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.cli import main

REPOSITORY = Path(__file__).parents[4]
SAMPLE = REPOSITORY / "data/raw/housing.csv"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with the product's data room, and a version of the housing data."""
    root = tmp_path_factory.mktemp("drift") / "tree"
    shutil.copytree(REPOSITORY / "data", root / "data", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for step in ("ingest", "validate", "process", "check", "version"):
        with pytest.raises(SystemExit) as caught:
            main(["data", step, "housing", "--repository", str(root)])
        assert not caught.value.code
    return root


@pytest.fixture
def drift(tree: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    def run(before: Any, after: Any, *words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            main(["data", "drift", "housing", "--from", str(before), "--to", str(after), *words,
                  "--repository", str(tree)])
        told = capsys.readouterr()
        return int(caught.value.code or 0), told.out, told.err

    return run


@pytest.fixture
def version(tree: Path) -> str:
    return next((tree / ".mlops/data/housing/versions").iterdir()).name


def halves(folder: Path, source: Path) -> dict[str, Path]:
    """Two halves by chance, and two by place."""
    table = pl.read_csv(source).sample(fraction=1, shuffle=True, seed=5)
    half, middle = table.height // 2, table["longitude"].median()
    parts = {
        "one": table[:half], "other": table[half:], "west": table.filter(pl.col("longitude") < middle),
        "east": table.filter(pl.col("longitude") >= middle),
    }
    for name, part in parts.items():
        part.write_csv(folder / f"{name}.csv")
    return {name: folder / f"{name}.csv" for name in parts}


def test_a_version_has_its_reference_sketch(tree: Path, version: str, drift: Any) -> None:
    sketch = tree / ".mlops/data/housing/versions" / version / "sketch.json"
    content = sketch.read_bytes()
    code, out, err = drift(version[:6], version, "--format", "json")
    answer = json.loads(out)
    assert code == 0 and answer["verdict"] == "same" and not err
    assert answer["reference"] == {"name": version, "rows": 4000, "note": "simulated"}
    assert all(each["distribution"]["effect"] == 0 for each in answer["columns"])
    sketch.write_text("damaged")
    assert drift(version, version)[0] == 0 and sketch.read_bytes() == content  # made again
    assert (tree / answer["report"]).is_file()


def test_parts_of_a_version_and_files(drift: Any, version: str, tmp_path: Path) -> None:
    code, out, _ = drift(f"{version}/train", f"{version}/test")
    assert code == 0 and f"{version}/train (simulated)" in out and "same: 0 of 10 columns" in out
    assert drift(version, SAMPLE)[0] == 0
    parts = halves(tmp_path, SAMPLE)
    assert drift(parts["one"], parts["other"])[0] == 0
    code, out, _ = drift(parts["west"], parts["east"], "--format", "json")
    answer = json.loads(out)
    drifted = {each["column"] for each in answer["columns"] if each["verdict"] == "drifted"}
    assert code == 1 and answer["blocking"] and {"longitude", "latitude", "ocean_proximity"} <= drifted


def test_a_file_without_a_column_and_one_with_too_few_rows(drift: Any, version: str, tmp_path: Path) -> None:
    table = pl.read_csv(SAMPLE)
    table.drop("population").with_columns(extra=1).write_csv(tmp_path / "less.csv")
    code, out, _ = drift(version, tmp_path / "less.csv")
    assert code == 1 and "missing: population" in out and "the column is missing" in out
    table.head(20).write_csv(tmp_path / "few.csv")
    code, out, _ = drift(version, tmp_path / "few.csv")
    assert code == 2 and "unjudged" in out and "20 rows are too few" in out


def test_rules_in_the_data_sets_file(drift: Any, tree: Path, tmp_path: Path) -> None:
    parts = halves(tmp_path, SAMPLE)
    file = tree / "data/datasets/housing.yaml"
    before = file.read_text()
    try:
        rules = "{severity: warn, joint_severity: warn, columns: {longitude: {severity: ignore}}}"
        file.write_text(f"{before}\ndrift: {rules}\n")
        code, out, _ = drift(parts["west"], parts["east"])
        assert code == 0 and "ignored" in out and "drifted" in out
        for wrong in ("{alpha: 2}", "{columns: {nowhere: {effect: 0.1}}}", "{columns: {latitude: {effect: 0}}}",
                      "{minimum_rows: 0}", "{severity: stop}", "{efect: 0.1}"):
            file.write_text(before + f"\ndrift: {wrong}\n")
            code, out, err = drift(parts["west"], parts["east"])
            assert code == 2 and not out and "drift" in err and "housing.yaml" in err
    finally:
        file.write_text(before)


@pytest.mark.parametrize("words", [
    ("absent", "absent"), ("absent.csv", "absent.csv"), ("", "x"), ("../absent/version", "y"),
])
def test_what_could_not_be_asked_exits_two(drift: Any, words: tuple[str, str]) -> None:
    code, out, err = drift(*words)
    assert code == 2 and not out and "mend" in err


def test_an_empty_file_is_no_sample(drift: Any, version: str, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    code, out, err = drift(version, tmp_path / "empty.csv")
    assert code == 1 and not out and "empty" in err


@pytest.mark.skipif("MLOPS_REAL_DATA" not in os.environ, reason="MLOPS_REAL_DATA names no file")
def test_the_real_census(drift: Any, tmp_path: Path) -> None:
    parts = halves(tmp_path, Path(os.environ["MLOPS_REAL_DATA"]))
    assert drift(parts["one"], parts["other"])[0] == 0
    code, out, _ = drift(parts["west"], parts["east"], "--format", "json")
    answer = json.loads(out)
    drifted = {each["column"] for each in answer["columns"] if each["verdict"] == "drifted"}
    assert code == 1 and {"longitude", "median_house_value", "ocean_proximity"} <= drifted
    assert "total_rooms" not in drifted and answer["joint"]["verdict"] == "drifted"
