"""The event that asks: what GitHub tells a workflow about why it was started. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from mlops.errors import InvalidRecordError

ZERO = "0" * 40
NAMES = ("push", "pull_request", "merge_group", "workflow_dispatch", "schedule")
_REQUESTS = ("pull_request", "pull_request_target")


class Event(NamedTuple):
    """One event.

    Attributes:
        name: GitHub's name of the event.
        ref: The pushed ref in full; for a pull request and a merge group the base branch.
        action: The activity, such as `opened`; None where the event has none or it is not known.
        before, after: The pushed ref's commits; all zeros for "there was none".
        commits: The pushed commits, oldest first, as GitHub lists them; None where it is not known.
        base: Tip of the base branch, where it was given by hand.
        head: The request's or the group's own commit.
        merge: The commit that GitHub merged for the request.
        default_branch: The repository's default branch.
        only: For a dispatch the workflow file, for a schedule the cron line that fired, for `workflow_run` the name of
            the workflow that ran; `ref` is then the branch that it ran on.
        forced, deleted: As pushed.
    """

    name: str
    ref: str | None = None
    action: str | None = None
    before: str | None = None
    after: str | None = None
    commits: tuple[str, ...] | None = None
    base: str | None = None
    head: str | None = None
    merge: str | None = None
    default_branch: str | None = None
    only: str | None = None
    forced: bool = False
    deleted: bool = False

    @property
    def is_request(self) -> bool:
        """Whether it concerns a pull request."""
        return self.name in _REQUESTS

    @property
    def is_tag(self) -> bool:
        """Whether a tag was pushed."""
        return (self.ref or "").startswith("refs/tags/")

    @property
    def short_ref(self) -> str | None:
        """The branch's or the tag's name."""
        if self.ref is None:
            return None
        for prefix in ("refs/heads/", "refs/tags/"):
            if self.ref.startswith(prefix):
                return self.ref.removeprefix(prefix)
        return self.ref


def full_ref(ref: str | None) -> str | None:
    """`main` as `refs/heads/main`; a full ref stays as it is."""
    if not ref:
        return None
    return ref if ref.startswith("refs/") else f"refs/heads/{ref}"


def nothing(commit: str | None) -> bool:
    """Whether a push's `before` or `after` says that there was no commit."""
    return commit is None or not commit.strip("0")


def from_payload(name: str, payload: Mapping[str, Any], *, ref: str | None, sha: str | None) -> Event:
    """The event that GITHUB_EVENT_NAME, the payload at GITHUB_EVENT_PATH, GITHUB_REF and GITHUB_SHA describe.

    Raises:
        InvalidRecordError: the payload lacks what such an event always has.
    """
    default = _get(payload, "repository", "default_branch")
    action = _get(payload, "action")
    if name == "push":
        return _push(payload, ref, sha, default)
    if name in _REQUESTS:
        # base.sha is frozen when the request is opened, so it is not read at all
        return Event(
            name, full_ref(_need(payload, "pull_request", "base", "ref")), action,
            head=_need(payload, "pull_request", "head", "sha"), merge=sha, after=sha, default_branch=default,
        )
    if name == "merge_group":
        return Event(
            name, full_ref(_need(payload, "merge_group", "base_ref")), action or "checks_requested",
            base=_need(payload, "merge_group", "base_sha"), head=_need(payload, "merge_group", "head_sha"),
            default_branch=default,
        )
    if name == "workflow_run":
        branch = full_ref(_get(payload, "workflow_run", "head_branch"))
        only = _get(payload, "workflow_run", "name") or _get(payload, "workflow", "name")
        return Event(name, branch, action, after=sha, default_branch=default, only=only)
    only = _get(payload, "workflow") if name == "workflow_dispatch" else _get(payload, "schedule")
    return Event(name, full_ref(ref), action, after=sha, default_branch=default, only=only)


def _push(payload: Mapping[str, Any], ref: str | None, sha: str | None, default: str | None) -> Event:
    commits = payload.get("commits")
    listed = None
    if isinstance(commits, list):
        listed = tuple(str(each["id"]) for each in commits if isinstance(each, dict) and each.get("id"))
    after = _get(payload, "after") or sha
    return Event(
        "push", full_ref(_get(payload, "ref") or ref), before=_get(payload, "before"), after=after, commits=listed,
        default_branch=default, forced=bool(payload.get("forced")),
        deleted=bool(payload.get("deleted")) or (after is not None and nothing(after)),
    )


def _get(payload: Mapping[str, Any], *path: str) -> str | None:
    value: Any = payload
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) and value else None


def _need(payload: Mapping[str, Any], *path: str) -> str:
    value = _get(payload, *path)
    if value is None:
        raise InvalidRecordError(
            f"has no {'.'.join(path)}", where="GITHUB_EVENT_PATH", mend="give the event as GitHub wrote it, or --event"
        )
    return value
