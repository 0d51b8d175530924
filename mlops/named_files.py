"""The files on this machine that a path, a folder or a pattern names."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from mlops.errors import ConfigurationError, MissingInputError

MAXIMUM_FILES = 100_000


def is_pattern(location: str) -> bool:
    """Whether `location` names files by a pattern."""
    return any(sign in location for sign in "*?[")


def local_files(location: str, base: Path) -> Iterator[tuple[str, Path]]:
    """Each file that `location` names, in the order of their names: how it is shown, and where it is.

    Args:
        location: A path, a pattern, or a folder: all its files but hidden ones.
        base: What a relative path counts from.

    Raises:
        MissingInputError: no file has such a name, or the path cannot be followed.
        ConfigurationError: it names more than `MAXIMUM_FILES`.
    """
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
