"""The work of `mlops route`: parse, ask the router, print. Its door is `mlops.cli.route`."""

from __future__ import annotations

import json
import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError, UsageError
from mlops.git import Git
from mlops.routing.router.decisions import Change, as_called
from mlops.routing.router.differences import Begun, Branch
from mlops.routing.router.events import NAMES, Event, from_payload, full_ref
from mlops.routing.router.plans import Routed, explain, read_tree, route_event

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

_DESCRIPTION = """Say which workflows an event starts, as GitHub decides it, and why.

Without --event the event is read from GITHUB_EVENT_NAME, GITHUB_EVENT_PATH, GITHUB_REF and
GITHUB_SHA; where those are not set, it is a push of what the upstream branch lacks.

UNKNOWN is said where GitHub's answer cannot be known; act on it as on RUN."""


_FORMATS = ("table", "json", "github")
_OUTPUTS = ("services", "level", "deploy")  # outputs of the plan job beside the pipelines
_WITH_VALUE = {
    "event": "the event, instead of the one that a runner describes",
    "before": "push: the commit before; all zeros for a new ref",
    "after": "push: the commit after; all zeros for a deleted ref",
    "base": "pull_request, merge_group: the base branch's commit",
    "head": "pull_request, merge_group: the request's or the group's commit",
    "ref": "the pushed ref; for a pull request the base branch [the current branch]",
    "action": "the activity, such as opened or labeled",
    "explain": "tell everything that a change to this one path starts",
    "output": "write the plan there too, as JSON",
    "format": "github: outputs for a plan job (GITHUB_OUTPUT) and its summary",
    "repository": "the repository [the current folder]",
}
_FLAGS = {
    "forced": "the push was forced",
    "stdin0": "read the changed paths from standard input, NUL-separated",
}
_SHOWN = {"explain": "FILE", "output": "FILE", "repository": "DIR", "ref": "REF", "action": "ACTION"}
_CHOICES = {"event": NAMES, "format": _FORMATS}
_DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(_WITH_VALUE), **dict.fromkeys(_FLAGS, False), "commit": None, "format": "table", "repository": ".",
}


def run(words: Sequence[str], prog_name: str, begun: Begun | None = None) -> int:
    """Run the command; returns its exit code (0, or an error is raised)."""
    asked: Any = _plainly(words) or parser(prog_name).parse_args(words)
    if asked.explain is not None:
        return _explain(asked.repository, asked.explain, asked.format)
    git = Git(asked.repository)
    given = _stdin() if asked.stdin0 else None
    routed = route_event(git, _event(git, asked, begun), given=given, begun=begun.diff if begun else None)
    if asked.output is not None:
        from pathlib import Path

        from mlops.files import write_atomic

        write_atomic(Path(asked.output), json.dumps(routed.to_dict()) + "\n")
    if asked.format == "json":
        print(json.dumps(routed.to_dict()))
    elif asked.format == "github":
        _github(asked.repository, routed)
    else:
        print(table(routed))
    return 0


