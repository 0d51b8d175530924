"""GitHub's REST API as its documentation describes it, as far as comments, runs and dispatches go.

Pagination by `Link`, 401 for an unknown token, 403 "Resource not accessible by integration" for a right that the
token lacks, 404 for what is not there, 422 for what does not fit; rate limits are put into `first`.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from tests.unit.mlops.pipelines.reporting.servers import Request, Response, Server

TOKEN = "ghs_a-secret-that-nobody-prints"
LIMIT = Response(
    429, {"message": "API rate limit exceeded"}, {"Retry-After": "7", "X-RateLimit-Remaining": "0"}
)
SECONDARY = Response(403, {
    "message": "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
    "documentation_url": "https://docs.github.com/rest",
}, {"Retry-After": "3"})
_FORBIDDEN = Response(403, {"message": "Resource not accessible by integration", "status": "403"})
_MISSING = Response(404, {"message": "Not Found", "status": "404"})
_PERMITTED = {"ref", "inputs", "return_run_details"}


def user(login: str = "github-actions[bot]", kind: str = "Bot") -> dict[str, str]:
    return {"login": login, "type": kind}


class GitHubServer(Server):
    """One repository `team/tree` with one pull request, 7.

    Attributes:
        rights: Of the token: `pull-requests`, `actions`.
        login: Whose token it is; None for a workflow's own, which is an installation's.
        workflows: File name → the inputs that its `workflow_dispatch` takes, None where it has no such trigger.
        run_details: Whether it knows `return_run_details` (an older Enterprise Server does not).
    """

    def __init__(self) -> None:
        super().__init__()
        self.ids = itertools.count(1000)
        self.comments: dict[int, dict[str, Any]] = {}
        self.runs: list[dict[str, Any]] = []
        self.rights = {"pull-requests", "actions"}
        self.login: str | None = None
        self.locked = False
        self.workflows: dict[str, list[str] | None] = {
            "model-pipeline.yml": ["data"], "service-pipeline.yml": ["models"], "main.yml": None,
        }
        self.run_details = True
        self.now = "2026-03-01T12:00:00Z"
        self.page = 100

    def variables(self, **more: str) -> dict[str, str]:
        return {
            "GITHUB_API_URL": self.address, "GITHUB_REPOSITORY": "team/tree", "GITHUB_TOKEN": TOKEN, **more
        }

    def comment(self, body: str, author: dict[str, str] | None = None) -> int:
        """A comment that is there already."""
        number = next(self.ids)
        self.comments[number] = {
            "id": number, "body": body, "user": author or user(),
            "html_url": f"https://github.com/team/tree/pull/7#issuecomment-{number}",
        }
        return number

    def run(self, workflow: str, title: str, *, created: str | None = None, **more: Any) -> dict[str, Any]:
        number = next(self.ids)
        made = {
            "id": number, "path": f".github/workflows/{workflow}", "display_title": title, "event": "workflow_dispatch",
            "head_branch": "main", "status": "completed", "conclusion": "success", "created_at": created or self.now,
            "html_url": f"https://github.com/team/tree/actions/runs/{number}", **more,
        }
        self.runs.append(made)
        return made

    def answer(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        if headers.get("authorization") != f"Bearer {TOKEN}":
            return Response(401, {"message": "Bad credentials", "status": "401"})
        if not headers.get("user-agent") or headers.get("accept") != "application/vnd.github+json":
            return Response(403, {"message": "Request forbidden by administrative rules."})
        if request.path == "/user":
            return Response(200, user(self.login, "User")) if self.login else _FORBIDDEN
        found = re.fullmatch(r"/repos/team/tree/(.*)", request.path)
        return self._repository(request, found[1]) if found else _MISSING

    def _repository(self, request: Request, path: str) -> Response:
        if path == "issues/7/comments":
            return self._list(request) if request.method == "GET" else self._write(request, None)
        if found := re.fullmatch(r"issues/comments/(\d+)", path):
            return self._one(request, int(found[1]))
        if found := re.fullmatch(r"actions/workflows/([\w.-]+)/(runs|dispatches)", path):
            if found[1] not in self.workflows:
                return _MISSING
            return self._runs(request, found[1]) if found[2] == "runs" else self._dispatch(request, found[1])
        if found := re.fullmatch(r"actions/runs/(\d+)", path):
            return next((Response(200, each) for each in self.runs if each["id"] == int(found[1])), _MISSING)
        return _MISSING

    def _pages(self, request: Request, entries: list[Any], key: str | None = None) -> Response:
        size = min(int(request.query.get("per_page", "30")), self.page)
        number = int(request.query.get("page", "1"))
        shown = entries[(number - 1) * size: number * size]
        more = "&".join(f"{name}={value}" for name, value in request.query.items() if name != "page")
        links = {}
        if number * size < len(entries):
            links["Link"] = (
                f'<{self.address}{request.path}?{more}&page={number + 1}>; rel="next", '
                f'<{self.address}{request.path}?{more}&page=9>; rel="last"'
            )
        return Response(200, {"total_count": len(entries), key: shown} if key else shown, links)

    def _list(self, request: Request) -> Response:
        return self._pages(request, [self.comments[number] for number in sorted(self.comments)])

    def _write(self, request: Request, number: int | None) -> Response:
        if "pull-requests" not in self.rights:
            return _FORBIDDEN
        if self.locked:
            return Response(403, {"message": "Unable to create comment because issue is locked.", "status": "403"})
        body = (request.body or {}).get("body")
        if not isinstance(body, str) or not body or len(body) > 65536:
            return Response(422, {"message": "Validation Failed", "errors": [{"field": "body", "code": "invalid"}]})
        if number is not None:
            self.comments[number]["body"] = body
            return Response(200, self.comments[number])
        author = user(self.login, "User") if self.login else user()
        return Response(201, self.comments[self.comment(body, author)])

    def _one(self, request: Request, number: int) -> Response:
        if number not in self.comments:
            return _MISSING
        if request.method == "PATCH":
            return self._write(request, number)
        if "pull-requests" not in self.rights:
            return _FORBIDDEN
        del self.comments[number]
        return Response(204)

    def _runs(self, request: Request, workflow: str) -> Response:
        wanted = {"event": "event", "branch": "head_branch", "status": "status"}
        found = [
            each for each in sorted(self.runs, key=lambda each: each["id"], reverse=True)
            if each["path"].endswith(f"/{workflow}")
            and all(each[field] == request.query.get(name, each[field]) for name, field in wanted.items())
        ]
        return self._pages(request, found, "workflow_runs")

    def _dispatch(self, request: Request, workflow: str) -> Response:
        if "actions" not in self.rights:
            return _FORBIDDEN
        unknown = sorted(set(request.body) - _PERMITTED) if self.run_details else sorted(
            set(request.body) - {"ref", "inputs"})
        if unknown:
            return Response(422, {"message": f'Invalid request.\n\n"{unknown[0]}" is not a permitted key.'})
        if request.body.get("ref") != "main":
            return Response(422, {"message": f"No ref found for: {request.body.get('ref')}"})
        inputs = self.workflows[workflow]
        if inputs is None:
            return Response(422, {"message": "Workflow does not have 'workflow_dispatch' trigger"})
        if set(request.body.get("inputs", {})) - set(inputs):
            return Response(422, {"message": "Unexpected inputs provided"})
        title = f"{workflow} " + " ".join(request.body.get("inputs", {}).values())
        made = self.run(workflow, title, status="queued", conclusion=None)
        if not request.body.get("return_run_details"):
            return Response(204)
        return Response(200, {
            "workflow_run_id": made["id"], "run_url": "", "html_url": made["html_url"],
        })
