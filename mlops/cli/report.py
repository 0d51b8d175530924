"""`mlops report`: what the pipelines did, where people look: the step's summary, the pull request, a team's channel."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from mlops.cli.common import HERE, RepositoryOption, new_app, open_workspace
from mlops.cli.declared import Argument, Exit, Option

if TYPE_CHECKING:
    from mlops.records import Plan

app = new_app("Tell what the pipelines did: step summary, pull request comment, notifications.", no_args_is_help=True)


class Pipeline(str, enum.Enum):
    """Whose summary."""

    SERVICE = "service"
    DATA = "data"
    MODEL = "model"
    MAIN = "main"


class NoticeEvent(str, enum.Enum):
    """What is told."""

    FAILURE = "failure"
    RECOVERY = "recovery"
    RELEASE = "release"


PlanOption = Annotated[Path, Option("--plan", help="The plan that `mlops route` wrote.")]
NeedsOption = Annotated[Path, Option("--needs", help="GitHub's toJSON(needs).")]


@app.command()
def summary(
    pipeline: Annotated[Pipeline, Argument(help="Whose.")],
    level: Annotated[str | None, Option(help="How models were trained, as the plan says.")] = None,
    repository: RepositoryOption = HERE,
) -> None:
    """Append what the pipeline left (receipts, tests, data quality, models) to GITHUB_STEP_SUMMARY, else print it.

    Also keeps it as .mlops/reports/summary/PIPELINE.json, which `mlops report comment` reads from the job's artifact.
    """
    from mlops import github
    from mlops.logs import say
    from mlops.pipelines.reporting import evidence, summary as writing

    places, _ = open_workspace(repository)
    report = evidence.gather(places, pipeline.value, level=level)
    evidence.keep(places, report)
    job = github.job()
    if writing.append(writing.render(report), job.summary):
        say(f"the step's summary tells of the {pipeline.value} pipeline: {report.outcome}")


@app.command()
def comment(
    plan: PlanOption, needs: NeedsOption,
    receipts: Annotated[Path, Option(help="Folder with the artifacts of the pipelines' jobs.")],
) -> None:
    """Write the one comment on the pull request, or bring it up to date.

    With a token that may only read (a fork's) it becomes the step's summary. Exits 2 without a pull request.
    """
    from mlops import github
    from mlops.errors import MlopsError, UsageError
    from mlops.logs import say
    from mlops.pipelines.reporting import comment as writing, discussion, evidence, summary as summaries

    job = github.job()
    if job.request is None:
        raise UsageError(
            f"the event {job.event!r} is about no pull request" if job.event else "no event is described",
            where="GITHUB_EVENT_PATH", mend="run it in a workflow that `pull_request` started",
        )
    body = writing.render(_plan(plan), _needs(needs), evidence.collected(receipts), job)
    if job.from_fork:
        say("the pull request comes from another repository, whose token only reads: the step's summary has it")
        summaries.append(body, job.summary)
        return
    try:
        posted = discussion.post(github.GitHub(), int(job.request["number"]), body, writing.MARKER)
    except discussion.Refused as refused:
        say(f"GitHub does not let this token comment ({refused}): the step's summary has it")
        summaries.append(body, job.summary)
        return
    except MlopsError:
        if job.summary is not None:  # what was found out is not lost with the comment
            summaries.append(body, job.summary)
        raise
    more = f", {posted.removed} more of them removed" if posted.removed else ""
    say(f"comment {posted.done}{more}: {posted.address}")


@app.command()
def scans(
    files: Annotated[list[Path], Argument(metavar="FILE...", help="SARIF files.")],
) -> None:
    """Append the findings in SARIF files to GITHUB_STEP_SUMMARY, else print them: where they may not be uploaded."""
    from mlops import github
    from mlops.pipelines.reporting import scans as reading, summary as summaries

    summaries.append(reading.render(files), github.job().summary)


@app.command()
def notify(
    needs: NeedsOption,
    plan: Annotated[Path | None, Option("--plan", help="The plan that `mlops route` wrote.")] = None,
    event: Annotated[NoticeEvent | None, Option(help="Tell of this, whatever the results.")] = None,
    repository: RepositoryOption = HERE,
) -> None:
    """Tell the configured channels (Slack, Teams, Jira) of a failure, a recovery or a release.

    Exits 0 with nothing configured or nothing to tell, too; 1 where a channel was not told (the others were).
    """
    from mlops import github
    from mlops.logs import say
    from mlops.pipelines.reporting import channels, notices

    settings = open_workspace(repository)[1].notifications
    known = channels.configured(settings)
    results, job = _needs(needs), github.job()
    if not known:
        say("no channel is configured (MLOPS_NOTIFY_SLACK, MLOPS_NOTIFY_TEAMS, MLOPS_NOTIFY_JIRA_URL)")
        return
    chosen, why = (event.value, "") if event else notices.find(results, notices.wanted(settings.events), job)
    if chosen is None:
        say(why)
        return
    made = _plan(plan) if plan else None
    notice = notices.write(chosen, results, None if isinstance(made, str) else made, job)
    sent, errors = channels.tell(known, notice)
    for line in sent:
        say(f"{chosen}: {line}")
    for error in errors:
        say(f"mlops report notify: {error}")
    if errors:
        raise Exit(1)


def _needs(path: Path) -> dict[str, str]:
    from mlops.errors import MissingInputError
    from mlops.records.gate import read_needs

    try:
        content = path.read_bytes()
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return read_needs(content, where=str(path))


def _plan(path: Path) -> Plan | str:
    """The plan, or why there is none: where the planner failed the comment says so."""
    from mlops.errors import MlopsError
    from mlops.records import Plan, read

    try:
        return read(Plan, path)
    except MlopsError as error:
        return error.message
