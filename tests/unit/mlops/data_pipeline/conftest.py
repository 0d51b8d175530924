"""A small data set of its own for the tests: people, with a process function and a suite."""

from __future__ import annotations

import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, read_dataset

REPOSITORY = Path(__file__).parents[4]

DECLARATION = """\
title: People
source: data/raw/people.csv
simulated: true
suite: data/expectations/people.json
process: people_product.steps:process
target: wage
identity: rows
columns:
  name: {type: string}
  age: {type: integer}
  height: {type: float, nullable: true}
  wage: {type: float}
split: {test: 0.25}
checks:
  volume: {minimum_rows: 20, minimum_test_rows: 2}
  missing: {height: {maximum_share: 0.5, severity: warn}}
  rules:
    - {name: grown, rule: height < 3 * age, message: too tall for the age}
"""
SUITE = {"name": "people", "expectations": [
    {"type": "expect_column_to_exist", "kwargs": {"column": "age"}},
    {"type": "expect_column_values_to_be_between", "kwargs": {"column": "age", "min_value": 0, "max_value": 120}},
]}


def rows(count: int = 60) -> list[str]:
    """Rows of the people's file."""
    return [f"p{n % 7},{20 + n},{'' if n % 9 == 0 else 1.5 + n / 200},{1000 + 37 * n % 911}.5" for n in range(count)]


def write_source(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["name,age,height,wage", *lines]) + "\n")
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """A repository that declares the data set `people`."""
    root = tmp_path / "tree"
    (root / "data" / "datasets").mkdir(parents=True)
    (root / "data" / "expectations").mkdir()
    (root / "data" / "datasets" / "people.yaml").write_text(DECLARATION)
    (root / "data" / "expectations" / "people.json").write_text(json.dumps(SUITE, indent=1))
    (root / "people_product").mkdir()
    (root / "people_product" / "__init__.py").touch()
    (root / "people_product" / "steps.py").write_text(
        "import polars as pl\n"
        "def process(table):\n    return table.select('name', 'age', 'height', 'wage')\n"
        "def load():\n    return pl.DataFrame({'name': ['a'], 'age': [3], 'height': [1.0], 'wage': [2.0]})\n"
        "def nothing(table):\n    return table.clear()\n"
        "def targetless(table):\n    return table.drop('wage')\n"
        "def words(*_):\n    return 'words'\n"
    )
    write_source(root / "data" / "raw" / "people.csv", rows())
    yield root
    if str(root) in sys.path:
        sys.path.remove(str(root))
    for name in [name for name in sys.modules if name.startswith("people_product")]:
        del sys.modules[name]


@pytest.fixture
def dataset(tree: Path) -> Dataset:
    return read_dataset(tree, "people")


@pytest.fixture
def places(tree: Path) -> Workspace:
    return Workspace(tree)


@pytest.fixture
def work(places: Workspace) -> Path:
    return places.data / "people" / "work" / "default"


@pytest.fixture
def change(tree: Path) -> Any:
    """Replace text in the declaration and read it again."""

    def apply(old: str, new: str) -> Dataset:
        file = tree / "data" / "datasets" / "people.yaml"
        text = file.read_text()
        assert old in text
        file.write_text(text.replace(old, new))
        return read_dataset(tree, "people")

    return apply


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new bucket on a real S3 server, and the environment that S3 clients read."""
    url = os.environ.get("MLOPS_TEST_S3_URL")
    if not url:
        if os.environ.get("MLOPS_REQUIRE_ENGINES") == "1":
            pytest.fail("MLOPS_TEST_S3_URL names no server, and engines are required here")
        pytest.skip("MLOPS_TEST_S3_URL names no server; `make test-engines` starts one")
    import s3fs

    for name, value in {
        "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": os.environ["MLOPS_TEST_S3_KEY"], "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": os.environ["MLOPS_TEST_S3_SECRET"], "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": str(tmp_path / "aws"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "aws").touch()  # nothing of this machine's own
    name = f"bucket-{uuid.uuid4().hex}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return name
