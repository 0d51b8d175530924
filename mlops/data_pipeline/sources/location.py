"""From what a user or a data set's file names to the local files that hold the rows."""

from __future__ import annotations

import glob
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from mlops.data_pipeline.sources import remote
from mlops.data_pipeline.sources.download import download, without_secrets
from mlops.errors import ConfigurationError, MissingInputError

MAXIMUM_FILES = 100_000


def files_of(location: str, base: Path, fetched: Path, *, subject: str) -> Iterator[tuple[str, Path]]:
    """Each file that `location` names, in the order of their names: how it is shown, and where it is.

    Args:
        location: A path, a pattern, a folder (all its files but hidden ones), or an address.
        base: What a relative path counts from.
        fetched: The folder for what has to be fetched first.
        subject: The data set's name, for errors.

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: an address that is of no known kind.
        UnavailableError: the server did not answer, or not wholly.
    """
    if not location or "\0" in location:
        raise MissingInputError(f"{location!r} is no path", where=subject, mend="give a path or an address")
    scheme = location.partition("://")[0].lower() if "://" in location else ""
    if scheme in ("http", "https"):
        yield without_secrets(location), download(location, _place(location, fetched))
    elif scheme == "s3":
        for address in remote.objects(location):
            yield address, remote.fetch(address, _place(address, fetched))
    elif scheme:
        raise ConfigurationError(
            f"{scheme}:// is no source that can be read", where=without_secrets(location),
            mend="give a path, or an http://, https:// or s3:// address",
        )
    else:
        yield from local_files(location, base)


def is_pattern(location: str) -> bool:
    """Whether `location` names files by a pattern."""
    return any(sign in location for sign in "*?[")


def _place(address: str, fetched: Path) -> Path:
    """Where the bytes of an address are kept until they were read; the same after a kill, so that they go on."""
    fetched.mkdir(parents=True, exist_ok=True)
    return fetched / hashlib.sha256(address.encode()).hexdigest()[:32]


def local_files(location: str, base: Path) -> Iterator[tuple[str, Path]]:
    """The files that a path, a folder or a pattern on this machine names; see `files_of`."""
    path = base / os.path.expanduser(location)
    try:
        folder, exists = path.is_dir(), path.exists()
    except OSError as error:  # a name that is too long, a loop of links
        raise MissingInputError(
            f"cannot be read: {error.strerror or error}", where=location, mend="check the path and its spelling"
        ) from error
    if exists and not folder:
        yield location, path
        return
    if folder:
        found = sorted(each for each in path.rglob("*") if each.is_file() and not _hidden(each.relative_to(path)))
        start = path
    elif is_pattern(location):
        found = sorted(each for each in map(Path, glob.glob(str(path), recursive=True)) if each.is_file())
        start = None
    else:
        yield location, path  # who opens it says why that does not work
        return
    if not found:
        raise MissingInputError(
            "is a folder without files" if folder else "no file has a name like this", where=location,
            mend="name the file, or a pattern that files have",
        )
    if len(found) > MAXIMUM_FILES:
        raise ConfigurationError(
            f"names {len(found)} files, more than {MAXIMUM_FILES}", where=location, mend="put the rows in fewer files"
        )
    for each in found:
        inside = each.relative_to(base) if each.is_relative_to(base) else each
        yield f"{location.rstrip('/')}/{each.relative_to(start).as_posix()}" if start else str(inside), each


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)
