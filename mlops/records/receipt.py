"""The receipt: what a step ran on, and what came out."""

from __future__ import annotations

from typing import Any, Literal

from mlops.records.base import Document, Record

Outcome = Literal["success", "failure", "cached"]
Level = Literal["bounded", "full"]
"""How much a run does: bounded proves a proposed change on a sample and publishes nothing; full does everything."""


class Artifact(Record, frozen=True, kw_only=True):
    """An input or output by content: where it lives, what it is called, its shape and its hash.

    Attributes:
        namespace: `file` (a path in the repository), `state` (a path under `.mlops/`), `setting`, `record`, …
        hash: `sha256:` and 64 digits.
        schema: What the content's shape is called, where it has one.
    """

    namespace: str
    name: str
    hash: str
    schema: str | None = None


class Receipt(Document, frozen=True, kw_only=True):
    """One step that ran, or that was found up to date (`cached`, which counts as success).

    Attributes:
        run_id, parent_id: UUIDs: of this step's run, and of the run that it was part of.
        subject: What the step worked on: a data set, a model, a service; empty for none.
        key: One hash over step, code and inputs; the receipt of a later run with the same key is `cached`.
        code: Hash of the import closure of the step's function and of the lock file.
        started: ISO 8601 with zone.
        facts: Small results worth showing (rows, metrics, versions).
        level: For a step that a bounded run does otherwise than a full one, which of them this was; None for others.
        commit: Of a receipt that a run left for the gate: the commit that was checked out.
        run_size: Of such a receipt: how many its run left for this pipeline, so that a missing one is noticed.
    """

    run_id: str
    parent_id: str | None
    pipeline: str
    step: str
    subject: str
    key: str
    code: str
    inputs: list[Artifact]
    outputs: list[Artifact]
    outcome: Outcome
    started: str
    seconds: float
    reason: str = ""
    error: str | None = None
    facts: dict[str, Any] = {}
    level: Level | None = None
    commit: str | None = None
    run_size: int | None = None
