"""Workflow files as an outsider writes them: what GitHub documents of `on:`, and UNKNOWN where it refuses the file."""

from __future__ import annotations

import itertools

import pytest

from mlops.routing.router.decisions import Change, route, skipped_by_message
from mlops.routing.router.events import Event
from mlops.routing.router.workflows import parse

MAIN = Event("push", "refs/heads/main")


def verdict(text: str, event: Event = MAIN, files: tuple[str, ...] = ("src/a.py",), message: str = "") -> str:
    change = Change(list(files), message=message)
    return route(event, [parse(".github/workflows/w.yml", text)], change)[0].verdict


JOBS = "\njobs: {a: {runs-on: ubuntu-latest, steps: [{run: 'true'}]}}\n"
PATHS = "on:\n  push:\n    paths:\n      - src/**\n"


@pytest.mark.parametrize(("text", "expected"), [
    # the three shapes of `on:`, and what stands under an event
    ("on: push", "RUN"), ("on: [push]", "RUN"), ("on:\n- pull_request\n- push", "RUN"), ("on: {push: }", "RUN"),
    ("on: {push: null}", "RUN"), ("on: {push: ~}", "RUN"), ("on: {push: {}}", "RUN"), ("on: [pull_request]", "SKIP"),
    ("on: {pull_request: {paths: [src/**]}}", "SKIP"), ('"on": push', "RUN"), ("'on': [push]", "RUN"),
    ("? on\n: push", "RUN"), ("{on: push}", "RUN"), ('{"on": {"push": {"paths": ["src/**"]}}}', "RUN"),
    # YAML 1.1 would read these otherwise: `on` and `off` as booleans, 1_0 as 10, 010 as 8
    ("name: off\non: push", "RUN"), ("on: {push: {branches: [yes, on, off]}}", "SKIP"),
    ("on: {push: {branches: [main, 1_0]}}", "RUN"), ("ON: push", "UNKNOWN"), ("true: push", "UNKNOWN"),
    # scalars and lists are the same thing
    (PATHS, "RUN"), ("on: {push: {paths: src/**}}", "RUN"), ("on: {push: {paths: 'docs/**'}}", "SKIP"),
    ("on: {push: {branches: main, paths: src/**}}", "RUN"), ("on: {push: {branches: other, paths: src/**}}", "SKIP"),
    ("on: {push: {paths-ignore: src/**}}", "SKIP"), ("on: {push: {paths-ignore: [docs/**, '*.md']}}", "RUN"),
    # one slip in an event's name, and GitHub refuses the file
    ("on: [push, puhs]", "UNKNOWN"), ("on: puhs", "UNKNOWN"), ("on: {Push: {paths: [a]}}", "UNKNOWN"),
    ("on: [push, image_version]", "RUN"),
    # what excludes each other, what is empty, what is no text
    ("on: {push: {paths: [a], paths-ignore: [b]}}", "UNKNOWN"),
    ("on: {push: {tags: [a], tags-ignore: [b]}}", "UNKNOWN"),
    ("on: {push: {branches: [a], branches-ignore: [b]}}", "UNKNOWN"), ("on: {push: {paths: []}}", "UNKNOWN"),
    ("on: {push: {paths: }}", "UNKNOWN"), ("on: {push: {paths: [[a]]}}", "UNKNOWN"), ("on: {push: []}", "UNKNOWN"),
    ("on: {push: {paths: {a: b}}}", "UNKNOWN"), ("on: {push: true}", "UNKNOWN"),
    ("on: {push: {paths: ['']}}", "UNKNOWN"),
    ("on: []", "UNKNOWN"), ("on: {}", "UNKNOWN"), ("on:", "UNKNOWN"), ("on: 1", "UNKNOWN"), ("on: [1]", "UNKNOWN"),
    ("on: [[push]]", "UNKNOWN"), ("on: [{push: }]", "UNKNOWN"),
    # a key that the schema does not know: GitHub refuses the file, so a filter with a slip in it never filters
    ("on: {push: {path: [docs/**]}}", "UNKNOWN"), ("on: {push: {Paths: [docs/**]}}", "UNKNOWN"),
    ("on: {push: {path-ignore: [src/**]}}", "UNKNOWN"), ("on: {push: {types: [opened]}}", "UNKNOWN"),
    ("on: {pull_request: {tags: [v1]}, push: }", "UNKNOWN"),
    # broken, doubled, several documents, tabs, anchors, merge keys
    ("on: push\non: pull_request", "UNKNOWN"), ("on:\n  push:\n  push:", "UNKNOWN"), ("on: [push", "UNKNOWN"),
    ("on:\n\tpush:", "UNKNOWN"), ("---\non: push\n---\non: push", "UNKNOWN"), ("- on: push", "UNKNOWN"),
    ("on: *gone", "UNKNOWN"), ("x: &f {paths: [docs/**]}\non: {push: *f}", "SKIP"), ("\0", "UNKNOWN"),
    ("x: &f [src/**]\non: {push: {paths: *f}, pull_request: {paths: *f}}", "RUN"), ("x: &x\n  on: *x", "UNKNOWN"),
    ("x: &f {paths: [docs/**]}\non: {push: {<<: *f}}", "UNKNOWN"), ("on: &e push", "RUN"), ("on: !!str push", "RUN"),
    ("on: &l [push, &n pull_request]", "RUN"), ("# only a comment", "UNKNOWN"), ("", "UNKNOWN"), ("---\n", "UNKNOWN"),
    ("on: push # why\n", "RUN"), ("on: {push: {paths: ['src/**' ]}} # c", "RUN"), ("---\non: push\n", "RUN"),
    ("%YAML 1.2\n---\non: push\n", "RUN"), ("on: push\n...\n", "RUN"), ("on: >-\n  push\n", "RUN"),
])
def test_ways_to_write_a_file(text: str, expected: str) -> None:
    for end in ("\n", "\r\n"):
        for start in ("", "\ufeff"):
            assert verdict(start + text.replace("\n", end)) == expected, (start, end)


