"""One run: what it was asked, what it planned, what ran, and how it ended."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record
from mlops.records.gate import GateVerdict
from mlops.records.plan import Plan
from mlops.records.receipt import Receipt


class Blocked(Record, frozen=True, kw_only=True):
    """A step that did not run because one that it needs did not succeed."""

    step: str
    by: str


class RunRecord(Document, frozen=True, kw_only=True):
    """A run of pipelines.

    Attributes:
        id: A UUID; the parent of its receipts.
        commit: The commit of the work tree, `dirty` where files differed from it.
        changed: Files that differed from the commit, with their hashes: the next run compares with them.
        source: The file that stood in for the data set's own source, None for none.
    """

    id: str
    started: str
    seconds: float
    outcome: Literal["success", "failure"]
    commit: str | None
    changed: dict[str, str]
    who: str
    plan: Plan
    gate: GateVerdict | None
    receipts: list[Receipt]
    blocked: list[Blocked] = []
    source: str | None = None


class PipelineRun(Document, frozen=True, kw_only=True):
    """One run of a pipeline by its own command: what ran, what was up to date, what did not come to run.

    Attributes:
        exit_code: What the command ended with: 0 yes, 1 no, 2 could not be asked.
        receipts: Without their inputs, which stay in the receipts' store.
        ended: False while it runs, and for ever where it was killed; then the receipts are in the store alone.
    """

    run_id: str
    pipelines: list[str]
    started: str
    exit_code: int
    receipts: list[Receipt]
    blocked: list[Blocked] = []
    ended: bool = True
