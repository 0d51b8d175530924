"""One branch of a git repository that others write too: read its head, change it, prove that the change is there.

A change is an intent, a function of the fresh head, not a diff. It is applied again to each new
head until the push goes through; then the remote is read back. Everything happens in a temporary
bare repository: no work tree, no checkout filters, no hooks, nobody's identity but the machinery's.
What the user's git configuration says about transport and credentials holds, nothing else of it.
"""

from __future__ import annotations

import dataclasses
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import MissingInputError, RejectedPushError, TerminalError, UnavailableError
from mlops.git import MACHINERY, Git, GitError

REJECTIONS = (
    "non-fast-forward", "fetch first", "cannot lock ref", "incorrect old value provided", "failed to update ref",
)
"""What git says when somebody else was faster; anything else is not worth another try."""

_OURS = "refs/heads/ours"
_CONFIGURATION = """\
[core]
\tbare = true
\trepositoryformatversion = 0
\thooksPath = /dev/null
\tlogAllRefUpdates = false
[gc]
\tauto = 0
[fetch]
\trecurseSubmodules = false
[push]
\tgpgSign = false
\tfollowTags = false
\trecurseSubmodules = no
[http]
\tlowSpeedLimit = 1
\tlowSpeedTime = 60
"""


@dataclasses.dataclass(frozen=True)
class Retry:
    """How often and after which pauses (seconds, with jitter) a rejected push is tried again."""

    tries: int = 10
    first: float = 1.0
    factor: float = 1.5
    longest: float = 30.0

    def pauses(self) -> Iterator[float]:
        """One pause fewer than there are tries."""
        for number in range(self.tries - 1):
            yield min(self.longest, self.first * self.factor ** number * random.uniform(0.5, 1.5))


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """The files of one commit."""

    git: Git
    commit: str

    def read(self, path: str) -> bytes | None:
        """A file's content; None where there is no such file.

        Raises:
            MissingInputError: the path is a folder, a symbolic link or a submodule.
        """
        return self.entry(path)[1]

    def entry(self, path: str) -> tuple[str, bytes | None]:
        """Mode and content of a file; the mode of a new file where there is none."""
        listed = self.git("ls-tree", "-z", self.commit, "--", path).rstrip(b"\0")
        if not listed:
            return "100644", None
        mode, _, rest = listed.split(b"\t", 1)[0].decode().partition(" ")
        if mode not in ("100644", "100755"):
            raise MissingInputError(
                "is no regular file", where=path, mend="name the file itself, not a link or a folder"
            )
        return mode, self.git("cat-file", "blob", rest.split()[1])

    def contents(self, paths: Sequence[str]) -> dict[str, bytes]:
        """The content of many files that are there, in one go."""
        if not paths:
            return {}
        asked = "".join(f"{self.commit}:{path}\n" for path in paths).encode()
        output = self.git("cat-file", "--batch", input=asked)
        found: dict[str, bytes] = {}
        for path in paths:
            header, _, output = output.partition(b"\n")
            size = int(header.split()[2])
            found[path], output = output[:size], output[size + 1:]
        return found

    def hashes(self, folder: str) -> dict[str, str]:
        """Path → blob name of all files below `folder`."""
        listed = self.git("ls-tree", "-r", "-z", self.commit, "--", folder).decode(errors="surrogateescape")
        entries = [item.split("\t", 1) for item in listed.split("\0") if item]
        return {path: entry.split()[2] for entry, path in entries}

    def files(self, folder: str = "") -> list[str]:
        """Paths of all files below `folder`."""
        listed = self.git("ls-tree", "-r", "-z", "--name-only", self.commit, "--", *([folder] if folder else []))
        return [os.fsdecode(item) for item in listed.split(b"\0") if item]


@dataclasses.dataclass(frozen=True)
class Change:
    """What a commit does: path → new content, None to delete; and its message."""

    files: Mapping[str, bytes | None]
    message: str


@dataclasses.dataclass(frozen=True)
class Landed:
    """The commit that carries the intent, read back from the remote.

    Attributes:
        changed: False where the head had nothing to change: `commit` is that head.
        tries: Pushes that were tried.
    """

    commit: str
    changed: bool
    tries: int


