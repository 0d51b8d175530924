"""The gate's verdict on a plan and what came of it."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record

Result = Literal["success", "failure", "cancelled", "skipped", "missing"]


class PipelineVerdict(Record, frozen=True, kw_only=True):
    """One pipeline: was it planned, what happened, and is that right."""

    pipeline: str
    planned: bool
    result: Result
    ok: bool
    reason: str


class GateVerdict(Document, frozen=True, kw_only=True):
    """Whether the gate is open, pipeline by pipeline, with what is wrong otherwise."""

    open: bool
    pipelines: list[PipelineVerdict]
    problems: list[str]
