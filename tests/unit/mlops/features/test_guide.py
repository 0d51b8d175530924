"""The guide's declaration of features is one, and gives the columns that it speaks of."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import numpy as np
from ruamel.yaml import YAML

from mlops.features.fitting import fit
from mlops.features.rules import FeatureRule
from mlops.records import ColumnShape
from mlops.records.features import Operation, Part
from mlops.serving.features import apply, columns_of

GUIDE = (Path(__file__).parents[4] / "docs/guide/data.md").read_text(encoding="utf-8")


def test_the_example_can_be_fitted() -> None:
    blocks = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    example = YAML(typ="safe").load(next(block for block in blocks if "feature_engineering" in block))
    rules = msgspec.convert(example["feature_engineering"], dict[str, FeatureRule])
    shapes = [ColumnShape(name=name, type="string" if "ocean" in name else "float") for name in example["features"]]
    numbers = np.array([880.0, 7099.0, 126.0])
    train = {each.name: np.array(["INLAND", "ISLAND", None], dtype=object) if each.type == "string" else numbers
             for each in shapes}
    plan = fit(rules, shapes, train)
    assert {source for each in plan.features for source in each.sources} == set(example["features"])
    assert [each.name for each in plan.outputs] == [
        "rooms_per_household", "income", "income_band", "ocean=INLAND", "ocean=ISLAND", "households",
    ]
    assert len(apply(plan, columns_of(plan, [{"total_rooms": 880, "households": 126}]))) == 6


def test_every_operation_and_part_is_told() -> None:
    for word in (*Operation.__args__, *filter(None, Part.__args__)):
        assert re.search(rf"\b{word}\b", GUIDE.split("| operation |")[1]), word
