"""The findings of scanners, read from SARIF 2.1.0, as a table: for a token that may not upload them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlops import markdown
from mlops.errors import InvalidRecordError, MissingInputError

SHOWN = 100


class Scanned(NamedTuple):
    """One finding: which tool's, by which rule, where, in which words."""

    tool: str
    rule: str
    place: str
    message: str


def read(path: Path) -> list[Scanned]:
    """The findings in a file.

    Raises:
        MissingInputError: it cannot be read.
        InvalidRecordError: it is no SARIF.
    """
    mend = "give what a scanner wrote as SARIF 2.1.0"
    try:
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    except (ValueError, RecursionError) as error:
        raise InvalidRecordError(f"is not JSON: {error}", where=path, mend=mend) from error
    try:
        return [found for run in document["runs"] for found in _findings(run)]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InvalidRecordError(f"is no SARIF: {error!r} is not as it has to be", where=path, mend=mend) from error


def render(paths: Sequence[Path]) -> str:
    """What all files hold, as Markdown."""
    found = [each for path in paths for each in read(path)]
    rows = [
        [markdown.text(each.tool), markdown.code(each.rule), markdown.code(each.place), markdown.text(each.message)]
        for each in found[:SHOWN]
    ]
    more = [f"and {len(found) - SHOWN} more", ""] if len(found) > SHOWN else []
    told = markdown.table(("tool", "rule", "place", "finding"), rows) if rows else ["The scanners found nothing."]
    return "\n".join(["### Findings of the scanners", "", *told, "", *more])


def _findings(run: dict[str, Any]) -> Iterator[Scanned]:
    tool = str(run["tool"]["driver"]["name"])
    for result in run["results"]:
        place = ""
        for location in result.get("locations", [])[:1]:
            physical = location["physicalLocation"]
            line = physical.get("region", {}).get("startLine")
            place = physical["artifactLocation"]["uri"] + (f":{line}" if line else "")
        yield Scanned(tool, str(result.get("ruleId", "")), place, str(result["message"]["text"]))
