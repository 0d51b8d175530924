"""The gate's verdict on a plan and what came of it."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args

from mlops.errors import InvalidRecordError
from mlops.records.base import Document, Record

Result = Literal["success", "failure", "cancelled", "skipped", "missing"]
RESULTS: tuple[str, ...] = get_args(Result)


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


def read_needs(content: bytes | str, *, where: str) -> dict[str, str]:
    """Result by job, from the JSON that GitHub's `toJSON(needs)` writes.

    Raises:
        InvalidRecordError: not JSON, a job stands twice, or a job has no result.
    """
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [name for name, _ in pairs]
        if len(names) != len(set(names)):
            raise ValueError("a name stands twice")
        return dict(pairs)

    mend = "write it from GitHub's toJSON(needs)"
    try:
        document = json.loads(content, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise InvalidRecordError(f"is not valid JSON: {error}", where=where, mend=mend) from error
    if not isinstance(document, dict) or not document:
        raise InvalidRecordError("is no object of jobs", where=where, mend=mend)
    found = {}
    for job, value in document.items():
        result = value.get("result") if isinstance(value, dict) else None
        if not isinstance(result, str) or result not in RESULTS:
            raise InvalidRecordError(f"the job {job!r} has no result that is known", where=where, mend=mend)
        found[job] = result
    return found
