"""What changed since the last run, and the plan that comes of it."""

import json
import shutil
from pathlib import Path

import pytest

from mlops.config import ConfigManager
from mlops.errors import MissingInputError
from mlops.git import MACHINERY, Git
from mlops.pipelines.change import PIPELINES, Change, last_run, plan
from mlops.pipelines.steps import Run
from mlops.records import Blocked, Plan, Receipt, RunRecord
from mlops.sources import Sources

TREE = Path(__file__).parents[4]


@pytest.fixture
def run(tmp_path):
    """A repository with the tree's own workflow files and a few others, committed."""
    shutil.copytree(TREE / ".github" / "workflows", tmp_path / ".github" / "workflows")
    for name in ("data/raw/housing.csv", "model/src/housing.py", "README.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1\n")
    (tmp_path / ".gitignore").write_text(".mlops/\n")
    Git(tmp_path)("init", "--quiet", "--initial-branch=main")
    commit(tmp_path)
    manager = ConfigManager(tmp_path, {})
    return Run(manager.workspace(), manager.load_config())


def commit(folder):
    git = Git(folder)
    git("add", "--all")
    git("commit", "--quiet", "--message=x", env=MACHINERY)
    return git.head()


def change(run, last=None):
    return Change(run, Sources(run.repository), last)


def record(run, seen, *, receipts=(), blocked=(), source=None):
    return RunRecord(
        id="1", started="2026-01-01T00:00:00+00:00", seconds=1.0, outcome="success", commit=seen.commit,
        changed=seen.dirty, who="test", plan=Plan(event="local", ref=None, files=[], workflows=[]), gate=None,
        receipts=list(receipts), blocked=list(blocked), source=source,
    )


def receipt(pipeline, outcome):
    return Receipt(
        run_id="1", parent_id=None, pipeline=pipeline, step="s", subject="", key="k", code="c", inputs=[], outputs=[],
        outcome=outcome, started="2026-01-01T00:00:00+00:00", seconds=1.0,
    )


def verdicts(run, last):
    made = plan(run, change(run, last), last)
    return {each.pipeline: each for each in made.workflows}


def write(run, name, text="2\n"):
    (run.repository / name).parent.mkdir(parents=True, exist_ok=True)
    (run.repository / name).write_text(text)


def test_without_a_run_everything_is_planned_because_there_was_none(run):
    made = verdicts(run, None)
    assert set(made) == set(PIPELINES)
    assert {each.verdict for each in made.values()} == {"RUN"}
    assert made["data"].reason == "no run here yet"


def test_nothing_changed_plans_nothing(run):
    last = record(run, change(run))
    assert {each.verdict for each in verdicts(run, last).values()} == {"SKIP"}


@pytest.mark.parametrize("commits", [False, True])
def test_a_change_plans_its_pipeline_with_file_and_pattern(run, commits):
    last = record(run, change(run))
    write(run, "model/src/housing.py")
    if commits:
        commit(run.repository)
    made = verdicts(run, last)
    assert (made["model"].verdict, made["model"].file) == ("RUN", "model/src/housing.py")
    assert made["model"].pattern
    assert (made["data"].verdict, made["service"].verdict) == ("SKIP", "SKIP")


def test_a_change_of_data_plans_the_model_as_well(run):
    last = record(run, change(run))
    write(run, "data/raw/housing.csv")
    made = verdicts(run, last)
    assert made["data"].file == "data/raw/housing.csv"
    assert (made["model"].verdict, made["model"].reason) == ("RUN", "data may hand over a new version")


def test_what_the_last_run_saw_is_no_change_although_it_is_not_committed(run):
    write(run, "README.md")
    last = record(run, change(run))
    assert change(run, last).files == []
    write(run, "README.md", "3\n")
    assert change(run, last).files == ["README.md"]
    (run.repository / "README.md").write_text("1\n")  # back to the commit: also a change since that run
    assert change(run, last).files == ["README.md"]


def test_a_deleted_and_an_untracked_file_are_changes(run):
    last = record(run, change(run))
    (run.repository / "README.md").unlink()
    write(run, "new file.md")
    assert change(run, last).files == ["README.md", "new file.md"]


def test_a_commit_that_is_gone_makes_everything_a_change(run):
    gone = RunRecord(**{name: getattr(record(run, change(run)), name) for name in RunRecord.__struct_fields__}
                     | {"commit": "0" * 39 + "1"})
    assert "data/raw/housing.csv" in change(run, gone).files


@pytest.mark.parametrize("ended", ["failed", "blocked"])
def test_what_did_not_succeed_is_planned_again(run, ended):
    last = record(
        run, change(run), receipts=[receipt("service", "failure")] if ended == "failed" else [],
        blocked=[Blocked(step="service/test/api", by="service/lint")] if ended == "blocked" else [],
    )
    made = verdicts(run, last)
    assert made["service"].reason == "its last run did not succeed"
    assert made["data"].verdict == "SKIP"


def test_a_given_source_plans_data_and_model_and_so_does_the_run_after_it(run):
    last = record(run, change(run), source="mine.csv")
    made = verdicts(run, last)
    assert {made["data"].verdict, made["model"].verdict} == {"RUN"}
    assert made["service"].verdict == "SKIP"


def test_a_missing_workflow_file_is_named(run):
    last = record(run, change(run))
    (run.repository / ".github/workflows/main.yml").unlink()
    with pytest.raises(MissingInputError) as caught:
        verdicts(run, last)
    assert caught.value.where == ".github/workflows/main.yml"


def test_a_folder_without_git_has_no_commit_and_no_changes(tmp_path):
    manager = ConfigManager(tmp_path, {})
    seen = change(Run(manager.workspace(), manager.load_config()))
    assert (seen.commit, seen.files) == (None, [])


def test_a_damaged_record_of_the_last_run_is_none(run):
    assert last_run(run) is None
    run.places.runs.mkdir(parents=True)
    (run.places.runs / "last.json").write_text(json.dumps({"schema": 1}))
    assert last_run(run) is None
