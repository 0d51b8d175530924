"""What holds of the router whatever it is asked: it answers, files have no order, a file more never stops a run."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from mlops.routing.router.decisions import LIMIT, Change, route
from mlops.routing.router.events import Event
from mlops.routing.router.workflows import Workflow, parse

ORDER = ("SKIP", "UNKNOWN", "RUN")
LINES, NAMES = ["a/**", "b", "!a/x", "**", "!**", "*.md", "a**/x", "[^a]", "!b/**"], ["a/x", "a/y", "b", "b/c", "r.md"]
PATTERNS = st.lists(st.sampled_from(LINES), min_size=1, max_size=3)
FILES = st.lists(st.sampled_from([*NAMES, "z", "é", "n\nl", "\udcff"]), max_size=6, unique=True)


@st.composite
def filters(draw: st.DrawFn) -> dict[str, list[str]]:
    chosen: dict[str, list[str]] = {}
    if draw(st.booleans()):
        chosen[draw(st.sampled_from(["paths", "paths-ignore"]))] = draw(PATTERNS)
    if draw(st.booleans()):
        chosen[draw(st.sampled_from(["branches", "branches-ignore"]))] = draw(
            st.lists(st.sampled_from(["main", "f/*", "!main", "**"]), min_size=1, max_size=2))
    return chosen


@st.composite
def workflow_files(draw: st.DrawFn) -> list[Workflow]:
    made = []
    for number in range(draw(st.integers(1, 4))):
        events = draw(st.dictionaries(st.sampled_from(
            ["push", "pull_request", "merge_group", "workflow_call", "workflow_dispatch", "schedule", "workflow_run"]
        ), st.just(None), min_size=1))
        on = {event: draw(filters()) if event in ("push", "pull_request") else None for event in events}
        calls = draw(st.lists(st.integers(0, 3), max_size=2))
        jobs = {f"j{each}": {"uses": f"./.github/workflows/w{each}.yml"} for each in calls}
        made.append(parse(f".github/workflows/w{number}.yml", f"on: {json.dumps(on)}\njobs: {json.dumps(jobs)}\n"))
    return made


_NAMES = ["push", "pull_request", "merge_group", "workflow_dispatch", "schedule", "workflow_run"]
EVENTS = st.builds(
    Event, st.sampled_from(_NAMES), st.sampled_from([None, "refs/heads/main", "refs/heads/f/x", "refs/tags/v1"]),
    st.sampled_from([None, "opened", "labeled"]),
)


def verdicts(event: Event, files: list[Workflow], change: Change) -> list[str]:
    return [each.verdict for each in route(event, files, change)]


@settings(max_examples=80, deadline=None)
@given(EVENTS, workflow_files(), st.builds(
    Change, st.one_of(st.none(), FILES), st.just("why"), st.tuples() | st.tuples(FILES),
    st.sampled_from([None, "many"]), st.sampled_from([None, "shallow"]),
    st.sampled_from(["", "[skip ci]", "[Skip ci]"]), st.booleans(), st.booleans(),
))
def test_every_question_has_an_answer_with_a_reason(event: Event, files: list[Workflow], change: Change) -> None:
    decisions = route(event, files, change)
    assert [each.workflow for each in decisions] == [each.path for each in files]
    for each in decisions:
        assert each.verdict in ORDER and each.reason
        assert each.file is None or each.verdict == "RUN" and each.file in (change.files or [])
        assert each.pattern is None or each.file is not None


@settings(max_examples=80, deadline=None)
@given(EVENTS, workflow_files(), FILES, st.randoms())
def test_the_order_of_files_has_no_say(event: Event, files: list[Workflow], names: list[str], random: object) -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert route(event, files, Change(names)) == route(event, files, Change(shuffled))


@settings(max_examples=80, deadline=None)
@given(EVENTS, workflow_files(), FILES, FILES)
def test_a_file_more_never_stops_a_run(event: Event, files: list[Workflow], names: list[str], more: list[str]) -> None:
    """Up to as many as GitHub looks at; beyond them a file that sorts earlier can push another one out of sight."""
    together = list(dict.fromkeys(names + more))
    assert len(together) <= LIMIT
    before, after = verdicts(event, files, Change(names)), verdicts(event, files, Change(together))
    assert all(ORDER.index(one) <= ORDER.index(other) for one, other in zip(before, after, strict=True))


@settings(max_examples=80, deadline=None)
@given(EVENTS, workflow_files(), FILES)
def test_what_is_not_known_never_turns_into_no(event: Event, files: list[Workflow], names: list[str]) -> None:
    """A change that cannot be known: no workflow is skipped that some change would have started."""
    unknown, known = verdicts(event, files, Change(None, "why")), verdicts(event, files, Change(names))
    assert all(one != "SKIP" or other == "SKIP" for one, other in zip(unknown, known, strict=True))
