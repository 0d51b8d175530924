"""The manifest repository of one machine: a bare repository under `.mlops/`, seeded from the tree's kustomize files."""

from __future__ import annotations

import hashlib
import posixpath
from pathlib import Path
from typing import TYPE_CHECKING

from mlops import files
from mlops.config import Settings, Workspace
from mlops.errors import ConfigurationError, MissingInputError

if TYPE_CHECKING:
    from mlops.gitops.remote import Change, Remote, Snapshot

MANIFESTS = "infrastructure/kubernetes"
"""Where the kustomize files lie, in the tree and in the manifest repository alike."""

OVERLAYS = f"{MANIFESTS}/overlays"
RELEASES = f"{MANIFESTS}/releases"


def overlay(environment: str) -> str:
    """The folder of an environment's overlay in the manifest repository."""
    return f"{OVERLAYS}/{environment}"


def manifest(settings: Settings) -> Remote:
    """The branch of the manifest repository that the settings name."""
    from mlops.gitops.remote import Remote

    return Remote(settings.deployment.manifest_repository, settings.deployment.manifest_branch)


def is_local(places: Workspace, settings: Settings) -> bool:
    """Whether the manifest repository is the one under `.mlops/`."""
    return Path(settings.deployment.manifest_repository) == places.manifests


def head(places: Workspace, settings: Settings) -> str | None:
    """The head of the local manifest repository without a process: read from its files; None where there is none."""
    branch = f"refs/heads/{settings.deployment.manifest_branch}"
    try:
        return (places.manifests / branch).read_text().strip()
    except OSError:
        pass
    try:
        packed = (places.manifests / "packed-refs").read_text().splitlines()
    except OSError:
        return None
    return next((line.split()[0] for line in packed if line.endswith(f" {branch}")), None)


def ensure_repository(places: Workspace, settings: Settings, repository: Path) -> Remote:
    """The manifest repository; the local one is made when absent and follows the tree's kustomize files.

    What releases have written (digests, `release.yaml`, records) stays as it is; everything else below
    `infrastructure/kubernetes` is carried over in a commit where it differs. A repository that the settings name is
    its team's own and is not touched.

    Raises:
        MissingInputError: the tree holds no kustomize files.
        ConfigurationError: the state's folder cannot be written.
    """
    remote = manifest(settings)
    if not is_local(places, settings):
        return remote
    tree = _tree(repository)
    with files.lock(places.state / "manifests.lock", timeout=60, what="another command that writes the manifest"):
        if not places.manifests.exists():
            _make(places.manifests, settings.deployment.manifest_branch)
    with remote.open() as snapshot:
        change = _carried(snapshot, tree)
    if change is not None:
        remote.commit(lambda fresh: _carried(fresh, tree))
    return remote


def _tree(repository: Path) -> dict[str, bytes]:
    base = repository / MANIFESTS
    found: dict[str, bytes] = {}
    for path in sorted(base.rglob("*")):
        name = path.relative_to(repository).as_posix()
        if path.is_file() and not name.startswith(f"{RELEASES}/") and not path.name.startswith("."):
            try:
                found[name] = path.read_bytes()
            except OSError as error:
                raise MissingInputError(f"cannot be read: {error.strerror}", where=path) from error
    if not found:
        raise MissingInputError("there are no kustomize files", where=base, mend="a release is written into overlays/")
    return found


def _make(target: Path, branch: str) -> None:
    """An empty repository with one empty commit, wholly or not at all."""
    from mlops.git import MACHINERY, Git

    with files.atomic_folder(target) as work:
        git = Git(work)
        try:
            git("init", "--quiet", "--bare", "--template=", f"--initial-branch={branch}")
            git("config", "receive.denyDeletes", "true")
            git("config", "receive.denyNonFastForwards", "true")
            git("config", "core.hooksPath", "/dev/null")
            empty = git("mktree", input=b"").decode().strip()
            first = git("commit-tree", empty, "-m", "The manifest begins", env=MACHINERY).decode().strip()
            git("update-ref", f"refs/heads/{branch}", first)
        except OSError as error:
            raise ConfigurationError(f"cannot be made: {error.strerror}", where=target) from error


def _carried(snapshot: Snapshot, tree: dict[str, bytes]) -> Change | None:
    from mlops.gitops import kustomization, served
    from mlops.gitops.remote import Change

    there = {path: name for path, name in snapshot.hashes(MANIFESTS).items() if not path.startswith(f"{RELEASES}/")}
    changed: dict[str, bytes | None] = {path: None for path in there if path not in tree}
    for path, content in tree.items():
        if there.get(path) == _blob(content):
            continue
        before = snapshot.read(path) if path in there else None
        if posixpath.basename(path) == served.FILE and before is not None:
            continue
        if posixpath.basename(path) == kustomization.FILE and before is not None:
            content = _keeping_digests(content, before, path)
        if content != before:
            changed[path] = content
    return Change(changed, f"Carry over {MANIFESTS} from the tree\n") if changed else None


def _blob(content: bytes) -> str:
    """The name that git gives a file with this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def _keeping_digests(content: bytes, before: bytes, path: str) -> bytes:
    """The tree's kustomization with the digests that the manifest holds."""
    if content == before:
        return content
    from mlops.gitops import kustomization

    released = kustomization.digests(before, path)
    for image in kustomization.digests(content, path):
        if released.get(image):
            content = kustomization.with_digest(content, image, released[image], path)
    return content
