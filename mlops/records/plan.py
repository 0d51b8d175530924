"""The plan: what a change starts, and why."""

from __future__ import annotations

from typing import Literal

from mlops.records.base import Document, Record
from mlops.records.receipt import Level

Verdict = Literal["RUN", "SKIP", "UNKNOWN"]


class WorkflowVerdict(Record, frozen=True, kw_only=True):
    """Whether one workflow starts. UNKNOWN where GitHub's answer cannot be known; act on it as on RUN.

    Attributes:
        workflow: Path of the workflow file.
        pipeline: Its pipeline's name: service, data, model, main, pull-request.
        file: For RUN by paths, the changed file that caused it.
        pattern: The pattern that included the file.
        called_by: For a workflow that the event does not start itself, the started file that calls it.
    """

    workflow: str
    pipeline: str
    verdict: Verdict
    reason: str
    file: str | None = None
    pattern: str | None = None
    called_by: str | None = None


class Plan(Document, frozen=True, kw_only=True):
    """What an event on a ref starts.

    Attributes:
        event: GitHub's event name, or `local` for a run on a laptop.
        files: The changed files that the plan was computed from.
        base, head: The commits compared, where there were any.
        level: `bounded` for a change that is only proposed (pull request, merge queue), else `full`.
        commit: The commit that the event's jobs check out (of a pull request the merge); None where it is not known.
        deploy: Whether what comes of it may be deployed: only where main itself was pushed or dispatched.
    """

    event: str
    ref: str | None
    files: list[str]
    workflows: list[WorkflowVerdict]
    base: str | None = None
    head: str | None = None
    level: Level = "full"
    deploy: bool = False
    commit: str | None = None
