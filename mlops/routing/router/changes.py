"""Asks git for an event's workflow files, and for the change that it carries: pushes, merge groups and what has none.

What the clone cannot know is never guessed: a shallow clone, a missing commit, no or several merge
bases, a new branch without the list of its commits leave `Change.files` None with the reason.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import NamedTuple

from mlops.errors import MissingInputError, UsageError
from mlops.git import Git
from mlops.routing.router.decisions import Change
from mlops.routing.router.differences import MOST_COMMITS, Branch, Count, Diff
from mlops.routing.router.events import Event, nothing
from mlops.routing.router.objects import Objects
from mlops.routing.router.workflows import FOLDER, Workflow, parse

ALWAYS = f"more than {MOST_COMMITS:,} commits were pushed, and then everything runs"
_FEW = 20
_OF_THE_DEFAULT_BRANCH = ("schedule", "workflow_run")  # events that run what is there, whatever they are about
PERHAPS = f"the clone is shallow: whether more than {MOST_COMMITS:,} commits were pushed is not known"


class Reading(NamedTuple):
    """What git said.

    Attributes:
        workflows: The event's workflow files, sorted by path.
        change: What changed.
        base, head: The commits compared, where there were any.
        gone: Files that went while others came: rename detection may hide them.
    """

    workflows: list[Workflow]
    change: Change
    base: str | None = None
    head: str | None = None
    gone: frozenset[str] = frozenset()


def refuse_options(*names: str | None) -> None:
    """Refuse what git would take for something else than a commit or a ref.

    Raises:
        UsageError: one of `names` is none.
    """
    for name in names:
        if name and (name.startswith("-") or not name.isprintable() or " " in name):
            raise UsageError(f"{name!r} is no commit and no ref", mend="give a commit's SHA or a branch's name")


def read_push(git: Git, objects: Objects, event: Event, given: list[str] | None, begun: Diff | None) -> Reading:
    """Workflow files and change of a push or a merge group.

    Args:
        given: The changed files, where they are known already; git is then asked for the workflow files alone.
        begun: A difference that runs already; taken where it is the one that the event asks for.

    Raises:
        MissingInputError: the event's own commit is not in this clone.
    """
    if event.deleted:
        before = event.before if event.before and objects.commit(event.before) else "HEAD"
        return Reading(workflows_at(objects, before), Change(files=[]))
    group = event.name == "merge_group"
    old, new = (event.base, event.head or event.after) if group else (event.before, event.after)
    new = new or "HEAD"
    asked = not event.is_tag and given is None
    # both questions run beside each other, and beside the reading of the workflow files
    with ExitStack() as running:
        diff = None
        if asked and old and not nothing(old):
            fits = begun is not None and begun.between == (str(git.folder), old, new)
            diff = running.enter_context(begun if begun is not None and fits else Diff(git, old, new))
        counts = diff is not None and not group and not _straight(objects, old, new)
        count = running.enter_context(Count(git, old, new)) if counts and old else None
        commit = objects.commit(new)
        if commit is None:
            raise missing(git, new)
        workflows = workflows_at(objects, new)
        if event.is_tag:
            return Reading(workflows, Change(files=given, filtered=False, message=commit.message), head=commit.sha)
        if given is not None:
            return Reading(workflows, Change(files=given, message=commit.message), old, commit.sha)
        if diff is None:
            return _new_branch(git, objects, event, workflows, new)
        start = objects.commit(old)
        if start is None:
            change = Change(why=f"the commit before the push, {old}, is not in this clone", message=commit.message)
            return Reading(workflows, change, None, commit.sha)
        names, gone = diff.files()
        many = count.many() if count else False
        change = Change(
            names, always=ALWAYS if many else None, message=commit.message,
            perhaps=PERHAPS if many is None and is_shallow(git) else None,
        )
        return Reading(workflows, change, start.sha, commit.sha, gone)


def _straight(objects: Objects, old: str | None, new: str) -> bool:
    """Whether a few commits without a merge lead from `old` to `new`; then nobody need count them."""
    start, commit = objects.commit(old), objects.commit(new)
    for _ in range(_FEW):
        if start is None or commit is None or len(commit.parents) != 1:
            return False
        if commit.parents[0] == start.sha:
            return True
        commit = objects.commit(commit.parents[0])
    return False


def _new_branch(git: Git, objects: Objects, event: Event, workflows: list[Workflow], new: str) -> Reading:
    """A branch that was not there before: the parent of the deepest pushed commit, which only the event can name."""
    commit = objects.commit(new)
    assert commit is not None
    if event.commits is None:
        why = "the branch is new, and which of its commits were pushed with it is not known"
        return Reading(workflows, Change(why=why, message=commit.message), head=commit.sha)
    if not event.commits:
        return Reading(workflows, Change(files=[], message=commit.message), head=commit.sha)
    if len(event.commits) > MOST_COMMITS:
        return Reading(workflows, Change([], always=ALWAYS, message=commit.message), head=commit.sha)
    pushed = [objects.commit(each) for each in event.commits]
    inside = {each.sha for each in pushed if each}
    deepest = [each for each in pushed if each and not inside.intersection(each.parents)]
    bases = {parent for each in deepest for parent in (each.parents[:1] or ("",))}
    why = ""
    if None in pushed or not all(objects.commit(each) for each in bases if each):
        why = "the branch is new, and not all of its pushed commits are in this clone"
    elif len(bases) > 1:
        why = "the branch is new, and its pushed commits begin at several places"
    elif "" in bases:
        why = "the branch is new, and its first commit has no parent to compare with"
    if why:
        return Reading(workflows, Change(why=why, message=commit.message), head=commit.sha)
    base = bases.pop()
    with Diff(git, base, new) as diff:
        names, gone = diff.files()
    return Reading(workflows, Change(names, message=commit.message), base, commit.sha, gone)


def read_unfiltered(git: Git, objects: Objects, event: Event, given: list[str] | None) -> Reading:
    """A dispatch, a schedule or another event without a change; they need the file on the default branch.

    Raises:
        MissingInputError: the event's own commit is not in this clone.
    """
    default = default_branch(git, event)
    fixed = event.name in _OF_THE_DEFAULT_BRANCH
    own = event.after or (event.ref if event.ref and not fixed else default) or "HEAD"
    commit = objects.commit(own)
    if commit is None:
        raise missing(git, own)
    workflows = workflows_at(objects, own)
    elsewhere: frozenset[str] = frozenset()
    if default is not None and (fixed or event.name == "workflow_dispatch") and objects.commit(default):
        there = objects.folder(f"{default}^{{commit}}", FOLDER)
        elsewhere = frozenset(each.path for each in workflows if each.path not in there)
    return Reading(workflows, Change(files=given or [], filtered=False, elsewhere=elsewhere), head=commit.sha)


def default_branch(git: Git, event: Event) -> str | None:
    """A name for the default branch's tip in this clone; None where it cannot be told."""
    names = git.text("for-each-ref", "--format=%(refname) %(symref)", "refs/heads", "refs/remotes").splitlines()
    refs = dict(each.split(" ", 1) for each in names if " " in each)
    if event.default_branch:
        wanted = (f"refs/remotes/origin/{event.default_branch}", f"refs/heads/{event.default_branch}")
        return next((each for each in wanted if each in refs), None)
    if "refs/remotes/origin/HEAD" in refs:
        return refs["refs/remotes/origin/HEAD"] or None
    if any(each.startswith("refs/remotes/") for each in refs):
        return None
    return Branch(git).name()  # nothing was ever cloned from or pushed to


def workflows_at(objects: Objects, commit: str) -> list[Workflow]:
    """The workflow files at a commit or tree, sorted by path."""
    return [parse(path, text) for path, text in workflow_files(objects, commit).items()]


def workflow_files(objects: Objects, commit: str) -> dict[str, str | None]:
    """The text of the workflow files at a commit or tree, by path, sorted; None for a link, or what is not here."""
    return {
        path: None if text is None else text.decode("utf-8", "replace")
        for path, text in sorted(objects.folder(commit, FOLDER).items())
        if path.endswith((".yml", ".yaml"))
    }


def missing(git: Git, commit: str) -> MissingInputError:
    """The error for an event's own commit that is not here."""
    return MissingInputError(
        f"the commit {commit!r} is not in this clone", where=git.folder,
        mend="fetch it: git fetch origin, then ask again",
    )


def is_shallow(git: Git) -> bool:
    """Whether the clone's history is cut off."""
    return git.text("rev-parse", "--is-shallow-repository") == "true"
