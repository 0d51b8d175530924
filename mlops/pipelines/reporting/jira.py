"""Jira: a failure is one open issue, however often it fails again; that it works again is said there.

Version 2 of the interface, which Jira Cloud and Jira Data Center both have. Only the search differs. An issue is never
closed from here: which way leads there is each project's own.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

from mlops.config import NotificationSettings
from mlops.errors import ConfigurationError
from mlops.pipelines.reporting.notices import Notice
from mlops.rest import Api

_RIGHT = "browse the project, create issues and comment on them"


def sender(settings: NotificationSettings, pause: Callable[[float], None]) -> Callable[[Notice], str]:
    """What sends a notice to Jira.

    Raises:
        ConfigurationError: when it is called: a setting is missing.
        MlopsError: when it is called: Jira did not do it.
    """
    def send(notice: Notice) -> str:
        api = _api(settings, pause)
        if notice.event == "release":
            return "a release is no issue"
        key = _open_issue(api, settings, notice.thread)
        if key is not None:
            api.need("POST", f"/rest/api/2/issue/{key}/comment", {"body": _body(notice)}, right=_RIGHT)
            return f"commented on {key}"
        if notice.event != "failure":
            return "no open issue to say it on"
        fields = {
            "project": {"key": settings.jira_project}, "issuetype": {"name": settings.jira_issue_type},
            "summary": notice.title[:250], "description": _body(notice), "labels": [notice.thread],
        }
        made = api.need("POST", "/rest/api/2/issue", {"fields": fields}, right=_RIGHT).document
        return f"made {made.get('key')}" if isinstance(made, dict) else "made an issue"

    return send


def _api(settings: NotificationSettings, pause: Callable[[float], None]) -> Api:
    for name in ("jira_token", "jira_project"):
        if not getattr(settings, name):
            raise ConfigurationError(
                "is not set, though Jira's address is", where=f"MLOPS_NOTIFY_{name.upper()}",
                mend=f"set it, or take MLOPS_NOTIFY_JIRA_URL away (setting notifications.{name})",
            )
    token = settings.jira_token.strip()
    if settings.jira_user:  # Cloud: the user's mail address and an API token
        pair = base64.b64encode(f"{settings.jira_user.strip()}:{token}".encode()).decode()
        return Api(settings.jira_url, name="Jira", headers={"Authorization": f"Basic {pair}"}, pause=pause)
    return Api(settings.jira_url, name="Jira", headers={"Authorization": f"Bearer {token}"}, pause=pause)


def _open_issue(api: Api, settings: NotificationSettings, thread: str) -> str | None:
    """The open issue about the same, the newest."""
    project = settings.jira_project.replace("\\", "\\\\").replace('"', '\\"')
    question = f'project = "{project}" AND labels = "{thread}" AND statusCategory != Done ORDER BY created DESC'
    path = "/rest/api/2/search/jql" if settings.jira_user else "/rest/api/2/search"
    query = {"jql": question, "maxResults": "1", "fields": "key"}
    answer = api.need("GET", path, query=query, right=_RIGHT).document
    issues = answer.get("issues") if isinstance(answer, dict) else None
    return str(issues[0]["key"]) if isinstance(issues, list) and issues else None


def _body(notice: Notice) -> str:
    """The text in Jira's own markup, in which what is not meant as markup is escaped."""
    lines = [notice.title, "", *(f"* {_escaped(each)}" for each in notice.lines)]
    return "\n".join([_escaped(lines[0]), *lines[1:], *(["", f"[{notice.address}]"] if notice.address else [])])


def _escaped(text: str) -> str:
    return "".join(f"\\{each}" if each in "{}[]*_-+^~|!?\\#" else each for each in text)
