"""Declared features in the step `process`: learnt on the training part, kept with the version."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mlops.config import Workspace
from mlops.data_pipeline import Dataset, steps
from mlops.data_pipeline.versioning import versions
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


def test_drift_is_measured_on_what_the_features_are_made_of(
    places: Workspace, change: Any, work: Path, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlops.drift import Sketch, sides
    from mlops.drift.report import between

    source = tree / "data/raw/people.csv"
    dataset = change("split: {test: 0.25}", f"split: {{test: 0.25}}\n{RULES}")
    first = walk(places, dataset, work)
    for name, digest in first.record.features.items():
        assert digest == steps.sha256_file(first.folder / name)
    assert sorted(first.record.features) == ["features.json", "test.sources.parquet", "train.sources.parquet"]
    same = between(places, dataset, first.record.version, str(source))
    assert same.verdict == "same" and {each.column for each in same.columns} == {"name", "age", "height", "wage"}
    lines = source.read_text().splitlines()
    cells = [row.split(",") for row in lines[1:]]
    older = [",".join([name, str(int(age) + 35), *rest]) for name, age, *rest in cells]
    source.write_text("\n".join([lines[0], *older]) + "\n")
    second = walk(places, dataset, work)
    assert pl.read_parquet(second.folder / "train.sources.parquet").columns == ["name", "age"]
    found = between(places, dataset, first.record.version, second.record.version)
    assert [each.column for each in found.columns if each.verdict == "drifted"] == ["age"], "a new scale hides nothing"
    sketch = first.folder / sides.SKETCH  # of many rows, some lay the bins, and all are counted, some at a time
    whole = Sketch.load(sketch)
    sketch.unlink()
    monkeypatch.setattr(sides, "_BATCH", 4 * 7)
    monkeypatch.setattr(sides, "_WHOLE", 4 * 20)
    assert between(places, dataset, first.record.version, second.record.version).columns[1].verdict == "drifted"
    batched = Sketch.load(sketch)
    assert batched.rows == whole.rows == 60 and batched.layout != whole.layout
    assert [each.sum() for each in batched.counts] == [each.sum() for each in whole.counts]


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
