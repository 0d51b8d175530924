"""How the tests of events ask: one event on a repository, and the verdict on each pipeline."""

from __future__ import annotations

from typing import Any

from mlops.git import Git
from mlops.routing import Event, route_event
from mlops.routing.router.plans import Routed

PUSH = Event("push", "refs/heads/main")
Repository = Any  # the class is in conftest.py


def asked(repository: Repository, event: Event, **more: object) -> Routed:
    return route_event(Git(repository.path), event, **more)  # type: ignore[arg-type]


def verdicts(routed: Routed) -> dict[str, str]:
    return {each.pipeline: each.verdict for each in routed.workflows}


def pushed(repository: Repository, before: str, after: str = "HEAD", **more: object) -> dict[str, str]:
    return verdicts(asked(repository, PUSH._replace(before=before, after=after, **more)))