def parser(name: str) -> argparse.ArgumentParser:
    """The options of this command."""
    import argparse

    made = argparse.ArgumentParser(
        prog=name, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    for option, text in _WITH_VALUE.items():
        choices = _CHOICES.get(option)
        shown = None if choices else _SHOWN.get(option, "SHA")
        made.add_argument(f"--{option}", choices=choices, default=_DEFAULTS[option], metavar=shown, help=text)
    for option, text in _FLAGS.items():
        made.add_argument(f"--{option}", action="store_true", help=text)
    made.add_argument(
        "--commit", action="append", metavar="SHA", help="push of a new branch: a pushed commit; repeat, oldest first"
    )
    from mlops.cli.filters import add_parsers

    add_parsers(made)
    return made


def _plainly(words: Sequence[str]) -> SimpleNamespace | None:
    """The options, where they are written plainly; None leaves them to argparse, which costs ten milliseconds."""
    found: dict[str, Any] = dict(_DEFAULTS)
    rest = iter(words)
    for word in rest:
        option = word[2:] if word.startswith("--") else ""
        if option in _FLAGS:
            found[option] = True
        elif option in _WITH_VALUE:
            value = next(rest, "-")
            if value.startswith("-") or value not in _CHOICES.get(option, (value,)):
                return None
            found[option] = value
        else:
            return None
    return SimpleNamespace(**found)


def _stdin() -> list[str]:
    names = sys.stdin.buffer.read().split(b"\0")
    return sorted({name.decode("utf-8", "surrogateescape") for name in names if name})


def _event(git: Git, asked: Any, begun: Begun | None) -> Event:
    ref = full_ref(asked.ref)
    if asked.event is None and os.environ.get("GITHUB_EVENT_NAME"):
        given = {key: getattr(asked, key) for key in ("before", "after", "base", "head", "action")} | {"ref": ref}
        event = _from_runner(os.environ["GITHUB_EVENT_NAME"])
        return event._replace(**{key: value for key, value in given.items() if value})
    if asked.event in (None, "push"):
        return _push(git, asked, ref or (begun.branch if begun else Branch(git)).name())
    if asked.event in ("pull_request", "merge_group"):
        return Event(
            asked.event, ref, asked.action, base=asked.base or asked.before, head=asked.head or asked.after
        )
    return Event(asked.event, ref, after=asked.after)


def _push(git: Git, asked: Any, ref: str | None) -> Event:
    from mlops.routing.router.events import nothing

    before, after = asked.before, asked.after
    if asked.event is None and before is None and not asked.stdin0:
        before = _upstream(git)
    return Event(
        "push", ref, before=before, after=after, forced=asked.forced, deleted=after is not None and nothing(after),
        commits=tuple(asked.commit) if asked.commit else None,
    )


def _upstream(git: Git) -> str | None:
    """The commit that a push from here would start from: the upstream branch's, else the parent of HEAD."""
    for name in ("@{upstream}", "HEAD^"):
        code, output, _ = git.ask("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        if code == 0:
            return output.decode().strip()
    return None


def _from_runner(name: str) -> Event:
    path = os.environ.get("GITHUB_EVENT_PATH")
    if not path:
        raise UsageError("GITHUB_EVENT_PATH is not set", mend="give --event and its commits, or set it like a runner")
    try:
        with open(path, "rb") as file:
            payload = json.loads(file.read())
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    except ValueError as error:
        raise InvalidRecordError(f"is not valid JSON: {error}", where=path) from error
    if not isinstance(payload, dict):
        raise InvalidRecordError("is no object", where=path)
    return from_payload(name, payload, ref=os.environ.get("GITHUB_REF"), sha=os.environ.get("GITHUB_SHA"))


def table(routed: Routed) -> str:
    """The plan for people; file names are quoted, so that none can break a line or a log."""
    rows = [("workflow", "verdict", "why")]
    for each in routed.workflows:
        why = _printable(each.reason)
        if each.file:
            why += f": {quoted(each.file)}" + (f" by {each.pattern!r}" if each.pattern else "")
        if each.called_by:
            why += f" (called by {quoted(each.called_by.rpartition('/')[2])})"
        rows.append((quoted(each.workflow.rpartition("/")[2]), each.verdict, why))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {verdict:<{widths[1]}}  {why}" for name, verdict, why in rows]
    count = len(routed.files)
    head = f"{routed.event} on {routed.ref or 'an unknown ref'}: {count} changed file(s), {_extent(routed)}"
    return "\n".join([head, *lines])


def _extent(routed: Routed) -> str:
    return f"level {routed.level}, {'deploys' if routed.deploy else 'deploys nothing'}"


def quoted(name: str) -> str:
    """A file name that is safe to print: as it is where it is harmless, else as a JSON string."""
    return name if name.isprintable() and not name.startswith(("::", '"')) else json.dumps(name)


def _printable(text: str) -> str:
    """A sentence in which a file's name may stand, on one line and without control characters."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _top(folder: str) -> Path:
    from pathlib import Path

    from mlops.git import repository

    return repository(Path(folder))


def _explain(repository: str, file: str, form: str) -> int:
    plans = explain(_top(repository), file)
    if form == "json":
        print(json.dumps({"schema": 1, "file": file, "events": [each.to_dict() for each in plans]}))
        return 0
    for each in plans:
        print(table(each._replace(workflows=[one for one in each.workflows if one.verdict != "SKIP"])))
    return 0


def _github(repository: str, routed: Routed) -> None:
    """`NAME=true|false` for each pipeline, `services` for a matrix, `level` and `deploy`, to GITHUB_OUTPUT.

    To standard output where there is no such file.
    """
    runs: dict[str, bool] = {}
    for each in routed.workflows:
        # a workflow file's name comes from the change: none may write another output, or switch one off
        if _is_word(each.pipeline) and each.pipeline not in _OUTPUTS:
            runs[each.pipeline] = runs.get(each.pipeline, False) or each.verdict != "SKIP"
    lines = [f"{name}={str(value).lower()}" for name, value in runs.items()]
    lines.append(f"services={json.dumps(_affected(repository, routed))}")
    lines += [f"level={routed.level}", f"deploy={str(routed.deploy).lower()}"]
    text = "\n".join(lines) + "\n"
    _append("GITHUB_OUTPUT", text) or print(text, end="")
    rows = [
        f"| {_cell(each.pipeline, code=not _is_word(each.pipeline))} | {each.verdict} | {_cell(each.reason)} "
        f"| {_cell(each.file)} | {_cell(each.pattern)} |" for each in routed.workflows
    ]
    said = ["### Plan", "", _extent(routed), ""]
    head = [*said, "| pipeline | verdict | reason | file | pattern |", "| --- | --- | --- | --- | --- |"]
    _append("GITHUB_STEP_SUMMARY", "\n".join([*head, *rows, ""]) + "\n")
    print(table(routed), file=sys.stderr)


def _is_word(text: str) -> bool:
    return text.replace("-", "").replace("_", "").isalnum()


def _affected(repository: str, routed: Routed) -> list[str]:
    """The services to test: those whose own files changed; all where anything else starts their pipeline."""
    from mlops.product import SERVICES, services

    every = services(_top(repository))
    path = next((each.workflow for each in routed.workflows if each.pipeline == "service"), None)
    workflow = next((each for each in read_tree(_top(repository)) if each.path == path), None)
    if workflow is None or not routed.files:
        return every
    own = [name for name in every if any(file.startswith(f"{SERVICES}/{name}/") for file in routed.files)]
    others = [file for file in routed.files if not file.startswith(tuple(f"{SERVICES}/{name}/" for name in own))]
    alone = own and as_called(workflow, Change(others)).verdict == "SKIP"
    return own if alone else every


def _cell(text: str | None, *, code: bool = True) -> str:
    """Outside text in a Markdown table: as code, without anything that ends a cell or the code."""
    if not text or not code:
        return text or ""
    safe = quoted(text).replace("|", "\\|").replace("`", "'")
    return f"`{safe[:200]}`"


def _append(variable: str, text: str) -> bool:
    path = os.environ.get(variable)
    if not path:
        return False
    try:
        with open(path, "a", encoding="utf-8", errors="backslashreplace") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror or error}", where=f"{variable}={path}") from error
    return True
