"""Declared features in the step `process`: learnt on the training part, kept with the version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps, versions
from mlops.errors import ConfigurationError
from mlops.records import read
from mlops.records.features import FeaturePlan

RULES = "features: {age: {scale: standard}, kind: {operation: one_hot, of: name}}"


def walk(places: Workspace, dataset: Dataset, work: Path) -> versions.Found:
    for step in (steps.ingest, steps.validate, steps.process, steps.check, steps.version):
        step(places, dataset, work)
    return versions.find(places, "people")


def test_features_are_learnt_on_the_training_part(places: Workspace, change: Any, work: Path) -> None:
    found = walk(places, change("split: {test: 0.25}", f"split: {{test: 0.25}}\n{RULES}"), work)
    train, test = (pl.read_parquet(found.part(split)) for split in found.record.splits)
    plan = read(FeaturePlan, found.folder / "features.json")
    assert plan.rows == train.height and plan == read(FeaturePlan, work / "features.json")
    ages = train["age"].to_list()
    assert sum(ages) / len(ages) == pytest.approx(0.0, abs=1e-12)
    assert abs(sum(test["age"].to_list())) > 1e-6, "the held-out part taught nothing"
    assert train.columns[:2] == ["height", "wage"] and "name" not in train.columns and len(train.columns) == 3 + 7
    assert {each.name: each.type for each in found.record.columns}["age"] == "float"


def test_without_rules_nothing_is_made(places: Workspace, dataset: Dataset, work: Path) -> None:
    found = walk(places, dataset, work)
    assert not (found.folder / "features.json").exists()
    assert [each.name for each in found.record.columns] == ["name", "age", "height", "wage"]


@pytest.mark.parametrize(("rules", "says"), [
    ("{pay: {of: wage}}", "made of the target 'wage'"), ("{wage: {scale: minmax}}", "made of the target 'wage'"),
])
def test_the_target_is_no_feature(change: Any, rules: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        change("split: {test: 0.25}", f"split: {{test: 0.25}}\nfeatures: {rules}")


def test_a_feature_called_like_another_column_is_refused(places: Workspace, change: Any, work: Path) -> None:
    dataset = change("split: {test: 0.25}", "split: {test: 0.25}\nfeatures: {height: {of: age}}")
    with pytest.raises(ConfigurationError, match="both called 'height'"):
        walk(places, dataset, work)


def test_a_data_set_needs_neither_process_nor_target(places: Workspace, change: Any, work: Path) -> None:
    change("process: people_product.steps:process\n", "")
    found = walk(places, change("target: wage\n", ""), work)
    assert found.record.target == ""
    assert [each.name for each in found.record.columns] == ["name", "age", "height", "wage"]
