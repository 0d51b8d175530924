"""Repositories and payloads as an outsider brings them, asked through the command: as GitHub documents it."""

from __future__ import annotations

import io
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops.cli.routing import run

Repository = Any  # the class is in conftest.py
Ask = Callable[..., dict[str, str]]
ZERO, LOST = "0" * 40, "f" * 40
SERVICE = "services/api/app.py"


@pytest.fixture(autouse=True)
def no_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [each for each in os.environ if each.startswith("GITHUB_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def ask(repository: Repository, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run `mlops route … --format json` and return pipeline → verdict; `document` holds the whole answer."""

    def call(*words: str, at: Path | None = None) -> dict[str, str]:
        capsys.readouterr()
        assert run([*words, "--repository", str(at or repository.path), "--format", "json"], "mlops route") == 0
        document = json.loads(capsys.readouterr().out)
        call.document = document  # type: ignore[attr-defined]
        return {each["pipeline"]: each["verdict"] for each in document["workflows"]}

    return call


def event(
    monkeypatch: pytest.MonkeyPatch, folder: Path, name: str, payload: dict[str, Any], ref: str, sha: str
) -> None:
    """The event as a runner hands it over."""
    path = folder / "event.json"
    path.write_text(json.dumps(payload))
    for key, value in {"EVENT_NAME": name, "EVENT_PATH": str(path), "REF": ref, "SHA": sha}.items():
        monkeypatch.setenv(f"GITHUB_{key}", value)


# --- names ------------------------------------------------------------------------------------------------------

NAMES = [b"new\nline", b'quo"te', b"tab\there", "Zoë/naïve.txt".encode(), b"\xff\xfe", b"a\\b", b"::error::x", b"-rf",
         b" lead", b"trail ", b"a\rb", b"$(id)", b"%0A", b"\xe2\x80\xae", b"\x1b[31m", b"'", b"..."]


def raw_commit(repository: Repository, names: list[bytes], mode: str = "100644") -> str:
    """A commit with files of any names on top of HEAD, without the work tree."""
    stream = b"commit refs/heads/main\ncommitter T <t@t> 1 +0000\ndata 1\nx\nfrom refs/heads/main^0\n"
    for name in names:
        quoted = b'"' + b"".join(b"\\%03o" % byte for byte in name) + b'"'
        stream += b"M %s inline %s\ndata 1\nx\n" % (mode.encode(), quoted)
    subprocess.run(["git", "-C", str(repository.path), "fast-import", "--quiet", "--force"], input=stream, check=True)
    return str(repository.git("rev-parse", "main"))


def test_every_name_comes_through_whole_and_breaks_no_line(
    repository: Repository, ask: Ask, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    after = raw_commit(repository, [b"services/" + name for name in NAMES])
    found = ask("--event", "push", "--before", repository.first, "--after", after, "--ref", "main")
    assert (found["service"], found["main"]) == ("RUN", "SKIP")
    files = ask.document["files"]  # type: ignore[attr-defined]
    assert {os.fsencode(each) for each in files} == {b"services/" + name for name in NAMES}
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    options = ["--event", "push", "--before", repository.first, "--after", after, "--repository", str(repository.path)]
    for form in ("table", "github"):
        run([*options, "--format", form, "--output", str(tmp_path / "plan.json")], "mlops route")
    said = capsys.readouterr()
    assert not [line for line in (said.out + said.err).splitlines() if line.startswith("::")]
    assert "\x1b" not in said.out + said.err + (tmp_path / "summary").read_text()
    assert json.loads((tmp_path / "plan.json").read_text())["files"] == files
    assert set((tmp_path / "output").read_text().splitlines()) >= {"service=true", "main=false"}


def test_a_workflow_files_name_writes_no_output_and_no_command(
    repository: Repository, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    after = raw_commit(repository, [
        b".github/workflows/x\n::error::planted.yml", b".github/workflows/a\ndeploy=true\n.yml",
        b".github/workflows/services.yml", b".github/workflows/<b>|`.yml", b".github/workflows/\xff.yml",
    ])
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    options = ["--event", "push", "--before", repository.first, "--after", after, "--ref", "topic"]
    for form in ("table", "json", "github"):
        assert run([*options, "--repository", str(repository.path), "--format", form], "mlops route") == 0
    said = capsys.readouterr()
    lines = (said.out + said.err).splitlines() + (tmp_path / "summary").read_text(errors="strict").splitlines()
    assert not [line for line in lines if line.startswith("::")]
    output = (tmp_path / "output").read_text().splitlines()
    assert output.count("deploy=false") == 1 and not [line for line in output if line == "deploy=true"]
    assert len([line for line in output if line.startswith("services=")]) == 1


@pytest.mark.parametrize(("given", "files"), [
    (b"", []), (b"\0", []), (b"\0\0a\0\0", ["a"]), (b"a", ["a"]), (b"a\0a\0", ["a"]), (b"b\0a", ["a", "b"]),
    (b"a\nb\0", ["a\nb"]), ("é\0".encode(), ["é"]), (b"\xff\0", ["\udcff"]), (b" a \0", [" a "]),
    (b"services/x\r\0", ["services/x\r"]),
])
def test_names_from_standard_input(ask: Ask, monkeypatch: pytest.MonkeyPatch, given: bytes, files: list[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(given)))
    found = ask("--event", "push", "--ref", "refs/heads/main", "--stdin0")
    assert ask.document["files"] == files  # type: ignore[attr-defined]
    assert found["service"] == ("RUN" if any(each.startswith("services/") for each in files) else "SKIP")
    assert found["main"] == ("RUN" if any(not each.startswith("services/") for each in files) else "SKIP")


# --- histories --------------------------------------------------------------------------------------------------

def test_a_criss_cross_of_merges_has_two_bases(repository: Repository, ask: Ask) -> None:
    one = repository.commit({"services/a": "1"})
    repository.git("checkout", "-qb", "topic", repository.first)
    two = repository.commit({"b": "1"})
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-edit", two)
    repository.git("checkout", "-q", "topic")
    repository.git("merge", "-q", "--no-edit", one)
    head = repository.commit({"c": "1"})
    assert len(repository.git("merge-base", "--all", "main", "topic").split()) == 2
    found = ask("--event", "pull_request", "--base", "main", "--head", head, "--ref", "main")
    assert found == {"pull-request": "RUN", "service": "UNKNOWN", "main": "UNKNOWN"}
    # a push between the same two commits needs no merge base
    found = ask("--event", "push", "--before", "main", "--after", head, "--ref", "main")
    assert found["main"] == "RUN" and found["service"] == "SKIP"


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_shallow_clone_never_says_that_nothing_changed(
    repository: Repository, ask: Ask, tmp_path: Path, depth: int
) -> None:
    repository.git("checkout", "-qb", "topic")
    repository.commit({SERVICE: "1"})
    head = repository.commit({"note": "1"})
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--no-local", "--no-single-branch", "--depth", str(depth), "--branch", "topic",
                   f"file://{repository.path}", str(clone))
    found = ask("--event", "pull_request", "--head", head, "--ref", "main", at=clone)
    assert found["service"] in ("UNKNOWN", "RUN") and found["pull-request"] == "RUN"
    found = ask("--event", "push", "--before", repository.first, "--after", head, "--ref", "main", at=clone)
    assert found["service"] in ("UNKNOWN", "RUN")


def test_a_partial_clone_fetches_nothing_and_guesses_nothing(repository: Repository, ask: Ask, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    after = repository.commit({SERVICE: "1"})
    clone = tmp_path / "clone"
    repository.git("clone", "-q", "--no-local", "--filter=blob:none", "--no-checkout", f"file://{repository.path}",
                   str(clone))
    found = ask("--event", "push", "--before", repository.first, "--after", after, "--ref", "main", at=clone)
    assert set(found) == {"service", "main", "pull-request"} and set(found.values()) == {"UNKNOWN"}


def test_a_bare_repository_a_linked_work_tree_and_a_folder_inside_answer_the_same(
    repository: Repository, ask: Ask, tmp_path: Path
) -> None:
    after = repository.commit({SERVICE: "1", "sub/x": "1"})
    repository.git("clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare"))
    repository.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    words = ("--event", "push", "--before", repository.first, "--after", after, "--ref", "main")
    expected = ask(*words), ask.document["files"]  # type: ignore[attr-defined]
    for place in (tmp_path / "bare", tmp_path / "linked", repository.path / "sub"):
        assert (ask(*words, at=place), ask.document["files"]) == expected, place  # type: ignore[attr-defined]


def test_a_symlink_that_points_elsewhere_and_a_mode_are_changes(repository: Repository, ask: Ask) -> None:
    link = repository.path / "services" / "current"
    link.parent.mkdir()
    link.symlink_to("one")
    before = repository.commit({"services/run": "x"})
    link.unlink()
    link.symlink_to("two")
    retargeted = repository.commit()
    (repository.path / "services" / "run").chmod(0o755)
    mode = repository.commit()
    for old, new, file in ((before, retargeted, "services/current"), (retargeted, mode, "services/run")):
        assert ask("--event", "push", "--before", old, "--after", new, "--ref", "main")["service"] == "RUN"
        assert ask.document["files"] == [file]  # type: ignore[attr-defined]


def test_a_submodule_that_moves_is_one_changed_path(repository: Repository, ask: Ask) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},services/sub")
    repository.git("commit", "-qm", "added")
    before = repository.git("rev-parse", "HEAD")
    repository.git("update-index", "--cacheinfo", f"160000,{'2' * 40},services/sub")
    repository.git("commit", "-qm", "moved")
    assert ask("--event", "push", "--before", before, "--after", "HEAD", "--ref", "main")["service"] == "RUN"
    assert ask.document["files"] == ["services/sub"]  # type: ignore[attr-defined]


def test_a_file_becomes_a_folder(repository: Repository, ask: Ask) -> None:
    before = repository.commit({"services": "a file"})
    repository.git("rm", "-q", "services")
    after = repository.commit({"services/a": "1"})
    found = ask("--event", "push", "--before", before, "--after", after, "--ref", "main")
    assert found["service"] == "RUN" and set(ask.document["files"]) == {"services", "services/a"}  # type: ignore


@pytest.mark.parametrize(("docs", "verdict"), [
    (298, "RUN"), (299, "RUN"), (300, "SKIP"), (301, "SKIP"), (9_999, "SKIP"),
])
def test_the_300_files_that_sort_first_are_looked_at(
    repository: Repository, ask: Ask, docs: int, verdict: str
) -> None:
    after = raw_commit(repository, [b"docs/%05d" % number for number in range(docs)] + [b"services/a"])
    found = ask("--event", "push", "--before", repository.first, "--after", after, "--ref", "main")
    assert found["service"] == verdict and found["main"] == "RUN"
    assert len(ask.document["files"]) == docs + 1  # type: ignore[attr-defined]
    # sorted by name and not by time: what sorts before the docs is among them, however many these are
    first = raw_commit(repository, [b"A"] + [b"services/%d" % number for number in range(400)])
    assert ask("--event", "push", "--before", after, "--after", first, "--ref", "main")["main"] == "RUN"


def test_a_replaced_commit_and_a_grafted_one_do_not_fool_it(repository: Repository, ask: Ask) -> None:
    after = repository.commit({SERVICE: "1"})
    tree = repository.git("rev-parse", f"{repository.first}^{{tree}}")
    fake = repository.git("commit-tree", tree, "-p", repository.first, "-m", "x")
    repository.git("replace", after, fake)
    found = ask("--event", "push", "--before", repository.first, "--after", after, "--ref", "main")
    assert found["service"] == "RUN"


def test_a_merge_that_is_pushed_counts_with_all_that_it_brings(repository: Repository, ask: Ask) -> None:
    repository.git("checkout", "-qb", "topic")
    repository.commit({SERVICE: "1"})
    repository.git("checkout", "-q", "main")
    before = repository.commit({"note": "1"})
    repository.git("merge", "-q", "--no-ff", "--no-edit", "topic")
    found = ask("--event", "push", "--before", before, "--after", "main", "--ref", "main")
    assert found["service"] == "RUN" and ask.document["files"] == [SERVICE]  # type: ignore[attr-defined]


def test_a_revert_in_the_same_push_leaves_nothing(repository: Repository, ask: Ask) -> None:
    repository.commit({SERVICE: "1"})
    after = repository.commit({SERVICE: None})
    found = ask("--event", "push", "--before", repository.first, "--after", after, "--ref", "main")
    assert found["service"] == found["main"] == "SKIP"


def test_a_repository_of_sha256_names(tmp_path: Path, ask: Ask) -> None:
    made = tmp_path / "sha256"
    subprocess.run(["git", "init", "-q", "-b", "main", "--object-format=sha256", str(made)], check=True)
    stream = b"commit refs/heads/main\ncommitter T <t@t> 1 +0000\ndata 1\nx\nM 100644 inline .github/workflows/s.yml\n"
    text = b"on: {push: {paths: ['services/*']}}"
    stream += b"data %d\n%s\n" % (len(text), text)
    stream += b"commit refs/heads/main\ncommitter T <t@t> 2 +0000\ndata 1\nx\nM 100644 inline services/a\ndata 1\nx\n"
    subprocess.run(["git", "-C", str(made), "fast-import", "--quiet"], input=stream, check=True)
    assert ask("--event", "push", "--before", "main^", "--after", "main", "--ref", "main", at=made) == {"s": "RUN"}
    assert ask("--event", "push", "--before", "0" * 64, "--after", "main", "--ref", "main", at=made) == {"s": "UNKNOWN"}
    assert ask("--event", "push", "--before", "main", "--after", "0" * 64, "--ref", "main", at=made) == {"s": "SKIP"}


# --- what a runner hands over -----------------------------------------------------------------------------------

def push_payload(repository: Repository, before: str, after: str, **more: Any) -> dict[str, Any]:
    """A push event's payload in GitHub's shape, with its commits as GitHub lists them: oldest first."""
    since = [] if before in (ZERO, LOST) else ["--not", before]
    listed = [] if after == ZERO else repository.git("rev-list", "--reverse", after, *since).split()
    return {
        "ref": "refs/heads/main", "before": before, "after": after, "base_ref": None, "created": before == ZERO,
        "deleted": after == ZERO, "forced": False, "compare": "https://github.com/o/r/compare/a...b",
        "commits": [{"id": each, "tree_id": "0", "distinct": True, "message": "x", "added": [], "removed": [],
                     "modified": []} for each in listed],
        "head_commit": {"id": after, "message": "x"} if after != ZERO else None,
        "repository": {"id": 1, "name": "r", "full_name": "o/r", "default_branch": "main", "master_branch": "main"},
        "pusher": {"name": "o"}, "sender": {"login": "o"}, **more,
    }


def test_pushes_as_a_runner_tells_them(
    repository: Repository, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    one = repository.commit({SERVICE: "1"})
    two = repository.commit({"note": "1"})
    event(monkeypatch, tmp_path, "push", push_payload(repository, one, two), "refs/heads/main", two)
    assert ask() == {"service": "SKIP", "main": "RUN", "pull-request": "SKIP"}
    event(monkeypatch, tmp_path, "push", push_payload(repository, two, one, forced=True), "refs/heads/main", one)
    assert ask() == {"service": "SKIP", "main": "RUN", "pull-request": "SKIP"}  # the note is gone: a change
    event(monkeypatch, tmp_path, "push", push_payload(repository, LOST, two, forced=True, commits=[]),
          "refs/heads/main", two)
    assert ask()["service"] == "UNKNOWN"  # what was overwritten is not here
    event(monkeypatch, tmp_path, "push", push_payload(repository, two, ZERO), "refs/heads/main", ZERO)
    assert set(ask().values()) == {"SKIP"}


def test_first_pushes_as_a_runner_tells_them(
    repository: Repository, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.git("checkout", "-qb", "develop")
    one = repository.commit({SERVICE: "1"})
    two = repository.commit({"services/b": "1"})
    payload = push_payload(repository, ZERO, two, ref="refs/heads/develop")
    payload["commits"] = [each for each in payload["commits"] if each["id"] in (one, two)]
    event(monkeypatch, tmp_path, "push", payload, "refs/heads/develop", two)
    assert ask() == {"service": "RUN", "main": "SKIP", "pull-request": "SKIP"}  # from the parent of the deepest
    event(monkeypatch, tmp_path, "push", payload | {"commits": []}, "refs/heads/develop", two)
    assert ask() == {"service": "SKIP", "main": "SKIP", "pull-request": "SKIP"}  # a branch without commits of its own
    del payload["commits"]
    event(monkeypatch, tmp_path, "push", payload, "refs/heads/develop", two)
    assert ask() == {"service": "UNKNOWN", "main": "UNKNOWN", "pull-request": "SKIP"}


def test_tags_as_a_runner_tells_them(
    repository: Repository, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = repository.commit({
        ".github/workflows/tagged.yml": "on: {push: {tags: ['v[0-9]+.[0-9]+'], paths: [nowhere]}}",
        ".github/workflows/both.yml": "on: {push: {branches: [main], tags: ['v*']}}",
        ".github/workflows/not.yml": "on: {push: {tags-ignore: ['v*']}}",
        ".github/workflows/neither.yml": "on: {push: }",
    })
    repository.git("tag", "-a", "v1.0", "-m", "annotated")
    payload = push_payload(repository, ZERO, repository.git("rev-parse", "v1.0"), ref="refs/tags/v1.0", commits=[])
    event(monkeypatch, tmp_path, "push", payload, "refs/tags/v1.0", head)
    assert ask() == {"tagged": "RUN", "both": "RUN", "not": "SKIP", "neither": "RUN", "main": "RUN", "service": "SKIP",
                     "pull-request": "SKIP"}


def request_payload(repository: Repository, action: str, head: str, fork: bool = False) -> dict[str, Any]:
    head_repository = {"full_name": "other/r" if fork else "o/r", "fork": fork}
    return {
        "action": action, "number": 7, "repository": {"full_name": "o/r", "default_branch": "main"},
        "pull_request": {
            "number": 7, "draft": False, "merge_commit_sha": "e" * 40, "mergeable": None,
            "base": {"label": "o:main", "ref": "main", "sha": repository.first, "repo": {"full_name": "o/r"}},
            "head": {"label": "x:topic", "ref": "topic", "sha": head, "repo": head_repository},
        },
    }


@pytest.mark.parametrize("fork", [False, True, None])
def test_requests_as_a_runner_tells_them(
    repository: Repository, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fork: bool | None
) -> None:
    repository.git("checkout", "-qb", "topic")
    head = repository.commit({SERVICE: "1"})
    repository.git("checkout", "-q", "main")
    tip = repository.commit({"note": "1"})
    repository.git("checkout", "-q", "--detach", "main")
    repository.git("merge", "-q", "--no-ff", "--no-edit", "topic")
    merge = repository.git("rev-parse", "HEAD")
    repository.git("update-ref", "refs/remotes/pull/7/merge", merge)
    repository.git("update-ref", "-d", "refs/heads/main")
    for action, started in (("opened", "RUN"), ("synchronize", "RUN"), ("reopened", "RUN"), ("labeled", "SKIP"),
                            ("edited", "SKIP"), ("closed", "SKIP")):
        payload = request_payload(repository, action, head, bool(fork))
        if fork is None:
            payload["pull_request"]["head"]["repo"] = None  # the fork was deleted
        event(monkeypatch, tmp_path, "pull_request", payload, "refs/pull/7/merge", merge)
        found = ask()
        assert found["pull-request"] == started
        assert found["service"] == ("RUN" if started == "RUN" else "SKIP") and found["main"] == "SKIP"
    assert ask.document["files"] == [SERVICE] and tip != repository.first  # type: ignore[attr-defined]


def test_other_events_as_a_runner_tells_them(
    repository: Repository, ask: Ask, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    head = repository.commit({
        ".github/workflows/tool.yml": "on: {workflow_dispatch: {inputs: {x: {type: string}}}}",
        ".github/workflows/night.yml": "on: {schedule: [{cron: '1 2 * * *'}, {cron: '5 5 * * *'}]}",
        ".github/workflows/after.yml": "on: {workflow_run: {workflows: [Build], types: [completed], branches: [main]}}",
        ".github/workflows/issue.yml": "on: issue_comment",
    })
    group = {"action": "checks_requested", "merge_group": {
        "head_sha": head, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc", "base_sha": repository.first,
        "base_ref": "refs/heads/main"}, "repository": {"default_branch": "main"}}
    event(monkeypatch, tmp_path, "merge_group", group, "refs/heads/gh-readonly-queue/main/pr-7-abc", head)
    found = ask()
    assert found["pull-request"] == "RUN" and found["main"] == "RUN" and found["service"] == "SKIP"
    dispatch = {"inputs": {"x": "1"}, "ref": "refs/heads/main", "workflow": ".github/workflows/tool.yml",
                "repository": {"default_branch": "main"}}
    event(monkeypatch, tmp_path, "workflow_dispatch", dispatch, "refs/heads/main", head)
    assert [name for name, verdict in ask().items() if verdict == "RUN"] == ["tool"]
    for cron, verdict in (("5 5 * * *", "RUN"), ("9 9 * * *", "SKIP")):
        event(monkeypatch, tmp_path, "schedule", {"schedule": cron}, "refs/heads/main", head)
        assert ask()["night"] == verdict
    for name, branch, verdict in (("Build", "main", "RUN"), ("Build", "topic", "SKIP"), ("Other", "main", "SKIP")):
        done = {"action": "completed", "workflow_run": {"name": name, "head_branch": branch, "head_sha": head},
                "workflow": {"name": name}, "repository": {"default_branch": "main"}}
        event(monkeypatch, tmp_path, "workflow_run", done, "refs/heads/main", head)
        assert ask()["after"] == verdict, (name, branch)
    event(monkeypatch, tmp_path, "issue_comment", {"action": "created", "issue": {}}, "refs/heads/main", head)
    assert [name for name, verdict in ask().items() if verdict == "RUN"] == ["issue"]
