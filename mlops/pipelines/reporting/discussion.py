"""The one comment on a pull request: found by its marker, updated in place; a second one is taken away."""

from __future__ import annotations

from typing import Any, NamedTuple

from mlops.errors import ConfigurationError
from mlops.github import GitHub
from mlops.rest import Answer

_RIGHT = "comment on pull requests (`permissions: pull-requests: write`)"


class Refused(Exception):
    """GitHub lets this token write no comment here (a fork's token only reads, a conversation is locked)."""


class Posted(NamedTuple):
    """What was done: `created`, `updated` or `unchanged`, where, and how many others were taken away."""

    done: str
    address: str
    removed: int = 0


def post(github: GitHub, number: int, body: str, marker: str) -> Posted:
    """Make `body` the one comment on pull request `number` that begins with `marker`.

    Raises:
        Refused: the token may not write.
        MissingInputError: there is no such pull request.
        UnavailableError: no answer.
    """
    mine = _mine(github, number, marker)
    if mine:
        return _settle(github, number, body, marker, mine)
    made = _written(github, "POST", _comments(github, number), body)
    after = _mine(github, number, marker)
    if len(after) > 1:  # another job made one at the same time: both keep the older
        return _settle(github, number, body, marker, after)
    return Posted("created", str(made.document.get("html_url", "")))


def _settle(github: GitHub, number: int, body: str, marker: str, mine: list[dict[str, Any]]) -> Posted:
    """Write into the oldest comment, and take the others away."""
    first, others = mine[0], mine[1:]
    done, address, removed = "unchanged", str(first.get("html_url", "")), 0
    if _same(first.get("body"), body):
        pass
    elif (answer := _written(github, "PATCH", _comment(github, first), body)).status == 404:  # taken away meanwhile
        answer = _written(github, "POST", _comments(github, number), body)
        done, address = "created", str(answer.document.get("html_url", ""))
    else:
        done = "updated"
    for each in others:
        answer = github.api.ask("DELETE", _comment(github, each))
        if answer.status == 403:
            raise Refused(answer.message)
        removed += answer.status == 204  # 404: the other job took it away
    return Posted(done, address, removed)


def _mine(github: GitHub, number: int, marker: str) -> list[dict[str, Any]]:
    """The comments that begin with the marker and were written by this program, oldest first.

    The marker alone proves nothing: anybody may write it into a comment of his own, and a token that may
    comment may also change what others wrote.
    """
    found = [
        each for each in github.each(_comments(github, number), right=_RIGHT)
        if str(each.get("body") or "").startswith(marker)
    ]
    people = [each for each in found if _author(each).get("type") != "Bot"]
    login = _login(github) if people else None
    mine = [each for each in found if each not in people or (login and _author(each).get("login") == login)]
    return sorted(mine, key=lambda each: int(each["id"]))


def _author(comment: dict[str, Any]) -> dict[str, Any]:
    return comment.get("user") or {}


def _login(github: GitHub) -> str | None:
    """Whose token it is; a workflow's own belongs to no user and may not ask."""
    answer = github.api.ask("GET", "/user")
    return answer.document.get("login") if answer.status == 200 and isinstance(answer.document, dict) else None


def _written(github: GitHub, method: str, path: str, body: str) -> Answer:
    answer = github.api.ask(method, path, {"body": body})
    if answer.status == 403:
        raise Refused(answer.message)
    if answer.status == 404 and method == "PATCH":
        return answer
    if answer.status >= 300 or not isinstance(answer.document, dict):
        raise ConfigurationError(
            f"GitHub says {answer.status}: {answer.message}", where=f"{method} {path}",
            mend=f"check GITHUB_REPOSITORY, the pull request, and that the token may {_RIGHT}",
        )
    return answer


def _same(there: Any, body: str) -> bool:
    return isinstance(there, str) and there.replace("\r\n", "\n").strip() == body.strip()


def _comments(github: GitHub, number: int) -> str:
    return github.path("issues", str(number), "comments")


def _comment(github: GitHub, comment: dict[str, Any]) -> str:
    return github.path("issues", "comments", str(int(comment["id"])))
