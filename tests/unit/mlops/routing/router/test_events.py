"""Pushes to real repositories: what GitHub would start, from the workflow files of the event's own commit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlops.errors import MissingInputError
from mlops.routing import Event
from mlops.routing.router.events import ZERO
from tests.unit.mlops.routing.asking import PUSH, Repository, asked, pushed, verdicts


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
