"""`mlops deploy bump`: write one image's digest (and its models) into the manifest, whoever else writes it too."""

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
        image: Name of the image as `images:` has it.
        digest: `sha256:` and 64 hexadecimal digits.
        build: Orders builds; a lower one never overwrites a higher one.
        tag: For people to read; kept in `release.yaml`.
        models: Model → version and, where it is known, the checksum of its bundle.
    """

    path: str
    image: str
    digest: str
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
    """

    outcome: Outcome
    commit: str
    newest: int


def bump(repository: str, branch: str, intent: Intent, *, retry: Retry | None = None) -> Bumped:
    """Apply `intent` to the branch's fresh head until it is there, and read it back.

    Nothing is committed where it holds already, or where a higher build is there.

    Args:
        repository: A path or URL that git can fetch from and push to.
        branch: The branch, which must exist.

    Raises:
        UsageError: a malformed digest, build or path.
        MissingInputError: no such repository, branch, folder or image; the error lists what there is.
        RejectedPushError: others were faster at every try.
        TerminalError: the remote refused.
    """
    folder = _checked(intent)
    newest: list[tuple[int, bool]] = []

    def apply(head: Snapshot) -> Change | None:
        files, build, superseded = _applied(head, folder, intent)
        newest[:] = [(build, superseded)]
        return Change(files, _message(folder, intent)) if files else None

    landed = Remote(repository, branch).commit(apply, retry)
    build, superseded = newest[0]
    if landed.changed:
        return Bumped("committed", landed.commit, intent.build)
    return Bumped("superseded" if superseded else "unchanged", landed.commit, build)


def _checked(intent: Intent) -> str:
    """The folder's path in its plain form."""
    kustomization.check_digest(intent.digest)
    if intent.build < 0:
        raise UsageError(f"{intent.build} is no build number", where="--build", mend="count builds from 0 upwards")
    folder = posixpath.normpath(intent.path or ".")
    if folder.startswith(("/", "..")):
        raise UsageError(f"{intent.path!r} lies outside the repository", where="--path",
                         mend="give the folder of the kustomization from the repository's top")
    return "" if folder == "." else folder


def _applied(head: Snapshot, folder: str, intent: Intent) -> tuple[dict[str, bytes | None], int, bool]:
    """(files to change, the build that is there, whether it supersedes the intent)."""
    manifest, ledger = posixpath.join(folder, kustomization.FILE), posixpath.join(folder, served.FILE)
    before, released = head.read(manifest), head.read(ledger)
    if before is None:
        there = [posixpath.dirname(path) or "." for path in head.files() if path.endswith(kustomization.FILE)]
        raise MissingInputError(
            "there is no such file in the manifest repository", where=manifest,
            mend=f"folders with a {kustomization.FILE}: {', '.join(there)}" if there else "the branch holds none",
        )
    after = kustomization.with_digest(before, intent.image, intent.digest, manifest)
    state = served.read(released, ledger)
    known = state.images.get(intent.image)
    if known is not None and intent.build < known.build:
        return {}, known.build, after != before
    content = released
    if known is None or known.build != intent.build or after != before:
        kept = known.tag if known is not None and after == before else None  # the tag of this very digest
        image = served.ServedImage(intent.build, intent.tag or kept)
        content = served.with_image(content, intent.image, image, ledger)
    for name, model in intent.models.items():
        old = state.models.get(name)
        if old is not None and old.version == model.version and model.sha256 in (None, old.sha256):
            continue
        content = served.with_model(content, name, model, ledger)
    files: dict[str, bytes | None] = {}
    if after != before:
        files[manifest] = after
    if content != released:
        files[ledger] = content
    return files, intent.build, False


def _message(folder: str, intent: Intent) -> str:
    tag = f" ({intent.tag})" if intent.tag else ""
    lines = [f"Deploy {intent.image}{tag} build {intent.build} to {posixpath.basename(folder) or 'the manifest'}", "",
             f"{intent.image} {intent.digest}"]
    lines += [f"model {name} {model.version}" for name, model in sorted(intent.models.items())]
    return "\n".join(lines) + "\n"
