"""A local file, read so that a change under the reader's eyes is noticed, and hashed in the same pass."""

from __future__ import annotations

import hashlib
import io
import os
import stat
import time
from pathlib import Path

from mlops.errors import BadDataError, BusyError, IntegrityError, MissingInputError

_KINDS = (
    (stat.S_ISDIR, "a folder"), (stat.S_ISSOCK, "a socket"), (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"), (stat.S_ISBLK, "a device"),
)
_FRESH = 2.0
"""Seconds since its last change within which a file's time does not tell a further change apart."""


class LocalFile(io.RawIOBase):
    """A regular file opened for reading.

    Args:
        path: The file.
        shown: Its name for errors and records.
        expected: The SHA-256 that its bytes must have (64 hexadecimal digits), empty for any.

    Raises:
        MissingInputError: there is no such file, it is no regular file, or it may not be read.
        BadDataError: it is empty.
    """

    def __init__(self, path: Path, shown: str, *, expected: str = "") -> None:
        self.path, self.shown, self._expected = path, shown, expected
        self._started, self._handle = time.time(), -1
        self._handle = _open(path, shown)
        self._before = _facts(os.fstat(self._handle))
        self._hash, self._position, self._hashed = hashlib.sha256(), 0, 0
        self.size = self._before[0]
        if not self.size:
            raise BadDataError("the file is empty", where=shown, mend="give a file with a header and rows")

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        content = self.read(len(buffer))
        buffer[:len(content)] = content
        return len(content)

    def read(self, size: int = -1) -> bytes:
        """The next bytes; those that follow the ones hashed before are hashed now."""
        if size < 0:
            return self.readall() or b""
        try:
            content = os.pread(self._handle, size, self._position)
        except OSError as error:
            raise unreadable(self.shown, error) from error
        known = self._hashed - self._position
        self._position += len(content)
        if 0 <= known < len(content):
            self._hash.update(content[known:] if known else content)
            self._hashed = self._position
        return content

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        start = (0, self._position, self.size)[whence]
        self._position = max(0, start + offset)
        return self._position

    def tell(self) -> int:
        return self._position

    def close(self) -> None:
        """Nothing: decompressors close what they read from, while this still has to hash the rest."""

    def __exit__(self, *error: object) -> None:
        handle, self._handle = self._handle, -1
        if handle >= 0:
            os.close(handle)

    def __del__(self) -> None:
        self.__exit__()

    def digest(self) -> str:
        """`sha256:…` of all bytes, once they were read.

        Raises:
            BusyError: the file is not what it was when it was opened.
            IntegrityError: the bytes do not have the expected checksum.
        """
        self.seek(self._hashed)
        while self.read(1 << 20):
            pass
        found = self._hash.hexdigest()
        self._expect_unchanged(found)
        if self._expected and found != self._expected:
            raise IntegrityError(
                f"has the checksum {found}, {self._expected} is declared", where=self.shown,
                mend="get the file again; where it is right, correct `source.sha256` in the data set's file",
            )
        return f"sha256:{found}"

    def _expect_unchanged(self, found: str) -> None:
        try:
            after = _facts(os.stat(self.path))
        except FileNotFoundError:
            after = None
        except OSError as error:
            raise unreadable(self.shown, error) from error
        changed = after != self._before or self._hashed != self.size
        if not changed and self._started - self._before[1] / 1e9 < _FRESH:  # its time may stand still meanwhile
            changed = self._hash_again() != found
        if changed:
            raise busy(self.shown, self._before, after)

    def _hash_again(self) -> str:
        self.seek(0)
        again = hashlib.sha256()
        while content := self.read(1 << 20):
            again.update(content)
        return again.hexdigest()


Facts = tuple[int, ...]
"""Size and time of a file, and which one it is."""


def facts_of(path: Path) -> Facts | None:
    """What any change of the file changes, were it of its bytes alone; None where it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return *_facts(found), found.st_ctime_ns


def busy(shown: str, before: Facts | None = None, after: Facts | None = None, *, what: str = "") -> BusyError:
    """The error to raise where somebody changed what was being read."""
    now = f"it had {before[0]} bytes, it has {after[0]}" if before and after else "it is gone"
    return BusyError(what or f"the file changed while it was read ({now})", where=shown,
                     mend="wait until it is written, then run the same command again")


def unreadable(shown: str | Path, error: OSError) -> MissingInputError:
    """The error to raise where a file could not be read."""
    if isinstance(error, FileNotFoundError):
        return MissingInputError("there is no such file", where=shown, mend="check the path and its spelling")
    return MissingInputError(
        f"the file cannot be read: {error.strerror or error}", where=shown, mend="make it readable for this user"
    )


def _open(path: Path, shown: str) -> int:
    try:
        mode = os.stat(path).st_mode
        for is_kind, name in _KINDS:
            if is_kind(mode):  # asked first: a pipe that nobody writes to would be opened for ever
                raise MissingInputError(f"is {name}, not a file", where=shown, mend="name a file with rows")
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise unreadable(shown, error) from error


def _facts(found: os.stat_result) -> Facts:
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev
