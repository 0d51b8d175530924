"""Git, asked through its own command: NUL-separated, without the user's colours, hooks or diff drivers."""

from __future__ import annotations

import os

from mlops.errors import MissingInputError, TerminalError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import BinaryIO

MACHINERY = {
    "GIT_AUTHOR_NAME": "Switchyard",
    "GIT_AUTHOR_EMAIL": "switchyard@localhost",
    "GIT_COMMITTER_NAME": "Switchyard",
    "GIT_COMMITTER_EMAIL": "switchyard@localhost",
}
"""The author of commits that the machinery makes; a machine without a git identity can make them too."""

_ENVIRONMENT = {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
# Set inside a git hook; they would point every call at the hook's repository instead of ours.
_LOCAL = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_COMMON_DIR")


class GitError(TerminalError):
    """A git command failed; `stderr` holds what it said."""

    def __init__(self, message: str, stderr: str, *, where: str | Path | None = None) -> None:
        super().__init__(message, where=where)
        self.stderr = stderr


class Git:
    """One repository, a work tree or a bare one."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, input: bytes | None = None, env: Mapping[str, str] | None = None) -> bytes:
        """The standard output of `git -C folder arguments…`.

        Raises:
            GitError: git ended with an error.
            MissingInputError: git is not installed.
        """
        done = self.ask(*arguments, input=input, env=env)
        if done[0] != 0:
            said = done[2].decode(errors="replace").strip()
            raise GitError(f"git {arguments[0]} failed: {said or f'exit {done[0]}'}", said, where=self.folder)
        return done[1]

    def ask(
        self, *arguments: str, input: bytes | None = None, env: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> tuple[int, bytes, bytes]:
        """(exit code, standard output, standard error) of a git command that may fail.

        Raises:
            MissingInputError: git is not installed.
            UnavailableError: it did not end within `timeout` seconds.
        """
        from mlops import processes

        done = processes.run(self._command(arguments), env=_environment(env), input=input, timeout=timeout)
        return done.returncode, done.stdout, done.stderr

    def start(self, *arguments: str, asks: bool = False, env: Mapping[str, str] | None = None) -> Beside:
        """A git command that runs beside this process; with `asks` it reads questions from its standard input.

        Raises:
            MissingInputError: git is not installed.
        """
        return Beside(self._command(arguments), _environment(env), asks=asks)

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return ["git", "-c", "core.quotePath=false", "-c", "color.ui=false", "-C", str(self.folder), *arguments]

    def text(self, *arguments: str) -> str:
        """Standard output as text, without the last line end."""
        return self(*arguments).decode(errors="surrogateescape").rstrip("\n")

    def head(self) -> str | None:
        """The commit that HEAD names, None in a repository without commits."""
        code, output, _ = self.ask("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
        return output.decode().strip() if code == 0 else None

    def exists(self) -> bool:
        """Whether the folder lies in a git repository."""
        return self.start("rev-parse", "--git-dir").finish()[0] == 0

    def start_status(self) -> Beside:
        """Begin to ask what `status` answers, beside whatever else there is to do.

        Raises:
            MissingInputError: git is not installed.
        """
        return self.start(
            "status", "--porcelain=v2", "--branch", "-z", "--no-renames", "--untracked-files=all",
            "--ignore-submodules=none",
        )

    def status(self, begun: Beside | None = None) -> tuple[str | None, list[str]] | None:
        """HEAD's commit (None before the first) and the paths that differ from it, untracked ones included, sorted.

        One question instead of three; `begun` is the answer of `start_status`. None where there is no repository.
        """
        code, output = (begun or self.start_status()).finish()
        if code != 0:
            return None
        head: str | None = None
        found = set()
        for entry in output.split(b"\0"):
            if entry.startswith(b"# branch.oid "):
                name = entry.rpartition(b" ")[2].decode()
                head = None if name == "(initial)" else name
            elif entry[:2] in (b"1 ", b"u "):  # git-status(1): eight or ten fields before the path
                found.add(_path(entry.split(b" ", 8 if entry[:1] == b"1" else 10)[-1]))
            elif entry[:2] == b"? ":
                found.add(_path(entry[2:]))
        return head, sorted(found)

    def changed_since(self, commit: str | None) -> list[str]:
        """Paths that differ between `commit` and the work tree, untracked ones included, sorted.

        None compares with the empty tree: every file of the work tree. Renames count as both sides.
        """
        base = commit or self.text("hash-object", "-t", "tree", "/dev/null")
        tracked = self("diff", "--name-only", "-z", "--no-renames", "--no-ext-diff", base, "--")
        untracked = self("ls-files", "--others", "--exclude-standard", "-z")
        return sorted({_path(item) for item in (tracked + untracked).split(b"\0") if item})


class Beside:
    """A program that runs beside this one and answers through a pipe; what it says of errors is not kept.

    Started without `subprocess`, whose import takes as long as git needs for its whole answer. The
    program ends when its pipes close, so it never outlives this process for long.
    """

    def __init__(self, command: list[str], env: dict[str, str], *, asks: bool = False) -> None:
        mine, its = os.pipe()
        ends = [its]
        actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [
            (os.POSIX_SPAWN_DUP2, its, 1), (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ]
        self.stdin: BinaryIO | None = None
        if asks:
            questions, write = os.pipe()
            ends.append(questions)
            actions.append((os.POSIX_SPAWN_DUP2, questions, 0))
            self.stdin = os.fdopen(write, "wb")
        else:
            actions.append((os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0))
        self.stdout: BinaryIO = os.fdopen(mine, "rb")
        self._code: int | None = None
        try:
            self._pid = os.posix_spawnp(command[0], command, env, file_actions=actions)
        except FileNotFoundError as error:
            self._code = 127
            self.end()
            raise MissingInputError(
                f"the program {command[0]!r} is not installed", mend=f"install {command[0]}"
            ) from error
        finally:
            for end in ends:
                os.close(end)

    def finish(self) -> tuple[int, bytes]:
        """Wait for its end: (exit code, standard output)."""
        output = self.stdout.read()
        self.end()
        assert self._code is not None
        return self._code, output

    def end(self) -> None:
        """Close the pipes, upon which it ends, and wait for that."""
        if self.stdin is not None:
            try:
                self.stdin.close()
            except BrokenPipeError:
                pass  # it has ended before it read the last question
        self.stdout.close()
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


def _environment(more: Mapping[str, str] | None) -> dict[str, str]:
    environment = {key: value for key, value in os.environ.items() if key not in _LOCAL}
    return environment | _ENVIRONMENT | dict(more or {})


def _path(raw: bytes) -> str:
    return os.fsdecode(raw)


def repository(folder: Path) -> Path:
    """The top of the work tree that `folder` lies in, or `folder` itself where there is no git.

    Raises:
        MissingInputError: `folder` does not exist.
    """
    if not folder.is_dir():
        raise MissingInputError("is not a folder", where=folder, mend="give --repository an existing folder")
    for candidate in (folder.resolve(), *folder.resolve().parents):
        if (candidate / ".git").exists():
            return candidate
    return folder.resolve()
