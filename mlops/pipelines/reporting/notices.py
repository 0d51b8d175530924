"""What is worth telling a team: a failure, that it works again, a release; and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, get_args

from mlops.errors import ConfigurationError, MlopsError
from mlops.github import GitHub, Job
from mlops.records import Plan

Event = Literal["failure", "recovery", "release"]
EVENTS: tuple[Event, ...] = get_args(Event)
RELEASING = ("release", "deploy")
"""Jobs whose success is a release."""
_FAILED = ("failure", "timed_out", "startup_failure")


class Notice(NamedTuple):
    """What is told, as plain text; `thread` is the same for what belongs together: a failure and its recovery."""

    event: Event
    title: str
    lines: list[str]
    address: str | None
    thread: str


def wanted(setting: str) -> set[Event]:
    """The events that are told.

    Raises:
        ConfigurationError: one of them is unknown.
    """
    words = {each.strip() for each in setting.split(",") if each.strip()}
    unknown = sorted(words - set(EVENTS))
    if unknown:
        raise ConfigurationError(
            f"{unknown[0]!r} is no event", where="MLOPS_NOTIFY_EVENTS (notifications.events)",
            mend=f"known: {', '.join(EVENTS)}, separated by commas",
        )
    return {each for each in EVENTS if each in words}


def happened(needs: Mapping[str, str], recovered: bool | None) -> Event | None:
    """What the jobs' results are news of; None for none. A run that was cancelled is none.

    Args:
        needs: Result by job.
        recovered: Whether the run before failed.
    """
    results = list(needs.values())
    if "failure" in results:
        return "failure"
    if "cancelled" in results or "success" not in results:
        return None
    if any(needs.get(name) == "success" for name in RELEASING):
        return "release"
    return "recovery" if recovered else None


def recovered(github: GitHub, job: Job) -> bool:
    """Whether the workflow's run before this one, on the same branch, failed.

    Raises:
        MlopsError: GitHub did not say.
    """
    if not job.workflow or not job.run.isdigit() or not job.ref.startswith("refs/heads/"):
        return False
    path = github.path("actions", "workflows", job.workflow, "runs")
    query = {"branch": job.branch, "status": "completed"}
    for each in github.each(path, query, key="workflow_runs", pages=1, right="read runs (`actions: read`)"):
        conclusion = each.get("conclusion")
        if int(each.get("id") or 0) < int(job.run) and (conclusion == "success" or conclusion in _FAILED):
            return conclusion in _FAILED
    return False


def write(event: Event, needs: Mapping[str, str], plan: Plan | None, job: Job) -> Notice:
    """The words for an event."""
    name = job.workflow_name or "the pipelines"
    place = f" on {job.branch}" if job.branch else ""
    heads = {
        "failure": f"{name} failed{place}", "recovery": f"{name} works again{place}",
        "release": f"{name} released{place}",
    }
    lines = [f"repository {job.repository}"] if job.repository else []
    lines += [f"commit {job.sha[:12]}" + (f" by {job.actor}" if job.actor else "")] if job.sha else []
    jobs: dict[str, list[str]] = {}
    for each, result in needs.items():
        jobs.setdefault(result, []).append(each)
    lines += [f"{result}: {', '.join(sorted(names))}" for result, names in sorted(jobs.items()) if result != "skipped"]
    for verdict in plan.workflows if plan else []:
        if needs.get(verdict.pipeline) == "failure" and verdict.file and verdict.pattern:
            lines.append(f"{verdict.pipeline} ran because of {verdict.file} (in {verdict.pattern})")
    thread = "-".join(["switchyard", job.workflow.rpartition(".")[0] or "pipelines", job.branch or "local"])
    return Notice(event, _plain(heads[event]), [_plain(each) for each in lines], job.address, _word(thread))


def find(needs: Mapping[str, str], events: set[Event], job: Job) -> tuple[Event | None, str]:
    """The event to tell, if any, and why there is none."""
    before: bool | None = None
    doubt = ""
    if happened(needs, True) == "recovery" and "recovery" in events:
        try:
            before = recovered(GitHub(), job)
        except MlopsError as error:
            doubt = f"; whether the run before failed is not known: {error.message}"
    event = happened(needs, before)
    if event is None:
        return None, f"nothing to tell: no failure, no recovery, no release{doubt}"
    return (event, "") if event in events else (None, f"a {event} is not among the events to tell")


def _plain(value: str) -> str:
    """One line without what a channel could take for a mention of somebody."""
    shown = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in value)
    return shown[:500].replace("@", "@\u200b").replace("<", "\u2039").replace(">", "\u203a")


def _word(value: str) -> str:
    return "".join(each if each.isalnum() and each.isascii() or each in "-_." else "-" for each in value)[:200]
