"""What the rooms of the product must agree on, though none of them reads another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from mlops.documents import read
from mlops.training import read_model

ROOT = Path(__file__).resolve().parents[2]


class Declared(msgspec.Struct):
    """A data set's own file, as far as a model cares."""

    target: str
    columns: dict[str, Any]


def test_each_model_names_columns_that_its_data_set_has() -> None:
    for name in [path.stem for path in sorted((ROOT / "model/configs").glob("*.yaml"))]:
        config = read_model(ROOT, name)
        declared = read(Declared, ROOT / "data" / "datasets" / f"{config.dataset}.yaml")
        assert config.target == declared.target
        assert {*config.features, config.target} == set(declared.columns)
