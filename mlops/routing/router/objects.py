"""Reads objects of a git repository through one `git cat-file` process."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple

from mlops.git import Beside, Git, GitError

_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"  # what git writes into a partial clone's configuration


class Commit(NamedTuple):
    """A commit: its name, its parents as recorded (a shallow clone may lack them), its message."""

    sha: str
    parents: tuple[str, ...]
    message: str


class Objects:
    """Objects by any name that git understands; ask inside `with`."""

    def __init__(self, git: Git, env: Mapping[str, str] | None = None) -> None:
        # replaced objects are a local matter, and nothing may be fetched from a promisor
        self._env = {"GIT_NO_REPLACE_OBJECTS": "1", "GIT_NO_LAZY_FETCH": "1", **(env or {})}
        self._git = git
        self._running = self._start()
        self._commits: dict[str, Commit | None] = {}

    def __enter__(self) -> Objects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.end()

    def _start(self) -> Beside:
        return self._git.start("cat-file", "--batch", asks=True, env=self._env)

    def get(self, name: str) -> tuple[str, str, bytes] | None:
        """(sha, type, content) of an object; None where this clone does not hold it.

        Raises:
            GitError: there is no repository, or git cannot read it.
        """
        stdin, stdout = self._running.stdin, self._running.stdout
        assert stdin is not None
        try:
            stdin.write(f"{name}\n".encode("utf-8", "surrogateescape"))
            stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, so nothing can be read either
        header = stdout.readline()
        if not header:
            self._git("rev-parse", "--git-dir")  # mostly there is no repository: then this says so
            if self._git.ask("config", "--get-regexp", _PARTIAL)[0] == 0:
                self._running.end()  # git ends at an object that it was told not to fetch; the next one may be here
                self._running = self._start()
                return None
            raise GitError("git cannot read the repository's objects", "", where=self._git.folder)
        words = header.split()
        if len(words) != 3 or words[1] not in (b"commit", b"tree", b"blob", b"tag"):
            return None  # "… missing", "… ambiguous"
        content = stdout.read(int(words[2]))
        stdout.read(1)
        return words[0].decode(), words[1].decode(), content

    def commit(self, name: str | None) -> Commit | None:
        """The commit that `name` leads to (through a tag, too); None where it is not in this clone."""
        if not name:
            return None
        if name not in self._commits:
            found = self.get(f"{name}^{{commit}}")
            self._commits[name] = None if found is None else _commit(found[0], found[2])
        return self._commits[name]

    def folder(self, commit: str, path: str) -> dict[str, bytes | None]:
        """The files directly in a folder, by full path: their content, None for a link, or where it is not here."""
        tree = self.get(f"{commit}:{path}")
        if tree is None or tree[1] != "tree":
            return {}
        found: dict[str, bytes | None] = {}
        size, at, content = len(tree[0]) // 2, 0, tree[2]
        while at < len(content):
            end = content.index(b"\0", at)
            mode, _, name = content[at:end].partition(b" ")
            sha = content[end + 1:end + 1 + size].hex()
            at = end + 1 + size
            full = f"{path}/{name.decode('utf-8', 'surrogateescape')}"
            if mode == b"120000":
                found[full] = None
            elif mode.startswith(b"100"):
                blob = self.get(sha)
                found[full] = blob[2] if blob else None
        return found


def _commit(sha: str, content: bytes) -> Commit:
    header, _, message = content.partition(b"\n\n")
    parents = tuple(
        line[7:].decode() for line in header.split(b"\n") if line.startswith(b"parent ")
    )
    return Commit(sha, parents, message.decode("utf-8", "replace"))
