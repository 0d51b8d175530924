"""Delivery through git: change the manifest so that nothing is lost, whoever else writes it at the same time."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.gitops.bumping import Bumped, Intent, bump
    from mlops.gitops.kustomization import check_digest
    from mlops.gitops.local import MANIFESTS, RELEASES, ensure_repository, head, is_local, manifest, overlay
    from mlops.gitops.readiness import Readiness
    from mlops.gitops.remote import Change, Landed, Remote, Retry, Snapshot
    from mlops.gitops.served import Served, ServedImage, ServedModel

__all__ = [
    "MANIFESTS", "RELEASES", "Bumped", "Change", "Intent", "Landed", "Readiness", "Remote", "Retry", "Served",
    "ServedImage", "ServedModel", "Snapshot", "bump", "check_digest", "ensure_repository", "head", "is_local",
    "manifest", "overlay",
]

# Loaded at first use: asking for the head, which every `mlops run` does, needs none of the rest.
_FROM = {
    "bumping": ("Bumped", "Intent", "bump"), "kustomization": ("check_digest",),
    "local": ("MANIFESTS", "RELEASES", "ensure_repository", "head", "is_local", "manifest", "overlay"),
    "readiness": ("Readiness",), "remote": ("Change", "Landed", "Remote", "Retry", "Snapshot"),
    "served": ("Served", "ServedImage", "ServedModel"),
}


def __getattr__(name: str) -> Any:
    for module, names in _FROM.items():
        if name in names:
            return getattr(importlib.import_module(f"mlops.gitops.{module}"), name)
    raise AttributeError(f"module 'mlops.gitops' has no attribute {name!r}")
