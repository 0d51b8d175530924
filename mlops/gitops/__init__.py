"""Delivery through git: change the manifest so that nothing is lost, whoever else writes it at the same time."""

from mlops.gitops.bumping import Bumped, Intent, bump
from mlops.gitops.kustomization import check_digest
from mlops.gitops.local import MANIFESTS, RELEASES, ensure_repository, head, is_local, manifest, overlay
from mlops.gitops.remote import Change, Landed, Remote, Retry, Snapshot
from mlops.gitops.served import Served, ServedImage, ServedModel

__all__ = [
    "MANIFESTS", "RELEASES", "Bumped", "Change", "Intent", "Landed", "Remote", "Retry", "Served", "ServedImage",
    "ServedModel", "Snapshot", "bump", "check_digest", "ensure_repository", "head", "is_local", "manifest", "overlay",
]
