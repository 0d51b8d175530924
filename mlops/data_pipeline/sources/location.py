"""From what a user or a data set's file names to the local files that hold the rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from mlops.errors import ConfigurationError, MissingInputError
from mlops.named_files import local_files

_LENGTH = 32
"""Of the names that fetched bytes have."""


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
    if "://" not in location:
        yield from local_files(location, base)
        return
    from mlops.data_pipeline.sources import remote  # what speaks to servers takes long to import
    from mlops.data_pipeline.sources.download import download, without_secrets

    scheme = location.partition("://")[0].lower()
    if scheme in ("http", "https"):
        yield without_secrets(location), download(location, _place(location, fetched))
    elif scheme == "s3":
        for address in remote.objects(location):
            yield address, remote.fetch(address, _place(address, fetched))
    else:
        raise ConfigurationError(
            f"{scheme}:// is no source that can be read", where=without_secrets(location),
            mend="give a path, or an http://, https:// or s3:// address",
        )


def forget(path: Path) -> None:
    """Remove fetched bytes, with what stands beside them, once they were read."""
    for left in path.parent.glob(f"{path.name[:_LENGTH]}*"):
        left.unlink(missing_ok=True)


def _place(address: str, fetched: Path) -> Path:
    """Where the bytes of an address are kept until they were read; the same after a kill, so that they go on."""
    fetched.mkdir(parents=True, exist_ok=True)
    return fetched / hashlib.sha256(address.encode()).hexdigest()[:_LENGTH]