class Remote:
    """A branch of a repository: a path, `file://`, `http(s)://` or `ssh` address."""

    def __init__(self, url: str, branch: str = "main") -> None:
        self.url = str(Path(url).absolute()) if "://" not in url and os.path.isdir(url) else url
        self.branch = branch

    def head(self, timeout: float = 60) -> str:
        """The commit of the branch, asked without fetching it.

        Raises:
            MissingInputError: there is no such repository or branch.
            UnavailableError: it could not be reached within `timeout` seconds.
        """
        git = Git(Path.cwd())
        ref = f"refs/heads/{self.branch}"
        code, listed, said = git.ask("ls-remote", "--", self.url, ref, timeout=timeout)
        if code != 0:
            raise self._unreadable(git, said.decode(errors="replace").strip())
        found = [line.split("\t") for line in listed.decode(errors="replace").splitlines()]
        for commit, name in found:
            if name == ref:
                return commit
        raise self._unreadable(git, "couldn't find remote ref")

    @contextmanager
    def open(self, *, history: bool = False) -> Iterator[Snapshot]:
        """The branch's head, for reading; with `history` all commits behind it are there too.

        Raises:
            MissingInputError: there is no such repository or branch.
            UnavailableError: it could not be reached.
        """
        if Path(self.url).is_absolute():
            local = Git(Path(self.url))
            code, head, _ = local.ask("rev-parse", "--verify", "--quiet", f"refs/heads/{self.branch}^{{commit}}")
            if code == 0:
                yield Snapshot(local, head.decode().strip())
                return
        with self._workshop() as git:
            yield Snapshot(git, self._fetch(git, history=history))

    def commit(self, intent: Callable[[Snapshot], Change | None], retry: Retry | None = None) -> Landed:
        """Apply `intent` to the fresh head, commit, push and read back, again where somebody else was faster.

        Args:
            intent: Called with each fresh head; returns None where there is nothing to change. What it raises ends
                the attempt.
            retry: How often to try again.

        Raises:
            RejectedPushError: still rejected after the last try.
            MissingInputError: there is no such repository or branch.
            TerminalError: the remote refused for another reason, which the error says.
        """
        retry = retry or Retry()
        pauses = retry.pauses()
        with self._workshop() as git:
            for tried in range(1, retry.tries + 1):
                head = self._fetch(git)
                change = intent(Snapshot(git, head))
                if change is None:
                    return Landed(head, False, tried - 1)
                ours = self._write(git, head, change)
                rejected = self._push(git, ours)
                if rejected is None and self._carries(git, ours):
                    return Landed(ours, True, tried)
                if (pause := next(pauses, None)) is not None:
                    time.sleep(pause)
        raise RejectedPushError(
            f"the branch {self.branch!r} moved on at each of {retry.tries} tries: {rejected or 'a push left no trace'}",
            where=self.url, mend="run the same command again: it starts from what is there then",
        )

    @contextmanager
    def _workshop(self) -> Iterator[Git]:
        """An empty bare repository that is gone afterwards."""
        with tempfile.TemporaryDirectory(prefix="switchyard-git-", ignore_cleanup_errors=True) as folder:
            git = Git(Path(folder))
            git("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
            (Path(folder) / "config").write_text(_CONFIGURATION)
            yield git

    def _fetch(self, git: Git, *, history: bool = False) -> str:
        """Bring the branch's head here and return it."""
        depth = [] if history else ["--depth=1"]
        ref = f"+refs/heads/{self.branch}:refs/heads/theirs"
        code, _, said = git.ask("fetch", "--quiet", "--no-tags", "--update-shallow", *depth, self.url, ref)
        if code != 0:
            raise self._unreadable(git, said.decode(errors="replace").strip())
        return git.text("rev-parse", "refs/heads/theirs")

    def _unreadable(self, git: Git, said: str) -> Exception:
        if "couldn't find remote ref" in said or "invalid refspec" in said:
            listed = git.ask("ls-remote", "--heads", self.url)[1].decode(errors="replace").split("\n")
            names = [line.partition("refs/heads/")[2] for line in listed if line]
            return MissingInputError(
                f"there is no branch {self.branch!r}", where=self.url,
                mend=f"its branches are {', '.join(names)}" if names else "the repository has no commits yet",
            )
        missing = ("does not appear to be a git repository", "not found", "does not exist", "not a git repository")
        if any(text in said for text in missing):
            return MissingInputError(f"there is no repository: {_last_line(said)}", where=self.url,
                                     mend="give the path or URL of a git repository that can be read")
        return UnavailableError(f"the repository could not be read: {said}", where=self.url)

    def _write(self, git: Git, head: str, change: Change) -> str:
        """Make the commit, and return its name. `fast-import` takes contents as they are, without filters or hooks."""
        who = f"{MACHINERY['GIT_COMMITTER_NAME']} <{MACHINERY['GIT_COMMITTER_EMAIL']}> {int(time.time())} +0000"
        message = change.message.encode()
        stream = [b"commit %s\nmark :1\ncommitter %s\ndata %d\n%s\nfrom %s\n" % (
            _OURS.encode(), who.encode(), len(message), message, head.encode())]
        for path, content in sorted(change.files.items()):
            name = _c_quoted(path)
            if content is None:
                stream.append(b"D %s\n" % name)
            else:
                mode = Snapshot(git, head).entry(path)[0]
                stream.append(b"M %s inline %s\ndata %d\n%s\n" % (mode.encode(), name, len(content), content))
        stream.append(b"get-mark :1\ndone\n")
        return git("fast-import", "--quiet", "--force", "--done", input=b"".join(stream)).decode().strip()

    def _push(self, git: Git, ours: str) -> str | None:
        """None where git said that the push went through, the rejection where somebody else was faster.

        Raises:
            TerminalError: refused for another reason.
        """
        code, output, said = git.ask("push", "--porcelain", "--no-verify", self.url, f"{ours}:refs/heads/{self.branch}")
        if code == 0:
            return None
        text = (said + output).decode(errors="replace").strip()
        for rejection in REJECTIONS:
            if rejection in text:
                return rejection
        raise TerminalError(
            f"the push was refused: {text}", where=self.url,
            mend="the remote says why; nothing was changed there",
        )

    def _carries(self, git: Git, ours: str) -> bool:
        """Whether the remote's branch, asked again, is our commit or has it behind it."""
        try:
            listed = git("ls-remote", self.url, f"refs/heads/{self.branch}").split()
        except GitError as error:
            raise UnavailableError(
                f"the push went out but the remote could not be read back: {error.stderr}", where=self.url,
                mend="run the same command again: where the change has arrived, nothing is changed twice",
            ) from error
        if listed and listed[0].decode() == ours:
            return True
        # Others may have pushed in between. Without a depth git brings what lies between our commit and the head.
        self._fetch(git, history=True)
        return git.ask("merge-base", "--is-ancestor", ours, "refs/heads/theirs")[0] == 0


def _c_quoted(path: str) -> bytes:
    raw = os.fsencode(path)
    if not raw.startswith(b'"') and b"\n" not in raw:
        return raw
    return b'"' + raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _last_line(said: str) -> str:
    lines = [line.removeprefix("fatal: ") for line in said.splitlines() if line.startswith("fatal: ")]
    return lines[0] if lines else said
