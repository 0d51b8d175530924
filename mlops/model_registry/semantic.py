"""The semantic version of a model: what a new version means to those who use it.

    major   another interface: other inputs, types, task or classes; a client may have to change
    minor   another recipe: code, parameters or libraries
    patch   the same recipe on other data

It counts on from the model's highest one, whatever was promoted; the first is 1.0.0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mlops import files
from mlops.errors import IntegrityError
from mlops.model_registry.registered import INPUTS, RECIPE, SEMANTIC, Registered
from mlops.records.base import Record


class Interface(Record, frozen=True, kw_only=True):
    """What a version's number is decided by: hashes of what clients see, and of how the model is made."""

    inputs: str
    recipe: str

    @classmethod
    def of(cls, inputs: Any, recipe: str) -> Interface:
        """The interface of a model with these inputs (anything that `repr` tells apart)."""
        return cls(inputs=files.sha256_bytes(repr(inputs).encode()), recipe=recipe)

    def tags(self) -> dict[str, str]:
        """As tags of a version."""
        return {INPUTS: self.inputs, RECIPE: self.recipe}


def next_version(made: Interface, earlier: Sequence[Registered]) -> str:
    """The semantic version of a new model.

    Args:
        made: The new model's interface.
        earlier: The versions before, in any order; those without our tags (registered by hand) do not count.

    Raises:
        IntegrityError: an earlier one is not of the form 1.2.3.
    """
    counted = [(_parsed(each.tags[SEMANTIC]), each.tags) for each in earlier if SEMANTIC in each.tags]
    if not counted:
        return "1.0.0"
    (major, minor, patch), last = max(counted, key=lambda pair: pair[0])
    if made.inputs != last.get(INPUTS):
        return f"{major + 1}.0.0"
    if made.recipe != last.get(RECIPE):
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


def _parsed(text: str) -> tuple[int, int, int]:
    parts = text.split(".")
    if len(parts) != 3 or not all(part.isdecimal() for part in parts):
        raise IntegrityError(
            f"{text!r} is no semantic version", where="tag mlops.semantic",
            mend="the tag was edited by hand: write it back as MAJOR.MINOR.PATCH",
        )
    return int(parts[0]), int(parts[1]), int(parts[2])
