"""How long the pipelines take, from what earlier runs wrote down under `.mlops/`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from mlops.errors import InvalidRecordError, MissingInputError
from mlops.records import Receipt, RunRecord, read


class Durations(NamedTuple):
    """Seconds that a whole run of each pipeline works.

    Attributes:
        seconds: By pipeline; one that no receipt tells of is not in it.
        receipts: How many receipts were counted.
    """

    seconds: dict[str, float]
    receipts: int


def read_durations(receipts: Path, runs: Path) -> Durations:
    """What the receipts in the folder `receipts` and in the run records in `runs` tell; absent folders tell nothing."""
    return summed(_receipts(receipts, runs))


def summed(receipts: Iterable[Receipt]) -> Durations:
    """The sum of the median of each step, by pipeline. Pure.

    Most runs find some steps up to date, so that the time of a run says little of what a whole one takes; the steps
    that did run say it. Those found up to date and those that failed do not count, and none counts twice.
    """
    steps: dict[tuple[str, str, str], list[float]] = {}
    seen: set[str] = set()
    for each in receipts:
        if each.outcome == "success" and each.run_id not in seen:
            seen.add(each.run_id)
            steps.setdefault((each.pipeline, each.step, each.subject), []).append(each.seconds)
    seconds: dict[str, float] = {}
    for (pipeline, _, _), taken in sorted(steps.items()):
        seconds[pipeline] = seconds.get(pipeline, 0.0) + median(taken)
    return Durations(seconds, len(seen))


def _receipts(receipts: Path, runs: Path) -> Iterator[Receipt]:
    for path in sorted(receipts.rglob("*.json")):
        try:
            yield read(Receipt, path)
        except (MissingInputError, InvalidRecordError):
            continue  # a damaged one tells nothing
    for path in sorted(runs.glob("*.json")):
        try:
            yield from read(RunRecord, path).receipts
        except (MissingInputError, InvalidRecordError):
            continue
