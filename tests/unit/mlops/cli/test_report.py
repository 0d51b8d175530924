"""`mlops report` and `mlops handover` as a workflow calls them: exit codes, where texts go, what is never shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.cli import main
from tests.unit.mlops.pipelines.reporting.github_server import TOKEN, GitHubServer
from tests.unit.mlops.pipelines.reporting.making import ran, receipt, tree
from tests.unit.mlops.pipelines.reporting.servers import Response
from tests.unit.mlops.pipelines.reporting.webhooks import JiraServer

PLAN = {"schema": 1, "event": "pull_request", "ref": None, "files": [], "workflows": [{
    "workflow": "w.yml", "pipeline": "data", "verdict": "RUN", "reason": "r", "file": "a", "pattern": "a/**"}]}


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    with GitHubServer() as server:
        yield server


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, github: GitHubServer) -> Path:
    """The folder of a job on pull request 7."""
    for name in ("GITHUB_STEP_SUMMARY", "GITHUB_WORKFLOW_REF", "GITHUB_REF", "GITHUB_RUN_ID"):
        monkeypatch.delenv(name, raising=False)
    for name in [f"MLOPS_NOTIFY_{each}" for each in ("SLACK", "TEAMS", "JIRA_URL", "EVENTS")]:
        monkeypatch.delenv(name, raising=False)
    for name, value in github.variables(GITHUB_EVENT_NAME="pull_request").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    (tmp_path / "plan.json").write_text(json.dumps(PLAN))
    (tmp_path / "needs.json").write_text('{"plan": {"result": "success"}, "data": {"result": "failure"}}')
    event(tmp_path, "team/tree")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def event(folder: Path, head: str) -> None:
    sides = {"head": {"sha": "c" * 40, "repo": {"full_name": head}}, "base": {"repo": {"full_name": "team/tree"}}}
    (folder / "event.json").write_text(json.dumps({"pull_request": {"number": 7, **sides}}))


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(ended.value.code or 0)


COMMENT = ("report", "comment", "--plan", "plan.json", "--needs", "needs.json", "--receipts", "artifacts")
NOTIFY = ("report", "notify", "--needs", "needs.json", "--plan", "plan.json")


def test_summary(job, monkeypatch, capsys) -> None:
    places = tree(job)
    ran(places, "data", receipt("data", "ingest", facts={"rows": 40}))
    assert run("report", "summary", "data") == 0
    assert capsys.readouterr().out.startswith("## data pipeline: ✅ passed\n")
    assert json.loads((places.reports / "summary" / "data.json").read_text())["pipeline"] == "data"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job / "summary.md"))
    (job / "summary.md").write_text("before\n")
    assert run("report", "summary", "data") == 0 and run("report", "summary", "service") == 0
    text = (job / "summary.md").read_text()
    assert text.startswith("before\n## data pipeline") and "## service pipeline: ➖ nothing ran" in text
    assert capsys.readouterr().out == ""


def test_comment_is_made_and_brought_up_to_date(job, github, capsys) -> None:
    assert run(*COMMENT) == 0 and "comment created" in capsys.readouterr().err
    (job / "needs.json").write_text('{"plan": {"result": "success"}, "data": {"result": "success"}}')
    assert run(*COMMENT) == 0 and "comment updated" in capsys.readouterr().err
    assert len(github.comments) == 1
    assert "✅ The pipelines passed" in next(iter(github.comments.values()))["body"]


@pytest.mark.parametrize("why", ["fork", "rights"])
def test_where_the_token_only_reads_it_is_the_summary(job, github, monkeypatch, capsys, why) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job / "summary.md"))
    if why == "fork":
        event(job, "somebody/tree")
    github.rights.clear()
    assert run(*COMMENT) == 0
    assert "The pipelines failed" in (job / "summary.md").read_text() and not github.comments
    assert (not github.asked("POST")) is (why == "fork"), "a fork's token is not tried"
    assert "step's summary" in capsys.readouterr().err


def test_without_a_pull_request(job, monkeypatch, capsys) -> None:
    (job / "event.json").write_text("{}")
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    assert run(*COMMENT) == 2 and "'push' is about no pull request" in capsys.readouterr().err


def test_without_plan_or_artifacts_there_is_still_a_comment(job, github) -> None:
    (job / "plan.json").unlink()
    assert run(*COMMENT) == 0 and "There is no plan" in next(iter(github.comments.values()))["body"]


def test_what_could_not_be_posted_is_not_lost(job, github, monkeypatch, capsys) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(job / "summary.md"))
    github.first = [Response(429, None, {"Retry-After": "9999"})]
    assert run(*COMMENT) == 2
    told = capsys.readouterr()
    assert "GitHub answered 429" in told.err and TOKEN not in told.err + told.out
    assert "The pipelines failed" in (job / "summary.md").read_text()


@pytest.mark.parametrize("file, content", [("needs.json", "{"), ("needs.json", None)])
def test_needs_that_cannot_be_read(job, file, content) -> None:
    (job / file).unlink() if content is None else (job / file).write_text(content)
    assert run(*COMMENT) == 2 and run(*NOTIFY, "--repository", str(tree(job).repository)) == 2


def test_nothing_is_configured(job, capsys) -> None:
    tree(job)
    assert run(*NOTIFY) == 0 and "no channel is configured" in capsys.readouterr().err


def test_notify(job, monkeypatch, capsys) -> None:
    tree(job)
    with JiraServer(cloud=False) as jira:
        for name, value in {"URL": jira.address, "TOKEN": "jira-secret", "PROJECT": "OPS"}.items():
            monkeypatch.setenv(f"MLOPS_NOTIFY_JIRA_{name}", value)
        assert run(*NOTIFY) == 0 and "failure: jira: made OPS-1" in capsys.readouterr().err
        monkeypatch.setenv("MLOPS_NOTIFY_EVENTS", "release")
        assert run(*NOTIFY) == 0 and "not among the events" in capsys.readouterr().err
        assert run(*NOTIFY, "--event", "recovery") == 0 and "commented on OPS-1" in capsys.readouterr().err
        monkeypatch.setenv("MLOPS_NOTIFY_EVENTS", "relaese")
        assert run(*NOTIFY) == 2 and "MLOPS_NOTIFY_EVENTS" in capsys.readouterr().err
        monkeypatch.setenv("MLOPS_NOTIFY_EVENTS", "failure")
        monkeypatch.setenv("MLOPS_NOTIFY_JIRA_TOKEN", "wrong-secret")
        assert run(*NOTIFY) == 1
        told = capsys.readouterr()
        assert "jira (" in told.err and "401" in told.err and "wrong-secret" not in told.err + told.out


def test_config_hides_them(job, monkeypatch, capsys) -> None:
    tree(job)
    monkeypatch.setenv("MLOPS_NOTIFY_SLACK", "https://hooks.slack.com/services/T/B/hidden")
    monkeypatch.setenv("MLOPS_NOTIFY_JIRA_TOKEN", "hidden")
    for form in ("table", "json"):
        assert run("config", "show", "--format", form) == 0
        told = capsys.readouterr().out
        assert "hidden" not in told and "notifications" in told


def test_handover(job, github, monkeypatch, capsys) -> None:
    ran(tree(job), "data", receipt("data", "version", facts={"version": "aa"}))
    assert run("handover", "data") == 1 and "follows a push or dispatch on main" in capsys.readouterr().err
    monkeypatch.setenv("GITHUB_EVENT_NAME", "push")
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    assert run("handover", "data") == 0
    assert capsys.readouterr().out.startswith("started model-pipeline.yml with data: houses=aa")
    monkeypatch.delenv("GITHUB_TOKEN")
    assert run("handover", "data", "--receipts", ".mlops") == 2 and "GITHUB_TOKEN" in capsys.readouterr().err
    assert len(github.asked("POST")) == 1


def test_the_audit_as_sarif_and_as_annotations(job, monkeypatch, capsys) -> None:
    tree(job)
    workflow = job / ".github" / "workflows" / "other.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text("on:\n  push:\n    paths:\n      - '**'\n      - gone/**\njobs: {}\n")
    assert run("route", "audit", "--format", "sarif") == 1
    told = capsys.readouterr()
    results = json.loads(told.out)["runs"][0]["results"]
    assert [(each["ruleId"], each["locations"][0]["physicalLocation"]["region"]) for each in results] == [
        ("dead-pattern", {"startLine": 5})]
    assert told.err == ""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("route", "audit", "--format", "json") == 1
    told = capsys.readouterr()
    assert len(json.loads(told.out)["findings"]) == 1
    assert told.err.startswith("::error file=.github/workflows/other.yml,line=5,title=route audit%3A dead-pattern::")
    workflow.write_text("on:\n  push:\n    paths:\n      - '**'\njobs: {}\n")
    assert run("route", "audit", "--format", "sarif") == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"] == []
