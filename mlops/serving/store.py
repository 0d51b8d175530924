"""Where bundles are found, and which of them are to be served."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

import msgspec

from mlops import documents
from mlops.errors import ConfigurationError, MissingInputError
from mlops.serving.bundle import SUFFIX

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SHA256 = re.compile(r"sha256:[0-9a-f]{64}")


class BundleStore(Protocol):
    """A place that holds bundles. What it hands out is not trusted: the caller checks the checksum."""

    def fetch(self, model: str, version: str) -> Path:
        """The path of a local file with the bundle's bytes.

        Raises:
            MissingInputError: the store has no such bundle.
            UnavailableError: the store does not answer.
        """


class FolderStore:
    """A folder that holds `NAME/VERSION.bundle`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, model: str, version: str) -> Path:
        """Where the bundle is, or is to be written.

        Raises:
            ConfigurationError: a name that could lead out of the folder.
        """
        for name in (model, version):
            if not _NAME.fullmatch(name):
                raise ConfigurationError(
                    f"{name!r} is no name of a model or version", where=self.folder,
                    mend="use letters, digits, dot, dash and underscore, beginning with a letter or digit",
                )
        return self.folder / model / f"{version}{SUFFIX}"

    def fetch(self, model: str, version: str) -> Path:
        """See `BundleStore.fetch`."""
        path = self.path(model, version)
        if not path.is_file():
            raise MissingInputError(
                "there is no such bundle in the store", where=path,
                mend=f"register and release {model} again, or correct the list of models",
            )
        return path


def open_store(location: str) -> BundleStore:
    """The store at `location`: a folder.

    Raises:
        ConfigurationError: `location` is empty or an address of a kind that is not known.
    """
    if not location or "://" in location:
        raise ConfigurationError(
            f"{location!r} is no folder of bundles", where="MLOPS_BUNDLE_STORE",
            mend="give the folder that holds NAME/VERSION.bundle",
        )
    return FolderStore(Path(location))


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model to serve: its version, and the checksum that its bundle must have."""

    version: str | int
    sha256: str


class _ReleaseList(msgspec.Struct, frozen=True, kw_only=True):
    models: dict[str, ListedModel] = {}


def read_models(path: Path) -> dict[str, ListedModel]:
    """The models that a `release.yaml` lists; its other parts are not looked at.

    Raises:
        MissingInputError: there is no such file.
        ConfigurationError: not YAML, or not of its shape; names the line.
    """
    models = documents.read(_ReleaseList, path).models
    for name, listed in models.items():
        if not _SHA256.fullmatch(listed.sha256) or not _NAME.fullmatch(name):
            raise ConfigurationError(
                f"the model {name!r} has no proper name or no checksum sha256:… of 64 digits", where=path,
                mend="release the model again; the release writes this list",
            )
    return models
