"""Workflow files of an event's commit, dispatches, schedules, calls, and the library over a list of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlops.errors import InvalidRecordError, UsageError
from mlops.git import Git, GitError
from mlops.routing import Event, route_event, route_files, rule
from mlops.routing.router.events import ZERO, from_payload
from mlops.routing.router.plans import explain
from tests.unit.mlops.routing.asking import PUSH, Repository, asked, pushed, verdicts


def test_a_dispatch_ignores_paths_and_needs_the_default_branch(repository: Repository) -> None:
    text = "on:\n  workflow_dispatch:\n  push: {paths: [nowhere]}"
    repository.commit({".github/workflows/tool.yml": text})
    assert verdicts(asked(repository, Event("workflow_dispatch", "refs/heads/main")))["tool"] == "RUN"
    repository.git("checkout", "-qb", "topic")
    repository.commit({".github/workflows/new.yml": text})
    repository.git("checkout", "-q", "main")
    found = verdicts(asked(repository, Event("workflow_dispatch", "refs/heads/topic")))
    assert (found["tool"], found["new"]) == ("RUN", "SKIP")
    only = Event("workflow_dispatch", "refs/heads/main", only=".github/workflows/other.yml")
    assert verdicts(asked(repository, only))["tool"] == "SKIP"


def test_a_schedule(repository: Repository) -> None:
    repository.commit({".github/workflows/night.yml": "on: {schedule: [{cron: '1 2 * * *'}]}"})
    assert verdicts(asked(repository, Event("schedule"))) == {
        "service": "SKIP",
        "main": "SKIP",
        "pull-request": "SKIP",
        "night": "RUN",
    }
    assert verdicts(asked(repository, Event("schedule", only="5 5 * * *")))["night"] == "SKIP"


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("on: push", "RUN"),
        ("on: [push, pull_request]", "RUN"),
        ("on:\n  push:", "RUN"),
        ("'on':\n  push: {paths: services/**}", "RUN"),
        ("on: {push: {paths-ignore: ['services/**']}}", "SKIP"),
        ("on: pull_request", "SKIP"),
        ("x: &p [services/**]\non:\n  push: {paths: *p}", "RUN"),
        ("x: &p [docs/**]\non:\n  push: {paths: *p}", "SKIP"),
        ("on: {push: {paths: ['services/**'], paths-ignore: [x]}}", "UNKNOWN"),
        ("on: {push: {branches: [a], branches-ignore: [b]}}", "UNKNOWN"),
        ("on: {push: {paths: ['[']}}", "UNKNOWN"),
        ("on: {push: {paths: []}}", "UNKNOWN"),
        ("on: {push: {paths: }}", "UNKNOWN"),
        ("jobs: {}", "UNKNOWN"),
        ("[a", "UNKNOWN"),
        ("", "UNKNOWN"),
        ("- a", "UNKNOWN"),
        ("on: 3", "UNKNOWN"),
        ("on: {push: {branches: ['1_0', main]}}", "RUN"),
        ("on: {push: {branches-ignore: [main]}}", "SKIP"),
        ("on: {push: {branches: ['!main']}}", "SKIP"),
        ("on: {push: {branches: ['**', '!main']}}", "SKIP"),
        ("on: {push: {tags: ['*']}}", "SKIP"),
        ("on: {push: {branches: ['m*', 'x']}}", "RUN"),
        ("on: {push: {branches: ['m[^x]in']}}", "UNKNOWN"),
    ],
)
def test_ways_to_write_on(repository: Repository, text: str, verdict: str) -> None:
    before = repository.commit(
        {
            ".github/workflows/x.yml": text,
            ".github/workflows/sub/y.yml": "on: push",
            ".github/workflows/z.txt": "on: push",
        }
    )
    after = repository.commit({"services/a": "x"})
    found = pushed(repository, before, after)
    assert found["x"] == verdict and len(found) == 4


def test_a_symlinked_workflow_is_unknown(repository: Repository) -> None:
    (repository.path / ".github/workflows/l.yml").symlink_to("main.yml")
    assert pushed(repository, repository.first, repository.commit({"services/a": "x"}))["l"] == "UNKNOWN"


def test_the_files_are_those_of_the_events_commit(repository: Repository) -> None:
    after = repository.commit({"services/a": "x"})
    repository.commit({".github/workflows/service-pipeline.yml": None})
    assert pushed(repository, repository.first, after)["service"] == "RUN"


def test_calls_go_through_and_uncertainty_with_them(repository: Repository) -> None:
    before = repository.commit(
        {
            ".github/workflows/top.yml": "on: {push: {branches: main}}\njobs: {a: {uses: ./.github/workflows/mid.yml}}",
            ".github/workflows/mid.yml": "on: workflow_call\njobs: {a: {uses: ./.github/workflows/low.yml}}",
            ".github/workflows/low.yml": "on: {workflow_call: , push: {branches: [none], paths: [services/**]}}",
            ".github/workflows/bad.yml": "on: {workflow_dispatch: }",
        }
    )
    after = repository.commit({"services/a": "x"})
    routed = asked(repository, PUSH._replace(before=before, after=after))
    found = {each.pipeline: (each.verdict, each.called_by) for each in routed.workflows}
    assert found["mid"] == ("RUN", ".github/workflows/top.yml")
    assert found["low"] == ("RUN", ".github/workflows/mid.yml")
    unsure = asked(repository, Event("push", None, before=before, after=after))
    assert verdicts(unsure)["mid"] == verdicts(unsure)["low"] == "UNKNOWN"


@pytest.mark.parametrize("name", ["--output=x", "a b", "a\nb"])
def test_a_commits_name_is_no_option(repository: Repository, name: str) -> None:
    with pytest.raises(UsageError):
        pushed(repository, name)
    assert not (repository.path / "x").exists()


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(GitError):
        route_event(Git(tmp_path), PUSH)


def test_a_payload_that_lacks_what_it_must_have() -> None:
    with pytest.raises(InvalidRecordError, match="pull_request.base.ref"):
        from_payload("pull_request", {}, ref=None, sha=None)


def test_a_push_payload() -> None:
    payload = {
        "ref": "refs/heads/x",
        "before": ZERO,
        "after": "a" * 40,
        "forced": True,
        "commits": [{"id": "b" * 40}],
        "repository": {"default_branch": "main"},
    }
    event = from_payload("push", payload, ref="refs/heads/y", sha="c" * 40)
    assert event == Event(
        "push",
        "refs/heads/x",
        before=ZERO,
        after="a" * 40,
        commits=("b" * 40,),
        default_branch="main",
        forced=True,
    )


def test_the_library_routes_a_list_of_files(repository: Repository) -> None:
    plan = route_files(repository.path, ["services/a", "services/a"], base="x")
    found = {each.pipeline: each for each in plan.workflows}
    assert (plan.event, plan.files, plan.base) == ("local", ["services/a"], "x")
    assert [found[name].verdict for name in ("service", "main", "pull-request")] == ["RUN", "SKIP", "SKIP"]
    assert rule(repository.path, "service", "services/a") == "services/**"
    assert rule(repository.path, "main", "services/a") is None
    assert [each.event for each in explain(repository.path, "x")] == ["push", "pull_request"]