@pytest.mark.parametrize(("filters", "branch", "tag"), [
    ("", "RUN", "RUN"), ("branches: [main]", "RUN", "SKIP"), ("branches: ['**']", "RUN", "SKIP"),
    ("branches: ['!main']", "SKIP", "SKIP"), ("branches: ['**', '!main']", "SKIP", "SKIP"),
    ("branches: ['!main', '**']", "RUN", "SKIP"), ("branches: ['ma?in']", "RUN", "SKIP"),
    ("branches: ['*n']", "RUN", "SKIP"),
    ("branches: ['main/**']", "SKIP", "SKIP"), ("branches: [Main]", "SKIP", "SKIP"),
    ("branches-ignore: [main]", "SKIP", "SKIP"),
    ("branches-ignore: ['feature/**']", "RUN", "SKIP"), ("tags: ['v1.*']", "SKIP", "RUN"),
    ("tags: ['v2*']", "SKIP", "SKIP"),
    ("tags-ignore: ['v1.*']", "SKIP", "SKIP"), ("tags-ignore: ['x*']", "SKIP", "RUN"),
    ("tags: ['v[0-9]+.[0-9]+.[0-9]+']", "SKIP", "RUN"),
    ("branches: [main], tags: ['v*']", "RUN", "RUN"), ("branches-ignore: [x], tags: ['v*', '!v1*']", "RUN", "SKIP"),
    ("paths: [docs/**]", "SKIP", "RUN"), ("branches: [main], paths: [docs/**]", "SKIP", "SKIP"),
    ("tags: ['v*'], paths: [docs/**]", "SKIP", "RUN"), ("tags: ['v*'], paths: [src/**]", "SKIP", "RUN"),
    ("branches: [main], tags: ['v*'], paths: [docs/**]", "SKIP", "RUN"), ("paths-ignore: [src/**]", "SKIP", "RUN"),
])
def test_branches_and_tags(filters: str, branch: str, tag: str) -> None:
    text = "on: {push: {%s}}" % filters
    assert verdict(text) == branch
    assert verdict(text, MAIN._replace(ref="refs/tags/v1.2.3")) == tag
    assert verdict(text, MAIN._replace(deleted=True)) == "SKIP"


@pytest.mark.parametrize(("name", "pattern", "matched"), [
    ("feature/a/b", "feature/*", False), ("feature/a/b", "feature/**", True), ("releases/10", "releases/**", True),
    ("releases/beta/3", "releases/**-alpha", False), ("my-feature", "*feature", True),
    ("ver-10-feature", "*feature", True),
    ("a/feature", "*feature", False), ("a/v2", "v2*", False), ("v2.9", "v2*", True), ("v2/x", "v2*", False),
])
def test_the_cheat_sheets_branches(name: str, pattern: str, matched: bool) -> None:
    event = MAIN._replace(ref=f"refs/heads/{name}")
    assert verdict("on: {push: {branches: ['%s']}}" % pattern, event) == ("RUN" if matched else "SKIP")
    assert verdict("on: {push: {branches-ignore: ['%s']}}" % pattern, event) == ("SKIP" if matched else "RUN")
    request = Event("pull_request", f"refs/heads/{name}", "opened")  # the base branch
    assert verdict("on: {pull_request: {branches: ['%s']}}" % pattern, request) == ("RUN" if matched else "SKIP")


