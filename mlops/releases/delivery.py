"""Start a release, prove it, and go back where it does not hold: always by a commit, model and image together."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from mlops import files
from mlops.config import Settings, Workspace
from mlops.deployment_manager import local
from mlops.errors import IntegrityError, MissingInputError, MlopsError, ReleaseError
from mlops.records.release import Release
from mlops.records.base import now
from mlops.releases import history
from mlops.releases.proof import verify
from mlops.releases.publishing import publish

Say = Callable[[str], None]


class FailedRelease(ReleaseError):
    """A release did not start or did not prove itself.

    Attributes:
        release: The release.
        restored: The rollback that was written in its place; None where the manifest was left as it is.
        models: Model → version: what this release brought and must not be promoted again; they are in quarantine.
    """

    def __init__(
        self, message: str, *, where: str, mend: str, release: Release, restored: Release | None, models: dict[str, str]
    ) -> None:
        super().__init__(message, where=where, mend=mend)
        self.release, self.restored, self.models = release, restored, models


def deploy(places: Workspace, settings: Settings, release: Release, say: Say = lambda text: None) -> local.Deployed:
    """Start what the manifest says; where the new release does not start, go back by a commit.

    Raises:
        FailedRelease: it did not start. What ran before goes on, and the manifest says so again.
        BusyError, MissingInputError, ConfigurationError: the machine is to blame, not the release; nothing is reverted.
    """
    try:
        return local.deploy(places, settings, release, say)
    except local.DeployError as error:
        if error.suspect not in ("image", "models"):
            raise
        raise _failed(places, settings, release, error, error.suspect == "models", say) from error


def prove(places: Workspace, settings: Settings, release: Release, say: Say = lambda text: None) -> dict[str, Any]:
    """`verify`, and go back by a commit where the proof fails.

    Raises:
        FailedRelease: the services answered something else; what was released before is started again.
    """
    try:
        facts = verify(places, settings, release)
    except (ReleaseError, IntegrityError) as error:
        raise _failed(places, settings, release, error, True, say) from error
    files.write_atomic(_proven_file(places), json.dumps({"release": release.id, "rows": facts["rows"]}) + "\n")
    return facts


def rollback(
    places: Workspace, settings: Settings, to: str | None = None, *, who: str, why: str, say: Say = lambda text: None
) -> Release:
    """Go back to an earlier release, model and image together, by one commit; start it and prove it.

    The model versions that are left are put into quarantine, or the next run would promote them again.

    Args:
        to: A release's id; the one that was served before the present one when absent.

    Returns:
        The rollback's record, or the release in force where it serves just that already.

    Raises:
        MissingInputError: there is no such release, or none before the present one.
        FailedRelease: the earlier release does not start any more; the present one goes on.
    """
    present = history.current(settings)
    if present is None:
        raise MissingInputError("nothing was released yet", where=settings.environment, mend="`mlops run` releases")
    target = history.find(settings, to) if to else _before(settings, present)
    if target.environment != present.environment:
        raise MissingInputError(f"{target.id} is a release of {target.environment}", where=present.environment,
                                mend="`mlops release list` shows the releases of each environment")
    restored = publish(places, settings, _restoring(target, present, asked=True), only_after=present.id)
    deploy(places, settings, restored, say)
    prove(places, settings, restored, say)
    _quarantine(places, settings, _brought(present, restored), who, why or f"rolled back to {target.id}", say)
    return restored


def _failed(
    places: Workspace, settings: Settings, release: Release, error: MlopsError, blame_models: bool, say: Say
) -> MlopsError:
    """What is to be raised for a release that failed, after going back."""
    if _proven(places) == release.id:  # it was good once: something beside it is wrong now
        return error
    before = history.find(settings, release.previous) if release.previous else None
    suspects = _brought(release, before) if blame_models else {}
    restored = _go_back(places, settings, release, before, say)
    _quarantine(places, settings, suspects, "mlops", f"release {release.id} failed: {error.message}", say)
    outcome = "the manifest was left as it is"
    if restored is not None:
        outcome = f"rolled back to {before.id} as {restored.id}" if before else f"taken back as {restored.id}"
    return FailedRelease(
        f"release {release.id} failed and was {outcome}: {error.message}", where=error.where or release.environment,
        mend=error.mend or "the services' logs say more", release=release, restored=restored, models=suspects,
    )


def _go_back(
    places: Workspace, settings: Settings, release: Release, before: Release | None, say: Say
) -> Release | None:
    """Restore what was released before, unless somebody else released meanwhile; None where that is so."""
    target = before or msgspec.structs.replace(release, id="", images={}, models={}, data={})
    try:
        restored = publish(places, settings, _restoring(target, release), only_after=release.id)
    except ReleaseError as error:
        say(f"release: not reverted: {error.message}")
        return None
    say(f"release: {release.id} is reverted as {restored.id}")
    try:
        local.deploy(places, settings, restored, say)
    except MlopsError as error:  # the first error is the one to tell; the next run tries again
        say(f"release: {restored.id} did not start: {error.message}")
    return restored


def _restoring(target: Release, present: Release, *, asked: bool = False) -> Release:
    return msgspec.structs.replace(
        target, created=now(), kind="rollback", restores=target.restores or target.id or None, previous=present.id,
        manifest=None, asked=asked,
    )


def _before(settings: Settings, present: Release) -> Release:
    """The newest release that serves something else than the present one and that no rollback has left."""
    known = history.releases(settings, present.environment)
    left = {record.previous for record in known if record.kind == "rollback"}
    left -= {record.restores for record in known if record.kind == "rollback"}
    for record in known:
        if record.kind == "release" and record.id not in left and history.differences(record, present):
            return record
    raise MissingInputError(
        "no earlier release serves anything else", where=present.id, mend="`mlops release list` shows all; name one"
    )


def _brought(release: Release, before: Release | None) -> dict[str, str]:
    """The model versions that are in `release` and not in `before`."""
    old = {} if before is None else {name: model.version for name, model in before.models.items()}
    return {name: model.version for name, model in release.models.items() if old.get(name) != model.version}


def _quarantine(
    places: Workspace, settings: Settings, suspects: dict[str, str], who: str, why: str, say: Say
) -> None:
    """Bar model versions from promotion; the rollback stands whether or not the registry answers."""
    from mlops import promotion

    for model, version in suspects.items():
        try:
            promotion.withdraw(places, settings, model, version, who=who, why=why)
            say(f"release: {model} version {version} is in quarantine")
        except MlopsError as error:
            say(f"release: {model} version {version} could not be put into quarantine: {error.message}")


def _proven_file(places: Workspace) -> Path:
    return places.runtime / "proven.json"


def _proven(places: Workspace) -> str | None:
    try:
        return str(json.loads(_proven_file(places).read_bytes())["release"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
