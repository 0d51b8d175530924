"""The release record: one document that ties commit, data, models, images and manifest."""

from __future__ import annotations

from mlops.records.base import Document, Record


class ReleasedData(Record, frozen=True, kw_only=True):
    """The data version behind a released model, with its validation's result."""

    version: str
    fingerprint: str
    validated: bool
    expectations: int
    simulated: bool = False


class ReleasedModel(Record, frozen=True, kw_only=True):
    """A served model: its version, the run that trained it, and its bundle's checksum."""

    version: str
    run_id: str
    sha256: str
    dataset: str
    metrics: dict[str, float] = {}


class ReleasedImage(Record, frozen=True, kw_only=True):
    """A service's image by digest, with the build that ordered it."""

    digest: str
    build: int


class Release(Document, frozen=True, kw_only=True):
    """What was released together.

    The record is written in the manifest's own commit, so it cannot hold that commit's name; the
    reader fills `manifest` in from git.

    Attributes:
        id: `r` and the build number, `r7`.
        commit: The source commit, `dirty` where the work tree held changes beyond it.
        environment: The overlay that was changed.
        previous: The id of the release before, None for the first.
        manifest: The commit that carries this release in the manifest repository.
        kind: `release`, or `rollback` to the release named in `restores`.
        asked: Whether somebody asked for the rollback; false where a release that failed was taken back.
    """

    id: str
    build: int
    created: str
    commit: str | None
    dirty: bool
    environment: str
    data: dict[str, ReleasedData]
    models: dict[str, ReleasedModel]
    images: dict[str, ReleasedImage]
    previous: str | None = None
    kind: str = "release"
    restores: str | None = None
    asked: bool = False
    manifest: str | None = None
