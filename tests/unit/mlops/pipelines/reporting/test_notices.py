"""What is news, and in which words; whether it is a recovery, GitHub knows."""

from __future__ import annotations

import pytest

from mlops.errors import ConfigurationError
from mlops.github import GitHub, Job
from mlops.pipelines.reporting.notices import find, happened, recovered, wanted, write
from mlops.records import Plan, WorkflowVerdict

JOB = Job(
    event="push", repository="team/tree", ref="refs/heads/main", sha="c" * 40, workflow="model-pipeline.yml",
    workflow_name="model pipeline", run="9000", actor="someone",
)


@pytest.mark.parametrize("needs, before, event", [
    ({"a": "success", "b": "failure"}, None, "failure"), ({"a": "failure", "b": "cancelled"}, True, "failure"),
    ({"a": "cancelled", "b": "success"}, True, None), ({"a": "success", "b": "skipped"}, True, "recovery"),
    ({"a": "success"}, False, None), ({"a": "success"}, None, None), ({"a": "skipped"}, True, None),
    ({"a": "success", "release": "success"}, True, "release"), ({"a": "success", "deploy": "success"}, None, "release"),
    ({"a": "success", "release": "skipped"}, None, None), ({"a": "failure", "release": "success"}, None, "failure"),
])
def test_what_is_news(needs, before, event) -> None:
    assert happened(needs, before) == event


def test_the_events_that_are_told() -> None:
    assert wanted(" failure, release,") == {"failure", "release"} and wanted("") == set()
    with pytest.raises(ConfigurationError, match="'failures' is no event"):
        wanted("failures")


@pytest.mark.parametrize("before, answer", [
    ([], False), (["success"], False), (["failure"], True), (["failure", "success"], False),
    (["success", "timed_out", "cancelled", "skipped"], True),
])
def test_whether_the_run_before_failed(github, before, answer) -> None:
    for conclusion in before:
        github.run("model-pipeline.yml", "t", conclusion=conclusion, event="push")
    github.run("model-pipeline.yml", "t", conclusion="failure", head_branch="develop")
    github.run("service-pipeline.yml", "t", conclusion="failure")
    github.runs.append({**github.runs[-1], "id": 9000, "path": ".github/workflows/model-pipeline.yml"})
    github.runs.append({**github.runs[-1], "id": 9001, "conclusion": "failure"})
    assert recovered(GitHub(github.variables()), JOB) is answer


def test_without_a_token_a_recovery_is_not_known_and_a_failure_is(monkeypatch) -> None:
    for name in ("GITHUB_TOKEN", "GITHUB_REPOSITORY"):
        monkeypatch.delenv(name, raising=False)
    everything = wanted("failure,recovery,release")
    event, why = find({"a": "success"}, everything, JOB)
    assert event is None and "whether the run before failed is not known" in why
    assert find({"a": "failure"}, everything, JOB) == ("failure", "")
    assert find({"a": "failure"}, {"release"}, JOB) == (None, "a failure is not among the events to tell")
    assert find({"a": "success"}, {"failure"}, JOB) == (None, "nothing to tell: no failure, no recovery, no release")


def test_the_words() -> None:
    plan = Plan(event="push", ref=None, files=[], workflows=[WorkflowVerdict(
        workflow="w", pipeline="data", verdict="RUN", reason="r", file="a @here <!channel>\n.py", pattern="a/**")])
    notice = write("failure", {"plan": "success", "data": "failure", "main": "skipped"}, plan, JOB)
    assert notice.title == "model pipeline failed on main"
    assert notice.lines[:4] == [
        "repository team/tree", f"commit {'c' * 12} by someone", "failure: data", "success: plan"]
    assert "@here" not in notice.lines[4] and "<!" not in notice.lines[4] and "\n" not in notice.lines[4]
    assert notice.address == "https://github.com/team/tree/actions/runs/9000"
    recovery = write("recovery", {"data": "success"}, None, JOB)
    assert recovery.thread == notice.thread == "switchyard-model-pipeline-main"
