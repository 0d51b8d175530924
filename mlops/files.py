"""Files that are never half written, locks that die with their holder, fingerprints.

Atomic replacement follows the usual recipe (write beside, fsync, rename); a lock is `flock`
on a file, so that a killed process leaves none behind.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlops.errors import BusyError, ConfigurationError, IntegrityError, MissingInputError

_CHUNK = 1 << 20


def write_atomic(path: Path, content: bytes | str, *, mode: int | None = None) -> None:
    """Replace the file at `path` by `content`, wholly or not at all.

    Missing parent folders are made.

    Raises:
        ConfigurationError: the folder cannot be written (read-only, no space, no right).
    """
    with replacing(path, mode=mode) as temporary:
        temporary.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path, *, mode: int | None = None) -> Iterator[Path]:
    """Yield the path of an empty file beside `path` that becomes `path` when the block ends well.

    Where the block raises, or removes the file again, `path` stays as it was and nothing is left behind. Missing parent
    folders are made.

    Raises:
        ConfigurationError: the folder cannot be written (read-only, no space, no right).
    """
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    except OSError as error:
        raise unwritable(path, error) from error
    temporary = Path(name)
    try:
        yield temporary
        if temporary.exists():
            os.fsync(handle)
            os.chmod(temporary, mode if mode is not None else 0o666 & ~umask())
            os.replace(temporary, path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)


def copy_checked(source: Path, target: Path, expected: str) -> None:
    """Copy a file's bytes to `target`, to the disk itself, and make sure that they have the checksum `expected`.

    Raises:
        IntegrityError: the bytes of `source` are others; `target` must not be used.
        ConfigurationError: `target` cannot be written.
    """
    digest = hashlib.sha256()
    try:
        with source.open("rb") as given, target.open("wb") as taken:
            while chunk := given.read(_CHUNK):
                digest.update(chunk)
                taken.write(chunk)
            taken.flush()
            os.fsync(taken.fileno())
    except OSError as error:
        raise unwritable(target, error) from error
    _expect(source, f"sha256:{digest.hexdigest()}", expected)


def unwritable(path: Path, error: OSError) -> ConfigurationError:
    """The error to raise where `path` could not be written."""
    return ConfigurationError(
        f"cannot be written: {error.strerror or error}",
        where=path,
        mend="make the folder writable and leave room on the disk, then run the same command again: "
        "nothing was half written",
    )


@contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Yield an empty folder beside `target` that becomes `target` when the block ends well.

    An existing `target` is replaced. When the block raises, nothing is left behind.

    Raises:
        ConfigurationError: the parent folder cannot be written.
    """
    import shutil
    import tempfile

    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part"))
        os.chmod(work, 0o777 & ~umask())
    except OSError as error:
        raise unwritable(target, error) from error
    try:
        yield work
        old: Path | None = None
        if target.exists():
            old = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".old"))
            os.rename(target, old / "replaced")
        os.rename(work, target)
        if old is not None:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def umask() -> int:
    """The process's file mode creation mask."""
    value = os.umask(0)
    os.umask(value)
    return value


@contextmanager
def lock(path: Path, *, timeout: float = 0.0, what: str = "another command") -> Iterator[None]:
    """Hold an exclusive lock on `path` (a file made when absent) for the length of the block.

    Args:
        path: The lock's file; it stays, empty.
        timeout: Seconds to wait for it; 0 asks once.
        what: Who is likely to hold it, for the error.

    Raises:
        BusyError: the lock is still held by somebody else after `timeout`.
        ConfigurationError: the folder cannot be written.
    """
    from filelock import FileLock, Timeout

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(path)
        held.acquire(timeout=timeout)
    except Timeout as error:
        raise BusyError(
            f"{what} is working here", where=path, mend="wait until it has ended, then run the same command again"
        ) from error
    except OSError as error:
        raise unwritable(path, error) from error
    try:
        yield
    finally:
        held.release()


def sha256_bytes(content: bytes) -> str:
    """`sha256:` and 64 hexadecimal digits of `content`."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def sha256_file(path: Path) -> str:
    """`sha256:` and 64 hexadecimal digits of the file's bytes.

    Raises:
        MissingInputError: there is no such file, or it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise MissingInputError(f"cannot be read: {error.strerror or error}", where=path) from error
    return f"sha256:{digest.hexdigest()}"


def combine(parts: Iterable[tuple[str, str]]) -> str:
    """One `sha256:` over named hashes, independent of their order."""
    text = "".join(f"{name}\0{value}\n" for name, value in sorted(parts))
    return sha256_bytes(text.encode())


def expect_sha256(path: Path, expected: str) -> None:
    """Raise IntegrityError unless the file at `path` has the checksum `expected`."""
    _expect(path, sha256_file(path), expected)


def _expect(path: Path, found: str, expected: str) -> None:
    if found != expected:
        raise IntegrityError(
            f"has checksum {found}, expected {expected}",
            where=path,
            mend="the file was changed or damaged after it was written; delete it and run the step again",
        )
