"""Releases: what is served together, written down in git, started, proven, and taken back where it does not hold."""

from mlops.releases.delivery import FailedRelease, deliver, deploy, needs_work, prove, rollback
from mlops.releases.history import current, differences, find, releases, withdrawn
from mlops.releases.proof import verify
from mlops.releases.publish import compose, in_force, publish

__all__ = [
    "FailedRelease", "compose", "current", "deliver", "deploy", "differences", "find", "in_force", "needs_work",
    "publish", "prove", "releases", "rollback", "verify", "withdrawn",
]
