"""Puts the room together: from an event, or from a list of files, to the plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mlops.errors import MissingInputError
from mlops.routing.router.decisions import LIMIT, Change, Decision, as_called, route
from mlops.routing.router.events import Event, nothing
from mlops.routing.router.workflows import FOLDER, Workflow, parse

if TYPE_CHECKING:
    from pathlib import Path

    from mlops.git import Git
    from mlops.records import Plan
    from mlops.records.receipt import Level
    from mlops.routing.router.changes import Reading
    from mlops.routing.router.differences import Diff

_DEPLOYED = "refs/heads/main"


class Routed(NamedTuple):
    """A plan before it is a record: `mlops route` starts faster without the records' library."""

    event: str
    ref: str | None
    files: list[str]
    workflows: list[Decision]
    base: str | None = None
    head: str | None = None
    level: Level = "full"
    deploy: bool = False
    commit: str | None = None

    def to_dict(self) -> dict[str, object]:
        """The plan's document as plain data."""
        fields = self._asdict()
        return {"schema": 1, **fields, "workflows": [each._asdict() for each in self.workflows]}

    def to_plan(self) -> Plan:
        """The plan as a record."""
        from mlops.records import Plan, WorkflowVerdict

        verdicts = [WorkflowVerdict(**each._asdict()) for each in self.workflows]
        return Plan(
            event=self.event, ref=self.ref, files=self.files, workflows=verdicts, base=self.base, head=self.head,
            level=self.level, deploy=self.deploy, commit=self.commit,
        )


def route_event(git: Git, event: Event, *, given: list[str] | None = None, begun: Diff | None = None) -> Routed:
    """What `event` starts in a repository.

    Args:
        git: The repository.
        event: Its commits may be any names that git understands.
        given: The changed files, where they are known already; git is then asked for the workflow files alone.
        begun: A difference that runs already; taken where it is the one that the event asks for.

    Raises:
        MissingInputError: no repository, or the event's own commit is not in it.
        UsageError: a commit's name cannot be one.
    """
    if given is not None and event.after is None and event.head is None and not git.exists():
        from pathlib import Path

        from mlops.routing.router.changes import Reading

        # no repository at all: the files as they lie there
        reading = Reading(read_tree(Path(git.folder)), Change(given))
    else:
        reading = _read(git, event, given, begun)
    decisions = decide(git, event, reading.workflows, reading)
    files = sorted(reading.change.files or [])
    return _planned(event, files, decisions, base=reading.base, head=reading.head)


def _read(git: Git, event: Event, given: list[str] | None, begun: Diff | None) -> Reading:
    from mlops.routing.router import changes
    from mlops.routing.router.objects import Objects

    names = (event.before, event.after, event.base, event.head, event.merge, event.ref, *(event.commits or ()))
    changes.refuse_options(*names)
    with Objects(git) as objects:
        if event.is_request:
            from mlops.routing.router.requests import read_request

            return read_request(git, objects, event, given)
        if event.name in ("push", "merge_group"):
            return changes.read_push(git, objects, event, given, begun)
        return changes.read_unfiltered(git, objects, event, given)


def _planned(
    event: Event, files: list[str], decisions: list[Decision], *, base: str | None = None, head: str | None = None
) -> Routed:
    after = None if nothing(event.after) else event.after
    commit = event.merge or after or head
    return Routed(event.name, event.ref, files, decisions, base, head, level_of(event), deploys(event), commit)


def level_of(event: Event) -> Level:
    """`bounded` where a change is only proposed: a pull request of any kind, and the merge queue."""
    return "bounded" if event.name.startswith("pull_request") or event.name == "merge_group" else "full"


def deploys(event: Event) -> bool:
    """Whether what comes of the event may be deployed: a push to main, or a dispatch there; nothing else."""
    if event.name not in ("push", "workflow_dispatch") or event.ref != _DEPLOYED:
        return False
    return not (event.deleted or (event.after is not None and nothing(event.after)))


def decide(git: Git, event: Event, workflows: Sequence[Workflow], reading: Reading) -> list[Decision]:
    """The verdicts on what git said; it is asked for renames only where these can change one."""
    change = reading.change
    decisions = route(event, workflows, change)
    if reading.gone and change.files is not None and reading.base and reading.head:
        if len(change.files) > LIMIT or _rename_matters(event, workflows, reading, decisions):
            from mlops.routing.router.differences import renamed

            change = change._replace(others=(renamed(git, reading.base, reading.head),))
            decisions = route(event, workflows, change)
    return decisions


def _rename_matters(event: Event, workflows: Sequence[Workflow], reading: Reading, decisions: list[Decision]) -> bool:
    """Whether hiding all the files that are gone changes a verdict; if not, hiding some of them does not either.

    (A filter never goes from RUN to SKIP when a file is added.) Rename detection is slow, so it is asked only then.
    """
    left = [name for name in reading.change.files or [] if name not in reading.gone]
    without = route(event, workflows, reading.change._replace(others=(left,)))
    return [each.verdict for each in without] != [each.verdict for each in decisions]


def read_tree(repository: Path) -> list[Workflow]:
    """The workflows of a work tree as it lies there, committed or not.

    Raises:
        MissingInputError: a file cannot be read.
    """
    files: dict[str, str | None] = {}
    for path in sorted((repository / FOLDER).glob("*.y*ml")):
        if path.suffix not in (".yml", ".yaml") or path.is_dir():
            continue
        try:
            text = None if path.is_symlink() else path.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
        files[f"{FOLDER}/{path.name}"] = text
    return [parse(path, text) for path, text in files.items()]


def route_files(
    repository: Path, files: Iterable[str], *, event: str = "local", ref: str | None = None, base: str | None = None,
    head: str | None = None,
) -> Plan:
    """The plan for these changed files, by the push path filters of the work tree's own workflow files.

    Each file that pushes start, or that others call, is judged as a called one: by its push `paths`
    over all files, whatever the branch and however many there are. The others appear as SKIP.

    Raises:
        MissingInputError: a workflow file cannot be read.
    """
    return _local(read_tree(repository), sorted(set(files)), event, ref, base, head).to_plan()


def _local(
    workflows: Sequence[Workflow], files: list[str], event: str, ref: str | None, base: str | None, head: str | None
) -> Routed:
    decisions = [as_called(each, Change(files)) for each in workflows]
    return Routed(event, ref, files, decisions, base, head)


def rule(repository: Path, pipeline: str, file: str) -> str | None:
    """The pattern by which a change to `file` starts `pipeline`; None where it does not.

    Raises:
        MissingInputError: a workflow file cannot be read.
    """
    for each in _local(read_tree(repository), [file], "local", None, None, None).workflows:
        if each.pipeline == pipeline and each.verdict == "RUN":
            return each.pattern
    return None


def explain(repository: Path, file: str) -> list[Routed]:
    """Everything that a change to one path starts: pushed to the default branch, and as a pull request to it.

    Raises:
        MissingInputError: a workflow file cannot be read.
    """
    workflows, change = read_tree(repository), Change([file])
    events = (Event("push", "refs/heads/main"), Event("pull_request", "refs/heads/main"))
    return [_planned(each, [file], route(each, workflows, change)) for each in events]
