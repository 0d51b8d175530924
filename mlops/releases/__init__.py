"""Releases: what is served together, written down in git, started, proven, and taken back where it does not hold."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlops.releases.delivery import FailedRelease, deploy, prove, rollback
    from mlops.releases.force import in_force
    from mlops.releases.history import current, differences, find, releases, withdrawn
    from mlops.releases.proof import verify
    from mlops.releases.publishing import compose, publish

__all__ = [
    "FailedRelease", "compose", "current", "deploy", "differences", "find", "in_force", "publish", "prove",
    "releases", "rollback", "verify", "withdrawn",
]

# Loaded at first use: what every `mlops run` asks, `in_force`, needs none of the rest. No name may be a module's too.
_FROM = {
    "delivery": ("FailedRelease", "deploy", "prove", "rollback"), "force": ("in_force",),
    "history": ("current", "differences", "find", "releases", "withdrawn"), "proof": ("verify",),
    "publishing": ("compose", "publish"),
}


def __getattr__(name: str) -> Any:
    for module, names in _FROM.items():
        if name in names:
            return getattr(importlib.import_module(f"mlops.releases.{module}"), name)
    raise AttributeError(f"module 'mlops.releases' has no attribute {name!r}")
