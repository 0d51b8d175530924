"""`mlops route`: what an event starts, and why.

Parsed with argparse, unlike its neighbours: this command is asked before every pipeline and from
hooks, and shall take hardly longer than git itself.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError, UsageError
from mlops.git import Git
from mlops.routing.events import NAMES, Event, from_payload, full_ref
from mlops.routing.plans import Routed, explain, route_event

_DESCRIPTION = """Say which workflows an event starts, as GitHub decides it, and why.

Without --event the event is read from GITHUB_EVENT_NAME, GITHUB_EVENT_PATH, GITHUB_REF and
GITHUB_SHA; where those are not set, it is a push of what the upstream branch lacks.

UNKNOWN is said where GitHub's answer cannot be known; act on it as on RUN."""


def app(args: Sequence[str] | None = None, prog_name: str = "mlops route", standalone_mode: bool = True) -> int:
    """Run the command; returns its exit code (0, or an error is raised)."""
    words = list(sys.argv[1:] if args is None else args)
    asked = parser(prog_name).parse_args(words)
    if asked.explain is not None:
        return _explain(asked.repository, asked.explain, asked.format)
    git = Git(asked.repository)
    given = _stdin() if asked.stdin0 else None
    routed = route_event(git, _event(git, asked), given=given)
    if asked.output is not None:
        from mlops.files import write_atomic

        write_atomic(asked.output, json.dumps(routed.to_dict()) + "\n")
    if asked.format == "json":
        print(json.dumps(routed.to_dict()))
    elif asked.format == "github":
        _github(asked.repository, routed)
    else:
        print(table(routed))
    return 0


def parser(name: str) -> argparse.ArgumentParser:
    """The options of this command."""
    """The command's options; the reference of the commands is made from it."""
    made = argparse.ArgumentParser(
        prog=name, description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    add = made.add_argument
    add("--event", choices=NAMES, help="the event, instead of the one that a runner describes")
    add("--before", metavar="SHA", help="push: the commit before; all zeros for a new ref")
    add("--after", metavar="SHA", help="push: the commit after; all zeros for a deleted ref")
    add("--base", metavar="SHA", help="pull_request, merge_group: the base branch's commit")
    add("--head", metavar="SHA", help="pull_request, merge_group: the request's or the group's commit")
    add("--ref", help="the pushed ref; for a pull request the base branch [the current branch]")
    add("--action", help="the activity, such as opened or labeled")
    add("--commit", action="append", metavar="SHA", help="push of a new branch: a pushed commit; repeat, oldest first")
    add("--forced", action="store_true", help="the push was forced")
    add("--stdin0", action="store_true", help="read the changed paths from standard input, NUL-separated")
    add("--explain", metavar="FILE", help="tell everything that a change to this one path starts")
    add("--output", type=Path, metavar="FILE", help="write the plan there too, as JSON")
    add("--format", choices=("table", "json", "github"), default="table",
        help="github: outputs for a plan job (GITHUB_OUTPUT) and its summary")
    add("--repository", type=Path, default=Path("."), metavar="DIR", help="the repository [the current folder]")
    return made


def _stdin() -> list[str]:
    names = sys.stdin.buffer.read().split(b"\0")
    return sorted({name.decode("utf-8", "surrogateescape") for name in names if name})


def _event(git: Git, asked: argparse.Namespace) -> Event:
    if asked.event is None and os.environ.get("GITHUB_EVENT_NAME"):
        return _from_runner(os.environ["GITHUB_EVENT_NAME"])
    ref = full_ref(asked.ref)
    if asked.event in (None, "push"):
        return _push(git, asked, ref)
    if asked.event in ("pull_request", "merge_group"):
        return Event(
            asked.event, ref, asked.action, base=asked.base or asked.before, head=asked.head or asked.after
        )
    return Event(asked.event, ref, after=asked.after)


def _push(git: Git, asked: argparse.Namespace, ref: str | None) -> Event:
    from mlops.routing.events import nothing

    before, after = asked.before, asked.after
    if ref is None:
        from mlops.routing.changes import current_branch

        ref = current_branch(git)
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
        payload = json.loads(Path(path).read_bytes())
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
        why = each.reason
        if each.file:
            why += f": {quoted(each.file)}" + (f" by {each.pattern!r}" if each.pattern else "")
        if each.called_by:
            why += f" (called by {each.called_by.rpartition('/')[2]})"
        rows.append((quoted(each.workflow.rpartition("/")[2]), each.verdict, why))
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = [f"{name:<{widths[0]}}  {verdict:<{widths[1]}}  {why}" for name, verdict, why in rows]
    count = len(routed.files)
    return "\n".join([f"{routed.event} on {routed.ref or 'an unknown ref'}: {count} changed file(s)", *lines])


def quoted(name: str) -> str:
    """A file name that is safe to print: as it is where it is harmless, else as a JSON string."""
    return name if name.isprintable() and not name.startswith(("::", '"')) else json.dumps(name)


def _explain(repository: Path, file: str, form: str) -> int:
    plans = explain(repository, file)
    if form == "json":
        print(json.dumps({"schema": 1, "file": file, "events": [each.to_dict() for each in plans]}))
        return 0
    for each in plans:
        print(table(each._replace(workflows=[one for one in each.workflows if one.verdict != "SKIP"])))
    return 0


def _github(repository: Path, routed: Routed) -> None:
    """`NAME=true|false` for each pipeline, and `services` for a matrix, to GITHUB_OUTPUT (else standard output)."""
    from mlops.product import services

    lines = [f"{each.pipeline}={'false' if each.verdict == 'SKIP' else 'true'}" for each in routed.workflows]
    lines.append(f"services={json.dumps(services(repository))}")
    text = "\n".join(lines) + "\n"
    _append("GITHUB_OUTPUT", text) or print(text, end="")
    rows = [
        f"| {each.pipeline} | {each.verdict} | {_cell(each.reason)} | {_cell(each.file)} | {_cell(each.pattern)} |"
        for each in routed.workflows
    ]
    head = ["### Plan", "", "| pipeline | verdict | reason | file | pattern |", "| --- | --- | --- | --- | --- |"]
    _append("GITHUB_STEP_SUMMARY", "\n".join([*head, *rows, ""]) + "\n")
    print(table(routed), file=sys.stderr)


def _cell(text: str | None) -> str:
    """Outside text in a Markdown table: as code, without anything that ends a cell or the code."""
    if not text:
        return ""
    safe = quoted(text).replace("|", "\\|").replace("`", "'")
    return f"`{safe[:200]}`"


def _append(variable: str, text: str) -> bool:
    path = os.environ.get(variable)
    if not path:
        return False
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise ConfigurationError(f"cannot be written: {error.strerror or error}", where=f"{variable}={path}") from error
    return True
