"""docs/reference/dataset.schema.json, for editors: `python -m mlops.data_pipeline.reference` prints it.

A data set's file names it in its first line (`# yaml-language-server: $schema=…`), so that an editor completes
fields, shows what they mean and marks what is wrong while it is written.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import msgspec

from mlops.data_pipeline.dataset import DatasetFile


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a data set's file, with what the docstrings say of each field."""
    made = msgspec.json.schema(DatasetFile)
    for shape in made["$defs"].values():
        text, told = _told(shape.pop("description", ""))
        shape["description"] = text
        for name, field in shape.get("properties", {}).items():
            if name in told and "$ref" not in field:
                field["description"] = told[name]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "A data set of Switchyard", **made}


def _told(doc: str) -> tuple[str, dict[str, str]]:
    """A docstring's text, and what its list of attributes says of each."""
    text, _, listed = inspect.cleandoc(doc).partition("Attributes:\n")
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", listed, re.MULTILINE)
    return " ".join(text.split()), {name: " ".join(meaning.split()) for name, meaning in found}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2, ensure_ascii=False))
