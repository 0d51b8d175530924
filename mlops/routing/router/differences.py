"""Differences and counts of commits, asked of git while this process does something else."""

from __future__ import annotations

from mlops.git import Git

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

ENVIRONMENT = {
    "GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1",  # a local matter; nothing is fetched
    "GIT_INDEX_FILE": "/dev/null.no-index",  # not there: diff-tree would read a whole index, and use none of it
}

MOST_COMMITS = 1000
"""A push of more commits than these starts everything."""

# plumbing, so that no setting of the user (renames, order, relative paths, external drivers) has a say
DIFF = ("diff-tree", "-r", "-z", "--name-status", "--ignore-submodules=none", "--no-ext-diff")


class Question:
    """A git command that runs beside this process until its answer is wanted."""

    def __init__(self, git: Git, *arguments: str) -> None:
        self._git = git
        self._arguments = arguments
        self._running = git.start(*arguments, env=ENVIRONMENT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.end()

    def output(self) -> bytes:
        """What it answered.

        Raises:
            GitError: git failed.
        """
        code, output = self._running.finish()
        return output if code == 0 else self._git(*self._arguments, env=ENVIRONMENT)  # asked again, it says why


class Diff(Question):
    """The difference of two commits."""

    def __init__(self, git: Git, base: str, head: str, renames: str = "--no-renames") -> None:
        self.between = (str(git.folder), base, head)
        # the limit on renames is git's own default, whatever the user has set
        super().__init__(git, *DIFF, renames, "-l1000", "--end-of-options", base, head, "--")

    def files(self) -> tuple[list[str], frozenset[str]]:
        """The changed files, both sides of a move, and those that may be the old side of one."""
        parts = self.output().decode("utf-8", "surrogateescape").split("\0")
        names, statuses = parts[1::2], parts[:-1:2]
        if "A" not in statuses or "D" not in statuses:
            return names, frozenset()
        return names, frozenset(name for status, name in zip(statuses, names, strict=True) if status == "D")


class Branch:
    """The branch that HEAD names: mostly a file of one line says so, else git is asked."""

    def __init__(self, git: Git) -> None:
        self._name = _head(str(git.folder))
        self._running = git.start("symbolic-ref", "--quiet", "HEAD", env=ENVIRONMENT) if self._name is None else None

    def name(self) -> str | None:
        """Its full ref; None when HEAD is detached, or where there is no repository."""
        if self._running is None:
            return self._name
        code, output = self._running.finish()
        return output.decode("utf-8", "surrogateescape").strip() if code == 0 else None

    def end(self) -> None:
        """Leave no process behind, whether its answer was taken or not."""
        if self._running is not None:
            self._running.end()


def _head(folder: str) -> str | None:
    """The branch by the file `.git/HEAD`; None where that says nothing (a linked work tree, a bare repository)."""
    try:
        with open(f"{folder}/.git/HEAD", "rb") as file:
            line = file.read(4096)
    except OSError:
        return None
    # a repository whose refs are no files has a branch `.invalid` there
    named = line.startswith(b"ref: refs/heads/") and line.endswith(b"\n") and not line.endswith(b"/.invalid\n")
    return line[5:-1].decode("utf-8", "surrogateescape") if named else None


class Begun:
    """The questions of a push whose answers take longest, put to git before anything else is done."""

    def __init__(self, git: Git, base: str, head: str) -> None:
        self.diff = Diff(git, base, head)
        self.branch = Branch(git)

    def end(self) -> None:
        """Leave no process behind, whichever answers were taken."""
        self.diff._running.end()
        self.branch.end()


class Count(Question):
    """The commits of a push, as far as they matter."""

    def __init__(self, git: Git, base: str, head: str) -> None:
        super().__init__(
            git, "rev-list", "--parents", f"--max-count={MOST_COMMITS + 1}", "--end-of-options", head, f"^{base}", "--"
        )

    def many(self) -> bool | None:
        """Whether they are more than GitHub looks at; None where one of them seems to have no parent."""
        lines = self.output().splitlines()
        if len(lines) > MOST_COMMITS:
            return True
        return None if any(b" " not in line for line in lines) else False


def renamed(git: Git, base: str, head: str) -> list[str]:
    """The changed files with rename detection: a renamed file under its new name only."""
    names: list[str] = []
    parts = iter(Diff(git, base, head, "-M").output().split(b"\0"))
    for status in parts:
        if status:
            name = next(parts)
            names.append(_text(next(parts) if status[:1] in (b"R", b"C") else name))
    return names


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
