"""Differences and counts of commits, asked of git while this process does something else."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from mlops.git import Git, GitError

MOST_COMMITS = 1000
"""A push of more commits than these starts everything."""

# plumbing, so that no setting of the user (renames, order, relative paths, external drivers) has a say
_DIFF = ("diff-tree", "-r", "-z", "--name-status", "--ignore-submodules=none", "--no-ext-diff")


class Question:
    """A git command that runs beside this process until its answer is wanted."""

    def __init__(self, git: Git, *arguments: str) -> None:
        self._process = git.start(*arguments, env={"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1"})
        self._where = git.folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.communicate()

    def output(self) -> bytes:
        """What it answered.

        Raises:
            GitError: git failed.
        """
        output, said = self._process.communicate()
        if self._process.returncode != 0:
            text = said.decode(errors="replace").strip()
            raise GitError(f"git failed: {text}", text, where=self._where)
        return output


class Diff(Question):
    """The difference of two commits."""

    def __init__(self, git: Git, base: str, head: str, renames: str = "--no-renames") -> None:
        super().__init__(git, *_DIFF, renames, "--end-of-options", base, head, "--")

    def files(self) -> tuple[list[str], frozenset[str]]:
        """The changed files, both sides of a move, and those that may be the old side of one."""
        parts = self.output().split(b"\0")
        names = [_text(name) for name in parts[1::2]]
        statuses = parts[:-1:2]
        if b"A" not in statuses or b"D" not in statuses:
            return names, frozenset()
        return names, frozenset(name for status, name in zip(statuses, names, strict=True) if status == b"D")


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