WORDS = ["[skip ci]", "[ci skip]", "[no ci]", "[skip actions]", "[actions skip]"]


@pytest.mark.parametrize(("message", "skips"), [
    *[(f"a {word} b", True) for word in WORDS], *[(f"a\n\nbody\n{word}", True) for word in WORDS],
    *[(word, True) for word in WORDS], ("skip ci", False), ("[skip  ci]", False), ("[skip-ci]", False),
    ("(skip ci)", False),
    ("a\n\nskip-checks: true", True), ("a\n\n\nskip-checks:true\n", True), ("a\r\n\r\n\r\nskip-checks: true\r\n", True),
    ("a\n\nCo-authored-by: b <c>\nskip-checks: true", True), ("a\n\nskip-checks: true\n\nmore text", False),
    ("a\n\nskip-checks: false", False), ("a\n\nno skip-checks: true", False), ("[Skip CI]", None),
    ("skip-checks: true", None),
    ("a\n\nSkip-Checks: true", None), ("", False),
])
def test_messages_that_skip(message: str, skips: bool | None) -> None:
    assert skipped_by_message(message) is skips
    expected = {True: "SKIP", False: "RUN", None: "UNKNOWN"}[skips]
    request, group = Event("pull_request", "refs/heads/main", "opened"), Event("merge_group", "refs/heads/main")
    text = "on: [push, pull_request, merge_group, workflow_dispatch, pull_request_target]"
    assert verdict(text, message=message) == verdict(text, request, message=message) == expected
    for other in (group, Event("workflow_dispatch", "refs/heads/main")):
        assert verdict(text, other, message=message) == "RUN"


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target"])
def test_activities_of_requests(event: str) -> None:
    for action, types in itertools.product(
        ("opened", "synchronize", "reopened", "closed", "labeled", "ready_for_review"),
        ("", "labeled", "[closed, opened]")
    ):
        text = "on: {%s: {%s}}" % (event, f"types: {types}" if types else "")
        listed = types.strip("[]").split(", ") if types else ["opened", "synchronize", "reopened"]
        assert verdict(text, Event(event, "refs/heads/main", action)) == ("RUN" if action in listed else "SKIP")


def test_calls_reach_through_files_and_end_where_a_filter_ends_them() -> None:
    files = {
        "top": "on: pull_request\njobs: {a: {uses: ./.github/workflows/mid.yml}, "
               "b: {uses: ./.github/workflows/other.yml}}",
        "mid": "on: {workflow_call: , push: {paths: [src/**]}}\njobs: {a: {uses: ./.github/workflows/low.yml}}",
        "low": "on: {workflow_call: , push: {branches: [nowhere], paths: [src/**]}}",
        "other": "on: {workflow_call: , push: {paths: [docs/**]}}\njobs: {a: {uses: ./.github/workflows/below.yml}}",
        "below": "on: workflow_call", "ring": "on: workflow_call\njobs: {a: {uses: ./.github/workflows/ring.yml}}",
        "gone": "on: push\njobs: {a: {uses: ./.github/workflows/absent.yml}, b: {uses: o/r/.github/workflows/x.yml@v1}}"
    }
    parsed = [parse(f".github/workflows/{name}.yml", text) for name, text in files.items()]
    decisions = route(Event("pull_request", "refs/heads/main", "opened"), parsed, Change(["src/a"]))
    found = {each.pipeline: each for each in decisions}
    assert {name: each.verdict for name, each in found.items()} == {
        "top": "RUN", "mid": "RUN", "low": "RUN", "other": "SKIP", "below": "SKIP", "ring": "SKIP", "gone": "SKIP",
    }
    assert found["low"].called_by == ".github/workflows/mid.yml" and found["below"].called_by is None
    direct = {each.pipeline: each.verdict for each in route(MAIN, parsed, Change(["src/a"]))}
    assert (direct["mid"], direct["low"], direct["gone"], direct["other"]) == ("RUN", "RUN", "RUN", "SKIP")
