"""The schema that editors use says what the reader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlops import documents
from mlops.data_pipeline import reference

REPOSITORY = Path(__file__).parents[4]


def test_the_trees_own_files_fit_and_name_it() -> None:
    written = json.loads((REPOSITORY / "docs/reference/dataset.schema.json").read_text())
    assert written == json.loads(json.dumps(reference.schema()))
    for path in (REPOSITORY / "data/datasets").glob("*.yaml"):
        jsonschema.validate(documents.mapping(path), written)
        named = path.read_text().splitlines()[0].partition("$schema=")[2]
        assert (path.parent / named).resolve() == (REPOSITORY / "docs/reference/dataset.schema.json").resolve()


@pytest.mark.parametrize("change", [
    {"surce": "x"}, {"identity": "columns"}, {"source": {"path": "x", "delimter": ";"}}, {"quarantine": "yes"},
    {"columns": {"a": {"type": "int"}}},
])
def test_what_the_reader_refuses_the_schema_refuses(change: dict[str, Any]) -> None:
    whole = documents.mapping(REPOSITORY / "data/datasets/housing.yaml") | change
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, reference.schema())


def test_fields_are_explained() -> None:
    shapes = reference.schema()["$defs"]
    assert "decimal mark" in shapes["Reading"]["properties"]["decimal"]["description"]
    assert "Attributes" not in json.dumps(shapes)
