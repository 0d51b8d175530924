"""(event, workflow files, change) → what starts, and why. Pure: nothing here asks git or reads a file.

The rules are GitHub's, as documented under "Events that trigger workflows" and "Workflow syntax";
where those leave the answer open it is UNKNOWN, and whoever must decide treats that as RUN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from mlops.routing.router.events import Event
from mlops.routing.router.filters import Match, PathFilter, PatternList
from mlops.routing.router.workflows import Trigger, Workflow

LIMIT = 300
"""GitHub looks at no more changed files than these, sorted by name."""

_SKIP_WORDS = ("[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]")
_SKIP_TRAILER = re.compile(r"^skip-checks:[ \t]*true[ \t]*$", re.MULTILINE)
_DEFAULT_TYPES = {
    "pull_request": ("opened", "synchronize", "reopened"),
    "pull_request_target": ("opened", "synchronize", "reopened"),
}


class Change(NamedTuple):
    """What changed, as far as it can be known.

    Attributes:
        files: The changed files; None where it cannot be known, `why` says for what reason.
        others: Other lists that GitHub may be looking at (a rename shown by its new name only).
        always: Why GitHub runs whatever the files are (too many commits).
        perhaps: Why it might do so, which makes a SKIP uncertain.
        message: The head commit's message.
        conflict: The request does not merge; GitHub starts nothing for it.
        filtered: False for events without a change (a dispatch, a schedule, a tag).
        elsewhere: Workflow files that the default branch lacks; a dispatch or schedule needs them there.
    """

    files: list[str] | None = None
    why: str = ""
    others: tuple[list[str], ...] = ()
    always: str | None = None
    perhaps: str | None = None
    message: str = ""
    conflict: bool = False
    filtered: bool = True
    elsewhere: frozenset[str] = frozenset()


class Decision(NamedTuple):
    """One workflow's verdict; the fields of records.WorkflowVerdict."""

    workflow: str
    pipeline: str
    verdict: str
    reason: str
    file: str | None = None
    pattern: str | None = None
    called_by: str | None = None


class _Answer(NamedTuple):
    verdict: str
    reason: str
    file: str | None = None
    pattern: str | None = None


_YES = _Answer("RUN", "")


def route(event: Event, workflows: Sequence[Workflow], change: Change) -> list[Decision]:
    """The verdict on every workflow, in the given order."""
    if change.files is not None:
        change = change._replace(files=sorted(change.files), others=tuple(map(sorted, change.others)))
    answers = {each.path: _native(event, each, change) for each in workflows}
    called = _called(workflows, answers, change)
    decisions = []
    for each in workflows:
        caller, answer = called.get(each.path, (None, answers[each.path]))
        decisions.append(Decision(each.path, each.pipeline, *answer, called_by=caller))
    return decisions


def as_called(workflow: Workflow, change: Change) -> Decision:
    """The verdict by the push filter of one file over all changed files, as a caller of it would plan."""
    if workflow.problem:
        answer = _Answer("UNKNOWN", f"GitHub may refuse the file: {workflow.problem}")
    elif "push" not in workflow.on:
        answer = _Answer("SKIP", "does not start on push")
    else:
        answer = _by_push_paths(workflow, change)
    return Decision(workflow.path, workflow.pipeline, *answer)


def skipped_by_message(message: str) -> bool | None:
    """Whether a commit message stops push and pull_request; None where only another case of letters would."""
    subject, _, last = message.replace("\r\n", "\n").rstrip().rpartition("\n\n")
    if any(word in message for word in _SKIP_WORDS) or subject and _SKIP_TRAILER.search(last):
        return True
    lower = message.lower()
    if any(word in lower for word in _SKIP_WORDS) or _SKIP_TRAILER.search(last.lower()):
        return None
    return False


def _native(event: Event, workflow: Workflow, change: Change) -> _Answer:
    """What GitHub does with one file on this event."""
    if workflow.problem:
        return _Answer("UNKNOWN", f"GitHub may refuse the file: {workflow.problem}")
    trigger = workflow.on.get(event.name)
    if trigger is None:
        return _Answer("SKIP", f"does not start on {event.name}")
    stopped = _stopped(event, trigger, workflow.path, change)
    if stopped is not None:
        return stopped
    if event.name == "workflow_run":  # its branches are those of the run that ended
        ref = _ref(event, trigger)
        return ref if ref.verdict != "RUN" else _Answer("RUN", f"starts after {event.only or 'a workflow'}")
    if event.name not in ("push", "pull_request", "pull_request_target", "merge_group"):
        return _Answer("RUN", "a dispatch ignores path filters" if event.name == "workflow_dispatch"
                       else f"starts on {event.name}")
    conditions = (_message(event, change), _ref(event, trigger))
    skip = next((each for each in conditions if each.verdict == "SKIP"), None)
    answer = skip or _paths(event, trigger, change)
    if answer.verdict == "SKIP":
        return answer
    return next((each for each in conditions if each.verdict == "UNKNOWN"), answer)


def _stopped(event: Event, trigger: Trigger, path: str, change: Change) -> _Answer | None:
    if event.deleted:
        return _Answer("SKIP", "the ref was deleted")
    if event.is_request and change.conflict:
        return _Answer("SKIP", "the request does not merge: GitHub starts nothing before the conflict is resolved")
    if path in change.elsewhere:
        return _Answer("SKIP", f"{event.name} needs the file on the default branch, which lacks it")
    if event.name == "workflow_dispatch" and event.only and event.only not in (path, path.rpartition("/")[2]):
        return _Answer("SKIP", f"{event.only} was dispatched")
    if event.name == "schedule" and event.only and event.only not in trigger.crons:
        return _Answer("SKIP", f"has no cron line {event.only!r}")
    if event.name == "workflow_run" and event.only and event.only not in trigger.after:
        return _Answer("SKIP", f"does not wait for {event.only!r}")
    types = trigger.types or _DEFAULT_TYPES.get(event.name)
    if types and event.action and event.action not in types:
        return _Answer("SKIP", f"does not start on the activity {event.action}")
    return None


