"""What a history would have run: verdicts by commit, totals, and what the path filters saved. Pure.

The filters save what would have run without them: a workflow that another branch's filter, the
event or the commit's message keeps from running is no merit of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mlops.routing.replay.durations import Durations
from mlops.routing.router.decisions import Change, Decision, route
from mlops.routing.router.events import Event
from mlops.routing.router.workflows import Workflow


class Missed(NamedTuple):
    """A changed file that a pipeline depends on, and that the filter of its own day does not hold.

    Attributes:
        chain: The shortest chain of files that ties the workflow to the file.
        ran: Whether the workflow ran all the same, for another file's sake: luck, and no merit of the filter.
    """

    workflow: str
    path: str
    chain: tuple[str, ...]
    ran: bool


class Played(NamedTuple):
    """One commit of a history.

    Attributes:
        parent: The commit that it is compared with; None where there is none.
        subject: The first line of its message.
        files: How many files changed; None where it cannot be known.
        workflows: The verdict on each workflow file of its day.
        everything: The workflows that would have run without path filters.
        missed: None where the pipelines' inputs were not computed or cannot be, `why` says for what reason.
    """

    commit: str
    parent: str | None
    subject: str
    files: int | None
    workflows: list[Decision]
    everything: frozenset[str]
    missed: tuple[Missed, ...] | None = None
    why: str = ""

    @property
    def misrouted(self) -> bool:
        """Whether a pipeline did not run that depends on what changed."""
        return any(not each.ran for each in self.missed or ())

    def to_dict(self) -> dict[str, Any]:
        """As JSON data."""
        missed = None if self.missed is None else [{**m._asdict(), "chain": list(m.chain)} for m in self.missed]
        return {
            **self._asdict(), "workflows": [each._asdict() for each in self.workflows],
            "everything": sorted(self.everything), "missed": missed, "misrouted": self.misrouted,
        }


class Total(NamedTuple):
    """One pipeline over a history.

    Attributes:
        run: How often it would have run; `unknown` times more it may have, which counts as run.
        everything: How often it would have run without path filters.
        saved: `everything` without `run` and `unknown`.
        seconds: What a whole run of it takes; None where no receipt tells.
        misrouted: Commits at which it did not run, and should have.
    """

    pipeline: str
    run: int = 0
    unknown: int = 0
    everything: int = 0
    misrouted: int = 0
    seconds: float | None = None

    @property
    def saved(self) -> int:
        """Runs that the path filters saved."""
        return self.everything - self.run - self.unknown

    def to_dict(self) -> dict[str, Any]:
        """As JSON data, with seconds in all."""
        known = self.seconds is not None
        return {
            **self._asdict(), "saved": self.saved,
            "seconds_run": (self.run + self.unknown) * (self.seconds or 0.0) if known else None,
            "seconds_saved": self.saved * (self.seconds or 0.0) if known else None,
        }


def without_filters(event: Event, workflows: Sequence[Workflow], change: Change) -> frozenset[str]:
    """The workflows that the event would start if none had a path filter."""
    whole = change._replace(files=[], others=(), always="there is no path filter", filtered=False)
    return frozenset(each.workflow for each in route(event, workflows, whole) if each.verdict != "SKIP")


def totals(played: Sequence[Played], seconds: Mapping[str, float]) -> list[Total]:
    """The pipelines that a push may start, sorted by name."""
    found: dict[str, Total] = {}
    for commit in played:
        missed = {each.workflow for each in commit.missed or () if not each.ran}
        for each in commit.workflows:
            if each.workflow not in commit.everything and each.verdict == "SKIP":
                continue
            was = found.get(each.pipeline) or Total(each.pipeline, seconds=seconds.get(each.pipeline))
            found[each.pipeline] = was._replace(
                run=was.run + (each.verdict == "RUN"), unknown=was.unknown + (each.verdict == "UNKNOWN"),
                everything=was.everything + 1, misrouted=was.misrouted + (each.workflow in missed),
            )
    return [found[name] for name in sorted(found)]


class Replay(NamedTuple):
    """A history that was routed.

    Attributes:
        ref: The ref that the commits are taken to have been pushed to.
        head: The last commit.
        last: How many commits were asked for.
        shallow: Whether the clone's history is cut off.
        commits: Oldest first.
        durations: What earlier runs tell of the pipelines.
        audited: Whether the true inputs were computed.
    """

    ref: str | None
    head: str
    last: int
    shallow: bool
    commits: list[Played]
    durations: Durations
    audited: bool

    def notes(self) -> list[str]:
        """What a reader must know about the figures."""
        found = []
        if len(self.commits) < self.last:
            why = "the clone is shallow and holds" if self.shallow else "the history has"
            found.append(f"{why} {len(self.commits)} of the {self.last} commits")
        bare = sum(not each.workflows for each in self.commits)
        if bare:
            found.append(f"{bare} commit(s) have no workflow files: nothing would have run, nothing counts as saved")
        rows = totals(self.commits, self.durations.seconds)
        without = [each.pipeline for each in rows if each.seconds is None]
        if rows and len(without) == len(rows):
            found.append("no receipt tells how long a pipeline takes: counts only")
        elif without:
            found.append(f"no receipt tells how long these take, only their runs are counted: {', '.join(without)}")
        left = sum(each.missed is None for each in self.commits) if self.audited else 0
        if left:
            found.append(f"of {left} commit(s) the pipelines' inputs cannot be told: they may be mis-routed")
        return found

    def to_dict(self) -> dict[str, Any]:
        """The document of `mlops route replay`."""
        rows = [each.to_dict() for each in totals(self.commits, self.durations.seconds)]
        timed = [each for each in rows if each["seconds"] is not None]
        return {
            "schema": 1, "ref": self.ref, "head": self.head, "last": self.last, "shallow": self.shallow,
            "commits": [each.to_dict() for each in self.commits],
            "pipelines": rows,
            "totals": {
                "commits": len(self.commits), **{
                    key: sum(each[key] for each in rows) for key in ("run", "unknown", "everything", "saved")
                },
                "seconds_run": sum(each["seconds_run"] for each in timed) if timed else None,
                "seconds_saved": sum(each["seconds_saved"] for each in timed) if timed else None,
            },
            "receipts": self.durations.receipts,
            "misrouted": [each.commit for each in self.commits if each.misrouted] if self.audited else None,
            "notes": self.notes(),
        }
