"""`mlops deploy bump`: write an image's digest, models, or both into the manifest, whoever else writes it too."""

from __future__ import annotations

import dataclasses
import posixpath
from collections.abc import Mapping
from typing import Literal

from mlops.errors import MissingInputError, UsageError
from mlops.gitops import kustomization, served
from mlops.gitops.remote import Change, Remote, Retry, Snapshot

Outcome = Literal["committed", "unchanged", "superseded"]


@dataclasses.dataclass(frozen=True)
class Intent:
    """What shall be true of the manifest.

    Attributes:
        path: Folder of the kustomization in the repository.
        image: Name of the image as `images:` has it; None moves models alone.
        digest: `sha256:` and 64 hexadecimal digits; None without an image.
        build: Orders builds; a lower one never overwrites a higher one.
        tag: For people to read; kept in `release.yaml`.
        models: Model → version and, where it is known, the checksum of its bundle.
    """

    path: str
    image: str | None
    digest: str | None
    build: int
    tag: str | None = None
    models: Mapping[str, served.ServedModel] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Bumped:
    """What came of an intent.

    Attributes:
        commit: The commit that carries it, as read back from the remote; for `superseded` the head that holds
            the higher build.
        newest: The build that the manifest holds now.
        held: Models that stay as they are because a higher build moved them.
    """

    outcome: Outcome
    commit: str
    newest: int
    held: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class _Applied:
    """An intent on one head: the files to change, the newest build there, what a higher build keeps."""

    files: dict[str, bytes | None]
    newest: int
    superseded: bool = False
    held: tuple[str, ...] = ()


def bump(repository: str, branch: str, intent: Intent, *, retry: Retry | None = None) -> Bumped:
    """Apply `intent` to the branch's fresh head until it is there, and read it back.

    Nothing is committed where it holds already, or where a higher build is there.

    Args:
        repository: A path or URL that git can fetch from and push to.
        branch: The branch, which must exist.

    Raises:
        UsageError: a malformed digest, build or path; neither an image nor a model.
        MissingInputError: no such repository, branch, folder or image; the error lists what there is.
        RejectedPushError: others were faster at every try.
        TerminalError: the remote refused.
    """
    folder = _checked(intent)
    latest: list[_Applied] = []

    def apply(head: Snapshot) -> Change | None:
        latest[:] = [_applied(head, folder, intent)]
        return Change(latest[0].files, _message(folder, intent, latest[0].held)) if latest[0].files else None

    landed = Remote(repository, branch).commit(apply, retry)
    applied = latest[0]
    if landed.changed:
        return Bumped("committed", landed.commit, intent.build, applied.held)
    return Bumped("superseded" if applied.superseded else "unchanged", landed.commit, applied.newest, applied.held)


def _checked(intent: Intent) -> str:
    """The folder's path in its plain form."""
    if (intent.image is None) != (intent.digest is None):
        raise UsageError("an image and its digest go together", where="--image, --digest",
                         mend="give both, or neither to move models alone")
    if intent.digest is not None:
        kustomization.check_digest(intent.digest)
    elif not intent.models:
        raise UsageError("there is nothing to write", where="--image, --model",
                         mend="give --image and --digest, or --model NAME=VERSION, or all of them")
    elif intent.tag:
        raise UsageError("a tag belongs to an image", where="--tag", mend="leave it out where models move alone")
    if intent.build < 0:
        raise UsageError(f"{intent.build} is no build number", where="--build", mend="count builds from 0 upwards")
    folder = posixpath.normpath(intent.path or ".")
    if folder.startswith(("/", "..")):
        raise UsageError(f"{intent.path!r} lies outside the repository", where="--path",
                         mend="give the folder of the kustomization from the repository's top")
    return "" if folder == "." else folder


def _applied(head: Snapshot, folder: str, intent: Intent) -> _Applied:
    manifest, ledger = posixpath.join(folder, kustomization.FILE), posixpath.join(folder, served.FILE)
    before, released = head.read(manifest), head.read(ledger)
    if before is None:
        there = [posixpath.dirname(path) or "." for path in head.files() if path.endswith(kustomization.FILE)]
        raise MissingInputError(
            "there is no such file in the manifest repository", where=manifest,
            mend=f"folders with a {kustomization.FILE}: {', '.join(there)}" if there else "the branch holds none",
        )
    state = served.read(released, ledger)
    after, content = before, released
    if intent.image is not None and intent.digest is not None:
        after = kustomization.with_digest(before, intent.image, intent.digest, manifest)
        known = state.images.get(intent.image)
        if known is not None and intent.build < known.build:
            return _Applied({}, known.build, after != before)
        if known is None or known.build != intent.build or after != before:
            kept = known.tag if known is not None and after == before else None  # the tag of this very digest
            image = served.ServedImage(intent.build, intent.tag or kept)
            content = served.with_image(content, intent.image, image, ledger)
    content, newest, held = _with_models(content, state, intent, ledger)
    files: dict[str, bytes | None] = {}
    if after != before:
        files[manifest] = after
    if content != released:
        files[ledger] = content
    return _Applied(files, newest, bool(held), held)


def _with_models(
    content: bytes | None, state: served.Served, intent: Intent, ledger: str
) -> tuple[bytes | None, int, tuple[str, ...]]:
    """The ledger with the models moved, the newest build of them, and those that a higher build keeps.

    Only a move of models alone writes a build beside them: with an image they are ordered by its build. So a
    model without one is at least as new as the image with the lowest build; a rollback, which raises the build of
    every image, thereby holds back models too.
    """
    alone = intent.image is None
    least = min((image.build for image in state.images.values()), default=0) if alone else 0
    newest, held = intent.build, []
    for name, model in intent.models.items():
        old = state.models.get(name)
        own = old.build if old is not None else None
        known = least if own is None else own
        same = old is not None and old.version == model.version and model.sha256 in (None, old.sha256)
        if intent.build < known:
            newest = max(newest, known)
            held += [] if same else [name]
        elif not same or (alone or own is not None) and own != intent.build:
            build = intent.build if alone or own is not None else None
            kept = old.sha256 if same and old is not None else None
            moved = served.ServedModel(model.version, model.sha256 or kept, build)
            content = served.with_model(content, name, moved, ledger)
    return content, newest, tuple(held)


def _message(folder: str, intent: Intent, held: tuple[str, ...]) -> str:
    where = posixpath.basename(folder) or "the manifest"
    models = [f"model {name} {model.version}" for name, model in sorted(intent.models.items()) if name not in held]
    if intent.image is None:
        return f"Deploy {', '.join(models)} build {intent.build} to {where}\n"
    tag = f" ({intent.tag})" if intent.tag else ""
    lines = [f"Deploy {intent.image}{tag} build {intent.build} to {where}", "", f"{intent.image} {intent.digest}"]
    return "\n".join(lines + models) + "\n"
