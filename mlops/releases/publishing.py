"""Write a release into the manifest: digests, list of models and record in one commit."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from mlops import gitops, logs
from mlops.config import Settings, Workspace
from mlops.errors import MissingInputError, ReleaseError
from mlops.gitops import Change, Served, ServedImage, ServedModel, Snapshot, kustomization, served
from mlops.records.base import read
from mlops.records.data import DataVersion
from mlops.records.model import ModelVersion
from mlops.records.release import Release, ReleasedData, ReleasedImage, ReleasedModel
from mlops.records.base import now
from mlops.releases import force, history


def compose(
    places: Workspace, settings: Settings, *, images: Mapping[str, str], models: Mapping[str, ModelVersion],
    data: Mapping[str, DataVersion], commit: str | None, dirty: bool, environment: str | None = None,
) -> Release:
    """The release that shall be: ready to be published, not yet written anywhere.

    What a rollback took out of service is not released again (`history.withdrawn`): what is served stays, until it is
    brought back by a rollback that names it (`mlops release rollback`).

    Args:
        images: Service → digest.
        models: Model → its champion.
        data: Data set → its version; one that a model was trained on and that is not given is looked up where
            data versions are published.
        commit, dirty: The source commit, and whether the work tree held changes beyond it.

    Raises:
        MissingInputError: the data version that a model was trained on is not to be found.
    """
    where = environment or settings.environment
    remote = gitops.ensure_repository(places, settings, places.repository)
    with remote.open() as head:
        known = history.records(head, where)
    previous = known[-1] if known else None
    released: dict[str, ReleasedModel] = {}
    shown: dict[str, ReleasedData] = {}
    out = history.withdrawn(known)
    for name, model in models.items():
        stays = previous.models.get(name) if previous is not None else None
        if (name, model.version) in out:
            if previous is None or stays is None:
                logs.say(f"release: {name} version {model.version} was rolled back and is not released again")
                continue
            logs.say(f"release: {name} version {model.version} was rolled back; version {stays.version} stays")
            released[name] = stays
            if stays.dataset in previous.data:
                shown[stays.dataset] = previous.data[stays.dataset]
        else:
            dataset, version = _trained_on(places, model, data)
            released[name], shown[dataset] = _model(dataset, model), _data(version)
    built = dict(images)
    for name, digest in images.items():
        if (name, digest) in out and previous is not None and name in previous.images:
            built[name] = previous.images[name].digest
            logs.say(f"release: image {digest[:19]} of {name} was rolled back; {built[name][:19]} stays")
    return Release(
        id="", build=0, created=now(), commit=commit, dirty=dirty, environment=where, data=shown, models=released,
        images={name: ReleasedImage(digest=digest, build=0) for name, digest in built.items()},
        previous=previous.id if previous else None,
    )


def publish(
    places: Workspace, settings: Settings, release: Release, *, only_after: str | None = None
) -> Release:
    """Write the release into the manifest in one commit and return it with id, builds and that commit.

    Nothing is committed where the manifest's head serves the same images and models: the release in force is returned.

    Args:
        only_after: The release that must be the newest one, or nothing is written (another one came in between).

    Raises:
        ReleaseError: `only_after` is not the newest release any more.
        MissingInputError: the overlay, or an image in it, is not there.
        RejectedPushError: others were faster at every try.
    """
    made: list[Release] = []

    def intent(head: Snapshot) -> Change | None:
        made.clear()
        known = history.records(head)
        own = [record for record in known if record.environment == release.environment]
        if only_after is not None and (not own or own[-1].id != only_after):
            raise ReleaseError(
                f"{own[-1].id if own else 'another release'} came after {only_after}: it is left as it is",
                where=settings.deployment.manifest_repository, mend="`mlops release list` shows what is in force",
            )
        written, numbered = _written(head, release, known, own)
        if written is None:
            made.append(own[-1])
            return None
        made.append(numbered)
        return Change({**written, history.record_path(numbered.id): numbered.to_json()}, _message(numbered, own))

    landed = gitops.manifest(settings).commit(intent)
    if landed.changed:
        done = msgspec.structs.replace(made[0], manifest=landed.commit)
    else:
        done = history.find(settings, made[0].id)
    force.note(places, landed.commit, done.id)
    return done


def _written(
    head: Snapshot, release: Release, known: list[Release], own: list[Release]
) -> tuple[dict[str, bytes | None] | None, Release]:
    """The overlay's files as the release wants them, None where they are so; and the release with its numbers."""
    folder = gitops.overlay(release.environment)
    manifest, ledger = f"{folder}/{kustomization.FILE}", f"{folder}/{served.FILE}"
    before = head.read(manifest)
    if before is None:
        raise MissingInputError(
            "the manifest repository holds no such overlay", where=manifest,
            mend="environments are the folders of overlays/",
        )
    state = served.read(head.read(ledger), ledger)
    digests = kustomization.digests(before, manifest)
    _expect_known(release, digests, manifest)
    models = {name: ServedModel(model.version, model.sha256) for name, model in release.models.items()}
    wanted = {name: release.images[name].digest if name in release.images else "" for name in digests}
    if own and digests == wanted and state.models == models:
        return None, release
    build = 1 + max([0, *(image.build for image in state.images.values()), *(record.build for record in known)])
    # A rollback raises every build: a late bump of what was rolled back, its models too, must not win any more.
    kept_builds = {} if release.kind == "rollback" else {
        name: image.build for name, image in state.images.items() if digests.get(name) == wanted.get(name)
    }
    builds = {name: kept_builds.get(name, build) for name in wanted}
    content = before
    for name, digest in wanted.items():
        content = kustomization.with_digest(content, name, digest, manifest)
    images = {name: ServedImage(number, _tag(state, name, digests[name] == wanted[name]))
              for name, number in builds.items() if wanted[name] or name in state.images}
    kept = {name: image for name, image in state.images.items() if name not in wanted}
    numbered = msgspec.structs.replace(
        release, id=f"r{build}", build=build, previous=own[-1].id if own else None,
        images={name: ReleasedImage(digest=image.digest, build=builds[name]) for name, image in release.images.items()},
    )
    return {manifest: content, ledger: served.render(Served(images={**kept, **images}, models=models))}, numbered


