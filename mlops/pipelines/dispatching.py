"""The hand-over: after a pipeline passed on main, the next one is started with what is new.

data → model → service, and no way back: a hand-over can start no loop. GitHub keeps no inputs of a run that can be
asked for, so the started workflow's `run-name` must contain its input; by these names what was handed over last is
known, and a hand-over that is repeated finds what it did before.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mlops.errors import InvalidRecordError, MissingInputError, RefusedError
from mlops.github import GitHub, Job
from mlops.records import PipelineRun, Receipt, read

MAIN = "main"
_EVENTS = ("push", "workflow_dispatch")
_RIGHT = "start workflows (`permissions: actions: write`)"
_LOOK_BACK = 3  # pages of runs, 100 each, among which the last hand-over is looked for


class Next(NamedTuple):
    """What follows a pipeline: its workflow file, the input's name, and the step and fact that name the new thing."""

    workflow: str
    input: str
    step: str
    fact: str


NEXT = {
    "data": Next("model-pipeline.yml", "data", "version", "version"),
    "model": Next("service-pipeline.yml", "models", "promote", "champion"),
}


class Made(NamedTuple):
    """A data set or model with the version in force after this run; `fresh` where this run made it."""

    name: str
    version: str
    fresh: bool


def hand_over(pipeline: str, folder: Path, job: Job, github: Callable[[], GitHub]) -> str:
    """Start the pipeline after `pipeline` where something is new; returns what was done, in words.

    Args:
        folder: What the pipeline left: `.mlops`, or its artifact.
        github: Opens the API; called only where it is needed.

    Raises:
        RefusedError: this is no push or dispatch on main, or the pipeline did not pass.
        MissingInputError: it left no record of its run.
        ConfigurationError, UsageError, UnavailableError: GitHub did not do it.
    """
    _expect_main(job)
    follow = NEXT[pipeline]
    made = things(_passed(pipeline, folder), pipeline)
    if not made:
        return f"the {pipeline} pipeline made nothing that can be handed over"
    value = " ".join(f"{each.name}={each.version}" for each in made)
    api = github()
    started = _started(api, follow)
    again = _by_this_run(api, job, started, value)
    if again is not None:
        return f"{value} was handed over before: {again.get('html_url')}"
    before = handed_over([str(each.get("display_title") or "") for each in started], [each.name for each in made])
    fresh = [each for each in made if each.fresh or before.get(each.name, each.version) != each.version]
    if not fresh:
        return f"nothing new to hand over: {value}"
    address = _start(api, follow, value)
    return f"started {follow.workflow} with {follow.input}: {value} (new: {_names(fresh)}){address}"


def things(run: PipelineRun, pipeline: str) -> list[Made]:
    """What the run has to hand over, sorted by name.

    A data version is fresh where its step ran. A model is fresh where this run's own challenger became champion:
    a champion that was kept is nothing new.
    """
    follow = NEXT[pipeline]
    own = [each for each in run.receipts if each.pipeline == pipeline]
    registered = {each.subject: str(each.facts.get("version", "")) for each in own if each.step == "register"}
    made = []
    for each in own:
        version = str(each.facts.get(follow.fact) or "")
        if each.step != follow.step or not version:
            continue
        fresh = each.outcome == "success" and registered.get(each.subject, version) == version
        made.append(Made(_word(each, each.subject), _word(each, version), fresh))
    return sorted(made)


def handed_over(titles: Sequence[str], names: Sequence[str]) -> dict[str, str]:
    """Name → version handed over last, from the titles of the started runs, newest first."""
    found: dict[str, str] = {}
    for title in titles:
        for name, version in re.findall(r"(?<![\w.-])([\w.-]+)=([\w.-]+)", title):
            if name in names:
                found.setdefault(name, version)
    return found


def _expect_main(job: Job) -> None:
    if job.event in _EVENTS and job.ref == f"refs/heads/{MAIN}":
        return
    raise RefusedError(
        f"a hand-over follows a push or dispatch on {MAIN}; this is {job.event or 'no event'} on {job.ref or 'no ref'}",
        where="GITHUB_EVENT_NAME, GITHUB_REF", mend=f"let the job run only on {MAIN}; a pull request releases nothing",
    )


def _passed(pipeline: str, folder: Path) -> PipelineRun:
    """The record of the pipeline's run, if it passed."""
    own = folder / "reports" / "runs" / f"{pipeline}.json"
    found = [own] if own.is_file() else sorted(folder.rglob(f"runs/{pipeline}.json"))
    if len(found) != 1:
        raise MissingInputError(
            "holds several records of its run" if found else f"holds no record of a run of the {pipeline} pipeline",
            where=folder, mend=f"run `mlops {pipeline} run` first, or give the folder with its one artifact",
        )
    run = read(PipelineRun, found[0])
    bad = [each for each in run.receipts if each.outcome == "failure"]
    if run.exit_code or bad or run.blocked or not run.ended:
        how = "it did not come to its end" if not run.ended else f"{len(bad)} failed, {len(run.blocked)} did not run"
        raise RefusedError(
            f"the {pipeline} pipeline did not pass: {how}",
            where=found[0], mend="nothing is handed over; correct what failed",
        )
    return run


def _word(receipt: Receipt, value: str) -> str:
    """A name or version as it may stand in an input."""
    if not re.fullmatch(r"[\w.-]{1,100}", value, re.ASCII):
        raise InvalidRecordError(
            f"{value!r} cannot be handed over", where=f"receipt of {receipt.pipeline}/{receipt.step}",
            mend="names and versions are letters, digits, dots, hyphens and underscores",
        )
    return value


def _started(api: GitHub, follow: Next) -> list[dict[str, Any]]:
    """The runs of the next workflow that were started so, newest first."""
    query = {"event": "workflow_dispatch", "branch": MAIN}
    path = api.path("actions", "workflows", follow.workflow, "runs")
    return list(api.each(path, query, key="workflow_runs", pages=_LOOK_BACK, right=_RIGHT))


def _by_this_run(api: GitHub, job: Job, started: list[dict[str, Any]], value: str) -> dict[str, Any] | None:
    """A run with this very input that began after this one: this run was repeated, or another was as quick."""
    same = [each for each in started if _holds(str(each.get("display_title") or ""), value)]
    if not same or not job.run:
        return None
    own = api.api.need("GET", api.path("actions", "runs", job.run), right=_RIGHT).document
    since = str(own.get("created_at") or "")
    return next((each for each in same if since and str(each.get("created_at") or "") >= since), None)


def _holds(title: str, value: str) -> bool:
    return re.search(rf"(?<![\w.=-]){re.escape(value)}(?![\w.=-])", title) is not None


def _start(api: GitHub, follow: Next, value: str) -> str:
    """Start it; returns `: ADDRESS` where GitHub says which run it is."""
    path = api.path("actions", "workflows", follow.workflow, "dispatches")
    body = {"ref": MAIN, "inputs": {follow.input: value}}
    answer = api.api.ask("POST", path, {**body, "return_run_details": True})
    if answer.status in (400, 422) and "return_run_details" in answer.message:  # an older GitHub Enterprise Server
        answer = api.api.ask("POST", path, body)
    api.api.expect(answer, f"POST {path}", _RIGHT)
    address = answer.document.get("html_url") if isinstance(answer.document, dict) else None
    return f": {address}" if address else ""


def _names(made: list[Made]) -> str:
    return ", ".join(f"{each.name} {each.version}" for each in made)
