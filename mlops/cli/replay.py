"""`mlops route replay`: what the last commits would have run, what that saved, and which were mis-routed."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from mlops.cli.routing import quoted
from mlops.git import Git
from mlops.logs import say

if TYPE_CHECKING:
    from pathlib import Path

    from mlops.routing.audit.inputs import Pipeline
    from mlops.routing.replay.outcome import Missed, Played, Replay
    from mlops.sources import Sources

HELP = (
    "Route the last first-parent commits, each as a push with the workflow files of its own day: what would have run, "
    "what the path filters saved, which commits they mis-routed. Exits 0 whatever it finds."
)
_EVERY = 2.0  # seconds between two lines of progress
_SUBJECT = 50


def add_parser(group: Any) -> None:
    """Add the command to those of `mlops route`."""
    _options(group.add_parser("replay", description=HELP, help="route a history", allow_abbrev=False))


def _options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--last", type=int, default=20, metavar="N", help="how many commits")
    parser.add_argument("--head", default="HEAD", metavar="SHA", help="the newest of them")
    parser.add_argument("--ref", metavar="REF", help="the branch that they were pushed to [the default branch]")
    parser.add_argument(
        "--no-inputs", action="store_true", help="leave out which commits were mis-routed, which takes longest"
    )
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how to print the answer")
    parser.add_argument("--repository", default=".", metavar="DIR", help="the repository [the current folder]")


def run(words: Sequence[str], prog_name: str) -> int:
    """Run the command with the words behind `replay`; returns its exit code (0, or an error is raised)."""
    parser = argparse.ArgumentParser(prog=f"{prog_name} replay", description=HELP, allow_abbrev=False)
    _options(parser)
    asked = parser.parse_args(words)
    from mlops.routing.replay.play import replay

    found = replay(
        Git(asked.repository), asked.last, head=asked.head, ref=asked.ref,
        gather=None if asked.no_inputs else _gather, tell=_progress(),
    )
    print(json.dumps(found.to_dict()) if asked.format == "json" else table(found))
    return 0


def _progress() -> Callable[[int, int], None]:
    """Tells of long histories: a line every few seconds."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _EVERY and done < total:
            last = now
            say(f"replay: {done:,} of {total:,} commits")

    return tell


def table(found: Replay) -> str:
    """The replay for people; names and subjects are quoted, so that none can break a line or a log."""
    from mlops.routing.replay.outcome import totals

    head = f"{len(found.commits)} commit(s) up to {found.head[:12]}, as pushes to {found.ref or 'an unknown ref'}"
    rows: list[tuple[str, ...]] = [("commit", "files", "ran", "subject")]
    for each in found.commits:
        files = "?" if each.files is None else str(each.files)
        rows.append((each.commit[:12], files, _ran(each), quoted(each.subject[:_SUBJECT])))
    sums: list[tuple[str, ...]] = [("pipeline", "ran", "of", "saved", "mis-routed", "a run", "time run", "time saved")]
    for total in totals(found.commits, found.durations.seconds):
        row = total.to_dict()
        ran = f"{total.run}" + (f" +{total.unknown}?" if total.unknown else "")
        times = [_time(row[key]) for key in ("seconds", "seconds_run", "seconds_saved")]
        wrong = str(total.misrouted) if found.audited else "-"
        sums.append((quoted(total.pipeline), ran, str(total.everything), str(total.saved), wrong, *times))
    lines = [head, *_aligned(rows), "", *_aligned(sums), ""]
    lines += [_summary(found.to_dict()["totals"]), *(f"note: {each}" for each in found.notes()), *_wrong(found)]
    return "\n".join(lines)


def _ran(played: Played) -> str:
    """The pipelines that ran; with a question mark where that is not known."""
    if not played.workflows:
        return "(no workflow files)"
    names = [
        quoted(each.pipeline) + ("?" if each.verdict == "UNKNOWN" else "")
        for each in played.workflows if each.verdict != "SKIP"
    ]
    return " ".join(names) or "-"


def _summary(totals: dict[str, Any]) -> str:
    ran, everything, saved = totals["run"] + totals["unknown"], totals["everything"], totals["saved"]
    share = f" ({saved / everything:.0%})" if everything else ""
    text = f"{ran} of {everything} runs, {saved} saved{share}"
    if totals["unknown"]:
        text += f"; {totals['unknown']} of them are not known, and count as run"
    if totals["seconds_saved"] is not None:
        text += f"; {_time(totals['seconds_run'])} of work, {_time(totals['seconds_saved'])} saved"
    return text


def _wrong(found: Replay) -> list[str]:
    """The mis-routed commits: a line for each pipeline that should have run; the JSON document names every file."""
    if not found.audited:
        return []
    lines, lucky = [], 0
    for played in found.commits:
        told: dict[str, list[Missed]] = {}
        for each in played.missed or ():
            told.setdefault(each.workflow, []).append(each)
        lucky += sum(each[0].ran for each in told.values())
        for workflow, files in told.items():
            if not files[0].ran:
                first, more = files[0], f" and {len(files) - 1} more" if len(files) > 1 else ""
                name = quoted(workflow.rpartition("/")[2])
                lines.append(f"{played.commit[:12]}  {name} did not run for {quoted(first.path)}{more}")
                lines.append("    " + " → ".join(map(quoted, first.chain)))
    count = sum(each.misrouted for each in found.commits)
    lines.insert(0, f"{count} commit(s) mis-routed by the filters of their own day")
    if lucky:
        lines.append(f"{lucky} more run(s) were right only for another file's sake")
    return lines


def _time(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _gather(repository: Path, sources: Sources) -> list[Pipeline]:
    from mlops.cli.filters import gather

    return gather(repository, sources)[1]
