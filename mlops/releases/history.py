"""Release records as the manifest repository holds them: one file a release, in the commit that made it."""

from __future__ import annotations

import posixpath
import re

import msgspec

from mlops import gitops
from mlops.config import Settings
from mlops.errors import MissingInputError
from mlops.gitops import Snapshot
from mlops.records.base import decode
from mlops.records.release import Release

_ID = re.compile(r"r([0-9]+)")


def record_path(id: str) -> str:
    """Where the record of a release lies in the manifest repository."""
    return f"{gitops.RELEASES}/{id}.json"


def releases(settings: Settings, environment: str | None = None) -> list[Release]:
    """All releases, the newest first; those of one environment where it is given.

    Raises:
        MissingInputError: there is no manifest repository yet.
        InvalidRecordError: a record was damaged.
    """
    with gitops.manifest(settings).open(history=True) as head:
        commits = _commits(head)
        found = [msgspec.structs.replace(record, manifest=commits.get(record_path(record.id)))
                 for record in records(head, environment)]
    return found[::-1]


def records(head: Snapshot, environment: str | None = None) -> list[Release]:
    """The records in one commit, the oldest first, without their manifest commits."""
    numbered = sorted(
        (int(match[1]), path) for path in head.files(f"{gitops.RELEASES}/")
        if (match := _ID.fullmatch(posixpath.basename(path).removesuffix(".json")))
    )
    contents = head.contents([path for _, path in numbered])
    found = [decode(Release, contents[path], where=path) for _, path in numbered]
    return [record for record in found if environment in (None, record.environment)]


def current(settings: Settings, environment: str | None = None) -> Release | None:
    """The newest release of the environment (the settings' own where none is given), None where there is none.

    Raises:
        MissingInputError: there is no manifest repository yet.
    """
    found = releases(settings, environment or settings.environment)
    return found[0] if found else None


def find(settings: Settings, id: str) -> Release:
    """The release `id`; `current` is the newest of the settings' environment.

    Raises:
        MissingInputError: there is none of that name; the error lists what there is.
    """
    found = releases(settings)
    for record in found:
        if record.id == id or id == "current" and record.environment == settings.environment:
            return record
    names = ", ".join(record.id for record in found[:20])
    raise MissingInputError(
        f"there is no release {id!r}", where=settings.deployment.manifest_repository,
        mend=f"its releases are {names}" if found else "nothing was released yet",
    )


def differences(before: Release | None, after: Release) -> list[dict[str, str | None]]:
    """What is served otherwise after `after` than before: kind, name, and both values."""
    changed: list[dict[str, str | None]] = []
    old_images = {} if before is None else {name: image.digest for name, image in before.images.items()}
    new_images = {name: image.digest for name, image in after.images.items()}
    old_models = {} if before is None else {name: model.version for name, model in before.models.items()}
    new_models = {name: model.version for name, model in after.models.items()}
    old_data = {} if before is None else {name: data.version for name, data in before.data.items()}
    new_data = {name: data.version for name, data in after.data.items()}
    for kind, old, new in (("image", old_images, new_images), ("model", old_models, new_models),
                           ("data", old_data, new_data)):
        for name in sorted({*old, *new}):
            if old.get(name) != new.get(name):
                changed.append({"kind": kind, "name": name, "from": old.get(name), "to": new.get(name)})
    return changed


def withdrawn(known: list[Release]) -> set[tuple[str, str]]:
    """What a rollback took out of service and nothing has brought back since: (model, version) and (service, digest).

    An image counts only where somebody asked for the rollback: one that failed to start is tried again by the next run,
    which then says again why it fails; a model that failed is in quarantine.

    Args:
        known: The environment's records, the oldest first.
    """
    out: set[tuple[str, str]] = set()
    for before, after in zip([None, *known], known, strict=False):
        served = _models(after) | _images(after)
        out -= served
        if before is not None and after.kind == "rollback":
            out |= (_models(before) | (_images(before) if after.asked else set())) - served
    return out


def _models(record: Release) -> set[tuple[str, str]]:
    return {(name, model.version) for name, model in record.models.items()}


def _images(record: Release) -> set[tuple[str, str]]:
    return {(name, image.digest) for name, image in record.images.items()}


def _commits(head: Snapshot) -> dict[str, str]:
    """Record's path → the commit that added it."""
    listed = head.git(
        "log", "--diff-filter=A", "--format=%x01%H", "--name-only", "-z", head.commit, "--", f"{gitops.RELEASES}/"
    ).decode()
    found: dict[str, str] = {}
    for part in listed.split("\x01")[1:]:
        commit, *paths = [item.strip("\n") for item in part.split("\0")]
        found.update({path: commit for path in paths if path})
    return found