def _message(event: Event, change: Change) -> _Answer:
    if event.name not in ("push", "pull_request"):
        return _YES
    stops = skipped_by_message(change.message)
    if stops:
        return _Answer("SKIP", "the head commit's message says to skip")
    return _YES if stops is False else _Answer("UNKNOWN", "the head commit's message says to skip in other letters")


def _ref(event: Event, trigger: Trigger) -> _Answer:
    """Branch and tag filters. A request and a merge group are held against their base branch."""
    branches, tags = (trigger.branches, trigger.branches_ignore), (trigger.tags, trigger.tags_ignore)
    if event.name != "push":
        tags = (None, None)
    own, other = (tags, branches) if event.is_tag else (branches, tags)
    kind = "tag" if event.is_tag else "branch"
    if own == (None, None):
        if other == (None, None):
            return _YES
        return _Answer("SKIP", "a tag, and only branches are listed" if event.is_tag else "a branch, and only tags are")
    name = event.short_ref
    if name is None:
        return _Answer("UNKNOWN", "the ref is not known, and the filter asks for it")
    included = _listed(own, name)
    if included is None:
        return _Answer("UNKNOWN", f"readers of the {kind} filter disagree on {name!r}")
    return _YES if included else _Answer("SKIP", f"the {kind} {name!r} is not included")


def _listed(filters: tuple[PatternList | None, PatternList | None], name: str) -> bool | None:
    wanted, ignored = filters
    if wanted is not None:
        return wanted.includes(name)[0]
    assert ignored is not None
    matched = ignored.includes(name)[0]
    return None if matched is None else not matched


def _paths(event: Event, trigger: Trigger, change: Change) -> _Answer:
    """Path filters over the files that GitHub looks at."""
    filter_ = trigger.path_filter
    if filter_ is None or event.name == "merge_group":
        return _Answer("RUN", f"starts on every {event.name}, it has no path filter")
    if event.is_tag:
        return _Answer("RUN", "path filters are not evaluated for tags")
    if change.always:
        return _Answer("RUN", change.always)
    if change.files is None:
        return _Answer("UNKNOWN", change.why)
    answers = [_looked_at(filter_, files) for files in (change.files, *change.others)]
    if any(each.verdict != answers[0].verdict for each in answers):
        return _Answer("UNKNOWN", "the answer depends on whether GitHub shows a rename as one file or two")
    if change.perhaps and answers[0].verdict == "SKIP":
        return _Answer("UNKNOWN", change.perhaps)
    return answers[0]


def _looked_at(filter_: PathFilter, files: list[str]) -> _Answer:
    answer = _reasoned(filter_.decide(files[:LIMIT]), files)
    if answer.verdict == "SKIP" and len(files) > LIMIT:
        return _Answer(
            "SKIP", f"no file among the first {LIMIT} of {len(files)} is included, and GitHub looks at no more"
        )
    return answer


def _reasoned(match: Match, files: list[str]) -> _Answer:
    if match.verdict == "SKIP":
        return _Answer("SKIP", "no changed file is included" if files else "no file changed")
    if match.verdict == "UNKNOWN":
        return _Answer("UNKNOWN", f"readers of the path filter disagree on {match.file!r}")
    reason = "a changed file is included" if match.pattern else "a changed file is not ignored"
    return _Answer("RUN", reason, match.file, match.pattern)


def _called(
    workflows: Sequence[Workflow], answers: dict[str, _Answer], change: Change
) -> dict[str, tuple[str, _Answer]]:
    """The files that started ones call and the event does not start itself: (caller, verdict)."""
    known = {each.path: each for each in workflows}
    found: dict[str, tuple[str, _Answer]] = {}
    # those that surely start come first, so that a callee is told its surest caller
    queue = [path for verdict in ("RUN", "UNKNOWN") for path, answer in answers.items() if answer.verdict == verdict]
    for caller in queue:
        calling = found[caller][1] if caller in found else answers[caller]
        for path in known[caller].calls:
            if path not in known or path in found or answers[path].verdict != "SKIP":
                continue
            answer = _as_called(known[path], change)
            if answer.verdict == "RUN" and calling.verdict == "UNKNOWN":
                answer = answer._replace(verdict="UNKNOWN", reason=f"whether {caller} starts is not known")
            found[path] = (caller, answer)
            if answer.verdict != "SKIP":
                queue.append(path)
    return found


def _as_called(workflow: Workflow, change: Change) -> _Answer:
    if "workflow_call" not in workflow.on:
        return _Answer("UNKNOWN", "is called, but has no `on: workflow_call`")
    return _by_push_paths(workflow, change)


def _by_push_paths(workflow: Workflow, change: Change) -> _Answer:
    """The push paths over all files: here the plan filters, not GitHub, so no limit and no ref filter holds."""
    push = workflow.on.get("push")
    filter_ = push.path_filter if push else None
    if filter_ is None:
        return _Answer("RUN", "has no path filter under push")
    if not change.filtered:
        return _Answer("RUN", "the event has no change to filter by")
    if change.files is None:
        return _Answer("UNKNOWN", change.why)
    return _reasoned(filter_.decide(change.files), change.files)
