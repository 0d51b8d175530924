"""What a workflow file says about when it starts, and which files it calls. Pure."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlops.routing.router import yaml12
from mlops.routing.router.filters import PathFilter, PatternList

FOLDER = ".github/workflows"
_SELF = (f"./{FOLDER}/", f"$/{FOLDER}/")  # the checked-out tree's file, or the file of the running commit
_FILTERS = ("branches", "branches-ignore", "tags", "tags-ignore", "paths", "paths-ignore", "types")
_REQUEST = frozenset(("types", "branches", "branches-ignore", "paths", "paths-ignore"))
_KEYS = {  # what GitHub's schema (workflow-v1.0.json) lists under the events that have path filters
    "push": frozenset(_FILTERS) - {"types"}, "pull_request": _REQUEST, "pull_request_target": _REQUEST,
}
# "Events that trigger workflows"; one slip in a name, and GitHub refuses the whole file
_EVENTS = frozenset((
    "branch_protection_rule", "check_run", "check_suite", "create", "delete", "deployment", "deployment_status",
    "discussion", "discussion_comment", "fork", "gollum", "image_version", "issue_comment", "issues", "label",
    "merge_group", "milestone", "page_build", "project", "project_card", "project_column", "public", "pull_request",
    "pull_request_comment", "pull_request_review", "pull_request_review_comment", "pull_request_target", "push",
    "registry_package", "release", "repository_dispatch", "schedule", "status", "watch", "workflow_call",
    "workflow_dispatch", "workflow_run",
))
_NOT_HERE = "it is a symbolic link, or a partial clone does not hold it"
_PAIRS = (("branches", "branches-ignore"), ("tags", "tags-ignore"), ("paths", "paths-ignore"))


class Trigger(NamedTuple):
    """One event under `on:`; None where a filter is not given. `after` names the workflows of `workflow_run`."""

    branches: PatternList | None = None
    branches_ignore: PatternList | None = None
    tags: PatternList | None = None
    tags_ignore: PatternList | None = None
    paths: tuple[str, ...] | None = None
    paths_ignore: tuple[str, ...] | None = None
    types: tuple[str, ...] | None = None
    crons: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def path_filter(self) -> PathFilter | None:
        """The trigger's path filter, None where it has none."""
        if self.paths is None and self.paths_ignore is None:
            return None
        return PathFilter(self.paths, self.paths_ignore)


class Workflow(NamedTuple):
    """A workflow file, as far as routing needs it.

    Attributes:
        path: From the repository's top.
        pipeline: `service` for service-pipeline.yml, the stem for others.
        on: Trigger by event.
        calls: The workflow files of this repository that its jobs call.
        problem: Why GitHub would refuse the file, as far as can be told.
        name: As it is shown, and as `workflow_run` calls it; the path where none is given.
    """

    path: str
    pipeline: str
    on: dict[str, Trigger]
    calls: tuple[str, ...] = ()
    problem: str | None = None
    name: str = ""


class _Invalid(Exception):
    """The file breaks GitHub's rules."""


def pipeline_of(path: str) -> str:
    """The pipeline's name that a workflow file carries."""
    return path.rpartition("/")[2].rpartition(".")[0].removesuffix("-pipeline")


def parse(path: str, text: str | None) -> Workflow:
    """The workflow in `text`; one that cannot be read, or is not there (None), carries its problem and raises none."""
    if text is None:
        return Workflow(path, pipeline_of(path), {}, problem=_NOT_HERE)
    try:
        document = yaml12.load(text, where=path)
        if not isinstance(document, dict):
            raise _Invalid("is no mapping")
        if "on" not in document:
            raise _Invalid("has no `on`")
        on = _triggers(document["on"])
    except yaml12.NotYamlError as error:
        return Workflow(path, pipeline_of(path), {}, problem=f"{error.where}: {error.message}")
    except _Invalid as error:
        return Workflow(path, pipeline_of(path), {}, problem=str(error))
    name = document.get("name")
    shown = name if isinstance(name, str) and name else path
    return Workflow(path, pipeline_of(path), on, _calls(document.get("jobs")), _broken(on), shown)


def _triggers(on: Any) -> dict[str, Trigger]:
    named = {on: None} if isinstance(on, str) else on
    if isinstance(on, list) and all(isinstance(each, str) for each in on):
        named = dict.fromkeys(on)
    if not isinstance(named, dict) or not named:
        raise _Invalid("`on` is neither an event, a list of events nor a mapping of them")
    unknown = next((event for event in named if event not in _EVENTS), None)
    if unknown is not None:
        raise _Invalid(f"`on` names no event with {unknown!r}")
    return {event: _trigger(event, value) for event, value in named.items()}


def _trigger(event: str, value: Any) -> Trigger:
    if value is None:
        return Trigger()
    if event == "schedule":
        entries = value if isinstance(value, list) else []
        return Trigger(crons=tuple(str(each["cron"]) for each in entries if isinstance(each, dict) and "cron" in each))
    if not isinstance(value, dict):
        raise _Invalid(f"`on.{event}` is no mapping")
    unknown = next((key for key in value if key not in _KEYS[event]), None) if event in _KEYS else None
    if unknown is not None:  # a slip in the name of a filter: GitHub refuses the file, it does not leave the filter out
        raise _Invalid(f"`on.{event}` knows no {unknown!r}")
    given = {key: _texts(f"on.{event}.{key}", value[key]) for key in _FILTERS if key in value}
    for one, other in _PAIRS:
        if one in given and other in given:
            raise _Invalid(f"`on.{event}` has both {one} and {other}")
    lists = {key: PatternList(given[key]) for pair in _PAIRS[:2] for key in pair if key in given}
    return Trigger(
        lists.get("branches"), lists.get("branches-ignore"), lists.get("tags"), lists.get("tags-ignore"),
        given.get("paths"), given.get("paths-ignore"), given.get("types"),
        after=_texts("on.workflow_run.workflows", value.get("workflows", [])) if event == "workflow_run" else (),
    )


def _texts(field: str, value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise _Invalid(f"`{field}` is an empty list")
    return tuple(_text(field, item) for item in items)


def _text(field: str, item: Any) -> str:
    """A scalar as GitHub turns it into text: 1.10 is the number 1.1."""
    if isinstance(item, str):
        return item
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, int | float):
        return format(item, ".15g")
    raise _Invalid(f"`{field}` holds what is no text")


def _broken(on: dict[str, Trigger]) -> str | None:
    for event, trigger in on.items():
        lists = [trigger.branches, trigger.branches_ignore, trigger.tags, trigger.tags_ignore]
        lists += [PatternList(each) for each in (trigger.paths, trigger.paths_ignore) if each is not None]
        for pattern in (pattern for each in lists if each is not None for pattern in each.patterns):
            if pattern.broken:
                return f"`on.{event}`: the pattern {pattern.text!r} {pattern.problems[-1]}"
    return None


def _calls(jobs: Any) -> tuple[str, ...]:
    found = []
    for job in jobs.values() if isinstance(jobs, dict) else ():
        uses = job.get("uses") if isinstance(job, dict) else None
        if isinstance(uses, str) and uses.startswith(_SELF):
            found.append(uses.partition("/")[2])
    return tuple(dict.fromkeys(found))
