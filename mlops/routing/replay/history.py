"""Asks git for a history: each first-parent commit's change and the workflow files of its own day.

However long it is, three processes of git answer: one lists the commits, one their differences, one
reads the objects. A further one is started only where renames, or a merge of very many commits, matter.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import NamedTuple, Self

from mlops.errors import MissingInputError, UsageError
from mlops.git import Git
from mlops.routing.router.changes import (
    ALWAYS, PERHAPS, Reading, default_branch, is_shallow, refuse_options, workflow_files,
)
from mlops.routing.router.decisions import Change
from mlops.routing.router.differences import DIFF, ENVIRONMENT, MOST_COMMITS, Branch, Count, Question
from mlops.routing.router.events import Event
from mlops.routing.router.objects import Commit, Objects
from mlops.routing.router.workflows import FOLDER, Workflow, parse

_ROOT = "it is the first commit of its history, and there is no parent to compare with"
_CUT = "the clone is shallow: the parent of this commit is not in it"


class Moment(NamedTuple):
    """A commit as it was pushed to its branch, the commits that it merged with it.

    Attributes:
        commit: Its name.
        parent: Its first parent's; None for a root, and where a shallow clone ends.
        message: Its own.
        files: The changed files, both sides of a move; of a root all its files, None where they cannot be known.
        workflows: The workflow files of its own day.
        reading: The same as `mlops.routing.router.plans.decide` takes it.
        gone: Whether a file of the parent is not there any more.
    """

    commit: str
    parent: str | None
    message: str
    files: list[str] | None
    workflows: list[Workflow]
    reading: Reading
    gone: bool = False


class History:
    """The last first-parent commits up to `head`, oldest first; ask inside `with`.

    Attributes:
        commits: (commit, first parent or None), oldest first.
        shallow: Whether the clone's history is cut off.

    Raises:
        MissingInputError: there is no repository, or `head` is not in it.
        UsageError: `head` cannot be a commit's name, or `last` is no positive number.
    """

    def __init__(self, git: Git, last: int, head: str = "HEAD") -> None:
        if last < 1:
            raise UsageError(f"the last {last} commits are none", mend="give --last 1 or more")
        refuse_options(head)
        if not git.exists():
            raise MissingInputError("there is no git repository here", where=git.folder, mend="give --repository DIR")
        self._git = git
        self._running = ExitStack()
        self._objects = Objects(git)
        self._running.enter_context(self._objects)
        found = self._objects.commit(head)
        if found is None:
            self._running.close()
            raise MissingInputError(
                f"the commit {head!r} is not in this clone", where=git.folder,
                mend="fetch it, or commit something first",
            )
        self.head = found.sha
        self.shallow = is_shallow(git)
        self.commits = _listed(git, last, found.sha)
        self._parsed: dict[tuple[str, str | None], Workflow] = {}
        self._folders: dict[str, list[Workflow]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    def __iter__(self) -> Iterator[Moment]:
        """The commits as moments.

        Raises:
            GitError: git cannot read the history.
        """
        counts = self._may_be_many()
        with Differences(self._git, self.commits) as differences:
            for (sha, parent), changed in zip(self.commits, differences, strict=True):
                commit = self._objects.commit(sha)
                assert commit is not None  # it was listed a moment ago
                yield self._moment(commit, parent, changed, counts)

    def _moment(
        self, commit: Commit, parent: str | None, changed: Changed, counts: bool
    ) -> Moment:
        workflows = self._workflows(commit.sha)
        if parent is None:
            cut = bool(commit.parents)
            change = Change(why=_CUT if cut else _ROOT, message=commit.message)
            reading = Reading([], change, None, commit.sha)
            return Moment(commit.sha, None, commit.message, None if cut else changed.files, workflows, reading)
        change = Change(changed.files, message=commit.message)
        if counts and len(commit.parents) > 1:
            with Count(self._git, parent, commit.sha) as count:
                many = count.many()
            perhaps = PERHAPS if many is None and self.shallow else None
            change = change._replace(always=ALWAYS if many else None, perhaps=perhaps)
        reading = Reading([], change, parent, commit.sha, changed.deleted if changed.added else frozenset())
        return Moment(commit.sha, parent, commit.message, changed.files, workflows, reading, bool(changed.deleted))

    def _may_be_many(self) -> bool:
        """Whether a merge here may bring more commits than GitHub looks at; mostly one question says no for all."""
        if self.shallow:
            return True
        first, before = self.commits[0]
        asked = ("rev-list", "--count", f"--max-count={MOST_COMMITS + 1}", "--end-of-options", self.head)
        with Question(self._git, *asked, *([f"^{before}"] if before else []), "--") as total:
            return int(total.output()) > MOST_COMMITS

    def _workflows(self, commit: str) -> list[Workflow]:
        folder = self._objects.get(f"{commit}:{FOLDER}")
        if folder is None or folder[1] != "tree":
            return []
        if folder[0] not in self._folders:
            files = workflow_files(self._objects, commit)
            self._folders[folder[0]] = [self._workflow(path, text) for path, text in files.items()]
        return self._folders[folder[0]]

    def _workflow(self, path: str, text: str | None) -> Workflow:
        if (path, text) not in self._parsed:
            self._parsed[path, text] = parse(path, text)
        return self._parsed[path, text]


def _listed(git: Git, last: int, head: str) -> list[tuple[str, str | None]]:
    asked = ("rev-list", "--first-parent", "--parents", "--reverse", f"--max-count={last}", "--end-of-options", head)
    with Question(git, *asked, "--") as answer:
        lines = answer.output().decode().splitlines()
    return [(words[0], words[1] if len(words) > 1 else None) for words in map(str.split, lines)]


class Changed(NamedTuple):
    """The changed files, those among them that are gone, and whether any came."""

    files: list[str]
    deleted: frozenset[str]
    added: bool


class Differences:
    """The differences of many commits with one parent each, by one git process; ask inside `with`."""

    def __init__(self, git: Git, pairs: Sequence[tuple[str, str | None]]) -> None:
        self._git = git
        self._pairs = pairs
        self._running = git.start(*DIFF, "--no-renames", "--root", "--always", "--stdin", asks=True, env=ENVIRONMENT)
        # git may wait for its answers to be read before it reads the next question
        self._asking = threading.Thread(target=self._ask, daemon=True)
        self._asking.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.stdout.close()  # git ends, and so does whoever still writes to it
        self._asking.join()
        self._running.end()

    def _ask(self) -> None:
        questions = self._running.stdin
        assert questions is not None
        try:
            for commit, parent in self._pairs:
                questions.write(f"{commit} {parent}\n".encode() if parent else f"{commit}\n".encode())
            questions.close()
        except BrokenPipeError:
            pass  # nobody wants the answers any more

    def __iter__(self) -> Iterator[Changed]:
        """The change of each pair, in order.

        Raises:
            GitError: git cannot read a commit or its trees.
        """
        words = self._words()
        status = next(words, None)
        for commit, parent in self._pairs:
            if status != commit:
                self._git(*DIFF, "--root", commit, *([parent] if parent else []))  # asked again, it says why
            names, statuses = [], []
            status = next(words, None)
            while status is not None and len(status) == 1:
                names.append(next(words))
                statuses.append(status)
                status = next(words, None)
            deleted = frozenset(name for each, name in zip(statuses, names, strict=True) if each == "D")
            yield Changed(names, deleted, "A" in statuses)

    def _words(self) -> Iterator[str]:
        rest = b""
        while chunk := self._running.stdout.read(1 << 16):
            *whole, rest = (rest + chunk).split(b"\0")
            for word in whole:
                yield word.decode("utf-8", "surrogateescape")


def pushed_branch(git: Git) -> str | None:
    """The branch that a history is taken to have been pushed to: the default one, else the one that HEAD names."""
    return default_branch_ref(default_branch(git, Event("push"))) or Branch(git).name()


def default_branch_ref(name: str | None) -> str | None:
    """`refs/remotes/origin/main` as its own side calls it, `refs/heads/main`."""
    if name is None or not name.startswith("refs/remotes/origin/"):
        return name
    return "refs/heads/" + name.removeprefix("refs/remotes/origin/")
