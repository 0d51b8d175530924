"""Git through its own command: odd names, no identity, no configuration of the user's."""

import os
import subprocess

import pytest

from mlops.errors import MissingInputError
from mlops.git import MACHINERY, Git, GitError, repository


@pytest.fixture
def bare_home(monkeypatch, tmp_path_factory):
    """A machine without a git identity or any other configuration."""
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for name in ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def work(tmp_path, bare_home):
    git = Git(tmp_path)
    git("init", "--quiet", "--initial-branch=main")
    return git


def commit(git, **contents):
    for name, content in contents.items():
        (git.folder / name).write_text(content)
    git("add", "--all")
    git("commit", "--quiet", "--message=x", env=MACHINERY)
    return git.head()


def test_a_repository_without_commits_has_no_head_and_everything_changed(work):
    (work.folder / "new").write_text("")
    assert work.head() is None
    assert work.changed_since(None) == ["new"]


def test_the_machinery_commits_without_an_identity(work):
    assert len(commit(work, a="1")) == 40
    assert work.text("log", "-1", "--format=%an <%ae>") == "Switchyard <switchyard@localhost>"


def test_changes_count_both_sides_of_a_rename_untracked_files_and_odd_names(work):
    odd = 'new\nline "quoted" é'
    first = commit(work, old="same", other="x")
    os.rename(work.folder / "old", work.folder / "moved")
    (work.folder / odd).write_text("")
    work("add", "moved")
    assert work.changed_since(first) == sorted(["moved", "old", odd])


def test_a_hooks_environment_does_not_lead_elsewhere(work, tmp_path_factory, monkeypatch):
    commit(work, a="1")
    monkeypatch.setenv("GIT_DIR", str(tmp_path_factory.mktemp("elsewhere")))
    assert work.head() is not None


def test_what_git_said_is_in_the_error(work):
    with pytest.raises(GitError, match="rev-parse failed") as caught:
        work("rev-parse", "--verify", "nonsense")
    assert "Needed a single revision" in caught.value.stderr


def test_without_git_the_error_says_what_to_install(work, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingInputError, match="'git' is not installed"):
        work("status")


def test_the_top_is_found_from_below_and_a_plain_folder_is_its_own_top(work, tmp_path_factory):
    below = work.folder / "a" / "b"
    below.mkdir(parents=True)
    assert repository(below) == work.folder.resolve()
    plain = tmp_path_factory.mktemp("plain")
    assert repository(plain) == plain.resolve()
    with pytest.raises(MissingInputError):
        repository(plain / "absent")


def test_user_aliases_and_colours_do_not_reach_the_output(work, monkeypatch):
    commit(work, a="1")
    subprocess.run(["git", "-C", work.folder, "config", "color.ui", "always"], check=True)
    (work.folder / "a").write_text("2")
    assert b"\x1b" not in work("diff")


def test_status_is_head_and_what_differs_in_one_question(work):
    assert work.status() == (None, [])
    first = commit(work, old="same", other="x", gone="y")
    odd = 'new\nline "quoted" é'
    os.rename(work.folder / "old", work.folder / "moved")
    (work.folder / "gone").unlink()
    (work.folder / odd).write_text("")
    (work.folder / "a folder").mkdir()
    (work.folder / "a folder" / "a b").write_text("")
    work("add", "moved")
    assert work.status(work.start_status()) == (first, sorted(["a folder/a b", "gone", "moved", "old", odd]))
    assert work.status()[1] == work.changed_since(first)


def test_a_conflict_is_a_change(work):
    base = commit(work, file="1")
    commit(work, file="2")
    work("checkout", "--quiet", "-b", "other", base)
    commit(work, file="3")
    work.ask("merge", "main", env=MACHINERY)
    assert work.status()[1] == ["file"]


def test_a_folder_without_git_has_no_status(tmp_path):
    assert Git(tmp_path).status() is None
