"""Notices through the real services of apprise and through Jira's interface, to servers that speak their protocols."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops.config import NotificationSettings
from mlops.pipelines.reporting.channels import TRIES, configured, tell
from mlops.pipelines.reporting.notices import Notice
from tests.unit.mlops.pipelines.reporting.servers import Response
from tests.unit.mlops.pipelines.reporting.webhooks import (
    SIGNATURE, SLACK, SLACK_PATH, JiraServer, Proxy, SlackServer, TeamsServer, authority,
)

LINES = ["repository team/tree", "failure: data", "data ran because of <b>|*x*_ @\u200bchannel (in data/**)"]
RUN = "https://github.com/team/tree/actions/runs/1"
FAILURE = Notice("failure", "data pipeline failed on main", LINES, RUN, "t-main")
RECOVERY = FAILURE._replace(event="recovery", title="data pipeline works again on main")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, object]:
    return authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def slack(made, monkeypatch: pytest.MonkeyPatch) -> Iterator[SlackServer]:
    with SlackServer(made[1]) as server, Proxy(server.port) as proxy:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made[0]))
        monkeypatch.setenv("HTTPS_PROXY", proxy.address)
        monkeypatch.delenv("https_proxy", raising=False)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


@pytest.fixture
def teams(made, monkeypatch: pytest.MonkeyPatch) -> Iterator[TeamsServer]:
    with TeamsServer(made[1]) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(made[0]))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        yield server


def jira_settings(server: JiraServer, **more: str) -> NotificationSettings:
    user = "me@team.example" if server.cloud else ""
    return NotificationSettings(**{
        "jira_url": server.address, "jira_user": user, "jira_token": "jira-secret", "jira_project": "OPS", **more
    })


def send(settings: NotificationSettings, notice: Notice = FAILURE) -> tuple[list[str], list[str], list[float]]:
    """What was told, the errors' texts, and how long was waited."""
    waited: list[float] = []
    sent, errors = tell(configured(settings, pause=waited.append), notice)
    return sent, [str(each) for each in errors], waited


def test_slack(slack) -> None:
    assert send(NotificationSettings(slack=SLACK)) == (["slack: told"], [], [])
    request = slack.seen[0]
    assert (request.path, request.headers["Host"]) == (SLACK_PATH, "hooks.slack.com")
    told = json.dumps(request.body, ensure_ascii=False)
    assert "data pipeline failed on main" in told and "actions/runs/1" in told
    assert "<b>" not in told and "&lt;b&gt;" in told, "Slack reads <…> as links and mentions"


def test_teams(teams) -> None:
    assert send(NotificationSettings(teams=teams.webhook)) == (["teams: told"], [], [])
    card = teams.seen[0].body["attachments"][0]["content"]
    texts = [each["text"] for each in card["body"] if each["type"] == "TextBlock"]
    assert texts[0] == "data pipeline failed on main" and "actions/runs/1" in texts[1]
    assert card["msteams"] == {"width": "full"}, "nobody is mentioned"
    assert not [each for each in card["body"] if each["type"] == "Image"], "nothing is fetched from elsewhere"


@pytest.mark.parametrize("status", [503, 429])
def test_a_passing_fault_is_tried_again(teams, status) -> None:
    teams.first = [Response(status)]
    assert send(NotificationSettings(teams=teams.webhook)) == (["teams: told"], [], [1.0])


def test_tries_are_bounded(slack) -> None:
    slack.first = [Response(500, b"")] * 20
    sent, errors, waited = send(NotificationSettings(slack=SLACK))
    assert not sent and len(slack.seen) == TRIES and len(waited) == TRIES - 1
    assert "slack (MLOPS_NOTIFY_SLACK): was not told" in errors[0] and "500" in errors[0]


def test_a_no_is_taken_for_one_and_no_secret_is_shown(teams, slack, capfd) -> None:
    wrong = teams.webhook.replace(SIGNATURE, "WRONG-secret")
    gone = SLACK.replace("TIiajkdnlazkcOXrIdevi7sQ", "AAAAAAAAAAAAAAAAAAAAAAAA")
    sent, errors, waited = send(NotificationSettings(teams=wrong, slack=gone))
    assert not sent and not waited and len(errors) == 2 and len(teams.seen) == len(slack.seen) == 1
    assert "slack" in errors[0] and "404" in errors[0] and "teams" in errors[1] and "401" in errors[1]
    told = "".join(errors) + "".join(capfd.readouterr())
    assert "WRONG-secret" not in told and "AAAAAAAA" not in told and "A1BRTD4JD" not in told


def test_the_others_are_told_when_one_is_down(teams) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with JiraServer(cloud=False) as jira:
        down = f"http://127.0.0.1:{port}"
        sent, errors, _ = send(jira_settings(jira, jira_url=down, teams=teams.webhook, slack="nonsense-secret"))
    assert sent == ["teams: told"] and len(errors) == 2
    assert errors[0].startswith("slack (MLOPS_NOTIFY_SLACK): is no webhook address of Slack")
    assert errors[1].startswith("jira (") and "did not answer" in errors[1]
    assert "secret" not in "".join(errors)


def test_a_certificate_that_nobody_knows(teams, monkeypatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    sent, errors, _ = send(NotificationSettings(teams=teams.webhook))
    assert not sent and "teams" in errors[0] and SIGNATURE not in errors[0] and not teams.seen


@pytest.mark.parametrize("address", ["https://hooks.slack.com/services/x", "https://example.com", "mailto://x", "x"])
def test_slacks_address_is_slacks(address) -> None:
    sent, errors, _ = send(NotificationSettings(slack=address))
    assert not sent and "is no webhook address of Slack" in errors[0]


@pytest.mark.parametrize("cloud", [True, False])
def test_jira_has_one_issue_for_one_thing(cloud) -> None:
    with JiraServer(cloud) as jira:
        settings = jira_settings(jira)
        assert send(settings, RECOVERY)[0] == ["jira: no open issue to say it on"] and not jira.issues
        assert send(settings)[0] == ["jira: made OPS-1"]
        assert send(settings)[0] == ["jira: commented on OPS-1"]
        assert send(settings, FAILURE._replace(thread="t-develop"))[0] == ["jira: made OPS-2"]
        assert send(settings, RECOVERY)[0] == ["jira: commented on OPS-1"]
        assert send(settings, FAILURE._replace(event="release"))[0] == ["jira: a release is no issue"]
        issue = jira.issues["OPS-1"]
        assert issue["summary"] == FAILURE.title and issue["issuetype"] == {"name": "Task"}
        assert len(issue["comments"]) == 2 and "works again" in issue["comments"][1]
        assert "\\*x\\*\\_" in issue["description"], "what stands in a file's name is no markup"
        issue["done"] = True
        assert send(settings)[0] == ["jira: made OPS-3"]


@pytest.mark.parametrize("more, told", [
    ({"jira_token": ""}, "MLOPS_NOTIFY_JIRA_TOKEN): is not set"),
    ({"jira_project": ""}, "MLOPS_NOTIFY_JIRA_PROJECT): is not set"),
    ({"jira_token": "another-secret"}, "401"), ({"jira_project": "NO"}, "valid project is required"),
    ({"jira_url": "team.atlassian.net"}, "no http or https address"),
])
def test_jira_says_no(more, told) -> None:
    with JiraServer(cloud=True) as jira:
        sent, errors, _ = send(jira_settings(jira, **more))
    assert not sent and errors[0].startswith("jira (") and told in errors[0] and "another-secret" not in errors[0]


def test_nothing_is_configured() -> None:
    assert configured(NotificationSettings()) == []
