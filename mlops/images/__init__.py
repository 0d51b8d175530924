"""Images of the embedded engine: a service's files as a snapshot, named by the digest of their archive.

An image is a deterministic archive (tar, sorted names, no times, no owners); its SHA-256 is the
image's digest. It lies unpacked at `images/NAME/DIGEST/`, so what runs is that snapshot and never
the work tree. Only the digest decides which snapshot runs; `images/NAME.json` says which one was
built last.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from mlops import files
from mlops.config import Workspace
from mlops.errors import IntegrityError, MissingInputError, UsageError

_CONTENTS = ".image.json"
_SHORT = 16  # hexadecimal digits in a folder's name; the full digest stands inside


class Absent(MissingInputError):
    """There is no such image here."""


def build(places: Workspace, repository: Path, service: str, paths: Iterable[str]) -> str:
    """Make the image of `service` from files of the repository and return its digest.

    The same files give the same digest; an image that is there already is not made again.

    Args:
        places: Where images are kept.
        repository: The tree that `paths` belong to.
        service: The image's name.
        paths: Files from the repository's top, with `/`. A symbolic link is followed, its content is packed.

    Returns:
        `sha256:` and 64 digits.

    Raises:
        MissingInputError: a file is not there or cannot be read.
        UsageError: no files, or a path that leaves the repository.
        ConfigurationError: the folder of images cannot be written.
    """
    contents = {path: _read(repository, path, service) for path in sorted(set(paths))}
    if not contents:
        raise UsageError("an image without files cannot run", where=f"services/{service}")
    digest = _digest(contents)
    target = root(places, service, digest)
    if not _complete(target, digest):
        with files.atomic_folder(target) as work:
            try:
                _unpack(contents, work, digest)
            except OSError as error:
                raise files.unwritable(target, error) from error
    files.write_atomic(_last(places, service), json.dumps({"service": service, "digest": digest}) + "\n")
    return digest


def find(places: Workspace, service: str) -> str:
    """The digest of the image of `service` that was built last.

    Raises:
        Absent: none was built, or its folder is not there.
    """
    try:
        digest = json.loads(_last(places, service).read_bytes())["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Absent("no image was built", where=f"services/{service}", mend="`mlops run` builds it") from None
    open_root(places, service, str(digest))
    return str(digest)


def root(places: Workspace, service: str, digest: str) -> Path:
    """The folder that an image with this digest is unpacked in, whether it is there or not."""
    return places.images / service / digest.removeprefix("sha256:")[:_SHORT]


def open_root(places: Workspace, service: str, digest: str) -> Path:
    """The folder of an image that is there.

    Raises:
        Absent: it is not there.
    """
    folder = root(places, service, digest)
    if not _complete(folder, digest):
        raise Absent(
            f"the image {digest[:19]} of {service} is not here", where=folder,
            mend="check out the commit that it was built from and run `mlops run`: the same files give the same image",
        )
    return folder


def check(places: Workspace, service: str, digest: str) -> Path:
    """The folder of an image whose files still are those that the digest names.

    Raises:
        Absent: it is not there.
        IntegrityError: a file was changed after the image was built.
    """
    folder = open_root(places, service, digest)
    names = json.loads((folder / _CONTENTS).read_bytes())["files"]
    contents = {name: _read(folder, name, service) for name in names}
    if _digest(contents) != digest:
        raise IntegrityError(
            f"the files of this image are not those of {digest[:19]}: something was changed after it was built",
            where=folder, mend="delete this folder and run `mlops run`",
        )
    return folder


def _last(places: Workspace, service: str) -> Path:
    return places.images / f"{service}.json"


def _complete(folder: Path, digest: str) -> bool:
    try:
        return bool(json.loads((folder / _CONTENTS).read_bytes())["digest"] == digest)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _read(base: Path, path: str, service: str) -> tuple[bytes, bool]:
    """Content and whether it is a program."""
    if PurePosixPath(path).is_absolute() or ".." in PurePosixPath(path).parts or path == _CONTENTS:
        raise UsageError(f"{path!r} cannot be in an image", where=f"services/{service}")
    try:
        with (base / path).open("rb") as file:
            return file.read(), bool(os.fstat(file.fileno()).st_mode & 0o100)
    except OSError as error:
        raise MissingInputError(
            f"cannot be read into the image of {service}: {error.strerror or error}", where=base / path
        ) from error


def _digest(contents: dict[str, tuple[bytes, bool]]) -> str:
    digest = hashlib.sha256()

    class Sink(io.RawIOBase):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            digest.update(data)
            return len(data)

    with tarfile.open(fileobj=Sink(), mode="w|", format=tarfile.PAX_FORMAT) as archive:
        for path, (content, program) in sorted(contents.items()):
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode, entry.mtime = len(content), 0o755 if program else 0o644, 0
            archive.addfile(entry, io.BytesIO(content))
    return f"sha256:{digest.hexdigest()}"


def _unpack(contents: dict[str, tuple[bytes, bool]], folder: Path, digest: str) -> None:
    for path, (content, program) in contents.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(0o755 if program else 0o644)
    (folder / _CONTENTS).write_text(json.dumps({"digest": digest, "files": sorted(contents)}, indent=1) + "\n")
