"""Puts a replay together: history, verdicts, durations and, where they are asked for, the inputs of each day."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from mlops.config import Workspace
from mlops.git import Git, repository
from mlops.routing.replay.durations import read_durations
from mlops.routing.replay.history import History, Moment, pushed_branch
from mlops.routing.replay.outcome import Played, Replay, without_filters
from mlops.routing.router.events import Event, full_ref
from mlops.routing.router.plans import decide

if TYPE_CHECKING:
    from mlops.routing.replay.missed import Days, Gather


def replay(
    git: Git, last: int, *, head: str = "HEAD", ref: str | None = None, gather: Gather | None = None,
    tell: Callable[[int, int], None] | None = None,
) -> Replay:
    """Route the last first-parent commits of a history, each as a push that brought it.

    Args:
        git: The repository.
        last: How many commits, the newest being `head`.
        ref: The branch that they were pushed to; the default branch where it is not given.
        gather: Reads the declared pipelines of a tree; without it nothing is said of mis-routed commits.
        tell: Is told how many commits are done, and of how many.

    Raises:
        GitError: git cannot read the history.
        MissingInputError: no repository, or `head` is not in it.
        UsageError: `last` or `head` cannot be asked for.
    """
    with ExitStack() as running:
        history = running.enter_context(History(git, last, head))
        event = Event("push", full_ref(ref) or pushed_branch(git))
        days = None
        if gather is not None:
            from mlops.routing.replay.missed import Days

            days = running.enter_context(Days(git, gather))
        played: list[Played] = []
        for moment in history:
            played.append(_play(git, event, moment, days))
            if tell is not None:
                tell(len(played), len(history.commits))
    places = Workspace(repository(Path(git.folder)))
    durations = read_durations(places.receipts, places.runs)
    return Replay(event.ref, history.head, last, history.shallow, played, durations, gather is not None)


def _play(git: Git, event: Event, moment: Moment, days: Days | None) -> Played:
    pushed = event._replace(before=moment.parent, after=moment.commit)
    decisions = decide(git, pushed, moment.workflows, moment.reading)
    played = Played(
        moment.commit, moment.parent, moment.message.split("\n", 1)[0].strip(),
        None if moment.files is None else len(moment.files), decisions,
        without_filters(pushed, moment.workflows, moment.reading.change),
    )
    return played if days is None else _audited(played, moment, days)


def _audited(played: Played, moment: Moment, days: Days) -> Played:
    from mlops.routing.replay.missed import missed, wanted

    if moment.parent is None or moment.files is None:
        return played._replace(why=moment.reading.change.why)
    if not wanted(moment.files, moment.workflows):
        return played._replace(missed=())
    # the parent first: mostly it is the commit before, which was looked at a moment ago
    before = days.at(moment.parent, moment.workflows) if moment.gone else None
    day = days.at(moment.commit, moment.workflows)
    problem = day.problem or (before.problem if before else None)
    if problem is not None:
        return played._replace(why=problem)
    return played._replace(missed=missed(moment.files, moment.workflows, played.workflows, day, before))