def _tag(state: Served, name: str, same: bool) -> str | None:
    return state.images[name].tag if same and name in state.images else None


def _expect_known(release: Release, digests: Mapping[str, str], manifest: str) -> None:
    unknown = sorted(set(release.images) - set(digests))
    if unknown:
        raise MissingInputError(
            f"there is no image {unknown[0]!r} in images:", where=manifest,
            mend=f"add it there; its images are {', '.join(digests) or 'none'}",
        )
    for image in release.images.values():
        gitops.check_digest(image.digest)


def _message(release: Release, own: list[Release]) -> str:
    title = f"Release {release.id} to {release.environment}"
    if release.kind == "rollback":
        back = release.restores or "before the first release"
        title = f"Roll back {release.environment} to {back} as {release.id}"
    before = own[-1] if own else None
    lines = [f"{change['kind']} {change['name']}: {change['from'] or 'none'} -> {change['to'] or 'none'}"
             for change in history.differences(before, release)]
    source = f"source {release.commit or 'none'}{' with changes' if release.dirty else ''}"
    return "\n".join([title, "", *lines, source]) + "\n"


def _data(version: DataVersion) -> ReleasedData:
    return ReleasedData(
        version=version.version, fingerprint=version.fingerprint, validated=version.validation.success,
        expectations=version.validation.evaluated, simulated=version.source.simulated,
    )


def _model(name: str, model: ModelVersion) -> ReleasedModel:
    return ReleasedModel(
        version=model.version, run_id=model.run_id, sha256=model.bundle_sha256, dataset=name, metrics=model.metrics
    )


def _trained_on(places: Workspace, model: ModelVersion, data: Mapping[str, DataVersion]) -> tuple[str, DataVersion]:
    """The name and the record of the data version behind a model: a given one, or one that was published here."""
    for name, version in data.items():
        if version.fingerprint == model.data_fingerprint:
            return name, version
    for path in sorted(places.data.glob(f"*/versions/{model.data}/version.json")):
        version = read(DataVersion, path)
        if version.fingerprint == model.data_fingerprint:
            return f"{version.dataset}@{version.version}" if version.dataset in data else version.dataset, version
    raise MissingInputError(
        f"{model.model} version {model.version} was trained on the data version {model.data}, which is not here",
        where=f"model {model.model}", mend="publish that data version again, or train the model on the present one",
    )
