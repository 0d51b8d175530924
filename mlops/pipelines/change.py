"""What changed since the last run, and what the router says to it."""

from __future__ import annotations

from mlops.errors import InvalidRecordError, MissingInputError
from mlops.git import Beside, Git
from mlops.pipelines.steps import Run
from mlops.records import Plan, RunRecord, WorkflowVerdict, read
from mlops.sources import Sources

PIPELINES = {
    "service": "service-pipeline.yml", "data": "data-pipeline.yml", "model": "model-pipeline.yml", "main": "main.yml",
}
"""The pipelines and their workflow files."""


def last_run(run: Run) -> RunRecord | None:
    """The record of the last run in this repository, None where there is none that can be read."""
    try:
        return read(RunRecord, run.places.runs / "last.json")
    except (MissingInputError, InvalidRecordError):
        return None


class Change:
    """The difference between the work tree and what the last run saw.

    Attributes:
        commit: HEAD's commit, None without git or without commits.
        dirty: Files that differ from the commit, with their hashes (empty for a file that is gone).
        files: Files that changed since the last run; since the last commit where there was no run.
        base: The commit that `files` was computed from, None for none.
    """

    def __init__(
        self, run: Run, sources: Sources, last: RunRecord | None, *, begun: Beside | None = None
    ) -> None:
        git = Git(run.repository)
        self.commit, different = git.status(begun) or (None, [])
        self.dirty: dict[str, str] = {}
        self.files: list[str] = []
        self.base = last.commit if last and last.commit else self.commit
        if self.commit is None:
            return
        for name in different:
            here = (run.repository / name).is_file()
            self.dirty[name] = sources.hash(name) if here else ""
        if last is None or last.commit is None:
            self.files = list(self.dirty)
        elif last.commit == self.commit:
            self.files = _different(last.changed, self.dirty)
        elif git.ask("cat-file", "-e", f"{last.commit}^{{commit}}")[0] == 0:
            between = git("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", last.commit, self.commit, "--")
            names = {each.decode(errors="surrogateescape") for each in between.split(b"\0") if each}
            self.files = sorted(names | set(_different(last.changed, self.dirty)))
        else:  # the last run's commit is gone (a rewritten history): nothing can be said of what changed
            self.base = None
            self.files = git.text("ls-files", "-z").rstrip("\0").split("\0")


def _different(before: dict[str, str], now: dict[str, str]) -> list[str]:
    return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))


def plan(run: Run, change: Change, last: RunRecord | None) -> Plan:
    """Which pipelines this run plans, by the filters of the tree's own workflow files.

    Beyond the filters: what failed or never ran here is planned again, a given source plans data and
    model, and where data runs, model is planned too, since data may hand a new version over.
    """
    unfinished = _unfinished(last)
    given = run.source is not None or (last is not None and last.source is not None)
    routed = _routed(run, change)
    data_runs = given or last is None or "data" in unfinished or routed["data"].verdict != "SKIP"
    verdicts = []
    for name, verdict in routed.items():
        reason = None
        if last is None:
            reason = "no run here yet"
        elif name in unfinished:
            reason = "its last run did not succeed"
        elif given and name in ("data", "model"):
            reason = "a source is given" if run.source else "the last source was given; it is not remembered"
        elif name == "model" and data_runs:
            reason = "data may hand over a new version"
        if verdict.verdict == "SKIP" and reason is not None:
            verdict = WorkflowVerdict(workflow=verdict.workflow, pipeline=name, verdict="RUN", reason=reason)
        verdicts.append(verdict)
    return Plan(event="local", ref=None, files=change.files, workflows=verdicts, base=change.base, head=change.commit)


def _routed(run: Run, change: Change) -> dict[str, WorkflowVerdict]:
    """The router's verdict on each pipeline; where nothing changed there is nothing to ask it."""
    if not change.files:
        return {
            name: WorkflowVerdict(
                workflow=f".github/workflows/{file}", pipeline=name, verdict="SKIP", reason="no file changed"
            )
            for name, file in PIPELINES.items()
        }
    from mlops.routing import route_files

    routed = route_files(run.repository, change.files, event="local", base=change.base, head=change.commit)
    found = {each.pipeline: each for each in routed.workflows}
    missing = [file for name, file in PIPELINES.items() if name not in found]
    if missing:
        raise MissingInputError(
            "is not there", where=f".github/workflows/{missing[0]}", mend="restore it: git checkout -- .github"
        )
    return {name: found[name] for name in PIPELINES}


def _unfinished(last: RunRecord | None) -> set[str]:
    if last is None:
        return set()
    blocked = {each.step.partition("/")[0] for each in last.blocked}
    return blocked | {each.pipeline for each in last.receipts if each.outcome == "failure"}
