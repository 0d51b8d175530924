"""GitHub: what a runner tells a job about itself, and the API by which a job answers."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mlops.errors import ConfigurationError, InvalidRecordError, MissingInputError
from mlops.rest import Api

PAGES = 30
"""Pages of a list that are read at most, of 100 entries each."""


@dataclasses.dataclass(frozen=True)
class Job:
    """The job that this runs in, as its runner describes it. On a laptop all is empty.

    Attributes:
        event: The event's name; `payload` is its document.
        repository: `owner/name`.
        ref, sha: What the workflow runs on.
        workflow: File name of the workflow that was started, such as `pull-request.yml`.
        run: The run's number; `attempt` counts its repetitions.
        summary: The file that takes the step's summary.
    """

    event: str = ""
    payload: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    repository: str = ""
    ref: str = ""
    sha: str = ""
    workflow: str = ""
    workflow_name: str = ""
    run: str = ""
    attempt: str = ""
    actor: str = ""
    server: str = "https://github.com"
    summary: Path | None = None

    @property
    def request(self) -> Mapping[str, Any] | None:
        """The pull request that the event is about."""
        found = self.payload.get("pull_request")
        return found if isinstance(found, dict) and isinstance(found.get("number"), int) else None

    @property
    def from_fork(self) -> bool:
        """Whether the pull request comes from another repository (or from one that is gone)."""
        if self.request is None:
            return False
        names = [((self.request.get(side) or {}).get("repo") or {}).get("full_name") for side in ("head", "base")]
        return names[0] is None or names[0] != (names[1] or self.repository)

    @property
    def address(self) -> str | None:
        """The run's page."""
        return f"{self.server}/{self.repository}/actions/runs/{self.run}" if self.repository and self.run else None

    @property
    def branch(self) -> str:
        """The branch's name, where the ref is one."""
        return self.ref.removeprefix("refs/heads/")


def job(variables: Mapping[str, str] | None = None) -> Job:
    """The job that the variables describe; the process's own when absent.

    Raises:
        MissingInputError, InvalidRecordError: GITHUB_EVENT_PATH names no file, or no JSON object.
    """
    get = (os.environ if variables is None else variables).get
    path, payload = get("GITHUB_EVENT_PATH"), {}
    if path:
        try:
            payload = json.loads(Path(path).read_bytes())
        except OSError as error:
            raise MissingInputError(f"cannot be read: {error.strerror}", where=f"GITHUB_EVENT_PATH={path}") from error
        except ValueError as error:
            raise InvalidRecordError(f"is not JSON: {error}", where=f"GITHUB_EVENT_PATH={path}") from error
        if not isinstance(payload, dict):
            raise InvalidRecordError("is no object", where=f"GITHUB_EVENT_PATH={path}")
    summary = get("GITHUB_STEP_SUMMARY")
    file = re.search(r"/([^/@]+\.ya?ml)@", get("GITHUB_WORKFLOW_REF") or "")
    return Job(
        event=get("GITHUB_EVENT_NAME") or "", payload=payload, repository=get("GITHUB_REPOSITORY") or "",
        ref=get("GITHUB_REF") or "", sha=get("GITHUB_SHA") or "", workflow=file[1] if file else "",
        workflow_name=get("GITHUB_WORKFLOW") or "", run=get("GITHUB_RUN_ID") or "",
        attempt=get("GITHUB_RUN_ATTEMPT") or "", actor=get("GITHUB_ACTOR") or "",
        server=get("GITHUB_SERVER_URL") or "https://github.com", summary=Path(summary) if summary else None,
    )


class GitHub:
    """A repository's API.

    Args:
        variables: Where GITHUB_REPOSITORY, GITHUB_TOKEN and GITHUB_API_URL stand; the process's own when absent.

    Raises:
        ConfigurationError: one of the first two is missing, or the third is no address.
    """

    def __init__(
        self, variables: Mapping[str, str] | None = None, *, pause: Callable[[float], None] = time.sleep
    ) -> None:
        get = (os.environ if variables is None else variables).get
        name, token = get("GITHUB_REPOSITORY") or "", (get("GITHUB_TOKEN") or "").strip()
        if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
            raise ConfigurationError(
                f"is {name!r}, not owner/name" if name else "is not set", where="GITHUB_REPOSITORY",
                mend="a runner sets it; elsewhere set it to owner/name",
            )
        if not token:
            raise ConfigurationError(
                "is not set", where="GITHUB_TOKEN", mend="in a workflow: `env: GITHUB_TOKEN: ${{ github.token }}`"
            )
        self.api = Api(get("GITHUB_API_URL") or "https://api.github.com", name="GitHub", pause=pause, headers={
            "Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        })
        self.repository = name

    def path(self, *parts: str) -> str:
        """The path of something in the repository."""
        return "/".join(["/repos", self.repository, *parts])

    def each(
        self, path: str, query: Mapping[str, str] | None = None, *, key: str | None = None, pages: int = PAGES,
        right: str = "",
    ) -> Iterator[dict[str, Any]]:
        """The entries of a list, page after page as the `Link` header leads.

        Args:
            key: Where the list stands in the document, for lists that are not the whole of it.
        """
        address, wanted = path, {"per_page": "100", **(query or {})}
        for _ in range(pages):
            answer = self.api.need("GET", address, query=wanted or None, right=right)
            found = answer.document.get(key) if key and isinstance(answer.document, dict) else answer.document
            if not isinstance(found, list):
                raise InvalidRecordError("GitHub's answer is no list", where=path, mend="check GITHUB_API_URL")
            yield from found
            following = re.search(r'<([^>]+)>;\s*rel="next"', answer.headers.get("link", ""))
            if not following:
                return
            address, wanted = following[1], {}
