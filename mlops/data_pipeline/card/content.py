"""What stands on the card of a version, gathered from the version's own folder."""

from __future__ import annotations

import json
from typing import Any

from mlops import documents
from mlops.config import Workspace
from mlops.data_pipeline.tables import summaries
from mlops.data_pipeline.tables.summaries import ColumnSummary
from mlops.data_pipeline.versioning import versions
from mlops.data_pipeline.versioning.differences import expectation
from mlops.data_pipeline.versioning.versions import DECLARATION, RESULT, Found
from mlops.records.base import Document, Record
from mlops.records.data import CheckResult, Making, QualityPart, Source, Split, Validation

BY_HAND = "They were given by hand for one run, in place of the data set's own source."


class CardColumn(Record, frozen=True, kw_only=True):
    """A column with its figures. `source_missing`: the share of empty cells in the source, before processing."""

    name: str
    description: str
    unit: str
    nullable: bool
    target: bool
    figures: ColumnSummary
    source_missing: float = 0.0


class Failure(Record, frozen=True, kw_only=True):
    """An expectation that does not hold, with what was found."""

    expectation: str
    found: str


class Former(Record, frozen=True, kw_only=True):
    """A version in the data set's history."""

    version: str
    created: str
    rows: int
    quality: float
    source: str
    this: bool


class Card(Document, frozen=True, kw_only=True):
    """The card's content.

    Attributes:
        by_hand: A page about the data set that people wrote, a path in the repository.
        made: What the rows were made from, each time that it was something else.
        history: The versions that are on this machine, the newest first.
    """

    dataset: str
    version: str
    fingerprint: str
    title: str
    description: str
    origin: str
    licence: str
    limits: list[str]
    by_hand: str
    simulated: bool
    source: Source
    target: str
    rows: int
    splits: list[Split]
    columns: list[CardColumn]
    quality: float
    aspects: list[QualityPart]
    validation: Validation
    failures: list[Failure]
    checks: list[CheckResult]
    made: list[Making]
    history: list[Former]


def collect(places: Workspace, found: Found) -> Card:
    """The card of a version, with figures computed from its rows.

    Raises:
        MissingInputError, IntegrityError: the bytes are not there, or not the version's.
    """
    found.verify()
    record = found.record
    path = found.folder / DECLARATION
    declared = documents.mapping(path) if path.is_file() else {}
    own = record.source.location == _location(declared)
    return Card(
        dataset=record.dataset, version=record.version, fingerprint=record.fingerprint,
        title=str(declared.get("title") or record.dataset), description=_text(declared.get("description")),
        origin=_text(declared.get("origin")) if own else BY_HAND, licence=_text(declared.get("licence")) if own else "",
        limits=[_text(each) for each in declared.get("limits") or []], by_hand=str(declared.get("card") or ""),
        simulated=record.source.simulated, source=record.source, target=record.target, rows=record.rows,
        splits=record.splits, columns=_columns(found, declared.get("columns") or {}), quality=record.quality,
        aspects=_aspects(found), validation=record.validation, failures=_failures(found), checks=record.checks,
        made=found.provenance.made if found.provenance else [], history=_history(places, found),
    )


def _location(declared: dict[str, Any]) -> str:
    source = declared.get("source")
    return str(source.get("path", "")) if isinstance(source, dict) else str(source)


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _columns(found: Found, declared: dict[str, Any]) -> list[CardColumn]:
    record = found.record
    figures = summaries.summarise([found.part(split) for split in record.splits], record.columns)
    columns = []
    for shape, summary in zip(record.columns, figures, strict=True):
        told = declared.get(shape.name)
        told = told if isinstance(told, dict) else {}
        columns.append(CardColumn(
            name=shape.name, description=_text(told.get("description")), unit=_text(told.get("unit")),
            nullable=shape.nullable, target=shape.name == record.target, figures=summary,
            source_missing=record.missing.get(shape.name, 0.0),
        ))
    return columns


def _aspects(found: Found) -> list[QualityPart]:
    """The parts of the score, or, for a version of an older program, the two kinds of questions."""
    record = found.record
    if record.quality_parts:
        return record.quality_parts
    held = sum(each.success for each in record.checks)
    pairs = [
        ("expectations", record.validation.evaluated, record.validation.successful),
        ("checks", len(record.checks), held),
    ]
    return [QualityPart(name=name, asked=asked, held=held, score=held / asked) for name, asked, held in pairs if asked]


def _failures(found: Found) -> list[Failure]:
    path = found.folder / RESULT
    results = json.loads(path.read_bytes()).get("results", []) if path.is_file() else []
    return [
        Failure(expectation=expectation(each), found=_found(each.get("result") or {}))
        for each in results if not each.get("success")
    ]


def _found(result: dict[str, Any]) -> str:
    told = []
    if "unexpected_count" in result:
        told.append(f"{result['unexpected_count']} values are not as expected")
    if result.get("partial_unexpected_list"):
        told.append("such as " + ", ".join(map(str, result["partial_unexpected_list"][:3])))
    if "observed_value" in result and not told:
        told.append(f"found {result['observed_value']}")
    return ", ".join(told)


def _history(places: Workspace, found: Found) -> list[Former]:
    former = []
    for name in reversed(versions.list_versions(places, found.record.dataset)):
        each = versions.find(places, found.record.dataset, name)
        source = each.record.source.location + (" (simulated)" if each.record.source.simulated else "")
        former.append(Former(
            version=each.record.version, created=each.created, rows=each.record.rows, quality=each.record.quality,
            source=source, this=each.record.version == found.record.version,
        ))
    return former
