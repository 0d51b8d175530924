"""What a runner says of a job, and lists of GitHub's API, page after page."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError
from mlops.github import GitHub, job
from tests.unit.mlops.pipelines.reporting.github_server import TOKEN, GitHubServer


@pytest.fixture
def server() -> Iterator[GitHubServer]:
    with GitHubServer() as made:
        yield made


def test_the_job_as_a_runner_describes_it(tmp_path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {
        "number": 7, "head": {"repo": {"full_name": "fork/tree"}}, "base": {"repo": {"full_name": "team/tree"}},
    }}))
    found = job({
        "GITHUB_EVENT_NAME": "pull_request", "GITHUB_EVENT_PATH": str(event), "GITHUB_REPOSITORY": "team/tree",
        "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "12", "GITHUB_STEP_SUMMARY": "/s",
        "GITHUB_WORKFLOW_REF": "team/tree/.github/workflows/data-pipeline.yml@refs/heads/main",
    })
    assert found.request is not None and found.request["number"] == 7 and found.from_fork
    assert found.address == "https://github.com/team/tree/actions/runs/12"
    assert (found.workflow, found.branch, str(found.summary)) == ("data-pipeline.yml", "main", "/s")


@pytest.mark.parametrize("head, fork", [("team/tree", False), ("other/tree", True), (None, True)])
def test_a_fork_is_another_repository_or_one_that_is_gone(tmp_path, head, fork) -> None:
    event = tmp_path / "event.json"
    repository = {"full_name": head} if head else None
    event.write_text(json.dumps({"pull_request": {
        "number": 7, "head": {"repo": repository}, "base": {"repo": {"full_name": "team/tree"}}}}))
    assert job({"GITHUB_EVENT_PATH": str(event)}).from_fork is fork


def test_on_a_laptop_there_is_no_job() -> None:
    found = job({})
    assert found.request is None and found.address is None and not found.from_fork


def test_an_event_that_cannot_be_read(tmp_path) -> None:
    with pytest.raises(MissingInputError, match="GITHUB_EVENT_PATH"):
        job({"GITHUB_EVENT_PATH": str(tmp_path / "no")})
    event = tmp_path / "event.json"
    for text in ("{", "[]"):
        event.write_text(text)
        with pytest.raises(InvalidRecordError, match="GITHUB_EVENT_PATH"):
            job({"GITHUB_EVENT_PATH": str(event)})


@pytest.mark.parametrize("missing, wrong", [
    ("GITHUB_REPOSITORY", ""), ("GITHUB_REPOSITORY", "a/b/c"), ("GITHUB_TOKEN", ""), ("GITHUB_TOKEN", " \n"),
    ("GITHUB_API_URL", "localhost"),
])
def test_what_the_api_needs(missing, wrong) -> None:
    variables = {"GITHUB_REPOSITORY": "team/tree", "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": "http://localhost"}
    with pytest.raises(ConfigurationError) as caught:
        GitHub(variables | {missing: wrong})
    assert TOKEN not in str(caught.value)


def test_a_list_is_read_page_after_page(server) -> None:
    server.page = 3
    made = [server.comment(f"comment {number}") for number in range(8)]
    github = GitHub(server.variables())
    assert [each["id"] for each in github.each(github.path("issues", "7", "comments"))] == made
    assert [each.query.get("page") for each in server.seen] == [None, "2", "3"]
    assert len(list(github.each(github.path("issues", "7", "comments"), pages=2))) == 6


def test_a_list_in_a_document(server) -> None:
    server.run("model-pipeline.yml", "one")
    github = GitHub(server.variables())
    path = github.path("actions", "workflows", "model-pipeline.yml", "runs")
    assert [each["display_title"] for each in github.each(path, key="workflow_runs")] == ["one"]
    with pytest.raises(InvalidRecordError, match="no list"):
        list(github.each(path))


def test_a_wrong_token_is_told_and_not_shown(server) -> None:
    github = GitHub(server.variables(GITHUB_TOKEN="ghs_another-secret"))
    with pytest.raises(ConfigurationError, match="Bad credentials") as caught:
        list(github.each(github.path("issues", "7", "comments")))
    assert "another-secret" not in str(caught.value)
