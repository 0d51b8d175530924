"""The declaration of a data set: read with care, wrong fields named with their line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mlops.data_pipeline import Dataset, read_dataset
from mlops.data_pipeline.dataset import is_reference
from mlops.errors import ConfigurationError, MissingInputError

REPOSITORY = Path(__file__).parents[4]


def test_a_declaration_is_read_with_its_defaults(dataset: Dataset, tree: Path) -> None:
    assert dataset.name == "people" and dataset.repository == tree
    assert dataset.suite_path == tree / "data/expectations/people.json"
    assert dataset.columns["height"].nullable and not dataset.columns["age"].nullable
    assert dataset.checks.duplicates.severity == "block"


@pytest.mark.parametrize("name", ["housing", "lab"])
def test_the_products_own_declarations_are_whole(name: str) -> None:
    dataset = read_dataset(REPOSITORY, name)
    assert dataset.suite_path.is_file() and dataset.target in dataset.columns


def test_an_unknown_data_set_lists_those_that_there_are(tree: Path) -> None:
    with pytest.raises(MissingInputError, match="people"):
        read_dataset(tree, "peple")


@pytest.mark.parametrize("name", ["../people", "people.yaml", "", "/etc/passwd"])
def test_a_name_is_no_path(tree: Path, name: str) -> None:
    with pytest.raises(MissingInputError):
        read_dataset(tree, name)


@pytest.mark.parametrize(("old", "new", "said"), [
    ("target: wage", "target: wages", "'target'"),
    ("test: 0.25", "test: 1.5", "split.test"),
    ("test: 0.25", "tset: 0.25", "tset"),
    ("people_product.steps:process", "people_product/steps.py", "'process'"),
    ("type: integer", "type: int", "columns"),
    ("missing: {height", "missing: {hieght", "checks.missing"),
    ("title: People", "", "title"),
    ("severity: warn", "severity: worry", "severity"),
])
def test_a_wrong_field_is_named(change: Any, old: str, new: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        change(old, new)
    assert said in str(caught.value) and "people.yaml" in (caught.value.where or "")


@pytest.mark.parametrize(("text", "answer"), [
    ("data.src.lab:load", True), ("a:b", True), ("data/raw/x.csv", False), ("http://host:80/x", False),
    ("C:\\x.csv", False), ("a.b", False), (":b", False),
])
def test_references_are_told_from_paths(text: str, answer: bool) -> None:
    assert is_reference(text) is answer
