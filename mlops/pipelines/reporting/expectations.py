"""Annotations for what the data broke: expectations at their lines in the suite, checks at the data set's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlops import product
from mlops.config import Workspace
from mlops.pipelines.reporting.annotations import Annotation
from mlops.pipelines.reporting.broken import broken, broken_expectations
from mlops.records import Receipt
from mlops.records.report import BrokenExpectation


def of_run(places: Workspace, receipts: Sequence[Receipt]) -> list[Annotation]:
    """Why steps of the data pipeline failed, at the lines that say what they hold the data against."""
    made: list[Annotation] = []
    for each in receipts:
        if each.pipeline != "data" or each.outcome != "failure":
            continue
        found = of_dataset(places, each.subject) if each.step == "validate" else []
        made += found or [Annotation(
            "error", f"{product.DATASETS}/{each.subject}.yaml", 0, f"{each.step} of {each.subject} failed",
            each.error or "no reason given",
        )]
    return made


def of_dataset(places: Workspace, dataset: str) -> list[Annotation]:
    """The broken expectations of the last validation of a data set's own or given source."""
    written = sorted(
        (places.data / dataset / "work").glob("*/validation.json"), key=lambda path: path.stat().st_mtime_ns
    )
    if not written:
        return []
    return _expectations(dataset, broken_expectations(places.repository, dataset, written[-1].parent)[1])


def of_judgement(repository: Path, dataset: str, document: Mapping[str, Any]) -> list[Annotation]:
    """What `mlops data validate --source` found: broken expectations, and checks that stop a run."""
    made = _expectations(dataset, broken(repository, dataset, dict(document)))
    for each in document.get("checks") or []:
        if each.get("success") is not True:
            made.append(Annotation(
                "error" if each.get("severity") == "block" else "warning", f"{product.DATASETS}/{dataset}.yaml", 0,
                f"{dataset}: {each.get('name')}", str(each.get("message")),
            ))
    return made


def _expectations(dataset: str, found: Iterable[BrokenExpectation]) -> list[Annotation]:
    made = []
    for each in found:
        about = f" of {each.column}" if each.column else ""
        rows = ""
        if each.unexpected is not None and each.elements:
            rows = f"{each.unexpected} of {each.elements} rows ({each.unexpected / each.elements:.2%}) break it"
        words = "; ".join(part for part in (rows, each.told) if part) or "it does not hold"
        made.append(Annotation(
            "error" if each.severity == "critical" else "warning", each.file, each.line,
            f"{dataset}: {each.expectation}{about}", words,
        ))
    return made
