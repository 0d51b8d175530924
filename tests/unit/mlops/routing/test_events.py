"""Events on real repositories: what GitHub would start, from the workflow files of the event's own commit."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from mlops.errors import InvalidRecordError, MissingInputError, UsageError
from mlops.git import Git, GitError
from mlops.routing import Event, route_event, route_files, rule
from mlops.routing.events import ZERO, from_payload
from mlops.routing.plans import Routed, explain

PUSH = Event("push", "refs/heads/main")
Repository = Any  # the class is in conftest.py


def asked(repository: Repository, event: Event, **more: object) -> Routed:
    return route_event(Git(repository.path), event, **more)  # type: ignore[arg-type]


def verdicts(routed: Routed) -> dict[str, str]:
    return {each.pipeline: each.verdict for each in routed.workflows}


def pushed(repository: Repository, before: str, after: str = "HEAD", **more: object) -> dict[str, str]:
    return verdicts(asked(repository, PUSH._replace(before=before, after=after, **more)))


def test_a_push_starts_what_its_files_match_and_says_why(repository: Repository) -> None:
    after = repository.commit({"services/api/app.py": "x", "services/b.py": "y"})
    routed = asked(repository, PUSH._replace(before=repository.first, after=after))
    assert routed.files == ["services/api/app.py", "services/b.py"]
    service = next(each for each in routed.workflows if each.pipeline == "service")
    assert (service.verdict, service.file, service.pattern) == ("RUN", "services/api/app.py", "services/**")
    assert verdicts(routed) == {"service": "RUN", "main": "SKIP", "pull-request": "SKIP"}
    assert [each.workflow for each in routed.workflows] == sorted(each.workflow for each in routed.workflows)


def test_an_empty_commit_starts_nothing(repository: Repository) -> None:
    assert set(pushed(repository, repository.first, repository.commit()).values()) == {"SKIP"}


def test_a_forced_push_is_compared_in_two_dots(repository: Repository) -> None:
    old = repository.commit({"services/old.py": "x"})
    repository.git("reset", "-q", "--hard", repository.first)
    new = repository.commit({"notes.txt": "something else"})
    assert pushed(repository, old, new, forced=True) == {
        "service": "RUN",
        "main": "RUN",
        "pull-request": "SKIP",
    }


def test_another_branch_is_filtered(repository: Repository) -> None:
    after = repository.commit({"services/a": "x", "b": "x"})
    event = Event("push", "refs/heads/topic", before=repository.first, after=after)
    assert verdicts(asked(repository, event)) == {"service": "SKIP", "main": "RUN", "pull-request": "SKIP"}


def test_without_a_ref_a_branch_filter_is_unknown(repository: Repository) -> None:
    after = repository.commit({"services/a": "x"})
    assert (
        verdicts(asked(repository, Event("push", None, before=repository.first, after=after)))["service"]
        == "UNKNOWN"
    )


@pytest.mark.parametrize(
    "name", ["naïve file.txt", 'quo"te', "line\nend", "::error::x", "tab\tx", "-rf", "back\\slash"]
)
def test_hostile_names(repository: Repository, name: str) -> None:
    after = repository.commit({f"services/{name}": "x"})
    routed = asked(repository, PUSH._replace(before=repository.first, after=after))
    assert routed.files == [f"services/{name}"]
    assert verdicts(routed)["service"] == "RUN"


def test_a_name_that_is_no_utf8(repository: Repository) -> None:
    path = os.fsencode(repository.path) + b"/services"
    os.mkdir(path)
    with open(path + b"/\xff", "wb") as file:
        file.write(b"x")
    routed = asked(repository, PUSH._replace(before=repository.first, after=repository.commit()))
    assert routed.files == ["services/\udcff"] and verdicts(routed)["service"] == "RUN"


def test_users_settings_have_no_say(repository: Repository) -> None:
    (repository.path / "order").write_text("*.md\n")
    for key, value in (
        ("diff.orderFile", "order"),
        ("diff.renames", "copies"),
        ("diff.relative", "true"),
        ("diff.ignoreSubmodules", "all"),
        ("diff.noprefix", "true"),
        ("core.quotePath", "true"),
        ("diff.external", "false"),
        ("color.ui", "always"),
    ):
        repository.git("config", key, value)
    after = repository.commit({"services/ä.md": "x", "b.md": "y", "a.txt": None})
    routed = asked(repository, PUSH._replace(before=repository.first, after=after))
    assert routed.files == ["a.txt", "b.md", "order", "services/ä.md"]


def test_a_move_between_folders_counts_on_both_sides(repository: Repository) -> None:
    before = repository.commit({"services/a": "text\n" * 30, "x": "x"})
    after = repository.commit({"services/a": None, "other/a": "text\n" * 30})
    routed = asked(repository, PUSH._replace(before=before, after=after))
    assert routed.files == ["other/a", "services/a"]
    # whether GitHub shows the old side is not documented: only for the service pipeline does it matter
    assert verdicts(routed) == {"service": "UNKNOWN", "main": "RUN", "pull-request": "SKIP"}


def test_a_deleted_file_beside_a_new_one_is_no_rename(repository: Repository) -> None:
    before = repository.commit({"services/a": "text\n" * 30})
    after = repository.commit({"services/a": None, "other/b": "something else\n" * 30})
    assert pushed(repository, before, after)["service"] == "RUN"


def test_modes_symlinks_and_submodules_are_changes(repository: Repository) -> None:
    before = repository.commit({"services/run.sh": "x"})
    (repository.path / "services" / "run.sh").chmod(0o755)
    mode = repository.commit()
    assert pushed(repository, before, mode)["service"] == "RUN"
    (repository.path / "services" / "link").symlink_to("run.sh")
    link = repository.commit()
    assert pushed(repository, mode, link)["service"] == "RUN"
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{repository.first},services/sub")
    repository.git("config", "-f", ".gitmodules", "submodule.x.path", "services/sub")
    repository.git("config", "-f", ".gitmodules", "submodule.x.ignore", "all")
    repository.git("commit", "-qm", "submodule")
    assert "services/sub" in asked(repository, PUSH._replace(before=link, after="HEAD")).files


@pytest.mark.parametrize(("count", "verdict"), [(299, "RUN"), (300, "SKIP"), (301, "SKIP"), (2000, "SKIP")])
def test_only_the_first_300_files_are_looked_at(repository: Repository, count: int, verdict: str) -> None:
    after = repository.commit({f"docs/{number:04}": "x" for number in range(count)} | {"services/a": "x"})
    routed = asked(repository, PUSH._replace(before=repository.first, after=after))
    service = next(each for each in routed.workflows if each.pipeline == "service")
    assert (len(routed.files), service.verdict) == (count + 1, verdict)
    if verdict == "SKIP":
        assert "300" in service.reason


def test_a_pull_request_plan_has_no_limit(repository: Repository) -> None:
    after = repository.commit({f"docs/{number:04}": "x" for number in range(400)} | {"services/a": "x"})
    event = Event("pull_request", "refs/heads/main", base=repository.first, head=after)
    assert verdicts(asked(repository, event))["service"] == "RUN"


@pytest.mark.parametrize(
    ("message", "verdict"),
    [
        ("x [skip ci]", "SKIP"),
        ("x\n\nbody [no ci] y", "SKIP"),
        ("[ci skip]", "SKIP"),
        ("[skip actions]", "SKIP"),
        ("[actions skip]", "SKIP"),
        ("x\n\n\nskip-checks: true", "SKIP"),
        ("x\n\n\nskip-checks:true", "SKIP"),
        ("skip ci", "RUN"),
        ("x\n\nskip-checks: false", "RUN"),
        ("skip-checks: true\n\nmore", "RUN"),
        ("[Skip CI]", "UNKNOWN"),
    ],
)
def test_words_that_skip(repository: Repository, message: str, verdict: str) -> None:
    after = repository.commit({"services/a": "x"}, message)
    assert pushed(repository, repository.first, after)["service"] == verdict
    request = Event("pull_request", "refs/heads/main", base=repository.first, head=after)
    assert verdicts(asked(repository, request))["pull-request"] == verdict
    group = Event("merge_group", "refs/heads/main", base=repository.first, head=after)
    assert verdicts(asked(repository, group))["pull-request"] == "RUN"


def test_a_deleted_branch_starts_nothing(repository: Repository) -> None:
    assert set(pushed(repository, repository.first, ZERO, deleted=True).values()) == {"SKIP"}


def test_a_tag_is_not_filtered_by_paths(repository: Repository) -> None:
    repository.commit({"services/a": "x", ".github/workflows/tags.yml": "on: {push: {tags: ['v*']}}"})
    repository.git("tag", "-a", "v1", "-m", "annotated")
    event = Event("push", "refs/tags/v1", before=ZERO, after=repository.git("rev-parse", "v1"))
    assert verdicts(asked(repository, event)) == {
        "service": "SKIP",
        "main": "RUN",
        "pull-request": "SKIP",
        "tags": "RUN",
    }
    assert verdicts(asked(repository, event._replace(ref="refs/tags/x1")))["tags"] == "SKIP"
    after = repository.commit({"services/b": "x"})
    assert pushed(repository, "HEAD^", after)["tags"] == "SKIP"


def test_a_new_branch_is_unknown_without_its_commits(repository: Repository) -> None:
    repository.commit({"services/a": "x"})
    assert pushed(repository, ZERO) == {"service": "UNKNOWN", "main": "UNKNOWN", "pull-request": "SKIP"}


def test_a_new_branch_with_its_commits(repository: Repository) -> None:
    one, two = repository.commit({"services/a": "x"}), repository.commit({"services/b": "x"})
    routed = asked(repository, PUSH._replace(before=ZERO, after=two, commits=(one, two)))
    assert routed.files == ["services/a", "services/b"] and routed.base == repository.first
    assert verdicts(routed) == {"service": "RUN", "main": "SKIP", "pull-request": "SKIP"}
    assert pushed(repository, ZERO, two, commits=()) == {
        "service": "SKIP",
        "main": "SKIP",
        "pull-request": "SKIP",
    }
    assert pushed(repository, ZERO, two, commits=(ZERO[:-1] + "1",))["service"] == "UNKNOWN"


def test_the_very_first_push_has_nothing_to_compare_with(repository: Repository) -> None:
    assert pushed(repository, ZERO, "HEAD", commits=(repository.first,))["main"] == "UNKNOWN"


def test_a_lost_commit_is_unknown(repository: Repository) -> None:
    repository.commit({"services/a": "x"})
    assert pushed(repository, "1" * 40)["service"] == "UNKNOWN"
    with pytest.raises(MissingInputError, match="not in this clone"):
        pushed(repository, repository.first, "1" * 40)


def test_more_than_a_thousand_commits_run_everything(repository: Repository) -> None:
    tree, parent = repository.git("rev-parse", "HEAD^{tree}"), repository.first
    for _ in range(1000):
        parent = repository.git("commit-tree", tree, "-p", parent, "-m", "x")
    assert pushed(repository, repository.first, parent)["service"] == "SKIP"
    parent = repository.git("commit-tree", tree, "-p", parent, "-m", "x")
    assert pushed(repository, repository.first, parent)["service"] == "RUN"


def test_a_shallow_clone_says_so(repository: Repository, tmp_path: Path) -> None:
    repository.git("checkout", "-qb", "topic")
    for number in range(3):
        repository.commit({f"services/{number}": "x"})
    address = f"file://{repository.path}"
    repository.git(
        "clone", "-q", "--no-local", "--depth", "1", "--branch", "topic", address, str(tmp_path / "one")
    )
    shallow = object.__new__(type(repository))
    shallow.path = tmp_path / "one"
    assert pushed(shallow, repository.git("rev-parse", "HEAD~1"))["main"] == "UNKNOWN"
    request = Event("pull_request", "refs/heads/main", head="HEAD")
    found = verdicts(asked(shallow, request))
    assert (found["service"], found["pull-request"]) == ("UNKNOWN", "RUN")
    repository.git(
        "clone", "-q", "--no-local", "--depth", "2", "--branch", "topic", address, str(tmp_path / "two")
    )
    shallow.path = tmp_path / "two"
    topic = Event("push", "refs/heads/main", before="HEAD~1", after="HEAD")
    # both commits are here; only how many lie between them cannot be said, and that concerns a SKIP alone
    assert verdicts(asked(shallow, topic))["service"] == "RUN"


def request_of(repository: Repository) -> Routed:
    return asked(repository, Event("pull_request", "refs/heads/main", "synchronize", head="topic"))


def diverged(repository: Repository) -> None:
    repository.git("checkout", "-qb", "topic")
    repository.commit({"services/a": "x"})
    repository.git("checkout", "-q", "main")
    repository.commit({"b": "x"})


def test_a_request_is_compared_in_three_dots(repository: Repository) -> None:
    diverged(repository)
    routed = request_of(repository)
    assert routed.files == ["services/a"]
    found = {each.pipeline: (each.verdict, each.called_by) for each in routed.workflows}
    caller = ".github/workflows/pull-request.yml"
    assert found == {"service": ("RUN", caller), "main": ("SKIP", caller), "pull-request": ("RUN", None)}


def test_a_request_reads_the_files_of_the_merge(repository: Repository) -> None:
    diverged(repository)
    repository.commit(
        {".github/workflows/service-pipeline.yml": repository.service.replace("services", "other")}
    )
    assert verdicts(request_of(repository))["service"] == "SKIP"


def test_asking_leaves_no_object_behind(repository: Repository) -> None:
    diverged(repository)
    before = repository.git("count-objects")
    request_of(repository)
    assert repository.git("count-objects") == before


def test_a_request_takes_the_bases_tip_and_not_its_frozen_commit(repository: Repository) -> None:
    diverged(repository)
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", "main")
    payload = {
        "action": "synchronize",
        "pull_request": {
            "base": {"ref": "main", "sha": repository.first},
            "head": {"ref": "topic", "sha": repository.git("rev-parse", "topic")},
        },
    }
    event = from_payload("pull_request", payload, ref="refs/pull/1/merge", sha="1" * 40)
    assert asked(repository, event).files == ["services/a"]


def test_a_request_believes_githubs_merge_commit(repository: Repository) -> None:
    diverged(repository)
    tip, head = repository.git("rev-parse", "main"), repository.git("rev-parse", "topic")
    tree = repository.git("rev-parse", "main^{tree}")
    merge = repository.git("commit-tree", tree, "-p", tip, "-p", head, "-m", "merge")
    repository.git("update-ref", "-d", "refs/heads/main")  # a runner has no branch of the base
    payload = {
        "action": "opened",
        "pull_request": {
            "base": {"ref": "main", "sha": repository.first},
            "head": {"sha": head, "repo": {"fork": True}},
        },
    }
    routed = asked(repository, from_payload("pull_request", payload, ref="refs/pull/1/merge", sha=merge))
    assert routed.files == ["services/a"] and routed.base == repository.first


def test_a_conflict_starts_nothing(repository: Repository) -> None:
    diverged(repository)
    repository.commit({"services/a": "another"})
    assert set(verdicts(request_of(repository)).values()) == {"SKIP"}


def test_several_merge_bases_are_unknown(repository: Repository) -> None:
    diverged(repository)
    main, topic = repository.git("rev-parse", "main"), repository.git("rev-parse", "topic")
    repository.git("merge", "-q", "--no-edit", topic)
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", main)
    repository.commit({"services/more": "x"})
    assert verdicts(request_of(repository)) == {
        "service": "UNKNOWN",
        "main": "UNKNOWN",
        "pull-request": "RUN",
    }


def test_no_common_history_is_unknown(repository: Repository) -> None:
    repository.git("checkout", "-q", "--orphan", "topic")
    repository.commit({"services/a": "x"})
    assert verdicts(request_of(repository))["service"] == "UNKNOWN"


def test_activities(repository: Repository) -> None:
    diverged(repository)
    event = Event("pull_request", "refs/heads/main", "labeled", head="topic")
    assert set(verdicts(asked(repository, event)).values()) == {"SKIP"}
    repository.commit({".github/workflows/labels.yml": "on: {pull_request: {types: labeled}}"})
    assert verdicts(asked(repository, event))["labels"] == "RUN"
    assert verdicts(asked(repository, event._replace(action="opened")))["labels"] == "SKIP"


def test_a_request_to_another_base(repository: Repository) -> None:
    diverged(repository)
    repository.git("branch", "release/1", "main")
    repository.commit(
        {".github/workflows/r.yml": "on: {pull_request: {branches: ['release/*'], paths: 'services/**'}}"}
    )
    repository.git("branch", "-f", "release/1", "main")
    assert verdicts(request_of(repository))["r"] == "SKIP"
    routed = asked(repository, Event("pull_request", "refs/heads/release/1", head="topic"))
    assert verdicts(routed)["r"] == "RUN"


def test_a_merge_group(repository: Repository) -> None:
    after = repository.commit({"services/a": "x"})
    payload = {
        "action": "checks_requested",
        "merge_group": {
            "base_ref": "refs/heads/main",
            "base_sha": repository.first,
            "head_sha": after,
        },
    }
    routed = asked(repository, from_payload("merge_group", payload, ref=None, sha=after))
    assert verdicts(routed) == {"service": "RUN", "main": "SKIP", "pull-request": "RUN"}


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
