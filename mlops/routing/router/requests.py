"""Pull requests: the merge that GitHub tests, and the three-dot difference from the merge base."""

from __future__ import annotations

import os
import tempfile

from mlops.errors import MissingInputError
from mlops.git import Git
from mlops.routing.router.changes import Reading, default_branch, is_shallow, missing, workflow_files, workflows_at
from mlops.routing.router.decisions import Change
from mlops.routing.router.differences import Diff
from mlops.routing.router.events import Event
from mlops.routing.router.objects import Commit, Objects
from mlops.routing.router.workflows import Workflow, parse


def read_request(git: Git, objects: Objects, event: Event, given: list[str] | None) -> Reading:
    """Workflow files and change of a pull request.

    The base is the first parent of GitHub's merge commit, or the base branch's tip: what the event
    calls `base.sha` is frozen when the request is opened.

    Raises:
        MissingInputError: the request's head is not in this clone.
    """
    head_name = event.head or event.after or "HEAD"
    head = objects.commit(head_name)
    if head is None:
        raise missing(git, head_name)
    merge = objects.commit(event.merge)
    if merge is not None and merge.parents[1:] != (head.sha,):
        merge = None  # not the merge of this request
    base = objects.commit(merge.parents[0]) if merge else _tip(git, objects, event)
    target = event.name == "pull_request_target"
    if base is None:
        change = Change(given, "the base branch's tip is not in this clone", message=head.message)
        return Reading(workflows_at(objects, merge.sha if merge else head.sha), change, head=head.sha)
    bases = git.ask("merge-base", "--all", base.sha, head.sha)[1].decode().split()
    why = _why_unknown(git, bases)
    conflict = False
    if target:
        files = workflow_files(objects, base.sha)
    elif merge is not None:
        files = workflow_files(objects, merge.sha)
    elif bases == [base.sha] or not bases:
        files = workflow_files(objects, head.sha)
    else:
        conflict, files = _merged(git, base.sha, head.sha)
    if why and conflict:
        conflict = False  # git's own merge may differ where the history is not plain
    if given is not None or why:
        change = Change(given, why, message=head.message, conflict=conflict)
        return Reading(_parsed(files), change, bases[0] if len(bases) == 1 else None, head.sha)
    with Diff(git, bases[0], head.sha) as diff:
        workflows = _parsed(files)
        names, gone = diff.files()
    return Reading(workflows, Change(names, message=head.message, conflict=conflict), bases[0], head.sha, gone)


def _parsed(files: dict[str, str | None]) -> list[Workflow]:
    return [parse(path, text) for path, text in files.items()]


def _why_unknown(git: Git, bases: list[str]) -> str:
    if is_shallow(git):
        return "the clone is shallow, so the merge base is not known"
    if not bases:
        return "base and head have no commit in common"
    return f"base and head have {len(bases)} merge bases" if len(bases) > 1 else ""


def _tip(git: Git, objects: Objects, event: Event) -> Commit | None:
    """The base branch's commit: as given, else where the remote's branch is, else the local one."""
    if event.base:
        found = objects.commit(event.base)
        if found is None:
            raise missing(git, event.base)
        return found
    ref = event.ref or default_branch(git, event)
    if ref is None:
        return None
    name = ref.removeprefix("refs/heads/")
    return objects.commit(f"refs/remotes/origin/{name}") or objects.commit(ref)


def _merged(git: Git, base: str, head: str) -> tuple[bool, dict[str, str | None]]:
    """Whether the two conflict, and the workflow files of their merge.

    The merge is made in a folder of its own: asking leaves nothing behind in the repository.

    Raises:
        MissingInputError: git is older than 2.38 and cannot merge without a work tree.
    """
    with tempfile.TemporaryDirectory(prefix="mlops-route-") as folder:
        own = git.text("rev-parse", "--git-path", "objects")
        env = {
            "GIT_OBJECT_DIRECTORY": folder,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": os.path.abspath(os.path.join(git.folder, own)),
        }
        code, output, said = git.ask("merge-tree", "--write-tree", "--name-only", base, head, env=env)
        if code not in (0, 1):
            raise MissingInputError(
                f"git cannot merge base and head: {said.decode(errors='replace').strip()}", where=git.folder,
                mend="use git 2.38 or newer, or check out GitHub's merge commit and give it with GITHUB_SHA",
            )
        with Objects(git, env) as merged:
            return code == 1, workflow_files(merged, output.decode(errors="replace").split("\n", 1)[0])
